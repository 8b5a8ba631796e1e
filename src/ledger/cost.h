/* SPDX-License-Identifier: MIT */
/*
 * The cost of loading each file when it was last loaded with a ledger: kept in
 * a file of the user's cache. The ledger computes from it what was saved. The
 * cost of a file that has changed is unknown.
 */
#ifndef LEDGER_COST_H
#define LEDGER_COST_H

#include "base/file.h"
#include "base/map.h"

struct costs {
	struct cost {
		uint64_t key; /* of the file's identity */
		uint64_t ns;
	} * list;
	size_t count, room;
	struct map by_key; /* place + 1 */
	bool changed;
};

/* Reads what is recorded; nothing, where there is no cache or it is damaged. */
void costs_read(struct costs *costs);

/* 0: not known. */
uint64_t costs_get(const struct costs *costs, const struct file_identity *file);
void costs_set(struct costs *costs, const struct file_identity *file,
	       uint64_t ns);

/* Writes it back if it has changed; failing that, it is not known next time. */
void costs_write(const struct costs *costs);
void costs_clear(struct costs *costs);

#endif
