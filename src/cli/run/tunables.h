/* SPDX-License-Identifier: MIT */
/*
 * Room for static TLS in a program that is started with an auditor
 * (hook/tunables.h says why): entries of its environment.
 */
#ifndef CLI_RUN_TUNABLES_H
#define CLI_RUN_TUNABLES_H

#include <stdbool.h>
#include <stdint.h>

#define TUNABLES_ENTRIES 3

/* Makes the entries for so many bytes more than the program would have, malloc'd;
 * [2] is NULL if the variable is not set. false: out of memory. */
bool tunables_make(uint32_t tls, char *ret[TUNABLES_ENTRIES]);

/* Sets them in this process. */
bool tunables_set(uint32_t tls);

#endif
