/* SPDX-License-Identifier: MIT */
/*
 * Noting who uses whose symbols. The dynamic linker tells of calls through a
 * procedure linkage table, and of dlsym:
 *
 * - of an object that binds lazily, at the first call: so the function was
 *   called;
 * - of an object that binds when it is relocated (BIND_NOW, RTLD_NOW), then.
 *   The slot gets a trampoline, which notes the call and jumps on: no
 *   trampoline of the linker's own is in the way, and nothing is deferred that
 *   is not deferred in an untraced run.
 *
 * All else that relocation binds (pointers to functions, data) is found by
 * looking at the slots when relocation is done and no constructor has run: the
 * address in a slot tells whose it is.
 */
#include "hook/hook.h"

_Static_assert(CPU_TRAMPOLINES == TRACEBUF_TRAMPOLINES,
	       "each trampoline is in the trace buffer");

#define LOOK_MAX 64 /* places of a hash table that are looked at */

static uint32_t hash_number(uint64_t n)
{
	n *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(n >> 40);
}

static void lost(uint32_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool add_binding(uint64_t binding)
{
	uint32_t at = hash_number(binding);

	for (uint32_t i = 0; i < LOOK_MAX; i++) {
		uint64_t *place =
			&hook_tracebuf->bindings[(at + i) % TRACEBUF_BINDINGS];
		uint64_t found = __atomic_load_n(place, __ATOMIC_RELAXED);

		if (!found && __atomic_compare_exchange_n(
				      place, &found, binding, false,
				      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			__atomic_fetch_add(&hook_tracebuf->binding_count, 1,
					   __ATOMIC_RELAXED);
			return true;
		}
		if (found == binding)
			return true;
	}
	return false;
}

void bound_add(uint32_t from, uint32_t to, uint32_t symbol,
	       enum tracebuf_kind kind)
{
	if (!add_binding(TRACEBUF_BINDING(from, to, symbol, kind)))
		lost(&hook_tracebuf->bindings_lost);
}

static void add_edge(uint32_t from, uint32_t to, bool is_data)
{
	uint32_t key = from << 16 | to, at = hash_number(key);

	for (uint32_t i = 0; i < LOOK_MAX; i++) {
		struct tracebuf_edge *e =
			&hook_tracebuf->edges[(at + i) % TRACEBUF_EDGES];
		uint32_t found = __atomic_load_n(&e->key, __ATOMIC_RELAXED);

		if (!found)
			__atomic_compare_exchange_n(&e->key, &found, key, false,
						    __ATOMIC_RELAXED,
						    __ATOMIC_RELAXED);
		if (!found || found == key) {
			__atomic_fetch_add(&e->symbols, 1, __ATOMIC_RELAXED);
			__atomic_fetch_add(&e->data, is_data, __ATOMIC_RELAXED);
			return;
		}
	}
	lost(&hook_tracebuf->edges_lost);
}

/* ------------------------------------------------------------------ */
/* Calls                                                              */

/*
 * Trampolines of an object that is opened again are used again: their slots
 * went with it. They are its trampolines, from the first on, in the order of
 * relocation; the k-th is found again as long as it says the same.
 */
static struct {
	uint32_t first; /* its first trampoline, plus one */
	uint32_t next;	/* which of them the next call gets */
	uint32_t opens; /* when that was */
} trampolines_of[TRACEBUF_OBJECTS];

static uint32_t find_trampoline(uint32_t from, uint64_t binding)
{
	uint32_t opens = object_of(from)->opens;

	if (trampolines_of[from - 1].opens != opens) {
		trampolines_of[from - 1].opens = opens;
		trampolines_of[from - 1].next = trampolines_of[from - 1].first;
	}
	uint32_t trampoline = trampolines_of[from - 1].next;
	if (trampoline && trampoline <= hook_tracebuf->trampoline_count &&
	    hook_tracebuf->trampolines[trampoline - 1] == binding) {
		trampolines_of[from - 1].next++;
		return trampoline;
	}
	trampoline = __atomic_add_fetch(&hook_tracebuf->trampoline_count, 1,
					__ATOMIC_RELAXED);
	if (trampoline > TRACEBUF_TRAMPOLINES) {
		hook_tracebuf->trampoline_count = TRACEBUF_TRAMPOLINES;
		return 0;
	}
	if (!trampolines_of[from - 1].first)
		trampolines_of[from - 1].first = trampoline;
	return trampoline;
}

uint64_t bound_call(uint32_t from, uint32_t to, uint32_t symbol,
		    uint64_t address)
{
	uint64_t binding = TRACEBUF_BINDING(from, to, symbol, TRACEBUF_NOW);

	if (from == to)
		return address;
	/* The linker's own calls are not to be touched. */
	uint32_t trampoline = object_of(from)->why == TRACEBUF_LINKER
				      ? 0
				      : find_trampoline(from, binding);
	if (!trampoline) {
		hook_tracebuf->trampolines_lost +=
			object_of(from)->why != TRACEBUF_LINKER;
		add_edge(from, to, false);
		return address;
	}
	hook_tracebuf->trampolines[trampoline - 1] = binding;
	__atomic_store_n(&cpu_targets[trampoline - 1], address,
			 __ATOMIC_RELEASE);
	return (uint64_t)&cpu_trampolines[(trampoline - 1) *
					  CPU_TRAMPOLINE_SIZE];
}

void bound_begin_main(void)
{
	for (uint32_t i = 0; i < hook_tracebuf->trampoline_count; i++) {
		hook_tracebuf->called_before[i] = hook_tracebuf->called[i];
		hook_tracebuf->called[i] = 0;
	}
}

/* ------------------------------------------------------------------ */
/* Slots                                                              */

/* Symbols of the object that have been counted: a bit each. */
#define SYMBOLS_MAX (1u << 20)
static uint8_t counted[SYMBOLS_MAX / 8];

static bool count_once(uint32_t symbol)
{
	if (symbol >= SYMBOLS_MAX)
		return true;
	uint8_t *byte = &counted[symbol / 8];
	uint8_t bit = (uint8_t)(1 << symbol % 8);
	bool is_new = !(*byte & bit);

	*byte |= bit;
	return is_new;
}

struct relocations {
	const ElfW(Rela) * list;
	size_t count;
	size_t relative; /* the first so many bind nothing */
};

static void read_relocations(const struct tracebuf_object *o,
			     struct relocations *ret_slots,
			     struct relocations *ret_calls)
{
	*ret_slots = *ret_calls = (struct relocations){NULL, 0, 0};
	for (const ElfW(Dyn) *d = (void *)o->dynamic; d && d->d_tag; d++) {
		uint64_t value = d->d_un.d_val;

		switch (d->d_tag) {
		case DT_RELA:
			ret_slots->list = (void *)object_pointer(o, value);
			break;
		case DT_RELASZ:
			ret_slots->count = value / sizeof(*ret_slots->list);
			break;
		case DT_RELACOUNT:
			ret_slots->relative = value;
			break;
		case DT_JMPREL:
			ret_calls->list = (void *)object_pointer(o, value);
			break;
		case DT_PLTRELSZ:
			ret_calls->count = value / sizeof(*ret_calls->list);
			break;
		}
	}
	if (!ret_slots->list)
		ret_slots->count = 0;
	if (!ret_calls->list)
		ret_calls->count = 0;
}

static void scan_slot(uint32_t from, const ElfW(Rela) * r)
{
	const struct tracebuf_object *o = object_of(from);
	uint32_t symbol = (uint32_t)ELF64_R_SYM(r->r_info);
	uint64_t value;

	if (!symbol)
		return;
	switch (cpu_slot(r->r_info)) {
	case CPU_SLOT_POINTER:
		value = *(const uint64_t *)(o->address + r->r_offset);
		value -= (uint64_t)r->r_addend;
		if (value - o->start < o->end - o->start)
			return;
		uint32_t to = object_at(value);
		if (to && count_once(symbol))
			add_edge(from, to, !object_is_code(to, value));
		return;
	case CPU_SLOT_NAMED:
		bound_add(from, 0, symbol, TRACEBUF_BY_NAME);
		return;
	default:
		return;
	}
}

static void scan(uint32_t reference)
{
	struct tracebuf_object *o = object_of(reference);
	struct relocations slots, calls;

	for (size_t i = 0; i < sizeof(counted); i++)
		counted[i] = 0;
	read_relocations(o, &slots, &calls);
	/* What it calls through its table has been told of, if it was bound. */
	for (size_t i = 0; o->is_bound_now && i < calls.count; i++)
		count_once((uint32_t)ELF64_R_SYM(calls.list[i].r_info));
	for (size_t i = slots.relative; i < slots.count; i++)
		scan_slot(reference, &slots.list[i]);
	o->is_scanned = 1;
}

void bound_scan(uint32_t load)
{
	uint64_t begin = cpu_ticks();

	for (uint32_t i = 0; i < hook_tracebuf->object_count; i++) {
		const struct tracebuf_object *o = &hook_tracebuf->objects[i];

		if (o->is_open && !o->is_scanned && o->load == load)
			scan(i + 1);
	}
	hook_tracebuf->own_scan += cpu_ticks() - begin;
}
