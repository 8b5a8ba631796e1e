/* SPDX-License-Identifier: MIT */
/*
 * Reading the relocations of a file. Whatever is not understood is an error or
 * a "no", so that nobody relies on half the truth.
 *
 * Sources: gABI chapter 5; for DT_RELR "Proposal for a new section type
 * SHT_RELR"; for .eh_frame_hdr LSB Core 10.6.2.
 */
#include "link/code/relocations.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"

#include <string.h>

/* Newer than some <elf.h>. */
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

#define FRAME_VERSION 1
#define FRAME_POINTER_SIZE 4	  /* DW_EH_PE_sdata4, whatever it counts from */
#define FRAME_ENCODING_SIZE 0x0f  /* the part that says how long */
#define FRAME_UDATA4 0x03	  /* DW_EH_PE_udata4 */
#define FRAME_SDATA4 0x0b	  /* DW_EH_PE_sdata4 */
#define FRAME_DATAREL_SDATA4 0x3b /* DW_EH_PE_datarel | sdata4 */
#define FRAME_HEAD 12		  /* 4 bytes, pointer, count */

struct elf_data {
	struct image image;
	struct elf_fixup *fixups; /* by address */
	size_t count, room;
	struct elf_range *linkers; /* the linker's own, by address */
	size_t linkers_count, linkers_room;
	uint64_t frame_address;
	uint8_t *frame; /* .eh_frame_hdr; NULL: none that is understood */
	size_t frame_count;
};

void elf_data_close(struct elf_data *data)
{
	if (!data)
		return;
	image_clear(&data->image);
	free(data->fixups);
	free(data->linkers);
	free(data->frame);
	free(data);
}

/* ------------------------------------------------------------------ */
/* Relocations                                                        */

struct numbers {
	uint16_t machine;
	uint32_t relative, address, slot, jump;
};

static const struct numbers *numbers_of(uint16_t machine)
{
	static const struct numbers known[] = {
		{EM_X86_64, R_X86_64_RELATIVE, R_X86_64_64, R_X86_64_GLOB_DAT,
		 R_X86_64_JUMP_SLOT},
		{EM_AARCH64, R_AARCH64_RELATIVE, R_AARCH64_ABS64,
		 R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].machine == machine)
			return &known[i];
	return NULL;
}

/* No file has more than one for each of its words. */
static int add_fixup(struct elf_data *data, struct elf_fixup fixup)
{
	if (data->count > data->image.size / sizeof(ElfN(Addr)))
		return image_damaged(&data->image, "too many relocations");
	if (!array_reserve(&data->fixups, data->count, &data->room,
			   sizeof(fixup)))
		return status_no_memory(data->image.name);
	data->fixups[data->count++] = fixup;
	return 0;
}

static enum elf_fixup_kind kind_of(const struct numbers *n, uint32_t type)
{
	if (type == n->relative)
		return ELF_FIXUP_RELATIVE;
	if (type == n->address)
		return ELF_FIXUP_ADDRESS;
	if (type == n->slot)
		return ELF_FIXUP_SLOT;
	if (type == n->jump)
		return ELF_FIXUP_CALL;
	return ELF_FIXUP_OTHER;
}

/* A table of relocations with addends. */
static int read_table(struct elf_data *data, const struct numbers *n,
		      int64_t tag, int64_t size_tag)
{
	uint64_t address, size = image_dynamic_value(&data->image, size_tag);
	_cleanup_free_ ElfN(Rela) *table = NULL;
	int r = 0;

	if (!image_dynamic(&data->image, tag, &address) || size == 0)
		return 0;
	r = image_read_address(&data->image, "the relocations", address, size,
			       (void **)&table);
	for (size_t i = 0; r == 0 && i < size / sizeof(*table); i++) {
		if (NATIVE_R_TYPE(table[i].r_info) == 0)
			continue; /* none */
		r = add_fixup(
			data,
			(struct elf_fixup){
				.address = table[i].r_offset,
				.addend = table[i].r_addend,
				.symbol =
					(uint32_t)NATIVE_R_SYM(table[i].r_info),
				.kind = kind_of(n, (uint32_t)NATIVE_R_TYPE(
							   table[i].r_info)),
			});
	}
	return r;
}

/* The words from an address on of which a bit is set, the lowest being the first
 * word's. The addends stand in the places themselves, which are read at once. */
static int add_packed(struct elf_data *data, uint64_t address, uint64_t bits)
{
	_cleanup_free_ ElfN(Addr) *places = NULL;
	size_t n = 0;

	while (n < 64 && bits >> n)
		n++;
	if (n == 0)
		return 0;
	int r = image_read_address(&data->image, "relocated places", address,
				   n * sizeof(*places), (void **)&places);
	/* They may stand in two segments. */
	if (r == -DLAZY_EFORMAT && n > 1) {
		size_t half = n / 2;

		status_clear();
		r = add_packed(data, address,
			       bits & ((UINT64_C(1) << half) - 1));
		return r < 0 ? r
			     : add_packed(data,
					  address + half * sizeof(*places),
					  bits >> half);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		if (bits >> i & 1)
			r = add_fixup(data,
				      (struct elf_fixup){
					      .address = address +
							 i * sizeof(*places),
					      .addend = (int64_t)places[i],
					      .kind = ELF_FIXUP_RELATIVE,
				      });
	return r;
}

/* An even word is an address; an odd one the bits of the 63 words behind. */
static int read_packed(struct elf_data *data)
{
	const size_t word = sizeof(ElfN(Addr));
	uint64_t address, size = image_dynamic_value(&data->image, DT_RELRSZ),
			  at = 0;
	_cleanup_free_ ElfN(Addr) *table = NULL;
	int r = 0;

	if (!image_dynamic(&data->image, DT_RELR, &address) || size == 0)
		return 0;
	r = image_read_address(&data->image, "the relative relocations",
			       address, size, (void **)&table);
	for (size_t i = 0; r == 0 && i < size / word; i++) {
		if (!(table[i] & 1)) {
			r = add_packed(data, table[i], 1);
			at = table[i] + word;
			continue;
		}
		r = add_packed(data, at, table[i] >> 1);
		at += (8 * word - 1) * word;
	}
	return r;
}

static int by_address(const void *a, const void *b)
{
	const struct elf_fixup *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static int read_fixups(struct elf_data *data)
{
	const struct numbers *n = numbers_of(data->image.header.e_machine);
	uint64_t ignored;

	if (!n || image_dynamic(&data->image, DT_REL, &ignored) ||
	    image_dynamic_value(&data->image, DT_PLTREL) == DT_REL)
		return status_fail(DLAZY_ENOSYS,
				   "%s: relocations that are not known here",
				   data->image.name);
	int r = read_table(data, n, DT_RELA, DT_RELASZ);
	if (r == 0)
		r = read_table(data, n, DT_JMPREL, DT_PLTRELSZ);
	if (r == 0)
		r = read_packed(data);
	if (r == 0 && data->count > 1)
		qsort(data->fixups, data->count, sizeof(*data->fixups),
		      by_address);
	return r;
}

/* The first that is not before the address. */
static size_t first_from(const struct elf_data *data, uint64_t address)
{
	return ARRAY_COUNT_BEFORE(data->count, i,
				  data->fixups[i].address < address);
}

const struct elf_fixup *elf_data_fixups(const struct elf_data *data,
					struct elf_range range,
					size_t *ret_count)
{
	size_t first = first_from(data, range.start);

	*ret_count = first_from(data, range.end) - first;
	return data->fixups ? data->fixups + first : NULL;
}

/* ------------------------------------------------------------------ */
/* What is the linker's own                                           */

static int add_linkers(struct elf_data *data, uint64_t start, uint64_t size)
{
	if (size == 0 || start > UINT64_MAX - size)
		return 0;
	if (!array_reserve(&data->linkers, data->linkers_count,
			   &data->linkers_room, sizeof(*data->linkers)))
		return status_no_memory(data->image.name);
	data->linkers[data->linkers_count++] =
		(struct elf_range){start, start + size};
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct elf_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Sorted, and of those that touch one, so that a search finds it. */
static void join_linkers(struct elf_data *data)
{
	size_t n = 0;

	if (data->linkers_count > 1)
		qsort(data->linkers, data->linkers_count,
		      sizeof(*data->linkers), by_start);
	for (size_t i = 0; i < data->linkers_count; i++) {
		struct elf_range this = data->linkers[i];

		if (n == 0 || this.start > data->linkers[n - 1].end)
			data->linkers[n++] = this;
		else if (this.end > data->linkers[n - 1].end)
			data->linkers[n - 1].end = this.end;
	}
	data->linkers_count = n;
}

static int find_linkers(struct elf_data *data)
{
	static const int64_t arrays[][2] = {
		{DT_INIT_ARRAY, DT_INIT_ARRAYSZ},
		{DT_FINI_ARRAY, DT_FINI_ARRAYSZ},
		{DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ},
	};
	const struct image *image = &data->image;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(arrays); i++)
		r = add_linkers(data, image_dynamic_value(image, arrays[i][0]),
				image_dynamic_value(image, arrays[i][1]));
	for (size_t i = 0; r == 0 && i < image->segment_count; i++)
		if (image->segments[i].p_type == PT_DYNAMIC)
			r = add_linkers(data, image->segments[i].p_vaddr,
					image->segments[i].p_memsz);
	for (size_t i = 0; r == 0 && i < data->count; i++)
		if (data->fixups[i].kind == ELF_FIXUP_SLOT ||
		    data->fixups[i].kind == ELF_FIXUP_CALL)
			r = add_linkers(data, data->fixups[i].address,
					sizeof(ElfN(Addr)));
	join_linkers(data);
	return r;
}

/* ------------------------------------------------------------------ */
/* Where functions begin                                              */

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* A table of (begin of a function, its unwinding) as every link editor makes
 * it, or none. */
static int read_frame(struct elf_data *data, const ElfN(Phdr) * segment)
{
	_cleanup_free_ uint8_t *frame = NULL;

	if (data->frame || segment->p_filesz < FRAME_HEAD)
		return 0;
	int r = image_read_address(&data->image, ".eh_frame_hdr",
				   segment->p_vaddr, segment->p_filesz,
				   (void **)&frame);
	if (r < 0)
		return r;
	unsigned pointer = frame[1] & FRAME_ENCODING_SIZE;
	if (frame[0] != FRAME_VERSION ||
	    (pointer != FRAME_SDATA4 && pointer != FRAME_UDATA4) ||
	    frame[2] != FRAME_UDATA4 || frame[3] != FRAME_DATAREL_SDATA4)
		return 0;
	uint64_t count = word_at(frame + 4 + FRAME_POINTER_SIZE);
	if (!range_array_within(FRAME_HEAD, count, 2 * sizeof(uint32_t),
				segment->p_filesz))
		return 0;
	data->frame = TAKE_PTR(frame);
	data->frame_count = count;
	data->frame_address = segment->p_vaddr;
	return 0;
}

static uint64_t function_at(const struct elf_data *data, size_t i)
{
	int32_t distance = (int32_t)word_at(data->frame + FRAME_HEAD +
					    i * 2 * sizeof(uint32_t));

	return data->frame_address + (uint64_t)(int64_t)distance;
}

uint64_t elf_data_next_function(const struct elf_data *data, uint64_t address)
{
	size_t next = ARRAY_COUNT_BEFORE(data->frame_count, i,
					 function_at(data, i) <= address);

	return next < data->frame_count ? function_at(data, next) : UINT64_MAX;
}

bool elf_data_is_function(const struct elf_data *data, uint64_t address)
{
	size_t at = ARRAY_COUNT_BEFORE(data->frame_count, i,
				       function_at(data, i) < address);

	return at < data->frame_count && function_at(data, at) == address;
}

/* ------------------------------------------------------------------ */
/* Regions                                                            */

static bool holds(const ElfN(Phdr) * segment, uint32_t type, uint64_t address)
{
	return segment->p_type == type && address >= segment->p_vaddr &&
	       address - segment->p_vaddr < segment->p_memsz;
}

static const ElfN(Phdr) *
	segment_of(const struct elf_data *data, uint32_t type, uint64_t address)
{
	for (size_t i = 0; i < data->image.segment_count; i++)
		if (holds(&data->image.segments[i], type, address))
			return &data->image.segments[i];
	return NULL;
}

static void narrow(struct elf_range *range, struct elf_range to)
{
	if (to.start > range->start)
		range->start = to.start;
	if (to.end < range->end)
		range->end = to.end;
}

static struct elf_range extent_of(const ElfN(Phdr) * segment)
{
	/* A sum that overflows is a hostile file's, and ends nowhere. */
	return (struct elf_range){segment->p_vaddr,
				  segment->p_vaddr + segment->p_memsz};
}

/* Cuts off what is not of the kind of `address`, which is not in `other`. */
static void avoid(struct elf_range *range, uint64_t address,
		  struct elf_range other)
{
	if (other.end <= address && other.end > range->start)
		range->start = other.end;
	if (other.start > address && other.start < range->end)
		range->end = other.start;
}

/*
 * The first of the ranges that are the linker's own that begins behind an
 * address.
 */
static size_t linkers_behind(const struct elf_data *data, uint64_t address)
{
	return ARRAY_COUNT_BEFORE(data->linkers_count, i,
				  data->linkers[i].start <= address);
}

/* false: the address itself is the linker's. */
static bool avoid_linkers(const struct elf_data *data, uint64_t address,
			  struct elf_range *range)
{
	size_t behind = linkers_behind(data, address);

	if (behind > 0 && address < data->linkers[behind - 1].end)
		return false;
	if (behind > 0)
		avoid(range, address, data->linkers[behind - 1]);
	if (behind < data->linkers_count)
		avoid(range, address, data->linkers[behind]);
	return true;
}

enum elf_region elf_data_region(const struct elf_data *data, uint64_t address,
				struct elf_range *ret_range)
{
	const ElfN(Phdr) *load = segment_of(data, PT_LOAD, address);
	const ElfN(Phdr) *relro = segment_of(data, PT_GNU_RELRO, address);

	*ret_range = (struct elf_range){address, address};
	if (!load)
		return ELF_REGION_NONE;
	*ret_range = extent_of(load);
	if (!avoid_linkers(data, address, ret_range))
		return ELF_REGION_NONE;
	if (load->p_flags & PF_X)
		return ELF_REGION_CODE;
	if (relro) {
		narrow(ret_range, extent_of(relro));
		return ELF_REGION_RELRO;
	}
	for (size_t i = 0; i < data->image.segment_count; i++)
		if (data->image.segments[i].p_type == PT_GNU_RELRO)
			avoid(ret_range, address,
			      extent_of(&data->image.segments[i]));
	return load->p_flags & PF_W ? ELF_REGION_WRITABLE : ELF_REGION_CONSTANT;
}

static struct elf_calls calls_of(const struct elf_data *data, int64_t function,
				 int64_t array, int64_t size)
{
	uint64_t start = image_dynamic_value(&data->image, array);
	uint64_t bytes = image_dynamic_value(&data->image, size);

	return (struct elf_calls){
		image_dynamic_value(&data->image, function),
		{start, start > UINT64_MAX - bytes ? start : start + bytes}};
}

struct elf_calls elf_data_constructors(const struct elf_data *data)
{
	return calls_of(data, DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
}

struct elf_calls elf_data_destructors(const struct elf_data *data)
{
	return calls_of(data, DT_FINI, DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
}

uint64_t elf_data_section_size(const struct elf_data *data, uint64_t address)
{
	_cleanup_free_ ElfN(Shdr) *sections = NULL;
	size_t n;

	if (image_sections(&data->image, &sections, &n) < 0)
		status_clear();

	for (size_t i = 0; i < n; i++)
		if (sections[i].sh_type == SHT_PROGBITS &&
		    sections[i].sh_addr == address)
			return sections[i].sh_size;
	return 0;
}

bool elf_data_is_x86_64(const struct elf_data *data)
{
	return data->image.header.e_machine == EM_X86_64;
}

int elf_data_read(const struct elf_data *data, struct elf_range range,
		  uint8_t **ret)
{
	const ElfN(Phdr) *load = segment_of(data, PT_LOAD, range.start);
	uint64_t size = range.end - range.start, in_file = 0;
	_cleanup_free_ uint8_t *read = NULL;

	if (!load || range.end < range.start || size > IMAGE_TABLE_MAX)
		return image_damaged(&data->image, "data without a segment");
	uint64_t into = range.start - load->p_vaddr;
	if (into < load->p_filesz)
		in_file = load->p_filesz - into;
	if (in_file > size)
		in_file = size;
	_cleanup_free_ uint8_t *bytes = calloc(1, size + 1);
	if (!bytes)
		return status_no_memory(data->image.name);
	if (in_file) {
		int r = image_read_address(&data->image, "its data",
					   range.start, in_file,
					   (void **)&read);
		if (r < 0)
			return r;
		memcpy(bytes, read, in_file);
	}
	*ret = TAKE_PTR(bytes);
	return 0;
}

/* ------------------------------------------------------------------ */

int elf_data_open(int fd, const char *name, struct elf_data **ret)
{
	_cleanup_elf_data_ struct elf_data *data = calloc(1, sizeof(*data));

	if (!data)
		return status_no_memory(name);
	int r = image_open(&data->image, fd, name);
	if (r == 0)
		r = read_fixups(data);
	if (r == 0)
		r = find_linkers(data);
	for (size_t i = 0; r == 0 && i < data->image.segment_count; i++)
		if (data->image.segments[i].p_type == PT_GNU_EH_FRAME)
			r = read_frame(data, &data->image.segments[i]);
	if (r == 0)
		*ret = TAKE_PTR(data);
	return r;
}
