/* SPDX-License-Identifier: MIT */
/*
 * What a call of the system's that fails for a moment does to what is read: the
 * answer is the right one, or there is none, for a state of who asks. It is
 * never another answer ("not an ELF file", "no such library").
 *
 * Each call is failed in turn, once and from there on.
 */
#include "tests/test.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "catalog/metadata.h"
#include "catalog/record.h"
#include "elf/check.h"
#include "elf/search.h"
#include "load/bind.h"
#include "tests/faults/inject.h"

#include <errno.h>
#include <fcntl.h>

/* What is asked: its answer, malloc'd, as bytes; or a negated status. */
typedef int ask_fn(const char *about, void **ret, size_t *ret_size);

struct fault {
	const char *kind;
	int error;
};

static const struct fault faults[] = {
	{"open", EMFILE},     {"open", EINTR},	  {"open", EACCES},
	{"stat", EIO},	      {"stat", ENOMEM},	  {"read", EIO},
	{"read", EAGAIN},     {"read", 0},	  {"mmap", ENOMEM},
	{"readlink", EACCES}, {"malloc", ENOMEM},
};

#define ASKED_MOST 3000

/* One fault; false: there were fewer such calls. */
static bool ask_with(ask_fn *ask, const char *about, const struct fault *f,
		     long n, bool always, const void *want, size_t want_size)
{
	void *got = NULL;
	size_t size = 0;

	fault_arm(f->kind, n, f->error, always);
	int status = ask(about, &got, &size);
	bool hit = fault_disarm();
	if (status == 0) {
		if (size != want_size || memcmp(got, want, size) != 0)
			test_fail(__FILE__, __LINE__,
				  "%s: %s %ld fails with %d: another answer",
				  about, f->kind, n, f->error);
		free(got);
	} else if (!status_is_state(status)) {
		test_fail(__FILE__, __LINE__, "%s: %s %ld fails with %d: %s",
			  about, f->kind, n, f->error, status_message());
	}
	return hit;
}

static void sweep(ask_fn *ask, const char *about)
{
	_cleanup_free_ void *want = NULL;
	size_t size;
	long tried = 0;

	CHECK_INT(ask(about, &want, &size), 0);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		for (int always = 0; always < 2; always++)
			for (long n = 1; n < ASKED_MOST; n++, tried++)
				if (!ask_with(ask, about, &faults[i], n, always,
					      want, size))
					break;
	CHECK(tried > 5);
}

static int ask_record(const char *about, void **ret, size_t *ret_size)
{
	struct record *record;
	int status = record_read(AT_FDCWD, about, &record);

	if (status < 0)
		return status;
	*ret = record;
	*ret_size = record_size(record);
	return 0;
}

static int ask_portable(const char *about, void **ret, size_t *ret_size)
{
	struct record *record;
	int status = record_read_portable(AT_FDCWD, about, &record);

	if (status < 0)
		return status;
	*ret = record;
	*ret_size = record_size(record);
	return 0;
}

static int ask_library(const char *about, void **ret, size_t *ret_size)
{
	char *path;
	int status = search_library(about, NULL, &path);

	if (status < 0)
		return status;
	*ret = path;
	*ret_size = strlen(path);
	return 0;
}

/* Every library of the closure, a line each. */
static bool add_line(const char *name, const char *found, const char *needed_by,
		     void *data)
{
	FILE *out = data;

	fprintf(out, "%s %s %s\n", name, found ? found : "-", needed_by);
	return true;
}

static int ask_closure(const char *about, void **ret, size_t *ret_size)
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (!out)
		return -DLAZY_ENOMEM;
	setbuf(out, NULL);
	int status = search_closure(about, add_line, out);
	fclose(out);
	if (status < 0)
		return status;
	*ret_size = strlen(text);
	*ret = strdup(text);
	return *ret ? 0 : -DLAZY_ENOMEM;
}

/* What a load would fail on, a line each. */
static bool add_problem(const struct check_problem *problem, void *data)
{
	FILE *out = data;

	fprintf(out, "%d %s\n", problem->kind,
		problem->symbol ? problem->symbol->name : problem->name);
	return true;
}

static int ask_check(const char *about, void **ret, size_t *ret_size)
{
	static char text[65536];
	struct walk walk = {0};
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (!out)
		return -DLAZY_ENOMEM;
	setbuf(out, NULL);
	text[0] = '\0';
	struct check check = {
		.path = about, .problem = add_problem, .data = out};
	int status = check_file(&check, &walk);
	walk_end(&walk);
	fclose(out);
	if (status < 0)
		return status;
	*ret_size = strlen(text);
	*ret = strdup(text);
	return *ret ? 0 : -DLAZY_ENOMEM;
}

/* Of a symbol that only a library which the file needs has. */
static int ask_symbol(const char *about, void **ret, size_t *ret_size)
{
	struct dlazy_module *m = dlazy_open(about, 0);

	if (!m)
		return status_last();
	const struct bind_request request = {.name = "plain_answer"};
	struct module_export export;
	int status = bind_find_export(m, &request, true, &export);
	dlazy_close(m);
	if (status_is_state(status))
		return status;
	*ret_size = sizeof(status);
	*ret = calloc(1, sizeof(status));
	if (!*ret)
		return -DLAZY_ENOMEM;
	memcpy(*ret, &status, sizeof(status));
	return 0;
}

static int ask_metadata(const char *about, void **ret, size_t *ret_size)
{
	const struct metadata_draft draft = {
		.name = "a", .file = "a.so", .text = about};
	struct catalog_metadata *m;
	int status = metadata_encode(&draft, &m);

	if (status < 0)
		return status;
	*ret = m;
	*ret_size = metadata_size(m);
	return 0;
}

TEST_SECONDS(fault_while_metadata_are_written_leaves_nothing_out, 120)
{
	if (!fault_has_malloc())
		test_skip("a sanitizer or valgrind has its own allocator");
	sweep(ask_metadata, "{\"interface\":\"a/1.0\", \"provides\":[{"
			    "\"id\":\"x\", \"mime\":[\"a/b\"], "
			    "\"magic\":[{\"hex\":\"89ab\", "
			    "\"mask\":\"ff00\"}]}]}");
}

/* A record of a file is what the file says, or there is none. */
TEST_SECONDS(fault_while_a_plugin_is_read_is_no_fact_about_it, 120)
{
	sweep(ask_record, test_plugin("good-plain"));
	sweep(ask_portable, test_plugin("good-plain"));
}

TEST_SECONDS(fault_while_what_is_no_plugin_is_read_is_no_fact_about_it, 120)
{
	sweep(ask_record, "/etc/passwd");
	sweep(ask_portable, "/etc/passwd");
}

TEST_SECONDS(fault_while_a_library_is_looked_for_does_not_hide_it, 120)
{
	sweep(ask_library, "libc.so.6");
}

TEST_SECONDS(fault_while_a_closure_is_read_is_no_missing_library, 240)
{
	sweep(ask_closure, "/proc/self/exe");
}

/* The library is there, and whole. */
TEST_SECONDS(fault_while_a_needed_library_is_read_is_no_damage, 240)
{
	sweep(ask_check, test_plugin("good-needs-plain"));
}

TEST_SECONDS(fault_while_a_needed_library_is_read_is_no_missing_symbol, 240)
{
	sweep(ask_symbol, test_plugin("good-needs-plain"));
}
