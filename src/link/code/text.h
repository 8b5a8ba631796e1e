/* SPDX-License-Identifier: MIT */
/*
 * Texts of a file, anywhere in the bytes of it that are mapped, but for the names
 * of symbols and of what it needs.
 */
#ifndef LINK_CODE_TEXT_H
#define LINK_CODE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Is one of these texts (NULL-ended) in what is mapped of an open file? true,
 * too, where it cannot be read. name: for messages that nobody sees.
 */
bool text_has_any(int fd, const char *name, const char *const *texts);

/* hash: text_hash() of the word, for who wants to look at few. */
typedef void text_fn(const char *word, uint32_t hash, void *arg);

/*
 * Tells of each word (letters, digits, "_") that ends a text, and of each end of
 * that word, since link editors keep a text that another ends with as its end
 * only. 0, or a status with message.
 */
int text_each_word(int fd, const char *name, text_fn *fn, void *arg);

/* A number of a word, from its end to its begin. */
uint32_t text_hash(const char *word);

#endif
