/* SPDX-License-Identifier: MIT */
/*
 * Counting what runs touch. The counters are added to atomically, and read one
 * by one. Of two runs at once only a part may be seen, which is good enough
 * for advice.
 */
#include "link/cache/runs.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static size_t size_of(uint32_t libraries)
{
	return sizeof(struct linked_touched) +
	       libraries * sizeof(struct linked_touch);
}

int runs_create(const char *path, uint32_t libraries, uint32_t runs)
{
	const struct linked_touched head = {
		.magic = LINKED_TOUCHED_MAGIC,
		.abi = LINKED_ABI,
		.runs = runs,
		.libraries = libraries,
	};
	_cleanup_close_ int fd = open(
		path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		0600);

	/* Room for all of it, now: a full disk would be a SIGBUS later. */
	if (fd < 0 || pwrite(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    (errno = posix_fallocate(fd, 0, (off_t)size_of(libraries))))
		return status_fail(DLAZY_EIO, "%s: cannot write: %s", path,
				   strerror(errno));
	return 0;
}

bool runs_open(const char *path, uint32_t libraries, struct runs *ret)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;

	if (file_open_trusted(AT_FDCWD, path, O_RDWR, &fd, &size) < 0 ||
	    size != size_of(libraries))
		return false;
	struct linked_touched *touched = file_map_shared(fd, (size_t)size);
	if (!touched)
		return false;
	*ret = (struct runs){touched, (size_t)size};
	if (touched->magic == LINKED_TOUCHED_MAGIC &&
	    touched->abi == LINKED_ABI && touched->libraries == libraries)
		return true;
	runs_close(ret);
	return false;
}

void runs_close(struct runs *runs)
{
	file_unmap_shared(runs->touched, runs->size);
	runs->touched = NULL;
}

uint32_t runs_count(const struct runs *runs)
{
	return runs->touched->runs;
}

uint32_t runs_begin(struct runs *runs)
{
	return atomic_fetch_add(&runs->touched->runs, 1);
}

static const struct linked_touch *touch_of(const struct runs *runs,
					   uint32_t number)
{
	static const struct linked_touch none;

	return number < runs->touched->libraries ? &runs->touched->each[number]
						 : &none;
}

bool runs_touched_by_all(const struct runs *runs, uint32_t number,
			 uint32_t count)
{
	return count > 0 && touch_of(runs, number)->runs >= count;
}

bool runs_touched_by_last(const struct runs *runs, uint32_t number)
{
	uint32_t last = runs->touched->runs;

	return last > 0 && touch_of(runs, number)->last == last;
}

bool runs_touched(const struct runs *runs, uint32_t number,
		  uint32_t *ret_functions)
{
	const struct linked_touch *touch = touch_of(runs, number);

	*ret_functions = touch->functions;
	return touch->runs > 0;
}

void runs_add(struct runs *runs, const struct runs *one)
{
	uint32_t run = runs_begin(runs) + 1;
	struct linked_touched *touched = runs->touched;

	for (uint32_t i = 0; i < touched->libraries; i++) {
		const struct linked_touch *touch = touch_of(one, i);

		if (touch->runs == 0)
			continue;
		atomic_fetch_add(&touched->each[i].runs, 1);
		atomic_fetch_add(&touched->each[i].functions, touch->functions);
		atomic_store(&touched->each[i].last, run);
	}
}
