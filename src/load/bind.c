/* SPDX-License-Identifier: MIT */
/*
 * From a symbol's name to its address, early as a stub, late for good.
 *
 * Binding is by dlsym, which is the authority on versions, IFUNCs and scope.
 * By the offset that the file records it is done only where dlsym cannot be
 * asked: from a thread that the module's own constructor is waiting for.
 *
 * load_lock is held while bindings are looked up or made, never while the
 * linker, a hook or an observer may run.
 */
#include "load/bind.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/interrupt.h"
#include "load/binding.h"
#include "load/check.h"
#include "load/dl.h"
#include "load/failure.h"
#include "load/fallback.h"
#include "load/loading.h"
#include "load/use.h"
#include "stub/stub.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ */
/* Names                                                              */

void bind_request_free(struct bind_request *request)
{
	if (request->copy)
		free(request->copy);
}

int bind_parse(const char *symbol, struct bind_request *ret)
{
	const char *at = strchr(symbol, '@');
	size_t size = strlen(symbol) + 1;

	ret->name = symbol;
	ret->version = NULL;
	ret->copy = NULL;
	if (!at)
		return 0;
	char *name = ret->buffer;
	if (size > sizeof(ret->buffer))
		name = ret->copy = malloc(size);
	if (!name)
		return status_no_memory(symbol);
	memcpy(name, symbol, size);
	name[at - symbol] = '\0';
	ret->name = name;
	ret->version = name + (at - symbol) + 1;
	if (ret->version[0] == '@') /* as nm(1) shows a default version */
		ret->version++;
	return 0;
}

/* ------------------------------------------------------------------ */
/* Real addresses                                                     */

/* An address of it is given out; false: it is of an object that was replaced
 * since. */
static bool pin(struct dlazy_module *m, unsigned generation)
{
	LOCKED(&load_lock);
	if (atomic_load(&m->generation) != generation)
		return false;
	m->pinned = true;
	return true;
}

static int builtin_symbol(const struct dlazy_module *m, const char *name,
			  void **ret)
{
	for (size_t i = 0; i < m->symbols_count; i++) {
		if (strcmp(m->symbols[i].name, name))
			continue;
		*ret = m->symbols[i].address;
		return 0;
	}
	return status_fail(DLAZY_ENOSYM, "built-in module %s has no symbol %s",
			   m->name, name);
}

/*
 * The address of a function by what its file records, without the linker: for
 * a thread that a constructor of the module is waiting for. The module is
 * mapped and relocated then, as constructors run last. *ret is written only
 * on success; the failure that led here stays the message otherwise.
 */
static bool find_by_offset(struct dlazy_module *m,
			   const struct bind_request *request, void **ret)
{
	struct module_export export;
	uint8_t build_id[64];
	uintptr_t base;
	size_t size;

	/* So that it is read before: */
	if (module_refresh(m) < 0 ||
	    module_find_export(m, request->name, request->version, &export) < 0)
		return false;
	{
		LOCKED(&load_lock);
		/* A file that has changed since is not what was mapped. */
		if (!module_is_current_locked(m) ||
		    !module_find_known_locked(m, request->name,
					      request->version, &export) ||
		    export.type != ELF_TYPE_FUNC)
			return false;
		const uint8_t *id = m->view ? elf_view_build_id(m->view, &size)
					    : record_build_id(m->record, &size);
		if (size > sizeof(build_id))
			return false;
		if (size)
			memcpy(build_id, id, size);
	}
	if (!dl_load_address(module_object(m), build_id, size, &base))
		return false;
	*ret = (void *)(base + export.value);
	return true;
}

/* Of a module whose search was left to the linker, which is at it. */
static void locate(struct dlazy_module *m)
{
	_cleanup_free_ char *path = NULL;
	struct file_identity identity = module_identity(m);

	if (identity.ino || !m->looked_for)
		return;
	path = dl_mapped_path(m->looked_for);
	if (path && file_identify(AT_FDCWD, path, &identity) == 0)
		module_found(m, path, &identity);
}

/* The message stays that of -DLAZY_EDEADLK, if it comes to that. Its own
 * function: a thread's stack may be small. */
__attribute__((noinline)) static int find_without_linker(
	struct dlazy_module *m, const struct bind_request *request, void **ret)
{
	char message[STATUS_MESSAGE_MAX];

	strcpy(message, status_message());
	locate(m);
	if (find_by_offset(m, request, ret))
		return 0;
	return status_fail(DLAZY_EDEADLK, "%s", message);
}

int bind_find(struct dlazy_module *m, const struct bind_request *request,
	      const struct touch *touch, void **ret, bool *ret_published)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	int status;

	*ret_published = true;
	if (module_is_builtin(m))
		return builtin_symbol(m, request->name, ret);
	status = load_module(m, touch, &loaded);
	*ret_published = loaded.published;
	if (status == -DLAZY_EDEADLK) {
		*ret_published = false;
		return find_without_linker(m, request, ret);
	}
	if (status == 0 &&
	    !(loaded.published && dl_own_function(loaded.handle, request->name,
						  request->version, ret)))
		status = dl_symbol(loaded.handle, request->name,
				   request->version, ret);
	/* The reference stays, though the module is not LOADED yet; what this
	 * thread itself is loading has one. */
	if (status == 0 && touch->keep && !loading_has_module(m))
		loaded.published = true;
	return status;
}

void *bind_real(struct dlazy_module *m, const struct bind_request *request,
		const void *caller)
{
	struct touch touch = {
		.symbol = request->name, .caller = caller, .keep = true};
	void *address = NULL;
	unsigned generation;
	bool published;

	do {
		generation = atomic_load(&m->generation);
		if (bind_find(m, request, &touch, &address, &published) < 0)
			return NULL;
	} while (!pin(m, generation));
	if (!address)
		status_clear(); /* a symbol may legally be NULL */
	return address;
}

void *bind_resolve(struct dlazy_module *m, const char *symbol,
		   const void *caller)
{
	_cleanup_request_ struct bind_request request = {.name = NULL};

	if (bind_parse(symbol, &request) < 0)
		return NULL;
	return bind_real(m, &request, caller);
}

/* ------------------------------------------------------------------ */
/* Stubs for symbols                                                  */

/* Looks in the libraries a file needs for an export of that name. */
struct closure_search {
	const struct bind_request *request;
	struct module_export export;
	bool found;
};

static bool search_needed(const struct walk_object *object,
			  const struct walk_object *needed_by, void *data)
{
	struct closure_search *search = data;
	struct elf_symbol symbol;

	(void)needed_by;
	if (!object->view || !elf_view_find(object->view, search->request->name,
					    search->request->version, &symbol))
		return true;
	/* Another file's default is not what dlsym() without a version finds. */
	search->export = (struct module_export){
		symbol.value, symbol.type,
		symbol.is_default && !search->request->version, symbol.variant};
	search->found = true;
	return false;
}

int bind_absent(const struct dlazy_module *m, const char *symbol)
{
	return status_fail(DLAZY_ENOSYM,
			   "neither %s nor a library it needs exports %s",
			   m->path, symbol);
}

int bind_find_export(struct dlazy_module *m, const struct bind_request *request,
		     bool closure, struct module_export *ret)
{
	struct closure_search search = {.request = request};
	int status =
		module_find_export(m, request->name, request->version, ret);

	if (status != -DLAZY_ENOSYM || !closure)
		return status;
	status = load_check_walk(m->path, search_needed, &search);
	if (status_is_state(status))
		return status;
	if (!search.found)
		return bind_absent(m, request->name);
	*ret = search.export;
	return 0;
}

/* Of a module that is loaded, the linker knows. */
static bool is_absent_for_linker(struct dlazy_module *m,
				 const struct bind_request *request)
{
	struct touch touch = {.symbol = request->name};
	void *address;
	bool published;

	return atomic_load(&m->state) == DLAZY_LOADED &&
	       bind_find(m, request, &touch, &address, &published) ==
		       -DLAZY_ENOSYM;
}

bool bind_can_defer(const struct module_export *export)
{
	return (export->type == ELF_TYPE_FUNC ||
		export->type == ELF_TYPE_IFUNC) &&
	       !export->variant;
}

/* The stub that was handed out before, while the file was as it is; or NULL. */
static void *known_stub(struct dlazy_module *m,
			const struct bind_request *request, const void *object)
{
	LOCKED(&load_lock);
	struct binding *b =
		binding_find_locked(m, request->name, request->version);

	return b && b->slot && !module_is_on_sym_locked(m, object) &&
			       b->contents == m->contents
		       ? stub_code(b->slot)
		       : NULL;
}

static bool is_on_sym(struct dlazy_module *m, const void *object)
{
	LOCKED(&load_lock);
	return module_is_on_sym_locked(m, object);
}

void *bind_sym(struct dlazy_module *m, const char *symbol, bool closure,
	       const void *caller)
{
	_cleanup_request_ struct bind_request request = {.name = NULL};
	struct module_export export;
	void *stub = NULL;

	if (bind_parse(symbol, &request) < 0)
		return NULL;
	if (module_is_builtin(m))
		return builtin_symbol(m, request.name, &stub) < 0 ? NULL : stub;
	if (module_mode() == MODULE_OFF)
		return bind_real(m, &request, caller);
	const void *object = m->on_sym ? dl_object(caller) : NULL;
	stub = known_stub(m, &request, object);
	if (stub)
		return stub;
	if (closure && is_absent_for_linker(m, &request)) {
		bind_absent(m, request.name);
		return NULL;
	}
	if (bind_find_export(m, &request, closure, &export) < 0)
		return module_is_left_by_file(m)
			       ? bind_real(m, &request, caller)
			       : NULL;
	if (!bind_can_defer(&export) || !stub_available() ||
	    is_on_sym(m, object))
		return bind_real(m, &request, caller);

	struct binding *b = binding_make(
		m, request.name, export.is_default ? NULL : request.version);
	return b ? binding_stub(b, bind_miss) : NULL;
}

int bind_function(struct dlazy_module *m, const char *symbol,
		  const void *caller, void **ret)
{
	_cleanup_request_ struct bind_request request = {.name = NULL};
	struct module_export export = {.type = ELF_TYPE_FUNC};
	struct touch touch = {.symbol = symbol, .caller = caller};
	bool published;
	int status = bind_parse(symbol, &request);

	if (status == 0 && !module_is_builtin(m) && module_mode() != MODULE_OFF)
		status = bind_find_export(m, &request, true, &export);
	if (status < 0)
		return status;
	if (export.type == ELF_TYPE_OBJECT || export.type == ELF_TYPE_TLS)
		return status_fail(DLAZY_EKIND, "%s of %s is data, no function",
				   symbol, m->path);
	return bind_find(m, &request, &touch, ret, &published);
}

/* ------------------------------------------------------------------ */
/* The slow path                                                      */

static void tell_touch(struct binding *b, const void *caller)
{
	if (atomic_exchange(&b->touched, true) || !event_wanted())
		return;
	event_emit((struct dlazy_event){.kind = DLAZY_EVENT_TOUCH,
					.module = b->module,
					.symbol = b->name,
					.caller = caller});
}

static bool has_base(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m->base;
}

/* A fallback's function, without the linker, which may be loading: a built-in's,
 * or a plain function by what its file records. */
static void *find_beside_linker(const struct fallback *f,
				const struct bind_request *request)
{
	struct module_export export;
	void *address = NULL;

	if (module_is_builtin(f->other))
		return builtin_symbol(f->other, request->name, &address) == 0
			       ? address
			       : NULL;
	/* Nothing is read for a module that does not stand in. */
	if (!has_base(f->other) ||
	    module_find_export(f->other, request->name, request->version,
			       &export) < 0)
		return NULL;
	LOCKED(&load_lock);
	if (!f->other->base ||
	    !module_find_known_locked(f->other, request->name, request->version,
				      &export) ||
	    export.type != ELF_TYPE_FUNC)
		return NULL;
	return (void *)(f->other->base + export.value);
}

/* What is called while the module is being loaded, so that nobody waits; NULL:
 * nothing. The slot keeps it until that has ended. */
static void *stand_in(struct binding *b, const struct bind_request *request,
		      const struct touch *touch)
{
	struct dlazy_module *m = b->module;
	int state = atomic_load(&m->state);
	struct fallback f;

	if (state == DLAZY_LOADED || !fallback_of(m, &f) || !f.queue ||
	    loading_has_module(m))
		return NULL;
	void *address = find_beside_linker(&f, request);
	/* Of a sealed process it will never be loaded. */
	if (address && (state != DLAZY_DECLARED || stub_is_sealed() ||
			f.queue(m, touch->caller) == 0))
		binding_stand_in(b, address);
	status_clear();
	return address;
}

/* The words of the failure are needed if this fails, too. Its own function, as a
 * thread's stack may be small. */
__attribute__((noinline)) static void *find_in_fallback(
	const struct fallback *f, const struct bind_request *request,
	const struct touch *touch)
{
	char message[STATUS_MESSAGE_MAX];
	int status = status_last();
	unsigned generation;
	void *address = NULL;
	bool published;

	strcpy(message, status_message());
	do {
		generation = atomic_load(&f->other->generation);
		if (bind_find(f->other, request, touch, &address, &published) <
			    0 ||
		    !address) {
			status_fail(-status, "%s", message);
			return NULL;
		}
	} while (!pin(f->other, generation));
	status_clear();
	return address;
}

void *bind_instead(struct dlazy_module *m, const struct bind_request *request,
		   const struct touch *touch)
{
	struct fallback f;

	return m && fallback_of(m, &f) ? find_in_fallback(&f, request, touch)
				       : NULL;
}

/* The address to call, now; only if *ret_published also next time. NULL, and
 * *ret_failure: it cannot be called. */
static void *binding_address(struct binding *b, const void *caller,
			     bool *ret_published,
			     struct stub_failure *ret_failure)
{
	struct bind_request request = {.name = b->name, .version = b->version};
	struct touch touch = {.symbol = b->name, .caller = caller};
	void *address = NULL;

	tell_touch(b, caller);
	address = stand_in(b, &request, &touch);
	*ret_published = false;
	if (address)
		return address;
	use_note(b->module);
	int status =
		bind_find(b->module, &request, &touch, &address, ret_published);
	if (status == 0 && !address)
		status = status_fail(DLAZY_ENOSYM, "%s: its value is NULL",
				     b->name);
	if (status == 0)
		return address;
	*ret_published = false;
	address = bind_instead(b->module, &request, &touch);
	if (!address)
		address = binding_replacement(b);
	if (address)
		return address;
	failure_prepare(b->module, &touch, status, ret_failure);
	ret_failure->keep = binding_replace;
	ret_failure->slot = b;
	return NULL;
}

void *bind_miss(struct slot *slot, const void *caller,
		struct stub_failure *ret_failure)
{
	bool published;
	struct binding *b = slot->owner;
	unsigned generation = atomic_load(&b->module->generation);
	void *address = binding_address(b, caller, &published, ret_failure);

	if (address && published) {
		binding_publish(b, generation, address);
		event_bound(b->module, b->name, caller, address);
	}
	return address;
}

static void *find_uninterrupted(struct binding *b, const void *caller,
				struct stub_failure *ret_failure)
{
	bool published;

	UNINTERRUPTED();
	return binding_address(b, caller, &published, ret_failure);
}

void *bind_miss_closure(void *owner, const void *caller)
{
	struct stub_failure failure;
	void *address = find_uninterrupted(owner, caller, &failure);

	return address ? address : failure_instead(&failure);
}

int bind_behind_stub(const void *code, const void *caller, void **ret)
{
	const struct slot *slot = stub_slot_of(code);
	const struct binding *b = slot ? slot->owner : NULL;
	bool published;

	if (!b)
		return -DLAZY_ENOSYM;
	struct bind_request request = {.name = b->name, .version = b->version};
	struct touch touch = {.symbol = b->name, .caller = caller};
	return bind_find(b->module, &request, &touch, ret, &published);
}
