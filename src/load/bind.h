/* SPDX-License-Identifier: MIT */
/*
 * Bindings: a symbol of a module, the slot that keeps its address, and so the
 * stub that was handed out. One per module and symbol, for the life of the
 * process; the slow path of every stub ends here.
 */
#ifndef LOAD_BIND_H
#define LOAD_BIND_H

#include "load/load.h"

/* A function pointer of the host; see dlazy_bind(). */
struct import {
	struct import *next;
	struct binding *binding;
	void **address;
	bool patched; /* holds the real address */
};

/* As dlazy_sym(), for an open module. closure: look also in the libraries that
 * the file needs, by reading. */
void *bind_sym(struct dlazy_module *m, const char *symbol, bool closure,
	       const void *caller);

/* As dlazy_resolve(), for an open module. */
void *bind_resolve(struct dlazy_module *m, const char *symbol,
		   const void *caller);

/* As dlazy_bind(), for an open module. */
int bind_imports(struct dlazy_module *m, const struct dlazy_import *imports,
		 size_t n, const void *caller);

/* As dlazy_call() needs it: the address of a function, for this call. 0 or a
 * status; -DLAZY_EKIND: it is no function. */
int bind_function(struct dlazy_module *m, const char *symbol,
		  const void *caller, void **ret);

/* "NAME" or "NAME@VERSION", taken apart. */
struct bind_request {
	const char *name;
	const char *version; /* NULL: the default */
	char *copy;	     /* freed; NULL where none was needed */
};

/* 0 or -DLAZY_ENOMEM; the name is the symbol as it is then. */
int bind_parse(const char *symbol, struct bind_request *ret);
void bind_request_free(struct bind_request *request);
#define _cleanup_request_ _cleanup_(bind_request_free)

/* Loads, and asks the linker. *ret_published: the address holds from now on. 0
 * or a status. */
int bind_find(struct dlazy_module *m, const struct bind_request *request,
	      const struct touch *touch, void **ret, bool *ret_published);

/* The module has just been LOADED: host pointers get real addresses, and
 * replacements end. */
void bind_loaded(struct dlazy_module *m);

/* The module is being discarded: each stub loads again. */
void bind_arm_locked(struct dlazy_module *m);

/* The handle has become invalid: host pointers are left alone from now on. */
void bind_forget_imports_locked(struct dlazy_module *m);

#endif
