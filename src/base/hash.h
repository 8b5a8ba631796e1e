/* SPDX-License-Identifier: MIT */
/*
 * XXH3 (https://xxhash.com), inlined: for the catalog's checksums and
 * look-ups. Not for anything where an adversary gains by a collision.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdint.h>
#include <string.h>

static inline uint64_t hash_bytes(const void *data, size_t size)
{
	return XXH3_64bits(data, size);
}

/* Another function of the same bytes for each seed. */
static inline uint64_t hash_bytes_seeded(const void *data, size_t size,
					 uint64_t seed)
{
	return XXH3_64bits_withSeed(data, size, seed);
}

static inline uint64_t hash_string(const char *s)
{
	return XXH3_64bits(s, strlen(s));
}

#endif
