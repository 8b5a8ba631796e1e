/* SPDX-License-Identifier: MIT */
/*
 * Starting the maker: two forks, so that it is nobody's child here. The program
 * that takes our place is to find no trace of them: the first is reaped, and
 * tells its end by no signal, as a SIGCHLD that is blocked would still be pending
 * in the program.
 */
#include "cli/run/maker.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NICE 19

/* ------------------------------------------------------------------ */
/* Whether                                                            */

/* Would what stays behind become a child of this process? */
static bool inherits_orphans(void)
{
	int subreaper = 0;

	return getpid() == 1 ||
	       (prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper);
}

static bool is_limited(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 &&
	       limit.rlim_cur != RLIM_INFINITY;
}

/* Who follows our children (strace -f) would wait for the maker. */
static bool is_traced(void)
{
	static const char key[] = "\nTracerPid:\t";
	_cleanup_close_ int fd =
		open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t n = fd < 0 ? -1 : file_read_some(fd, 0, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, key);
	return at && at[sizeof(key) - 1] != '0';
}

const char *maker_objection(void)
{
	static const struct {
		int resource;
		const char *words;
	} limits[] = {
		{RLIMIT_CPU, "CPU time is limited"},
		{RLIMIT_AS, "the address space is limited"},
		{RLIMIT_DATA, "memory is limited"},
		{RLIMIT_FSIZE, "the size of files is limited"},
	};

	if (inherits_orphans())
		return "orphans would become children of this process";
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (is_limited(limits[i].resource))
			return limits[i].words;
	return is_traced() ? "this process is traced" : NULL;
}

/* ------------------------------------------------------------------ */
/* The process                                                        */

/* All but the lock; files that are opened must not come to be 0 to 2. */
static void leave_descriptors(int lock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || (null != fd && dup2(null, fd) < 0))
			close(fd);
	for (int fd = 3; fd < lock; fd++)
		close(fd);
	file_close_from(lock + 1);
}

static void leave_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGHUP, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void make(const struct program *program,
		 const struct program_options *options,
		 struct program_start *start)
{
	struct program_options own = *options;

	own.progress = NULL;
	setsid();
	setpriority(PRIO_PROCESS, 0, NICE);
	leave_descriptors(start->making);
	leave_signals();
	program_make(program, &own, start);
}

/* fork(2), whose end is told by no signal. The child may call fork(), execve()
 * and _exit(): libc does not know of it. */
static pid_t fork_silently(void)
{
	return (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, 0L);
}

void maker_start(const struct program *program,
		 const struct program_options *options,
		 struct program_start *start)
{
	pid_t pid = fork_silently();

	if (pid == 0) {
		if (fork() == 0)
			make(program, options, start);
		_exit(0);
	}
	if (pid > 0)
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
}
