/* SPDX-License-Identifier: MIT */
/*
 * A part is looked for beside this library's own file first, so that a tree that
 * was moved, or staged, uses its own; then where it was configured to be.
 */
#include "load/part.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "load/bind.h"
#include "load/dl.h"

#include <stdio.h>

static int declare_path(const char *path, struct dlazy_module **ret)
{
	struct module_declaration declaration = {.path = path};
	int status = module_declare(&declaration, true, ret, NULL);

	if (status == 0) {
		LOCKED(&load_lock);
		(*ret)->is_part = true;
	}
	return status;
}

/* Declares a part's file in the folder `relative` to our own file. */
static int declare_beside(const char *relative, const char *file,
			  struct dlazy_module **ret)
{
	_cleanup_free_ char *path = NULL;
	const char *own = dl_own_path();

	if (own[0] != '/' ||
	    asprintf(&path, "%.*s%s/%s", (int)(file_base_name(own) - own), own,
		     relative, file) < 0)
		return -DLAZY_ENOENT;
	return declare_path(path, ret);
}

static int declare_installed(const char *file, struct dlazy_module **ret)
{
	_cleanup_free_ char *path = NULL;
	int status = declare_beside("dlazy", file, ret);

	if (status < 0 && !status_is_state(status))
		status = declare_beside(DLAZY_BIN_TO_PKGLIB, file, ret);
	if (status == 0 || status_is_state(status))
		return status;
	if (asprintf(&path, "%s/%s", DLAZY_PKGLIBDIR, file) < 0)
		return status_no_memory(file);
	return declare_path(path, ret);
}

static int declare(const struct part *part, struct dlazy_module **ret)
{
	int status = part->chosen ? declare_path(part->chosen, ret)
				  : declare_installed(part->file, ret);

	if (status == 0 || status_is_state(status))
		return status;
	return status_fail(DLAZY_ENOSYS, "%s need dlazy's module %s: %s",
			   part->for_what, part->file, status_message());
}

int part_declare(struct part *part)
{
	struct dlazy_module *m = atomic_load(&part->module);

	if (m)
		return 0;
	int status = declare(part, &m);
	if (status < 0)
		return status;
	ATOMIC_SHARED(&part->module);
	atomic_store(&part->module, m);
	return 0;
}

int part_find(struct part *part, const char *symbol, void **ret)
{
	int status = part_declare(part);

	if (status < 0)
		return status;
	*ret = bind_resolve(atomic_load(&part->module), symbol,
			    __builtin_return_address(0));
	if (*ret)
		return 0;
	if (status_is_state(status_last())) /* or forbidden: it is there */
		return status_last();
	return status_fail(DLAZY_ENOSYS, "%s: %s", part->for_what,
			   status_message());
}
