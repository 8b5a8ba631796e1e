/* SPDX-License-Identifier: MIT */
/*
 * Starting a command with the audit object. A command that the dynamic linker would
 * start without it is refused, with the reason, as nothing of it would be seen.
 */
#include "cli/trace/start.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/status.h"
#include "cli/frame/beside.h"
#include "cli/cli.h"
#include "cli/run/start.h"
#include "cli/run/tunables.h"
#include "elf/view.h"
#include "elf/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define HOOK "hook.so"

/* ------------------------------------------------------------------ */
/* What cannot be traced                                              */

/* The kernel will start it with other rights than ours, and the dynamic linker
 * will not listen to the environment. */
static int check_rights(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return status_fail(status_from_errno(errno), "%s: %s", path,
				   strerror(errno));
	bool user = st.st_mode & S_ISUID && st.st_uid != geteuid();
	bool group = st.st_mode & S_ISGID && st.st_gid != getegid();
	bool capable = geteuid() != 0 &&
		       getxattr(path, "security.capability", NULL, 0) > 0;
	if (!user && !group && !capable)
		return 0;
	return status_fail(
		DLAZY_EUNTRUSTED,
		"%s: cannot be traced: it is %s, so the dynamic linker takes "
		"no auditor from you; trace it as %s, or a copy of it that "
		"is not",
		path,
		user	? "set-user-ID"
		: group ? "set-group-ID"
			: "given capabilities",
		user ? "its owner" : "root");
}

static int check_linker(const char *path, const struct elf_view *view)
{
	const char *linker = elf_view_interpreter(view);

	if (!(elf_view_flags(view) & ELF_INTERP))
		return status_fail(
			DLAZY_EFORMAT,
			"%s: cannot be traced: it is linked statically, so no "
			"dynamic linker runs that could be asked, and no "
			"library is loaded at its start; build it without "
			"-static",
			path);
	if (strstr(linker, "ld-musl"))
		return status_fail(
			DLAZY_EFORMAT,
			"%s: cannot be traced: its dynamic linker is musl's "
			"(%s), which takes no auditors; build it for glibc",
			path, linker);
	return 0;
}

/* The reader's message, and what to do. */
static int not_elf(void)
{
	char why[STATUS_MESSAGE_MAX];

	snprintf(why, sizeof(why), "%s", status_message());
	return status_fail(DLAZY_EFORMAT,
			   "cannot be traced: %s; of a script, name the "
			   "interpreter: dlazy trace -- sh SCRIPT",
			   why);
}

int trace_check(const struct program *program)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	const char *path = program->executable;
	int status = check_rights(path);

	if (status == 0)
		status = file_open(AT_FDCWD, path, &fd, NULL);
	if (status < 0)
		return status;
	if (elf_view_open_needs(fd, path, &view) < 0)
		return not_elf();
	return check_linker(path, view);
}

/* ------------------------------------------------------------------ */
/* The child                                                          */

struct child {
	const struct program *program;
	char **argv;
	const char *hook;
	const char *directory;
	bool children;
	uint32_t tls; /* static TLS that it takes */
};

/* Says when it began, in a file; its absence: it did not. */
static bool note_begin(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	bool written =
		fprintf(f, "%" PRIu64 "\n", clock_ns(CLOCK_MONOTONIC)) > 0;
	return fclose(f) == 0 && written;
}

/* *ret: 0: it did not begin. 0, or a state. */
static int read_begin(const char *directory, uint64_t *ret)
{
	char path[PATH_MAX];

	*ret = 0;
	snprintf(path, sizeof(path), "%s/begin", directory);
	FILE *f = fopen(path, "re");
	if (!f && errno == ENOENT)
		return 0;
	int n = f ? fscanf(f, "%" SCNu64, ret) : 0;
	if (f)
		fclose(f);
	return n == 1 ? 0
		      : status_fail(DLAZY_EIO, "%s: cannot be read: %s", path,
				    strerror(errno));
}

static bool set_environment(const struct child *c)
{
	const char *theirs = getenv("LD_AUDIT");
	char *audit, *where;

	if (theirs && *theirs) {
		if (setenv(TRACEBUF_SAVED, theirs, 1) < 0 ||
		    asprintf(&audit, "%s:%s", c->hook, theirs) < 0)
			return false;
	} else {
		audit = strdup(c->hook);
	}
	return audit && tunables_set(c->tls) &&
	       asprintf(&where, "%c%s", c->children ? 'c' : '-',
			c->directory) >= 0 &&
	       setenv("LD_AUDIT", audit, 1) == 0 &&
	       setenv(TRACEBUF_VARIABLE, where, 1) == 0;
}

static void become_command(void *data)
{
	const struct child *c = data;
	char path[PATH_MAX];

	if (!set_environment(c)) {
		cli_say("out of memory");
		_exit(RUN_FAILED);
	}
	snprintf(path, sizeof(path), "%s/begin", c->directory);
	if (!note_begin(path)) {
		cli_say("%s: cannot be written: %s", path, strerror(errno));
		unlink(path);
		_exit(RUN_FAILED);
	}
	execv(c->program->command, c->argv);
	int error = errno;
	unlink(path);
	cli_say("%s: cannot be executed: %s", c->program->command,
		strerror(error));
	_exit(error == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE);
}

/* ------------------------------------------------------------------ */

/* A trace buffer may become this large; where there is less, none is begun. */
static bool has_room(const char *dir)
{
	struct statvfs st;

	return statvfs(dir, &st) < 0 || st.f_blocks == 0 ||
	       st.f_bavail >= sizeof(struct tracebuf) / st.f_frsize;
}

/* In memory if there is room: the buffer is written to while time is taken. */
static char *make_directory(void)
{
	const char *tmp = getenv("TMPDIR");
	const char *const places[] = {tmp ? tmp : "/dev/shm", "/dev/shm",
				      "/tmp"};
	char *path;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i][0] != '/')
			continue;
		errno = ENOSPC;
		if (!has_room(places[i]))
			continue;
		if (asprintf(&path, "%s/dlazy-trace.XXXXXX", places[i]) < 0)
			return NULL;
		if (mkdtemp(path))
			return path;
		free(path);
	}
	return NULL;
}

int trace_start(const struct program *program, char **argv,
		const struct trace_options *options, struct trace_run *ret)
{
	char hook[PATH_MAX];

	int found =
		beside_find(HOOK, DLAZY_BIN_TO_PKGLIB, DLAZY_PKGLIBDIR, hook);
	if (found < 0)
		return found;
	if (!found)
		return status_fail(
			DLAZY_ENOSYS,
			"%s: not there: dlazy is not installed whole, or has "
			"no tracer for this CPU",
			hook);
	ret->directory = make_directory();
	if (!ret->directory)
		return status_fail(DLAZY_EIO,
				   "no directory for what is traced: %s; set "
				   "TMPDIR to one with %zu MiB left",
				   strerror(errno),
				   (sizeof(struct tracebuf) >> 20) + 1);
	struct child child = {program,
			      argv,
			      hook,
			      ret->directory,
			      options->children,
			      walk_static_tls(program->executable)};
	int status = standin_run(become_command, &child, options->open,
				 options->keep, &ret->how);
	ret->span.end_ns = clock_ns(CLOCK_MONOTONIC);
	int read = read_begin(ret->directory, &ret->span.begin_ns);
	ret->failed = read == 0 && ret->span.begin_ns == 0;
	return status < 0 ? status : read;
}

void trace_run_clear(struct trace_run *run)
{
	_cleanup_closedir_ DIR *dir =
		run->directory ? opendir(run->directory) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (run->directory)
		rmdir(run->directory);
	free(run->directory);
	run->directory = NULL;
}
