/* SPDX-License-Identifier: MIT */
/*
 * The modules of linked stubs. They differ little from others: the module is
 * made when it is first needed, from what the stub file says; its ELF file is
 * not read; and its slots are the stub file's.
 *
 * Every function here may be called before this library's own constructors
 * have run.
 */
#include "runtime/module.h"

#include "base/above.h"
#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "load/bind.h"
#include "load/binding.h"
#include "load/dl.h"
#include "load/failure.h"
#include "load/loading.h"
#include "load/load.h"
#include "runtime/file.h"
#include "runtime/root.h"
#include "runtime/touched.h"
#include "stub/stub.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ */
/* Its module                                                         */

/* A library that is loaded already comes into the global scope, where it would
 * have been if it were linked. */
static void make_global(struct dlazy_module *m)
{
	m->flags |= dl_flags_linked(false);
	if (atomic_load(&m->handle))
		dl_widen(module_object(m), dl_flags_linked(false));
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
	if (touched_is_run())
		root_remember();
	while (start.modules) {
		_cleanup_free_ struct early_module *early = start.modules;

		start.modules = early->next;
		make_global(early->module);
	}
}

ABOVE_NONE void (*linked_first)(void) = NULL;

/* Of a module whose search was left to the linker: where the library is. What
 * is not found is looked for again when it is to be loaded. */
static void locate(const struct linked *l, struct dlazy_module *m)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);

	if (!atomic_load(&m->handle) && !module_identity(m).ino &&
	    linked_search_next(&search))
		module_found(m, search.path, &search.identity);
	status_clear();
}

/* Of a plugin's file the library may be the module. */
static bool is_left_to_linker(const struct linked *l)
{
	return !module_has_files() && linked_is_left_to_linker(l);
}

static struct dlazy_module *make_module(const struct linked *l, bool located)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	bool left = is_left_to_linker(l), searches = located || !left;
	bool found = searches && linked_search_next(&search);
	struct module_declaration declaration = {
		.path = found ? search.path : NULL,
		.flags = dl_flags_linked(!start.over),
		.by = l,
		.by_name = left,
	};
	struct dlazy_module *m;

	if (searches && !found)
		status_clear();
	if (module_declare_late(&declaration, &linked_kind, l,
				linked_first_file(l), &search.identity, &m) < 0)
		return NULL;
	if (l->run || *linked_string(l, l->build))
		atomic_store(&m->of_one_build, true);
	if (!start.over)
		remember_early(m);
	else if (m->source != l)
		make_global(m);
	/* A plugin with stubs may be closed; modules point into it. */
	if (start.over && !l->run)
		dl_keep(l);
	return m;
}

/* `located`: it is to be known where the library is, or that it is not there. */
static struct dlazy_module *module_for(const struct linked *l, bool located)
{
	struct linked_state *state = linked_state(l);
	struct dlazy_module *none = NULL, *m;

	m = atomic_load_explicit(&state->module, memory_order_acquire);
	if (m && located)
		locate(l, m);
	if (m)
		return m;
	if (linked_first)
		linked_first();
	m = make_module(l, located);
	if (!m)
		return NULL;
	ATOMIC_SHARED(&state->module);
	if (atomic_compare_exchange_strong(&state->module, &none, m))
		return m;
	return none;
}

struct dlazy_module *linked_module(const struct linked *l)
{
	return module_for(l, true);
}

/* Another build may return something else: its own functions are called. */
static void bind_constant_functions(const struct linked *l,
				    struct dlazy_module *m)
{
	const uint32_t *constant_symbols = linked_at(l, l->constant_symbols);
	linked_slot *slots = (linked_slot *)linked_at(l, l->slots);

	struct file_identity identity = module_identity(m);

	if (linked_is_build(l, m->path, &identity))
		return;
	for (uint32_t i = 0; i < l->constants; i++) {
		_cleanup_request_ struct bind_request request = {.name = NULL};
		struct touch touch = {.caller = l};
		void *address;
		bool published;

		if (bind_parse(linked_name(l, constant_symbols[i]), &request) ==
			    0 &&
		    bind_find(m, &request, &touch, &address, &published) == 0 &&
		    published && !dl_is_same_object(address, l))
			atomic_store(&slots[constant_symbols[i]], address);
	}
	status_clear();
}

/* The library is in use, and so is one more of its functions if `bound`. */
void linked_count(const struct linked *l, struct dlazy_module *m, bool bound)
{
	struct linked_state *state = linked_state(l);
	void *handle = atomic_load(&m->handle);

	if (handle && !atomic_load(&state->base) &&
	    !atomic_exchange(&state->base, dl_base(handle)) && l->constants)
		bind_constant_functions(l, m);
	touched_count(l, bound);
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

/* ------------------------------------------------------------------ */
/* Functions                                                          */

void linked_question_end(struct linked_question *q)
{
	bind_request_free(&q->request);
}

/* What a later dlazy writes may ask for what is not known here. */
static int check_abi(const struct linked *l)
{
	if (l->abi <= LINKED_ABI_LATEST)
		return 0;
	return status_fail(DLAZY_ENOSYS,
			   "%s: its stub file was made for a later libdlazy "
			   "than this one (%s): install that",
			   linked_first_file(l), PACKAGE_VERSION);
}

int linked_question_begin(struct linked_question *q, const void *caller)
{
	q->module = module_for(q->linked, q->touch.relocating);
	int status = bind_parse(q->symbol, &q->request);
	q->touch.symbol = q->request.name;
	q->touch.caller = caller;
	if (status == 0 && !q->module)
		status = status_no_memory(NULL);
	return status < 0 ? status : check_abi(q->linked);
}

/* Is it told for the first time? Slots have no room for that. */
static bool is_news(const struct linked_question *q)
{
	static struct map told; /* name -> name; under load_lock */
	uint64_t key = map_pointer_key(q->name);

	if (!module_make_room(&told))
		return true;
	LOCKED(&load_lock);
	return !map_get(&told, key) && map_put(&told, key, (void *)q->name);
}

void linked_tell_touch(const struct linked_question *q)
{
	if (event_wanted() && is_news(q))
		event_emit((struct dlazy_event){.kind = DLAZY_EVENT_TOUCH,
						.module = q->module,
						.symbol = q->touch.symbol,
						.caller = q->touch.caller});
}

/*
 * Checks the linker's answer: through what the library needs, the stub file
 * itself can be the object that has the symbol.
 */
int linked_judge(const struct linked_question *q, int status,
		 const void *address)
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
static bool offset_of(const struct linked_question *q, uintptr_t *ret)
{
	size_t n = strlen(LINKED_OFFSET);

	if (strncmp(q->symbol, LINKED_OFFSET, n) != 0)
		return false;
	*ret = (uintptr_t)strtoull(q->symbol + n, NULL, 16);
	return true;
}

/* A function without a name: only in the very build that was looked at is it
 * what it was. */
static int find_unnamed(const struct linked_question *q, uintptr_t offset,
			void **ret, bool *ret_published)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	uint8_t id[LINKED_BUILD_MAX];
	uintptr_t base;
	int status = load_module(q->module, &q->touch, &loaded);

	*ret_published = loaded.published;
	if (status < 0)
		return status;
	if (!dl_load_address(module_object(q->module), id,
			     linked_build(q->linked, id), &base))
		return status_fail(
			DLAZY_ENOSYM,
			"%s is another build than the stub was made for: start "
			"the program again",
			q->module->path);
	*ret = (void *)(base + offset);
	return 0;
}

static int find_function(const struct linked_question *q, void **ret,
			 bool *ret_published)
{
	uintptr_t offset;

	linked_tell_touch(q);
	if (offset_of(q, &offset)) {
		int r = find_unnamed(q, offset, ret, ret_published);
		return r < 0 ? explain(q->linked, r) : 0;
	}
	int status = bind_find(q->module, &q->request, &q->touch, ret,
			       ret_published);
	return linked_judge(q, status, *ret);
}

/* `generation`: of the module, when the address was asked for. */
static void publish(const struct linked_question *q, unsigned generation,
		    linked_slot *slot, void *address)
{
	bool first;

	ATOMIC_SHARED(slot);
	if (linked_can_follow(q->module))
		binding_publish_linked(q->module, generation, slot, address,
				       &first);
	else
		first = !atomic_exchange_explicit(slot, address,
						  memory_order_release);
	linked_count(q->linked, q->module, first);
	event_bound(q->module, q->touch.symbol, q->touch.caller, address);
}

/* What a slot is for: its name lies behind it, or is found by its number. */
static struct linked_question question_of(const struct linked *l,
					  linked_slot *slot)
{
	const linked_slot *slots = linked_at(l, l->slots);

	const struct linked_named *named = (const struct linked_named *)slot;
	const char *name = named->name;

	if (l->abi == LINKED_ABI)
		return linked_question(l, (uint32_t)(slot - slots));
	if (l->abi != LINKED_ABI_NAMED)
		name = "a function"; /* check_abi() has the words */
	return (struct linked_question){
		.linked = l,
		.name = name,
		.symbol = name,
	};
}

static void *linked_miss(const struct linked *l, linked_slot *slot,
			 const void *caller, struct stub_failure *ret_failure)
{
	_cleanup_question_ struct linked_question q = question_of(l, slot);
	void *address = NULL;
	bool published = false;
	unsigned generation = 0;
	int status = linked_question_begin(&q, caller);

	if (status == 0) {
		generation = atomic_load(&q.module->generation);
		status = find_function(&q, &address, &published);
	}
	if (status < 0) {
		address = bind_instead(q.module, &q.request, &q.touch);
		if (!address)
			address = binding_replacement_of_slot(q.module, slot);
		if (address)
			return address;
		failure_prepare(q.module, &q.touch, status, ret_failure);
		ret_failure->keep = binding_replace_slot;
		ret_failure->slot = slot;
		return NULL;
	}
	if (published)
		publish(&q, generation, slot, address);
	return address;
}

ABOVE stub_linked_miss_fn *stub_linked_miss = linked_miss;

/* Nothing is unloaded or reloaded any more, and observers are not told. */
static void *settled_target(const struct linked *l, linked_slot *slot)
{
	_cleanup_question_ struct linked_question q = question_of(l, slot);
	struct dlazy_module *m = atomic_load(&linked_state(l)->module);
	void *handle = m ? atomic_load(&m->handle) : NULL, *address;

	if (!handle || check_abi(l) < 0 ||
	    bind_parse(q.symbol, &q.request) < 0 ||
	    !dl_own_function(handle, q.request.name, q.request.version,
			     &address))
		return NULL;
	ATOMIC_SHARED(slot);
	atomic_store_explicit(slot, address, memory_order_release);
	return address;
}

ABOVE stub_linked_settled_fn *stub_linked_settled = settled_target;

int linked_load(const struct linked *l, const void *caller)
{
	struct touch touch = {.caller = caller, .again = true};
	struct dlazy_module *m = module_for(l, false);
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	if (!m)
		return status_no_memory(NULL);
	int status = check_abi(l);
	if (status == 0)
		status = load_module(m, &touch, &loaded);
	if (status < 0)
		return explain(l, status);
	linked_count(l, m, false);
	return 0;
}
