/* SPDX-License-Identifier: MIT */
/*
 * The bytes are read into one buffer and thrown away: unlike a hint
 * (posix_fadvise()), this has ended when they are there. What no segment loads,
 * such as debugging information, is left on the disk.
 */
#include "elf/warm.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define WARM_PIECE (256u << 10)

static int warm_range(const struct image *image, uint64_t offset, uint64_t size,
		      char *buffer)
{
	while (size > 0) {
		uint64_t piece = size < WARM_PIECE ? size : WARM_PIECE;
		ssize_t n = file_read_some(image->fd, offset, buffer, piece);

		if (n < 0)
			return status_fail(status_from_errno(errno), "%s: %s",
					   image->name, strerror(errno));
		if (n == 0)
			return image_damaged(image, "it ends before a segment");
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

static int warm_segments(const struct image *image)
{
	_cleanup_free_ char *buffer = malloc(WARM_PIECE);
	int status = 0;

	if (!buffer)
		return status_no_memory(image->name);
	for (size_t i = 0; i < image->segment_count && status == 0; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD)
			status = warm_range(image, segment->p_offset,
					    segment->p_filesz, buffer);
	}
	return status;
}

int elf_warm(const char *path)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(image_clear) struct image image = {.fd = -1};
	int status = file_open(AT_FDCWD, path, &fd, NULL);

	if (status == 0)
		status = image_open(&image, fd, path);
	return status < 0 ? status : warm_segments(&image);
}
