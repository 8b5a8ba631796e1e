/* SPDX-License-Identifier: MIT */
/*
 * Facts: what a plugin's code and data say of it, read out of its file. Nothing
 * of it is run. Hosts of some families ask a plugin by functions that only give
 * what is known beforehand; their code is followed (machine.h) as far as it is
 * understood. What is not certain is not known.
 */
#ifndef LINK_FACTS_PLUGIN_H
#define LINK_FACTS_PLUGIN_H

#include "catalog/record.h"

#include <stdbool.h>

/* Whether a plugin exports what facts are read from. */
bool plugin_facts_likely(const struct record *record);

/*
 * The facts of the plugin at a path: a malloc'd JSON object; *ret NULL: none is
 * known. 0 or, with message, a state: it could not be read.
 */
int plugin_facts_read(const char *path, char **ret);

#endif
