/* SPDX-License-Identifier: MIT */
/*
 * The glibc-hwcaps subdirectories whose libraries this CPU can run.
 */
#ifndef ELF_HWCAPS_H
#define ELF_HWCAPS_H

/* Their names ("x86-64-v3"), the best first, NULL at the end. */
const char *const *hwcaps_active(void);

#endif
