/* SPDX-License-Identifier: MIT */
/*
 * Searching a file for texts and words. Compilers put texts into a segment of constants,
 * older link editors beside the code, so all that is mapped is searched.
 */
#include "link/code/text.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"

#include <string.h>

#define WORD_MAX 256
#define PIECE (32u << 20) /* of a segment, that is read at once */

static bool bytes_have_any(const uint8_t *bytes, size_t size,
			   const char *const *texts)
{
	for (; *texts; texts++)
		if (memmem(bytes, size, *texts, strlen(*texts)))
			return true;
	return false;
}

/* The names of its symbols, and of what it needs, are no texts of its own. */
static void forget_names(const struct image *image, uint64_t start,
			 uint64_t size, uint8_t *bytes)
{
	uint64_t names = image_dynamic_value(image, DT_STRTAB);
	uint64_t length = image_dynamic_value(image, DT_STRSZ);
	uint64_t skipped = names < start ? start - names : 0;

	if (length <= skipped || names - start + skipped >= size)
		return;
	names += skipped - start;
	length -= skipped;
	memset(bytes + names, 1, length < size - names ? length : size - names);
}

static bool has_bytes(const struct image *image, size_t i)
{
	return image->segments[i].p_type == PT_LOAD &&
	       image->segments[i].p_filesz > 0;
}

/* Bytes of a segment that is mapped, and a NUL. 0 or a status. */
static int read_bytes(const struct image *image, uint64_t start, uint64_t size,
		      uint8_t **ret)
{
	int r = image_read_address(image, "its texts", start, size,
				   (void **)ret);

	if (r == 0)
		forget_names(image, start, size, *ret);
	return r;
}

/* *ret: whether the file has one. 0 or a status. */
static int look_through(const struct image *image, const char *const *texts,
			bool *ret)
{
	for (size_t i = 0; !*ret && i < image->segment_count; i++) {
		_cleanup_free_ uint8_t *bytes = NULL;
		const ElfN(Phdr) *segment = &image->segments[i];
		int r = has_bytes(image, i)
				? read_bytes(image, segment->p_vaddr,
					     segment->p_filesz, &bytes)
				: 0;

		if (r < 0)
			return r;
		*ret = bytes && bytes_have_any(bytes, segment->p_filesz, texts);
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

static bool is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static uint32_t hash_one(uint32_t hash, char letter)
{
	return hash * 31 + (uint8_t)letter;
}

uint32_t text_hash(const char *word)
{
	uint32_t hash = 0;

	for (size_t i = strlen(word); i > 0; i--)
		hash = hash_one(hash, word[i - 1]);
	return hash;
}

/* Of the text that ends at `end`. */
static void tell_ends(const char *bytes, size_t end, text_fn *fn, void *arg)
{
	uint32_t hash = 0;

	for (size_t at = end;
	     at > 0 && end - at < WORD_MAX && is_of_word(bytes[at - 1]); at--) {
		hash = hash_one(hash, bytes[at - 1]);
		fn(bytes + at - 1, hash, arg);
	}
}

static void tell_words(const char *bytes, size_t size, text_fn *fn, void *arg)
{
	for (size_t end = 0; end < size; end++)
		if (bytes[end] == '\0')
			tell_ends(bytes, end, fn, arg);
}

/* A large one by pieces, which overlap by what a word can be long. */
static int tell_segment(const struct image *image, size_t i, text_fn *fn,
			void *arg)
{
	uint64_t start = image->segments[i].p_vaddr;
	uint64_t left = image->segments[i].p_filesz;

	for (;;) {
		uint64_t size = left < PIECE ? left : PIECE;
		_cleanup_free_ uint8_t *bytes = NULL;
		int r = read_bytes(image, start, size, &bytes);

		if (r < 0)
			return r;
		tell_words((const char *)bytes, size, fn, arg);
		if (size == left)
			return 0;
		start += size - WORD_MAX;
		left -= size - WORD_MAX;
	}
}

int text_each_word(int fd, const char *name, text_fn *fn, void *arg)
{
	_cleanup_(image_clear) struct image image = {.fd = -1};
	int r = image_open(&image, fd, name);

	for (size_t i = 0; r == 0 && i < image.segment_count; i++)
		if (has_bytes(&image, i))
			r = tell_segment(&image, i, fn, arg);
	return r;
}
