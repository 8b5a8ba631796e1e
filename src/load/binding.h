/* SPDX-License-Identifier: MIT */
/*
 * What was given out of a module, and must change when the module is loaded or
 * discarded: bindings (a symbol, and the slot of the one stub of this module
 * for it), replacements that failure hooks gave, and function pointers of the
 * host.
 */
#ifndef LOAD_BINDING_H
#define LOAD_BINDING_H

#include "load/module.h"
#include "stub/stub.h"

struct binding {
	struct dlazy_module *module;
	struct slot *slot;
	struct binding *next;	   /* of the module */
	struct binding *same_hash; /* other names of one hash */
	const char *version;	   /* NULL: the default */
	_Atomic(bool) touched;
	void *replacement; /* that a hook gave; NULL: none */
	bool stood_in;	   /* the slot holds a fallback's function */
	unsigned contents; /* of the module, which are known to export it */
	char name[];	   /* the version stands behind it */
};

/* NULL: there is none yet. */
struct binding *binding_find_locked(const struct dlazy_module *m,
				    const char *name, const char *version);

/* The binding of a function that the module exports, new or not; NULL: no
 * memory. */
struct binding *binding_make(struct dlazy_module *m, const char *name,
			     const char *version);

/* The binding's stub, made at first use; NULL with message. `miss` is the same
 * for all. */
void *binding_stub(struct binding *b, stub_miss_fn *miss);

/*
 * Keep a hook's replacement until the module is loaded: of a binding, which
 * failure->slot is; of a slot that is no binding's. Slots stay as they are, so that
 * a later call finds out whether the module can be loaded by then; if not, it asks
 * for what was kept. NULL: nothing was.
 */
void binding_replace(const struct stub_failure *failure, void *replacement);
void binding_replace_slot(const struct stub_failure *failure,
			  void *replacement);

void *binding_replacement(const struct binding *b);
void *binding_replacement_of_slot(const struct dlazy_module *m,
				  const _Atomic(void *) *slot);

/* A fallback's function is called until the module is loaded. */
void binding_stand_in(struct binding *b, void *address);

/* It is loaded: whoever sees that finds no function of a fallback in a stub. */
void binding_end_stand_ins_locked(struct dlazy_module *m);

/* The module has just been LOADED: host pointers get real addresses, and
 * replacements end. */
void binding_loaded(struct dlazy_module *m);

/*
 * The slot keeps an address that was found while the module was of that generation,
 * if it still is: else it is of an object that was replaced since, in which this one
 * call may end, and no other begin.
 */
void binding_publish(struct binding *b, unsigned generation, void *address);

/*
 * The same of a slot of a stub file, where the module may be reloaded: the slot is zero
 * again then. *ret_first: it was.
 */
void binding_publish_linked(struct dlazy_module *m, unsigned generation,
			    _Atomic(void *) *slot, void *address,
			    bool *ret_first);

/* Each stub of a loaded module that was not called yet gets its address. */
void binding_complete(struct dlazy_module *m);

/* The module is being discarded: each stub loads again. */
void binding_arm_locked(struct dlazy_module *m);

/* Calls through stubs of a discardable module are to be seen, once each. */
void binding_look_locked(const struct dlazy_module *m);

/* The module has another object: stubs look again, and pointers of the host go to
 * them until binding_loaded(). */
void binding_switch_locked(struct dlazy_module *m);

#endif
