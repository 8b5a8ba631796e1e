/* SPDX-License-Identifier: MIT */
/*
 * A plugin is probed again when its file has changed, or one of its probes. If it
 * crashed or hung, that is kept as well, so that the next scan does not wait for it
 * again. A plugin that could not be loaded is tried at each scan: what it lacks may
 * have come.
 */
#include "cli/plugins/asking.h"

#include "base/cleanup.h"
#include "base/jsonread.h"
#include "base/memstream.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "cli/cli.h"
#include "link/facts/plugin.h"
#include "load/metadata.h"

#include <stdio.h>

/* What a plugin has been asked, and has answered. */
struct answers {
	struct metadata_given given;
	char *facts; /* malloc'd, or NULL, as are the others */
	char *text;  /* of all probes */
	char *words; /* of the last one that failed */
	char *path;
};

static void answers_clear(struct answers *a)
{
	free(a->facts);
	free(a->text);
	free(a->words);
	free(a->path);
}
#define _cleanup_answers_ _cleanup_(answers_clear)

static bool is_refused(const struct metadata_given *given)
{
	return given->probe &&
	       !(given->flags & (METADATA_CRASHED | METADATA_TIMED_OUT));
}

/* Whether a probe is to be run: what was given is of another file, another
 * probe, or is to be tried again. */
static bool is_to_be_probed(const struct asking *asking,
			    const struct scan_plugin *plugin,
			    const struct metadata_given *given)
{
	uint64_t prober = probes_identity(&asking->probes, plugin->record);

	return asking->wants_probes && prober != 0 &&
	       (!(given->flags & METADATA_PROBED) ||
		given->flags & METADATA_DUE || given->prober != prober ||
		is_refused(given));
}

/* Writes a member as it stands in the text. */
static void copy_member(FILE *out, const struct json_walk *member)
{
	if (ftell(out) > 1)
		putc(',', out);
	fwrite(member->key, 1,
	       (size_t)(json_behind(member->value) - member->key), out);
}

/* Of two objects, one with the members of both; where both have one, the first's.
 * malloc'd; NULL: out of memory. */
static char *join(const char *first, const char *second)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct json_walk walk = json_walk(first);
	bool fits = true;

	if (!out)
		return NULL;
	putc('{', out);
	while (json_walk_next(&walk))
		copy_member(out, &walk);
	for (walk = json_walk(second); json_walk_next(&walk);) {
		_cleanup_free_ char *key = json_read_string(walk.key);

		fits &= key != NULL;
		if (key && !json_member(first, key))
			copy_member(out, &walk);
	}
	putc('}', out);
	if (!memstream_end(out, &text) || fits)
		return text;
	free(text);
	return NULL;
}

/* Adds one probe's answer to those before it. */
static int take(struct answers *a, struct probe_answer *answer)
{
	static const unsigned flags[] = {
		[PROBE_CRASHED] = METADATA_CRASHED,
		[PROBE_TIMED_OUT] = METADATA_TIMED_OUT,
	};

	if (answer->outcome == PROBE_CRASHED ||
	    answer->outcome == PROBE_TIMED_OUT)
		a->given.flags |= flags[answer->outcome];
	if (answer->words) {
		cli_say("%s: %s", a->path, answer->words);
		free(a->words);
		a->words = TAKE_PTR(answer->words);
	}
	if (answer->text && a->text) {
		char *both = join(a->text, answer->text);

		free(a->text);
		a->text = both;
		return both ? 0 : status_no_memory(a->path);
	}
	if (answer->text)
		a->text = TAKE_PTR(answer->text);
	return 0;
}

/* Asks by one probe after the other, unless the plugin ends that. */
static int ask_each(struct asking *asking, const struct scan_plugin *plugin,
		    struct answers *a)
{
	const struct probes *probes = &asking->probes;
	unsigned ended = METADATA_CRASHED | METADATA_TIMED_OUT;
	int status = 0;

	for (size_t i = 0; status == 0 && i < probes->count; i++) {
		struct probe_answer answer;

		if (!probes->list[i].concerns(plugin->record) ||
		    a->given.flags & ended)
			continue;
		status = prober_ask(&asking->prober, i, a->path, &answer);
		if (status == 0)
			status = take(a, &answer);
		probe_answer_clear(&answer);
	}
	return status;
}

static int probe(struct asking *asking, const struct scan_plugin *plugin,
		 struct answers *a)
{
	a->given.flags &= ~(unsigned)(METADATA_DUE | METADATA_CRASHED |
				      METADATA_TIMED_OUT);
	a->given.flags |= METADATA_PROBED;
	a->given.prober = probes_identity(&asking->probes, plugin->record);
	int status = ask_each(asking, plugin, a);
	a->given.text[METADATA_PROBE] = a->text;
	a->given.probe = a->words;
	return status;
}

/* Reads facts, unless they are known. */
static int read_facts(const struct scan_plugin *plugin, struct answers *a)
{
	if (plugin->same_file && a->given.text[METADATA_STATIC])
		return 0;
	if (!plugin_facts_likely(plugin->record))
		return 0;
	int status = plugin_facts_read(a->path, &a->facts);
	a->given.text[METADATA_STATIC] = a->facts;
	return status;
}

int asking_scan(const struct scan_plugin *plugin, void *data,
		struct catalog_metadata **ret)
{
	_cleanup_answers_ struct answers a = {.path = NULL};
	struct asking *asking = data;

	*ret = NULL;
	if (record_status(plugin->record) < 0)
		return metadata_scan(plugin, NULL, ret);
	metadata_keep(plugin->same_file ? plugin->former : NULL, &a.given);
	if (!plugin->same_file && plugin->was_probed)
		a.given.flags |= METADATA_DUE;
	bool is_due = is_to_be_probed(asking, plugin, &a.given);
	if (!is_due && !plugin_facts_likely(plugin->record))
		return metadata_scan(plugin, NULL, ret);
	if (asprintf(&a.path, "%s/%s", plugin->dir,
		     record_file(plugin->record)) < 0) {
		a.path = NULL;
		return status_no_memory(plugin->dir);
	}
	int status = read_facts(plugin, &a);
	if (status == 0 && is_due)
		status = probe(asking, plugin, &a);
	if (status < 0)
		return status;
	return metadata_scan_given(plugin, &a.given, ret);
}

static void count(const struct catalog_metadata *m,
		  struct asking_counts *counts)
{
	unsigned flags = metadata_flags(m);
	struct metadata_given given;

	metadata_keep(m, &given);
	counts->facts += given.text[METADATA_STATIC] != NULL;
	counts->due += (flags & METADATA_DUE) != 0;
	counts->crashed += (flags & METADATA_CRASHED) != 0;
	counts->timed_out += (flags & METADATA_TIMED_OUT) != 0;
	counts->probed += flags & METADATA_PROBED && !given.probe;
}

int asking_count(struct catalog *catalog, struct asking_counts *ret)
{
	*ret = (struct asking_counts){0};
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct catalog_metadata *m;

		catalog_forget(catalog);
		int status = catalog_metadata(catalog, i, &m);

		if (status_is_state(status))
			return status;
		if (status == 0 && m)
			count(m, ret);
	}
	status_clear();
	return 0;
}
