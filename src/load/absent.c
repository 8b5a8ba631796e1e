/* SPDX-License-Identifier: MIT */
/*
 * A small table. A name is one word: a hash of the module, the name, the count of
 * changes and the tick, so that nothing has to be taken out. Another name may take
 * its place; it is then looked up again.
 */
#include "load/absent.h"

#include "base/array.h"
#include "base/atomic.h"
#include "base/hash.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic(uint64_t) known[64];

/* Never 0, which an empty place has. */
uint64_t absent_key(const struct dlazy_module *m, const char *name)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	const uint64_t words[] = {map_pointer_key(m), hash_string(name),
				  module_changes(), (uint64_t)now.tv_sec,
				  (uint64_t)now.tv_nsec};
	return hash_bytes(words, sizeof(words)) | 1;
}

static _Atomic(uint64_t) *place_of(uint64_t key)
{
	return &known[key >> 32 & (ARRAY_SIZE(known) - 1)];
}

bool absent_is_known(uint64_t key)
{
	return atomic_load(place_of(key)) == key;
}

void absent_note(uint64_t key)
{
	ATOMIC_SHARED(&known);
	atomic_store(place_of(key), key);
}
