/* SPDX-License-Identifier: MIT */
/*
 * Writing notes. A file that changes within a tick of the clock after it was judged
 * could make a note wrong; that costs laziness and no more, so nothing is waited
 * for.
 */
#include "cli/run/plain.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "cli/frame/beside.h"
#include "hook/launch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The identity of a file, or zeros where it is not; or a state. */
static int record_of(const char *path, uint64_t at, struct launch_record *ret)
{
	struct file_identity identity = {.dev = 0};
	int status = file_identify(AT_FDCWD, path, &identity);

	if (status_is_state(status))
		return status;
	if (status < 0)
		identity = (struct file_identity){.dev = 0};
	*ret = (struct launch_record){
		.dev = identity.dev,
		.ino = identity.ino,
		.size = identity.size,
		.mtime_ns = identity.mtime_ns,
		.ctime_ns = identity.ctime_ns,
		.path = at,
	};
	return 0;
}

static void write_note(const char *where, const char *const *paths)
{
	static char file[LAUNCH_SIZE_MAX];
	struct launch_note note = {.magic = LAUNCH_MAGIC, .size = sizeof(note)};

	for (int i = 0; i < LAUNCH_FILES; i++) {
		size_t n = strlen(paths[i]) + 1;

		if (n > sizeof(file) - note.size ||
		    record_of(paths[i], note.size, &note.files[i]) < 0)
			return;
		memcpy(file + note.size, paths[i], n);
		note.size += n;
	}
	memcpy(file, &note, sizeof(note));
	file_replace(AT_FDCWD, where, file, note.size, 0600);
}

void plain_note(const char *launcher, const struct program *program)
{
	_cleanup_free_ char *cache = catalog_cache_dir();
	_cleanup_free_ char *where = NULL;
	char own[PATH_MAX];
	const char *const paths[LAUNCH_FILES] = {
		[LAUNCH_LAUNCHER] = launcher,
		[LAUNCH_TARGET] = program->command,
		[LAUNCH_EXECUTABLE] = program->executable,
		[LAUNCH_TOOL] = own,
		[LAUNCH_LIBRARIES] = "/etc/ld.so.cache",
	};

	beside_own(own);
	if (!*own || !cache || launcher[0] != '/' ||
	    program->command[0] != '/' || getenv("LD_LIBRARY_PATH") ||
	    getenv("LD_PRELOAD"))
		return;
	if (asprintf(&where, "%s" LAUNCH_NOTE "%016" PRIx64, cache,
		     launch_hash(launcher)) < 0)
		where = NULL;
	if (where)
		write_note(where, paths);
	status_clear();
}
