/* SPDX-License-Identifier: MIT */
/*
 * The cache that ldconfig(8) writes, /etc/ld.so.cache: which file stands for a
 * library's name. The format "glibc-ld.so.cache1.1", alone or behind the one
 * before it.
 */
#ifndef ELF_LDCACHE_H
#define ELF_LDCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

struct ldcache {
	struct file_identity
		identity; /* all 0: none, or it may change unseen */
	uint8_t *data;	  /* NULL: there is no cache, nothing is found */
	size_t size;
	size_t start;	/* of the new format in it */
	uint32_t count; /* of entries */
	size_t hwcaps;	/* where the hwcaps' names are listed */
	uint32_t hwcap_count;
};

/* Reads a cache. One that is missing, damaged or of another format is as an
 * empty one. 0, or the state (status_is_state()) that kept it from being read,
 * with message; ldcache_close() in any case. */
int ldcache_open(struct ldcache *cache, const char *file);
void ldcache_close(struct ldcache *cache);

/* Is the file still the one that was read? */
bool ldcache_is_fresh(const struct ldcache *cache, const char *file);

/*
 * The files that the cache has for a name, best first: those of a better hwcap
 * before those of a lesser, before those of none. hwcaps: as hwcaps_active();
 * entries of others are left out. Entries for other machines are not: the file
 * says it better. Returns how many of at most `max` were written.
 */
size_t ldcache_find(const struct ldcache *cache, const char *name,
		    const char *const *hwcaps, const char **ret_paths,
		    size_t max);

/* The path of an entry, of any hwcap and kind; "": it is damaged. NULL: there
 * are no more. */
const char *ldcache_path(const struct ldcache *cache, uint32_t i);

#endif
