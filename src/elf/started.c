/* SPDX-License-Identifier: MIT */
/*
 * The kernel puts the strings of arguments and environment one behind the other,
 * and the program's file name (AT_EXECFN) last. setenv() and unsetenv() change
 * pointers and not these strings, so the strings still say what the environment
 * was at the start, even if this library is loaded later. The constructor reads
 * them once. Before that the environment itself is read, as nobody has changed it
 * yet.
 */
#include "elf/started.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define VARIABLE "LD_LIBRARY_PATH"

static struct {
	const char *library_path;
	bool known;
} started;

/* Of what was found; stays as long as the process. volatile: nobody reads it, but
 * LeakSanitizer looks for it. */
static char *volatile copy;

const char *started_library_path(void)
{
	return started.known ? started.library_path : secure_getenv(VARIABLE);
}

void started_set_library_path(const char *path)
{
	started.library_path = path;
	started.known = true;
}

#ifdef __GLIBC__
#define STRINGS_MAX (8u << 20) /* more than a kernel takes */
#define LINKER_ARGUMENTS 16    /* that are looked through */
#define OPTION "--library-path"

/* The string that ends where another begins. */
static const char *string_before(const char *at, const char *lowest)
{
	if (at - lowest < 2)
		return NULL;
	for (at -= 2; at > lowest && *at; at--)
		;
	return at > lowest ? at + 1 : NULL;
}

/* `ld.so --library-path X PROGRAM`: then what is before the program's name are the
 * linker's arguments. */
static const char *given_to_linker(const char *program, const char *lowest)
{
	const char *value = string_before(program, lowest);

	for (int i = 0; value && i < LINKER_ARGUMENTS; i++) {
		const char *option = string_before(value, lowest);

		if (option && !strcmp(option, OPTION))
			return value;
		value = option;
	}
	return NULL;
}

/* The variable in the strings behind `at`; those of `dlazy run` that are not the
 * user's are blank by now. Where ld.so itself was run, it has set AT_EXECFN to
 * one of them: then the end is an empty one. */
static const char *find_variable(const char *at)
{
	const char *end = (const char *)getauxval(AT_EXECFN);
	bool has_end = at < end && (size_t)(end - at) < STRINGS_MAX;
	size_t n = strlen(VARIABLE "=");

	for (at += strlen(at) + 1; has_end ? at < end : *at != '\0';
	     at += strlen(at) + 1)
		if (!strncmp(at, VARIABLE "=", n))
			return at + n;
	return NULL;
}

/* false: the strings are not where they were expected. */
static bool find_started(int argc, char **argv, const char **ret)
{
	const char *lowest = (const char *)(argv + argc);

	if (argc < 1 || argv[0] <= lowest || argv[argc - 1] < argv[0] ||
	    (size_t)(argv[argc - 1] - lowest) > STRINGS_MAX)
		return false;
	*ret = given_to_linker(argv[0], lowest);
	if (!*ret)
		*ret = find_variable(argv[argc - 1]);
	return true;
}

__attribute__((constructor)) static void remember(int argc, char **argv)
{
	const char *found = NULL;

	if (started.known)
		return;
	if (getauxval(AT_SECURE) || !find_started(argc, argv, &found))
		found = secure_getenv(VARIABLE);
	/* The program may write over its arguments, to be shown otherwise. */
	copy = found ? strdup(found) : NULL;
	started_set_library_path(copy);
}
#else /* musl gives constructors no arguments */
__attribute__((constructor)) static void remember(void)
{
	const char *found = secure_getenv(VARIABLE);

	if (started.known)
		return;
	copy = found ? strdup(found) : NULL;
	started_set_library_path(copy);
}
#endif
