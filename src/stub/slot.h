/* SPDX-License-Identifier: MIT */
/*
 * A slot: where the address of one symbol is kept, and through which its stub
 * jumps. The layout is known to the assembly: 16 bytes, the same stride as
 * the stubs', so that all stubs are the same code.
 *
 * Memory order. The jump's load of `target` is a plain one; what it leads to
 * (the module's relocated memory) was written before. On x86-64 loads are not
 * reordered with older loads, and on AArch64 the branch depends on the loaded
 * address while the code behind it was made visible by the dynamic linker's
 * own barriers and the cache maintenance of mapping it; its data is reached
 * through addresses computed there, after the context-synchronising first
 * execution of newly mapped pages. The store is a release in any case.
 */
#ifndef STUB_SLOT_H
#define STUB_SLOT_H

#include <stdatomic.h>

struct slot {
	_Atomic(void *) target; /* where the stub jumps */
	void *owner;            /* what the slow path hands to the load layer */
};

/* From now on the stub jumps to `target`. */
static inline void slot_publish(struct slot *slot, void *target)
{
	atomic_store_explicit(&slot->target, target, memory_order_release);
}

#endif
