/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy report` is made of: the page, which the build puts together from
 * src/cli/report/ (page.c), and the measurements that go into it.
 */
#ifndef CLI_REPORT_REPORT_H
#define CLI_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Before and behind the data, which are read by a script as JSON. */
extern const char report_page_head[];
extern const char report_page_tail[];

struct report_file {
	const char *path;
	char *text;	  /* one JSON object */
	const char *kind; /* "trace", "ledger" or "bench" */
};

/* Reads a measurement. 0, or a negated status with message: DLAZY_ENOENT,
 * DLAZY_EIO, DLAZY_ENOMEM, DLAZY_EFORMAT (where, and what was expected). */
int report_read(const char *path, struct report_file *ret);
void report_file_clear(struct report_file *file);

/* Writes JSON so that nothing in it can end the script element it stands in. */
void report_embed(const char *json, FILE *out);

#endif
