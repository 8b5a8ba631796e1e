/* SPDX-License-Identifier: MIT */
/*
 * Writing an output file. A symbolic link stays one: the file that it leads to
 * is replaced.
 */
#include "cli/frame/output.h"

#include "base/file.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_write(const char *path)
{
	return status_fail(status_from_errno(errno), "%s: cannot write: %s",
			   path, strerror(errno));
}

/* Can another file be put in the place of it? */
static bool is_replaceable(const char *path)
{
	int n = (int)(file_base_name(path) - path);
	char *dir = NULL;
	struct stat st;

	/* A link that leads nowhere has no place to put anything. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return false;
	if (asprintf(&dir, "%.*s.", n, path) < 0)
		return false;
	bool is_writable = access(dir, W_OK | X_OK) == 0;
	free(dir);
	return is_writable;
}

int output_open(const char *path, struct output *ret)
{
	char *real = realpath(path, NULL);
	bool is_new = !real;

	*ret = (struct output){real ? real : strdup(path), -1};
	if (!ret->path)
		return status_no_memory(NULL);
	bool replace = is_replaceable(ret->path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0)
		return cannot_write(path);
	if (!replace) {
		ret->fd = fd;
		return 0;
	}
	close(fd);
	if (is_new)
		unlink(path);
	return 0;
}

static int write_through(const struct output *output, const char *data,
			 size_t size)
{
	struct stat st;
	int interruptions = 0;

	if (fstat(output->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(output->fd, 0) < 0)
		return cannot_write(output->path);
	while (size > 0) {
		ssize_t n = write(output->fd, data, size);

		if (n < 0 && errno == EINTR && ++interruptions < 1000)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return cannot_write(output->path);
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int output_write(const struct output *output, const void *data, size_t size)
{
	if (output->fd >= 0)
		return write_through(output, data, size);
	return file_replace(AT_FDCWD, output->path, data, size, 0666);
}

void output_close(struct output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	free(output->path);
	*output = (struct output){NULL, -1};
}
