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
#include "catalog/below.h"
#include "catalog/scan.h"
#include "cli/plugins/asking.h"
#include "cli/plugins/directory.h"
#include "cli/frame/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy scan DIR... [-o FILE] [--system] [-r] [--json]\n"
	"                  [--probe[=FAMILY,...] [--deadline SECONDS] "
	"[--isolate]]\n"
	"\n"
	"Builds or refreshes the catalog of each directory. Only files that\n"
	"are new or have changed are read. Nothing is loaded, unless "
	"--probe\n"
	"is given, and then in child processes.\n"
	"\n"
	"  -o, --output=FILE  write the catalog to FILE (one DIR only)\n"
	"      --system       write DIR/dlazy.catalog, which can travel with\n"
	"                     the directory, instead of the user's cache\n"
	"  -r, --recursive    the directories below, too\n"
	"      --probe[=FAMILY,...]\n"
	"                     load plugins in a child process and ask them "
	"what\n"
	"                     they are, unless that is known: of these "
	"families\n"
	"                     (frei0r, gio, gstreamer, ladspa, lv2; all), or "
	"by\n"
	"                     a host's own probe (./FILE.so)\n"
	"      --deadline=SECONDS\n"
	"                     for each plugin's answer (default 10)\n"
	"      --isolate      a child process for each plugin\n"
	"      --json         one JSON object on standard output\n"
	"  -h, --help         this text\n";

#define DEADLINE_DEFAULT 10
#define DEADLINE_MAX 86400

struct scan_request {
	bool json;
	bool system;
	bool recursive;
	char *output; /* absolute, or NULL */
	struct asking *asking;
};

/* One directory, scanned. */
struct outcome {
	struct directory directory;
	struct scan_result result;
	char *catalog; /* the file written */
	struct asking_counts counts;
};

static char *catalog_path(const struct scan_request *request, const char *dir)
{
	char *path;

	if (request->output)
		return strdup(request->output);
	if (!request->system)
		return catalog_user_path(dir);
	return asprintf(&path, "%s/" CATALOG_FILE, dir) < 0 ? NULL : path;
}

/* What the catalog has, and the scan's result has not: which files are bad, and
 * what is known of the others. 0, or a state; a catalog that was not written has
 * been told of. */
static int look_into(struct outcome *o)
{
	int status =
		catalog_open_file(AT_FDCWD, NULL, o->catalog ? o->catalog : "",
				  &o->directory.catalog);

	if (status == 0) {
		directory_say_bad(&o->directory);
		directory_say_problems(&o->directory);
		status = asking_count(o->directory.catalog, &o->counts);
	}
	if (status_is_state(status))
		return status;
	status_clear();
	return 0;
}

static int scan(const char *path, const struct scan_request *request,
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
		.metadata = asking_scan,
		.metadata_data = request->asking,
	};
	status = scan_directory(o->directory.fd, o->directory.path, &options,
				&o->result, NULL);
	progress_end(&progress);
	if (status < 0) {
		cli_fail(status, false);
		return CLI_FAILED;
	}
	o->catalog = catalog_path(request, o->directory.path);
	status = look_into(o);
	if (status < 0) {
		cli_fail(status, false);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static void scan_print_json(struct json *j, const struct outcome *o)
{
	const struct {
		const char *key;
		size_t value;
	} counts[] = {
		{"total", o->result.total},
		{"added", o->result.added},
		{"changed", o->result.changed},
		{"removed", o->result.removed},
		{"bad", o->result.bad},
		{"probed", o->counts.probed},
		{"static", o->counts.facts},
		{"due", o->counts.due},
		{"crashed", o->counts.crashed},
		{"timed_out", o->counts.timed_out},
	};

	json_begin_object(j);
	json_string_at(j, "path", o->directory.path);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		json_unsigned_at(j, counts[i].key, counts[i].value);
	}
	json_string_at(j, "catalog", o->catalog);
	json_end_object(j);
}

/* Of what is known without loading, what there is. */
static void print_known(const struct asking_counts *c)
{
	const struct {
		const char *words;
		size_t value;
	} counts[] = {
		{"probed", c->probed},
		{"static", c->facts},
		{"due", c->due},
		{"crashed", c->crashed},
		{"timed out", c->timed_out},
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i].value)
			printf(", %zu %s", counts[i].value, counts[i].words);
}

static void scan_print_text(const struct outcome *o)
{
	const struct scan_result *r = &o->result;

	cli_put(o->directory.path, stdout);
	printf(": %zu plugin%s (%zu added, %zu changed, %zu removed), %zu "
	       "bad",
	       r->total, r->total == 1 ? "" : "s", r->added, r->changed,
	       r->removed, r->bad);
	print_known(&o->counts);
	putchar('\n');
}

static void outcome_free(struct outcome *o)
{
	directory_close(&o->directory);
	free(o->catalog);
}

static int scan_each(char **dirs, const struct scan_request *request)
{
	struct json j = json_to(stdout);
	int worst = CLI_DONE;

	if (request->json) {
		cli_json_begin(&j);
		json_begin_array_at(&j, "directories");
	}
	for (; *dirs; dirs++) {
		struct outcome o = {.directory.fd = -1};
		int status = scan(*dirs, request, &o);

		if (status == CLI_DONE && request->json)
			scan_print_json(&j, &o);
		else if (status == CLI_DONE)
			scan_print_text(&o);
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

/* The directories, or, if they were asked for, those below them as well. */
static int scan_all(char **dirs, const struct scan_request *request)
{
	_cleanup_(below_free) struct below below = {.paths = NULL};
	int worst = CLI_DONE;

	if (!request->recursive)
		return scan_each(dirs, request);
	for (; *dirs; dirs++) {
		int status = below_add(&below, *dirs);

		if (status < 0)
			worst = cli_fail(status, false);
	}
	int status = scan_each(below.paths ? below.paths : dirs, request);
	return status > worst ? status : worst;
}

/* Probes as they were asked for. */
struct probing {
	bool wanted, isolate;
	const char *families; /* NULL: all */
	size_t deadline;
};

static int scan_probing(char **dirs, struct scan_request *request,
			const struct probing *probing)
{
	struct asking asking = {.wants_probes = probing->wanted};

	request->asking = &asking;
	if (!probing->wanted)
		return scan_all(dirs, request);
	int status = CLI_USAGE;
	if (probes_parse(probing->families, &asking.probes)) {
		prober_begin(&asking.prober, &asking.probes,
			     (unsigned)probing->deadline, probing->isolate);
		status = scan_all(dirs, request);
		prober_end(&asking.prober);
	}
	probes_free(&asking.probes);
	return status;
}

/* What was asked for, if it makes sense. */
static int scan_asked(int count, char **dirs, struct scan_request *request,
		      const struct probing *probing, const char *output)
{
	if (count == 0)
		return cli_usage("scan", "scan: which directory?");
	if (output && count > 1)
		return cli_usage("scan",
				 "scan: -o is for one directory; "
				 "there are %d",
				 count);
	if (output && request->recursive)
		return cli_usage("scan", "scan: -o is for one directory, and "
					 "not for those below");
	if (output && !*output)
		return cli_usage("scan", "scan: -o: the file's name is empty");
	_cleanup_free_ char *absolute = output ? file_absolute(output) : NULL;
	if (output && !absolute)
		return cli_fail(status_last(), request->json);
	request->output = absolute;
	return scan_probing(dirs, request, probing);
}

int cli_scan(int argc, char **argv)
{
	struct scan_request request = {0};
	struct probing probing = {.deadline = DEADLINE_DEFAULT};
	const char *output = NULL;
	const struct cli_option options[] = {
		{"output", 'o', .text = &output},
		{"system", .flag = &request.system},
		{"recursive", 'r', .flag = &request.recursive},
		{"probe", .flag = &probing.wanted, .text = &probing.families},
		{"deadline", .number = &probing.deadline, .least = 1,
		 .most = DEADLINE_MAX, .unit = "seconds"},
		{"isolate", .flag = &probing.isolate},
		{"json", .flag = &request.json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status >= 0)
		return status;
	return scan_asked(argc - optind, argv + optind, &request, &probing,
			  output);
}
