/* SPDX-License-Identifier: MIT */
/*
 * Reading measurements for a report, as text; their contents are the page's
 * business. What is checked is that they are JSON, and of a kind that the page
 * can draw, so that a wrong file is told of here, by line and column, and not
 * by an empty page.
 */
#include "cli/report/report.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/jsonread.h"
#include "base/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A trace of 500 objects has some 400 KiB. */
#define SIZE_MAX_READ ((size_t)256 << 20)

static void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* Any file that can be read, pipes too. */
static int read_whole(const char *path, char **ret, size_t *ret_size)
{
	_cleanup_(cleanup_file) FILE *in = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	size_t size = 0, room = 0;

	if (!in)
		return status_fail(status_from_errno(errno), "%s: %s", path,
				   strerror(errno));
	while (!feof(in) && size < SIZE_MAX_READ) {
		if (size + 1 >= room) {
			room = room ? room * 2 : 1 << 16;
			char *more = realloc(text, room);
			if (!more)
				return status_no_memory(NULL);
			text = more;
		}
		size += fread(text + size, 1, room - size - 1, in);
		if (ferror(in))
			return status_fail(status_from_errno(errno), "%s: %s",
					   path, strerror(errno));
	}
	if (size >= SIZE_MAX_READ)
		return status_fail(DLAZY_EFORMAT, "%s: too large", path);
	text[size] = '\0';
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

static int refuse(const char *path, const char *text,
		  const struct json_flaw *flaw)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < flaw->offset; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return status_fail(DLAZY_EFORMAT, "%s:%zu:%zu: not JSON: %s expected",
			   path, line, column, flaw->expected);
}

static int check(const char *path, const char *text, size_t size)
{
	struct json_flaw flaw;

	if (!json_check(text, &flaw))
		return refuse(path, text, &flaw);
	if (strlen(text) < size) {
		flaw = (struct json_flaw){strlen(text), "nothing more"};
		return refuse(path, text, &flaw);
	}
	return 0;
}

/* ------------------------------------------------------------------ */
/* Of which kind is it? All below is given valid JSON.                */

static const char *kind_of(const char *text)
{
	const char *format = json_member(text, "format");

	if (json_is(format, "dlazy-trace"))
		return "trace";
	if (json_is(format, "dlazy-ledger"))
		return "ledger";
	if (json_is(format, "dlazy-bench") ||
	    (!format && json_member(text, "eager") &&
	     json_member(text, "lazy")))
		return "bench";
	return NULL;
}

static bool is_version_1(const char *text)
{
	const char *version = json_member(text, "version");
	int64_t number;

	return !version || (json_read_integer(version, &number) && number == 1);
}

int report_read(const char *path, struct report_file *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int status = read_whole(path, &text, &size);

	if (status == 0)
		status = check(path, text, size);
	if (status < 0)
		return status;
	const char *kind = kind_of(text);
	if (!kind)
		return status_fail(DLAZY_EFORMAT,
				   "%s: JSON, but no measurement of dlazy's: "
				   "expected what dlazy trace -o, DLAZY_TRACE "
				   "or dlazy bench --json writes",
				   path);
	if (!is_version_1(text))
		return status_fail(DLAZY_EFORMAT,
				   "%s: a %s of another version: expected "
				   "\"version\": 1",
				   path, kind);
	*ret = (struct report_file){path, TAKE_PTR(text), kind};
	return 0;
}

void report_file_clear(struct report_file *file)
{
	free(file->text);
}

/*
 * In JSON these stand in strings alone, where an escape is the same. U+2028 and
 * U+2029 would end a line of a script's, were it one.
 */
static const char *escape_of(const char *s, size_t *ret_bytes)
{
	*ret_bytes = 1;
	switch (*s) {
	case '<':
		return "\\u003c";
	case '>':
		return "\\u003e";
	case '&':
		return "\\u0026";
	case '\xe2':
		*ret_bytes = 3;
		if (memcmp(s, "\xe2\x80\xa8", 3) == 0)
			return "\\u2028";
		if (memcmp(s, "\xe2\x80\xa9", 3) == 0)
			return "\\u2029";
	}
	return NULL;
}

void report_embed(const char *json, FILE *out)
{
	while (*json) {
		size_t bytes;
		const char *escape = escape_of(json, &bytes);

		if (escape)
			fputs(escape, out);
		else
			fwrite(json, 1, bytes, out);
		json += bytes;
	}
}
