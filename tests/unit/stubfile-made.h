/* SPDX-License-Identifier: MIT */
/*
 * What the tests of stub files share: libraries in memory, files made of them,
 * and what the reader says of those.
 *
 * The test program has the run-time half of lazy linking in it and exports it
 * (-export-dynamic), so that the stub files that it opens need no other.
 */
#ifndef TESTS_UNIT_STUBFILE_MADE_H
#define TESTS_UNIT_STUBFILE_MADE_H

#include "tests/test.h"

#ifdef __cplusplus
/* They are C: a function may have a structure's name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
#endif

#include "base/file.h"
#include "base/status.h"
#include "elf/view.h"
#include "link/stubfile/stubfile.h"

#ifdef __cplusplus
}
#pragma GCC diagnostic pop
#endif

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static inline void made_status(int r)
{
	if (r < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
}

/* Reads a test plugin, or any other file. */
static inline struct library made_library(const char *path)
{
	struct library library;

	made_status(library_read(path, &library));
	return library;
}

/* Puts the bytes into a file of this test's directory; its path, which is
 * valid until the next call of the same name's length. */
static inline const char *made_file(struct stubfile *file, const char *name)
{
	static char paths[4][4096];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_directory(), name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	CHECK(fd >= 0 &&
	      write(fd, file->data, file->size) == (ssize_t)file->size);
	close(fd);
	stubfile_clear(file);
	return path;
}

static inline struct stubfile_options made_options(void)
{
	struct stubfile_options options;

	memset(&options, 0, sizeof(options));
	if (stubfile_native() == ELF_CPU_NONE)
		test_skip("no stub files are written for this machine");
	options.cpu = stubfile_native();
	return options;
}

/* A shared stub file of one library. */
static inline const char *made_shared(const struct library *library)
{
	struct stubfile_options options = made_options();
	struct stubfile file;

	made_status(stubfile_shared(library, &options, &file));
	return made_file(&file, "stub.so");
}

/* One of several. */
static inline const char *made_combined(const struct library *libraries,
					size_t count)
{
	struct stubfile_options options = made_options();
	struct stubfile_run run = {"/nowhere", "/nowhere/record"};
	struct stubfile file;

	made_status(stubfile_combined(libraries, count, &run, &options, &file));
	return made_file(&file, "combined.so");
}

static inline struct elf_view *made_view(const char *path)
{
	struct elf_view *view = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	made_status(elf_view_open(fd, path, &view));
	close(fd);
	return view;
}

#endif
