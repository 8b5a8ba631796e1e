/* SPDX-License-Identifier: MIT */
/*
 * The end of what open_memstream() began. fclose() alone does not say that memory
 * ran out: of a stream that could not grow it leaves the text cut short, and of
 * one that could not begin, no text at all.
 */
#ifndef BASE_MEMSTREAM_H
#define BASE_MEMSTREAM_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Closes it. Whether the text is whole; if not, it is freed, and NULL. */
static inline bool memstream_end(FILE *out, char **text)
{
	bool whole = !ferror(out);

	if (fclose(out) == 0 && whole && *text)
		return true;
	free(*text);
	*text = NULL;
	return false;
}

#endif
