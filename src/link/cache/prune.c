/* SPDX-License-Identifier: MIT */
/*
 * Removing old entries. The time of an entry's last use is that of the last
 * change of its directory, which making it causes, or of a generation's
 * record, in which each run counts itself. `current` is removed first: from
 * then on nobody starts on the rest.
 */
#include "link/cache/prune.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

static bool is_generation(const char *name)
{
	return strncmp(name, "g-", 2) == 0;
}

/*
 * Has a file of a directory been written to of late? If that cannot be told,
 * yes.
 */
static bool is_recent(int dirfd, const char *name, const char *file)
{
	_cleanup_close_ int fd = openat(
		dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return true;
	if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT;
	return st.st_mtim.tv_sec > time(NULL) - PRUNE_DAYS * 24L * 3600;
}

static bool is_in_use(DIR *entry)
{
	const struct dirent *file;

	if (is_recent(dirfd(entry), ".", "."))
		return true;
	rewinddir(entry);
	while ((file = readdir(entry)))
		if (is_generation(file->d_name) &&
		    is_recent(dirfd(entry), file->d_name, GENERATION_TOUCHED))
			return true;
	return false;
}

static void remove_entry(int parent, const char *name, DIR *entry)
{
	const struct dirent *file;

	unlinkat(dirfd(entry), "current", 0);
	rewinddir(entry);
	while ((file = readdir(entry)))
		if (is_generation(file->d_name))
			generation_remove(dirfd(entry), file->d_name);
	unlinkat(dirfd(entry), "lock", 0);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void prune_entries(const struct place *place)
{
	_cleanup_closedir_ DIR *all = file_list(place->fd, "..");
	const struct dirent *each;

	while (all && (each = readdir(all))) {
		_cleanup_closedir_ DIR *entry =
			file_list(dirfd(all), each->d_name);

		if (entry && each->d_name[0] != '.' &&
		    strcmp(each->d_name, file_base_name(place->path)) != 0 &&
		    !is_in_use(entry))
			remove_entry(dirfd(all), each->d_name, entry);
	}
}
