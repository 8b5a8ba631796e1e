/* SPDX-License-Identifier: MIT */
/*
 * Probes for bpftrace, perf, gdb and SystemTap (USDT): what observers are told,
 * told to who watches from outside. dlazy-probes(7) lists them.
 */
#ifndef LOAD_PROBE_H
#define LOAD_PROBE_H

/* From now on, once. */
void probe_begin(void);

#endif
