/* SPDX-License-Identifier: MIT */
/*
 * Adding ledgers up. A run is the ledger of a process that was not forked from one
 * with a ledger; what a forked child inherited counts as loaded by its parent.
 *
 * A plugin that every run touches at its start may as well be loaded before that: by
 * a thread of the library, if the touch comes late enough for the thread to be done
 * by then, and else at once. What several children load is loaded before they are
 * forked, and shared.
 */
#include "cli/policy/evidence.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/jsonread.h"
#include "base/status.h"

#include <dlazy/lifecycle.h>
#include <stdlib.h>
#include <string.h>

static int fail_for_memory(void)
{
	return status_no_memory("policy");
}

/* A number of an object; 0 if it is not known. */
static double number_of(const char *object, const char *key)
{
	const char *value = json_member(object, key);

	return value && (*value == '-' || (*value >= '0' && *value <= '9'))
		       ? strtod(value, NULL)
		       : 0;
}

static bool is_null(const char *value)
{
	return !value || *value == 'n';
}

/* ------------------------------------------------------------------ */
/* Programs and plugins                                               */

/* The program's name; of a ledger that does not say it, what was typed. */
static char *program_name(const char *ledger)
{
	const char *value = json_member(ledger, "program");
	struct json_walk words = json_walk(json_member(ledger, "command"));

	if (is_null(value))
		value = json_walk_next(&words) ? words.value : NULL;
	_cleanup_free_ char *path = json_read_string(value);
	return strdup(path && *path ? file_base_name(path) : "*");
}

/* Takes the name. */
static struct evidence_program *find_program(struct evidence *e, char *name)
{
	_cleanup_free_ char *taken = name;

	for (size_t i = 0; taken && i < e->count; i++)
		if (strcmp(e->programs[i].name, taken) == 0)
			return &e->programs[i];
	if (!taken || !array_reserve(&e->programs, e->count, &e->room,
				     sizeof(*e->programs)))
		return NULL;
	e->programs[e->count] =
		(struct evidence_program){.name = TAKE_PTR(taken)};
	return &e->programs[e->count++];
}

/* Takes the name. */
static struct evidence_plugin *find_plugin(struct evidence_program *p,
					   char *name)
{
	_cleanup_free_ char *taken = name;

	for (size_t i = 0; taken && i < p->count; i++)
		if (strcmp(p->plugins[i].name, taken) == 0)
			return &p->plugins[i];
	if (!taken || !array_reserve(&p->plugins, p->count, &p->room,
				     sizeof(*p->plugins)))
		return NULL;
	p->plugins[p->count] =
		(struct evidence_plugin){.name = TAKE_PTR(taken)};
	return &p->plugins[p->count++];
}

/* ------------------------------------------------------------------ */
/* Adding                                                             */

static void count_child(struct evidence_plugin *plugin, const char *object)
{
	plugin->children++;
	plugin->child_us += number_of(object, "load_us");
	plugin->child_kib += number_of(object, "private_kib");
}

static void count_run(struct evidence_plugin *plugin, const char *object)
{
	double load = number_of(object, "load_us");
	double at = number_of(object, "at_us");

	if (!plugin->runs || at < plugin->first_us)
		plugin->first_us = at;
	if (load > plugin->load_us)
		plugin->load_us = load;
	plugin->runs++;
}

/* One load. What failed would fail early as well. */
static int add_object(struct evidence_program *p, const char *object,
		      bool forked, size_t ledger)
{
	const char *inherited = json_member(object, "inherited");
	bool late = number_of(object, "at_us") > EVIDENCE_EARLY_US;

	if (!is_null(json_member(object, "error")) ||
	    (forked ? inherited && *inherited == 't' : late))
		return 0;
	char *name = json_read_string(json_member(object, "name"));
	if (!name)
		return 0;
	struct evidence_plugin *plugin = find_plugin(p, name);
	if (!plugin)
		return fail_for_memory();
	if (plugin->ledger == ledger)
		return 0; /* loaded again, after an unload */
	plugin->ledger = ledger;
	if (forked)
		count_child(plugin, object);
	else
		count_run(plugin, object);
	return 0;
}

int evidence_add(struct evidence *e, const char *path, const char *text)
{
	const char *mode = json_member(text, "mode");
	bool forked = !is_null(json_member(text, "parent"));

	if (mode && !json_is(mode, "lazy"))
		return status_fail(DLAZY_EFORMAT,
				   "%s: written with DLAZY=eager or off, where "
				   "all is loaded: it does not tell what was "
				   "touched",
				   path);
	struct evidence_program *p = find_program(e, program_name(text));
	if (!p)
		return fail_for_memory();
	e->ledgers++;
	*(forked ? &p->children : &p->runs) += 1;
	const char *objects = json_member(text, "objects");
	struct json_walk walk = json_walk(objects ? objects : "[]");
	int status = 0;

	while (status == 0 && json_walk_next(&walk))
		status = add_object(p, walk.value, forked, e->ledgers);
	return status;
}

/* ------------------------------------------------------------------ */
/* What follows                                                       */

bool evidence_is_forked(const struct evidence_plugin *plugin)
{
	return plugin->children > 1;
}

int evidence_policy(const struct evidence_program *program,
		    const struct evidence_plugin *plugin)
{
	if (evidence_is_forked(plugin))
		return DLAZY_POLICY_EAGER;
	if (!plugin->runs || plugin->runs < program->runs)
		return DLAZY_POLICY_LAZY;
	return plugin->first_us < plugin->load_us ? DLAZY_POLICY_EAGER
						  : DLAZY_POLICY_PREFETCH;
}

double evidence_gain(const struct evidence_plugin *plugin)
{
	if (!evidence_is_forked(plugin))
		return plugin->load_us;
	return plugin->child_us * (double)(plugin->children - 1) /
	       (double)plugin->children;
}

void evidence_clear(struct evidence *e)
{
	for (size_t i = 0; i < e->count; i++) {
		struct evidence_program *p = &e->programs[i];

		for (size_t k = 0; k < p->count; k++)
			free(p->plugins[k].name);
		free(p->plugins);
		free(p->name);
	}
	free(e->programs);
}
