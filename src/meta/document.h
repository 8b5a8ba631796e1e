/* SPDX-License-Identifier: MIT */
/*
 * Merged metadata as they are handed out: the text, the source of each key, and
 * values by key or JSON Pointer. Made of text alone, so that what a catalog has
 * needs no JSON library. A document is constant: any thread may ask it.
 */
#ifndef META_DOCUMENT_H
#define META_DOCUMENT_H

struct document;

/* Of texts that json_check() has taken; they are copied. 0 or -DLAZY_ENOMEM, with
 * message. */
int document_new(const char *text, const char *sources, struct document **ret);
void document_free(struct document *d);

/* The object, and an object with the source of each key. */
const char *document_text(const struct document *d);
const char *document_sources(const struct document *d);

/* A top-level key, or a JSON Pointer (RFC 6901). Text, the digits of a number,
 * "true" or "false"; lives as long as the document. NULL: absent, null, an object
 * or an array. */
const char *document_property(const struct document *d, const char *key);

#endif
