/* SPDX-License-Identifier: MIT */
/*
 * Finding and calling the ffi module. It is looked for beside this library's
 * own file first, so that a tree that was moved, or staged, uses its own; then
 * where it was configured to be.
 */
#include "load/call.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/signature.h"
#include "ffi/ffi.h"
#include "load/bind.h"
#include "load/dl.h"

#include <stdio.h>
#include <string.h>

static const char *chosen; /* by a test */

void call_use_module(const char *path)
{
	chosen = path;
}

/* Declares the file `relative` beside our own. */
static int declare_beside(const char *relative, struct dlazy_module **ret)
{
	_cleanup_free_ char *path = NULL;
	const char *own = dl_own_path();

	if (own[0] != '/' ||
	    asprintf(&path, "%.*s%s", (int)(file_base_name(own) - own), own,
		     relative) < 0)
		return -DLAZY_ENOENT;
	struct module_declaration declaration = {.path = path};
	return module_declare(&declaration, true, ret, NULL);
}

static int declare_ffi(struct dlazy_module **ret)
{
	struct module_declaration declaration = {
		.path = chosen ? chosen : DLAZY_PKGLIBDIR "/ffi.so"};

	int status =
		chosen ? -DLAZY_ENOENT : declare_beside("dlazy/ffi.so", ret);

	if (status < 0 && !status_is_state(status) && !chosen)
		status = declare_beside(DLAZY_BIN_TO_PKGLIB "/ffi.so", ret);
	if (status < 0 && !status_is_state(status))
		status = module_declare(&declaration, true, ret, NULL);
	if (status == 0 || status_is_state(status))
		return status;
	return status_fail(DLAZY_ENOSYS,
			   "calls by signature need the module %s: %s",
			   declaration.path, status_message());
}

/* A function of the ffi module; the module is declared at first use. */
static int find_ffi(const char *name, void **ret)
{
	static _Atomic(struct dlazy_module *) known;
	struct dlazy_module *ffi = atomic_load(&known);

	if (!ffi) {
		int status = declare_ffi(&ffi);
		if (status < 0)
			return status;
		ATOMIC_SHARED(&known);
		atomic_store(&known, ffi);
	}
	*ret = bind_resolve(ffi, name, __builtin_return_address(0));
	if (*ret)
		return 0;
	if (status_is_state(status_last())) /* or forbidden: it is there */
		return status_last();
	return status_fail(DLAZY_ENOSYS, "calls by signature: %s",
			   status_message());
}

int call_function(struct dlazy_module *m, const char *symbol,
		  const char *signature, void *ret, void **args,
		  const void *caller)
{
	struct signature parsed;
	void *function = NULL, *call = NULL;
	int status = signature_check(signature, &parsed);

	if (status == 0 && parsed.count && !args)
		status = status_fail(DLAZY_EINVAL, "%s: args is NULL", symbol);
	if (status == 0)
		status = bind_function(m, symbol, caller, &function);
	if (status == 0)
		status = find_ffi("dlazy_ffi_call", &call);
	if (status < 0)
		return status;
	if (!function)
		return status_fail(DLAZY_ENOSYM, "%s: its value is NULL",
				   symbol);
	status = ((__typeof__(&dlazy_ffi_call))call)(function, signature, ret,
						     args);
	if (status < 0)
		return status_fail(-status,
				   "%s: libffi does not make a call "
				   "of type %s",
				   symbol, signature);
	return 0;
}

int call_closure(const char *signature,
		 void *(*miss)(void *owner, const void *caller), void *owner,
		 void **ret_code)
{
	struct signature parsed;
	void *make = NULL;
	int status = signature_check(signature, &parsed);

	if (status == 0)
		status = find_ffi("dlazy_ffi_closure", &make);
	if (status < 0)
		return status;
	status = ((__typeof__(&dlazy_ffi_closure))make)(signature, miss, owner,
							ret_code);
	if (status < 0)
		return status_fail(-status,
				   "libffi makes no closure of type "
				   "%s",
				   signature);
	return 0;
}
