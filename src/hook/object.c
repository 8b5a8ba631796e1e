/* SPDX-License-Identifier: MIT */
/*
 * The objects of the program: each has a place in the trace buffer, which it
 * keeps when it is closed and opened again.
 *
 * Constructors are timed by standing in their place. When an object has been
 * mapped, and is not yet relocated, its PT_DYNAMIC (which the linker itself
 * writes into) is made to name an init of ours, and that calls what it named
 * before. An object whose PT_DYNAMIC is read-only is left alone.
 */
#include "hook/hook.h"

_Static_assert(CPU_INITS == TRACEBUF_OBJECTS, "an init for each object");

/* What an object's PT_DYNAMIC said. */
static struct constructors {
	uint64_t init;	/* DT_INIT, or 0 */
	uint64_t array; /* DT_INIT_ARRAY */
	uint64_t count;
	uint64_t own; /* a DT_INIT_ARRAY of one: our init */
} constructors[TRACEBUF_OBJECTS];

/* Open objects whose place is known, in the order of their addresses. */
static uint16_t sorted[TRACEBUF_OBJECTS];
static uint32_t sorted_count;

struct tracebuf_object *object_of(uint32_t reference)
{
	return &hook_tracebuf->objects[reference - 1];
}

/* A cookie that is not ours is the linker's: an address. */
uint32_t object_reference(const uintptr_t *cookie)
{
	return cookie && *cookie <= TRACEBUF_OBJECTS ? (uint32_t)*cookie : 0;
}

/* ------------------------------------------------------------------ */
/* Places                                                             */

/* How many objects start at or below an address. */
static uint32_t count_below(uint64_t address)
{
	uint32_t low = 0, high = sorted_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (object_of(sorted[middle])->start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t object_at(uint64_t address)
{
	uint32_t n = count_below(address);

	if (n == 0 || address >= object_of(sorted[n - 1])->end)
		return 0;
	return sorted[n - 1];
}

static void place(uint32_t reference)
{
	uint32_t at = count_below(object_of(reference)->start);

	if (!object_of(reference)->end || sorted_count == TRACEBUF_OBJECTS)
		return;
	for (uint32_t i = sorted_count++; i > at; i--)
		sorted[i] = sorted[i - 1];
	sorted[at] = (uint16_t)reference;
}

static void take_away(uint32_t reference)
{
	uint32_t to = 0;

	for (uint32_t i = 0; i < sorted_count; i++)
		if (sorted[i] != reference)
			sorted[to++] = sorted[i];
	sorted_count = to;
}

/* ------------------------------------------------------------------ */
/* Program headers                                                    */

#define HEADERS_MAX 64

struct headers {
	ElfW(Phdr) list[HEADERS_MAX];
	size_t count;
};

/* The program's are told by the kernel; others' lie where they are mapped, if
 * they are linked to begin at 0, which nobody else may assume. */
static bool read_headers(const struct tracebuf_object *o, struct headers *ret)
{
	ElfW(Ehdr) e;
	uint64_t at = hook_auxiliary.headers;

	ret->count = hook_auxiliary.header_count;
	if (o->why != TRACEBUF_EXE) {
		if (!kernel_peek(o->address, &e, sizeof(e)) ||
		    e.e_ident[EI_MAG0] != ELFMAG0 ||
		    e.e_ident[EI_MAG1] != ELFMAG1 ||
		    e.e_ident[EI_MAG2] != ELFMAG2 ||
		    e.e_ident[EI_MAG3] != ELFMAG3 ||
		    e.e_phentsize != sizeof(ret->list[0]))
			return false;
		at = o->address + e.e_phoff;
		ret->count = e.e_phnum;
	}
	return ret->count <= HEADERS_MAX &&
	       kernel_peek(at, ret->list, ret->count * sizeof(ret->list[0]));
}

bool object_is_code(uint32_t reference, uint64_t address)
{
	const struct tracebuf_object *o = object_of(reference);

	return address >= o->code && address < o->code_end;
}

static void find_code(struct tracebuf_object *o, const struct headers *headers)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (size_t i = 0; i < headers->count; i++) {
		const ElfW(Phdr) *p = &headers->list[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		if (p->p_vaddr < start)
			start = p->p_vaddr;
		if (p->p_vaddr + p->p_memsz > end)
			end = p->p_vaddr + p->p_memsz;
	}
	o->code = start < end ? o->address + start : 0;
	o->code_end = start < end ? o->address + end : 0;
}

static void find_place(struct tracebuf_object *o, const struct headers *headers)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (size_t i = 0; i < headers->count; i++) {
		const ElfW(Phdr) *p = &headers->list[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_vaddr < start)
			start = p->p_vaddr;
		if (p->p_vaddr + p->p_memsz > end)
			end = p->p_vaddr + p->p_memsz;
	}
	if (start < end) {
		o->start = o->address + start;
		o->end = o->address + end;
	}
}

static bool dynamic_is_writable(const struct headers *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		if (headers->list[i].p_type == PT_DYNAMIC)
			return headers->list[i].p_flags & PF_W;
	return false;
}

/* ------------------------------------------------------------------ */
/* PT_DYNAMIC                                                         */

/* The linker has made most pointers absolute, not all on every CPU. */
uint64_t object_pointer(const struct tracebuf_object *o, uint64_t d_ptr)
{
	return d_ptr < o->address ? d_ptr + o->address : d_ptr;
}

static ElfW(Dyn) * find_entry(const struct tracebuf_object *o, int64_t tag)
{
	for (ElfW(Dyn) *d = (void *)o->dynamic; d && d->d_tag; d++)
		if (d->d_tag == tag)
			return d;
	return NULL;
}

static uint64_t number_of(const struct tracebuf_object *o, int64_t tag)
{
	const ElfW(Dyn) *d = find_entry(o, tag);

	return d ? d->d_un.d_val : 0;
}

static const char *base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}

static bool has_dollar(const char *text)
{
	while (*text && *text != '$')
		text++;
	return *text;
}

/* The linker asks with the very string of the needing object's table, unless
 * $ORIGIN and the like had to be replaced in it. */
bool object_needs(uint32_t reference, const char *name)
{
	const struct tracebuf_object *o = object_of(reference);
	const char *table =
		(const char *)object_pointer(o, number_of(o, DT_STRTAB));
	uint64_t size = number_of(o, DT_STRSZ);

	if (name >= table && name < table + size)
		return true;
	for (const ElfW(Dyn) *d = (void *)o->dynamic; d && d->d_tag; d++) {
		const char *needed = table + d->d_un.d_val;

		if (d->d_tag == DT_NEEDED && d->d_un.d_val < size &&
		    has_dollar(needed) &&
		    text_equal(base_name(needed), base_name(name)))
			return true;
	}
	return false;
}

/* An even entry of DT_RELR is an address, an odd one a map of 63 more. */
static uint64_t count_packed(uint64_t entry)
{
	uint64_t count = 0;

	if (!(entry & 1))
		return 1;
	for (uint64_t bits = entry >> 1; bits; bits &= bits - 1)
		count++;
	return count;
}

static uint32_t count_relative(const struct tracebuf_object *o)
{
	const uint64_t *r = (void *)object_pointer(o, number_of(o, DT_RELR));
	uint64_t n = number_of(o, DT_RELRSZ) / sizeof(*r);
	uint64_t count = number_of(o, DT_RELACOUNT);

	for (uint64_t i = 0; i < n; i++)
		count += count_packed(r[i]);
	return (uint32_t)count;
}

static void count_relocations(struct tracebuf_object *o)
{
	uint64_t all = number_of(o, DT_RELASZ) / sizeof(ElfW(Rela));
	uint64_t relative = number_of(o, DT_RELACOUNT);

	o->relative = count_relative(o);
	o->symbolic = (uint32_t)(all > relative ? all - relative : 0);
	o->calls = (uint32_t)(number_of(o, DT_PLTRELSZ) / sizeof(ElfW(Rela)));
}

/* ------------------------------------------------------------------ */
/* Constructors                                                       */

static void stand_in(uint32_t reference)
{
	struct tracebuf_object *o = object_of(reference);
	struct constructors *c = &constructors[reference - 1];
	uint64_t ours = (uint64_t)&cpu_inits[(reference - 1) * CPU_INIT_SIZE];
	ElfW(Dyn) *init = find_entry(o, DT_INIT);
	ElfW(Dyn) *array = find_entry(o, DT_INIT_ARRAY);
	ElfW(Dyn) *size = find_entry(o, DT_INIT_ARRAYSZ);

	*c = (struct constructors){.own = ours};
	if (array && size) {
		c->array = o->address + array->d_un.d_ptr;
		c->count = size->d_un.d_val / sizeof(uint64_t);
	}
	if (init) {
		c->init = o->address + init->d_un.d_ptr;
		init->d_un.d_ptr = ours - o->address;
		if (size)
			size->d_un.d_val = 0;
	} else if (c->count) {
		array->d_un.d_ptr = (uint64_t)&c->own - o->address;
		size->d_un.d_val = sizeof(c->own);
	}
	o->has_constructors = init || c->count;
}

typedef void constructor(int argc, char **argv, char **envp);

void object_construct(uint32_t reference, int argc, char **argv, char **envp)
{
	struct constructors c = constructors[reference - 1];

	if (c.init)
		((constructor *)c.init)(argc, argv, envp);
	for (uint64_t i = 0; i < c.count; i++)
		((constructor **)c.array)[i](argc, argv, envp);
}

/* ------------------------------------------------------------------ */
/* Opening and closing                                                */

static uint32_t hash_of(const char *text)
{
	uint32_t h = 5381;

	while (*text)
		h = h * 33 + (unsigned char)*text++;
	return h;
}

/*
 * Finds the place of an object that is open and of whose link map a namespace
 * gets a copy (ld.so); or of one that was open before.
 */
static uint32_t find_known(const struct link_map *map, const char *path,
			   uint32_t hash)
{
	for (uint32_t i = 0; i < hook_tracebuf->object_count; i++) {
		const struct tracebuf_object *o = &hook_tracebuf->objects[i];

		if (o->is_open ? o->dynamic == (uint64_t)map->l_ld
			       : o->hash == hash &&
					 text_equal(hook_tracebuf->strings +
							    o->path,
						    path))
			return i + 1;
	}
	return 0;
}

static uint16_t why(const struct link_map *map,
		    const struct hook_search *search)
{
	if (!hook_tracebuf->object_count)
		return TRACEBUF_EXE;
	if (map->l_addr == hook_auxiliary.linker)
		return TRACEBUF_LINKER;
	if (search->is_needed)
		return TRACEBUF_NEEDED;
	return hook_tracebuf->loads[0].relocated.ticks ? TRACEBUF_DLOPEN
						       : TRACEBUF_PRELOAD;
}

static uint32_t enter_new(struct link_map *map, const char *path, uint32_t hash,
			  const struct hook_search *search,
			  struct tracebuf_moment now)
{
	uint32_t reference = hook_tracebuf->object_count + 1;

	if (reference > TRACEBUF_OBJECTS) {
		hook_tracebuf->objects_lost++;
		return 0;
	}
	*object_of(reference) = (struct tracebuf_object){
		.why = why(map, search),
		.by = (uint16_t)search->by,
		.path = text_keep(path),
		.requested = text_keep(search->name),
		.hash = hash,
		.opened = now,
	};
	hook_tracebuf->object_count = reference;
	return reference;
}

/* Its path; one that is relative is so to the directory that the program was in
 * then. */
static const char *path_of(const struct link_map *map)
{
	static char path[4096];
	const char *name = map->l_name;
	size_t n = text_length(name);

	if (!hook_tracebuf->object_count)
		return hook_tracebuf->strings + hook_tracebuf->executable;
	if (*name == '/')
		return name;
	while (text_after(name, "./"))
		name += 2;
	long length = kernel_directory(path, sizeof(path));
	if (length <= 0 || (size_t)length + n + 1 > sizeof(path))
		return name;
	path[length - 1] = '/'; /* in the place of its NUL */
	for (size_t i = 0; i == 0 || name[i - 1]; i++)
		path[(size_t)length + i] = name[i];
	return path;
}

uint32_t object_open(struct link_map *map, const struct hook_search *search,
		     struct tracebuf_moment now)
{
	static struct headers headers;
	const char *path = path_of(map);

	if (map->l_addr == hook_auxiliary.vdso)
		return 0;
	uint32_t hash = hash_of(path);
	uint32_t reference = find_known(map, path, hash);
	if (reference && object_of(reference)->is_open)
		return reference;
	if (!reference)
		reference = enter_new(map, path, hash, search, now);
	if (!reference)
		return 0;
	struct tracebuf_object *o = object_of(reference);
	o->address = map->l_addr;
	o->dynamic = (uint64_t)map->l_ld;
	o->start = o->end = 0;
	o->is_open = 1;
	o->is_scanned = 0;
	o->opens++;
	if (search->begin.ticks)
		o->map_ticks += moment_between(search->begin, now);
	count_relocations(o);
	if (read_headers(o, &headers)) {
		find_place(o, &headers);
		find_code(o, &headers);
		if (o->why != TRACEBUF_LINKER && dynamic_is_writable(&headers))
			stand_in(reference);
	}
	place(reference);
	return reference;
}

void object_close(uint32_t reference)
{
	object_of(reference)->is_open = 0;
	take_away(reference);
}
