/* SPDX-License-Identifier: MIT */
/*
 * What a scan by the tool adds to what plugins say of themselves in notes and
 * sidecars: facts that stand in their code and data (link/facts/), and, if that
 * is wanted, what they say when they are run (cli/probe/).
 */
#ifndef CLI_PLUGINS_ASKING_H
#define CLI_PLUGINS_ASKING_H

#include "catalog/scan.h"
#include "cli/probe/prober.h"

struct asking {
	bool wants_probes;
	struct probes probes;
	struct prober prober;
};

/* A scan_metadata_fn; data: the struct asking. */
int asking_scan(const struct scan_plugin *plugin, void *data,
		struct catalog_metadata **ret);

/* How the plugins of a catalog stand. */
struct asking_counts {
	size_t probed;	  /* that have answered a probe */
	size_t facts;	  /* of which something is known without running them */
	size_t due;	  /* that a probe would be run for */
	size_t crashed;	  /* whose probe ended the process */
	size_t timed_out; /* or did not end in time */
};

/* 0, or the state that kept one from being looked at. */
int asking_count(struct catalog *catalog, struct asking_counts *ret);

#endif
