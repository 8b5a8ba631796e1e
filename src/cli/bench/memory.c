/* SPDX-License-Identifier: MIT */
/*
 * Measuring the memory of a process. A process that has ended has none to look
 * at, so it is traced, with one stop where it is about to end
 * (PTRACE_EVENT_EXIT). Its time is not taken then.
 */
#include "cli/bench/memory.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define CACHE_SWITCH "/proc/sys/vm/drop_caches"

static bool read_memory(pid_t pid, double *ret_pss_kib, double *ret_maps)
{
	char path[64], line[4096];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	FILE *in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in))
		found |= sscanf(line, "Pss: %lf", ret_pss_kib) == 1;
	if (in)
		fclose(in);
	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	in = fopen(path, "re");
	*ret_maps = 0;
	while (in && fgets(line, sizeof(line), in))
		*ret_maps += strchr(line, '\n') != NULL;
	if (in)
		fclose(in);
	return found && *ret_maps > 0;
}

/* Lets it go on from a stop; its own signals reach it. */
static void go_on(pid_t pid, int how)
{
	int signal = WSTOPSIG(how);

	ptrace(PTRACE_CONT, pid, NULL,
	       (void *)(long)(how >> 16 || signal == SIGTRAP ? 0 : signal));
}

static bool is_exit(int how)
{
	return how >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
}

static bool watch(pid_t pid, double *ret_pss_kib, double *ret_maps)
{
	bool found = false;
	int how;

	if (waitpid(pid, &how, 0) != pid || !WIFSTOPPED(how))
		return false;
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   (void *)(long)(PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC |
				  PTRACE_O_EXITKILL)) < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &how, 0);
		return false;
	}
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	while (waitpid(pid, &how, 0) == pid && WIFSTOPPED(how)) {
		if (is_exit(how))
			found = read_memory(pid, ret_pss_kib, ret_maps);
		go_on(pid, how);
	}
	return found;
}

bool bench_memory_of(void (*child)(void *data), void *data, double *ret_pss_kib,
		     double *ret_maps)
{
	pid_t pid = fork();

	if (pid < 0)
		return false;
	if (pid > 0)
		return watch(pid, ret_pss_kib, ret_maps);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
		raise(SIGSTOP);
		child(data);
	}
	_exit(127);
}

int bench_empty_cache(void)
{
	int fd = open(CACHE_SWITCH, O_WRONLY | O_CLOEXEC);
	bool done = false;

	if (fd >= 0) {
		sync();
		done = write(fd, "1", 1) == 1;
		close(fd);
	}
	if (done)
		return 0;
	return status_fail(DLAZY_EIO,
			   "--cold: " CACHE_SWITCH
			   ": %s; only root may empty the page cache: run it "
			   "as root, or without --cold",
			   strerror(errno));
}
