/* SPDX-License-Identifier: MIT */
/*
 * The CPU's counter (perf_event_open(2)) counts in user space, from execve on,
 * and is inherited. Where there is none (most virtual machines, containers), the
 * process is traced and stops at each instruction.
 */
#include "cli/bench/instructions.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/status.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS_NS UINT64_C(60000000000)

static int unable(const char *why)
{
	return status_fail(DLAZY_ENOSYS, "--instructions: %s", why);
}

static int open_counter(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
		.inherit = 1,
		.enable_on_exec = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

/* Of the process, when it has stopped before it executes anything. */
static int count_by_counter(pid_t pid, int counter, double *ret)
{
	uint64_t count;
	int how;

	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	if (waitpid(pid, &how, 0) != pid || !WIFEXITED(how) ||
	    read(counter, &count, sizeof(count)) != sizeof(count) || !count)
		return unable("it did not end well");
	*ret = (double)count;
	return 0;
}

static bool is_step(int how)
{
	return WSTOPSIG(how) == SIGTRAP && how >> 16 == 0;
}

/* What a stop was for is the tracer's, or a signal of the process's own. */
static int signal_of(int how)
{
	int signal = WSTOPSIG(how);

	return how >> 16 || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

/* Ends what is traced, which reports itself when it is. */
static void end_all(pid_t pid)
{
	pid_t stopped;
	int how;

	kill(pid, SIGKILL);
	while ((stopped = waitpid(-1, &how, __WALL)) > 0 || errno == EINTR)
		if (stopped > 0 && WIFSTOPPED(how))
			kill(stopped, SIGKILL);
}

static int count_by_steps(pid_t pid, double *ret)
{
	uint64_t until_ns = event_now() + STEPS_NS;
	const long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_EXITKILL;
	bool well = false, started = false;
	uint64_t count = 0;
	pid_t stopped;
	int how;

	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	while ((stopped = waitpid(-1, &how, __WALL)) > 0 || errno == EINTR) {
		if (stopped < 0)
			continue;
		if (!WIFSTOPPED(how)) {
			well |= stopped == pid && WIFEXITED(how);
			continue;
		}
		if (count % 4096 == 0 && event_now() > until_ns) {
			end_all(pid);
			return unable("the CPU's counter cannot be had "
				      "(perf_event_open), and step by step it "
				      "takes more than a minute; `valgrind "
				      "--tool=callgrind` counts, too");
		}
		started |= how >> 16 == PTRACE_EVENT_EXEC;
		count += started && is_step(how);
		ptrace(started ? PTRACE_SINGLESTEP : PTRACE_CONT, stopped, NULL,
		       (void *)(long)signal_of(how));
	}
	*ret = (double)count;
	return well && count > 0 ? 0 : unable("it did not end well");
}

int bench_instructions_of(void (*child)(void *data), void *data, double *ret)
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
			raise(SIGSTOP);
			child(data);
		}
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &how, 0) != pid || !WIFSTOPPED(how))
		return unable("no process can be traced (ptrace)");
	_cleanup_close_ int counter = open_counter(pid);

	return counter >= 0 ? count_by_counter(pid, counter, ret)
			    : count_by_steps(pid, ret);
}
