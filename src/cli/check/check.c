/* SPDX-License-Identifier: MIT */
/*
 * dlazy check: tells before a plugin is loaded, and without the host, why its
 * first touch would fail. It reads the file (inspect.c), and, where that is
 * not enough, loads each plugin in a child process (trial.c).
 */
#include "cli/cli.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "catalog/scan.h"
#include "cli/check/inspect.h"
#include "cli/check/notes.h"
#include "cli/check/siblings.h"
#include "cli/frame/progress.h"
#include "cli/frame/table.h"
#include "cli/check/trial.h"
#include "elf/search.h"
#include "load/metadata.h"
#include "elf/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
	"Usage: dlazy check DIR...|FILE... [--host FILE] [--load]\n"
	"                   [--timeout SECONDS] [--json]\n"
	"\n"
	"Finds what the first touch of a plugin would fail on: missing\n"
	"libraries, undefined symbols, another machine, static TLS, an\n"
	"executable stack. Plugins are read, not loaded, unless --load is\n"
	"given. If a program or plugin has a .note.dlopen: are the libraries\n"
	"there that it says it cannot do without?\n"
	"\n"
	"      --host=FILE        the program that loads the plugins: what it\n"
	"                         exports is found. Without it, a symbol that\n"
	"                         a host may supply is no error\n"
	"      --load             also load each, in a process of its own\n"
	"      --timeout=SECONDS  for each load (default 10)\n"
	"      --json             one JSON object on standard output\n"
	"  -h, --help             this text\n"
	"\n"
	"Exit status: 0 all are good, 1 some are not.\n";

#define TIMEOUT_DEFAULT 10
#define TIMEOUT_MAX 86400

struct check_request {
	const char *host;
	bool load;
	size_t timeout;
	bool json;
};

struct subjects {
	struct subject *list;
	size_t count;
	size_t room;
};

static void subjects_free(struct subjects *all)
{
	for (size_t i = 0; i < all->count; i++)
		subject_clear(&all->list[i]);
	free(all->list);
}

/* Takes `path`, malloc'd, over. */
static int add_file(struct subjects *all, char *path)
{
	_cleanup_free_ char *owned = path;

	if (!path || !array_reserve(&all->list, all->count, &all->room,
				    sizeof(*all->list)))
		return status_no_memory(NULL);
	all->list[all->count++] = (struct subject){.path = TAKE_PTR(owned)};
	return 0;
}

static int is_plugin(const struct dirent *entry)
{
	return scan_is_plugin_name(entry->d_name);
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_directory(struct subjects *all, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_plugin, compare_entries);
	int status = 0;

	if (n < 0)
		return status_fail(status_from_errno(errno), "%s: %s", dir,
				   strerror(errno));
	if (n == 0)
		cli_say("%s: no plugins there (looked for *.so and "
			"*.so.VERSION)",
			dir);
	for (int i = 0; i < n; i++) {
		char *path;
		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0)
			path = NULL;
		if (status == 0)
			status = add_file(all, path);
		else
			free(path);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int add_operand(struct subjects *all, const char *operand)
{
	_cleanup_free_ char *path = *operand ? file_absolute(operand) : NULL;
	struct stat st;

	if (!*operand)
		return status_fail(DLAZY_EINVAL, "a name is empty");
	if (!path)
		return status_last();
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_directory(all, path);
	int status = add_file(all, TAKE_PTR(path));
	if (status == 0)
		all->list[all->count - 1].is_named = true;
	return status;
}

/* Which it is: of a file that was named, not found in a directory. */
static bool is_program(const struct elf_view *view, const char *path)
{
	bool is = elf_view_flags(view) & ELF_INTERP &&
		  !(elf_view_flags(view) & ELF_NOOPEN) &&
		  elf_view_check_plugin(view, path) < 0;

	status_clear();
	return is;
}

/* A search_closure_fn: would the program start? */
static bool note_missing(const char *name, const char *found,
			 const char *needed_by, void *data)
{
	struct subject *s = data;

	if (found)
		return true;
	if (strcmp(needed_by, s->path) == 0)
		subject_add(s, PROBLEM_MISSING_LIBRARY, "%s", name);
	else
		subject_add(s, PROBLEM_MISSING_LIBRARY, "%s, needed by %s",
			    name, needed_by);
	return true;
}

/* What of its sidecar or its note is not usable. */
static void note_metadata(struct subject *s)
{
	_cleanup_(metadata_clear) struct metadata metadata = {.document = NULL};

	if (metadata_read(s->path, &metadata) < 0) {
		status_clear();
		return;
	}
	for (size_t i = 0; i < METADATA_SOURCES; i++) {
		const struct json_source *source = &metadata.texts.sources[i];

		if (source->problem[0])
			subject_add(s, PROBLEM_METADATA, "%s: %s", source->name,
				    source->problem);
	}
}

static void inspect(struct inspection *in, struct siblings *siblings,
		    struct subject *s)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;

	if (file_open(AT_FDCWD, s->path, &fd, NULL) < 0 ||
	    elf_view_open(fd, s->path, &view) < 0)
		view = NULL;
	status_clear();
	s->is_program = view && s->is_named && is_program(view, s->path);
	if (s->is_program)
		search_closure(s->path, note_missing, s);
	else
		inspect_file(in, s);
	if (view)
		notes_check(s, view);
	if (view && !s->is_program)
		note_metadata(s);
	siblings_explain(siblings, s);
	status_clear();
}

static int inspect_each(struct subjects *all, const char *host)
{
	_cleanup_(inspection_end) struct inspection in = {.has_host = false};
	int status = host ? inspect_host(&in, host) : 0;

	if (status < 0)
		return status;
	_cleanup_(siblings_clear) struct siblings siblings = {.dir = NULL};
	struct progress progress = progress_begin("reading");
	for (size_t i = 0; i < all->count; i++) {
		inspect(&in, &siblings, &all->list[i]);
		progress_update(i + 1, all->count, &progress);
	}
	progress_end(&progress);
	return 0;
}

static int load_each(struct subjects *all, unsigned timeout)
{
	struct progress progress = progress_begin("loading");
	int status = trial_each(all->list, all->count, timeout, progress_update,
				&progress);

	progress_end(&progress);
	return status;
}

static size_t count_bad(const struct subjects *all)
{
	size_t bad = 0;

	for (size_t i = 0; i < all->count; i++)
		bad += subject_is_bad(&all->list[i]);
	return bad;
}

/* ------------------------------------------------------------------ */
/* Output                                                             */

static void print_problems(struct json *j, const struct subject *s)
{
	json_begin_array(j);
	for (size_t i = 0; i < s->count; i++) {
		const struct problem *p = &s->problems[i];

		json_begin_object(j);
		json_string_at(j, "kind", problem_word(p->kind));
		json_string_at(j, "detail", p->detail);
		json_bool_at(j, "bad", problem_is_bad(s, p));
		json_end_object(j);
	}
	json_end_array(j);
}

static void check_print_json(const struct subjects *all)
{
	struct json j = json_to(stdout);
	size_t bad = count_bad(all);

	cli_json_begin(&j);
	json_unsigned_at(&j, "ok", all->count - bad);
	json_unsigned_at(&j, "bad", bad);
	json_begin_array_at(&j, "plugins");
	for (size_t i = 0; i < all->count; i++) {
		json_begin_object(&j);
		json_string_at(&j, "path", all->list[i].path);
		json_key(&j, "problems");
		print_problems(&j, &all->list[i]);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

/* How many problems of the kind follow `first`, itself counted: people want
 * to see one line for the 200 symbols of one host. */
static size_t run_length(const struct subject *s, size_t first)
{
	size_t n = first;

	while (n < s->count && s->problems[n].kind == s->problems[first].kind)
		n++;
	return n - first;
}

#define LINES_MAX 3 /* of one kind, for one plugin */

static bool is_same_directory(const char *a, const char *b)
{
	size_t n = (size_t)(file_base_name(a) - a);

	return n == (size_t)(file_base_name(b) - b) && memcmp(a, b, n) == 0;
}

/* Names that are alike are told apart by their directories. */
static bool needs_paths(const struct subjects *all)
{
	for (size_t i = 1; i < all->count; i++)
		if (!is_same_directory(all->list[0].path, all->list[i].path))
			return true;
	return false;
}

static bool add_rows(struct table *t, const struct subject *s, bool path)
{
	const char *name = path ? s->path : file_base_name(s->path);

	for (size_t i = 0; i < s->count;) {
		const struct problem *p = &s->problems[i];
		size_t n = run_length(s, i), shown = n;
		char more[32];

		if (n > LINES_MAX)
			shown = LINES_MAX - 1;
		snprintf(more, sizeof(more), "and %zu more", n - shown);
		for (size_t k = 0; k < shown + (n > shown); k++)
			if (!table_add(t,
				       (const char *[]){
					       name, problem_word(p->kind),
					       k < shown ? p[k].detail : more}))
				return false;
		i += n;
	}
	return true;
}

static void print_advice(const struct subjects *all)
{
	bool seen[PROBLEM_KINDS] = {false};

	for (size_t i = 0; i < all->count; i++)
		for (size_t k = 0; k < all->list[i].count; k++)
			seen[all->list[i].problems[k].kind] |=
				!all->list[i].problems[k].is_beside;
	putchar('\n');
	for (unsigned kind = 0; kind < PROBLEM_KINDS; kind++)
		if (seen[kind])
			printf("%s%s%s: %s\n", cli_bold(stdout),
			       problem_word(kind), cli_plain(stdout),
			       problem_advice(kind));
	putchar('\n');
}

static int check_print_text(const struct subjects *all)
{
	_cleanup_(table_free) struct table t = {.columns = 3};
	size_t bad = count_bad(all);
	bool paths = needs_paths(all);
	bool fits =
		table_add(&t, (const char *[]){"PLUGIN", "PROBLEM", "DETAIL"});

	for (size_t i = 0; i < all->count && fits; i++)
		fits = add_rows(&t, &all->list[i], paths);
	if (!fits) {
		cli_say("check: out of memory");
		return CLI_FAILED;
	}
	if (t.count > t.columns) {
		table_print(&t, stdout);
		print_advice(all);
	}
	printf("%zu ok, %zu bad\n", all->count - bad, bad);
	return CLI_DONE;
}

static int check(char **operands, const struct check_request *request)
{
	_cleanup_(subjects_free) struct subjects all = {0};
	int status = 0;

	for (; *operands && status == 0; operands++)
		status = add_operand(&all, *operands);
	if (status == 0)
		status = inspect_each(&all, request->host);
	if (status == 0 && request->load)
		status = load_each(&all, (unsigned)request->timeout);
	if (status < 0)
		return cli_fail(status, request->json);
	if (request->json)
		check_print_json(&all);
	else if (check_print_text(&all) != CLI_DONE)
		return CLI_FAILED;
	return count_bad(&all) ? CLI_PROBLEMS : CLI_DONE;
}

int cli_check(int argc, char **argv)
{
	struct check_request request = {.timeout = TIMEOUT_DEFAULT};
	const struct cli_option options[] = {
		{"host", .text = &request.host},
		{"load", .flag = &request.load},
		{"timeout", .number = &request.timeout, .least = 1,
		 .most = TIMEOUT_MAX, .unit = "seconds"},
		{"json", .flag = &request.json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status >= 0)
		return status;
	if (optind == argc)
		return cli_usage("check", "check: which directory or file?");
	return check(argv + optind, &request);
}
