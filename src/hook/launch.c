/* SPDX-License-Identifier: MIT */
/*
 * The starter of launchers, which the "#!" line of each names, with dlazy's path
 * behind. It is in the way of every start of a program that gains nothing, so it
 * is freestanding: no dynamic linker, no C library, one file is read and five are
 * looked at. Where the note (launch.h) does not hold, dlazy is executed instead,
 * which makes it anew.
 *
 *     launch DLAZY LAUNCHER ARGUMENT...
 */
#include "hook/launch.h"

#include "hook/environment.h"
#include "hook/kernel.h"

#define FAILED 125

static char note[LAUNCH_SIZE_MAX];
static char path[4096];

static const char *value_of(char **envp, const char *name)
{
	char **entry = environment_find(envp, name);
	const char *at = entry ? *entry : "";

	while (*at && *at != '=')
		at++;
	return at[0] && at[1] ? at + 1 : NULL;
}

static size_t put(size_t at, const char *text)
{
	while (*text && at < sizeof(path) - 1)
		path[at++] = *text++;
	path[at] = '\0';
	return at;
}

/* As catalog/cachedir.c chooses it; 0: dlazy knows. */
static size_t put_cache(char **envp)
{
	const char *cache = value_of(envp, "DLAZY_CACHE_DIR");
	const char *xdg = value_of(envp, "XDG_CACHE_HOME");
	const char *home = value_of(envp, "HOME");

	if (cache)
		return put(0, cache);
	if (xdg)
		return put(put(0, xdg), "/dlazy");
	return home ? put(put(0, home), "/.cache/dlazy") : 0;
}

static bool put_note(char **envp, const char *launcher)
{
	uint64_t hash = launch_hash(launcher);
	size_t at = put_cache(envp);

	if (at == 0 || path[0] != '/')
		return false;
	at = put(at, LAUNCH_NOTE);
	if (at + LAUNCH_DIGITS >= sizeof(path))
		return false;
	for (int i = LAUNCH_DIGITS; i-- > 0; hash >>= 4)
		path[at + (size_t)i] = "0123456789abcdef"[hash & 15];
	path[at + LAUNCH_DIGITS] = '\0';
	return true;
}

/* Is it the user's or root's, and can nobody else write to it? */
static bool is_trusted(long fd)
{
	struct stat st;
	uint32_t user = (uint32_t)KERNEL_CALL(geteuid, 0, 0, 0, 0, 0, 0);

	return KERNEL_CALL(fstat, fd, &st, 0, 0, 0, 0) == 0 &&
	       S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == user) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static bool read_note(void)
{
	const struct launch_note *n = (const void *)note;
	long fd = kernel_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	long size = 0;

	if (fd < 0)
		return false;
	if (is_trusted(fd))
		size = kernel_read(fd, note, sizeof(note));
	kernel_close(fd);
	return size > (long)sizeof(*n) && n->magic == LAUNCH_MAGIC &&
	       n->size == (uint64_t)size && note[size - 1] == '\0';
}

static const char *path_of(enum launch_file which)
{
	const struct launch_note *n = (const void *)note;
	uint64_t at = n->files[which].path;

	return at < n->size ? note + at : "";
}

static uint64_t ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static bool is_as_it_was(enum launch_file which)
{
	const struct launch_note *n = (const void *)note;
	const struct launch_record *r = &n->files[which];
	struct stat st;

	if (KERNEL_CALL(newfstatat, AT_FDCWD, path_of(which), &st, 0, 0, 0))
		return r->ino == 0;
	return r->ino == st.st_ino && r->dev == st.st_dev &&
	       r->size == (uint64_t)st.st_size &&
	       r->mtime_ns == ns(&st.st_mtim) && r->ctime_ns == ns(&st.st_ctim);
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Does all that the note was made of still hold? */
static bool is_plain(char **envp, const char *tool, const char *launcher)
{
	if (launcher[0] != '/' || environment_find(envp, "LD_LIBRARY_PATH") ||
	    environment_find(envp, "LD_PRELOAD") || !put_note(envp, launcher) ||
	    !read_note() || !is_same(path_of(LAUNCH_LAUNCHER), launcher) ||
	    !is_same(path_of(LAUNCH_TOOL), tool))
		return false;
	for (int i = 0; i < LAUNCH_FILES; i++)
		if (!is_as_it_was((enum launch_file)i))
			return false;
	return true;
}

static char *base_name(char *name)
{
	char *base = name;

	for (; *name; name++)
		if (*name == '/')
			base = name + 1;
	return base;
}

static void say(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	kernel_write(2, text, n);
}

/* stack: as the kernel has it: argc, argv, NULL, the environment. */
__attribute__((noreturn, used)) void launch_start(long *stack);
void launch_start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;

	if (argc >= 3) {
		char *tool = argv[1], *launcher = argv[2];

		if (is_plain(envp, tool, launcher)) {
			argv[2] = base_name(launcher);
			KERNEL_CALL(execve, path_of(LAUNCH_TARGET), argv + 2,
				    envp, 0, 0, 0);
			argv[2] = launcher;
		}
		argv[0] = tool;
		argv[1] = (char *)"--launcher";
		KERNEL_CALL(execve, tool, argv, envp, 0, 0, 0);
		say(tool);
	}
	say(": dlazy cannot be executed, which a launcher of its own names\n");
	for (;;)
		KERNEL_CALL(exit_group, FAILED, 0, 0, 0, 0, 0);
}
