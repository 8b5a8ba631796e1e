/* SPDX-License-Identifier: MIT */
/*
 * Standing in for a command: it runs in a child, in the same process group and
 * on the same terminal, and this process takes its signals, stops when it
 * stops, and ends as it ended.
 */
#ifndef CLI_FRAME_STANDIN_H
#define CLI_FRAME_STANDIN_H

#include <stdbool.h>

/* What stays open here of standard input, standard output and descriptors. */
enum standin_open {
	STANDIN_OPEN_NONE,
	STANDIN_OPEN_OUTPUT, /* standard output */
	STANDIN_OPEN_ALL,    /* another child follows */
};

/* What the child does: never returns. */
typedef void standin_child_fn(void *data);

/*
 * Runs the child to its end. How it ended (of waitpid(2)) comes by ret_how. The
 * child begins with this process's signal mask and dispositions as they are, or
 * were before the first child. 0, or -DLAZY_EIO with message: there is no child.
 * Afterwards signals are blocked, and of the descriptors only standard error is
 * open, what `open` says, and `keep`, if it is not -1.
 */
int standin_run(standin_child_fn *child, void *data, enum standin_open open,
		int keep, int *ret_how);

/* Between two children: the signal that came meanwhile and would have ended
 * this process, or 0. */
int standin_pending(void);

/* Ends this process as the child ended. */
__attribute__((noreturn)) void standin_end(int how);

#endif
