/* SPDX-License-Identifier: MIT */
/*
 * Loading a plugin in a child process. The child writes "+" when the plugin
 * was loaded, "-" and the dynamic linker's words when it was refused, and
 * nothing when it did not come so far. The plugin's own output comes by
 * another pipe: if it ends the process, its last words may say why. Both are
 * read when the child has ended, and not up to end-of-file: what a constructor
 * forks may keep the pipes open. SIGCHLD, blocked and waited for, tells of the
 * end.
 */
#include "cli/check/trial.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/status.h"
#include "cli/frame/lastwords.h"
#include "load/dl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SECOND_NS 1000000000u
#define CHILDREN_MAX 64

struct child {
	pid_t pid; /* 0: none */
	int said;  /* where its words are read */
	int wrote; /* where the plugin's are */
	uint64_t deadline_ns;
	struct subject *subject;
};

struct trials {
	struct child children[CHILDREN_MAX];
	size_t children_max;
	size_t running;
	uint64_t allowed_ns;
};

static size_t cpus(void)
{
	cpu_set_t set;
	size_t n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = (size_t)CPU_COUNT(&set);
	return n < CHILDREN_MAX ? n : CHILDREN_MAX;
}

/* A constructor finds no input, and what it writes goes into a pipe, which
 * refuses what it has no room for: nobody waits. */
static void listen_to(int write_end)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		dup2(null, 0);
	dup2(write_end, 1);
	dup2(write_end, 2);
}

/* The child: all that happens in it. */
__attribute__((noreturn)) static void load(const char *path, int say,
					   int output, const sigset_t *mask)
{
	char words[STATUS_MESSAGE_MAX + 1] = "+";
	void *handle;

	/* A group, so that what it forks ends with it. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	sigprocmask(SIG_SETMASK, mask, NULL);
	listen_to(output);
	if (dl_open(path, 0, &handle) < 0) {
		words[0] = '-';
		strcpy(words + 1, status_message());
	}
	if (write(say, words, strlen(words)) < 0)
		_exit(1);
	_exit(0);
}

static void close_pipe(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static int open_pipes(const char *path, int say[2], int output[2])
{
	int status = 0;

	if (pipe2(say, O_CLOEXEC | O_NONBLOCK) == 0) {
		if (pipe2(output, O_CLOEXEC | O_NONBLOCK) == 0)
			return 0;
		status = errno;
		close_pipe(say);
		errno = status;
	}
	return status_fail(DLAZY_EIO, "%s: no pipe: %s", path, strerror(errno));
}

static int begin(struct trials *t, struct subject *s, const sigset_t *mask)
{
	struct child *child = t->children;
	int say[2], output[2];

	while (child->pid)
		child++;
	int status = open_pipes(s->path, say, output);
	if (status < 0)
		return status;
	pid_t pid = fork();
	if (pid == 0)
		load(s->path, say[1], output[1], mask);
	if (pid < 0) {
		status = status_fail(DLAZY_EIO, "%s: no process: %s", s->path,
				     strerror(errno));
		close_pipe(say);
		close_pipe(output);
		return status;
	}
	close(say[1]);
	close(output[1]);
	setpgid(pid, pid);
	*child = (struct child){pid, say[0], output[0],
				event_now() + t->allowed_ns, s};
	t->running++;
	return 0;
}

static void note_death(struct subject *s, int how, const char *wrote)
{
	char end[64];

	end_words(how, end, sizeof(end));
	subject_add(s, PROBLEM_LOAD_CRASHED, "%s while loading%s%s", end,
		    wrote ? "; it said: " : "", wrote ? wrote : "");
}

static void note_end(struct child *child, int how, bool late, unsigned seconds)
{
	char words[STATUS_MESSAGE_MAX + 1], output[LAST_WORDS_MAX];
	ssize_t n = read(child->said, words, sizeof(words) - 1);
	const char *wrote = last_words(child->wrote, output);

	words[n > 0 ? n : 0] = '\0';
	if (words[0] == '+')
		child->subject->loaded = true;
	else if (words[0] == '-')
		subject_add(child->subject, PROBLEM_LOAD_FAILED, "%s",
			    words + 1);
	else if (late)
		subject_add(child->subject, PROBLEM_LOAD_TIMEOUT,
			    "not loaded after %u s%s%s", seconds,
			    wrote ? "; it said: " : "", wrote ? wrote : "");
	else
		note_death(child->subject, how, wrote);
}

/* Takes the child if it has ended, or has to: true. */
static bool reap(struct trials *t, struct child *child)
{
	bool late = event_now() >= child->deadline_ns;
	int how;

	if (late)
		kill(child->pid, SIGKILL);
	if (waitpid(child->pid, &how, late ? 0 : WNOHANG) != child->pid)
		return false;
	kill(-child->pid, SIGKILL);
	note_end(child, how, late, (unsigned)(t->allowed_ns / SECOND_NS));
	close(child->said);
	close(child->wrote);
	child->pid = 0;
	t->running--;
	return true;
}

static void wait_for_news(const struct trials *t)
{
	uint64_t now = event_now(), left = t->allowed_ns;
	sigset_t set;

	for (size_t i = 0; i < t->children_max; i++) {
		const struct child *child = &t->children[i];

		if (child->pid && child->deadline_ns < now + left)
			left = child->deadline_ns > now
				       ? child->deadline_ns - now
				       : 0;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL,
		     &(struct timespec){(time_t)(left / SECOND_NS),
					(long)(left % SECOND_NS)});
}

/* What the dynamic linker would refuse anyhow need not be tried. */
static bool is_hopeless(const struct subject *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->problems[i].kind <= PROBLEM_MISSING_LIBRARY ||
		    s->problems[i].kind == PROBLEM_UNDEFINED_SYMBOL)
			return true;
	return false;
}

static bool is_due(struct subject *s)
{
	if (s->is_program || is_hopeless(s))
		return false;
	if (!s->needs_host)
		return true;
	subject_add(s, PROBLEM_NOT_LOADED, "needs symbols of its host");
	return false;
}

int trial_each(struct subject *subjects, size_t count, unsigned seconds,
	       trial_progress_fn *progress, void *data)
{
	struct trials t = {.children_max = cpus(),
			   .allowed_ns = (uint64_t)seconds * SECOND_NS};
	sigset_t child, before;
	size_t next = 0, done = 0;
	int status = 0;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	while (t.running || (next < count && status == 0)) {
		while (next < count && t.running < t.children_max &&
		       status == 0) {
			if (is_due(&subjects[next]))
				status = begin(&t, &subjects[next], &before);
			else
				progress(++done, count, data);
			next++;
		}
		if (t.running)
			wait_for_news(&t);
		for (size_t i = 0; i < t.children_max; i++)
			if (t.children[i].pid && reap(&t, &t.children[i]))
				progress(++done, count, data);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
