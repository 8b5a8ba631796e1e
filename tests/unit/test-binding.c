/* SPDX-License-Identifier: MIT */
/*
 * Programs of this machine: that every reference of every object binds as it does
 * without dlazy, by the second model of the lazy start.
 */
#include "tests/unit/lazy-start.h"

#include <limits.h>

/* The program `i` of this machine; false: it is not installed. */
static bool find_program(size_t i, char real[PATH_MAX])
{
	static const char *const names[] = {
		"ffmpeg", "mpv",     "inkscape",       "gdalinfo", "melt",
		"gdb",	  "php",     "gst-launch-1.0", "python3",  "git",
		"perl",	  "convert", "openssl",	       "gimp",	   "bash",
	};
	char path[PATH_MAX];

	if (i >= sizeof(names) / sizeof(*names))
		return false;
	snprintf(path, sizeof(path), "/usr/bin/%s", names[i]);
	return realpath(path, real);
}

static void print_counts(const char *program)
{
	size_t lazy = 0, mapped = 0;

	for (size_t i = 0; i < verdicts.count; i++) {
		lazy += verdicts.list[i].why == VERDICT_LAZY;
		mapped += verdicts.list[i].mapped;
	}
	printf("# %s: %zu objects, %zu lazy, %zu at the start\n", program,
	       verdicts.count, lazy, mapped);
}

#define PROGRAMS 15

TEST_SECONDS(real_programs_bind_as_without_dlazy, 120)
{
	static const struct verdict_rules rules;
	char program[PATH_MAX];

	test_reads_the_machine();
	started_with(NULL);
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (!find_program(i, program))
			continue;
		decide_of(program, &rules);
		print_counts(program);
	}
}

/* Whatever the machine says of whichever library. */
TEST_SECONDS(real_programs_bind_so_on_any_machine, 120)
{
	char program[PATH_MAX];

	test_reads_the_machine();
	started_with(NULL);
	for (unsigned turn = 0; turn < 3; turn++) {
		const struct index index = {NULL, "any", "any", 3, turn};
		const struct verdict_rules rules = {.index = &index};

		for (size_t i = 0; i < PROGRAMS; i++)
			if (find_program(i, program))
				decide_of(program, &rules);
	}
}
