/* SPDX-License-Identifier: MIT */
/*
 * What one run is asked for: by options, by a launcher, or by the program whose
 * child it is. Its text form, for the latter two, is a line for each word and
 * its value.
 */
#ifndef CLI_RUN_REQUEST_H
#define CLI_RUN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What lazy programs need beside them. */
#define RUN_LIBDLAZY "libdlazy.so.0"

#define REQUEST_GLOBS_MAX 64

struct request_globs {
	char *list[REQUEST_GLOBS_MAX + 1]; /* NULL-ended */
	size_t count;
};

struct request {
	struct request_globs eager, lazy;
	bool children;
	bool child; /* started for another run's --children */
	bool learn;
	bool wait;    /* make what is missing first */
	bool prepare; /* make entries, run nothing */
	bool system;  /* for every user */
	bool stats;
	bool json;
	/* instead of running: */
	bool install, uninstall, list;
	const char *dir;
	const char *launcher; /* who asks: its path; or NULL */
};

/* Adds one; false: there are too many. */
bool request_add_glob(struct request_globs *globs, char *glob);

/* Returns true if something in it cannot stand in a line. */
bool request_has_newline(const struct request *request);

/* The text form of what is not for one run only: without `wait`, which children
 * are told beside it. */
void request_write(const struct request *request, FILE *out);

/* Reads one line, which is changed and kept. false: not understood. */
bool request_read_line(char *line, struct request *request);

#endif
