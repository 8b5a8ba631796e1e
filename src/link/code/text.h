/* SPDX-License-Identifier: MIT */
/*
 * Whether a text stands in a file, anywhere in the bytes of it that are
 * mapped.
 */
#ifndef LINK_CODE_TEXT_H
#define LINK_CODE_TEXT_H

#include <stdbool.h>

/*
 * Is one of these texts (NULL-ended) in what is mapped of an open file? true,
 * too, where it cannot be read. name: for messages that nobody sees.
 */
bool text_has_any(int fd, const char *name, const char *const *texts);

#endif
