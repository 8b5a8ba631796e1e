/* SPDX-License-Identifier: MIT */
/*
 * Which libraries the runs of a program touched: the mapped file of a struct
 * linked_touched (stub/linked.h), to which the program's processes add while the
 * tool reads it. It is used for advice only: wrong counts cost time, and nothing
 * else.
 */
#ifndef LINK_CACHE_RUNS_H
#define LINK_CACHE_RUNS_H

#include "stub/linked.h"

#include <stdbool.h>

struct runs {
	struct linked_touched *touched; /* NULL: not open */
	size_t size;
};

/* Writes a new one, for so many libraries, with so many starts counted. 0 or
 * -DLAZY_EIO. */
int runs_create(const char *path, uint32_t libraries, uint32_t runs);

/* false: it is not there, or cannot be written, or is none of so many. */
bool runs_open(const char *path, uint32_t libraries, struct runs *ret);
void runs_close(struct runs *runs);
#define _cleanup_runs_ _cleanup_(runs_close)

/* Starts counted so far. */
uint32_t runs_count(const struct runs *runs);

/* Counts one; returns how many there were before. */
uint32_t runs_begin(struct runs *runs);

/* Was the library loaded in each of the last `count` runs? In the latest? */
bool runs_touched_by_all(const struct runs *runs, uint32_t number,
			 uint32_t count);
bool runs_touched_by_last(const struct runs *runs, uint32_t number);

/* How many functions were bound, in all. 0 and false: it was not loaded. */
bool runs_touched(const struct runs *runs, uint32_t number,
		  uint32_t *ret_functions);

/* Adds one run, counted in a file of its own. */
void runs_add(struct runs *runs, const struct runs *one);

#endif
