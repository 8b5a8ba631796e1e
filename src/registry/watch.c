/* SPDX-License-Identifier: MIT */
/*
 * See watch.h. A directory that was removed and made again is another one: so each
 * refresh watches all of them again, which costs a system call each.
 */
#include "registry/watch.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/below.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define CHANGES                                                \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
	 IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

int watch_new(void)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (watch >= 0)
		return watch;
	return status_fail(errno == ENOSYS ? DLAZY_ENOSYS : DLAZY_EIO,
			   "directories cannot be watched: inotify: %s",
			   strerror(errno));
}

int watch_directory(int watch, const char *dir)
{
	_cleanup_free_ char *path = strdup(dir);

	if (!path)
		return status_no_memory(dir);
	for (;;) {
		if (inotify_add_watch(watch, path, CHANGES | IN_ONLYDIR) >= 0)
			return 0;
		char *slash = strrchr(path, '/');
		if ((errno != ENOENT && errno != ENOTDIR) || !slash || !path[1])
			return status_fail(DLAZY_EIO,
					   "%s: cannot be watched: %s", dir,
					   strerror(errno));
		slash[slash == path] = '\0';
	}
}

int watch_below(int watch, const char *dir)
{
	_cleanup_(below_free) struct below below = {.every = true};
	int status = below_add(&below, dir);

	if (status < 0 && status != -DLAZY_ENOMEM) {
		status_clear();
		status = 0;
	}
	for (size_t i = 0; status == 0 && i < below.count; i++)
		status = watch_directory(watch, below.paths[i]);
	return status;
}

void watch_drain(int watch)
{
	char events[4096]
		__attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(watch, events, sizeof(events)) > 0)
		;
}
