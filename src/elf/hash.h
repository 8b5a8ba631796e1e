/* SPDX-License-Identifier: MIT */
/*
 * The two hash tables of dynamic symbols, DT_HASH and DT_GNU_HASH. A table
 * that is not sound counts as missing: then the other table, or a search of
 * the whole symbol table, answers instead.
 */
#ifndef ELF_HASH_H
#define ELF_HASH_H

#include "elf/image.h"

/* The hashes of a name. The second is also that of versions. */
uint32_t gnu_hash_of(const char *name);
uint32_t sysv_hash_of(const char *name);

/* DT_GNU_HASH; words is NULL where it is missing or not sound. */
struct gnu_hash {
	uint32_t *words; /* the whole table, its header first */
	const uint8_t *bloom;
	size_t bloom_count;
	unsigned bloom_shift;
	uint32_t first; /* first symbol that is in the table */
	const uint32_t *buckets;
	size_t bucket_count;
	const uint32_t *chain; /* of symbol `first` on */
	size_t chain_count;
};

/* DT_HASH; the same. */
struct sysv_hash {
	uint32_t *words;
	const uint32_t *buckets;
	size_t bucket_count;
	const uint32_t *chain; /* one for each symbol */
	size_t chain_count;
};

/*
 * Read the tables. symbol_max: how many symbols the file has room for. What is
 * not sound is left NULL without message; only -DLAZY_ENOMEM and -DLAZY_EIO
 * are returned.
 */
int gnu_hash_read(struct gnu_hash *hash, const struct image *image,
		  size_t symbol_max);
int sysv_hash_read(struct sysv_hash *hash, const struct image *image,
		   size_t symbol_max);

/* The number of symbols, as the table knows it; 0: it does not. */
size_t gnu_hash_count(const struct gnu_hash *hash);

/* Called with the index of each symbol that may have the name (of that
 * gnu_hash_of()); true: enough. */
typedef bool hash_candidate_fn(size_t symbol, void *data);
void gnu_hash_search(const struct gnu_hash *hash, uint32_t h,
		     hash_candidate_fn *fn, void *data);
void sysv_hash_search(const struct sysv_hash *hash, const char *name,
		      hash_candidate_fn *fn, void *data);

#endif
