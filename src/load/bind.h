/* SPDX-License-Identifier: MIT */
/*
 * From a symbol's name to its address: early as a stub, late for good. The slow
 * path of every stub ends here.
 */
#ifndef LOAD_BIND_H
#define LOAD_BIND_H

#include "load/load.h"
#include "stub/slot.h"

/* As dlazy_sym(), for an open module. closure: look also in the libraries that
 * the file needs, by reading. */
void *bind_sym(struct dlazy_module *m, const char *symbol, bool closure,
	       const void *caller);

/* As dlazy_resolve(), for an open module. */
void *bind_resolve(struct dlazy_module *m, const char *symbol,
		   const void *caller);

/* As dlazy_call() needs it: the address of a function, for this call. 0 or a
 * status; -DLAZY_EKIND: it is no function. */
int bind_function(struct dlazy_module *m, const char *symbol,
		  const void *caller, void **ret);

/* "NAME" or "NAME@VERSION", taken apart. */
struct bind_request {
	const char *name;
	const char *version; /* NULL: the default */
	char *copy;	     /* freed; NULL where none was needed */
	char buffer[256];    /* a shorter one; no first call of a function of
				a loaded library may allocate */
};

/* 0 or -DLAZY_ENOMEM; the name is the symbol as it is then. */
int bind_parse(const char *symbol, struct bind_request *ret);
void bind_request_free(struct bind_request *request);
#define _cleanup_request_ _cleanup_(bind_request_free)

/* Loads, and asks the linker. *ret_published: the address holds from now on. 0
 * or a status. */
int bind_find(struct dlazy_module *m, const struct bind_request *request,
	      const struct touch *touch, void **ret, bool *ret_published);

/* The function of a module's fallback (load/fallback.h), as the module has failed for
 * the pending reason, which stays so where there is none: NULL. */
void *bind_instead(struct dlazy_module *m, const struct bind_request *request,
		   const struct touch *touch);

/* As dlazy_resolve(), of a symbol taken apart. */
void *bind_real(struct dlazy_module *m, const struct bind_request *request,
		const void *caller);

/* The failure of who finds no such symbol, -DLAZY_ENOSYM. */
int bind_absent(const struct dlazy_module *m, const char *symbol);

/* The export that a request means, in the file or, if wanted, in the libraries
 * that it needs. 0 or a status. */
int bind_find_export(struct dlazy_module *m, const struct bind_request *request,
		     bool closure, struct module_export *ret);

/* A function whose first call may come later than its look-up. */
bool bind_can_defer(const struct module_export *export);

/* A stub was called and its slot has no address yet. As stub_miss_fn. */
struct stub_failure;
void *bind_miss(struct slot *slot, const void *caller,
		struct stub_failure *ret_failure);

/* The real address of the function behind a stub of ours, loading its module. 0,
 * -DLAZY_ENOSYM without words (no stub), or a status. */
int bind_behind_stub(const void *code, const void *caller, void **ret);

/* The same as bind_miss() for a closure of libffi, which asks at every call; its owner is a
 * binding. */
void *bind_miss_closure(void *owner, const void *caller);

#endif
