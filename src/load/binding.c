/* SPDX-License-Identifier: MIT */
/*
 * Keeping bindings. A binding has the slot of its stub from the first look-up
 * on, for the life of the process, as a stub may be called at any time. All of
 * it is guarded by load_lock, which is not held while the linker is asked.
 */
#include "load/binding.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/hash.h"
#include "load/dl.h"
#include "stub/noted.h"

#include <stdlib.h>
#include <string.h>

static uint64_t binding_key(const char *name, const char *version)
{
	uint64_t key = hash_string(name);

	return version ? key ^ (hash_string(version) * 3) : key;
}

struct binding *binding_find_locked(const struct dlazy_module *m,
				    const char *name, const char *version)
{
	struct binding *b = map_get(&m->bindings, binding_key(name, version));

	for (; b; b = b->same_hash)
		if (!strcmp(b->name, name) && !b->version == !version &&
		    (!version || !strcmp(b->version, version)))
			return b;
	return NULL;
}

static struct binding *binding_new(struct dlazy_module *m, const char *name,
				   const char *version)
{
	size_t name_size = strlen(name) + 1;
	size_t version_size = version ? strlen(version) + 1 : 0;
	struct binding *b = calloc(1, sizeof(*b) + name_size + version_size);

	if (!b)
		return NULL;
	memcpy(b->name, name, name_size);
	if (version)
		b->version = memcpy(b->name + name_size, version, version_size);
	ATOMIC_SHARED(&b->touched);
	b->module = m;
	return b;
}

/* The one that there is, as what the file exports now. */
static struct binding *renewed_locked(const struct dlazy_module *m,
				      const char *name, const char *version)
{
	struct binding *b = binding_find_locked(m, name, version);

	if (b)
		b->contents = m->contents;
	return b;
}

static struct binding *renewed(const struct dlazy_module *m, const char *name,
			       const char *version)
{
	LOCKED(&load_lock);
	return renewed_locked(m, name, version);
}

/* The map first: a stub is never given back. */
static bool binding_add_locked(struct binding *b)
{
	struct dlazy_module *m = b->module;
	uint64_t key = binding_key(b->name, b->version);

	b->contents = m->contents;
	b->next = m->all_bindings;
	b->same_hash = map_get(&m->bindings, key);
	if (!map_put(&m->bindings, key, b))
		return false;
	m->all_bindings = b;
	return true;
}

struct binding *binding_make(struct dlazy_module *m, const char *name,
			     const char *version)
{
	struct binding *b = renewed(m, name, version);

	if (b)
		return b;
	UNINTERRUPTED(); /* once, rather than for each lock */
	_cleanup_free_ struct binding *fresh = binding_new(m, name, version);
	if (fresh && module_make_room(&m->bindings)) {
		LOCKED(&load_lock);
		b = renewed_locked(m, name, version);
		if (!b && binding_add_locked(fresh))
			b = TAKE_PTR(fresh);
	}
	if (!b)
		status_no_memory(name);
	return b;
}

void *binding_stub(struct binding *b, stub_miss_fn *miss)
{
	LOCKED(&load_lock);
	if (!b->slot && stub_new(b, miss, &b->slot) < 0)
		return NULL;
	return stub_code(b->slot);
}

void binding_publish(struct binding *b, unsigned generation, void *address)
{
	LOCKED(&load_lock);
	if (atomic_load(&b->module->generation) == generation)
		stub_publish(b->slot, address);
}

/* false: there is no room to note it. */
static bool publish_linked(struct dlazy_module *m, unsigned generation,
			   _Atomic(void *) *slot, void *address,
			   struct noted_slots **fresh, bool *ret_first)
{
	LOCKED(&load_lock);
	*ret_first = false;
	if (atomic_load(&m->generation) != generation)
		return true;
	bool first = !atomic_load_explicit(slot, memory_order_relaxed);
	if (first && !noted_add(&m->linked_slots, slot, fresh))
		return false;
	*ret_first = first;
	atomic_store_explicit(slot, address, memory_order_release);
	return true;
}

void binding_publish_linked(struct dlazy_module *m, unsigned generation,
			    _Atomic(void *) *slot, void *address,
			    bool *ret_first)
{
	struct noted_slots *fresh = NULL;

	if (publish_linked(m, generation, slot, address, &fresh, ret_first))
		return;
	fresh = noted_new(); /* NULL: the next call looks again */
	publish_linked(m, generation, slot, address, &fresh, ret_first);
	noted_free(fresh);
}

/* ------------------------------------------------------------------ */
/* Replacements                                                       */

/* Of another slot than a binding's. */
struct replaced_slot {
	struct replaced_slot *next;
	const _Atomic(void *) *slot;
	void *replacement;
};

/* Not where the next call may well find the module loadable. */
static bool keeps_failing_locked(const struct dlazy_module *m)
{
	return atomic_load(&m->state) == DLAZY_FAILED && m->failure &&
	       !m->failure->passing;
}

void binding_replace(const struct stub_failure *failure, void *replacement)
{
	struct binding *b = failure->slot;

	LOCKED(&load_lock);
	if (keeps_failing_locked(b->module))
		b->replacement = replacement;
}

void *binding_replacement(const struct binding *b)
{
	LOCKED(&load_lock);
	return keeps_failing_locked(b->module) ? b->replacement : NULL;
}

void binding_stand_in(struct binding *b, void *address)
{
	LOCKED(&load_lock);
	if (!b->slot || atomic_load(&b->module->state) == DLAZY_LOADED)
		return;
	b->stood_in = true;
	stub_publish(b->slot, address);
}

static struct replaced_slot *replaced_slot_locked(const struct dlazy_module *m,
						  const _Atomic(void *) *slot)
{
	struct replaced_slot *replaced = m->replaced_slots;

	while (replaced && replaced->slot != slot)
		replaced = replaced->next;
	return replaced;
}

void *binding_replacement_of_slot(const struct dlazy_module *m,
				  const _Atomic(void *) *slot)
{
	LOCKED(&load_lock);
	const struct replaced_slot *replaced =
		m && keeps_failing_locked(m) ? replaced_slot_locked(m, slot)
					     : NULL;
	return replaced ? replaced->replacement : NULL;
}

void binding_replace_slot(const struct stub_failure *failure, void *replacement)
{
	struct dlazy_module *m = failure->told.module;
	const _Atomic(void *) *slot = failure->slot;
	_cleanup_free_ struct replaced_slot *replaced =
		malloc(sizeof(*replaced));

	LOCKED(&load_lock);
	if (!replaced || !m || !keeps_failing_locked(m))
		return;
	struct replaced_slot *earlier = replaced_slot_locked(m, slot);
	if (earlier) {
		earlier->replacement = replacement;
		return;
	}
	*replaced =
		(struct replaced_slot){m->replaced_slots, slot, replacement};
	m->replaced_slots = TAKE_PTR(replaced);
}

void binding_end_stand_ins_locked(struct dlazy_module *m)
{
	for (struct binding *b = m->all_bindings; b; b = b->next) {
		if (b->stood_in)
			stub_arm(b->slot);
		b->stood_in = false;
	}
}

/* Returns what is to be freed without the lock. */
static struct replaced_slot *end_replacements_locked(struct dlazy_module *m)
{
	struct replaced_slot *ended = TAKE_PTR(m->replaced_slots);

	binding_end_stand_ins_locked(m);
	for (struct binding *b = m->all_bindings; b; b = b->next)
		b->replacement = NULL;
	return ended;
}

static void free_replaced(struct replaced_slot *replaced)
{
	while (replaced) {
		struct replaced_slot *next = replaced->next;

		free(replaced);
		replaced = next;
	}
}

/* The next binding of the list; there are only more of them, before the first. */
static struct binding *next_binding(const struct dlazy_module *m,
				    const struct binding *b, bool *ret_has_slot)
{
	LOCKED(&load_lock);
	struct binding *next = b ? b->next : m->all_bindings;

	*ret_has_slot = next && next->slot;
	return next;
}

void binding_complete(struct dlazy_module *m)
{
	unsigned generation = atomic_load(&m->generation);
	void *handle = atomic_load(&m->handle), *address;
	struct binding *b = NULL;
	bool has_slot;

	while (handle && (b = next_binding(m, b, &has_slot)))
		if (has_slot &&
		    dl_symbol(handle, b->name, b->version, &address) == 0 &&
		    address)
			binding_publish(b, generation, address);
	status_clear();
}

void binding_arm_locked(struct dlazy_module *m)
{
	for (struct binding *b = m->all_bindings; b; b = b->next) {
		if (!b->slot)
			continue;
		stub_arm(b->slot);
		b->stood_in = false;
		atomic_store(&b->touched, false);
	}
}

void binding_look_locked(const struct dlazy_module *m)
{
	for (struct binding *b = m->keep ? NULL : m->all_bindings; b;
	     b = b->next)
		if (b->slot && !b->stood_in)
			stub_arm(b->slot);
}

void binding_switch_locked(struct dlazy_module *m)
{
	noted_clear(m->linked_slots);
	for (struct binding *b = m->all_bindings; b; b = b->next)
		if (b->slot)
			stub_arm(b->slot);
	for (struct import *i = m->imports; i; i = i->next) {
		i->patched = false;
		__atomic_store_n(i->address, i->early, __ATOMIC_RELEASE);
	}
}

/* ------------------------------------------------------------------ */
/* Pointers of the host                                               */

/* The binding of the next pointer that still holds a stub; NULL: none does. */
static struct binding *next_unpatched(struct dlazy_module *m,
				      unsigned *ret_generation)
{
	LOCKED(&load_lock);
	*ret_generation = atomic_load(&m->generation);
	for (struct import *i = m->imports; i; i = i->next) {
		if (i->patched)
			continue;
		i->patched = true;
		return i->binding;
	}
	return NULL;
}

/* Stores an address in all pointers to a binding that are still the host's; not
 * one of an object that was replaced since: who did that patches them. */
static void patch_imports(struct dlazy_module *m, const struct binding *b,
			  unsigned generation, void *address)
{
	LOCKED(&load_lock);
	if (atomic_load(&m->generation) != generation)
		return;
	for (struct import *i = m->imports; i; i = i->next) {
		if (i->binding != b)
			continue;
		i->patched = true;
		__atomic_store_n(i->address, address, __ATOMIC_RELEASE);
	}
}

void binding_loaded(struct dlazy_module *m)
{
	struct replaced_slot *ended;
	struct binding *b;
	unsigned generation;
	bool discardable;
	{
		LOCKED(&load_lock);
		ended = end_replacements_locked(m);
		discardable = !m->keep;
	}
	free_replaced(ended);
	while (!discardable && (b = next_unpatched(m, &generation))) {
		void *handle = atomic_load(&m->handle), *address = NULL;
		/* A symbol that is gone stays a stub, which will say so. */
		if (!handle ||
		    dl_symbol(handle, b->name, b->version, &address) < 0 ||
		    !address)
			continue;
		patch_imports(m, b, generation, address);
		event_bound(m, b->name, NULL, address);
	}
}
