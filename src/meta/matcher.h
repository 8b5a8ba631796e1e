/* SPDX-License-Identifier: MIT */
/*
 * What matches what: globs over ids and names, MIME types, and the first bytes of
 * files. Patterns come out of plugins' metadata, so no pattern takes longer than
 * its length times that of what it is held against.
 */
#ifndef META_MATCHER_H
#define META_MATCHER_H

#include "catalog/metadata.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * "*" is any number of characters, "/" included; "?" one; "[a-z]", "[!a-z]" one of
 * or not of a set; "\" takes the next one as it is. Characters are bytes.
 */
bool matcher_glob(const char *pattern, const char *text);

/* Whether a pattern is no more than the text that it matches. */
bool matcher_is_literal(const char *pattern);

/* How many bytes of what a pattern matches are known. */
size_t matcher_prefix(const char *pattern);

/* What is to be opened; each may be NULL. */
struct matcher_subject {
	const char *mime;
	const char *file;
	const unsigned char *head;
	size_t head_size;
};

/* MIME types are compared without their parameters; letters of these and of files'
 * names count alike if they differ in case alone. A glob with a slash is held
 * against the whole name, else against its last part. */
bool matcher_opens(const struct metadata_matcher *m,
		   const struct matcher_subject *subject);

#endif
