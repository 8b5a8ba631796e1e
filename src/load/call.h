/* SPDX-License-Identifier: MIT */
/*
 * Calls by signature. What needs libffi is a module of its own (src/ffi/),
 * which this library declares and loads as it does any other.
 */
#ifndef LOAD_CALL_H
#define LOAD_CALL_H

#include "load/module.h"

/* As dlazy_call(), for an open module. */
int call_function(struct dlazy_module *m, const char *symbol,
		  const char *signature, void *ret, void **args,
		  const void *caller);

/* A closure of that type, which asks miss(owner, caller) for the address at
 * each call. 0, -DLAZY_EINVAL (signature), -DLAZY_ENOSYS (no libffi). */
int call_closure(const char *signature,
		 void *(*miss)(void *owner, const void *caller), void *owner,
		 void **ret_code);

/* Where the module is, instead of the installed place: for tests. */
void call_use_module(const char *path);

#endif
