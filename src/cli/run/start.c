/* SPDX-License-Identifier: MIT */
/*
 * dlazy run: the command takes this process's place (execve), so that all that
 * others see of it is its own: exit status, signals, terminal, core dumps. The
 * one thing that is different is LD_LIBRARY_PATH, which its stub file's
 * constructor puts right again before main. With --stats it runs in a child
 * (standin.h), and is told of afterwards.
 *
 * Whatever goes wrong here costs the laziness, with one warning, and never the
 * command.
 */
#include "cli/run/start.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "cli/cli.h"
#include "cli/frame/beside.h"
#include "cli/frame/progress.h"
#include "cli/frame/standin.h"
#include "cli/run/account.h"
#include "cli/run/children.h"
#include "cli/run/maker.h"
#include "cli/run/plain.h"
#include "elf/started.h"
#include "link/cache/runs.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY_PATH "LD_LIBRARY_PATH"

/* ------------------------------------------------------------------ */
/* What laziness needs                                                */

/* Why there is no laziness yet; for --stats, as nobody else need know. NULL: out
 * of memory. */
static char *describe_missing(const struct program_start *start,
			      const char *objection)
{
	const char *why = "it is made beside this run";
	char *text;

	if (objection)
		why = objection;
	else if (!start->making)
		why = "another program's is just being made";
	return asprintf(&text,
			"nothing is kept of it yet (--wait makes it first): %s",
			why) < 0
		       ? NULL
		       : text;
}

/* What is missing is made beside, if it may be. */
static int make_beside(const struct program *program,
		       const struct program_options *options,
		       struct program_start *start)
{
	const char *objection = maker_objection();
	int status = objection ? 0 : program_reserve(program, options, start);

	if (start->missing == PROGRAM_UNLEARNED) {
		status_clear();
		status = 0;
	} else if (status == 0) {
		start->plain = describe_missing(start, objection);
	}
	if (start->making)
		maker_start(program, options, start);
	return status;
}

/* Then getenv() has the first, and the dynamic linker the last. */
static bool is_set_twice(const char *name)
{
	size_t n = strlen(name), count = 0;

	for (char **at = environ; *at; at++)
		count += strncmp(*at, name, n) == 0 && (*at)[n] == '=';
	return count > 1;
}

int run_prepare(const struct request *request, const struct program *program,
		struct program_start *ret)
{
	_cleanup_free_ char *cache = catalog_cache_dir();
	char libdlazy[PATH_MAX];
	struct progress progress = progress_begin("reading this machine");
	struct program_options options = {
		.wait = request->wait || request->prepare,
		.system = request->system,
		.eager = request->eager.list,
		.lazy = request->lazy.list,
		.learn = request->learn,
		.count = !request->stats && !request->prepare,
		.cache = cache,
		.libdlazy = libdlazy,
		.progress = progress_update,
		.data = &progress,
	};

	if (is_set_twice(LIBRARY_PATH))
		return status_fail(DLAZY_EINVAL,
				   "%s is twice in the environment",
				   LIBRARY_PATH);
	int status = beside_find(RUN_LIBDLAZY, DLAZY_BIN_TO_LIB, DLAZY_LIBDIR,
				 libdlazy);
	if (status < 0)
		return status;
	if (!status)
		return status_fail(DLAZY_ENOENT,
				   "%s: not there: dlazy is not installed "
				   "whole",
				   libdlazy);
	status = program_prepare(program, &options, ret);
	progress_end(&progress);
	return status == 0 && ret->missing != PROGRAM_WHOLE && !options.wait
		       ? make_beside(program, &options, ret)
		       : status;
}

/* Takes a generation's directory out of LD_LIBRARY_PATH where a process that
 * was to start on it has started us instead. */
static void clean_environment(void)
{
	const char *value = getenv(LIBRARY_PATH);
	_cleanup_free_ char *cache = value ? catalog_cache_dir() : NULL;

	if (!value)
		return;
	const char *own = program_own_library_path(cache, value);
	if (!own)
		unsetenv(LIBRARY_PATH);
	else if (own != value)
		setenv(LIBRARY_PATH, own, 1);
	started_set_library_path(getenv(LIBRARY_PATH));
}

/* ------------------------------------------------------------------ */
/* The environment                                                    */

/* The directory first, then the user's value, so that the stub file can tell
 * what that was (stub/linked.h). NULL: out of memory. */
char *run_library_path(const char *directory)
{
	const char *value = getenv(LIBRARY_PATH);
	char *entry;
	int n;

	if (!value)
		n = asprintf(&entry, LIBRARY_PATH "=%s", directory);
	else if (*value == '\0')
		n = asprintf(&entry, LIBRARY_PATH "=%s/", directory);
	else
		n = asprintf(&entry, LIBRARY_PATH "=%s:%s", directory, value);
	return n < 0 ? NULL : entry;
}

#define SETTINGS_MAX 8

/* Entries of the environment to be set. */
struct settings {
	char *list[SETTINGS_MAX];
	size_t count;
};

static void set(struct settings *settings, char *entry)
{
	if (entry)
		settings->list[settings->count++] = entry;
}

static bool is_same_variable(const char *a, const char *b)
{
	size_t n = strcspn(b, "=");

	return strncmp(a, b, n) == 0 && a[n] == '=';
}

/* The place of what sets the variable of an entry, which is taken out. */
static char *take_setting(struct settings *settings, const char *entry)
{
	for (size_t i = 0; i < settings->count; i++)
		if (settings->list[i] &&
		    is_same_variable(entry, settings->list[i]))
			return TAKE_PTR(settings->list[i]);
	return NULL;
}

/* This process's environment with settings, each in the place of what it
 * replaces. Never freed: execve is next. NULL: out of memory. */
static char **environment_with(struct settings *settings)
{
	size_t count = 0, n = 0;

	while (environ[count])
		count++;
	char **entries = calloc(count + SETTINGS_MAX + 1, sizeof(*entries));
	if (!entries)
		return NULL;
	for (; n < count; n++) {
		char *setting = take_setting(settings, environ[n]);
		entries[n] = setting ? setting : environ[n];
	}
	for (size_t i = 0; i < settings->count; i++)
		if (settings->list[i])
			entries[n++] = settings->list[i];
	return entries;
}

/* What the dynamic linker, the stub file and the children are told; as it is,
 * if there is nothing, or no memory. touched: or NULL. */
static char **environment_for(const struct request *request,
			      const struct program_start *start,
			      const char *touched)
{
	struct settings settings = {.count = 0};
	struct children children;
	char *entry = NULL;

	if (start->directory)
		set(&settings, run_library_path(start->directory));
	if (touched &&
	    asprintf(&entry, LINKED_TOUCHED_VARIABLE "=%s", touched) >= 0)
		set(&settings, entry);
	children_prepare(request,
			 start->entry.data ? entry_facts(&start->entry).tls : 0,
			 &children);
	if (children.audit && children.variable) {
		set(&settings, children.audit);
		set(&settings, children.variable);
		for (int i = 0; i < TUNABLES_ENTRIES; i++)
			set(&settings, children.tunables[i]);
	}
	char **entries = settings.count ? environment_with(&settings) : NULL;
	return entries ? entries : environ;
}

/* ------------------------------------------------------------------ */
/* The command                                                        */

struct started {
	const struct request *request;
	const struct program *program;
	const struct program_start *start;
	char **argv;
	char *touched; /* of this one run; or NULL */
	char **environment;
};

/* As shells do, and execvp: what has no "#!" line is the shell's. */
static void run_by_shell(const struct started *s)
{
	size_t count = 0;

	while (s->argv[count])
		count++;
	char **argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return;
	argv[0] = (char *)"sh";
	argv[1] = s->program->command;
	if (count > 1)
		memcpy(argv + 2, s->argv + 1, (count - 1) * sizeof(*argv));
	execve("/bin/sh", argv, s->environment);
	free(argv);
}

/* One warning for all: whoever starts children may read what they say. */
static void say_plain(const struct request *request, const char *name,
		      const char *why)
{
	if (!request->child)
		cli_say("%s runs without laziness: %s", name, why);
}

/* Without what we add to the environment, if there is no room for it. errno
 * says why it is not executed. */
static void execute(struct started *s)
{
	s->environment = environment_for(s->request, s->start, s->touched);
	execve(s->program->command, s->argv, s->environment);
	if (errno != E2BIG || s->environment == environ)
		return;
	say_plain(s->request, s->argv[0], "no room in the environment");
	s->environment = environ;
	execve(s->program->command, s->argv, s->environment);
}

/* The exit status, after a message, if it is not started. */
static int start_command(struct started *s)
{
	execute(s);
	int error = errno;
	if (error == ENOEXEC && program_is_text(s->program->command))
		run_by_shell(s);
	cli_say("%s: cannot be executed: %s", s->program->command,
		strerror(error));
	return error == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
}

static void start_in_child(void *data)
{
	_exit(start_command(data));
}

/* Where this one run counts what it touches, beside all; of the system's entries
 * in the user's cache. NULL: nowhere. */
static char *touched_path(const struct program_start *start)
{
	_cleanup_free_ char *cache =
		start->touched ? NULL : catalog_cache_dir();
	char *path;
	int n;

	if (start->touched)
		n = asprintf(&path, "%s.%ld", start->touched, (long)getpid());
	else if (cache && file_make_dirs(cache) == 0)
		n = asprintf(&path, "%s/touched.%ld", cache, (long)getpid());
	else
		n = -1;
	status_clear();
	return n < 0 ? NULL : path;
}

static char *make_touched(const struct program_start *start)
{
	char *path = start->directory ? touched_path(start) : NULL;

	if (!path)
		return NULL;
	if (runs_create(path, entry_facts(&start->entry).lazy, 1) == 0)
		return path;
	cli_say("what is touched cannot be told: %s", status_message());
	unlink(path);
	free(path);
	return NULL;
}

/* Adds what this run touched to what all did. */
static void keep_count(const struct program_start *start,
		       const struct runs *one)
{
	_cleanup_runs_ struct runs all = {NULL, 0};

	if (start->touched &&
	    runs_open(start->touched, entry_facts(&start->entry).lazy, &all))
		runs_add(&all, one);
}

static int run_with_account(struct started *s)
{
	const struct program_start *start = s->start;
	_cleanup_runs_ struct runs one = {NULL, 0};
	bool counted =
		s->touched &&
		runs_open(s->touched, entry_facts(&start->entry).lazy, &one);
	int how, status = standin_run(start_in_child, s, STANDIN_OPEN_NONE, -1,
				      &how);

	if (s->touched)
		unlink(s->touched);
	if (status < 0) {
		cli_say("%s", status_message());
		return RUN_FAILED;
	}
	if (counted)
		keep_count(start, &one);
	run_account(start, counted ? &one : NULL, s->request->json);
	standin_end(how);
}

/* What we write, and cannot, must not end us: signals that would are ignored
 * meanwhile. */
static const int deadly[] = {SIGXFSZ, SIGPIPE};

struct spared {
	struct sigaction before[ARRAY_SIZE(deadly)];
};

static void spare(struct spared *spared)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		sigaction(deadly[i], &ignore, &spared->before[i]);
}

static void spare_no_more(const struct spared *spared)
{
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		sigaction(deadly[i], &spared->before[i], NULL);
}

static int run_program(const struct request *request,
		       const struct program *program, char **argv)
{
	_cleanup_program_start_ struct program_start start = {.made = false};
	struct started s = {request, program, &start, argv, NULL, NULL};
	struct spared spared;

	spare(&spared);
	if (run_prepare(request, program, &start) < 0) {
		say_plain(request, argv[0], status_message());
		/* A warning is no table: say why there. */
		start.plain = strdup(status_message());
	} else if (start.plain && start.missing == PROGRAM_WHOLE &&
		   request->launcher && !request->children)
		plain_note(request->launcher, program);
	if (request->stats)
		s.touched = make_touched(&start);
	spare_no_more(&spared);
	int status = request->stats ? run_with_account(&s) : start_command(&s);
	free(s.touched);
	return status;
}

int run_start(const struct request *request, const char *command, char **argv)
{
	_cleanup_program_ struct program program = {.command = NULL};

	clean_environment();
	int status = program_find(command, &program);
	if (status == 0)
		return run_program(request, &program, argv);
	cli_say("%s", status_message());
	if (status == -DLAZY_ENOENT)
		return RUN_NOT_FOUND;
	return status == -DLAZY_EIO ? RUN_NOT_EXECUTABLE : RUN_FAILED;
}

/* ------------------------------------------------------------------ */
/* Without running it                                                 */

static void print_prepared(const struct program *program,
			   const struct program_start *start)
{
	cli_put(program->command, stdout);
	if (start->plain) {
		fputs(": runs plainly: ", stdout);
		cli_put(start->plain, stdout);
		putchar('\n');
		return;
	}
	printf(": %u of its %zu libraries are lazy\n",
	       entry_facts(&start->entry).lazy,
	       entry_library_count(&start->entry));
}

static int prepare_command(const struct request *request, const char *command)
{
	_cleanup_program_ struct program program = {.command = NULL};
	_cleanup_program_start_ struct program_start start = {.made = false};
	int status = program_find(command, &program);

	if (status < 0) {
		cli_say("%s", status_message());
		return CLI_PROBLEMS;
	}
	if (run_prepare(request, &program, &start) < 0) {
		cli_say("%s: %s", command, status_message());
		return CLI_PROBLEMS;
	}
	print_prepared(&program, &start);
	return CLI_DONE;
}

int run_prepare_all(const struct request *request, char **commands)
{
	int status = CLI_DONE;

	clean_environment();
	if (request->system)
		umask(022);
	for (; *commands; commands++)
		if (prepare_command(request, *commands) != CLI_DONE)
			status = CLI_PROBLEMS;
	return status;
}
