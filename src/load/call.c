/* SPDX-License-Identifier: MIT */
/*
 * Calls by signature and closures, through the module ffi.so, which does what
 * needs libffi.
 */
#include "load/call.h"

#include "base/signature.h"
#include "ffi/ffi.h"
#include "load/bind.h"
#include "load/part.h"

static struct part ffi = {.file = "ffi.so", .for_what = "calls by signature"};

void call_use_module(const char *path)
{
	ffi.chosen = path;
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
		status = part_find(&ffi, "dlazy_ffi_call", &call);
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
		status = part_find(&ffi, "dlazy_ffi_closure", &make);
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
