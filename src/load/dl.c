/* SPDX-License-Identifier: MIT */
/*
 * dlopen and its family. dlerror() is one-shot and per thread: it is cleared
 * before a call whose NULL may be legal, and copied at once after one that
 * failed. What the host has there is set aside for the time of each call.
 *
 * Which lock is which (glibc 2.36): dlopen, dlclose, dlsym and dladdr take
 * dl_load_lock, which a thread holds while it runs constructors;
 * dl_iterate_phdr takes dl_load_write_lock, which is held only while the list
 * of objects changes. So that one can be asked from a thread that a
 * constructor is waiting for.
 */
#include "load/dl.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/status.h"
#include "load/loading.h"

#include <dlfcn.h>
#include <libintl.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <gnu/lib-names.h>
#endif

#ifndef RTLD_DEEPBIND /* musl has no such thing */
#define RTLD_DEEPBIND 0
#endif

#ifdef __GLIBC__
#define HAS_GLIBC(minor) __GLIBC_PREREQ(2, minor)
#else
#define HAS_GLIBC(minor) 0
#endif

/* Behind all that Linux has. */
#define ERRNO_MAX 134

typedef int see_object(struct dl_phdr_info *info, size_t size, void *data);

/* dl_iterate_phdr(), not in the middle of a fork. */
static int walk_objects(see_object *see, void *data)
{
	UNINTERRUPTED();
	loading_begin_walk();
	int answer = dl_iterate_phdr(see, data);
	loading_end_walk();
	return answer;
}

/* ------------------------------------------------------------------ */
/* Symbol tables of loaded objects                                    */

/* What is needed of a loaded object's dynamic section. */
struct symbols {
	const ElfW(Sym) * table;
	const char *strings;
	const uint32_t *hash;	      /* DT_GNU_HASH, or NULL */
	const uint32_t *chains;	      /* DT_HASH, or NULL */
	const ElfW(Half) * versions;  /* DT_VERSYM, or NULL */
	const ElfW(Verdef) * defined; /* DT_VERDEF, or NULL */
	bool filters;		      /* DT_FILTER, DT_AUXILIARY */
	size_t soname;		      /* in the strings */
};

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *info)
{
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return (const void *)(info->dlpi_addr +
					      info->dlpi_phdr[i].p_vaddr);
	return NULL;
}

static struct symbols symbols_at(const ElfW(Dyn) * entry, uintptr_t base)
{
	struct symbols symbols = {.table = NULL};

	for (; entry && entry->d_tag != DT_NULL; entry++) {
		uintptr_t at = entry->d_un.d_ptr;

		at += at < base ? base : 0;
		if (entry->d_tag == DT_SYMTAB)
			symbols.table = (const void *)at;
		else if (entry->d_tag == DT_STRTAB)
			symbols.strings = (const void *)at;
		else if (entry->d_tag == DT_GNU_HASH)
			symbols.hash = (const void *)at;
		else if (entry->d_tag == DT_HASH)
			symbols.chains = (const void *)at;
		else if (entry->d_tag == DT_SONAME)
			symbols.soname = entry->d_un.d_val;
		else if (entry->d_tag == DT_VERSYM)
			symbols.versions = (const void *)at;
		else if (entry->d_tag == DT_VERDEF)
			symbols.defined = (const void *)at;
		symbols.filters |= entry->d_tag == DT_FILTER ||
				   entry->d_tag == DT_AUXILIARY;
	}
	return symbols;
}

static struct symbols symbols_of(const struct dl_phdr_info *info)
{
	return symbols_at(dynamic_of(info), info->dlpi_addr);
}

/*
 * As every linker does it: the next symbol of that name behind `*at`, which is 0
 * at first and is set to where it is. NULL: there is none, or no other.
 */
static const ElfW(Sym) * next_symbol(const struct symbols *symbols,
				     const char *name, uint32_t *at)
{
	const uint32_t *hash = symbols->hash;
	const uint32_t *buckets = hash + 4 + hash[2] * sizeof(ElfW(Addr)) / 4;
	const uint32_t *chains = buckets + hash[0];
	uint32_t wanted = 5381;

	if (*at && chains[*at - hash[1]] & 1)
		return NULL;
	for (const char *c = name; *c; c++)
		wanted = wanted * 33 + (unsigned char)*c;
	for (uint32_t i = *at ? *at + 1 : buckets[wanted % hash[0]];
	     i >= hash[1]; i++) {
		uint32_t its = chains[i - hash[1]];
		const ElfW(Sym) *symbol = &symbols->table[i];

		*at = i;
		if ((its | 1) == (wanted | 1) &&
		    !strcmp(symbols->strings + symbol->st_name, name))
			return symbol;
		if (its & 1)
			break;
	}
	return NULL;
}

static const ElfW(Sym) *
	find_symbol(const struct symbols *symbols, const char *name)
{
	uint32_t at = 0;

	return next_symbol(symbols, name, &at);
}

/* ------------------------------------------------------------------ */
/* The host's error                                                   */

/*
 * What dlerror() would say, and the text that it has said, belong to the caller
 * of a stub: a call of dlopen or dlsym would replace the one and free the other.
 * glibc (2.34 and later) has both behind one thread-local pointer of libc.so. It
 * is private, so it is not linked to but found in libc's symbol table, and tried
 * out before it is ever written to. Elsewhere nothing is set aside.
 */
struct host_error {
	void **at; /* NULL: not known */
	void *it;
};

#if HAS_GLIBC(34)
#define ERROR_POINTER "__libc_dlerror_result"

enum { ERROR_UNKNOWN, ERROR_ABSENT, ERROR_FOUND, ERROR_TRIED };
static _Atomic(int) error_state;

/* Both are of the start: their distance is the same in every thread. */
static _Thread_local char anchor __attribute__((tls_model("initial-exec")));
static _Atomic(uintptr_t) error_distance;

static int find_error_pointer(struct dl_phdr_info *info, size_t size,
			      void *data)
{
	if (strcmp(file_base_name(info->dlpi_name), LIBC_SO) != 0)
		return 0;
	struct symbols symbols = symbols_of(info);

	(void)size;
	if (!symbols.table || !symbols.strings || !symbols.hash)
		return 0;
	const ElfW(Sym) *symbol = find_symbol(&symbols, ERROR_POINTER);
	if (symbol && ELF64_ST_TYPE(symbol->st_info) == STT_TLS &&
	    symbol->st_shndx != SHN_UNDEF &&
	    symbol->st_size == sizeof(void *) && info->dlpi_tls_data)
		*(char **)data = (char *)info->dlpi_tls_data + symbol->st_value;
	return 1;
}

/* This thread's pointer; NULL: there is none that we know of. */
static void **error_pointer(void)
{
	int state = atomic_load_explicit(&error_state, memory_order_acquire);
	char *found = NULL;

	if (state == ERROR_UNKNOWN) {
		walk_objects(find_error_pointer, &found);
		ATOMIC_SHARED(&error_state);
		ATOMIC_SHARED(&error_distance);
		atomic_store(&error_distance,
			     (uintptr_t)found - (uintptr_t)&anchor);
		state = found ? ERROR_FOUND : ERROR_ABSENT;
		atomic_store_explicit(&error_state, state,
				      memory_order_release);
	}
	return state == ERROR_ABSENT
		       ? NULL
		       : (void **)((uintptr_t)&anchor + error_distance);
}

/* Does it what we think? An error must appear there, and go when it has been
 * fetched. */
static bool try_error_pointer(void **at)
{
	void *before = *at;
	int nothing;

	if (atomic_load(&error_state) == ERROR_TRIED)
		return true;
	*at = NULL;
	bool works = dlinfo(_r_debug.r_map, -1, &nothing) < 0 && *at &&
		     dlerror() && !dlerror() && !*at;
	*at = before;
	atomic_store(&error_state, works ? ERROR_TRIED : ERROR_ABSENT);
	return works;
}
#else
static void **error_pointer(void)
{
	return NULL;
}

static bool try_error_pointer(void **at)
{
	(void)at;
	return false;
}
#endif

/* Usually there is nothing. */
static struct host_error set_error_aside(void)
{
	void **at = error_pointer();
	void *it = at ? *at : NULL;

	if (!it || !try_error_pointer(at))
		return (struct host_error){it ? NULL : at, NULL};
	*at = NULL;
	return (struct host_error){at, it};
}

/* What a call of ours has left there goes. */
static void put_error_back(const struct host_error *error)
{
	if (!error->at)
		return;
	while (*error->at && dlerror())
		;
	if (error->it)
		*error->at = error->it;
}

/* What every call of the linker is made with, until the end of the scope. */
#define LINKER_CALL()                                                   \
	UNINTERRUPTED();                                                \
	_cleanup_(put_error_back)                                       \
		__attribute__((unused)) struct host_error host_error_ = \
			set_error_aside()

static void end_call(const bool *begun)
{
	(void)begun;
	loading_end_call();
}

/* With those that change what the linker knows, and are no loads: not in the
 * middle of a fork. */
#define LINKER_CHANGE()       \
	LINKER_CALL();        \
	loading_begin_call(); \
	_cleanup_(end_call) __attribute__((unused)) bool begun_ = true

static const char *words(void)
{
	const char *said = dlerror();

	return said ? said : "the dynamic linker gave no reason";
}

/* ------------------------------------------------------------------ */
/* Flags                                                              */

bool dl_flags_known(int flags)
{
	return !(flags & ~(RTLD_LAZY | RTLD_NOW | RTLD_GLOBAL | RTLD_LOCAL |
			   RTLD_NODELETE | RTLD_NOLOAD | RTLD_DEEPBIND));
}

bool dl_flags_global(int flags)
{
	return flags & RTLD_GLOBAL;
}

int dl_flags_lasting(int flags)
{
	return (flags & ~RTLD_NOLOAD) | (flags & RTLD_LAZY ? 0 : RTLD_NOW);
}

bool dl_flags_lazy(int flags)
{
	return flags & RTLD_LAZY && !(flags & RTLD_NOW);
}

int dl_flags_late(void)
{
	return RTLD_LAZY;
}

bool dl_flags_noload(int flags)
{
	return flags & RTLD_NOLOAD;
}

/* ------------------------------------------------------------------ */
/* Opening, closing, looking up                                       */

int dl_open(const char *path, int flags, void **ret_handle)
{
	LOCK_ASSERT_NONE();
	LINKER_CALL();
	/* Openers of one file may differ: the stricter wins. */
	if (flags & RTLD_NOW || !(flags & RTLD_LAZY))
		flags = (flags & ~RTLD_LAZY) | RTLD_NOW;
	void *handle = dlopen(path, flags);
	if (!handle)
		return status_fail(DLAZY_ELOAD, "%s", words());
	*ret_handle = handle;
	return 0;
}

static bool ends_with(const char *said, const char *text)
{
	size_t length = strlen(said), n = strlen(text);

	return length > n + 2 && !strcmp(said + length - n, text) &&
	       !memcmp(said + length - n - 2, ": ", 2);
}

int dl_widen(const char *path, int flags)
{
	void *handle;

	LOCK_ASSERT_NONE();
	LINKER_CHANGE();
	int status = dl_open(path, flags, &handle);
	if (status == 0)
		dl_close(handle);
	return status;
}

bool dl_refusal_passes(const char *said)
{
	/* glibc leaves the errno out here; its words are translated. */
	static const char *const unexplained[] = {
		"failed to map segment from shared object",
		"cannot allocate memory in static TLS block",
		"cannot map zero-fill pages",
		"out of memory",
	};

	for (size_t i = 0; i < sizeof(unexplained) / sizeof(*unexplained); i++)
		if (ends_with(said, dgettext("libc", unexplained[i])))
			return true;
	for (int error = 1; error < ERRNO_MAX; error++)
		if (status_is_state(status_from_errno(error)) &&
		    ends_with(said, strerror(error)))
			return true;
	return false;
}

bool dl_lacks_means(const char *said)
{
	static const int errors[] = {ENOMEM, EMFILE, ENFILE};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (ends_with(said, strerror(errors[i])))
			return true;
	return false;
}

void *dl_open_again(const char *path, int flags)
{
	LOCK_ASSERT_NONE();
	LINKER_CHANGE();
	void *handle =
		dlopen(path, (flags & RTLD_DEEPBIND) | RTLD_LAZY | RTLD_NOLOAD);
	if (!handle)
		dlerror();
	return handle;
}

bool dl_close(void *handle)
{
	LOCK_ASSERT_NONE();
	LINKER_CHANGE();
	if (dlclose(handle) == 0)
		return true;
	status_fail(DLAZY_EBUSY, "%s", words());
	return false;
}

int dl_symbol(void *handle, const char *name, const char *version,
	      void **ret_address)
{
	LOCK_ASSERT_NONE();
	LINKER_CALL();
	if (!host_error_.at) /* else there is none */
		dlerror();
#ifdef __GLIBC__
	void *address =
		version ? dlvsym(handle, name, version) : dlsym(handle, name);
#else /* no versions: the one symbol of that name */
	(void)version;
	void *address = dlsym(handle, name);
#endif
	if (!address) {
		const char *said = dlerror();
		if (said)
			return status_fail(DLAZY_ENOSYM, "%s", said);
	}
	*ret_address = address;
	return 0;
}

/* The first entry of that kind in the dynamic section of a loaded object. */
static const ElfW(Dyn) * dynamic_entry(const struct link_map *map, long tag)
{
	for (const ElfW(Dyn) *entry = map->l_ld;
	     entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == tag)
			return entry;
	return NULL;
}

/* The string that it stands for. */
static const char *dynamic_string(const struct link_map *map, long tag)
{
	const ElfW(Dyn) *found = dynamic_entry(map, tag);
	const ElfW(Dyn) *table = found ? dynamic_entry(map, DT_STRTAB) : NULL;
	const char *strings = table ? (const char *)table->d_un.d_ptr : NULL;

	if (!strings)
		return "";
	/* glibc adds the load address to d_ptr, musl and riscv64 do not. */
	if ((uintptr_t)strings < map->l_addr)
		strings += map->l_addr;
	return strings + found->d_un.d_val;
}

#if HAS_GLIBC(35)
/* Takes no lock, and no time. */
static struct link_map *object_of(const void *address)
{
	struct dl_find_object found;

	return _dl_find_object((void *)address, &found) == 0
		       ? found.dlfo_link_map
		       : NULL;
}
#elif defined(__GLIBC__)
static struct link_map *object_of(const void *address)
{
	struct link_map *map;
	Dl_info info;

	return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map
								       : NULL;
}
#else /* a handle is no link map there */
static struct link_map *object_of(const void *address)
{
	(void)address;
	return NULL;
}
#endif

#ifdef __GLIBC__
static bool is_named(const struct link_map *map, const char *name,
		     const struct file_identity *identity)
{
	struct file_identity its;

	if (!strchr(name, '/'))
		return !strcmp(dynamic_string(map, DT_SONAME), name) ||
		       !strcmp(file_base_name(map->l_name), name);
	if (map->l_name[0] != '/')
		return false;
	if (!strcmp(map->l_name, name))
		return true;
	if (file_identify(-1, map->l_name, &its) == 0)
		return file_identity_equal(&its, identity);
	status_clear();
	return false;
}

/* _dl_find_object() knows objects of the start from the beginning, and what is
 * opened since then when it has been relocated. A link map is a handle. */
void *dl_unrelocated(const char *name)
{
	struct file_identity identity = {.ino = 0};
	struct link_map *map =
		object_of((const void *)(uintptr_t)&dl_unrelocated);

	if (!map) /* nor have we been */
		map = _r_debug.r_map;
	if (strchr(name, '/') && file_identify(-1, name, &identity) < 0)
		status_clear();
	/* What is new is at the end. */
	while (map && map->l_next)
		map = map->l_next;
	for (; map; map = map->l_prev)
		if (!object_of(map->l_ld) && is_named(map, name, &identity))
			return map;
	return NULL;
}
#else /* nothing is asked from inside the linker there */
void *dl_unrelocated(const char *name)
{
	(void)name;
	return NULL;
}
#endif

static _Thread_local bool relocating __attribute__((tls_model("initial-exec")));

bool dl_set_relocating(bool now)
{
	bool before = relocating;

	relocating = now;
	return before;
}

#ifdef __GLIBC__
/* They are the same. */
static const struct link_map *map_of(void *handle)
{
	return handle;
}
#else
static const struct link_map *map_of(void *handle)
{
	struct link_map *map;

	LINKER_CALL();
	return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 ? map : NULL;
}
#endif

/*
 * A link map is written by whichever thread was the first to ask for its object,
 * under dl_load_lock. Who asked later has taken that lock, too, and who has its
 * handle from one of them was told of it with a release.
 */
UNSEEN_LOCK char *dl_path_of(void *handle)
{
	const struct link_map *map = map_of(handle);

	return map && map->l_name[0] == '/' ? strdup(map->l_name) : NULL;
}

char *dl_loaded_path(const char *name)
{
	LINKER_CALL();
	void *unrelocated = relocating ? dl_unrelocated(name) : NULL;
	void *handle = unrelocated ? unrelocated : dl_open_again(name, 0);
	char *path = handle ? dl_path_of(handle) : NULL;

	if (handle && !unrelocated)
		dl_close(handle);
	return path;
}

#ifdef __GLIBC__
#define VERSION_HIDDEN 0x8000
#define VERSION_INDEX 0x7fff

static const char *version_name(const struct symbols *symbols, unsigned index)
{
	const ElfW(Verdef) *version = symbols->defined;

	while (version && version->vd_ndx != index)
		version = version->vd_next
				  ? (const void *)((const char *)version +
						   version->vd_next)
				  : NULL;
	if (!version)
		return "";
	const ElfW(Verdaux) *name =
		(const void *)((const char *)version + version->vd_aux);
	return symbols->strings + name->vda_name;
}

/* Is it of the version that was asked for, or, NULL, one that needs none? */
static bool is_of_version(const struct symbols *symbols, uint32_t i,
			  const char *version)
{
	unsigned its = symbols->versions ? symbols->versions[i] : 1;

	if (!version)
		return !(its & VERSION_HIDDEN);
	return !strcmp(version_name(symbols, its & VERSION_INDEX), version);
}

static bool is_plain_function(const ElfW(Sym) * symbol)
{
	unsigned binding = ELF64_ST_BIND(symbol->st_info);
	unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);

	return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value &&
	       symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       (binding == STB_GLOBAL || binding == STB_WEAK) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/* An auditor may want another address. The environment is looked at once, as
 * another thread may be changing it later. */
static bool is_audited(void)
{
	static _Atomic(int) known; /* 0: not yet */
	int is = atomic_load(&known);

	if (is)
		return is > 0;
	const char *auditors = secure_getenv("LD_AUDIT");
	const struct link_map *program = _r_debug.r_map;
	bool audited = (auditors && *auditors) ||
		       dynamic_entry(program, DT_AUDIT) ||
		       dynamic_entry(program, DT_DEPAUDIT);
	ATOMIC_SHARED(&known);
	atomic_store(&known, audited ? 1 : -1);
	return audited;
}

UNSEEN_LOCK bool dl_own_function(void *handle, const char *name,
				 const char *version, void **ret_address)
{
	const struct link_map *map = map_of(handle);
	struct symbols symbols = symbols_at(map->l_ld, map->l_addr);
	const ElfW(Sym) * symbol, *found = NULL;
	uint32_t at = 0;

	if (!symbols.table || !symbols.strings || !symbols.hash ||
	    !symbols.hash[0] || symbols.filters || is_audited())
		return false; /* what it stands for is asked before it */
	while ((symbol = next_symbol(&symbols, name, &at))) {
		if (!is_of_version(&symbols, at, version))
			continue;
		if (found || !is_plain_function(symbol))
			return false;
		found = symbol;
	}
	if (found)
		*ret_address = (void *)(map->l_addr + found->st_value);
	return found;
}
#else
bool dl_own_function(void *handle, const char *name, const char *version,
		     void **ret_address)
{
	(void)handle;
	(void)name;
	(void)version;
	(void)ret_address;
	return false;
}
#endif

/* A name that is looked for, and whether it was found. */
struct wanted_name {
	const char *name;
	bool found;
};

static bool is_defined(const struct symbols *symbols, size_t i,
		       const char *name)
{
	const ElfW(Sym) *symbol = &symbols->table[i];

	return symbol->st_shndx != SHN_UNDEF &&
	       !strcmp(symbols->strings + symbol->st_name, name);
}

static int find_name(struct dl_phdr_info *info, size_t size, void *data)
{
	struct symbols symbols = symbols_of(info);
	struct wanted_name *wanted = data;

	(void)size;
	if (!symbols.table || !symbols.strings)
		return 0;
	if (symbols.hash) {
		const ElfW(Sym) *symbol =
			symbols.hash[0] ? find_symbol(&symbols, wanted->name)
					: NULL;
		wanted->found = symbol && symbol->st_shndx != SHN_UNDEF;
	} else if (symbols.chains && sizeof(*symbols.chains) == 4) {
		for (size_t i = 1; i < symbols.chains[1]; i++)
			wanted->found |= is_defined(&symbols, i, wanted->name);
	}
	return wanted->found;
}

static bool has_version(const char *library, const char *name,
			const char *version)
{
	void *handle = *library ? dl_open_again(library, 0) : NULL;
	void *address;
	bool found = dl_symbol(handle ? handle : RTLD_DEFAULT, name, version,
			       &address) == 0;

	if (handle)
		dl_close(handle);
	status_clear();
	return found;
}

bool dl_is_defined(const char *library, const char *name, const char *version)
{
	struct wanted_name wanted = {name, false};

	LOCK_ASSERT_NONE();
	if (*version)
		return has_version(library, name, version);
	walk_objects(find_name, &wanted);
	return wanted.found;
}

#ifdef __GLIBC__
static int see_first(struct dl_phdr_info *info, size_t size, void *data)
{
	bool *is_program = data;

	(void)size;
	*is_program = !info->dlpi_name[0];
	return 1;
}

/* A namespace of dlmopen's has none; glibc (2.36) crashes there. Objects are told
 * of the caller's namespace, and the program is the first of its own. */
static bool has_global_scope(void)
{
	bool is_program = true;

	walk_objects(see_first, &is_program);
	return is_program;
}
#else
static bool has_global_scope(void)
{
	return true;
}
#endif

int dl_flags_linked(bool early)
{
	return RTLD_LAZY |
	       (early || !has_global_scope() ? RTLD_LOCAL : RTLD_GLOBAL);
}

/* The file of the program, read once; "": it is not to be had. */
static const char *program_path(void)
{
	static _Atomic(char *) known;
	char *path = atomic_load(&known), *none = NULL;

	if (path)
		return path;
	path = malloc(PATH_MAX);
	ssize_t n = path ? readlink("/proc/self/exe", path, PATH_MAX - 1) : 0;
	if (n <= 0) {
		free(path);
		return "";
	}
	path[n] = '\0';
	ATOMIC_SHARED(&known);
	if (atomic_compare_exchange_strong(&known, &none, path))
		return path;
	free(path);
	return none;
}

static bool has_no_default(const struct link_map *map)
{
	const ElfW(Dyn) *flags = dynamic_entry(map, DT_FLAGS_1);

	return flags && flags->d_un.d_val & DF_1_NODEFLIB;
}

static struct search_origin origin_of(const struct link_map *map)
{
	return (struct search_origin){
		.path = map->l_name[0] ? map->l_name : program_path(),
		.rpath = dynamic_string(map, DT_RPATH),
		.runpath = dynamic_string(map, DT_RUNPATH),
		.no_default = has_no_default(map),
	};
}

struct search_origin dl_origin_of(const void *code)
{
	const struct link_map *map = object_of(code);

	LOCK_ASSERT_NONE();
	if (!map)
		return (struct search_origin){
			.path = "", .rpath = "", .runpath = ""};
	return origin_of(map);
}

bool dl_has_name(const void *code, const char *name)
{
	const struct link_map *map = object_of(code);

	return map && (!strcmp(dynamic_string(map, DT_SONAME), name) ||
		       !strcmp(file_base_name(map->l_name), name));
}

bool dl_program_origin(struct search_origin *ret)
{
#ifdef __GLIBC__
	*ret = origin_of(_r_debug.r_map);
	return true;
#else
	(void)ret;
	return false;
#endif
}

const char *dl_runpath_of(const void *code)
{
	const struct link_map *map = object_of(code);

	return map ? dynamic_string(map, DT_RUNPATH) : "";
}

#ifdef __GLIBC__
static int find_rpath(struct dl_phdr_info *info, size_t size, void *data)
{
	const ElfW(Dyn) *entry = dynamic_of(info);

	(void)size;
	(void)data;
	while (entry && entry->d_tag != DT_NULL && entry->d_tag != DT_RPATH)
		entry++;
	return entry && entry->d_tag == DT_RPATH;
}

/* An RPATH counts for whoever was brought in through its object: the linker
 * alone knows that, so none may be there. */
static bool has_any_rpath(void)
{
	return walk_objects(find_rpath, NULL);
}

bool dl_searches_alike(const void *code, const char *name)
{
	const struct link_map *map = object_of(code);
	const struct link_map *own =
		object_of((const void *)(uintptr_t)&dl_searches_alike);

	UNINTERRUPTED();
	return map && own && !dl_has_name(code, name) &&
	       !dynamic_entry(own, DT_RUNPATH) && !has_no_default(own) &&
	       !has_no_default(map) && !has_any_rpath();
}
#else /* which searches for whoever calls dlopen is not the same */
bool dl_searches_alike(const void *code, const char *name)
{
	(void)code;
	(void)name;
	return false;
}
#endif

void dl_keep(const void *address)
{
	const struct link_map *map = object_of(address);

	LOCK_ASSERT_NONE();
	LINKER_CHANGE();
	if (!map || !map->l_name[0]) /* the program */
		return;
	void *handle =
		dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
	if (handle)
		dlclose(handle);
	else
		dlerror();
}

/* What dl_load_address() looks for, and what it finds. */
struct wanted_object {
	const char *path;
	const uint8_t *build_id;
	size_t id_size;
	struct file_identity identity;
	uintptr_t address;
	bool found;
};

static bool has_build_id(const struct dl_phdr_info *info,
			 const uint8_t *build_id, size_t id_size)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		const char *at =
			(const char *)info->dlpi_addr + segment->p_vaddr;
		const char *end = at + segment->p_memsz;

		if (segment->p_type != PT_NOTE)
			continue;
		while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *note = (const void *)at;
			const char *data = at + sizeof(*note) +
					   ((note->n_namesz + 3u) & ~3u);

			if (note->n_type == NT_GNU_BUILD_ID &&
			    note->n_namesz == 4 && note->n_descsz == id_size &&
			    !memcmp(at + sizeof(*note), "GNU", 4))
				return !memcmp(data, build_id, id_size);
			at = data + ((note->n_descsz + 3u) & ~3u);
		}
	}
	return false;
}

static int match_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct wanted_object *wanted = data;
	struct file_identity identity;

	(void)size;
	if (info->dlpi_name[0] != '/')
		return 0;
	bool same_name = !strcmp(info->dlpi_name, wanted->path);
	if (!same_name && (file_identify(-1, info->dlpi_name, &identity) < 0 ||
			   !file_identity_equal(&identity, &wanted->identity)))
		return 0;
	if (!wanted->id_size ||
	    has_build_id(info, wanted->build_id, wanted->id_size)) {
		wanted->address = info->dlpi_addr;
		wanted->found = true;
	}
	return same_name;
}

bool dl_load_address(const char *path, const uint8_t *build_id, size_t id_size,
		     uintptr_t *ret)
{
	struct wanted_object wanted = {
		.path = path, .build_id = build_id, .id_size = id_size};

	LOCK_ASSERT_NONE();
	UNINTERRUPTED();
	if (file_identify(-1, path, &wanted.identity) < 0)
		return false;
	walk_objects(match_object, &wanted);
	*ret = wanted.address;
	return wanted.found;
}

/* An object that is looked for by a bare name. */
struct named_object {
	const char *name;
	char *path;
};

static int match_name(struct dl_phdr_info *info, size_t size, void *data)
{
	struct named_object *wanted = data;
	struct symbols symbols = symbols_of(info);

	(void)size;
	if (info->dlpi_name[0] != '/' ||
	    (strcmp(file_base_name(info->dlpi_name), wanted->name) != 0 &&
	     (!symbols.strings || !symbols.soname ||
	      strcmp(symbols.strings + symbols.soname, wanted->name) != 0)))
		return 0;
	strncpy(wanted->path, info->dlpi_name, PATH_MAX - 1);
	return 1;
}

char *dl_mapped_path(const char *name)
{
	struct named_object wanted = {name, calloc(1, PATH_MAX)};

	LOCK_ASSERT_NONE();
	UNINTERRUPTED();
	if (!wanted.path)
		return NULL;
	walk_objects(match_name, &wanted);
	if (!*wanted.path)
		free(TAKE_PTR(wanted.path));
	return wanted.path;
}

struct linker_data {
	uintptr_t base, address;
	bool inside;
};

static int match_linker(struct dl_phdr_info *info, size_t size, void *data)
{
	struct linker_data *linker = data;

	(void)size;
	if (info->dlpi_addr != linker->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && segment->p_flags & PF_W &&
		    linker->address - start < segment->p_memsz)
			linker->inside = true;
	}
	return 1;
}

const void *dl_object(const void *address)
{
	return object_of(address);
}

bool dl_is_same_object(const void *a, const void *b)
{
	const struct link_map *object = object_of(a);

	return object && object == object_of(b);
}

UNSEEN_LOCK uintptr_t dl_base(void *handle)
{
	const struct link_map *map = map_of(handle);

	return map ? map->l_addr : 0;
}

/* ------------------------------------------------------------------ */
/* One object in the place of another                                 */

int dl_flags_apart(int flags)
{
	return flags & RTLD_GLOBAL ? flags | RTLD_DEEPBIND : flags;
}

struct wanted_range {
	uintptr_t base, start, end;
};

static int range_of(struct dl_phdr_info *info, size_t size, void *data)
{
	struct wanted_range *wanted = data;

	(void)size;
	if (info->dlpi_addr != wanted->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + s->p_vaddr;

		if (s->p_type != PT_LOAD)
			continue;
		if (start < wanted->start)
			wanted->start = start;
		if (start + s->p_memsz > wanted->end)
			wanted->end = start + s->p_memsz;
	}
	return 1;
}

bool dl_range(void *handle, uintptr_t *ret_start, uintptr_t *ret_end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct wanted_range wanted = {dl_base(handle), UINTPTR_MAX, 0};

	UNINTERRUPTED();
	if (!wanted.base || !walk_objects(range_of, &wanted) || !wanted.end)
		return false;
	*ret_start = wanted.start & ~(page - 1);
	*ret_end = (wanted.end + page - 1) & ~(page - 1);
	return true;
}

/* Who needs an object of that SONAME. */
struct wanted_importer {
	const char *soname;
	uintptr_t base; /* of the object itself */
	char *buffer;
	size_t size;
	bool found;
};

static bool needs_soname(const struct dl_phdr_info *info, const char *soname)
{
	struct symbols symbols = symbols_of(info);
	const ElfW(Dyn) *entry = NULL;

	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			entry = (const void *)(info->dlpi_addr +
					       info->dlpi_phdr[i].p_vaddr);
	for (; symbols.strings && entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_NEEDED &&
		    !strcmp(file_base_name(symbols.strings + entry->d_un.d_val),
			    soname))
			return true;
	return false;
}

static int find_importer(struct dl_phdr_info *info, size_t size, void *data)
{
	struct wanted_importer *wanted = data;

	(void)size;
	if (info->dlpi_addr == wanted->base ||
	    !needs_soname(info, wanted->soname))
		return 0;
	snprintf(wanted->buffer, wanted->size, "%s",
		 info->dlpi_name[0] ? info->dlpi_name : "the program");
	wanted->found = true;
	return 1;
}

/* Nobody's DT_NEEDED was found by a name that no object has. Only where there is an
 * importer the linker is asked which object it would give, as it then keeps that
 * name for good. */
bool dl_needed_by(void *handle, char *buffer, size_t size)
{
	const struct link_map *map = map_of(handle);
	struct wanted_importer wanted = {.buffer = buffer, .size = size};

	LOCK_ASSERT_NONE();
	if (!map)
		return false;
	wanted.base = map->l_addr;
	wanted.soname = dynamic_string(map, DT_SONAME);
	if (!wanted.soname[0])
		wanted.soname = file_base_name(map->l_name);
	walk_objects(find_importer, &wanted);
	if (!wanted.found)
		return false;
	void *named = dl_open_again(wanted.soname, 0);
	if (named)
		dl_close(named);
	return !named || named == handle;
}

#ifdef __GLIBC__
/* Where the dynamic section of an object is, and how it is protected. */
struct wanted_dynamic {
	uintptr_t base, at;
	int protection;
};

static int protection_of(struct dl_phdr_info *info, size_t size, void *data)
{
	struct wanted_dynamic *wanted = data;

	(void)size;
	if (info->dlpi_addr != wanted->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &info->dlpi_phdr[i];

		if (wanted->at - info->dlpi_addr - s->p_vaddr >= s->p_memsz)
			continue;
		if (s->p_type == PT_LOAD)
			wanted->protection |=
				PROT_READ |
				(s->p_flags & PF_W ? PROT_WRITE : 0);
	}
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &info->dlpi_phdr[i];

		if (s->p_type == PT_GNU_RELRO &&
		    wanted->at - info->dlpi_addr - s->p_vaddr < s->p_memsz)
			wanted->protection &= ~PROT_WRITE;
	}
	return 1;
}

/* The name's offset becomes that of the empty string. */
static void hide_name(ElfW(Dyn) * entry, uintptr_t base)
{
	struct wanted_dynamic wanted = {base, (uintptr_t)entry, 0};
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	char *start = (char *)((uintptr_t)entry & ~(page - 1));
	size_t size = (size_t)((char *)(entry + 1) - start);

	walk_objects(protection_of, &wanted);
	if (wanted.protection & PROT_WRITE) {
		entry->d_un.d_val = 0;
		return;
	}
	if (!wanted.protection ||
	    mprotect(start, size, PROT_READ | PROT_WRITE) < 0)
		return;
	entry->d_un.d_val = 0;
	mprotect(start, size, PROT_READ);
}

UNSEEN_LOCK void dl_hide_soname(void *handle)
{
	const struct link_map *map = map_of(handle);

	LOCK_ASSERT_NONE();
	UNINTERRUPTED();
	for (ElfW(Dyn) *entry = map ? map->l_ld : NULL;
	     entry && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_SONAME)
			hide_name(entry, map->l_addr);
}
#else
void dl_hide_soname(void *handle)
{
	(void)handle;
}
#endif

static int first_object(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	*(struct dl_changes *)data = (struct dl_changes){
		.loaded = info->dlpi_adds, .unloaded = info->dlpi_subs};
	return 1;
}

struct dl_changes dl_changes(void)
{
	struct dl_changes changes = {0, 0};

	walk_objects(first_object, &changes);
	return changes;
}

bool dl_is_linker_data(uintptr_t address)
{
	struct linker_data linker = {.base = getauxval(AT_BASE),
				     .address = address};

	walk_objects(match_linker, &linker);
	return linker.inside;
}

struct described_code {
	uintptr_t code;
	char *buffer;
	size_t size;
};

static int describe_in_object(struct dl_phdr_info *info, size_t size,
			      void *data)
{
	struct described_code *d = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD ||
		    d->code - info->dlpi_addr - segment->p_vaddr >=
			    segment->p_memsz)
			continue;
		snprintf(d->buffer, d->size, "%s+%#zx",
			 info->dlpi_name[0] ? info->dlpi_name : "the program",
			 (size_t)(d->code - info->dlpi_addr));
		return 1;
	}
	return 0;
}

void dl_describe(const void *code, bool may_wait, char *buffer, size_t size)
{
	struct described_code d = {(uintptr_t)code, buffer, size};
	Dl_info info;

	LOCK_ASSERT_NONE();
	UNINTERRUPTED();
	if (!may_wait && walk_objects(describe_in_object, &d))
		return;
	if (!may_wait || !code || !dladdr(code, &info) || !info.dli_fname)
		snprintf(buffer, size, "unknown code at %p", code);
	else if (info.dli_sname)
		snprintf(buffer, size, "%s+%#tx (%s)", info.dli_sname,
			 (const char *)code - (const char *)info.dli_saddr,
			 info.dli_fname);
	else
		snprintf(buffer, size, "%s+%#tx", info.dli_fname,
			 (const char *)code - (const char *)info.dli_fbase);
}

const char *dl_own_path(void)
{
	return dl_origin_of((const void *)(uintptr_t)&dl_own_path).path;
}

/* ------------------------------------------------------------------ */
/* The host's own calls                                               */

void *dl_host_open(const char *path, int flags)
{
	return dlopen(path, flags);
}

/* Nothing stands behind these calls, so that they are jumps where the compiler
 * does so, and RTLD_NEXT is about whoever called us. */
void *dl_host_symbol(void *handle, const char *name)
{
	return dlsym(handle, name);
}

void *dl_host_version(void *handle, const char *name, const char *version)
{
#ifdef __GLIBC__
	return dlvsym(handle, name, version);
#else
	(void)version;
	return dlsym(handle, name);
#endif
}

int dl_host_close(void *handle)
{
	return dlclose(handle);
}

int dl_host_info(void *handle, int request, void *arg)
{
	return dlinfo(handle, request, arg);
}

int dl_host_address(const void *address, void *ret_info)
{
	return dladdr(address, ret_info);
}

char *dl_host_error(void)
{
	return dlerror();
}
