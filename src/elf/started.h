/* SPDX-License-Identifier: MIT */
/*
 * What the dynamic linker read when the program started, and keeps for its whole
 * life: LD_LIBRARY_PATH, or what it was given by --library-path. A program may
 * change the variable for its children; dlopen() goes on as before.
 */
#ifndef ELF_STARTED_H
#define ELF_STARTED_H

/* NULL: none. Valid for the life of the process. */
const char *started_library_path(void);

/* Another one (NULL: none) counts from now on; it must stay valid. For who looks
 * in the place of a program that is about to start, and for tests. */
void started_set_library_path(const char *path);

#endif
