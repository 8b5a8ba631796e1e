/* SPDX-License-Identifier: MIT */
/*
 * dlazy_bind(): what a host's pointers hold before the module is loaded. All
 * pointers are prepared before any is stored, so that a failure changes none of
 * them. binding_loaded() sets them when the module is loaded.
 */
#include "load/import.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "load/bind.h"
#include "load/binding.h"
#include "load/call.h"
#include "load/dl.h"

#include <stdlib.h>

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
	struct binding *b = binding_make(
		m, request->name, export->is_default ? NULL : request->version);

	if (!b)
		return -DLAZY_ENOMEM;
	ret->import->binding = b;
	if (stub_available()) {
		ret->address = binding_stub(b, bind_miss);
		return ret->address ? 0 : -DLAZY_ENOMEM;
	}
	return call_closure(signature, bind_miss_closure, b, &ret->address);
}

/* The address is the one that will not change, loading if need be. */
static int early_real(struct dlazy_module *m,
		      const struct bind_request *request, const void *caller,
		      struct early *ret)
{
	ret->address = bind_real(m, request, caller);
	if (!ret->address && !status_is_pending())
		status_fail(DLAZY_ENOSYM, "%s: its value is NULL",
			    request->name);
	return ret->address ? 0 : status_last();
}

/* The address is one through which the first call loads. */
static int early_stub(struct dlazy_module *m,
		      const struct bind_request *request,
		      const struct module_export *export,
		      const struct dlazy_import *wanted, struct early *ret)
{
	_cleanup_free_ struct import *import = calloc(1, sizeof(*import));

	if (!import)
		return status_no_memory(wanted->symbol);
	import->address = wanted->address;
	ret->import = import;
	int status = early_address(m, request, export, wanted->signature, ret);
	if (status == 0)
		import = NULL;
	else
		ret->import = NULL;
	return status;
}

static bool is_deferred(const struct dlazy_module *m,
			const struct module_export *export,
			const struct dlazy_import *wanted)
{
	return module_mode() != MODULE_OFF && !stub_is_sealed() &&
	       !module_is_builtin(m) && bind_can_defer(export) &&
	       (stub_available() || wanted->signature);
}

static int early_prepare(struct dlazy_module *m,
			 const struct dlazy_import *wanted, const void *caller,
			 struct early *ret)
{
	_cleanup_request_ struct bind_request request = {.name = NULL};
	struct module_export export = {.type = ELF_TYPE_FUNC};
	int status = bind_parse(wanted->symbol, &request);

	if (status == 0 && !module_is_builtin(m))
		status = bind_find_export(m, &request, false, &export);
	if (status < 0)
		return status;
	if (export.type == ELF_TYPE_OBJECT || export.type == ELF_TYPE_TLS)
		return status_fail(DLAZY_EKIND,
				   "%s of %s is data: ask dlazy_sym() for it",
				   wanted->symbol, m->path);
	if (!is_deferred(m, &export, wanted))
		return early_real(m, &request, caller, ret);
	return early_stub(m, &request, &export, wanted, ret);
}

/* Stores what was prepared, and remembers which pointers are to be patched. */
static void early_store(struct dlazy_module *m,
			const struct dlazy_import *imports, size_t n,
			const void *object, struct early *early)
{
	_cleanup_(module_free_imports) struct import *ended = NULL;

	LOCKED(&load_lock);
	for (size_t i = 0; i < n; i++) {
		struct import *import = TAKE_PTR(early[i].import);

		/* Bound before, it is bound otherwise now. */
		module_forget_imports_locked(m, NULL, imports[i].address,
					     &ended);
		ATOMIC_SHARED(imports[i].address);
		__atomic_store_n(imports[i].address, early[i].address,
				 __ATOMIC_RELEASE);
		if (!import)
			continue;
		import->object = object;
		import->early = early[i].address;
		import->next = m->imports;
		m->imports = import;
	}
}

int import_bind(struct dlazy_module *m, const struct dlazy_import *imports,
		size_t n, const void *caller)
{
	_cleanup_(early_free) struct early *early =
		calloc(n + 1, sizeof(*early));

	if (!early)
		return status_no_memory(m->name);
	for (size_t i = 0; i < n; i++) {
		int status = early_prepare(m, &imports[i], caller, &early[i]);
		if (status < 0)
			return status;
	}
	early_store(m, imports, n, dl_object(caller), early);
	if (atomic_load(&m->handle))
		binding_loaded(m);
	return 0;
}

void import_unbind(struct dlazy_module *m, const struct dlazy_import *imports,
		   size_t n)
{
	_cleanup_(module_free_imports) struct import *ended = NULL;

	LOCKED(&load_lock);
	for (size_t i = 0; i < n; i++)
		module_forget_imports_locked(m, NULL, imports[i].address,
					     &ended);
}
