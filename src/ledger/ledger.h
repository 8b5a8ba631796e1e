/* SPDX-License-Identifier: MIT */
/*
 * The ledger: what was loaded in this process, who touched it first, and what
 * that cost; and what was declared, never touched, and so was saved. It is
 * kept where DLAZY_TRACE names a file for it, and is written there when the
 * process exits.
 *
 * It is one observer of events. If nobody asks for a ledger there is no
 * observer, and it costs nothing.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

/* Begins it if DLAZY_TRACE is set; once, when the library is first used. */
void ledger_begin(void);

/* A directory of plugins is declared. */
void ledger_declare(const char *dir);

/* As dlazy_trace_write(). */
int ledger_write(const char *path);

#endif
