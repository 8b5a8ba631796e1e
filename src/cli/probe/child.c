/* SPDX-License-Identifier: MIT */
/*
 * The child is a fork of the tool, so that nothing has to be found again. A process
 * that a plugin forks must not answer in its place: so the process id is compared.
 */
#include "cli/probe/child.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "load/dl.h"
#include "probe/probe.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* More than any plugin's constructors write or take, and less than would trouble
 * the machine. Reserved addresses do not count. */
#define FILE_MOST (64u << 20)
#define FILES_MOST 1024u
#define DATA_MOST (UINT64_C(4) << 30)

/* So often a call is made again that a signal has cut short. */
#define INTERRUPTS_MOST 100

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0 /* else its shadow would count */
#endif

/* What the administrator has set lower stays. */
static void limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return;
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most)
		now.rlim_max = most;
	if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > now.rlim_max)
		now.rlim_cur = now.rlim_max;
	setrlimit(resource, &now);
}

static void set_limits(void)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, FILE_MOST);
	limit(RLIMIT_NOFILE, FILES_MOST);
	if (!IS_SANITIZED)
		limit(RLIMIT_DATA, DATA_MOST);
}

static int unable_status;

/* No input, and what is written goes to whoever shows it. */
static void set_descriptors(int wire, int output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Out of the way of what they become. */
	int spare_wire = fcntl(wire, F_DUPFD_CLOEXEC, 10);
	int spare_output = fcntl(output, F_DUPFD_CLOEXEC, 10);

	if (null < 0 || spare_wire < 0 || spare_output < 0)
		_exit(unable_status);
	dup2(null, 0);
	dup2(spare_output, 1);
	dup2(spare_output, 2);
	dup2(spare_wire, CHILD_WIRE);
	fcntl(CHILD_WIRE, F_SETFD, FD_CLOEXEC);
	file_close_from(CHILD_WIRE + 1);
}

/* The descriptor that this began with is closed by plugins only. */
__attribute__((noreturn)) static void exit_unable(void)
{
	_exit(errno == EBADF ? unable_status + CHILD_CUT_OFF : unable_status);
}

/* False: there are no more requests. */
static bool read_all(void *to, size_t size)
{
	char *at = to;

	for (int tries = 0; size > 0;) {
		ssize_t n = read(CHILD_WIRE, at, size);
		if (n < 0 && errno == EINTR && tries++ < INTERRUPTS_MOST)
			continue;
		if (n < 0)
			exit_unable();
		if (n == 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static void write_all(const void *from, size_t size)
{
	const char *at = from;

	for (int tries = 0; size > 0;) {
		ssize_t n = write(CHILD_WIRE, at, size);
		if (n < 0 && errno == EINTR && tries++ < INTERRUPTS_MOST)
			continue;
		if (n <= 0)
			exit_unable();
		at += n;
		size -= (size_t)n;
	}
}

static void reply(const struct probe_request *to, enum probe_reply_kind kind,
		  const char *text)
{
	struct probe_reply head = {to->token, kind,
				   text ? (uint32_t)strlen(text) : 0};

	write_all(&head, sizeof(head));
	write_all(text, head.length);
}

static void *find_symbol(void *handle, const char *name)
{
	void *address = NULL;

	if (dl_symbol(handle, name, NULL, &address) < 0)
		status_clear();
	return address;
}

/* Asks. *ret: malloc'd, or NULL. 0 or, with message, a status. */
static int ask(struct probe *probe, const char *path, char **ret)
{
	struct probe_plugin plugin = {.path = path, .symbol = find_symbol};
	bool is_own = probe->way == PROBE_OF_HOST;
	void *entry;
	int status = part_find(&probe->module,
			       is_own ? "dlazy_probe" : PROBE_ENTRY, &entry);

	if (status == 0 && probe->way != PROBE_BY_PATH)
		status = dl_open(path, dl_flags_late(), &plugin.handle);
	if (status < 0)
		return status;
	errno = 0;
	if (is_own)
		*ret = ((char *(*)(void *))entry)(plugin.handle);
	else
		*ret = ((probe_family_fn *)entry)(&plugin);
	/* No fact about the plugin: it is asked again next time. What a host's own
	 * probe leaves in errno says nothing. */
	if (*ret || is_own || errno == 0)
		return 0;
	if (errno == ENOMEM)
		return status_no_memory(path);
	if (probe->way == PROBE_BY_PATH)
		return status_fail(DLAZY_EIO, "%s: %s", path, strerror(errno));
	return 0;
}

/* What failed so is no fact about the plugin. */
static bool is_state(int status)
{
	return status_is_state(status) ||
	       (status == -DLAZY_ELOAD && dl_lacks_means(status_message()));
}

static void serve(struct probes *probes, const struct probe_request *request,
		  const char *path)
{
	pid_t own = getpid();
	char *text = NULL;

	reply(request, REPLY_BEGUN, NULL);
	int status = ask(&probes->list[request->probe], path, &text);

	if (getpid() != own)
		_exit(0);
	fflush(NULL);
	if (status < 0)
		reply(request, is_state(status) ? REPLY_FAILED : REPLY_REFUSED,
		      status_message());
	else if (text)
		reply(request, REPLY_SAID, text);
	else
		reply(request, REPLY_NOTHING, NULL);
	free(text);
}

void child_serve(struct probes *probes, int wire, int output,
		 const sigset_t *mask, int unable)
{
	struct probe_request request;
	char path[PATH_MAX];

	unable_status = unable;
	/* A group, so that what it forks ends with it. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_descriptors(wire, output);
	set_limits();
	sigprocmask(SIG_SETMASK, mask, NULL);
	while (read_all(&request, sizeof(request)) &&
	       request.probe < probes->count && request.length < sizeof(path) &&
	       read_all(path, request.length)) {
		path[request.length] = '\0';
		serve(probes, &request, path);
	}
	_exit(0);
}
