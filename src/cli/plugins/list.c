/* SPDX-License-Identifier: MIT */
/*
 * dlazy list: the plugins of directories, by their catalogs. Nothing is
 * loaded. Files that are no plugins are named with the reason, so that "why is
 * my plugin not there?" has an answer.
 */
#include "cli/cli.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "cli/plugins/directory.h"
#include "cli/plugins/info.h"
#include "cli/frame/table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy list DIR... [--json]\n"
	"\n"
	"Lists the plugins of each directory, one a line; nothing is loaded.\n"
	"A file that looks like a plugin and is none is named on standard\n"
	"error, with the reason.\n"
	"\n"
	"      --json  one JSON object on standard output\n"
	"  -h, --help  this text\n";

/* The directories that could be opened. */
struct listing {
	struct directory *directories;
	size_t count;
	size_t room;
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		directory_close(&l->directories[i]);
	free(l->directories);
}
#define _cleanup_listing_ _cleanup_(listing_free)

static int open_each(char **dirs, struct listing *l)
{
	int worst = CLI_DONE;

	for (; *dirs; dirs++) {
		if (!array_reserve(&l->directories, l->count, &l->room,
				   sizeof(*l->directories))) {
			cli_say("list: out of memory");
			return CLI_FAILED;
		}
		struct directory *d = &l->directories[l->count];
		int status = directory_open_catalog(*dirs, d);
		if (status == 0) {
			l->count++;
			continue;
		}
		directory_close(d);
		status = cli_fail(status, false);
		worst = status > worst ? status : worst;
	}
	return worst;
}

/* Without memory, which may run out in the middle of the answer. */
static void print_path(struct json *j, const struct directory *d,
		       const struct record *r)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s",
		 strcmp(d->path, "/") ? d->path : "", record_file(r));
	json_string(j, path);
}

static void print_plugin(struct json *j, const struct directory *d,
			 const struct record *r)
{
	json_begin_object(j);
	json_key(j, "name");
	json_string(j, record_name(r));
	json_key(j, "path");
	print_path(j, d, r);
	json_key(j, "build_id");
	info_build_id(j, r);
	json_key(j, "exports");
	json_unsigned(j, record_symbol_count(r));
	json_key(j, "needs");
	info_needs(j, r);
	json_end_object(j);
}

static void print_bad(struct json *j, const struct directory *d,
		      const struct record *r)
{
	json_begin_object(j);
	json_key(j, "name");
	json_string(j, record_name(r));
	json_key(j, "path");
	print_path(j, d, r);
	json_key(j, "reason");
	json_string(j, info_reason(r));
	json_end_object(j);
}

typedef void print_fn(struct json *j, const struct directory *d,
		      const struct record *r);

/* An array of what the catalogs have from record to record. */
static void print_array(struct json *j, const struct listing *l, bool bad,
			print_fn *print)
{
	json_begin_array(j);
	for (size_t i = 0; i < l->count; i++) {
		const struct directory *d = &l->directories[i];
		size_t plugins = catalog_count(d->catalog);
		size_t first = bad ? plugins : 0;
		size_t n = bad ? catalog_bad_count(d->catalog) : plugins;

		for (size_t k = first; k < first + n; k++) {
			const struct record *r = catalog_record(d->catalog, k);
			if (r)
				print(j, d, r);
		}
	}
	json_end_array(j);
}

static void print_json(const struct listing *l)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_key(&j, "plugins");
	print_array(&j, l, false, print_plugin);
	json_key(&j, "bad");
	print_array(&j, l, true, print_bad);
	json_end_object(&j);
	json_finish(&j);
}

static bool add_row(struct table *t, const struct directory *d,
		    const struct record *r)
{
	_cleanup_free_ char *path = directory_file(d, r);
	char exports[24], needs[24];

	snprintf(exports, sizeof(exports), "%zu", record_symbol_count(r));
	snprintf(needs, sizeof(needs), "%zu", record_needs_count(r));
	return path && table_add(t, (const char *[]){record_name(r), exports,
						     needs, path});
}

static bool add_directory(struct table *t, const struct directory *d)
{
	for (size_t i = 0; i < catalog_count(d->catalog); i++) {
		const struct record *r = catalog_record(d->catalog, i);
		if (!r || !add_row(t, d, r))
			return false;
	}
	return true;
}

static int print_table(const struct listing *l)
{
	_cleanup_(table_free) struct table t = {.columns = 4};
	bool fits = table_add(
		&t, (const char *[]){"NAME", ">EXPORTS", ">NEEDS", "PATH"});

	for (size_t i = 0; i < l->count && fits; i++)
		fits = add_directory(&t, &l->directories[i]);
	if (!fits) {
		cli_say("list: out of memory");
		return CLI_FAILED;
	}
	if (t.count > t.columns)
		table_print(&t, stdout);
	return CLI_DONE;
}

static void say_what_is_missing(const struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct directory *d = &l->directories[i];

		directory_say_bad(d);
		if (catalog_count(d->catalog) == 0)
			cli_say("%s: no plugins there (looked for *.so and "
				"*.so.VERSION)",
				d->path);
	}
}

/* Whether a file could not be read, for a state of ours: it may be a plugin. */
static bool is_short(const struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct directory *d = &l->directories[i];
		size_t count = catalog_count(d->catalog);

		for (size_t k = 0; k < catalog_bad_count(d->catalog); k++) {
			const struct record *r =
				catalog_record(d->catalog, count + k);
			if (!r || status_is_state(record_status(r)))
				return true;
		}
	}
	return false;
}

static int list(char **dirs, bool json)
{
	_cleanup_listing_ struct listing l = {0};
	int status = open_each(dirs, &l);

	if (json)
		print_json(&l);
	else if (print_table(&l) != CLI_DONE)
		return CLI_FAILED;
	say_what_is_missing(&l);
	return is_short(&l) ? CLI_FAILED : status;
}

int cli_list(int argc, char **argv)
{
	static const struct option longs[] = {
		CLI_OPTION_JSON,
		CLI_OPTION_HELP,
		CLI_OPTION_END,
	};
	bool json = false;
	int option;

	while ((option = cli_option(argc, argv, ":h", longs)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'h':
			return cli_help(help);
		default:
			return CLI_USAGE;
		}
	}
	if (optind == argc)
		return cli_usage("list", "list: which directory?");
	return list(argv + optind, json);
}
