/* SPDX-License-Identifier: MIT */
/*
 * The rules of the verdict that depend on a library's file alone: what in it
 * keeps the library eager, whoever needs it.
 */
#ifndef LINK_DECIDE_RULES_H
#define LINK_DECIDE_RULES_H

#include "link/decide/verdict.h"

/* At most so many reasons can one file have. */
#define RULES_MAX 8

/* One of them. The strings are static, or of the view. */
struct rules_reason {
	enum verdict_why why;
	const char *symbol; /* or NULL */
	const char *kind;   /* or NULL */
};

/*
 * Writes the reasons that hold, weightiest first; returns how many: fewer than
 * RULES_MAX.
 */
size_t rules_of_file(const struct elf_view *view,
		     struct rules_reason ret[RULES_MAX]);

/*
 * Writes the first thread-local symbol that the file exports, if it has one. No
 * stub stands for such a symbol, so whoever imports it keeps the file eager.
 */
bool rules_exports_tls(const struct elf_view *view, struct rules_reason *ret);

/*
 * How many bytes of static TLS may come late, in sum. glibc keeps some 1,600
 * for what is opened late, of which drivers and sanitizers want their part.
 */
#define RULES_LATE_TLS 128

/* How many of them this file takes; 0 if its TLS is not static. */
uint64_t rules_static_tls(const struct elf_view *view);

/* Is it libc itself, whose names nobody else is to define? */
bool rules_is_libc(const struct elf_view *view);

#endif
