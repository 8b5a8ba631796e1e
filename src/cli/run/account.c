/* SPDX-License-Identifier: MIT */
/*
 * dlazy run --stats: the account of one run. What needed a library stands
 * first, then what was spared, then what could not be.
 */
#include "cli/run/account.h"

#include "base/array.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/frame/table.h"
#include "link/cache/runs.h"

#include <string.h>

struct account {
	const struct entry *entry;
	const struct runs *touched; /* or NULL: not known */
	const char *plain;	    /* or NULL */
	size_t libraries;
	size_t lazy, loaded; /* of them */
	uint64_t functions;  /* bound */
	bool json;
};

struct row {
	const char *path, *why, *detail;
	bool lazy, loaded;
	uint32_t functions;
};

static struct row row_of(const struct account *a, size_t i)
{
	struct entry_library l = entry_library(a->entry, i);
	struct row row = {
		.path = entry_string(a->entry, l.path),
		.why = entry_string(a->entry, l.why),
		.detail = entry_string(a->entry, l.detail),
	};

	row.lazy = *row.why == '\0';
	if (row.lazy && a->touched)
		row.loaded = runs_touched(a->touched, l.number, &row.functions);
	return row;
}

static struct account take(const struct program_start *start,
			   const struct runs *touched)
{
	struct account a = {
		.entry = &start->entry,
		.touched = touched,
		.plain = start->plain,
		.libraries = start->entry.data
				     ? entry_library_count(&start->entry)
				     : 0,
	};

	for (size_t i = 0; i < a.libraries; i++) {
		struct row row = row_of(&a, i);

		a.lazy += row.lazy && !a.plain;
		a.loaded += row.loaded;
		a.functions += row.functions;
	}
	return a;
}

/* ------------------------------------------------------------------ */

static void print_json_library(struct json *j, const struct row *row)
{
	json_begin_object(j);
	json_string_at(j, "path", row->path);
	json_string_at(j, "why", row->why);
	json_string_at(j, "detail", row->detail);
	json_end_object(j);
}

static void print_json_eager(struct json *j, const struct account *a)
{
	json_begin_array(j);
	for (size_t i = 0; i < a->libraries; i++) {
		struct row row = row_of(a, i);

		if (row.lazy && !a->plain)
			continue;
		if (row.lazy) {
			row.why = "plain";
			row.detail = a->plain;
		}
		print_json_library(j, &row);
	}
	json_end_array(j);
}

static void print_json_loaded(struct json *j, const struct account *a)
{
	json_begin_array(j);
	for (size_t i = 0; i < a->libraries; i++) {
		struct row row = row_of(a, i);

		if (!row.loaded)
			continue;
		json_begin_object(j);
		json_string_at(j, "path", row.path);
		json_unsigned_at(j, "functions", row.functions);
		json_end_object(j);
	}
	json_end_array(j);
}

/* A count, where it could be observed. */
static void print_json_count(struct json *j, const struct account *a,
			     const char *key, uint64_t count)
{
	json_key(j, key);
	if (a->touched || a->plain)
		json_unsigned(j, count);
	else
		json_null(j);
}

static void account_print_json(const struct account *a)
{
	struct json j = json_to(stderr);

	cli_json_begin(&j);
	json_unsigned_at(&j, "lazy", a->lazy);
	json_key(&j, "eager");
	print_json_eager(&j, a);
	print_json_count(&j, a, "touched", a->loaded);
	print_json_count(&j, a, "functions", a->functions);
	json_key(&j, "loaded");
	print_json_loaded(&j, a);
	json_string_at(&j, "plain", a->plain);
	json_end_object(&j);
	json_finish(&j);
}

/* ------------------------------------------------------------------ */

static bool add_row(struct table *t, const struct account *a,
		    const struct row *row)
{
	char functions[16] = "-";

	if (row->loaded)
		snprintf(functions, sizeof(functions), "%u", row->functions);
	else if (row->lazy && !a->touched)
		strcpy(functions, "?");
	return table_add(t, (const char *[]){
				    file_base_name(row->path),
				    row->lazy ? "lazy" : "eager",
				    functions,
				    row->detail,
			    });
}

/* What is told of first, ... */
static unsigned rank(const struct row *row)
{
	if (row->loaded)
		return 0;
	return row->lazy ? 1 : 2;
}

static bool add_rows(struct table *t, const struct account *a)
{
	bool ok = true;

	for (unsigned wanted = 0; wanted <= 2; wanted++) {
		for (size_t i = 0; i < a->libraries && ok; i++) {
			struct row row = row_of(a, i);

			if (rank(&row) == wanted)
				ok = add_row(t, a, &row);
		}
	}
	return ok;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_sum(const struct account *a)
{
	fprintf(stderr, "%zu librar%s: %zu lazy", a->libraries,
		a->libraries == 1 ? "y" : "ies", a->lazy);
	if (a->touched)
		fprintf(stderr, " (%zu needed, %llu function%s bound)",
			a->loaded, (unsigned long long)a->functions,
			plural(a->functions));
	fprintf(stderr, ", %zu eager\n", a->libraries - a->lazy);
}

static void print_table(const struct account *a)
{
	struct table t = {.columns = 4};

	if (a->plain) {
		fputs("dlazy: run plainly: ", stderr);
		cli_put(a->plain, stderr);
		fputs("\n", stderr);
		return;
	}
	if (table_add(&t, (const char *[]){"LIBRARY", "", ">BOUND", "WHY"}) &&
	    add_rows(&t, a))
		table_print(&t, stderr);
	table_free(&t);
	print_sum(a);
}

void run_account(const struct program_start *start, const struct runs *touched,
		 bool json)
{
	struct account a = take(start, touched);

	if (json)
		account_print_json(&a);
	else
		print_table(&a);
}
