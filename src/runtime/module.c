/* SPDX-License-Identifier: MIT */
/*
 * Linked stubs at run time. What is special about them is little: the module
 * is made when it is first needed, from what the stub file says; its ELF file is
 * not read; and slots are the stub file's. All else is as with any module.
 *
 * Any of this may be asked before this library's own constructors have run,
 * and dlazy_linked_data() from inside the dynamic linker, which is relocating
 * an object: perhaps the very library whose data is asked for, as the stub file
 * comes before it in the global scope.
 */
#include "runtime/module.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/hash.h"
#include "elf/view.h"
#include "load/bind.h"
#include "load/dl.h"
#include "load/loading.h"
#include "load/load.h"
#include "ledger/usdt.h"
#include "runtime/touched.h"
#include "stub/linked.h"
#include "stub/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct linked_state *linked_state(const struct linked *l)
{
	return (struct linked_state *)linked_at(l, l->state);
}

/* ------------------------------------------------------------------ */
/* Where the library is                                               */

const char *linked_first_file(const struct linked *l)
{
	return linked_string(l, l->files);
}

struct linked_search linked_search(const struct linked *l)
{
	return (struct linked_search){.linked = l,
				      .next = linked_first_file(l)};
}

void linked_search_end(struct linked_search *search)
{
	free(search->path);
}

/*
 * A bare name is searched for in the name of the object that has the stubs. That
 * object itself may carry the SONAME it stands for, and be found: it is passed
 * over.
 */
static int find_bare(const struct linked *l, const char *name, char **ret)
{
	char buffer[PATH_MAX];
	struct search_origin origin = dl_origin_of(l, buffer);
	struct file_identity own = {.ino = 0}, found;
	_cleanup_free_ char *loaded = dl_loaded_path(name);

	if (file_identify(AT_FDCWD, origin.path, &own) < 0)
		status_clear();
	if (loaded && file_identify(AT_FDCWD, loaded, &found) == 0 &&
	    !file_identity_equal(&own, &found)) {
		*ret = TAKE_PTR(loaded);
		return 0;
	}
	return search_library_but(name, &origin, &own, ret);
}

static int find_file(const struct linked *l, const char *name, char **ret)
{
	if (!strchr(name, '/'))
		return find_bare(l, name, ret);
	*ret = strdup(name);
	return *ret ? 0 : status_fail(DLAZY_ENOMEM, "out of memory");
}

bool linked_search_next(struct linked_search *search)
{
	while (*search->next) {
		const char *name = search->next;

		search->next += strlen(name) + 1;
		free(TAKE_PTR(search->path));
		int status = find_file(search->linked, name, &search->path);
		if (status == 0)
			status = file_identify(AT_FDCWD, search->path,
					       &search->identity);
		if (status == 0)
			return true;
		if (status_is_state(status))
			search->state = status;
	}
	return false;
}

int linked_not_found(const struct linked *l)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	char names[STATUS_MESSAGE_MAX / 2] = "";
	size_t used = 0;

	/* The words about the last one say where it was looked for. */
	while (linked_search_next(&search))
		;
	for (const char *at = linked_first_file(l); *at; at += strlen(at) + 1) {
		size_t room = sizeof(names) - used;
		int n = snprintf(names + used, room, "%s%s", used ? ", " : "",
				 at);
		if (n < 0 || (size_t)n >= room)
			break;
		used += (size_t)n;
	}
	char last[STATUS_MESSAGE_MAX];
	strcpy(last, status_message());
	if (search.state < 0)
		return status_fail(-search.state, "%s", last);
	return status_fail(DLAZY_ENOENT, "%s: not there (%s)", names, last);
}

void linked_identify(const struct linked *l, struct file_identity *ret)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	uint64_t all = 0;

	while (linked_search_next(&search))
		all = all * 3 +
		      hash_bytes(&search.identity, sizeof(search.identity));
	*ret = (struct file_identity){.ino = all};
}

/* The build-id that the stub file was made for; returns its length. */
static size_t build_of(const struct linked *l, uint8_t id[LINKED_BUILD_MAX])
{
	const char *text = linked_string(l, l->build);
	size_t n = 0;
	unsigned byte;

	while (n < LINKED_BUILD_MAX && sscanf(text + 2 * n, "%2x", &byte) == 1)
		id[n++] = (uint8_t)byte;
	return n;
}

static bool is_the_build(const struct linked *l, const char *path)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	uint8_t wanted[LINKED_BUILD_MAX];
	size_t size, n = build_of(l, wanted);

	if (file_open(AT_FDCWD, path, &fd, NULL) < 0 ||
	    elf_view_open(fd, path, &view) < 0) {
		status_clear();
		return true; /* the linker will say what is wrong */
	}
	const uint8_t *id = elf_view_build_id(view, &size);
	return size == n && memcmp(id, wanted, n) == 0;
}

/* Is the file of the build that the stub file was made for? */
static bool is_build(const struct linked *l, const char *path,
		     const struct file_identity *identity)
{
	char file[32];

	snprintf(file, sizeof(file), LINKED_FILE_HASH,
		 (unsigned long long)hash_bytes(identity, sizeof(*identity)));
	return strcmp(file, linked_string(l, l->file)) == 0 ||
	       is_the_build(l, path);
}

int linked_check_build(const struct linked *l, const char *path,
		       const struct file_identity *identity)
{
	if (!*linked_string(l, l->build) ||
	    (!l->mirrored && !atomic_load(&linked_state(l)->told)) ||
	    is_build(l, path, identity))
		return 0;
	return status_fail(DLAZY_ENOENT,
			   "%s is another build than the stub was made for, "
			   "which stood for some of it already: start the "
			   "program again",
			   path);
}

bool linked_available(const struct linked *l)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);

	return linked_search_next(&search);
}

/* ------------------------------------------------------------------ */
/* Its module                                                         */

/* A library that is loaded already comes into the global scope, where it would
 * have been if it were linked. The reference is kept. */
static void make_global(struct dlazy_module *m)
{
	void *handle;

	m->flags |= dl_flags_linked(false);
	if (atomic_load(&m->handle))
		dl_open(module_object(m), dl_flags_linked(false), &handle);
}

/* Modules of before this library's constructor ran, when there is but one
 * thread that could know of us. */
struct early_module {
	struct dlazy_module *module;
	struct early_module *next;
};

static struct {
	struct early_module *modules;
	bool over;
} start;

static void remember_early(struct dlazy_module *m)
{
	struct early_module *early = malloc(sizeof(*early));

	if (!early)
		return;
	*early = (struct early_module){m, start.modules};
	start.modules = early;
}

/* Not that this library needed a constructor for itself: it tells how far the
 * program's start has come. */
__attribute__((constructor)) static void end_start(void)
{
	start.over = true;
	while (start.modules) {
		_cleanup_free_ struct early_module *early = start.modules;

		start.modules = early->next;
		make_global(early->module);
	}
}

struct dlazy_module *linked_module(const struct linked *l)
{
	struct linked_state *state = linked_state(l);
	struct dlazy_module *m =
		atomic_load_explicit(&state->module, memory_order_acquire);

	if (m)
		return m;
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	bool found = linked_search_next(&search);
	struct dlazy_module *none = NULL;

	status_clear();
	if (module_declare_linked(l, found ? search.path : NULL,
				  &search.identity,
				  dl_flags_linked(!start.over), &m) < 0)
		return NULL;
	if (!start.over)
		remember_early(m);
	else if (m->linked != l)
		make_global(m);
	/* A plugin with stubs may be closed; modules point into it. */
	if (start.over && !l->run)
		dl_keep(l);
	ATOMIC_SHARED(&state->module);
	if (atomic_compare_exchange_strong(&state->module, &none, m))
		return m;
	return none;
}

/* Another build answers for itself from now on. */
static void stop_answering(const struct linked *l, struct dlazy_module *m)
{
	const uint32_t *answering = linked_at(l, l->answering);
	linked_slot *slots = (linked_slot *)linked_at(l, l->slots);

	if (is_build(l, m->path, &m->identity))
		return;
	for (uint32_t i = 0; i < l->answers; i++) {
		_cleanup_request_ struct bind_request request = {NULL};
		struct touch touch = {.caller = l};
		void *address;
		bool published;

		if (bind_parse(linked_name(l, answering[i]), &request) == 0 &&
		    bind_find(m, &request, &touch, &address, &published) == 0 &&
		    published && !dl_is_same_object(address, l))
			atomic_store(&slots[answering[i]], address);
	}
	status_clear();
}

/* The library is in use, and so is one more of its functions if `bound`. */
static void count(const struct linked *l, struct dlazy_module *m, bool bound)
{
	struct linked_state *state = linked_state(l);
	void *handle = atomic_load(&m->handle);

	if (handle && !atomic_load(&state->base) &&
	    !atomic_exchange(&state->base, dl_base(handle)) && l->answers)
		stop_answering(l, m);
	run_count(l, bound);
}

/* ------------------------------------------------------------------ */
/* Failures                                                           */

/* Says what the program lacks and what to install, where the stub file knows;
 * returns the status. */
static int explain(const struct linked *l, int status)
{
	const char *feature = linked_string(l, l->feature);
	const char *package = linked_string(l, l->package);

	if (status == -DLAZY_EBUSY) /* it may be there, but not now */
		return status;
	if (*feature && *package)
		return status_prefix("%s is not available: install %s", feature,
				     package);
	if (*feature)
		return status_prefix("%s is not available", feature);
	if (*package)
		return status_prefix("install %s", package);
	return status;
}

/* A slot that holds a hook's replacement. */
struct linked_replaced {
	struct linked_replaced *next;
	linked_slot *slot;
};

static void keep_replacement(struct dlazy_module *m, linked_slot *slot,
			     void *replacement)
{
	_cleanup_free_ struct linked_replaced *kept = malloc(sizeof(*kept));

	LOCKED(&load_lock);
	if (!kept || !m || atomic_load(&m->state) != DLAZY_FAILED)
		return;
	*kept = (struct linked_replaced){m->replaced, slot};
	m->replaced = TAKE_PTR(kept);
	atomic_store_explicit(slot, replacement, memory_order_release);
}

void linked_arm_locked(struct dlazy_module *m)
{
	while (m->replaced) {
		struct linked_replaced *kept = TAKE_PTR(m->replaced);

		m->replaced = kept->next;
		atomic_store_explicit(kept->slot, NULL, memory_order_release);
		free(kept);
	}
}

/* ------------------------------------------------------------------ */
/* Functions                                                          */

/* What a stub, or the dynamic linker, asks for. */
struct question {
	const struct linked *linked;
	struct dlazy_module *module; /* NULL: out of memory */
	const uint32_t *name;	     /* its place in the stub file */
	const char *symbol;	     /* as the stub file has it */
	struct bind_request request; /* the same, taken apart */
	struct touch touch;
};

static void question_end(struct question *q)
{
	bind_request_free(&q->request);
}
#define _cleanup_question_ _cleanup_(question_end)

/* What tells a symbol of a stub file from any other. */
static const uint32_t *name_of(const struct linked *l, uint32_t symbol)
{
	return (const uint32_t *)linked_at(l, l->names) + symbol;
}

/* What a later dlazy writes may ask for what is not known here. */
static int check_abi(const struct linked *l)
{
	if (l->abi <= LINKED_ABI)
		return 0;
	return status_fail(DLAZY_ENOSYS,
			   "%s: its stub file was made for a later libdlazy "
			   "than this one (%s): install that",
			   linked_first_file(l), PACKAGE_VERSION);
}

static int question_begin(struct question *q, const struct linked *l,
			  uint32_t symbol, const void *caller)
{
	q->module = linked_module(l);
	q->name = name_of(l, symbol);
	q->symbol = linked_name(l, symbol);
	int status = bind_parse(q->symbol, &q->request);
	q->touch = (struct touch){.symbol = q->request.name, .caller = caller};
	if (status == 0 && !q->module)
		status = status_fail(DLAZY_ENOMEM, "out of memory");
	return status < 0 ? status : check_abi(l);
}

/* Is it told for the first time? Slots have no room for that. */
static bool is_news(const struct question *q)
{
	static struct map told; /* name -> name; under load_lock */
	uint64_t key = map_pointer_key(q->name);

	LOCKED(&load_lock);
	return !map_get(&told, key) && map_put(&told, key, (void *)q->name);
}

static void tell_touch(const struct question *q)
{
	if (event_wanted() && is_news(q))
		event_emit((struct dlazy_event){.kind = DLAZY_EVENT_TOUCH,
						.module = q->module,
						.symbol = q->touch.symbol,
						.caller = q->touch.caller});
}

/* What the linker answered, seen with suspicion: through what the library
 * needs, the stub file itself can be the one that has the symbol. */
static int judge(const struct question *q, int status, const void *address)
{
	if (status == 0 && address && !dl_is_same_object(address, q->linked))
		return 0;
	if (status == 0 || status == -DLAZY_ENOSYM)
		status = status_fail(DLAZY_ENOSYM,
				     "%s does not have %s: it is another "
				     "version than the stub was made for, or "
				     "the stub itself",
				     q->module->path, q->symbol);
	return explain(q->linked, status);
}

/* "+OFFSET", or a name? */
static bool offset_of(const struct question *q, uintptr_t *ret)
{
	size_t n = strlen(LINKED_OFFSET);

	if (strncmp(q->symbol, LINKED_OFFSET, n) != 0)
		return false;
	*ret = (uintptr_t)strtoull(q->symbol + n, NULL, 16);
	return true;
}

/* A function without a name: only in the very build that was looked at is it
 * what it was. */
static int find_unnamed(const struct question *q, uintptr_t offset, void **ret,
			bool *ret_published)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	uint8_t id[LINKED_BUILD_MAX];
	uintptr_t base;
	int status = load_module(q->module, &q->touch, &loaded);

	*ret_published = loaded.published;
	if (status < 0)
		return status;
	if (!dl_load_address(module_object(q->module), id,
			     build_of(q->linked, id), &base))
		return status_fail(
			DLAZY_ENOSYM,
			"%s is another build than the stub was made for: start "
			"the program again",
			q->module->path);
	*ret = (void *)(base + offset);
	return 0;
}

static int find_function(const struct question *q, void **ret,
			 bool *ret_published)
{
	uintptr_t offset;

	tell_touch(q);
	if (offset_of(q, &offset)) {
		int r = find_unnamed(q, offset, ret, ret_published);
		return r < 0 ? explain(q->linked, r) : 0;
	}
	int status = bind_find(q->module, &q->request, &q->touch, ret,
			       ret_published);
	return judge(q, status, *ret);
}

static void publish(const struct question *q, linked_slot *slot, void *address)
{
	ATOMIC_SHARED(slot);
	bool first =
		!atomic_exchange_explicit(slot, address, memory_order_release);

	count(q->linked, q->module, first);
	probe_bind(q->module, q->touch.symbol, q->touch.caller, address);
}

void *linked_miss(const struct linked *l, linked_slot *slot, const void *caller)
{
	const linked_slot *slots = linked_at(l, l->slots);
	_cleanup_question_ struct question q = {.linked = l};
	void *address = NULL;
	bool published = false;
	int status = question_begin(&q, l, (uint32_t)(slot - slots), caller);

	if (status == 0)
		status = find_function(&q, &address, &published);
	if (status < 0) {
		address = bind_replacement(q.module, &q.touch, status);
		keep_replacement(q.module, slot, address);
	} else if (published) {
		publish(&q, slot, address);
	}
	return address;
}

/* ------------------------------------------------------------------ */
/* Data, inside the dynamic linker                                    */

/*
 * A library that is being loaded asks for its own data, as often as it has
 * relocations to them. Its handle is the one that the load in progress will
 * get, so it needs no reference of its own; it holds while nothing is loaded
 * or unloaded.
 */
static _Thread_local struct {
	const struct dlazy_module *module;
	void *handle;
	struct dl_changes changes;
} early __attribute__((tls_model("initial-exec")));

static void *early_handle(const struct dlazy_module *m)
{
	if (early.module != m)
		return NULL;
	struct dl_changes now = dl_changes();
	bool same = now.loaded == early.changes.loaded &&
		    now.unloaded == early.changes.unloaded;

	return same ? early.handle : NULL;
}

/* The library's handle, perhaps of one that is not LOADED yet. */
static int open_data(const struct question *q, struct load_handle *ret)
{
	void *handle = early_handle(q->module);

	*ret = (struct load_handle){handle, true, false};
	if (handle)
		return 0;
	tell_touch(q);
	int status = load_module(q->module, &q->touch, ret);
	if (status < 0)
		return status;
	if (ret->published) {
		count(q->linked, q->module, false);
		return 0;
	}
	early.module = q->module;
	early.handle = ret->handle;
	early.changes = dl_changes();
	/* Who gets the data relies on the library for good. (A reference while
	 * we load it would keep it mapped if that failed.) */
	ret->published = !loading_has_module(q->module);
	return 0;
}

/* What this thread is asking the linker for. */
struct asked {
	const uint32_t *name;
	const struct asked *outer;
};

static _Thread_local const struct asked *asked
	__attribute__((tls_model("initial-exec")));

/* If the library does not have the symbol (any more), what the linker finds is
 * our own IFUNC, and that would ask the linker. */
static bool is_asked(const uint32_t *name)
{
	for (const struct asked *a = asked; a; a = a->outer)
		if (a->name == name)
			return true;
	return false;
}

/* Where its file says that the data are, from the load address. */
static bool offset_of_data(const struct question *q,
			   const struct elf_view *view, uintptr_t *ret)
{
	struct elf_symbol symbol;

	if (!elf_view_find(view, q->request.name, q->request.version,
			   &symbol) ||
	    symbol.type == ELF_TYPE_IFUNC || symbol.type == ELF_TYPE_TLS)
		return false;
	*ret = (uintptr_t)symbol.value;
	return true;
}

/*
 * A library that nobody has opened by its stubs may be there all the same: as
 * what another needs, if that was found past the stub file (an RPATH came
 * first, or the stub file's directory is gone). Perhaps it is just what is being
 * relocated; to open it would do that a second time, make it read-only, and the
 * linker would go on writing to it. So it is not opened, and nothing keeps it
 * mapped: who opened it by its path must not close it.
 */
static bool find_mapped_data(const struct question *q, void **ret)
{
	const char *path = module_object(q->module);
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	uintptr_t base, offset;
	size_t size;

	if (atomic_load(&q->module->handle) || loading_has_module(q->module) ||
	    !dl_load_address(path, NULL, 0, &base))
		return false;
	if (file_open(AT_FDCWD, path, &fd, NULL) < 0 ||
	    elf_view_open(fd, path, &view) < 0 ||
	    !offset_of_data(q, view, &offset))
		return false;
	const uint8_t *id = elf_view_build_id(view, &size);
	if (!dl_load_address(path, id, size, &base))
		return false;
	*ret = (void *)(base + offset);
	run_count(q->linked, false);
	return true;
}

static int find_data(const struct question *q, void **ret)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	struct asked this = {q->name, asked};

	if (find_mapped_data(q, ret))
		return 0;
	status_clear();
	int status = open_data(q, &loaded);

	if (status == 0) {
		asked = &this;
		status = dl_symbol(loaded.handle, q->request.name,
				   q->request.version, ret);
		asked = this.outer;
	}
	return judge(q, status, *ret);
}

static void relocating_end(const bool *before)
{
	dl_set_relocating(*before);
}

void *dlazy_linked_data(const struct linked *l, uint32_t symbol)
{
	int saved = errno;
	void *address = NULL;

	if (is_asked(name_of(l, symbol)))
		return NULL;
	_cleanup_(relocating_end) bool before = dl_set_relocating(true);
	_cleanup_question_ struct question q = {.linked = l};
	int status = question_begin(&q, l, symbol, __builtin_return_address(0));
	q.touch.relocating = true;
	if (status == 0)
		status = find_data(&q, &address);
	if (status < 0)
		address = bind_replacement(q.module, &q.touch, status);
	errno = saved;
	return address;
}

int linked_load(const struct linked *l, const void *caller)
{
	struct touch touch = {.caller = caller, .again = true};
	struct dlazy_module *m = linked_module(l);
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	if (!m)
		return status_fail(DLAZY_ENOMEM, "out of memory");
	int status = check_abi(l);
	if (status == 0)
		status = load_module(m, &touch, &loaded);
	if (status < 0)
		return explain(l, status);
	count(l, m, false);
	return 0;
}
