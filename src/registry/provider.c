/* SPDX-License-Identifier: MIT */
/*
 * Choosing plugins by what they say, which a query (query.c) reads from catalogs.
 * No lock is held over what loads, checks or asks the host's filter.
 */
#include "registry/provider.h"

#include "base/cleanup.h"
#include "catalog/metadata.h"
#include "load/check.h"
#include "load/load.h"
#include "load/metadata.h"
#include "meta/document.h"
#include "registry/prefetch.h"
#include "registry/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ */
/* Policy                                                             */

/* What it says of itself; *ret NULL: nothing, or nothing that is usable. 0 or a
 * state. */
static int find_document(struct dlazy_module *m, const struct document **ret)
{
	int status = registry_metadata(m, ret);

	if (status == 0 || status_is_state(status))
		return status;
	*ret = NULL;
	status_clear();
	return 0;
}

/* What the host says: its filter, else its flags. */
static int ask_host(struct dlazy_registry *r, struct dlazy_module *m)
{
	void *data;
	dlazy_policy_fn *filter = registry_filter_of(r, &data);
	int said = filter ? filter(m, data) : DLAZY_POLICY_DEFAULT;
	int flags = registry_flags(r, m);

	if (said > DLAZY_POLICY_DEFAULT && said <= DLAZY_POLICY_NEVER)
		return said;
	return flags & DLAZY_EAGER || module_flags_global(flags)
		       ? DLAZY_POLICY_EAGER
		       : DLAZY_POLICY_DEFAULT;
}

static int decide(struct dlazy_registry *r, struct dlazy_module *m,
		  const char *name, struct policy_decision *ret)
{
	const struct document *document;
	int host = ask_host(r, m);
	int status = find_document(m, &document);

	if (status == 0)
		status = policy_decide(
			name, host,
			document ? document_property(document, "load") : NULL,
			NULL, ret);
	if (status < 0)
		return status;
	if (ret->policy == DLAZY_POLICY_NEVER)
		return status_fail(DLAZY_EPOLICY,
				   "%s: never to be loaded: %s says so", name,
				   ret->by);
	if (host != DLAZY_POLICY_DEFAULT)
		atomic_store(&m->host_policy, host);
	return 0;
}

/* A failure is the module's to remember. */
static void load_now(struct dlazy_module *m, const void *caller)
{
	struct touch touch = {.caller = caller};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	if (load_module(m, &touch, &loaded) < 0)
		status_clear();
}

int provider_obey_policy(struct dlazy_registry *r, struct dlazy_module *m,
			 const char *name, const void *caller)
{
	_cleanup_free_ struct policy_decision *d = malloc(sizeof(*d));

	if (!d)
		return status_no_memory(name);
	if (module_is_builtin(m))
		return 0;
	int status = decide(r, m, name, d);
	if (status < 0 || atomic_load(&m->state) != DLAZY_DECLARED)
		return status;
	if (d->policy == DLAZY_POLICY_EAGER)
		load_now(m, caller);
	else if (d->policy == DLAZY_POLICY_PREFETCH &&
		 prefetch_module(m, caller) < 0)
		status_clear();
	return 0;
}

/* ------------------------------------------------------------------ */
/* Providers                                                          */

/* Why each candidate was passed over. */
struct reasons {
	char text[STATUS_MESSAGE_MAX - 128];
	size_t used;
	int status; /* of the first */
	int count;
	int unread; /* what else there is could not be read: the message says why */
};

static void add_reason(struct reasons *r, const char *plugin, int status)
{
	size_t room = sizeof(r->text) - r->used;

	if (!r->count++)
		r->status = status;
	int n = snprintf(r->text + r->used, room, "%s%s: %s",
			 r->used ? "; " : "", plugin, status_message());
	r->used += (size_t)n < room ? (size_t)n : room - 1;
	status_clear();
}

static int try_provider(struct dlazy_registry *r, struct dlazy_module *m,
			int flags, const void *caller)
{
	struct touch touch = {.caller = caller, .again = true};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	int status = provider_obey_policy(r, m, m->name, caller);

	if (status == 0)
		status = load_check_module(m, registry_defines);
	if (status == 0 && flags & DLAZY_EAGER)
		status = load_module(m, &touch, &loaded);
	return status < 0 ? require_add_hint(m, status) : 0;
}

static int rank_of(const struct document *document, unsigned i)
{
	char key[64];

	snprintf(key, sizeof(key), "/provides/%u/rank", i);
	const char *rank = document_property(document, key);
	return rank ? atoi(rank) : METADATA_RANK_DEFAULT;
}

/* The symbol that a plugin names for an id, where it ranks that; lives as long as
 * the module. *ret NULL: it names none. 0 or a state. */
static int find_symbol(struct dlazy_module *m, const char *id, int rank,
		       const char **ret)
{
	const struct document *document;
	const char *found = "";
	char key[64];
	int status = find_document(m, &document);

	*ret = NULL;
	if (status < 0)
		return status;
	for (unsigned i = 0; document && found; i++) {
		snprintf(key, sizeof(key), "/provides/%u/id", i);
		found = document_property(document, key);
		if (!found || strcmp(found, id) != 0 ||
		    rank_of(document, i) != rank)
			continue;
		snprintf(key, sizeof(key), "/provides/%u/symbol", i);
		*ret = document_property(document, key);
		break;
	}
	return 0;
}

static struct dlazy_module *next_provider(struct dlazy_registry *r,
					  struct dlazy_cursor *cursor,
					  const char *id, int flags,
					  struct reasons *reasons,
					  int *ret_rank, const void *caller)
{
	const struct dlazy_match *match;
	int found;

	while ((found = query_next(cursor, &match, 1)) == 1) {
		if (!match->id || strcmp(match->id, id) != 0)
			continue;
		struct dlazy_module *m = query_module(cursor, match);
		int status =
			m ? try_provider(r, m, flags, caller) : status_last();
		*ret_rank = match->rank;
		if (status == 0)
			return m;
		add_reason(reasons, match->plugin, status);
	}
	/* Who else provides it is not known. */
	if (found < 0)
		reasons->unread = found;
	return NULL;
}

static struct dlazy_module *fail_with(const struct reasons *reasons,
				      const char *id)
{
	if (reasons->unread)
		return NULL;
	if (!reasons->count)
		status_fail(DLAZY_ENOENT, "no plugin provides %s", id);
	else
		status_fail(-reasons->status,
			    "no plugin that provides %.100s can be used: %s",
			    id, reasons->text);
	return NULL;
}

static void end_query(struct dlazy_cursor **cursor)
{
	if (*cursor)
		query_end(*cursor);
}

struct dlazy_module *provider_find(struct dlazy_registry *r, const char *id,
				   int flags, const char **ret_symbol,
				   const void *caller)
{
	struct dlazy_query query = {.size = sizeof(query), .provides = id};
	_cleanup_(end_query) struct dlazy_cursor *cursor =
		query_begin(r, &query);
	_cleanup_free_ struct reasons *reasons = calloc(1, sizeof(*reasons));

	int rank = 0;

	if (cursor && !reasons)
		status_no_memory(id);
	if (!cursor || !reasons)
		return NULL;
	struct dlazy_module *m =
		next_provider(r, cursor, id, flags, reasons, &rank, caller);
	if (!m)
		return fail_with(reasons, id);
	status_clear();
	if (ret_symbol && find_symbol(m, id, rank, ret_symbol) < 0)
		return NULL;
	return m;
}

/* ------------------------------------------------------------------ */
/* Requirements                                                       */

/* The best that can be used, else the best: it will say why it cannot. */
static struct dlazy_module *best_of(struct dlazy_registry *r, const char *id)
{
	struct dlazy_query query = {.size = sizeof(query), .provides = id};
	_cleanup_(end_query) struct dlazy_cursor *cursor =
		query_begin(r, &query);
	struct dlazy_module *best = NULL;
	const struct dlazy_match *match;

	while (cursor && query_next(cursor, &match, 1) == 1) {
		if (!match->id || strcmp(match->id, id) != 0)
			continue;
		struct dlazy_module *m = query_module(cursor, match);
		if (m && load_check_module(m, registry_defines) == 0)
			return m;
		if (!best)
			best = m;
	}
	return best;
}

/* NULL: none; or, with message, a state. */
static struct dlazy_module *required_of(struct dlazy_registry *r,
					const char *name, bool soname)
{
	struct dlazy_module *found = soname ? registry_find_soname(r, name)
					    : registry_find_quietly(r, name);

	return found || soname ? found : best_of(r, name);
}

static void release_registry(struct dlazy_registry **r)
{
	if (*r)
		registry_release(*r);
}

int provider_of_required(const struct dlazy_module *m, const char *name,
			 bool soname, struct dlazy_module **ret)
{
	_cleanup_(release_registry) struct dlazy_registry *r = NULL;

	*ret = NULL;
	while (!*ret && (r = registry_that_has(m, r))) {
		*ret = required_of(r, name, soname);
		if (!*ret && status_is_pending() &&
		    status_is_state(status_last()))
			return status_last();
	}
	status_clear();
	return 0;
}
