/* SPDX-License-Identifier: MIT */
/*
 * Writing, removing and starting launchers. Writing never replaces a file that
 * is no launcher, and removing removes nothing else: the second line of the
 * file tells.
 */
#include "cli/run/launcher.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memstream.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/frame/beside.h"
#include "cli/run/judge.h"
#include "cli/run/start.h"
#include "link/cache/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel reads 256 bytes of a "#!" line; the mark is to be among them. */
#define OWN_PATH_MAX 160
#define FILE_SIZE_MAX 65536

#define STARTER "launch"

static int fail(void)
{
	cli_say("%s", status_message());
	return CLI_FAILED;
}

/* ------------------------------------------------------------------ */
/* Where                                                              */

char *launcher_directory(const struct request *request)
{
	const char *home = getenv("HOME");
	char *path;

	if (request->dir) {
		path = file_absolute(request->dir);
		if (!path)
			cli_say("%s", status_message());
		return path;
	}
	if (!home || home[0] != '/') {
		cli_say("HOME is not set: name a directory with --dir");
		return NULL;
	}
	if (asprintf(&path, "%s/.local/bin", home) < 0)
		return NULL;
	return path;
}

static char *path_in(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* Its place in PATH, from 1; 0: it is not in it. */
static int place_in_path(const char *dir)
{
	const char *path = getenv("PATH");
	struct file_identity wanted, found;
	char element[PATH_MAX];
	int place = 0;

	if (!path || file_identify(AT_FDCWD, dir, &wanted) < 0)
		return 0;
	for (const char *at = path;; at++) {
		size_t n = strcspn(at, ":");

		place++;
		snprintf(element, sizeof(element), "%.*s",
			 n < PATH_MAX ? (int)n : 0, at);
		if (*element && file_identify(AT_FDCWD, element, &found) == 0 &&
		    file_identity_same_inode(&found, &wanted))
			return place;
		at += n;
		if (*at == '\0')
			return 0;
	}
}

/* Says so if a shell would not find the launcher in PATH, or would find the program
 * first. */
static void advise(const char *dir, const char *target)
{
	_cleanup_free_ char *behind =
		strndup(target, (size_t)(file_base_name(target) - target));
	int ours = place_in_path(dir);
	int theirs = behind ? place_in_path(behind) : 0;

	status_clear();
	if (!ours)
		cli_say("%s is not in PATH: put it there, before %s", dir,
			behind ? behind : "the program's directory");
	else if (theirs && ours > theirs)
		cli_say("%s comes behind %s in PATH: put it before", dir,
			behind);
}

/* ------------------------------------------------------------------ */
/* Installing                                                         */

/* The first line: by the starter that is freestanding (hook/launch.c), where there
 * is one whose path has room there. */
static void write_first(FILE *out, const char *own)
{
	char found[PATH_MAX], starter[PATH_MAX];

	if (beside_find(STARTER, DLAZY_BIN_TO_PKGLIB, DLAZY_PKGLIBDIR, found) >
		    0 &&
	    realpath(found, starter) && access(starter, X_OK) == 0 &&
	    strlen(starter) + strlen(own) <= OWN_PATH_MAX &&
	    !strpbrk(starter, " \t\n"))
		fprintf(out, "#!%s %s\n", starter, own);
	else
		fprintf(out, "#!%s --launcher\n", own);
}

/* The launcher's text; NULL: out of memory. */
static char *text_of(const struct request *request, const char *own,
		     const char *target)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_first(out, own);
	fprintf(out,
		PROGRAM_LAUNCHER_MARK
		" starts the target with its libraries loaded when first\n"
		"# called. Made by \"dlazy run --install\"; to be rid of it, "
		"remove this file.\n"
		"target %s\n",
		target);
	request_write(request, out);
	memstream_end(out, &text);
	return text;
}

/* Can it stand in a "#!" line? */
static bool own_path(char ret[PATH_MAX])
{
	size_t n;

	beside_own(ret);
	n = strlen(ret);
	if (n > 0 && n <= OWN_PATH_MAX && !strpbrk(ret, " \t\n"))
		return true;
	cli_say("\"%s\": a launcher's first line cannot hold this path: it has "
		"spaces, or is too long",
		ret);
	return false;
}

/* Is there something that we must not replace? */
static bool is_foreign(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 &&
	       !(S_ISREG(st.st_mode) && program_is_launcher(path));
}

static int write_launcher(const struct request *request, const char *path,
			  const char *target)
{
	char own[PATH_MAX];

	if (!own_path(own))
		return CLI_FAILED;
	if (strchr(target, '\n') || request_has_newline(request))
		return cli_usage("run", "run: a line break in %s, or in a GLOB",
				 target);
	_cleanup_free_ char *text = text_of(request, own, target);
	if (!text) {
		cli_say("out of memory");
		return CLI_FAILED;
	}
	if (file_replace(AT_FDCWD, path, text, strlen(text), 0755) < 0)
		return fail();
	return CLI_DONE;
}

/* What the launcher is to start: absolute. NULL after a message. */
static char *target_of(const char *command)
{
	_cleanup_program_ struct program program = {.command = NULL};
	char *target = NULL;

	if (program_find(command, &program) == 0)
		target = file_absolute(program.command);
	if (!target)
		cli_say("%s", status_message());
	else if (program_is_launcher(target)) {
		cli_say("%s: is a launcher itself", target);
		free(TAKE_PTR(target));
	}
	return target;
}

/* A launcher that gains nothing does no harm, but is for nothing. */
static void say_gain(const struct request *request, const char *target)
{
	_cleanup_program_ struct program program = {.command = NULL};
	_cleanup_judge_ struct judge judge = {.cache = NULL};
	_cleanup_judgement_ struct judgement j = {.plain = NULL};

	if (program_find(target, &program) < 0 || judge_begin(&judge) < 0 ||
	    judge_program(&judge, &program, request, &j) < 0)
		cli_say("what it gains is not known: %s", status_message());
	else if (j.plain)
		cli_say("it gains nothing: %s", j.plain);
	status_clear();
}

/* What its first run takes, at once; and what comes of it, as say_gain(). */
static void prepare(const struct request *request, const char *target)
{
	_cleanup_program_ struct program program = {.command = NULL};
	_cleanup_program_start_ struct program_start start = {.made = false};
	struct request now = *request;

	now.prepare = true;
	if (program_find(target, &program) < 0 ||
	    run_prepare(&now, &program, &start) < 0)
		cli_say("what it takes cannot be made: %s", status_message());
	else if (start.plain)
		cli_say("it gains nothing: %s", start.plain);
	status_clear();
}

int launcher_install(const struct request *request, const char *command)
{
	_cleanup_free_ char *target = target_of(command);
	_cleanup_free_ char *dir = target ? launcher_directory(request) : NULL;

	if (!dir)
		return CLI_PROBLEMS;
	if (file_make_dirs(dir) < 0)
		return fail();
	_cleanup_free_ char *path = path_in(dir, file_base_name(target));
	if (!path || is_foreign(path)) {
		cli_say("%s: is there already, and no launcher of dlazy's",
			path ? path : dir);
		return CLI_PROBLEMS;
	}
	int status = write_launcher(request, path, target);
	if (status != CLI_DONE)
		return status;
	cli_put(path, stdout);
	fputs(" starts ", stdout);
	cli_put(target, stdout);
	putchar('\n');
	fflush(stdout);
	advise(dir, target);
	if (request->wait)
		prepare(request, target);
	else
		say_gain(request, target);
	return CLI_DONE;
}

int launcher_uninstall(const struct request *request, const char *command)
{
	_cleanup_free_ char *dir = launcher_directory(request);
	_cleanup_free_ char *path =
		dir ? path_in(dir, file_base_name(command)) : NULL;

	if (!path)
		return CLI_PROBLEMS;
	if (access(path, F_OK) < 0 || is_foreign(path)) {
		cli_say("%s: %s", path,
			access(path, F_OK) < 0
				? strerror(errno)
				: "is no launcher of dlazy's: left alone");
		return CLI_PROBLEMS;
	}
	if (unlink(path) < 0) {
		cli_say("%s: cannot remove: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	cli_put(path, stdout);
	puts(" removed");
	return CLI_DONE;
}

/* ------------------------------------------------------------------ */
/* Starting                                                           */

/* A whole file, with a NUL behind; NULL after a message. */
static char *read_text(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;

	if (file_open(AT_FDCWD, path, &fd, &identity) < 0) {
		cli_say("%s", status_message());
		return NULL;
	}
	size_t size = identity.size < FILE_SIZE_MAX ? identity.size : 0;
	char *text = calloc(1, size + 1);
	if (text && file_read_at(fd, 0, text, size))
		return text;
	free(text);
	cli_say("%s: cannot be read", path);
	return NULL;
}

/* One line; false: not understood. */
static bool take_line(char *line, struct request *request, char **target)
{
	if (*line == '#' || *line == '\0')
		return true;
	if (strncmp(line, "target ", 7) != 0)
		return request_read_line(line, request);
	*target = line + 7;
	return true;
}

void launcher_free(struct launcher *l)
{
	if (!l)
		return;
	free(l->text);
	free(l);
}

struct launcher *launcher_read(const char *path)
{
	_cleanup_launcher_ struct launcher *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->text = read_text(path);
	if (!l->text)
		return NULL;
	for (char *line = l->text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!take_line(line, &l->request, &l->target)) {
			cli_say("%s: not understood: %s", path, line);
			return NULL;
		}
	}
	if (!l->target || l->target[0] != '/') {
		cli_say("%s: names no target", path);
		return NULL;
	}
	if (!program_is_launcher(l->target))
		return TAKE_PTR(l);
	cli_say("%s: its target, %s, is a launcher", path, l->target);
	return NULL;
}

int launcher_start(int argc, char **argv)
{
	if (argc < 2)
		return cli_usage(NULL, "--launcher: which FILE?");
	const char *own = argv[1];
	struct launcher *l = launcher_read(own);
	if (!l)
		return RUN_FAILED;
	argv[1] = (char *)file_base_name(own);
	l->request.launcher = own;
	int status = run_start(&l->request, l->target, argv + 1);
	cli_say("%s starts it: remove this file, or make it anew with dlazy "
		"run --install",
		own);
	launcher_free(l);
	return status;
}

int launcher_see_through(const char *command, struct program *ret)
{
	int status = program_find(command, ret);

	if (status < 0)
		return status;
	if (ret->launcher)
		cli_say("%s is a launcher of dlazy run: taking %s, which it "
			"starts",
			ret->launcher, ret->command);
	if (!program_is_launcher(ret->command))
		return 0;
	_cleanup_launcher_ struct launcher *l = launcher_read(ret->command);
	if (!l)
		return status_fail(DLAZY_EFORMAT, "%s: not a sound launcher",
				   ret->command);
	cli_say("%s is a launcher of dlazy run: taking %s, which it starts",
		ret->command, l->target);
	program_clear(ret);
	return program_find(l->target, ret);
}
