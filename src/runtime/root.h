/* SPDX-License-Identifier: MIT */
/*
 * Programs of `dlazy run` that change their root directory after their start,
 * as services do. In the new root such a program would find another file in
 * its library's place, perhaps one of a user who may write there. So from then
 * on only the very file that the stub file was made for is loaded.
 */
#ifndef RUNTIME_ROOT_H
#define RUNTIME_ROOT_H

#include "base/file.h"

#include <stdbool.h>

struct linked;

/* The program's start is over: its root is what it was started in. */
void root_remember(void);

/* Returns true if the root directory is another one now. */
bool root_is_changed(void);

/*
 * May the file be loaded all the same? 0, and its path without symbolic links,
 * malloc'd, which is to be opened; or a status with words.
 */
int root_check(const struct linked *l, const char *path,
	       const struct file_identity *identity, char **ret_path);

#endif
