/* SPDX-License-Identifier: MIT */
/*
 * dlazy info: all that is known of one plugin file, by reading it. Nothing is
 * loaded. A bare name is searched for as dlopen would.
 */
#include "cli/plugins/info.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/plugins/reasons.h"
#include "cli/frame/table.h"
#include "elf/search.h"
#include "elf/view.h"
#include "catalog/catalog.h"
#include "load/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy info FILE [--symbols] [--json]\n"
	"\n"
	"Tells all that is known of a shared object, by reading it; nothing\n"
	"is loaded. FILE without a slash is searched for as dlopen(3) would.\n"
	"\n"
	"      --symbols  also list what it exports (--json always does)\n"
	"      --json     one JSON object on standard output\n"
	"  -h, --help     this text\n";

#define BUILD_ID_MAX 129 /* digits, and the NUL */

static const char *format_build_id(const struct record *r,
				   char buffer[BUILD_ID_MAX])
{
	size_t size;
	const uint8_t *id = record_build_id(r, &size);

	buffer[0] = '\0';
	for (size_t i = 0; i < size && i < BUILD_ID_MAX / 2; i++)
		snprintf(buffer + 2 * i, 3, "%02x", id[i]);
	return buffer;
}

const char *info_reason(const struct record *r)
{
	const char *message = record_message(r);
	size_t n = strlen(record_file(r));

	if (strncmp(message, record_file(r), n) == 0 && message[n] == ':')
		return message + n + 1 + strspn(message + n + 1, " ");
	return message;
}

/* "" is how a record says that there is none. */
static void string_or_null(struct json *j, const char *text)
{
	json_string(j, *text ? text : NULL);
}

void info_build_id(struct json *j, const struct record *r)
{
	char digits[BUILD_ID_MAX];

	string_or_null(j, format_build_id(r, digits));
}

void info_needs(struct json *j, const struct record *r)
{
	json_begin_array(j);
	for (size_t i = 0; i < record_needs_count(r); i++)
		json_string(j, record_need(r, i));
	json_end_array(j);
}

static void print_exports(struct json *j, const struct record *r)
{
	struct record_symbol symbol;

	json_begin_array(j);
	for (size_t i = 0; i < record_symbol_count(r); i++) {
		if (!record_symbol_at(r, i, &symbol))
			continue;
		json_begin_object(j);
		json_string_at(j, "name", symbol.name);
		json_string_at(j, "type", elf_type_name(symbol.type));
		json_key(j, "version");
		string_or_null(j, symbol.version);
		json_bool_at(j, "default", symbol.is_default);
		json_end_object(j);
	}
	json_end_array(j);
}

static void print_dlopen_notes(struct json *j, const struct record *r)
{
	json_begin_array(j);
	for (size_t i = 0; i < record_dlopen_note_count(r); i++)
		json_text(j, record_dlopen_note(r, i));
	json_end_array(j);
}

static bool is_lazy(const struct record *r, const struct verdicts *obstacles)
{
	return record_status(r) == 0 && obstacles->count == 0;
}

static void print_reasons(struct json *j, const struct record *r,
			  const struct verdicts *obstacles)
{
	char reason[STATUS_MESSAGE_MAX];

	json_begin_array(j);
	if (record_status(r) < 0)
		json_string(j, info_reason(r));
	for (size_t i = 0; i < obstacles->count; i++) {
		verdict_describe(&obstacles->list[i], reason, sizeof(reason));
		json_string(j, reason);
	}
	json_end_array(j);
}

static void text_or_null(struct json *j, const char *text)
{
	if (text)
		json_text(j, text);
	else
		json_null(j);
}

static void print_metadata(struct json *j, const struct metadata *metadata)
{
	const struct document *document = metadata->document;

	json_key(j, "metadata");
	text_or_null(j, document ? document_text(document) : NULL);
	json_key(j, "metadata_sources");
	text_or_null(j, document ? document_sources(document) : "{}");
	json_begin_array_at(j, "metadata_problems");
	for (size_t i = 0; i < METADATA_SOURCES; i++)
		if (metadata->texts.sources[i].problem[0])
			json_string(j, metadata->texts.sources[i].problem);
	json_end_array(j);
}

static void print_members(struct json *j, const struct record *r,
			  const char *path, const struct metadata *metadata,
			  const struct verdicts *obstacles)
{
	json_string_at(j, "name", record_name(r));
	json_string_at(j, "path", path);
	json_key(j, "soname");
	string_or_null(j, record_soname(r));
	json_key(j, "build_id");
	info_build_id(j, r);
	json_key(j, "machine");
	string_or_null(j, record_machine(r));
	json_key(j, "exports");
	print_exports(j, r);
	json_key(j, "needs");
	info_needs(j, r);
	json_key(j, "rpath");
	string_or_null(j, record_rpath(r));
	json_key(j, "runpath");
	string_or_null(j, record_runpath(r));
	print_metadata(j, metadata);
	json_key(j, "dlopen_notes");
	print_dlopen_notes(j, r);
	json_bool_at(j, "lazy", is_lazy(r, obstacles));
	json_key(j, "reasons");
	print_reasons(j, r, obstacles);
}

static void info_print_json(const struct record *r, const char *path,
			    const struct metadata *metadata,
			    const struct verdicts *obstacles)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	print_members(&j, r, path, metadata, obstacles);
	if (record_status(r) < 0) {
		json_string_at(&j, "error", info_reason(r));
		json_string_at(&j, "status", status_text(record_status(r)));
	}
	json_end_object(&j);
	json_finish(&j);
}

/* "LABEL     text"; nothing where there is no text. */
static void print_line(const char *label, const char *text)
{
	if (!*text)
		return;
	printf("%s%-10s%s", cli_bold(stdout), label, cli_plain(stdout));
	cli_put(text, stdout);
	putchar('\n');
}

static void print_export_counts(const struct record *r)
{
	size_t counts[ELF_TYPE_OTHER + 1] = {0};
	struct record_symbol symbol;
	size_t all = record_symbol_count(r);

	for (size_t i = 0; i < all; i++)
		if (record_symbol_at(r, i, &symbol) &&
		    symbol.type <= ELF_TYPE_OTHER)
			counts[symbol.type]++;
	printf("%s%-10s%s%zu", cli_bold(stdout), "exports", cli_plain(stdout),
	       all);
	const char *before = " (";
	for (unsigned t = 0; t <= ELF_TYPE_OTHER; t++) {
		if (!counts[t])
			continue;
		printf("%s%zu %s", before, counts[t], elf_type_name(t));
		before = ", ";
	}
	puts(all ? ")" : "");
}

static void print_lazy(const struct record *r, const struct verdicts *obstacles)
{
	char reason[STATUS_MESSAGE_MAX];

	print_line("lazy", is_lazy(r, obstacles) ? "yes" : "no");
	if (record_status(r) < 0)
		print_line("", info_reason(r));
	for (size_t i = 0; i < obstacles->count; i++) {
		verdict_describe(&obstacles->list[i], reason, sizeof(reason));
		print_line("", reason);
	}
}

static void print_says(const struct metadata *metadata)
{
	if (metadata->document)
		print_line("metadata", document_text(metadata->document));
	for (size_t i = 0; i < METADATA_SOURCES; i++)
		if (metadata->texts.sources[i].problem[0])
			print_line(metadata->texts.sources[i].name,
				   metadata->texts.sources[i].problem);
}

static void info_print_text(const struct record *r, const char *path,
			    const struct metadata *metadata,
			    const struct verdicts *obstacles)
{
	char build_id[BUILD_ID_MAX];

	print_line("name", record_name(r));
	print_line("file", path);
	print_line("soname", record_soname(r));
	print_line("machine", record_machine(r));
	print_line("build-id", format_build_id(r, build_id));
	print_line("rpath", record_rpath(r));
	print_line("runpath", record_runpath(r));
	for (size_t i = 0; i < record_needs_count(r); i++)
		print_line(i ? "" : "needs", record_need(r, i));
	for (size_t i = 0; i < record_dlopen_note_count(r); i++)
		print_line(i ? "" : "dlopens", record_dlopen_note(r, i));
	print_says(metadata);
	print_export_counts(r);
	print_lazy(r, obstacles);
}

static int print_symbols(const struct record *r)
{
	_cleanup_(table_free) struct table t = {.columns = 3};
	bool fits =
		table_add(&t, (const char *[]){"TYPE", "VERSION", "SYMBOL"});
	struct record_symbol s;

	for (size_t i = 0; i < record_symbol_count(r) && fits; i++)
		if (record_symbol_at(r, i, &s))
			fits = table_add(
				&t,
				(const char *[]){elf_type_name(s.type),
						 *s.version ? s.version : "-",
						 s.name});
	if (!fits) {
		cli_say("info: out of memory");
		return CLI_FAILED;
	}
	putchar('\n');
	table_print(&t, stdout);
	return CLI_DONE;
}

/* The absolute path of what dlazy_open() would open. */
static int find_file(const char *name, char **ret)
{
	int status;

	if (!*name)
		return status_fail(DLAZY_EINVAL, "the file's name is empty");
	if (strchr(name, '/')) {
		*ret = file_absolute(name);
		return *ret ? 0 : status_last();
	}
	status = search_library(name, NULL, ret);
	if (status == -DLAZY_ENOENT && access(name, F_OK) == 0)
		return status_fail(DLAZY_ENOENT,
				   "%s: not in the library directories; for "
				   "the file in this directory: ./%s",
				   name, name);
	return status;
}

/* The reader was told the file's name alone. */
static int fail_with_path(int status, const char *path)
{
	const char *base = file_base_name(path), *message = status_message();
	size_t n = strlen(base);

	if (strncmp(message, base, n) == 0 && message[n] == ':')
		return status_fail(-status, "%s%s", path, message + n);
	return status_prefix("%s", path);
}

static int read_file(const char *path, struct record **ret)
{
	const char *base = file_base_name(path);
	_cleanup_free_ char *dir =
		strndup(path, base - path > 1 ? (size_t)(base - path) : 1);

	if (!dir)
		return status_no_memory(NULL);
	if (!*base)
		return status_fail(DLAZY_EFORMAT, "%s: not a file's name",
				   path);
	/* O_PATH: one file can be read where listing all is not allowed. */
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return status_fail(status_from_errno(errno),
				   "%s: cannot open: %s", path,
				   strerror(errno));
	int status = record_read(dirfd, base, ret);
	return status < 0 ? fail_with_path(status, path) : status;
}

/* Without the JSON module there is all else to be told. */
static int read_metadata(const char *path, struct metadata *ret)
{
	int status = metadata_read(path, ret);

	for (size_t i = 0; status == -DLAZY_ENOSYS && i < METADATA_SOURCES;
	     i++) {
		struct json_source *source = &ret->texts.sources[i];
		if (source->text && !source->problem[0])
			snprintf(source->problem, sizeof(source->problem), "%s",
				 status_message());
	}
	return status == -DLAZY_ENOSYS ? 0 : status;
}

/* What the catalog of its directory has of a file; *ret NULL: there is none that is
 * fresh, or it says nothing. */
static void said_of(struct catalog *c, const char *base,
		    const struct catalog_metadata **ret)
{
	_cleanup_free_ char *name = record_plugin_name(base);
	size_t index;

	*ret = NULL;
	if (!name || !catalog_find(c, name, &index, NULL) ||
	    catalog_metadata(c, index, ret) < 0)
		return;
	if (*ret && strcmp(metadata_file(*ret), base) != 0)
		*ret = NULL;
}

/* What was found by scanning, too, with facts and a probe's answer, if that is of the
 * files as they are. */
static int add_scanned(const char *path, struct metadata *metadata)
{
	const char *base = file_base_name(path);
	_cleanup_free_ char *dir =
		strndup(path, base - path > 1 ? (size_t)(base - path) - 1 : 1);
	_cleanup_close_ int dirfd =
		dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_catalog_ struct catalog *c = NULL;
	const struct catalog_metadata *m = NULL;
	struct document *document;
	int status = 0;

	if (dirfd >= 0 && catalog_open(dirfd, dir, &c) == 0)
		said_of(c, base, &m);
	if (m && metadata_text(m) &&
	    metadata_is_current(dir, m, catalog_identity(c).ctime_ns)) {
		status = document_new(metadata_text(m), metadata_sources(m),
				      &document);
		if (status == 0) {
			document_free(metadata->document);
			metadata->document = document;
		}
	}
	if (status == 0)
		status_clear();
	return status;
}

static int info(const char *name, bool symbols, bool json)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ struct record *r = NULL;
	_cleanup_verdicts_ struct verdicts obstacles = {.list = NULL};
	_cleanup_(metadata_clear) struct metadata metadata = {.document = NULL};
	int status = find_file(name, &path);

	if (status == 0)
		status = read_file(path, &r);
	if (status < 0)
		return cli_fail(status, json);
	if (record_status(r) == 0)
		status = reasons_of(path, &obstacles);
	if (status == 0)
		status = read_metadata(path, &metadata);
	if (status == 0)
		status = add_scanned(path, &metadata);
	if (status < 0)
		return cli_fail(status, json);
	if (json)
		info_print_json(r, path, &metadata, &obstacles);
	else if (record_status(r) == 0 || record_flags(r))
		info_print_text(r, path, &metadata, &obstacles);
	if (symbols && !json && print_symbols(r) != CLI_DONE)
		return CLI_FAILED;
	if (record_status(r) == 0)
		return CLI_DONE;
	cli_say("%s: %s", path, info_reason(r));
	return CLI_PROBLEMS;
}

int cli_info(int argc, char **argv)
{
	bool symbols = false, json = false;
	const struct cli_option options[] = {
		{"symbols", .flag = &symbols},
		{"json", .flag = &json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return cli_usage("info", "info: one file is wanted, not %d",
				 argc - optind);
	return info(argv[optind], symbols, json);
}
