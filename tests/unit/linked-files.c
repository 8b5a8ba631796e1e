/* SPDX-License-Identifier: MIT */
#include "tests/unit/linked-stubs.h"

#include "base/file.h"
#include "stub/linked.h"

#define LONGEST 4096

/* "good-plain" of DIR/good-plain.so. */
static const char *plugin_name(const char *path)
{
	static char name[LONGEST];

	snprintf(name, sizeof(name), "%s", file_base_name(path));
	name[strcspn(name, ".")] = '\0';
	return name;
}

void linked_files(struct linked *l, const char *first, const char *second)
{
	static char buffer[16][2 * LONGEST + 3];
	static int used;
	char *at = buffer[used++ % 16];

	/* test-linked-names.sh has the dynamic linker look for all of them. */
	if (getenv("LINKED_BY_NAME") && !second &&
	    !strcmp(first, test_plugin(plugin_name(first))))
		first = file_base_name(first);
	/* A string's offset counts from the strings. */
	l->files = (uint32_t)(at - linked_string(l, 0));
	at += snprintf(at, LONGEST, "%s", first) + 1;
	if (second)
		at += snprintf(at, LONGEST, "%s", second) + 1;
	*at = '\0';
}

struct run_file {
	struct linked_run run;
	struct linked_run_state state;
	char directory[LONGEST], touched[LONGEST];
};

extern struct run_file linked_run; /* of linked-stubs.S */
struct run_file linked_run = {
	.run =
		{
			.abi = LINKED_ABI,
			.libraries = 2,
			.strings = offsetof(struct run_file, directory),
			.touched = LONGEST,
			.state = offsetof(struct run_file, state),
		},
};

const struct linked_run *linked_run_of(const char *directory,
				       const char *touched)
{
	snprintf(linked_run.directory, LONGEST, "%s", directory);
	snprintf(linked_run.touched, LONGEST, "%s", touched);
	return &linked_run.run;
}
