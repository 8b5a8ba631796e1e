/* SPDX-License-Identifier: MIT */
/*
 * Searching a file for texts. Compilers put texts into a segment of constants,
 * older link editors beside the code, so all that is mapped is searched.
 */
#include "link/code/text.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"

#include <string.h>

static bool bytes_have_any(const uint8_t *bytes, size_t size,
			   const char *const *texts)
{
	for (; *texts; texts++)
		if (memmem(bytes, size, *texts, strlen(*texts)))
			return true;
	return false;
}

/* *ret: whether the file has one. 0 or a status. */
static int look_through(const struct image *image, const char *const *texts,
			bool *ret)
{
	for (size_t i = 0; !*ret && i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];
		_cleanup_free_ uint8_t *bytes = NULL;

		if (segment->p_type != PT_LOAD)
			continue;
		int r = image_read_address(image, "its texts", segment->p_vaddr,
					   segment->p_filesz, (void **)&bytes);
		if (r < 0)
			return r;
		*ret = bytes_have_any(bytes, segment->p_filesz, texts);
	}
	return 0;
}

bool text_has_any(int fd, const char *name, const char *const *texts)
{
	_cleanup_(image_clear) struct image image = {.fd = -1};
	bool found = false;
	int r = image_open(&image, fd, name);

	if (r == 0)
		r = look_through(&image, texts, &found);
	if (r < 0)
		status_clear();
	return found || r < 0;
}
