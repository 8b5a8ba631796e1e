/* SPDX-License-Identifier: MIT */
/*
 * Finding a symbol through DT_HASH or DT_GNU_HASH. The layout of both tables
 * was checked when they were read; the numbers in them are checked here, at
 * use: a bucket may name any symbol, and a chain may never end. So walks are
 * bounded by the number of symbols.
 *
 * Sources: gABI chapter 5 "Hash Table"; for DT_GNU_HASH there is no standard
 * but https://flapenguin.me/elf-dt-gnu-hash and what glibc does.
 */
#include "elf/hash.h"

#include "base/status.h"
#include "elf/machine.h"

#include <stdlib.h>
#include <string.h>

/* Only these failures are news: without a table there is another way. */
static int fatal(int r)
{
	if (status_is_state(r))
		return r;
	status_clear();
	return 0;
}

/* The words of a bloom filter are as wide as an address. */
#define BLOOM_SIZE sizeof(ElfN(Addr))

/* How long the part of the table before the chain is; 0: not sound. */
static uint64_t gnu_head_size(const uint32_t head[4])
{
	uint64_t buckets = head[0], bloom = head[2];

	if (buckets == 0 || bloom == 0 || (bloom & (bloom - 1)) != 0 ||
	    head[3] >= 32)
		return 0;
	return 16 + bloom * BLOOM_SIZE + buckets * 4;
}

int gnu_hash_read(struct gnu_hash *hash, const struct image *image,
		  size_t symbol_max)
{
	uint64_t address;
	void *words;

	if (!image_dynamic(image, DT_GNU_HASH, &address))
		return 0;
	uint64_t room = image_room(image, address);
	if (room < 16)
		return 0;
	int r = image_read_address(image, "the GNU hash table", address, 16,
				   &words);
	if (r < 0)
		return fatal(r);
	uint32_t head[4];
	memcpy(head, words, sizeof(head));
	free(words);
	uint64_t size = gnu_head_size(head);
	if (size == 0 || size > room || head[1] > symbol_max)
		return 0;
	uint64_t chain = (room - size) / 4;
	if (chain > symbol_max - head[1])
		chain = symbol_max - head[1];
	r = image_read_address(image, "the GNU hash table", address,
			       size + chain * 4, &words);
	if (r < 0)
		return fatal(r);
	hash->words = words;
	hash->bucket_count = head[0];
	hash->first = head[1];
	hash->bloom_count = head[2];
	hash->bloom_shift = head[3];
	hash->bloom = (const uint8_t *)words + 16;
	hash->buckets = hash->words + 4 + head[2] * (BLOOM_SIZE / 4);
	hash->chain = hash->buckets + head[0];
	hash->chain_count = chain;
	return 0;
}

int sysv_hash_read(struct sysv_hash *hash, const struct image *image,
		   size_t symbol_max)
{
	uint64_t address;
	void *words;

	if (!image_dynamic(image, DT_HASH, &address) ||
	    !machine_has_plain_hash() || image_room(image, address) < 8)
		return 0;
	int r = image_read_address(image, "the hash table", address, 8, &words);
	if (r < 0)
		return fatal(r);
	uint32_t head[2];
	memcpy(head, words, sizeof(head));
	free(words);
	uint64_t size = 8 + ((uint64_t)head[0] + head[1]) * 4;
	if (head[0] == 0 || head[1] > symbol_max ||
	    size > image_room(image, address))
		return 0;
	r = image_read_address(image, "the hash table", address, size, &words);
	if (r < 0)
		return fatal(r);
	hash->words = words;
	hash->bucket_count = head[0];
	hash->buckets = hash->words + 2;
	hash->chain = hash->buckets + head[0];
	hash->chain_count = head[1];
	return 0;
}

size_t gnu_hash_count(const struct gnu_hash *hash)
{
	uint32_t last = 0;

	for (size_t i = 0; i < hash->bucket_count; i++)
		if (hash->buckets[i] > last)
			last = hash->buckets[i];
	if (last == 0 || last < hash->first)
		return 0;
	for (size_t i = last - hash->first; i < hash->chain_count; i++)
		if (hash->chain[i] & 1)
			return hash->first + i + 1;
	return 0;
}

uint32_t gnu_hash_of(const char *name)
{
	uint32_t h = 5381;

	for (const uint8_t *at = (const uint8_t *)name; *at; at++)
		h = h * 33 + *at;
	return h;
}

static bool bloom_lacks(const struct gnu_hash *hash, uint32_t h)
{
	const unsigned bits = BLOOM_SIZE * 8;
	ElfN(Addr) word;

	memcpy(&word,
	       hash->bloom + (h / bits & (hash->bloom_count - 1)) * BLOOM_SIZE,
	       sizeof(word));
	return !(word >> (h % bits) & word >> (h >> hash->bloom_shift) % bits &
		 1);
}

void gnu_hash_search(const struct gnu_hash *hash, uint32_t h,
		     hash_candidate_fn *fn, void *data)
{
	if (bloom_lacks(hash, h))
		return;
	uint32_t symbol = hash->buckets[h % hash->bucket_count];
	if (symbol < hash->first)
		return;
	for (size_t i = symbol - hash->first; i < hash->chain_count; i++) {
		if ((hash->chain[i] | 1) == (h | 1) &&
		    fn(hash->first + i, data))
			return;
		if (hash->chain[i] & 1)
			return;
	}
}

uint32_t sysv_hash_of(const char *name)
{
	uint32_t h = 0;

	for (const uint8_t *at = (const uint8_t *)name; *at; at++) {
		h = (h << 4) + *at;
		h ^= h >> 24 & 0xf0;
		h &= 0x0fffffff;
	}
	return h;
}

void sysv_hash_search(const struct sysv_hash *hash, const char *name,
		      hash_candidate_fn *fn, void *data)
{
	uint32_t i = hash->buckets[sysv_hash_of(name) % hash->bucket_count];

	for (size_t n = 0; n < hash->chain_count; n++) {
		if (i == STN_UNDEF || i >= hash->chain_count || fn(i, data))
			return;
		i = hash->chain[i];
	}
}
