/* SPDX-License-Identifier: MIT */
/*
 * The audit object of `dlazy run --children`. Every dynamically linked program
 * that a lazy program starts, and those that they start, comes by here before
 * anything of its own has run: it is executed again, through dlazy, which makes
 * it lazy (or not) and leaves it the same process, arguments and environment.
 *
 * FOLLOW_VARIABLE says which process has been through that: as long as its
 * number stands there, it is not to go again. It is blanked here, so that what
 * that process executes later goes through it in turn.
 *
 * As all audit objects it has no C library, and lives in a namespace of its
 * own; when it has nothing more to do, the dynamic linker removes it.
 */
#include "hook/follow.h"

#include "hook/environment.h"
#include "hook/kernel.h"

#include <link.h>
#include <stdbool.h>

#define OWN_FILE "/proc/self/exe"
#define PATH_SIZE 4096
#define VECTOR_MAX 65536

static const char *after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

/* The value of a variable, or NULL. */
static char *value_of(char **envp, const char *name)
{
	char **entry = environment_find(envp, name),
	     *at = entry ? *entry : NULL;

	while (at && *at++ != '=')
		;
	return at;
}

/* The number at `text`, which ends with the separator; *ret_end is behind it.
 * */
static uint64_t read_number(char *text, char **ret_end)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	*ret_end = *text == FOLLOW_SEPARATOR ? text + 1 : NULL;
	return n;
}

static void blank_number(char *text)
{
	for (; *text >= '0' && *text <= '9'; text++)
		*text = '0';
}

/* The first word of the rest is dlazy's path. */
static bool copy_word(const char *text, char to[PATH_SIZE])
{
	size_t n = 0;

	for (; text[n] && text[n] != FOLLOW_SEPARATOR; n++) {
		if (n == PATH_SIZE - 1)
			return false;
		to[n] = text[n];
	}
	to[n] = '\0';
	return n > 0;
}

static size_t count(char **vector)
{
	size_t n = 0;

	while (vector[n])
		n++;
	return n;
}

/* dlazy FOLLOW_OPTION FILE ARGV...; the environment without LD_AUDIT, which
 * would have dlazy itself come by here. */
static void execute(char *tool, char *file, int argc, char **argv, char **envp)
{
	size_t args = (size_t)argc + 4, all = args + count(envp) + 1, n = 0;

	if (all > VECTOR_MAX)
		return;
	char **vector = kernel_map_private(all * sizeof(*vector));
	if (!vector)
		return;
	char **environment = vector + args;
	vector[n++] = tool;
	vector[n++] = (char *)FOLLOW_OPTION;
	vector[n++] = file;
	for (int i = 0; i < argc; i++)
		vector[n++] = argv[i];
	for (n = 0; *envp; envp++)
		if (!after(*envp, "LD_AUDIT="))
			environment[n++] = *envp;
	KERNEL_CALL(execve, tool, vector, environment, 0, 0, 0);
	kernel_unmap(vector, all * sizeof(*vector));
}

/* Who is followed by somebody else (a debugger, which counts the programs that are
 * executed) is not to be executed again. */
static bool is_traced(void)
{
	static const char key[] = "\nTracerPid:\t";
	static char text[PATH_SIZE];
	long fd = kernel_open("/proc/self/status", O_RDONLY);
	long n = fd < 0 ? -1 : kernel_read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		kernel_close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; *at; at++) {
		const char *value = after(at, key);

		if (value)
			return *value != '0';
	}
	return false;
}

__attribute__((constructor)) static void start(int argc, char **argv,
					       char **envp)
{
	static char tool[PATH_SIZE], file[PATH_SIZE];
	char *value = value_of(envp, FOLLOW_VARIABLE), *rest;

	if (!value)
		return;
	if (read_number(value, &rest) == kernel_process()) {
		blank_number(value);
		environment_put_back_tunables(envp);
		return;
	}
	if (is_traced())
		return;
	long n = kernel_read_link(OWN_FILE, file, sizeof(file) - 1);
	if (n <= 0 || !rest || !copy_word(rest, tool))
		return;
	file[n] = '\0';
	/* A file without a name (memfd_create), or of another root, is none
	 * that dlazy could execute. */
	if (!kernel_same_file(file, OWN_FILE))
		return;
	/* It returns if dlazy is gone; then all is as without. */
	execute(tool, file, argc, argv, envp);
}

/* Of no interest are the objects: "remove me". */
__attribute__((visibility("default"))) unsigned la_version(unsigned version)
{
	(void)version;
	return 0;
}
