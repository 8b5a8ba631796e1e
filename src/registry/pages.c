/* SPDX-License-Identifier: MIT */
/*
 * See pages.h. smaps says of each mapping how much of it is no longer the file's
 * ("Anonymous": relocated text, patched code), and what is locked. Only one that has
 * nothing of either is given back. MADV_DONTNEED takes the pages out of this process;
 * the kernel keeps them in its cache of the file while it has room.
 */
#include "registry/pages.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct mapping {
	uintptr_t start, end;
};

struct pages {
	struct mapping *all;
	size_t count, room;
};

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	free(pages->all);
	free(pages);
}

static void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool is_traced(void)
{
	_cleanup_(cleanup_file) FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int tracer = -1;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "TracerPid: %d", &tracer) == 1)
			break;
	return tracer != 0;
}

/* A mapping that is being read. */
struct reading {
	struct mapping mapping;
	bool clean; /* as far as its lines were read */
};

/* "START-END r-xp OFFSET MAJOR:MINOR INODE PATH": another begins. */
static bool read_begin(const char *line, struct reading *ret)
{
	unsigned long start, end, inode;
	char mode[8];

	if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &start, &end, mode,
		   &inode) != 4)
		return false;
	ret->mapping = (struct mapping){start, end};
	ret->clean =
		inode && mode[0] == 'r' && mode[1] == '-' && mode[3] == 'p';
	return true;
}

static void read_line(const char *line, struct reading *reading)
{
	unsigned long kib;

	if ((sscanf(line, "Anonymous: %lu", &kib) == 1 ||
	     sscanf(line, "Swap: %lu", &kib) == 1 ||
	     sscanf(line, "Locked: %lu", &kib) == 1) &&
	    kib)
		reading->clean = false;
}

static bool keep(struct pages *pages, const struct reading *reading)
{
	if (!reading->clean)
		return true;
	if (!array_reserve(&pages->all, pages->count, &pages->room,
			   sizeof(*pages->all)))
		return false;
	pages->all[pages->count++] = reading->mapping;
	return true;
}

struct pages *pages_read(void)
{
	_cleanup_(cleanup_file) FILE *smaps = fopen("/proc/self/smaps", "re");
	_cleanup_pages_ struct pages *pages = calloc(1, sizeof(*pages));
	struct reading reading = {.clean = false}, next;
	char line[8192];
	bool room = true;

	if (!pages || !smaps || is_traced())
		return NULL;
	while (room && fgets(line, sizeof(line), smaps)) {
		if (!read_begin(line, &next)) {
			read_line(line, &reading);
			continue;
		}
		room = keep(pages, &reading);
		reading = next;
	}
	return room && keep(pages, &reading) ? TAKE_PTR(pages) : NULL;
}

bool pages_give_back(const struct pages *pages, uintptr_t start, uintptr_t end)
{
	bool given = false;

	for (size_t i = 0; i < pages->count; i++) {
		const struct mapping *mapping = &pages->all[i];

		if (mapping->start < start || mapping->end > end)
			continue;
		given |= madvise((void *)mapping->start,
				 mapping->end - mapping->start,
				 MADV_DONTNEED) == 0;
	}
	return given;
}
