/* SPDX-License-Identifier: MIT */
/*
 * The nearest of the words offered so far to one that was mistyped, for messages.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

struct nearest {
	const char *word; /* NULL: none is near */
	unsigned distance;
};

void nearest_offer(struct nearest *nearest, const char *typed,
		   const char *word);

#endif
