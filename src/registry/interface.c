/* SPDX-License-Identifier: MIT */
/*
 * The interfaces that a host offers, and plugins that were made for another.
 */
#include "registry/interface.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "load/metadata.h"
#include "load/module.h"
#include "registry/place.h"
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offered already, at least to that minor version; of two the higher counts. */
static bool raise_locked(const struct dlazy_registry *r,
			 const struct interface *offered)
{
	for (size_t i = 0; i < r->interface_count; i++) {
		struct interface *known = &r->interfaces[i];

		if (known->major != offered->major ||
		    strcmp(known->name, offered->name) != 0)
			continue;
		if (known->minor < offered->minor)
			known->minor = offered->minor;
		return true;
	}
	return false;
}

int registry_interface(struct dlazy_registry *r, const char *name,
		       unsigned major, unsigned minor)
{
	_cleanup_free_ char *copy = strdup(name);
	const struct interface offered = {copy, major, minor};
	LOCKED(&registry_lock);

	if (copy && raise_locked(r, &offered))
		return 0;
	if (!copy || !array_reserve(&r->interfaces, r->interface_count,
				    &r->interface_room, sizeof(*r->interfaces)))
		return status_no_memory("registry");
	r->interfaces[r->interface_count++] = offered;
	copy = NULL;
	return 0;
}

bool interface_any_offered(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	return r->interface_count > 0;
}

bool interface_offered(const struct interface *interfaces, size_t count,
		       const char *wanted)
{
	const char *slash = strrchr(wanted, '/');
	size_t n = slash ? (size_t)(slash - wanted) : 0;
	bool is_known = false;
	unsigned major, minor;

	if (!slash || sscanf(slash, "/%u.%u", &major, &minor) != 2)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct interface *offered = &interfaces[i];

		if (strlen(offered->name) != n ||
		    memcmp(offered->name, wanted, n) != 0)
			continue;
		if (offered->major == major && offered->minor >= minor)
			return true;
		is_known = true;
	}
	return !is_known;
}

static bool is_offered(struct dlazy_registry *r, const char *wanted)
{
	LOCKED(&registry_lock);
	return interface_offered(r->interfaces, r->interface_count, wanted);
}

int interface_check(struct dlazy_registry *r, struct dlazy_module *m)
{
	const struct document *document;
	int status = registry_metadata(m, &document);

	if (status_is_state(status))
		return status;
	const char *wanted =
		document ? document_property(document, "interface") : NULL;
	/* What it says cannot be read, so it says nothing. */
	if (status < 0)
		status_clear();
	if (!wanted || is_offered(r, wanted))
		return 0;
	return status_fail(DLAZY_EINTERFACE,
			   "%s: made for the interface %s, which this program "
			   "does not offer",
			   m->name, wanted);
}
