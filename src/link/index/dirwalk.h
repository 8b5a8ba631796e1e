/* SPDX-License-Identifier: MIT */
/*
 * The directory walk: goes through the directories that the index covers
 * (roots.c) and finds each file that may be ELF, without opening any.
 */
#ifndef LINK_INDEX_DIRWALK_H
#define LINK_INDEX_DIRWALK_H

#include "base/map.h"
#include "link/index/builder.h"

/* A file, which may have several names. */
struct dirwalk_file {
	struct file_identity identity; /* or dirwalk_denied() */
	uint32_t entry; /* the first of its names that is no link */
	uint32_t
		former; /* an entry of it in the former tables, unchanged since;
			    or TABLES_NONE */
};

struct dirwalk {
	const struct tables *former; /* or NULL */
	uint64_t start_ns;
	/* Found: places and directories, whose entries have the places of
	 * their files (below) instead of ELF files, and no identities. */
	struct draft draft;
	struct dirwalk_file *files;
	size_t count, room;
	/* On the way: */
	bool recall;	  /* directories that are as they were */
	struct map known; /* hash of an identity -> entry of former + 1 */
	struct map seen;  /* hash of (dev, ino) -> file + 1; or a directory */
};

/* 0, or the state that kept a place, a directory or a file from being looked at
 * (status_is_state()); dirwalk_end() in any case. */
int dirwalk_run(struct dirwalk *walk, const struct tables *former,
		char *const *places);
void dirwalk_end(struct dirwalk *walk);
#define _cleanup_dirwalk_ _cleanup_(dirwalk_end)

/*
 * In place of the identity of what we have no permission for. It may be given to
 * us without a change of the thing itself (we come into a group): so this is
 * current for as long as we have none, and no longer.
 */
struct file_identity dirwalk_denied(const struct file_identity *identity);

/* An identity as it may be kept: without times, and so unlike any, of what may
 * still change without a trace. */
struct file_identity dirwalk_settled(const struct dirwalk *walk,
				     const struct file_identity *identity);

/*
 * Whether places, directories and files are as the tables have them: stats each
 * that they name.
 */
bool dirwalk_is_current(const struct tables *tables, char *const *places);

#endif
