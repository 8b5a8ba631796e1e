/* SPDX-License-Identifier: MIT */
/*
 * Growing arrays of any element type, and sums of sizes that cannot overflow
 * unnoticed. An array is three fields of the struct that owns it: pointer,
 * count, room.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Room for one more element of `size` bytes; false: out of memory. */
static inline bool array_reserve(void *array, size_t count, size_t *room,
				 size_t size)
{
	void **data = array;

	if (count < *room)
		return true;
	size_t wanted = *room ? *room * 2 : 8;
	if (wanted <= *room || wanted > SIZE_MAX / size)
		return false;
	void *grown = realloc(*data, wanted * size);
	if (!grown)
		return false;
	*data = grown;
	*room = wanted;
	return true;
}

/*
 * The number of leading elements that are before what is looked for: `is_before`, an
 * expression of the index `i`, is true for these and for none behind them. So it is
 * the index of the first that is not.
 */
#define ARRAY_COUNT_BEFORE(count, i, is_before)               \
	({                                                    \
		size_t low_ = 0, high_ = (count);             \
                                                              \
		while (low_ < high_) {                        \
			size_t i = low_ + (high_ - low_) / 2; \
                                                              \
			if (is_before)                        \
				low_ = i + 1;                 \
			else                                  \
				high_ = i;                    \
		}                                             \
		low_;                                         \
	})

/* Whether [offset, offset + length) lies within `size` bytes. */
static inline bool range_within(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* As range_within, for `count` elements of `each` bytes. */
static inline bool range_array_within(uint64_t offset, uint64_t count,
				      uint64_t each, uint64_t size)
{
	return offset <= size && count <= (size - offset) / each;
}

#endif
