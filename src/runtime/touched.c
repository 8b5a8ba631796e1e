/* SPDX-License-Identifier: MIT */
/*
 * The start of a program of `dlazy run`, and the record of what it touches.
 *
 * dlazy_linked_start() runs before libc's own constructors, so it calls
 * nothing. It changes strings and array in place: both are the kernel's, and
 * what was removed is to be seen in /proc/self/environ no more.
 *
 * The record only ever advises. What cannot be had of it is done without.
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

/* LINKED_RECORD_VARIABLE's value, or "". */
static char record_path[PATH_MAX];

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

static void keep_record_path(volatile char *value)
{
	size_t n = 0;

	while (value[n] && n < sizeof(record_path) - 1) {
		record_path[n] = value[n];
		n++;
	}
	if (value[n]) /* too long to be a path */
		record_path[0] = '\0';
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
	value = behind(entry, LINKED_RECORD_VARIABLE "=");
	if (value) {
		keep_record_path(value);
		blank(entry);
	}
	return !value;
}

void dlazy_linked_start(int argc, char **argv, char **envp,
			const struct linked_run *run)
{
	const char *strings = (const char *)run + run->strings;
	char **to = envp;

	(void)argc;
	(void)argv;
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

static struct linked_record *map_record(const struct linked_run *run)
{
	const char *path = (const char *)run + run->strings + run->record;
	size_t size = sizeof(struct linked_record) +
		      run->libraries * sizeof(struct linked_touch);
	_cleanup_close_ int fd = -1;
	struct linked_record *record = NULL;
	uint64_t found;

	if (file_open_trusted(AT_FDCWD, *record_path ? record_path : path,
			      O_RDWR, &fd, &found) == 0 &&
	    found == size)
		record = file_map_shared(fd, size);
	if (!record) {
		status_clear();
		return NULL;
	}
	if (record->magic == LINKED_RECORD_MAGIC && record->abi == run->abi &&
	    record->libraries == run->libraries)
		return record;
	file_unmap_shared(record, size);
	return NULL;
}

/* The record, mapped by who first asks; NULL: there is none (yet). */
static struct linked_record *open_record(const struct linked_run *run)
{
	struct linked_run_state *state = state_of(run);
	struct linked_record *record =
		atomic_load_explicit(&state->record, memory_order_acquire);

	if (record || atomic_exchange(&state->tried, 1))
		return record;
	int saved = errno;
	record = map_record(run);
	if (record) {
		state->run = record->runs;
		atomic_store_explicit(&state->record, record,
				      memory_order_release);
	}
	errno = saved;
	return record;
}

void run_count(const struct linked *l, bool bound)
{
	const struct linked_run *run = l->run ? linked_at(l, l->run) : NULL;
	struct linked_record *record = run ? open_record(run) : NULL;

	if (!record || l->number >= run->libraries)
		return;
	struct linked_touch *touch = &record->touched[l->number];
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
