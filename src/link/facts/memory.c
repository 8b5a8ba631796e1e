/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory: the file, relocated, a stack and a heap. Addresses are
 * chosen so that no two kinds of memory meet, and none is 0.
 */
#include "link/facts/machine.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"

#include <string.h>

#define IMAGE_START UINT64_C(0x100000000)
#define IMAGE_MOST (UINT64_C(64) << 20)
#define STACK_START UINT64_C(0x200000000)
#define STACK_SIZE (UINT64_C(64) << 10)
#define HEAP_START UINT64_C(0x300000000)
#define HEAP_SIZE (UINT64_C(256) << 10)
#define OUTSIDE_START UINT64_C(0x400000000) /* 16 for each symbol */
#define OUTSIDE_SHIFT 4
#define NOWHERE UINT64_C(0x600000000) /* what is not known */

#define TEXT_MAX 65536

/* ------------------------------------------------------------------ */
/* Memory                                                             */

/* Whether the file has that, and lets it be read or written now. */
static bool is_allowed(struct machine *m, uint64_t address, uint64_t size,
		       bool to_write)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct machine_segment *s = &m->segments[i];

		if (address < s->start || address >= s->end)
			continue;
		if (size > s->end - address || (to_write && !s->is_writable))
			return machine_fail(m);
		if (!s->is_writable || m->is_initialised)
			return true;
		m->trouble = MACHINE_NOT_INITIALISED;
		return false;
	}
	return machine_fail(m);
}

void *machine_at(struct machine *m, uint64_t address, uint64_t size,
		 bool to_write)
{
	if (size == 0) { /* of a length that has overflowed */
		machine_fail(m);
		return NULL;
	}
	if (machine_is_in(&m->stack, address, size))
		return m->stack.bytes + (address - m->stack.start);
	if (machine_is_in(&m->heap, address, size))
		return m->heap.bytes + (address - m->heap.start);
	if (machine_is_in(&m->image, address, size) &&
	    is_allowed(m, address, size, to_write))
		return m->image.bytes + (address - m->image.start);
	machine_fail(m);
	return NULL;
}

const char *machine_text(struct machine *m, uint64_t address)
{
	const char *text = machine_at(m, address, 1, false);

	for (uint64_t n = 0; text && n < TEXT_MAX; n++) {
		const char *at = machine_at(m, address + n, 1, false);
		if (!at)
			return NULL;
		if (!*at)
			return text;
	}
	machine_fail(m);
	return NULL;
}

uint64_t machine_allocate(struct machine *m, uint64_t size)
{
	if (size > HEAP_SIZE || m->heap_used > HEAP_SIZE - size) {
		machine_fail(m);
		return 0;
	}
	uint64_t address = m->heap.start + m->heap_used;

	/* As malloc aligns; and something for a size of 0. */
	m->heap_used += ((size ? size : 1) + 15) & ~UINT64_C(15);
	return address;
}

/* ------------------------------------------------------------------ */
/* The file                                                           */

static bool add_segment(struct machine *m, uint64_t start, uint64_t end,
			bool is_writable, bool is_code)
{
	if (m->segment_count == MACHINE_SEGMENTS_MAX)
		return false;
	m->segments[m->segment_count++] = (struct machine_segment){
		IMAGE_START + start, IMAGE_START + end, is_writable, is_code};
	return true;
}

/* First what is read-only after relocation, so that it is found first. */
static bool add_segments(struct machine *m, const struct image *image)
{
	for (unsigned type = PT_GNU_RELRO;; type = PT_LOAD) {
		for (size_t i = 0; i < image->segment_count; i++) {
			const ElfN(Phdr) *p = &image->segments[i];
			bool is_load = type == PT_LOAD;

			if (p->p_type == type &&
			    !add_segment(m, p->p_vaddr, p->p_vaddr + p->p_memsz,
					 is_load && p->p_flags & PF_W,
					 is_load && p->p_flags & PF_X))
				return false;
		}
		if (type == PT_LOAD)
			return true;
	}
}

/* How much memory the file takes; 0: more than is allowed. */
static uint64_t size_of(const struct image *image)
{
	uint64_t size = 0;

	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfN(Phdr) *p = &image->segments[i];

		if (p->p_type != PT_LOAD && p->p_type != PT_GNU_RELRO)
			continue;
		if (!range_within(p->p_vaddr, p->p_memsz, IMAGE_MOST))
			return 0;
		if (p->p_vaddr + p->p_memsz > size)
			size = p->p_vaddr + p->p_memsz;
	}
	return size;
}

static int fill(struct machine *m, const struct image *image)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < image->segment_count; i++) {
		const ElfN(Phdr) *p = &image->segments[i];
		_cleanup_free_ void *bytes = NULL;

		if (p->p_type != PT_LOAD || !p->p_filesz)
			continue;
		if (p->p_filesz > p->p_memsz)
			return image_damaged(image, "a segment");
		status = image_read(image, "a segment", p->p_offset,
				    p->p_filesz, &bytes);
		if (status == 0)
			memcpy(m->image.bytes + p->p_vaddr, bytes, p->p_filesz);
	}
	return status;
}

/* Of these, whoever defines none has no definition. */
static bool is_nobodys(const char *name)
{
	return !strcmp(name, "__gmon_start__") || !strncmp(name, "_ITM_", 5);
}

static uint64_t value_of(const struct machine *m, const struct elf_fixup *f)
{
	struct elf_symbol symbol;

	if (f->kind == ELF_FIXUP_RELATIVE)
		return IMAGE_START + (uint64_t)f->addend;
	if (f->kind == ELF_FIXUP_OTHER ||
	    !elf_view_symbol(m->view, f->symbol, &symbol))
		return NOWHERE;
	uint64_t addend =
		f->kind == ELF_FIXUP_ADDRESS ? (uint64_t)f->addend : 0;
	if (symbol.defined)
		return symbol.type == ELF_TYPE_IFUNC ||
				       symbol.type == ELF_TYPE_TLS
			       ? NOWHERE
			       : IMAGE_START + symbol.value + addend;
	if (symbol.binding == ELF_BINDING_WEAK && is_nobodys(symbol.name))
		return 0;
	return OUTSIDE_START + ((uint64_t)f->symbol << OUTSIDE_SHIFT) + addend;
}

static void relocate(struct machine *m)
{
	size_t n;
	const struct elf_fixup *fixups =
		elf_data_fixups(m->data, (struct elf_range){0, UINT64_MAX}, &n);

	for (size_t i = 0; i < n; i++) {
		uint64_t value = value_of(m, &fixups[i]);

		if (range_within(fixups[i].address, sizeof(value),
				 m->image.size))
			memcpy(m->image.bytes + fixups[i].address, &value,
			       sizeof(value));
	}
}

static int allocate(struct machine *m, uint64_t image_size)
{
	m->image = (struct machine_memory){IMAGE_START, image_size,
					   calloc(1, image_size + 1)};
	m->stack = (struct machine_memory){STACK_START, STACK_SIZE,
					   calloc(1, STACK_SIZE)};
	m->heap = (struct machine_memory){HEAP_START, HEAP_SIZE,
					  calloc(1, HEAP_SIZE)};
	if (m->image.bytes && m->stack.bytes && m->heap.bytes)
		return 0;
	return status_no_memory(NULL);
}

int machine_begin(struct machine *m, int fd, const char *name,
		  const struct elf_view *view, const struct elf_data *data)
{
	_cleanup_(image_clear) struct image image = {.fd = -1};
	int status = image_open(&image, fd, name);
	uint64_t size;

	*m = (struct machine){.view = view, .data = data};
	if (status < 0)
		return status;
	size = size_of(&image);
	if (!size || !elf_data_is_x86_64(data) || !add_segments(m, &image))
		return status_fail(DLAZY_ENOSYS,
				   "%s: too large, or for another CPU", name);
	status = allocate(m, size);
	if (status == 0)
		status = fill(m, &image);
	if (status == 0)
		relocate(m);
	return status;
}

void machine_end(struct machine *m)
{
	free(m->image.bytes);
	free(m->stack.bytes);
	free(m->heap.bytes);
	m->image.bytes = m->stack.bytes = m->heap.bytes = NULL;
}

uint64_t machine_function(const struct machine *m, const char *name)
{
	struct elf_symbol symbol;

	if (!elf_view_find(m->view, name, NULL, &symbol) ||
	    symbol.type != ELF_TYPE_FUNC)
		return 0;
	return IMAGE_START + symbol.value;
}

const char *machine_outside_name(const struct machine *m, uint64_t address)
{
	struct elf_symbol symbol;
	uint64_t index = (address - OUTSIDE_START) >> OUTSIDE_SHIFT;

	if (address < OUTSIDE_START ||
	    (address & ((1 << OUTSIDE_SHIFT) - 1)) != 0 ||
	    index >= elf_view_symbol_count(m->view) ||
	    !elf_view_symbol(m->view, index, &symbol))
		return NULL;
	return symbol.name;
}
