/* SPDX-License-Identifier: MIT */
/*
 * What happens around fork(2), and when a host first uses the library.
 */
#ifndef FORK_H
#define FORK_H

/* Once, before anything is declared or forbidden: who wants to know of all that
 * follows is told from here on. */
void fork_begin(void);

#endif
