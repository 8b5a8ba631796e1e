/* SPDX-License-Identifier: MIT */
/*
 * What dlazy and the starter of launchers (launch.c) agree on: a note in the user's
 * cache. It says that a launcher's program runs plainly, and has the identities of
 * the files from which dlazy found that. While all of these are unchanged, the
 * starter executes the program itself.
 */
#ifndef HOOK_LAUNCH_H
#define HOOK_LAUNCH_H

#include <stdint.h>

#define LAUNCH_MAGIC UINT64_C(0x31686e6c7a6c6400)
#define LAUNCH_SIZE_MAX 16384

/* Its directory in the cache, and how its name begins; a hash of the launcher's
 * path follows, in hexadecimal digits. */
#define LAUNCH_NOTE "/run/plain-"
#define LAUNCH_DIGITS 16

enum launch_file {
	LAUNCH_LAUNCHER,
	LAUNCH_TARGET,	   /* what it names */
	LAUNCH_EXECUTABLE, /* who runs it, if it is a script; or the same */
	LAUNCH_TOOL,	   /* dlazy */
	LAUNCH_LIBRARIES,  /* ld.so.cache: changes with what is installed */
	LAUNCH_FILES
};

/* Identities as base/file.h has them; all 0: it was not there. */
struct launch_record {
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
	uint64_t path; /* from the file's beginning */
};

struct launch_note {
	uint64_t magic;
	uint64_t size; /* of the file, which ends with a NUL */
	struct launch_record files[LAUNCH_FILES];
};

static inline uint64_t launch_hash(const char *path)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
