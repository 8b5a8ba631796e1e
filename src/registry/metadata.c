/* SPDX-License-Identifier: MIT */
/*
 * What a registry's catalogs have of a module, as its plugin says it of itself.
 */

#include "base/cleanup.h"
#include "catalog/format.h"
#include "load/metadata.h"
#include "load/module.h"
#include "registry/place.h"
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a catalog has of a module, to be used without the lock. */
struct said {
	char *dir;
	const struct catalog_metadata *metadata; /* NULL: nothing */
	struct catalog_metadata *copy;
	const struct catalog_metadata *former; /* that the module keeps */
	uint64_t placed_ns;
};

static void said_clear(struct said *said)
{
	free(said->dir);
	free(said->copy);
}

/* What is known already is not copied: a host may ask for thousands of values. */
static bool take_metadata(const struct catalog_metadata *m, struct said *ret)
{
	if (ret->former && ret->former->checksum == m->checksum &&
	    ret->former->size == m->size) {
		ret->metadata = ret->former;
		return true;
	}
	ret->copy = malloc(metadata_size(m));
	if (ret->copy)
		memcpy(ret->copy, m, metadata_size(m));
	ret->metadata = ret->copy;
	return ret->copy != NULL;
}

/* Whether this registry's catalog says something of it. 0, or negative. */
static int copy_said_locked(struct dlazy_registry *r,
			    const struct dlazy_module *m, struct said *ret)
{
	const struct place *p = map_get(&r->by_module, map_pointer_key(m));
	struct source *s = p && !p->gone ? &r->sources[p->source] : NULL;
	const struct catalog_metadata *metadata = NULL;

	if (!s || s->module || s->gone)
		return 0;
	int status = catalog_metadata(s->catalog, p->index, &metadata);
	if (status < 0 && !status_is_state(status)) {
		s->doubt = true;
		status_clear();
	}
	if (!metadata)
		return status_is_state(status) ? status : 0;
	ret->dir = strdup(s->dir);
	ret->placed_ns = catalog_identity(s->catalog).ctime_ns;
	if (!ret->dir || !take_metadata(metadata, ret))
		return status_no_memory(NULL);
	return 0;
}

static int copy_said(const struct dlazy_module *m, struct said *ret)
{
	int status = 0;
	LOCKED(&registry_lock);

	for (struct dlazy_registry *r = registries;
	     r && status == 0 && !ret->metadata; r = r->next)
		status = copy_said_locked(r, m, ret);
	return status;
}

/* The files that this was made of. The module may be known by another name: one file
 * is one module, whatever links there are. */
static int identify_said(const struct said *said, const char *path,
			 struct meta_files *ret)
{
	const char *file = metadata_file(said->metadata);
	size_t length = strlen(said->dir);
	_cleanup_free_ char *own = NULL;

	if (!strncmp(path, said->dir, length) && path[length] == '/' &&
	    !strcmp(path + length + 1, file))
		return meta_identify(path, ret);
	if (asprintf(&own, "%s/%s", said->dir, file) < 0) {
		own = NULL;
		return status_no_memory(path);
	}
	return meta_identify(own, ret);
}

/* What a catalog says, where it is of the files as they are. *ret_fresh: it is; else
 * the files, if there is something, are those before they are read again. */
static int give_said(struct dlazy_module *m, struct said *said,
		     struct meta_files *files, const struct document **ret,
		     bool *ret_fresh)
{
	UNINTERRUPTED(); /* once, rather than for each lock */
	*ret_fresh = false;
	said->former = metadata_said(m);
	int status = copy_said(m, said);
	if (status < 0 || !said->metadata)
		return status;
	status = identify_said(said, m->path, files);
	if (status < 0 ||
	    !metadata_is_of(said->metadata, files, said->placed_ns))
		return status;
	*ret_fresh = true;
	return metadata_of_catalog(m, files, said->metadata, ret);
}

int registry_metadata(struct dlazy_module *m, const struct document **ret)
{
	_cleanup_(said_clear) struct said said = {.dir = NULL};
	_cleanup_free_ struct catalog_metadata *again = NULL;
	struct meta_files files;
	bool fresh;

	*ret = NULL;
	int status = give_said(m, &said, &files, ret, &fresh);
	if (status < 0 || fresh)
		return status;
	if (!said.metadata)
		return metadata_of_module(m, ret);
	status = metadata_again(said.dir, metadata_file(said.metadata),
				said.metadata, &again);
	return status < 0 || !again
		       ? status
		       : metadata_of_catalog(m, &files, again, ret);
}
