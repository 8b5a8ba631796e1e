/* SPDX-License-Identifier: MIT */
/*
 * Quarantine: a plugin during whose load the host died is not loaded again until its
 * file changes. A marker is written into a file before the dynamic linker is asked,
 * and blanked after. Several processes may have one file.
 *
 * A marker is a line: what the plugin file is, its path, and a checksum, so that one
 * that was half written is none. The process that loads holds a lock on the line's
 * bytes, which the kernel takes away when it dies, however it does: by that a marker
 * of a load in progress is told from one that was left.
 */
#ifndef LOAD_QUARANTINE_H
#define LOAD_QUARANTINE_H

#include "base/file.h"

#include <stdbool.h>

struct dlazy_module;
struct quarantine;

/* The quarantine of a file, for good; the same for the same path. The file is made if
 * need be. 0 or a status, with message. */
int quarantine_open(const char *file, struct quarantine **ret);

/* A load that is marked; all 0: none. */
struct quarantine_mark {
	int fd;
	long long at;
	unsigned length;
	bool set;
};

/* Marks a load that begins. 0, or, with message, -DLAZY_EPOLICY: the host died in an
 * earlier one; or the marker cannot be written. */
int quarantine_enter(const struct dlazy_module *m, struct quarantine_mark *ret);

/* The load has ended. */
void quarantine_leave(struct quarantine_mark *mark);
#define _cleanup_quarantine_ _cleanup_(quarantine_leave)

/* In the child of fork(2): what other threads were loading is the parent's to end, or
 * to die of. */
void quarantine_after_fork(void);

/* Calls fn with the path of each plugin that is refused now. */
typedef void quarantine_fn(void *data, const char *path);
int quarantine_list(const struct quarantine *q, quarantine_fn *fn, void *data);
/* The same of a file that is only read; -DLAZY_ENOENT if it is not there. */
int quarantine_read(const char *file, quarantine_fn *fn, void *data);

#endif
