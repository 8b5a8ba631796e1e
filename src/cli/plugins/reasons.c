/* SPDX-License-Identifier: MIT */
/*
 * The index of the machine is brought up to date where `dlazy run` has made one;
 * to make it takes seconds, which to describe one file is not worth.
 */
#include "cli/plugins/reasons.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "elf/view.h"
#include "link/index/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void cleanup_machine(struct machine **machine)
{
	machine_close(*machine);
}
#define _cleanup_machine_ _cleanup_(cleanup_machine)

/* NULL: there is none. */
static struct machine *known_machine(void)
{
	_cleanup_free_ char *cache = catalog_cache_dir();
	_cleanup_free_ char *path = NULL;
	struct machine *machine = NULL;

	if (!cache || asprintf(&path, "%s/" MACHINE_CACHE_NAME, cache) < 0) {
		path = NULL;
		return NULL;
	}
	if (access(path, R_OK) < 0 ||
	    machine_open(&(struct machine_options){.cache_path = path},
			 &machine) < 0) {
		status_clear();
		return NULL;
	}
	return machine;
}

int reasons_of(const char *path, struct verdicts *ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	struct file_identity identity;
	int status = file_open(AT_FDCWD, path, &fd, &identity);

	if (status == 0)
		status = elf_view_open(fd, path, &view);
	if (status < 0)
		return status;
	_cleanup_machine_ struct machine *machine = known_machine();
	return verdict_alone(view, path, machine, ret);
}
