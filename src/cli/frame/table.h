/* SPDX-License-Identifier: MIT */
/*
 * Aligned columns. On a terminal the table is made to fit: what is too long, most
 * often a path in the last column, is cut in its middle. Elsewhere nothing is.
 */
#ifndef CLI_FRAME_TABLE_H
#define CLI_FRAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 8

struct table {
	size_t columns;
	bool right[TABLE_COLUMNS_MAX];	 /* numbers: aligned to the right */
	size_t width[TABLE_COLUMNS_MAX]; /* of the widest cell */
	char **cells;			 /* row by row, the heading first */
	size_t count;
	size_t room;
};

/*
 * Adds a row, from left to right; the first is the heading. The strings are
 * copied. A heading that begins with '>' is aligned to the right. false: out
 * of memory.
 */
bool table_add(struct table *t, const char *const *cells);

/* The columns a terminal has, 0 if the stream is none. */
size_t table_terminal_width(FILE *out);

void table_print(const struct table *t, FILE *out);
void table_free(struct table *t);

#endif
