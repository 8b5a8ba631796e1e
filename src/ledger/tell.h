/* SPDX-License-Identifier: MIT */
/*
 * The contents of a ledger as it is written. doc/trace-format.md explains each
 * key.
 */
#ifndef LEDGER_TELL_H
#define LEDGER_TELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define LEDGER_ENTRIES 4096
#define LEDGER_DIRS 256

struct dlazy_module;

/* One load, or the failure of one. */
struct ledger_entry {
	_Atomic(bool) complete;
	struct dlazy_module *module;
	int status; /* negated; 0: loaded */
	uint32_t thread;
	pid_t pid;		   /* who loaded: a fork copies entries */
	uint64_t begin_ns, end_ns; /* CLOCK_MONOTONIC */
	uint64_t linker_ns;	   /* of that, in the dynamic linker */
	char symbol[128];	   /* that was touched; "": none */
	char caller[384];	   /* as dl_describe() says */
	char by[256];		   /* its object; "" if not known */
};

struct ledger {
	char *said; /* as DLAZY_TRACE has it */
	char *path; /* of the process that began it */
	pid_t pid;
	uint64_t begin_ns;
	_Atomic(uint32_t) count, lost;
	_Atomic(uint32_t) dir_count;
	_Atomic(char *) dirs[LEDGER_DIRS];
	struct ledger_entry entries[LEDGER_ENTRIES];
};

/* Writes it as one JSON object; pid: whose it is, l->pid or a forked child of that.
 * 0 or -DLAZY_ENOMEM. */
int ledger_tell(const struct ledger *l, pid_t pid, FILE *out);

#endif
