/* SPDX-License-Identifier: MIT */
/*
 * Probes for bpftrace, perf, gdb and SystemTap (USDT): what observers are told,
 * and what is bound, told to who watches from outside. dlazy-probes(7) lists
 * them.
 */
#ifndef LEDGER_USDT_H
#define LEDGER_USDT_H

/* From now on, once. */
void probe_begin(void);

#endif
