/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing the costs of loads. The file is an array behind a magic
 * word. If two processes write at once, what one of them learnt is lost, but
 * never the file.
 */
#include "ledger/cost.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/catalog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define COSTS_FILE "costs"
#define COSTS_MAGIC 0x3174736f637a6c64u
#define COSTS_MAX 65536 /* files; more are forgotten, the oldest first */

static uint64_t key_of(const struct file_identity *file)
{
	return hash_bytes(file, sizeof(*file));
}

static bool costs_add(struct costs *costs, uint64_t key, uint64_t ns)
{
	size_t place = (size_t)(uintptr_t)map_get(&costs->by_key, key);

	if (place) {
		costs->list[place - 1].ns = ns;
		return true;
	}
	if (!array_reserve(&costs->list, costs->count, &costs->room,
			   sizeof(*costs->list)))
		return false;
	costs->list[costs->count++] = (struct cost){key, ns};
	return map_put(&costs->by_key, key, (void *)(uintptr_t)costs->count);
}

/* The file's bytes; NULL: there are none that are to be believed. */
static uint64_t *read_words(size_t *ret_count)
{
	_cleanup_free_ char *dir = catalog_cache_dir();
	_cleanup_close_ int dirfd =
		dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_close_ int fd = -1;
	uint64_t size;

	if (dirfd < 0 ||
	    file_open_trusted(dirfd, COSTS_FILE, O_RDONLY, &fd, &size) < 0 ||
	    size > (1 + 2 * COSTS_MAX) * sizeof(uint64_t))
		return NULL;
	*ret_count = (size_t)size / sizeof(uint64_t);
	uint64_t *words = calloc(*ret_count + 1, sizeof(*words));
	if (words && file_read_at(fd, 0, words, *ret_count * sizeof(*words)) &&
	    *ret_count && words[0] == COSTS_MAGIC)
		return words;
	free(words);
	return NULL;
}

void costs_read(struct costs *costs)
{
	size_t count = 0;
	_cleanup_free_ uint64_t *words = read_words(&count);

	*costs = (struct costs){.list = NULL};
	for (size_t i = 1; words && i + 1 < count; i += 2)
		if (!costs_add(costs, words[i], words[i + 1]))
			return;
}

uint64_t costs_get(const struct costs *costs, const struct file_identity *file)
{
	size_t place = (size_t)(uintptr_t)map_get(&costs->by_key, key_of(file));

	return place ? costs->list[place - 1].ns : 0;
}

void costs_set(struct costs *costs, const struct file_identity *file,
	       uint64_t ns)
{
	costs->changed |= ns && costs_add(costs, key_of(file), ns);
}

void costs_write(const struct costs *costs)
{
	size_t n = costs->count < COSTS_MAX ? costs->count : COSTS_MAX;
	const struct cost *first = costs->list + (costs->count - n);
	_cleanup_free_ uint64_t *words = calloc(1 + 2 * n, sizeof(*words));
	_cleanup_free_ char *dir = catalog_cache_dir();
	_cleanup_close_ int fd = -1;

	if (!costs->changed || !words || !dir || file_make_dirs(dir) < 0)
		return;
	words[0] = COSTS_MAGIC;
	for (size_t i = 0; i < n; i++) {
		words[1 + 2 * i] = first[i].key;
		words[2 + 2 * i] = first[i].ns;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		file_replace(fd, COSTS_FILE, words,
			     (1 + 2 * n) * sizeof(*words), 0600);
}

void costs_clear(struct costs *costs)
{
	free(costs->list);
	map_clear(&costs->by_key);
	*costs = (struct costs){.list = NULL};
}
