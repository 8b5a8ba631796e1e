/* SPDX-License-Identifier: MIT */
/*
 * What people read on standard error, and how standard output ends. Colours
 * are few (a bold heading, a red name before a message) and only where a
 * terminal shows them and NO_COLOR (https://no-color.org) is not set.
 */
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the answers' keys: keys are added, never changed, without a new one. */
#define ANSWER_FORMAT 1

static bool has_colours(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb") != 0 &&
	       isatty(fileno(out));
}

const char *cli_bold(FILE *out)
{
	return has_colours(out) ? "\033[1m" : "";
}

static const char *red(FILE *out)
{
	return has_colours(out) ? "\033[31m" : "";
}

const char *cli_plain(FILE *out)
{
	return has_colours(out) ? "\033[m" : "";
}

void cli_put(const char *text, FILE *out)
{
	bool shown;

	while (*text) {
		size_t n = utf8_next(text, &shown);

		if (shown)
			fwrite(text, 1, n, out);
		else
			putc('?', out);
		text += n;
	}
}

/* Columns of a line of text. */
#define WIDTH 78

void cli_put_sentence(const char *text, size_t column, FILE *out)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		_cleanup_free_ char *word = strndup(text, n);

		if (column + n + 1 > WIDTH) {
			putc('\n', out);
			column = 0;
		} else if (column) {
			putc(' ', out);
			column++;
		}
		cli_put(word ? word : "", out);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	fputs(".\n", out);
}

static void say(const char *format, va_list args)
{
	char text[STATUS_MESSAGE_MAX * 2];

	vsnprintf(text, sizeof(text), format, args);
	fflush(stdout);
	fprintf(stderr, "%sdlazy:%s ", red(stderr), cli_plain(stderr));
	cli_put(text, stderr);
	putc('\n', stderr);
}

void cli_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

int cli_usage(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fprintf(stderr, "Try \"dlazy %s%s--help\".\n", command ? command : "",
		command ? " " : "");
	return CLI_USAGE;
}

int cli_help(const char *text)
{
	fputs(text, stdout);
	return CLI_DONE;
}

static int exit_of(int status)
{
	switch (-status) {
	case 0:
		return CLI_DONE;
	case DLAZY_EINVAL:
		return CLI_USAGE;
	case DLAZY_ENOMEM:
	case DLAZY_ENOSYS:
		return CLI_FAILED;
	default:
		return CLI_PROBLEMS;
	}
}

void cli_json_version(struct json *j)
{
	json_string_at(j, "dlazy", PACKAGE_VERSION);
}

void cli_json_begin(struct json *j)
{
	json_begin_object(j);
	json_unsigned_at(j, "format", ANSWER_FORMAT);
	cli_json_version(j);
}

int cli_fail(int status, bool json)
{
	struct json j = json_to(stdout);

	if (json) {
		cli_json_begin(&j);
		json_string_at(&j, "error", status_message());
		json_string_at(&j, "status", status_text(status));
		json_end_object(&j);
		json_finish(&j);
	}
	cli_say("%s", status_message());
	return exit_of(status);
}

int cli_finish(int status)
{
	bool failed = ferror(stdout) != 0;

	if (fflush(stdout) == 0 && !failed)
		return status;
	/* A reader that has seen enough (| head) is no news. */
	if (errno != EPIPE)
		cli_say("standard output: cannot write: %s", strerror(errno));
	/* It was said; who asks again ends as it likes. */
	clearerr(stdout);
	return CLI_FAILED;
}
