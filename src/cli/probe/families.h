/* SPDX-License-Identifier: MIT */
/*
 * The probes that there are: one for each family of plugins, each a module of
 * its own (src/probe/), and those of hosts, by their files. Which of them a
 * plugin is asked by depends on what it exports, as its record tells.
 */
#ifndef CLI_PROBE_FAMILIES_H
#define CLI_PROBE_FAMILIES_H

#include "catalog/record.h"
#include "load/part.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probe_way {
	PROBE_BY_HANDLE, /* the plugin is loaded, and asked */
	PROBE_BY_PATH,	 /* the probe goes by its file */
	PROBE_OF_HOST,	 /* dlazy_probe(), with the handle */
};

struct probe {
	const char *name; /* the family's, or the file's path */
	enum probe_way way;
	struct part module;
	bool (*concerns)(const struct record *record);
	uint64_t identity; /* tells it from its later self; never 0 */
};

/* A plugin is asked by so many at once. */
#define PROBES_MAX 16

/* Those that were chosen. */
struct probes {
	struct probe list[PROBES_MAX];
	size_t count;
};

/*
 * Reads "FAMILY,./FILE,...", or all families that are installed, where it is
 * NULL. false, with message as of cli_usage(): there is no such family, or file.
 */
bool probes_parse(const char *list, struct probes *ret);
void probes_free(struct probes *probes);

/* A number for those that concern a plugin: another where one of them has
 * changed. 0: none does. */
uint64_t probes_identity(const struct probes *probes,
			 const struct record *record);

#endif
