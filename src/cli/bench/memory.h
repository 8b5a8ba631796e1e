/* SPDX-License-Identifier: MIT */
/*
 * Memory, for bench: how much a process has at its end, and making the kernel
 * forget the page cache.
 */
#ifndef CLI_BENCH_MEMORY_H
#define CLI_BENCH_MEMORY_H

#include <stdbool.h>

/*
 * Runs `child` in a process and looks at it when it is about to end, as a
 * debugger would. false: that may not be done here.
 */
bool bench_memory_of(void (*child)(void *data), void *data, double *ret_pss_kib,
		     double *ret_maps);

/* Makes the page cache cold. 0, or -DLAZY_EIO with who may. */
int bench_empty_cache(void);

#endif
