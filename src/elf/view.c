/* SPDX-License-Identifier: MIT */
/*
 * Opening a view. Everything is read while the view is opened. Afterwards the
 * file is not touched; the view is constant, and any number of threads may use
 * it.
 */
#include "elf/view.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/note.h"
#include "elf/symbols.h"

#include <string.h>

/* Newer than some <elf.h>. */
#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

#define BUILD_ID_MAX 64

struct elf_view {
	struct image image;
	struct strings strings;
	struct symbols symbols;
	struct notes notes;
	const char *soname, *rpath, *runpath;
	const char **needed;
	size_t needed_count, needed_room;
	char *interpreter; /* NULL if there is none */
	unsigned flags;
};

static int read_strings(struct elf_view *view)
{
	uint64_t address, size;

	if (!image_dynamic(&view->image, DT_STRTAB, &address))
		return 0;
	if (!image_dynamic(&view->image, DT_STRSZ, &size))
		return image_damaged(&view->image, "no size of the strings");
	int r = image_read_address(&view->image, "the string table", address,
				   size, (void **)&view->strings.data);
	if (r == 0)
		view->strings.size = size;
	return r;
}

static int read_name(struct elf_view *view, int64_t tag, const char **ret)
{
	uint64_t offset;

	*ret = "";
	if (!image_dynamic(&view->image, tag, &offset))
		return 0;
	*ret = strings_at(&view->strings, offset);
	return *ret ? 0
		    : image_damaged(&view->image, "a name is outside the "
						  "string table");
}

static int read_needed(struct elf_view *view)
{
	for (size_t i = 0; i < view->image.dynamic_count; i++) {
		const ElfN(Dyn) *entry = &view->image.dynamic[i];

		if (entry->d_tag != DT_NEEDED)
			continue;
		const char *name =
			strings_at(&view->strings, entry->d_un.d_val);
		if (!name)
			return image_damaged(&view->image,
					     "the name of a needed library");
		if (!array_reserve(&view->needed, view->needed_count,
				   &view->needed_room, sizeof(name)))
			return status_no_memory(view->image.name);
		view->needed[view->needed_count++] = name;
	}
	return 0;
}

static const ElfN(Phdr) *
	segment_of_type(const struct elf_view *view, uint32_t type)
{
	for (size_t i = 0; i < view->image.segment_count; i++)
		if (view->image.segments[i].p_type == type)
			return &view->image.segments[i];
	return NULL;
}

static int read_interpreter(struct elf_view *view)
{
	const ElfN(Phdr) *segment = segment_of_type(view, PT_INTERP);

	if (!segment)
		return 0;
	return image_read(&view->image, "the interpreter's name",
			  segment->p_offset, segment->p_filesz,
			  (void **)&view->interpreter);
}

static unsigned dynamic_flags(const struct image *image)
{
	uint64_t flags = image_dynamic_value(image, DT_FLAGS);
	uint64_t flags_1 = image_dynamic_value(image, DT_FLAGS_1);
	uint64_t ignored;
	const struct {
		bool is;
		unsigned flag;
	} facts[] = {
		{flags & DF_STATIC_TLS, ELF_STATIC_TLS},
		{flags_1 & DF_1_NODELETE, ELF_NODELETE},
		{flags & DF_SYMBOLIC, ELF_SYMBOLIC},
		{image_dynamic(image, DT_SYMBOLIC, &ignored), ELF_SYMBOLIC},
		{flags & DF_BIND_NOW, ELF_NOW},
		{flags_1 & DF_1_NOW, ELF_NOW},
		{image_dynamic(image, DT_BIND_NOW, &ignored), ELF_NOW},
		{flags_1 & DF_1_PIE, ELF_PIE},
		{flags_1 & DF_1_NOOPEN, ELF_NOOPEN},
		{flags_1 & DF_1_NODEFLIB, ELF_NODEFLIB},
		{flags_1 & DF_1_INITFIRST, ELF_INITFIRST},
		{flags_1 & DF_1_INTERPOSE, ELF_INTERPOSE},
		{image_dynamic(image, DT_FILTER, &ignored), ELF_FILTER},
		{image_dynamic(image, DT_AUXILIARY, &ignored), ELF_FILTER},
	};
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (facts[i].is)
			found |= facts[i].flag;
	return found;
}

static unsigned segment_flags(const struct elf_view *view)
{
	const ElfN(Phdr) *stack = segment_of_type(view, PT_GNU_STACK);
	unsigned found = 0;

	if (!stack || stack->p_flags & PF_X)
		found |= ELF_EXEC_STACK;
	if (segment_of_type(view, PT_TLS))
		found |= ELF_TLS;
	if (segment_of_type(view, PT_INTERP))
		found |= ELF_INTERP;
	if (view->image.dynamic)
		found |= ELF_DYNAMIC;
	return found;
}

static int read_needs(struct elf_view *view, int fd, const char *name)
{
	int r = image_open(&view->image, fd, name);

	if (r == 0)
		r = read_strings(view);
	if (r == 0)
		r = read_name(view, DT_SONAME, &view->soname);
	if (r == 0)
		r = read_name(view, DT_RPATH, &view->rpath);
	if (r == 0)
		r = read_name(view, DT_RUNPATH, &view->runpath);
	if (r == 0)
		r = read_needed(view);
	if (r == 0)
		r = read_interpreter(view);
	if (r == 0)
		view->flags = dynamic_flags(&view->image) | segment_flags(view);
	return r;
}

static int open_view(int fd, const char *name, bool whole,
		     struct elf_view **ret)
{
	_cleanup_elf_view_ struct elf_view *view = calloc(1, sizeof(*view));

	if (!view)
		return status_no_memory(name);
	int r = read_needs(view, fd, name);
	if (r == 0 && whole)
		r = symbols_read(&view->symbols, &view->image, &view->strings);
	if (r == 0 && whole)
		r = notes_read(&view->notes, &view->image);
	if (r < 0)
		return r;
	/* Descriptor and name are the caller's, and may end before the view. */
	image_end(&view->image);
	view->image.name = NULL;
	*ret = TAKE_PTR(view);
	return 0;
}

int elf_view_open(int fd, const char *name, struct elf_view **ret)
{
	return open_view(fd, name, true, ret);
}

int elf_view_open_needs(int fd, const char *name, struct elf_view **ret)
{
	return open_view(fd, name, false, ret);
}

void elf_view_close(struct elf_view *view)
{
	if (!view)
		return;
	notes_clear(&view->notes);
	symbols_clear(&view->symbols);
	image_clear(&view->image);
	free(view->strings.data);
	free(view->needed);
	free(view->interpreter);
	free(view);
}

/* Of a symbol: its entry, its version, two hash tables. */
#define SYMBOL_MEMORY (sizeof(ElfN(Sym)) + 2 + 2 * 8)
#define VIEW_MEMORY 4096 /* headers, notes, the rest */

size_t elf_view_memory(const struct elf_view *view)
{
	return view->strings.size + view->symbols.count * SYMBOL_MEMORY +
	       VIEW_MEMORY;
}

int elf_view_check_plugin(const struct elf_view *view, const char *name)
{
	const char *why = NULL;

	if (view->image.header.e_type != ET_DYN || view->flags & ELF_PIE)
		why = "it is a program";
	else if (!(view->flags & ELF_DYNAMIC))
		why = "it has no dynamic section (a file of debugging "
		      "information, or statically linked?)";
	else if (!segment_of_type(view, PT_LOAD))
		why = "it has nothing to load";
	else if (view->flags & ELF_NOOPEN)
		why = "it was linked with -z nodlopen";
	if (!why)
		return 0;
	return status_fail(DLAZY_EFORMAT,
			   "%s: not a shared object for dlopen: %s", name, why);
}

uint64_t elf_view_tls_size(const struct elf_view *view)
{
	const ElfN(Phdr) *segment = segment_of_type(view, PT_TLS);

	if (!segment)
		return 0;
	/* Alignments are powers of two, or a hostile file's. */
	uint64_t mask = segment->p_align ? segment->p_align - 1 : 0;
	uint64_t size = segment->p_memsz;
	return size > UINT64_MAX - mask ? UINT64_MAX : (size + mask) & ~mask;
}

unsigned elf_view_flags(const struct elf_view *view)
{
	return view->flags;
}

const char *elf_view_soname(const struct elf_view *view)
{
	return view->soname;
}

const char *elf_view_rpath(const struct elf_view *view)
{
	return view->rpath;
}

const char *elf_view_runpath(const struct elf_view *view)
{
	return view->runpath;
}

const char *elf_view_interpreter(const struct elf_view *view)
{
	return view->interpreter ? view->interpreter : "";
}

size_t elf_view_needed_count(const struct elf_view *view)
{
	return view->needed_count;
}

const char *elf_view_needed(const struct elf_view *view, size_t i)
{
	return view->needed[i];
}

const uint8_t *elf_view_build_id(const struct elf_view *view, size_t *ret_size)
{
	const struct elf_note *note =
		notes_find(&view->notes, ELF_NOTE_GNU, NT_GNU_BUILD_ID);

	*ret_size = 0;
	if (!note || note->size == 0)
		return NULL;
	*ret_size = note->size < BUILD_ID_MAX ? note->size : BUILD_ID_MAX;
	return note->data;
}

size_t elf_view_note_count(const struct elf_view *view)
{
	return view->notes.count;
}

struct elf_note elf_view_note(const struct elf_view *view, size_t i)
{
	return view->notes.list[i];
}

int elf_view_has_note(struct elf_view *view, int fd, const char *name,
		      const char *owner, uint32_t type)
{
	struct notes all = {.list = NULL};

	if (notes_find(&view->notes, owner, type))
		return 1;
	view->image.fd = fd;
	view->image.name = name;
	int r = notes_read_sections(&all, &view->image);
	view->image.fd = -1;
	view->image.name = NULL;
	bool found = r == 0 && notes_find(&all, owner, type);
	notes_clear(&all);
	return r < 0 ? r : found;
}

size_t elf_view_symbol_count(const struct elf_view *view)
{
	return view->symbols.count;
}

bool elf_view_symbol(const struct elf_view *view, size_t i,
		     struct elf_symbol *ret)
{
	return symbols_get(&view->symbols, i, ret);
}

bool elf_view_import(const struct elf_view *view, size_t i,
		     struct elf_symbol *ret)
{
	return symbols_get_import(&view->symbols, i, ret);
}

size_t elf_view_version_end(const struct elf_view *view)
{
	return view->symbols.versions.count;
}

const char *elf_view_version(const struct elf_view *view, size_t i)
{
	const struct version *version = &view->symbols.versions.table[i];

	return version->name && !*version->library ? version->name : NULL;
}

bool elf_view_needed_version(const struct elf_view *view, size_t i,
			     const char **ret_library, const char **ret_name)
{
	if (i >= view->symbols.versions.count)
		return false;
	const struct version *version = &view->symbols.versions.table[i];
	bool needed = version->name && *version->library;
	*ret_library = needed ? version->library : NULL;
	*ret_name = needed ? version->name : NULL;
	return true;
}

bool elf_view_find(const struct elf_view *view, const char *name,
		   const char *version, struct elf_symbol *ret)
{
	return symbols_find(&view->symbols, name, version, ret);
}

bool elf_view_defines(const struct elf_view *view, const char *name,
		      const char *version, uint32_t hash)
{
	return symbols_define(&view->symbols, name, version, hash);
}

const char *elf_type_name(unsigned type)
{
	static const char *const names[] = {
		[ELF_TYPE_NOTYPE] = "notype", [ELF_TYPE_OBJECT] = "object",
		[ELF_TYPE_FUNC] = "func",     [ELF_TYPE_IFUNC] = "ifunc",
		[ELF_TYPE_TLS] = "tls",	      [ELF_TYPE_OTHER] = "other",
	};

	return names[type < ARRAY_SIZE(names) ? type : ELF_TYPE_OTHER];
}
