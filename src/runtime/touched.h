/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy run` needs inside the programs that it starts: their environment
 * is put back as the user gave it (dlazy_linked_start()), and the libraries
 * that they touch are counted.
 */
#ifndef RUNTIME_TOUCHED_H
#define RUNTIME_TOUCHED_H

#include <stdbool.h>

struct linked;

/* Whether this process was started with a stub file of `dlazy run`. */
bool touched_is_run(void);

/* The library is in use, and one more of its functions if `bound`. */
void touched_count(const struct linked *l, bool bound);

#endif
