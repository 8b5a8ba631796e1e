/* SPDX-License-Identifier: MIT */
/*
 * The scan: goes through the places and makes the tables of what is there,
 * reading only what is not in the former tables as it is now.
 */
#ifndef LINK_MACHINE_SCAN_H
#define LINK_MACHINE_SCAN_H

#include "link/machine-file.h"
#include "link/machine.h"

/* Growing tables; those of `tables` are what they point at. */
struct scan_tables {
	struct table_place *places;
	struct table_directory *directories;
	struct table_entry *entries;
	struct table_elf *elves;
	uint64_t *keys;
	char *strings;
	size_t place_room, directory_room, entry_room, elf_room, key_room,
		strings_room;
	struct tables tables;
};

struct scan_options {
	char *const *places;	       /* NULL-ended */
	const struct tables *former;   /* or NULL */
	machine_progress_fn *progress; /* or NULL */
	void *data;
};

/* Whether all is as the tables have it: stats each directory and each file
 * that they name, and reads none. */
bool scan_is_current(const struct tables *tables, char *const *places);

/* Scans. ret_read: how many files were opened. 0 or -DLAZY_ENOMEM. */
int scan_run(const struct scan_options *options, struct scan_tables *ret,
	     size_t *ret_read);
void scan_tables_clear(struct scan_tables *tables);

#endif
