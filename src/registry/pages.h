/* SPDX-License-Identifier: MIT */
/*
 * Giving pages of code back to the kernel: those that are as the file has them, so
 * that the next access reads them again.
 */
#ifndef REGISTRY_PAGES_H
#define REGISTRY_PAGES_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

struct pages;

/* Mappings of this process whose pages are all clean, of files, and read-only. NULL:
 * /proc does not say, or this process is traced: a debugger's breakpoints are written
 * into such pages, and may be about to be. */
struct pages *pages_read(void);
void pages_free(struct pages *pages);

static inline void cleanup_pages(struct pages **pages)
{
	pages_free(*pages);
}
#define _cleanup_pages_ _cleanup_(cleanup_pages)

/* Gives those in a range back; whether there were any. */
bool pages_give_back(const struct pages *pages, uintptr_t start, uintptr_t end);

#endif
