/* SPDX-License-Identifier: MIT */
/*
 * A slot: where the address of one symbol is kept, and through which its stub
 * jumps. The layout is known to the assembly: 16 bytes, the same stride as
 * the stubs', so that all stubs are the same code.
 *
 * Memory order. What the target's code reads (relocated pointers, what its
 * constructors wrote) was written before slot_publish(), often by another
 * thread; so the store is a release and the stub's load must be an acquire:
 *
 * - x86-64: any load is. Loads are not reordered with later loads (Intel SDM
 *   volume 3, 9.2.2), and the jump's load is older than the target's.
 * - AArch64: the stub uses ldar. Behind a plain ldr only a control dependency
 *   would lie, which orders later stores but not loads (Arm ARM, B2.3): a
 *   predicted branch could read the target's data before the slot. ldapr would
 *   do as well, but is of ARMv8.3.
 *
 * The code itself was mapped, not written, and with the above a call through
 * a slot is no other than a C program's call of what dlsym() gave to another
 * thread through an atomic pointer: what holds there holds here.
 */
#ifndef STUB_SLOT_H
#define STUB_SLOT_H

#include <stdatomic.h>

struct slot {
	_Atomic(void *) target; /* where the stub jumps */
	void *owner;		/* what the slow path hands to the load layer */
};

/* From now on the stub jumps to `target`. */
static inline void slot_publish(struct slot *slot, void *target)
{
	atomic_store_explicit(&slot->target, target, memory_order_release);
}

#endif
