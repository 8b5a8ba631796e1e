/* SPDX-License-Identifier: MIT */
/*
 * dlazy scan: builds or refreshes the catalogs of directories. A file that
 * looks like a plugin and is none is named, and is no reason to fail: the
 * catalog records why.
 */
#include "cli/cli.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/scan.h"
#include "load/metadata.h"
#include "cli/plugins/directory.h"
#include "cli/frame/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy scan DIR... [-o FILE] [--system] [--json]\n"
	"\n"
	"Builds or refreshes the catalog of each directory. Only files that\n"
	"are new or have changed are read; nothing is loaded.\n"
	"\n"
	"  -o, --output=FILE  write the catalog to FILE (one DIR only)\n"
	"      --system       write DIR/dlazy.catalog, which can travel with\n"
	"                     the directory, instead of the user's cache\n"
	"      --json         one JSON object on standard output\n"
	"  -h, --help         this text\n";

struct request {
	bool json;
	bool system;
	char *output; /* absolute, or NULL */
};

/* One directory, scanned. */
struct outcome {
	struct directory directory;
	struct scan_result result;
	char *catalog; /* the file written */
};

static char *catalog_path(const struct request *request, const char *dir)
{
	char *path;

	if (request->output)
		return strdup(request->output);
	if (!request->system)
		return catalog_user_path(dir);
	return asprintf(&path, "%s/" CATALOG_FILE, dir) < 0 ? NULL : path;
}

/* For the messages about bad files, which the result only counts. */
static void say_bad(struct outcome *o)
{
	if (o->result.bad == 0)
		return;
	if (catalog_open_file(AT_FDCWD, NULL, o->catalog ? o->catalog : "",
			      &o->directory.catalog) == 0)
		directory_say_bad(&o->directory);
	status_clear();
}

static int scan(const char *path, const struct request *request,
		struct outcome *o)
{
	int status = directory_open(path, &o->directory);

	if (status < 0)
		return cli_fail(status, false);

	struct progress progress = progress_begin(o->directory.path);
	const struct scan_options options = {
		.system = request->system,
		.output = request->output,
		.patient = true,
		.progress = progress_update,
		.progress_data = &progress,
		.metadata = metadata_scan,
	};
	status = scan_directory(o->directory.fd, o->directory.path, &options,
				&o->result, NULL);
	progress_end(&progress);
	if (status < 0) {
		cli_fail(status, false);
		return CLI_FAILED;
	}
	o->catalog = catalog_path(request, o->directory.path);
	say_bad(o);
	return CLI_DONE;
}

static void print_json(struct json *j, const struct outcome *o)
{
	const struct {
		const char *key;
		size_t value;
	} counts[] = {
		{"total", o->result.total},	{"added", o->result.added},
		{"changed", o->result.changed}, {"removed", o->result.removed},
		{"bad", o->result.bad},
	};

	json_begin_object(j);
	json_key(j, "path");
	json_string(j, o->directory.path);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		json_key(j, counts[i].key);
		json_unsigned(j, counts[i].value);
	}
	json_key(j, "catalog");
	json_string(j, o->catalog);
	json_end_object(j);
}

static void print_text(const struct outcome *o)
{
	const struct scan_result *r = &o->result;

	cli_put(o->directory.path, stdout);
	printf(": %zu plugin%s (%zu added, %zu changed, %zu removed), %zu "
	       "bad\n",
	       r->total, r->total == 1 ? "" : "s", r->added, r->changed,
	       r->removed, r->bad);
}

static void outcome_free(struct outcome *o)
{
	directory_close(&o->directory);
	free(o->catalog);
}

static int scan_each(char **dirs, const struct request *request)
{
	struct json j = json_to(stdout);
	int worst = CLI_DONE;

	if (request->json) {
		cli_json_begin(&j);
		json_key(&j, "directories");
		json_begin_array(&j);
	}
	for (; *dirs; dirs++) {
		struct outcome o = {.directory.fd = -1};
		int status = scan(*dirs, request, &o);

		if (status == CLI_DONE && request->json)
			print_json(&j, &o);
		else if (status == CLI_DONE)
			print_text(&o);
		if (status > worst)
			worst = status;
		outcome_free(&o);
	}
	if (request->json) {
		json_end_array(&j);
		json_end_object(&j);
		json_finish(&j);
	}
	return worst;
}

int cli_scan(int argc, char **argv)
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"system", no_argument, NULL, 's'},
		CLI_OPTION_JSON,
		CLI_OPTION_HELP,
		CLI_OPTION_END,
	};
	struct request request = {0};
	const char *output = NULL;
	int option;

	while ((option = cli_option(argc, argv, ":ho:", longs)) != -1) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 's':
			request.system = true;
			break;
		case 'j':
			request.json = true;
			break;
		case 'h':
			return cli_help(help);
		default:
			return CLI_USAGE;
		}
	}
	if (optind == argc)
		return cli_usage("scan", "scan: which directory?");
	if (output && argc - optind > 1)
		return cli_usage("scan",
				 "scan: -o is for one directory; "
				 "there are %d",
				 argc - optind);
	if (output && !*output)
		return cli_usage("scan", "scan: -o: the file's name is empty");
	_cleanup_free_ char *absolute = output ? file_absolute(output) : NULL;
	if (output && !absolute)
		return cli_fail(status_last(), request.json);
	request.output = absolute;
	return scan_each(argv + optind, &request);
}
