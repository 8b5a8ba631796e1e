/* SPDX-License-Identifier: MIT */
/*
 * dlazy list: the plugins of directories, by their catalogs. Nothing is
 * loaded. Files that are no plugins are named with the reason, so that "why is
 * my plugin not there?" has an answer.
 */
#include "cli/cli.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/jsonread.h"
#include "base/status.h"
#include "catalog/below.h"
#include "cli/plugins/directory.h"
#include "cli/plugins/info.h"
#include "cli/frame/table.h"
#include "load/policy.h"
#include "load/quarantine.h"
#include "meta/matcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy list DIR... [--provides GLOB] [--opens FILE] [--mime "
	"TYPE]\n"
	"                  [--all] [-r] [--program NAME] [--quarantine FILE] "
	"[--json]\n"
	"\n"
	"Lists the plugins of each directory, one a line; nothing is loaded.\n"
	"A file that looks like a plugin and is none is named on standard\n"
	"error, with the reason.\n"
	"\n"
	"      --provides=GLOB  those that provide an id that matches\n"
	"      --opens=FILE     those that can open FILE, by its first bytes "
	"or\n"
	"                       its name, the best first\n"
	"      --mime=TYPE      those that can open this type, the best first\n"
	"      --all            with these: also plugins that are hidden by "
	"one\n"
	"                       of the same name, in an earlier DIR\n"
	"      --quarantine=FILE\n"
	"                       says of each that is refused by this file, "
	"which\n"
	"                       a host gives to dlazy_registry_quarantine()\n"
	"  -r, --recursive      the directories below, too; names are paths "
	"then\n"
	"      --program=NAME   policies are those of this program's\n"
	"      --json           one JSON object on standard output\n"
	"  -h, --help           this text\n";

/* So much of a file is looked at: where its magic may be. */
#define HEAD_MAX 65536

/* What is asked for. */
struct wanted {
	const char *provides;
	const char *opens;
	const char *mime;
	const char *program; /* as which policies are asked */
	const char *quarantine;
	bool all, recursive, json;
	unsigned char *head;
	size_t head_size;
};

/* One plugin of a directory. */
struct row {
	const struct directory *directory;
	const char *prefix;
	const struct record *record;
	const struct catalog_metadata *said; /* NULL: nothing */
	const char *shadow; /* the directory of the one that counts */
	bool is_refused;    /* by the quarantine */
	int policy;
	char *policy_by; /* who decided that */
	char *description, *version;
	int rank;
	size_t number;
};

/* The directories that could be opened. */
struct listing {
	struct directory *directories;
	char **prefixes; /* of names, for each; "" or "foo.lv2/" */
	size_t count;
	size_t room, prefix_room;
	struct row *rows;
	size_t row_count, row_room;
	const char *program; /* as which policies are asked */
	bool has_policies;   /* of any row something has been said */
	const char *quarantine;
	struct file_identity *refused; /* by it */
	size_t refused_count, refused_room;
	bool is_cut; /* of these, for want of memory */
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		directory_close(&l->directories[i]);
		free(l->prefixes[i]);
	}
	free(l->directories);
	free(l->prefixes);
	for (size_t i = 0; i < l->row_count; i++) {
		free(l->rows[i].policy_by);
		free(l->rows[i].description);
		free(l->rows[i].version);
	}
	free(l->rows);
	free(l->refused);
}
#define _cleanup_listing_ _cleanup_(listing_free)

/* Opens one, whose plugins' names begin with `prefix`. */
static int open_one(const char *dir, const char *prefix, struct listing *l)
{
	if (!array_reserve(&l->directories, l->count, &l->room,
			   sizeof(*l->directories)) ||
	    !array_reserve(&l->prefixes, l->count, &l->prefix_room,
			   sizeof(*l->prefixes)))
		return status_no_memory("list");
	struct directory *d = &l->directories[l->count];
	int status = directory_open_catalog(dir, d);
	if (status == 0) {
		l->prefixes[l->count] = strdup(prefix);
		if (l->prefixes[l->count]) {
			l->count++;
			return 0;
		}
		status = status_no_memory("list");
	}
	directory_close(d);
	return status;
}

static int open_below(const char *dir, struct listing *l)
{
	_cleanup_(below_free) struct below below = {.paths = NULL};
	size_t n = strlen(dir);
	int status = below_add(&below, dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	for (size_t i = 0; status == 0 && i < below.count; i++) {
		_cleanup_free_ char *prefix = NULL;
		const char *within = below.paths[i] + n;

		within += strspn(within, "/");
		if (asprintf(&prefix, "%s%s", within, *within ? "/" : "") < 0) {
			prefix = NULL;
			return status_no_memory("list");
		}
		status = open_one(below.paths[i], prefix, l);
	}
	return status;
}

static int open_each(char **dirs, bool recursive, struct listing *l)
{
	int worst = CLI_DONE;

	for (; *dirs; dirs++) {
		int status = recursive ? open_below(*dirs, l)
				       : open_one(*dirs, "", l);
		if (status < 0)
			status = cli_fail(status, false);
		worst = status > worst ? status : worst;
	}
	return worst;
}

/* ------------------------------------------------------------------ */
/* What is asked for                                                  */

static bool is_filter(const struct wanted *w)
{
	return w->provides || w->opens || w->mime;
}

static bool can_open(const struct wanted *w, const struct catalog_metadata *m,
		     size_t i)
{
	struct matcher_subject subject = {w->mime, w->opens, w->head,
					  w->head_size};
	struct metadata_matcher matcher;

	if (!w->opens && !w->mime)
		return true;
	for (size_t k = 0; metadata_matcher(m, i, k, &matcher); k++)
		if (matcher_opens(&matcher, &subject))
			return true;
	return false;
}

/* Whether the plugin provides what is wanted; *ret_rank: of the best. */
static bool is_wanted(const struct wanted *w, const struct catalog_metadata *m,
		      int *ret_rank)
{
	struct metadata_provided p;
	bool found = false;

	*ret_rank = 0;
	if (!is_filter(w))
		return true;
	for (size_t i = 0; m && metadata_provided(m, i, &p); i++) {
		if (w->provides && !matcher_glob(w->provides, p.id))
			continue;
		if (!can_open(w, m, i))
			continue;
		if (!found || p.rank > *ret_rank)
			*ret_rank = p.rank;
		found = true;
	}
	return found;
}

/* The directory before number `end` that has a plugin of this name; or NULL. */
static const char *find_shadow(const struct listing *l, size_t end,
			       const char *name)
{
	for (size_t i = 0; i < end; i++) {
		struct catalog *c = l->directories[i].catalog;
		size_t index, n = strlen(l->prefixes[i]);

		if (strncmp(name, l->prefixes[i], n) == 0 &&
		    !strchr(name + n, '/') &&
		    catalog_find(c, name + n, &index, NULL) &&
		    index < catalog_count(c))
			return l->directories[i].path;
	}
	status_clear();
	return NULL;
}

/* A string that metadata have under a key, NULL: none. 0 or a state. */
static int read_member(const struct row *row, const char *key, char **ret)
{
	const char *value =
		row->said ? json_member(metadata_text(row->said), key) : NULL;

	*ret = NULL;
	if (!value || *value != '"')
		return 0;
	*ret = json_read_string(value);
	return *ret ? 0 : status_no_memory("list");
}

/* What decides when the plugin is loaded, but for what a host says. */
static int decide(struct listing *l, struct row *row, const char *name)
{
	_cleanup_free_ char *load = NULL;
	struct policy_decision decision;
	int status = read_member(row, "load", &load);

	if (status == 0)
		status = policy_decide(name, DLAZY_POLICY_DEFAULT, load,
				       l->program, &decision);
	if (status < 0)
		return status;
	if (strcmp(decision.by, "default") != 0)
		l->has_policies = true;
	row->policy = decision.policy;
	row->policy_by = strdup(decision.by);
	return row->policy_by ? 0 : status_no_memory("list");
}

/* All that takes memory: it may run out in the middle of an answer. */
static int fill_row(struct listing *l, struct row *row, const char *name)
{
	int status = decide(l, row, name);

	if (status == 0)
		status = read_member(row, "description", &row->description);
	if (status == 0)
		status = read_member(row, "version", &row->version);
	return status;
}

static void add_refused(void *data, const char *path)
{
	struct listing *l = data;
	struct file_identity file;

	if (file_identify(AT_FDCWD, path, &file) < 0)
		return;
	if (array_reserve(&l->refused, l->refused_count, &l->refused_room,
			  sizeof(*l->refused)))
		l->refused[l->refused_count++] = file;
	else
		l->is_cut = true;
}

/* A host that has not loaded anything yet has made no such file. */
static int read_quarantine(struct listing *l, const char *file)
{
	int status = quarantine_read(file, add_refused, l);

	l->quarantine = file;
	if (l->is_cut)
		return status_no_memory("list");
	if (status != -DLAZY_ENOENT)
		return status;
	cli_say("%s: not there: nothing is in quarantine", file);
	status_clear();
	return 0;
}

/* Without memory. */
static void write_path(const struct directory *d, const struct record *r,
		       char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s", strcmp(d->path, "/") ? d->path : "",
		 record_file(r));
}

static bool is_refused(const struct listing *l, const struct row *row)
{
	char path[2 * PATH_MAX];
	struct file_identity file;
	bool found = false;

	write_path(row->directory, row->record, path, sizeof(path));
	if (!l->refused_count || file_identify(AT_FDCWD, path, &file) < 0)
		return false;
	for (size_t i = 0; i < l->refused_count && !found; i++)
		found = file_identity_equal(&l->refused[i], &file);
	return found;
}

static int add_plugin(struct listing *l, const struct wanted *w, size_t i,
		      size_t index)
{
	const struct directory *d = &l->directories[i];
	struct row row = {.directory = d,
			  .prefix = l->prefixes[i],
			  .record = catalog_record(d->catalog, index),
			  .number = l->row_count};
	_cleanup_free_ char *name = NULL;

	if (!row.record)
		return status_last();
	int status = catalog_metadata(d->catalog, index, &row.said);
	if (status < 0)
		return status;
	if (!is_wanted(w, row.said, &row.rank))
		return 0;
	if (asprintf(&name, "%s%s", row.prefix, record_name(row.record)) < 0) {
		name = NULL;
		return status_no_memory("list");
	}
	row.shadow = find_shadow(l, i, name);
	row.is_refused = is_refused(l, &row);
	if (row.shadow && is_filter(w) && !w->all)
		return 0;
	if (!array_reserve(&l->rows, l->row_count, &l->row_room,
			   sizeof(*l->rows)))
		return status_no_memory("list");
	l->rows[l->row_count++] = row;
	return fill_row(l, &l->rows[l->row_count - 1], name);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* By directory and name; if files are to be opened, the best first. */
static int find_rows(struct listing *l, const struct wanted *w)
{
	for (size_t i = 0; i < l->count; i++) {
		size_t n = catalog_count(l->directories[i].catalog);

		for (size_t k = 0; k < n; k++) {
			int status = add_plugin(l, w, i, k);
			if (status < 0)
				return status;
		}
	}
	if (l->row_count && (w->opens || w->mime))
		qsort(l->rows, l->row_count, sizeof(*l->rows), compare_rows);
	return 0;
}

/* ------------------------------------------------------------------ */
/* Output                                                             */

static void print_path(struct json *j, const struct directory *d,
		       const struct record *r)
{
	char path[2 * PATH_MAX];

	write_path(d, r, path, sizeof(path));
	json_string(j, path);
}

/* With what the prefix is joined to. */
static void print_name(struct json *j, const struct row *row)
{
	char name[2 * PATH_MAX];

	snprintf(name, sizeof(name), "%s%s", row->prefix,
		 record_name(row->record));
	json_string(j, name);
}

static void print_ids(struct json *j, const struct catalog_metadata *m)
{
	struct metadata_provided p;

	json_begin_array(j);
	for (size_t i = 0; m && metadata_provided(m, i, &p); i++)
		json_string(j, p.id);
	json_end_array(j);
}

static void print_problem(struct json *j, const struct listing *l,
			  const struct row *row)
{
	char words[PATH_MAX + 64];

	if (row->is_refused)
		snprintf(words, sizeof(words), "in quarantine by %s",
			 l->quarantine);
	else
		snprintf(words, sizeof(words), "shadowed by the one in %s",
			 row->shadow ? row->shadow : "");
	json_key(j, "problem");
	if (!row->is_refused && row->said && metadata_problem(row->said))
		json_string(j, metadata_problem(row->said));
	else
		json_string(j, row->shadow || row->is_refused ? words : NULL);
	json_string_at(j, "probe",
		       row->said ? metadata_probe(row->said) : NULL);
}

static void print_plugin(struct json *j, const struct listing *l,
			 const struct row *row)
{
	const struct record *r = row->record;

	json_begin_object(j);
	json_key(j, "name");
	print_name(j, row);
	json_key(j, "path");
	print_path(j, row->directory, r);
	json_key(j, "build_id");
	info_build_id(j, r);
	json_unsigned_at(j, "exports", record_symbol_count(r));
	json_key(j, "needs");
	info_needs(j, r);
	json_key(j, "provides");
	print_ids(j, row->said);
	json_string_at(j, "description", row->description);
	json_string_at(j, "version", row->version);
	print_problem(j, l, row);
	json_string_at(j, "policy", policy_word(row->policy));
	json_string_at(j, "policy_by", row->policy_by);
	json_end_object(j);
}

static void print_bad(struct json *j, const struct directory *d,
		      const struct record *r)
{
	json_begin_object(j);
	json_string_at(j, "name", record_name(r));
	json_key(j, "path");
	print_path(j, d, r);
	json_string_at(j, "reason", info_reason(r));
	json_end_object(j);
}

static void list_print_json(const struct listing *l)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_begin_array_at(&j, "plugins");
	for (size_t i = 0; i < l->row_count; i++)
		print_plugin(&j, l, &l->rows[i]);
	json_end_array(&j);
	json_begin_array_at(&j, "bad");
	for (size_t i = 0; i < l->count; i++) {
		const struct directory *d = &l->directories[i];
		size_t first = catalog_count(d->catalog);
		size_t n = first + catalog_bad_count(d->catalog);

		for (size_t k = first; k < n; k++) {
			const struct record *r = catalog_record(d->catalog, k);
			if (r)
				print_bad(&j, d, r);
		}
	}
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

static bool add_row(struct table *t, const struct row *row)
{
	const struct record *r = row->record;
	_cleanup_free_ char *path = directory_file(row->directory, r);
	_cleanup_free_ char *name = NULL, *policy = NULL;
	char exports[24], needs[24];

	if (asprintf(&name, "%s%s", row->prefix, record_name(r)) < 0)
		name = NULL;
	/* "eager (FILE:LINE)" */
	if (asprintf(&policy, "%s (%s)", policy_word(row->policy),
		     row->policy_by) < 0)
		policy = NULL;
	snprintf(exports, sizeof(exports), "%zu", record_symbol_count(r));
	snprintf(needs, sizeof(needs), "%zu", record_needs_count(r));
	return path && name && policy &&
	       table_add(t,
			 (const char *[]){name, exports, needs, path, policy});
}

static int print_table(const struct listing *l)
{
	_cleanup_(table_free) struct table t = {.columns = l->has_policies ? 5
									   : 4};
	bool fits = table_add(&t, (const char *[]){"NAME", ">EXPORTS", ">NEEDS",
						   "PATH", "POLICY"});

	for (size_t i = 0; i < l->row_count && fits; i++)
		fits = add_row(&t, &l->rows[i]);
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

/* What of them, or of their metadata, is not usable. */
static void say_problems(const struct listing *l)
{
	for (size_t i = 0; i < l->row_count; i++) {
		const struct row *row = &l->rows[i];

		if (row->is_refused)
			cli_say("%s/%s: in quarantine, as a process that "
				"loaded it died; replace it, or remove %s",
				row->directory->path, record_file(row->record),
				l->quarantine);
		if (row->said && metadata_problem(row->said))
			cli_say("%s/%s: metadata: %s", row->directory->path,
				record_file(row->record),
				metadata_problem(row->said));
	}
}

static int list(char **dirs, const struct wanted *w)
{
	_cleanup_listing_ struct listing l = {.program = w->program ? w->program
								    : ""};
	int status = open_each(dirs, w->recursive, &l);
	int found = w->quarantine ? read_quarantine(&l, w->quarantine) : 0;

	if (found == 0)
		found = find_rows(&l, w);

	if (found < 0)
		return cli_fail(found, w->json);
	if (w->json)
		list_print_json(&l);
	else if (print_table(&l) != CLI_DONE)
		return CLI_FAILED;
	say_problems(&l);
	/* That gives back what rows point to. */
	if (!is_filter(w))
		say_what_is_missing(&l);
	return is_short(&l) ? CLI_FAILED : status;
}

/* The first bytes of the file that is to be opened. */
static int read_head(struct wanted *w)
{
	struct file_identity identity;
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, w->opens, &fd, &identity);

	if (status < 0)
		return status;
	w->head = malloc(HEAD_MAX);
	if (!w->head)
		return status_no_memory("list");
	ssize_t n = file_read_some(fd, 0, w->head, HEAD_MAX);
	if (n < 0)
		return status_fail(status_from_errno(errno),
				   "%s: cannot read: %s", w->opens,
				   strerror(errno));
	w->head_size = (size_t)n;
	return 0;
}

int cli_list(int argc, char **argv)
{
	struct wanted w = {.provides = NULL};
	const struct cli_option options[] = {
		{"provides", .text = &w.provides},
		{"opens", .text = &w.opens},
		{"mime", .text = &w.mime},
		{"program", .text = &w.program},
		{"quarantine", .text = &w.quarantine},
		{"all", .flag = &w.all},
		{"recursive", 'r', .flag = &w.recursive},
		{"json", .flag = &w.json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status >= 0)
		return status;
	if (optind == argc)
		return cli_usage("list", "list: which directory?");
	status = w.opens ? read_head(&w) : 0;
	status =
		status < 0 ? cli_fail(status, w.json) : list(argv + optind, &w);
	free(w.head);
	return status;
}
