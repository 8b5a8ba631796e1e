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

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/hash.h"
#include "load/call.h"
#include "load/dl.h"
#include "load/failure.h"
#include "runtime/module.h"
#include "ledger/usdt.h"
#include "stub/stub.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct binding {
	struct dlazy_module *module;
	struct slot *slot;
	struct binding *next;	   /* of the module */
	struct binding *same_hash; /* other names of one hash */
	const char *version;	   /* NULL: the default */
	_Atomic(bool) touched;
	bool replaced; /* the slot holds a hook's replacement */
	char name[];   /* the version stands behind it */
};

/* ------------------------------------------------------------------ */
/* Names and bindings                                                 */

void bind_request_free(struct bind_request *request)
{
	free(request->copy);
}

int bind_parse(const char *symbol, struct bind_request *ret)
{
	const char *at = strchr(symbol, '@');

	*ret = (struct bind_request){symbol, NULL, NULL};
	if (!at)
		return 0;
	ret->copy = strdup(symbol);
	if (!ret->copy)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", symbol);
	ret->copy[at - symbol] = '\0';
	ret->name = ret->copy;
	ret->version = ret->copy + (at - symbol) + 1;
	if (ret->version[0] == '@') /* as nm(1) shows a default version */
		ret->version++;
	return 0;
}

static uint64_t binding_key(const char *name, const char *version)
{
	uint64_t key = hash_string(name);

	return version ? key ^ (hash_string(version) * 3) : key;
}

static struct binding *binding_find_locked(const struct dlazy_module *m,
					   const char *name,
					   const char *version)
{
	struct binding *b = map_get(&m->bindings, binding_key(name, version));

	for (; b; b = b->same_hash)
		if (!strcmp(b->name, name) && !b->version == !version &&
		    (!version || !strcmp(b->version, version)))
			return b;
	return NULL;
}

static void *binding_miss(struct slot *slot, const void *caller);

/* The binding of a function, new or not; NULL: no memory, no stub. */
static struct binding *binding_make_locked(struct dlazy_module *m,
					   const char *name,
					   const char *version)
{
	struct binding *b = binding_find_locked(m, name, version);
	size_t name_size = strlen(name) + 1;
	size_t version_size = version ? strlen(version) + 1 : 0;
	uint64_t key = binding_key(name, version);

	if (b)
		return b;
	_cleanup_free_ struct binding *fresh =
		calloc(1, sizeof(*fresh) + name_size + version_size);
	if (!fresh) {
		status_fail(DLAZY_ENOMEM, "%s: out of memory", name);
		return NULL;
	}
	memcpy(fresh->name, name, name_size);
	if (version)
		fresh->version =
			memcpy(fresh->name + name_size, version, version_size);
	ATOMIC_SHARED(&fresh->touched);
	fresh->module = m;
	fresh->next = m->all_bindings;
	fresh->same_hash = map_get(&m->bindings, key);
	/* The map first: a stub is never given back. */
	if (!map_put(&m->bindings, key, fresh)) {
		status_fail(DLAZY_ENOMEM, "%s: out of memory", name);
		return NULL;
	}
	b = TAKE_PTR(fresh);
	m->all_bindings = b;
	return b;
}

/* The binding's stub, made at first use; NULL with message. */
static void *binding_stub_locked(struct binding *b)
{
	if (!b->slot && stub_new(b, binding_miss, &b->slot) < 0)
		return NULL;
	return stub_code(b->slot);
}

/* ------------------------------------------------------------------ */
/* Real addresses                                                     */

static void pin(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	m->pinned = true;
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
	{
		LOCKED(&load_lock);
		/* A file that has changed since is not what was mapped. */
		if (!module_is_current_locked(m) ||
		    module_find_export_locked(m, request->name,
					      request->version, &export) < 0 ||
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

/* The message stays that of -DLAZY_EDEADLK, if it comes to that. Its own
 * function: a thread's stack may be small. */
__attribute__((noinline)) static int find_without_linker(
	struct dlazy_module *m, const struct bind_request *request, void **ret)
{
	char message[STATUS_MESSAGE_MAX];

	strcpy(message, status_message());
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
	if (m->symbols)
		return builtin_symbol(m, request->name, ret);
	status = load_module(m, touch, &loaded);
	*ret_published = loaded.published;
	if (status == -DLAZY_EDEADLK) {
		*ret_published = false;
		return find_without_linker(m, request, ret);
	}
	return status < 0 ? status
			  : dl_symbol(loaded.handle, request->name,
				      request->version, ret);
}

static void *find_real(struct dlazy_module *m,
		       const struct bind_request *request, const void *caller)
{
	struct touch touch = {.symbol = request->name, .caller = caller};
	void *address = NULL;
	bool published;

	if (bind_find(m, request, &touch, &address, &published) < 0)
		return NULL;
	if (!address)
		status_clear(); /* a symbol may legally be NULL */
	pin(m);
	return address;
}

void *bind_resolve(struct dlazy_module *m, const char *symbol,
		   const void *caller)
{
	_cleanup_request_ struct bind_request request = {NULL, NULL, NULL};

	if (bind_parse(symbol, &request) < 0)
		return NULL;
	return find_real(m, &request, caller);
}

/* ------------------------------------------------------------------ */
/* Stubs for symbols                                                  */

/* Looks in the libraries a file needs for an export of that name. */
struct closure_search {
	const struct bind_request *request;
	struct module_export export;
	bool found;
	int state; /* that kept a library from being looked at */
};

static bool search_needed(const char *name, const char *path,
			  const char *needed_by, void *data)
{
	struct closure_search *search = data;
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	struct elf_symbol symbol;

	(void)name;
	(void)needed_by;
	int status = path ? file_open(AT_FDCWD, path, &fd, NULL) : -1;
	if (status == 0)
		status = elf_view_open(fd, path, &view);
	if (status_is_state(status)) {
		search->state = status;
		return false;
	}
	if (status < 0 || !elf_view_find(view, search->request->name,
					 search->request->version, &symbol))
		return true;
	search->export = (struct module_export){
		symbol.value, symbol.type, symbol.is_default, symbol.variant};
	search->found = true;
	return false;
}

/* The export that a request means, in the file or, if wanted, its closure. */
static int find_export(struct dlazy_module *m,
		       const struct bind_request *request, bool closure,
		       struct module_export *ret)
{
	struct closure_search search = {.request = request};
	int status;
	{
		LOCKED(&load_lock);
		status = module_find_export_locked(m, request->name,
						   request->version, ret);
	}
	if (status != -DLAZY_ENOSYM || !closure)
		return status;
	status = search_closure(m->path, search_needed, &search);
	if (search.state < 0)
		return search.state;
	if (status_is_state(status))
		return status;
	if (!search.found)
		return status_fail(DLAZY_ENOSYM,
				   "neither %s nor a library it needs exports "
				   "%s",
				   m->path, request->name);
	*ret = search.export;
	return 0;
}

/* A function whose first call may come later than its look-up. */
static bool can_defer(const struct module_export *export)
{
	return (export->type == ELF_TYPE_FUNC ||
		export->type == ELF_TYPE_IFUNC) &&
	       !export->variant;
}

/* The stub that was handed out before, or NULL. */
static void *known_stub(struct dlazy_module *m,
			const struct bind_request *request)
{
	LOCKED(&load_lock);
	struct binding *b =
		binding_find_locked(m, request->name, request->version);

	return b && b->slot && !m->on_sym ? stub_code(b->slot) : NULL;
}

void *bind_sym(struct dlazy_module *m, const char *symbol, bool closure,
	       const void *caller)
{
	_cleanup_request_ struct bind_request request = {NULL, NULL, NULL};
	struct module_export export;
	void *stub = NULL;

	if (bind_parse(symbol, &request) < 0)
		return NULL;
	if (m->symbols)
		return builtin_symbol(m, request.name, &stub) < 0 ? NULL : stub;
	if (module_mode() == MODULE_OFF)
		return find_real(m, &request, caller);
	stub = known_stub(m, &request);
	if (stub)
		return stub;
	if (find_export(m, &request, closure, &export) < 0)
		return NULL;
	if (!can_defer(&export) || !stub_available() || m->on_sym)
		return find_real(m, &request, caller);

	LOCKED(&load_lock);
	struct binding *b = binding_make_locked(
		m, request.name, export.is_default ? NULL : request.version);
	return b ? binding_stub_locked(b) : NULL;
}

int bind_function(struct dlazy_module *m, const char *symbol,
		  const void *caller, void **ret)
{
	_cleanup_request_ struct bind_request request = {NULL, NULL, NULL};
	struct module_export export = {.type = ELF_TYPE_FUNC};
	struct touch touch = {.symbol = symbol, .caller = caller};
	bool published;
	int status = bind_parse(symbol, &request);

	if (status == 0 && !m->symbols && module_mode() != MODULE_OFF)
		status = find_export(m, &request, true, &export);
	if (status < 0)
		return status;
	if (export.type == ELF_TYPE_OBJECT || export.type == ELF_TYPE_TLS)
		return status_fail(DLAZY_EKIND, "%s of %s is data, no function",
				   symbol, m->path);
	return bind_find(m, &request, &touch, ret, &published);
}

/* Keeps a replacement in the slot, until the module's state changes; but not
 * where the next call may well find it loadable. */
static void keep_replacement(struct binding *b, void *replacement)
{
	LOCKED(&load_lock);
	const struct module_failure *failure = b->module->failure;
	if (!b->slot || atomic_load(&b->module->state) != DLAZY_FAILED ||
	    !failure || failure->passing)
		return;
	b->replaced = true;
	slot_publish(b->slot, replacement);
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

/* The address to call, now; only if *ret_published also next time. */
static void *binding_address(struct binding *b, const void *caller,
			     bool *ret_published)
{
	struct bind_request request = {b->name, b->version, NULL};
	struct touch touch = {.symbol = b->name, .caller = caller};
	void *address = NULL;

	tell_touch(b, caller);
	int status =
		bind_find(b->module, &request, &touch, &address, ret_published);
	if (status == 0 && !address)
		status = status_fail(DLAZY_ENOSYM, "%s: its value is NULL",
				     b->name);
	if (status == 0)
		return address;
	*ret_published = false;
	address = failure_replacement(b->module, &touch, status);
	keep_replacement(b, address);
	return address;
}

/* A stub was called and its slot has no address yet. */
static void *binding_miss(struct slot *slot, const void *caller)
{
	bool published;
	struct binding *b = slot->owner;
	void *address = binding_address(b, caller, &published);

	if (published) {
		slot_publish(slot, address);
		probe_bind(b->module, b->name, caller, address);
	}
	return address;
}

/* The same for a closure of libffi, which asks at every call. */
static void *binding_miss_closure(void *owner, const void *caller)
{
	bool published;

	return binding_address(owner, caller, &published);
}

void bind_arm_locked(struct dlazy_module *m)
{
	for (struct binding *b = m->all_bindings; b; b = b->next) {
		if (!b->slot)
			continue;
		stub_arm(b->slot);
		b->replaced = false;
		atomic_store(&b->touched, false);
	}
}

/* ------------------------------------------------------------------ */
/* Pointers of the host                                               */

void bind_forget_imports_locked(struct dlazy_module *m)
{
	while (m->imports) {
		struct import *import = m->imports;
		m->imports = import->next;
		free(import);
	}
}

/* The next pointer that still holds a stub. */
static struct import *next_import(struct dlazy_module *m,
				  struct binding **ret_binding)
{
	LOCKED(&load_lock);
	for (struct import *i = m->imports; i; i = i->next) {
		if (i->patched)
			continue;
		i->patched = true;
		*ret_binding = i->binding;
		return i;
	}
	return NULL;
}

/* Stores an address in all pointers to a binding that are still the host's. */
static void patch_imports(struct dlazy_module *m, const struct binding *b,
			  void *address)
{
	LOCKED(&load_lock);
	for (struct import *i = m->imports; i; i = i->next) {
		if (i->binding != b)
			continue;
		i->patched = true;
		__atomic_store_n(i->address, address, __ATOMIC_RELEASE);
	}
}

void bind_loaded(struct dlazy_module *m)
{
	struct binding *b;
	bool discardable;
	{
		LOCKED(&load_lock);
		for (b = m->all_bindings; b; b = b->next) {
			if (!b->replaced)
				continue;
			stub_arm(b->slot);
			b->replaced = false;
		}
		linked_arm_locked(m);
		discardable = !m->keep;
	}
	while (!discardable && next_import(m, &b)) {
		void *handle = atomic_load(&m->handle), *address = NULL;
		/* A symbol that is gone stays a stub, which will say so. */
		if (!handle ||
		    dl_symbol(handle, b->name, b->version, &address) < 0 ||
		    !address)
			continue;
		patch_imports(m, b, address);
		probe_bind(m, b->name, NULL, address);
	}
}

/* What one pointer will hold until the module is loaded. */
struct early {
	struct import *import; /* NULL: the address is the real one */
	void *address;
};

static void early_free(struct early **early)
{
	for (struct early *e = *early; e && e->address; e++)
		free(e->import);
	free(*early);
}

/* Without stubs, a closure of libffi will do if the host says the type. */
static int early_address(struct dlazy_module *m,
			 const struct bind_request *request,
			 const struct module_export *export,
			 const char *signature, struct early *ret)
{
	struct binding *b;
	{
		LOCKED(&load_lock);
		b = binding_make_locked(m, request->name,
					export->is_default ? NULL
							   : request->version);
		if (!b)
			return -DLAZY_ENOMEM;
		ret->import->binding = b;
		if (stub_available()) {
			ret->address = binding_stub_locked(b);
			return ret->address ? 0 : -DLAZY_ENOMEM;
		}
	}
	return call_closure(signature, binding_miss_closure, b, &ret->address);
}

static int early_prepare(struct dlazy_module *m,
			 const struct dlazy_import *wanted, const void *caller,
			 struct early *ret)
{
	_cleanup_request_ struct bind_request request = {NULL, NULL, NULL};
	struct module_export export = {.type = ELF_TYPE_FUNC};
	int status = bind_parse(wanted->symbol, &request);

	if (status == 0 && !m->symbols)
		status = find_export(m, &request, false, &export);
	if (status < 0)
		return status;
	if (export.type == ELF_TYPE_OBJECT || export.type == ELF_TYPE_TLS)
		return status_fail(DLAZY_EKIND,
				   "%s of %s is data: ask dlazy_sym() for it",
				   wanted->symbol, m->path);
	bool early = module_mode() != MODULE_OFF && !m->symbols &&
		     can_defer(&export) &&
		     (stub_available() || wanted->signature);
	if (!early) {
		ret->address = find_real(m, &request, caller);
		if (!ret->address && !status_is_pending())
			status_fail(DLAZY_ENOSYM, "%s: its value is NULL",
				    wanted->symbol);
		return ret->address ? 0 : status_last();
	}
	_cleanup_free_ struct import *import = calloc(1, sizeof(*import));
	if (!import)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory",
				   wanted->symbol);
	import->address = wanted->address;
	ret->import = import;
	status = early_address(m, &request, &export, wanted->signature, ret);
	if (status == 0)
		import = NULL;
	else
		ret->import = NULL;
	return status;
}

int bind_imports(struct dlazy_module *m, const struct dlazy_import *imports,
		 size_t n, const void *caller)
{
	_cleanup_(early_free) struct early *early =
		calloc(n + 1, sizeof(*early));

	if (!early)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", m->name);
	for (size_t i = 0; i < n; i++) {
		int status = early_prepare(m, &imports[i], caller, &early[i]);
		if (status < 0)
			return status;
	}
	{
		LOCKED(&load_lock);
		for (size_t i = 0; i < n; i++) {
			struct import *import = TAKE_PTR(early[i].import);
			ATOMIC_SHARED(imports[i].address);
			__atomic_store_n(imports[i].address, early[i].address,
					 __ATOMIC_RELEASE);
			if (!import)
				continue;
			import->next = m->imports;
			m->imports = import;
		}
	}
	if (atomic_load(&m->handle))
		bind_loaded(m);
	return 0;
}
