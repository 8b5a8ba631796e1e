/* SPDX-License-Identifier: MIT */
/*
 * Probes for bpftrace, perf, gdb and SystemTap (USDT): what observers are told,
 * and what is bound, told to who watches from outside. dlazy-probes(7) lists
 * them.
 */
#ifndef LEDGER_USDT_H
#define LEDGER_USDT_H

struct dlazy_module;

/* From now on, once. */
void probe_begin(void);

/* A slot, or a pointer of the host (caller NULL), has its address for good. */
void probe_bind(const struct dlazy_module *m, const char *symbol,
		const void *caller, const void *address);

#endif
