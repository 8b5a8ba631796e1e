/* SPDX-License-Identifier: MIT */
/*
 * Taking down events. An atomic counter gives out entries of a table of fixed
 * size; the thread that loads fills its entry in and then marks it complete.
 * There is no lock. Events that find no room are counted. Writing reads the
 * complete entries.
 */
#include "ledger/ledger.h"

#include "base/array.h"
#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/memstream.h"
#include "base/setting.h"
#include "base/status.h"
#include "load/dl.h"
#include "ledger/tell.h"
#include "load/module.h"

#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "DLAZY_TRACE"

static struct ledger *ledger;	/* NULL: none is kept */
static _Atomic(pid_t) aborting; /* whose ledger is written by a child of it */

/* Its object is asked for apart: in words it may be what argv[0] says. */
static void note_caller(struct ledger_entry *e, const void *caller)
{
	e->caller[0] = e->by[0] = '\0';
	if (!caller)
		return;
	dl_describe(caller, true, e->caller, sizeof(e->caller));
	snprintf(e->by, sizeof(e->by), "%s", dl_origin_of(caller).path);
}

static void note_load(struct ledger *l, const struct dlazy_event *event)
{
	uint32_t n = atomic_fetch_add(&l->count, 1);

	if (n >= LEDGER_ENTRIES) {
		atomic_fetch_add(&l->lost, 1);
		return;
	}
	struct ledger_entry *e = &l->entries[n];
	e->module = event->module;
	e->status = event->status;
	e->end_ns = event->time_ns;
	e->begin_ns = event->time_ns - event->duration_ns;
	e->linker_ns = atomic_load(&event->module->linker_ns);
	e->thread = (uint32_t)syscall(SYS_gettid);
	e->pid = getpid();
	snprintf(e->symbol, sizeof(e->symbol), "%s",
		 event->symbol ? event->symbol : "");
	note_caller(e, event->caller);
	atomic_store_explicit(&e->complete, true, memory_order_release);
}

static void observe(const struct dlazy_event *event, void *data)
{
	if (event->module && (event->kind == DLAZY_EVENT_LOADED ||
			      event->kind == DLAZY_EVENT_FAILED))
		note_load(data, event);
}

/* ------------------------------------------------------------------ */
/* Beginning                                                          */

/* The file's name, absolute, with %p replaced by the process's number. */
static char *path_of(const char *said, pid_t pid)
{
	_cleanup_free_ char *named = NULL;
	const char *at = strstr(said, "%p");

	if (asprintf(&named, "%.*s", at ? (int)(at - said) : (int)strlen(said),
		     said) < 0)
		named = NULL;
	if (named && at) {
		char *whole;

		if (asprintf(&whole, "%s%ld%s", named, (long)pid, at + 2) < 0)
			return NULL;
		free(named);
		named = whole;
	}
	return named ? file_absolute(named) : NULL;
}

/* A forked child's file is its parent's, which it would overwrite, but for %p. */
static bool has_own_file(void)
{
	return getpid() == ledger->pid || strstr(ledger->said, "%p");
}

static void write_at_exit(void)
{
	if (ledger && has_own_file() && ledger_write(NULL) < 0)
		setting_refuse(VARIABLE, ledger->path, status_message());
}

static void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	free(l->said);
	free(l->path);
	free(l);
}

static struct ledger *ledger_new(const char *said)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	ATOMIC_SHARED_BYTES(l, sizeof(*l));
	l->begin_ns = event_now();
	l->pid = getpid();
	l->said = strdup(said);
	l->path = path_of(said, l->pid);
	if (l->said && l->path)
		return l;
	ledger_free(l);
	return NULL;
}

/* How long a ledger may take that is written when the host aborts. */
#define ABORT_SECONDS 2

/*
 * Who aborts may hold any lock, malloc's too. So a child writes, which no lock
 * but its own copies can stop, and if one does, its alarm ends it. (Its own is
 * the bare system call: fork() would wait for those locks.)
 */
static void write_at_abort(int signal)
{
	int saved = errno;
	bool own = has_own_file();

	atomic_store(&aborting, getpid());
	pid_t child = own ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : -1;

	if (child == 0) {
		sigset_t alarmed;

		sigemptyset(&alarmed);
		sigaddset(&alarmed, SIGALRM);
		sigprocmask(SIG_UNBLOCK, &alarmed, NULL);
		sigaction(SIGALRM, &(struct sigaction){.sa_handler = SIG_DFL},
			  NULL);
		alarm(ABORT_SECONDS);
		ledger_write(NULL);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	errno = saved;
	raise(signal); /* what would have been without us: SA_RESETHAND */
}

/* Only where the host leaves it to the system. */
static void expect_abort(void)
{
	struct sigaction action = {.sa_handler = write_at_abort,
				   .sa_flags = (int)SA_RESETHAND};
	struct sigaction before;

	if (sigaction(SIGABRT, NULL, &before) == 0 &&
	    !(before.sa_flags & SA_SIGINFO) && before.sa_handler == SIG_DFL)
		sigaction(SIGABRT, &action, NULL);
}

/* The message that is written by then must not wait for what this does. */
static void write_last(void)
{
	if (has_own_file())
		ledger_write(NULL);
}

/* Why no ledger could be begun. */
static const char *reason_for(const char *said)
{
	char cwd[PATH_MAX];

	return said[0] != '/' && !getcwd(cwd, sizeof(cwd))
		       ? "there is no current directory"
		       : "out of memory";
}

void ledger_begin(void)
{
	const char *said = secure_getenv(VARIABLE);

	if (!said || !*said)
		return;
	/* A message may be pending, and is not ours to touch. */
	struct ledger *l = ledger_new(said);
	if (!l || atexit(write_at_exit) != 0 || event_observe(observe, l) < 0) {
		setting_refuse(VARIABLE, said, reason_for(said));
		ledger_free(l);
		return;
	}
	ledger = l;
	event_at_abort(write_last);
	expect_abort();
}

void ledger_declare(const char *dir)
{
	struct ledger *l = ledger;
	uint32_t n = l ? atomic_load(&l->dir_count) : LEDGER_DIRS;
	char *copy;

	for (uint32_t i = 0; i < n && n < LEDGER_DIRS; i++) {
		const char *known = atomic_load(&l->dirs[i]);
		if (known && strcmp(known, dir) == 0)
			return;
	}
	if (!l || !(copy = strdup(dir)))
		return;
	n = atomic_fetch_add(&l->dir_count, 1);
	if (n < LEDGER_DIRS)
		atomic_store(&l->dirs[n], copy);
	else
		free(copy);
}

/* ------------------------------------------------------------------ */
/* Writing                                                            */

/* A device, a pipe or a link is written to; it is not replaced by a file. */
static bool is_special(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int write_through(const char *path, const char *text, size_t size)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return status_fail(status_from_errno(errno), "%s: %s", path,
				   strerror(errno));
	bool failed = fwrite(text, 1, size, out) != size;
	if (fclose(out) != 0 || failed)
		return status_fail(DLAZY_EIO, "%s: cannot write: %s", path,
				   strerror(errno));
	return 0;
}

static int write_whole(const char *path, const char *text, size_t size)
{
	if (is_special(path))
		return write_through(path, text, size);
	const char *name = file_base_name(path);
	_cleanup_free_ char *dir = strndup(path, (size_t)(name - path));
	_cleanup_close_ int fd = -1;

	if (!dir)
		return status_no_memory(path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return status_fail(DLAZY_EIO, "%s: no such directory", dir);
	return file_replace(fd, name, text, size, 0666);
}

static char *path_to_write(const char *path, pid_t pid)
{
	if (path)
		return file_absolute(path);
	return pid == ledger->pid ? strdup(ledger->path)
				  : path_of(ledger->said, pid);
}

int ledger_write(const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *absolute = NULL;
	size_t size;

	if (!ledger)
		return status_fail(DLAZY_ENOENT,
				   "no ledger is kept: start the program with "
				   "DLAZY_TRACE=FILE");
	LOCK_ASSERT_NONE();
	pid_t pid = atomic_load(&aborting);
	if (!pid)
		pid = getpid();
	absolute = path_to_write(path, pid);
	if (!absolute)
		return status_no_memory(NULL);
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return status_no_memory(absolute);
	int status = ledger_tell(ledger, pid, out);
	if (!memstream_end(out, &text) && status == 0)
		status = status_no_memory(absolute);
	return status < 0 ? status : write_whole(absolute, text, size);
}
