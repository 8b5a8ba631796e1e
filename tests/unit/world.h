/* SPDX-License-Identifier: MIT */
/*
 * A small world of libraries and a program, made from source in the test's
 * directory: each test that needs one shows all of it.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "tests/unit/started-with.h"
#include "tests/test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What valgrind preloads is none of it. */
__attribute__((constructor)) static void world_begin(void)
{
	unsetenv("LD_PRELOAD");
}

/* A path in it; static, up to 16 at a time. */
static inline const char *world_path(const char *name)
{
	static char paths[16][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 16];

	snprintf(path, PATH_MAX, "%s/%s", test_directory(), name);
	return path;
}

/* Compiles, as C of a time when functions needed no declaration; needs: what goes
 * behind the source on the command line. Libraries are linked in the order given,
 * and whether or not anything is taken from them. */
static inline void world_compile(const char *output, const char *source,
				 const char *options, const char *needs)
{
	char command[8 * PATH_MAX];
	const char *cc = getenv("PLAIN_CC"), *at = test_directory();

	if (getenv("TEST_RUN"))
		test_skip("emulated: what is compiled here is for this CPU");
	if (!cc || !*cc)
		cc = "cc";
	snprintf(command, sizeof(command),
		 "printf '%%s' '%s' | %s -w -std=gnu89 -O1 -fno-builtin %s -o "
		 "'%s/%s' "
		 "-x c - -x none -L'%s' -Wl,-rpath-link,'%s' "
		 "-Wl,--no-as-needed %s",
		 source, cc, options, at, output, at, at, needs);
	if (system(command) != 0) {
		if (system("command -v ${PLAIN_CC:-cc} >/dev/null 2>&1") != 0)
			test_skip("no compiler");
		test_fail(__FILE__, __LINE__, "cannot compile %s", output);
	}
}

/* NAME is the SONAME, too. */
static inline void world_library(const char *name, const char *source,
				 const char *needs)
{
	char options[256];

	snprintf(options, sizeof(options), "-shared -fPIC -Wl,-soname,%s",
		 name);
	world_compile(name, source, options, needs);
}

/* The program "program": its libraries are found by LD_LIBRARY_PATH. */
static inline void world_program(const char *source, const char *needs)
{
	world_compile("program", source, "-fPIE -pie", needs);
	started_with(test_directory());
}

#endif
