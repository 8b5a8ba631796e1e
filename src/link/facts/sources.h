/* SPDX-License-Identifier: MIT */
/*
 * What each family's facts are read from: an open plugin file. Each gives a
 * malloc'd JSON object, or NULL: nothing is known, or not whole.
 */
#ifndef LINK_FACTS_SOURCES_H
#define LINK_FACTS_SOURCES_H

#include "elf/view.h"
#include "link/code/relocations.h"

struct facts_file {
	int fd;
	const char *path;
	const struct elf_view *view;
	const struct elf_data *data;
};

typedef char *facts_source_fn(const struct facts_file *file);

facts_source_fn facts_frei0r, facts_postgresql, facts_weechat;

#endif
