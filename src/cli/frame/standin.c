/* SPDX-License-Identifier: MIT */
/*
 * Standing in for a command. All signals are blocked and waited for, one by
 * one. Signals of the terminal reach the child too, as it is in the same
 * group. A signal that a process sends to us is meant for the child, and is
 * passed on. (Sent by another process to the whole group, as by an interactive
 * shell's `kill %1`, it comes to the child twice: nothing tells the two
 * apart.)
 */
#include "cli/frame/standin.h"

#include "base/array.h"
#include "base/file.h"
#include "base/status.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors that are left open here would keep pipes open that the child has
 * closed. */
static void close_all(enum standin_open open, int keep)
{
	if (open == STANDIN_OPEN_ALL)
		return;
	close(0);
	if (open == STANDIN_OPEN_NONE)
		close(1);
	for (int fd = 3; fd < keep; fd++)
		close(fd);
	file_close_from(keep < 3 ? 3 : keep + 1);
}

static void pass_on(pid_t child, const siginfo_t *info)
{
	/* The kernel's go to all who are concerned; the child's own go to its
	 * group. */
	if (info->si_code > 0 || info->si_pid == child)
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(child, info->si_signo, info->si_value);
	else
		kill(child, info->si_signo);
}

/* Has the child ended? */
static bool look_after(pid_t child, int *ret_how)
{
	int how;

	while (waitpid(child, &how, WNOHANG | WUNTRACED) == child) {
		if (!WIFSTOPPED(how)) {
			*ret_how = how;
			return true;
		}
		/* Whoever watches us sees it stopped; who lets us go on, lets
		 * the child. */
		kill(getpid(), SIGSTOP);
		kill(child, SIGCONT);
	}
	return false;
}

static void attend(pid_t child, const sigset_t *all, int *ret_how)
{
	siginfo_t info;

	while (!look_after(child, ret_how)) {
		if (sigwaitinfo(all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD)
			pass_on(child, &info);
	}
}

/* What this process began with, which each child gets. */
struct inherited {
	sigset_t mask;
	struct sigaction ending; /* of SIGCHLD */
};

/* Ignored, as who starts us may have left it, the child would end unseen. */
static const struct inherited *take_signals(void)
{
	static struct inherited first;
	static bool is_taken;
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, is_taken ? NULL : &first.mask);
	sigaction(SIGCHLD, &plain, is_taken ? NULL : &first.ending);
	is_taken = true;
	return &first;
}

static void give_signals(const struct inherited *first)
{
	sigaction(SIGCHLD, &first->ending, NULL);
	sigprocmask(SIG_SETMASK, &first->mask, NULL);
}

int standin_run(standin_child_fn *child, void *data, enum standin_open open,
		int keep, int *ret_how)
{
	const struct inherited *first = take_signals();
	sigset_t all;

	sigfillset(&all);
	pid_t pid = fork();
	if (pid == 0) {
		give_signals(first);
		child(data);
		_exit(125);
	}
	if (pid < 0) {
		give_signals(first);
		return status_fail(DLAZY_EIO, "no process: %s",
				   strerror(errno));
	}
	close_all(open, keep);
	attend(pid, &all, ret_how);
	return 0;
}

int standin_pending(void)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action;
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		if (sigismember(&pending, ending[i]) &&
		    sigaction(ending[i], NULL, &action) == 0 &&
		    action.sa_handler == SIG_DFL)
			return ending[i];
	return 0;
}

void standin_end(int how)
{
	sigset_t one;

	if (WIFEXITED(how))
		_exit(WEXITSTATUS(how));
	/* The core that counts is the child's. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(WTERMSIG(how), SIG_DFL);
	raise(WTERMSIG(how));
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(how));
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + WTERMSIG(how));
}
