/* SPDX-License-Identifier: MIT */
/*
 * Probes for bpftrace, perf, gdb and SystemTap (USDT). They tell from outside
 * the process what observers are told, and also what is bound. dlazy-probes(7)
 * lists them.
 */
#ifndef LEDGER_USDT_H
#define LEDGER_USDT_H

/* From now on, once. */
void probe_begin(void);

#endif
