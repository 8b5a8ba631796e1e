/* SPDX-License-Identifier: MIT */
/*
 * The start of a program of `dlazy run`, and the count of what it touches.
 *
 * dlazy_linked_start() runs before libc's own constructors, so it calls
 * nothing. It changes strings and array in place: both are the kernel's, and
 * what was removed is to be seen in /proc/self/environ no more.
 *
 * The counts only ever advise. What cannot be had of them is done without.
 */
#include "runtime/touched.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "stub/linked.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>

/* LINKED_TOUCHED_VARIABLE's value, or "". */
static char touched_path[PATH_MAX];

/* Where a text differs from what it should begin with; NULL: it does not begin
 * so. Volatile, or the compiler makes calls of such loops. */
static volatile char *behind(volatile char *text, const char *beginning)
{
	for (; *beginning; beginning++, text++)
		if (*text != *beginning)
			return NULL;
	return text;
}

static void blank(volatile char *text)
{
	while (*text)
		*text++ = '\0';
}

/* Moves the rest of a string to `to`. */
static void move_rest(volatile char *to, volatile char *from)
{
	while (*from)
		*to++ = *from++;
	blank(to);
}

static void keep_touched_path(volatile char *value)
{
	size_t n = 0;

	while (value[n] && n < sizeof(touched_path) - 1) {
		touched_path[n] = value[n];
		n++;
	}
	if (value[n]) /* too long to be a path */
		touched_path[0] = '\0';
}

/* Makes of a string of the environment what the user gave; false: nothing. */
static bool restore(volatile char *entry, const char *directory)
{
	volatile char *value = behind(entry, "LD_LIBRARY_PATH=");
	volatile char *rest = value ? behind(value, directory) : NULL;

	if (rest && *rest == ':') {
		move_rest(value, rest + 1);
	} else if (rest && rest[0] == '/' && !rest[1]) {
		blank(value);
	} else if (rest && !*rest) {
		blank(entry);
		return false;
	}
	value = behind(entry, LINKED_TOUCHED_VARIABLE "=");
	if (value) {
		keep_touched_path(value);
		blank(entry);
	}
	return !value;
}

static bool is_run;

bool touched_is_run(void)
{
	return is_run;
}

void dlazy_linked_start(int argc, char **argv, char **envp,
			const struct linked_run *run)
{
	const char *strings = (const char *)run + run->strings;
	char **to = envp;

	(void)argc;
	(void)argv;
	is_run = true;
	for (char **from = envp; *from; from++)
		if (restore(*from, strings + run->directory))
			*to++ = *from;
	while (*to)
		*to++ = NULL;
}

static struct linked_run_state *state_of(const struct linked_run *run)
{
	return (struct linked_run_state *)((const char *)run + run->state);
}

static struct linked_touched *map_touched(const struct linked_run *run)
{
	const char *path = (const char *)run + run->strings + run->touched;
	size_t size = sizeof(struct linked_touched) +
		      run->libraries * sizeof(struct linked_touch);
	_cleanup_close_ int fd = -1;
	struct linked_touched *touched = NULL;
	uint64_t found;

	if (file_open_trusted(AT_FDCWD, *touched_path ? touched_path : path,
			      O_RDWR, &fd, &found) == 0 &&
	    found == size)
		touched = file_map_shared(fd, size);
	if (!touched) {
		status_clear();
		return NULL;
	}
	if (touched->magic == LINKED_TOUCHED_MAGIC &&
	    touched->abi == run->abi && touched->libraries == run->libraries)
		return touched;
	file_unmap_shared(touched, size);
	return NULL;
}

/* The counts, mapped by who first asks; NULL: there is none (yet). */
static struct linked_touched *open_touched(const struct linked_run *run)
{
	struct linked_run_state *state = state_of(run);
	struct linked_touched *touched =
		atomic_load_explicit(&state->touched, memory_order_acquire);

	if (touched || atomic_exchange(&state->tried, 1))
		return touched;
	int saved = errno;
	touched = map_touched(run);
	if (touched) {
		state->run = touched->runs;
		atomic_store_explicit(&state->touched, touched,
				      memory_order_release);
	}
	errno = saved;
	return touched;
}

void touched_count(const struct linked *l, bool bound)
{
	const struct linked_run *run = l->run ? linked_at(l, l->run) : NULL;
	struct linked_touched *touched = run ? open_touched(run) : NULL;

	if (!touched || l->number >= run->libraries)
		return;
	struct linked_touch *touch = &touched->each[l->number];
	uint32_t number =
		atomic_load_explicit(&state_of(run)->run, memory_order_relaxed);
	uint32_t last =
		atomic_load_explicit(&touch->last, memory_order_relaxed);

	if (last != number &&
	    atomic_exchange_explicit(&touch->last, number,
				     memory_order_relaxed) != number)
		atomic_fetch_add_explicit(&touch->runs, 1,
					  memory_order_relaxed);
	if (bound)
		atomic_fetch_add_explicit(&touch->functions, 1,
					  memory_order_relaxed);
}
