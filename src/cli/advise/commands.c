/* SPDX-License-Identifier: MIT */
/*
 * Listing the programs of PATH, in its order, and by name in each directory.
 * One file of many names (busybox) is one program.
 */
#include "cli/advise/commands.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "elf/view.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int commands_add(struct commands *commands, const char *path)
{
	char *copy = strdup(path);

	if (copy && array_reserve(&commands->list, commands->count,
				  &commands->room, sizeof(*commands->list))) {
		commands->list[commands->count++] = copy;
		return 0;
	}
	free(copy);
	return status_no_memory(NULL);
}

void commands_clear(struct commands *commands)
{
	for (size_t i = 0; i < commands->count; i++)
		free(commands->list[i]);
	free(commands->list);
	*commands = (struct commands){.list = NULL};
}

/* An ELF file, by its first bytes. */
static bool is_elf(int fd)
{
	uint8_t head[64];
	char words[64];

	return file_read_at(fd, 0, head, sizeof(head)) &&
	       elf_machine_name(head, sizeof(head), words, sizeof(words));
}

static int add_entry(struct commands *ret, struct map *seen, const char *dir,
		     const char *name)
{
	_cleanup_close_ int fd = -1;
	struct file_identity id;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX || access(path, X_OK) < 0 ||
	    file_open(AT_FDCWD, path, &fd, &id) < 0 || !is_elf(fd)) {
		status_clear();
		return 0;
	}
	uint64_t key = hash_bytes(&id, sizeof(id));
	if (map_get(seen, key))
		return 0;
	if (!map_put(seen, key, ret))
		return status_no_memory(NULL);
	return commands_add(ret, path);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_directory(struct commands *ret, struct map *seen,
			 const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_visible, alphasort), status = 0;

	if (n < 0)
		return 0;
	for (int i = 0; i < n; i++) {
		if (status == 0)
			status = add_entry(ret, seen, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return status;
}

int commands_of_path(struct commands *ret)
{
	const char *path = getenv("PATH");
	struct map seen = {0};
	int status = 0;

	for (const char *at = path ? path : "/bin:/usr/bin"; status == 0;) {
		size_t n = strcspn(at, ":");
		_cleanup_free_ char *dir = strndup(at, n);

		if (dir && dir[0] == '/')
			status = add_directory(ret, &seen, dir);
		at += n;
		if (*at++ == '\0')
			break;
	}
	map_clear(&seen);
	return status;
}
