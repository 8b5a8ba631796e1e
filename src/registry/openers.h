/* SPDX-License-Identifier: MIT */
/*
 * What a directory has that can open something, the best ranked first: only what
 * the catalog's keys (catalog/keys.h) lead to is looked at, however much there is.
 * One thread at a time, as with the reader that it reads by.
 */
#ifndef REGISTRY_OPENERS_H
#define REGISTRY_OPENERS_H

#include "catalog/reader.h"
#include "meta/matcher.h"

struct openers;

/* The reader stays the caller's, and outlives it. 0, or as of reader.h. */
int openers_begin(struct catalog_reader *reader,
		  const struct matcher_subject *subject, struct openers **ret);
void openers_end(struct openers *openers);

/* The next one, of the same subject. As of reader.h. */
int openers_next(struct openers *openers, const struct matcher_subject *subject,
		 struct reader_opener *ret);

#endif
