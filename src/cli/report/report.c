/* SPDX-License-Identifier: MIT */
/*
 * dlazy report: measurements as one HTML page, to look at and to send. The page
 * is head, data, tail; the data are the files' own text, escaped, and a script
 * of the page draws them. It loads nothing, and its Content-Security-Policy
 * lets it run this one script, by hash.
 */
#include "cli/report/report.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memstream.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/frame/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy report FILE... -o OUT.html [--json]\n"
	"\n"
	"Makes one HTML page of measurements, which any browser shows, "
	"without\n"
	"a network. FILE is what one of these wrote:\n"
	"  dlazy trace -o FILE -- CMD\n"
	"  dlazy bench DIR --json >FILE\n"
	"  DLAZY_TRACE=FILE HOST       (a program that uses libdlazy)\n"
	"\n"
	"  -o, --output=OUT  where to write it; replaced whole or not at all\n"
	"      --json        what was written, as JSON on standard output\n"
	"  -h, --help        this text\n";

struct report {
	struct report_file *files;
	size_t count;
	size_t room;
};

static void report_clear(struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		report_file_clear(&r->files[i]);
	free(r->files);
}

/* All of them, so that each bad one is told of. 0 or the last one's status. */
static int read_files(char **paths, bool json, struct report *r)
{
	int worst = CLI_DONE;

	for (; *paths; paths++) {
		if (!array_reserve(&r->files, r->count, &r->room,
				   sizeof(*r->files)))
			return cli_fail(status_no_memory(NULL), json);
		int status = report_read(*paths, &r->files[r->count]);
		if (status == 0) {
			r->count++;
			continue;
		}
		/* One object on standard output is enough. */
		status = cli_fail(status, json && worst == CLI_DONE);
		worst = status > worst ? status : worst;
	}
	return worst;
}

/* A name can hold anything, too. false: out of memory. */
static bool put_name(const char *path, FILE *out)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return false;
	struct json j = json_to(memory);
	json_string(&j, path);
	if (!memstream_end(memory, &text))
		return false;
	report_embed(text, out);
	free(text);
	return true;
}

static bool put_page(const struct report *r, FILE *out)
{
	bool whole = true;

	fputs(report_page_head, out);
	putc('[', out);
	for (size_t i = 0; i < r->count; i++) {
		fputs(i ? ",\n{\"file\":" : "{\"file\":", out);
		whole &= put_name(r->files[i].path, out);
		fputs(",\"data\":", out);
		report_embed(r->files[i].text, out);
		putc('}', out);
	}
	fputs("]\n", out);
	fputs(report_page_tail, out);
	return whole;
}

static int make_page(const struct report *r, char **ret, size_t *ret_size)
{
	FILE *memory = open_memstream(ret, ret_size);

	if (!memory)
		return status_no_memory(NULL);
	bool whole = put_page(r, memory);
	if (!memstream_end(memory, ret) || !whole)
		return status_no_memory(NULL);
	return 0;
}

static int write_page(const char *path, const char *page, size_t size)
{
	_cleanup_(output_close) struct output output = {NULL, -1};
	int status = output_open(path, &output);

	return status < 0 ? status : output_write(&output, page, size);
}

static void report_print_json(const struct report *r, const char *output,
			      size_t size)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_string_at(&j, "output", output);
	json_unsigned_at(&j, "size", size);
	json_begin_array_at(&j, "files");
	for (size_t i = 0; i < r->count; i++) {
		json_begin_object(&j);
		json_string_at(&j, "path", r->files[i].path);
		json_string_at(&j, "kind", r->files[i].kind);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

static int report(char **paths, const char *output, bool json)
{
	_cleanup_(report_clear) struct report r = {0};
	_cleanup_free_ char *page = NULL;
	size_t size;
	int exit = read_files(paths, json, &r);

	if (exit != CLI_DONE)
		return exit;
	int status = make_page(&r, &page, &size);
	if (status == 0)
		status = write_page(output, page, size);
	if (status < 0)
		return cli_fail(status, json);
	if (json)
		report_print_json(&r, output, size);
	return CLI_DONE;
}

/* A name typed twice must not cost a measurement. */
static bool is_among(const char *output, char **paths)
{
	struct file_identity a, b;

	if (file_identify(AT_FDCWD, output, &a) < 0) {
		status_clear();
		return false;
	}
	for (; *paths; paths++)
		if (file_identify(AT_FDCWD, *paths, &b) == 0 &&
		    file_identity_same_inode(&a, &b))
			return true;
	status_clear();
	return false;
}

int cli_report(int argc, char **argv)
{
	const char *output = NULL;
	bool json = false;
	const struct cli_option options[] = {
		{"output", 'o', .text = &output},
		{"json", .flag = &json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status >= 0)
		return status;
	if (optind == argc)
		return cli_usage("report", "report: of which file?");
	if (!output)
		return cli_usage("report", "report: where to? -o OUT.html");
	if (is_among(output, argv + optind))
		return cli_usage("report",
				 "report: %s: cannot be both FILE "
				 "and OUT",
				 output);
	return report(argv + optind, output, json);
}
