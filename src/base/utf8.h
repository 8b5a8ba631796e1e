/* SPDX-License-Identifier: MIT */
/*
 * Text of others on its way to somebody's terminal. File names, and words that
 * plugins write, can hold bytes that a terminal obeys (escape sequences begin
 * with ESC, or with the single byte 0x9b). They can also hold characters that
 * reverse the writing or cannot be seen, so that a person reads what is not
 * there.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the UTF-8 sequence at `s`, 0 if it is none (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). Stops at a NUL. */
size_t utf8_length(const unsigned char *s);

/* The character of a sequence of that length. */
uint32_t utf8_character(const unsigned char *s, size_t length);

/*
 * Returns true if the character shows as what it is. false: control
 * characters, those of a text's direction, those without a width, line
 * separators.
 */
bool utf8_is_shown(uint32_t character);

/* The bytes of the next character, or of what is none; *ret_is_shown: whether a
 * terminal may get them. */
size_t utf8_next(const char *text, bool *ret_is_shown);

/* Puts '?' in the place of what is not to be shown, but for line breaks. */
void utf8_clean(char *text);

#endif
