/* SPDX-License-Identifier: MIT */
/*
 * The prober reads replies and output as they come, so that neither a plugin that
 * writes without end nor one that forks and leaves its pipes open can hold it up: it
 * looks at the clock, and at the child itself.
 *
 * A plugin could write to the child's pipe as well, now or later, and so answer for
 * others. So each request has a random number, which the reply must repeat. And what
 * one plugin has left in the process, a thread or a handler, could end it while
 * another is asked: that one is asked again, in a new child. So is one that cannot be
 * loaded beside the others, which have taken the static TLS that it needs.
 *
 * A process that leaves the child's group, as daemons do, would outlive it. So
 * orphans become children of this process (PR_SET_CHILD_SUBREAPER), which ends those
 * that were not there before.
 */
#include "cli/probe/prober.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/frame/lastwords.h"
#include "cli/probe/child.h"
#include "meta/texts.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define SECOND_NS UINT64_C(1000000000)

/* How long a look at the child itself waits for. */
#define LOOK_MS 50

/* How often what is left of a child is looked for: each time may show others. */
#define ORPHAN_ROUNDS 100

/* ------------------------------------------------------------------ */
/* Children                                                           */

/* How a child has ended. */
struct death {
	bool is_dead;
	int how;
};

/* The children of this thread, which is the process's only one; malloc'd. NULL:
 * none, or it cannot be told. */
static pid_t *list_children(size_t *ret_count)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	pid_t *list = NULL;
	size_t count = 0, room = 0;
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1) {
		if (!array_reserve(&list, count, &room, sizeof(*list)))
			break;
		list[count++] = pid;
	}
	if (file)
		fclose(file);
	*ret_count = count;
	return list;
}

static bool is_other(const struct prober *p, pid_t pid)
{
	for (size_t i = 0; i < p->other_count; i++)
		if (p->others[i] == pid)
			return true;
	return false;
}

/* Ends what the child has left; false: there was nothing. */
static bool end_orphans(const struct prober *p)
{
	size_t count, ended = 0;
	_cleanup_free_ pid_t *list = list_children(&count);

	for (size_t i = 0; i < count; i++) {
		if (is_other(p, list[i]))
			continue;
		kill(list[i], SIGKILL);
		waitpid(list[i], NULL, 0);
		ended++;
	}
	return ended > 0;
}

/* Ends the child, and all that it has left. */
static void end_child(struct prober *p, const struct death *death)
{
	if (!death->is_dead) {
		kill(p->child, SIGKILL);
		waitpid(p->child, NULL, 0);
	}
	kill(-p->child, SIGKILL);
	p->child = 0;
	for (int i = 0; i < ORPHAN_ROUNDS && end_orphans(p); i++)
		;
	close(TAKE_FD(p->wire));
	close(TAKE_FD(p->output));
}

static int fail_child(const char *what)
{
	return status_fail(DLAZY_EIO, "plugins cannot be probed: no %s: %s",
			   what, strerror(errno));
}

/* Another than before, in any case. */
static uint64_t draw_token(uint64_t before)
{
	uint64_t token;

	if (getrandom(&token, sizeof(token), GRND_NONBLOCK) == sizeof(token) &&
	    token != before)
		return token;
	return before + event_now() + 1;
}

/* How a child ends that is unable to go on: plugins exit as they like. There is
 * room above it for CHILD_CUT_OFF. */
static int draw_status(void)
{
	return 255 - 2 * CHILD_CUT_OFF + (int)(draw_token(0) % CHILD_CUT_OFF);
}

static int begin_child(struct prober *p)
{
	int wire[2], output[2];
	sigset_t mask;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire) < 0)
		return fail_child("socket");
	if (pipe2(output, O_CLOEXEC) < 0) {
		close(wire[0]);
		close(wire[1]);
		return fail_child("pipe");
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	p->unable = draw_status();
	/* What a plugin's exit() would write again. */
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child_serve(p->probes, wire[1], output[1], &mask, p->unable);
	close(wire[1]);
	close(output[1]);
	if (pid < 0) {
		close(wire[0]);
		close(output[0]);
		return fail_child("process");
	}
	setpgid(pid, pid);
	fcntl(wire[0], F_SETFL, O_NONBLOCK);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	p->child = pid;
	p->wire = wire[0];
	p->output = output[0];
	p->has_output = true;
	return 0;
}

/* ------------------------------------------------------------------ */
/* Output                                                             */

/* Keeps the end of it. Returns true if there was some. */
static bool take_output(struct prober *p)
{
	char bytes[PROBER_OUTPUT_MAX / 2];
	ssize_t n = p->has_output ? read(p->output, bytes, sizeof(bytes)) : -1;

	if (n == 0) /* it has closed its own; poll() would wake us for that */
		p->has_output = false;
	if (n <= 0)
		return false;
	size_t size = (size_t)n;
	if (p->wrote_size + size >= sizeof(p->wrote)) {
		size_t kept = sizeof(p->wrote) - 1 - size;

		kept = kept < p->wrote_size ? kept : p->wrote_size;
		memmove(p->wrote, p->wrote + p->wrote_size - kept, kept);
		p->wrote_size = kept;
	}
	for (size_t i = 0; i < size; i++)
		p->wrote[p->wrote_size++] = bytes[i] ? bytes[i] : ' ';
	return true;
}

/* Takes what is there now, but no more than a pipe holds. */
static void take_all_output(struct prober *p)
{
	for (int i = 0; i < 64 && take_output(p); i++)
		;
	p->wrote[p->wrote_size] = '\0';
}

/* Each line of it, behind whose it is. */
static void show_output(const struct prober *p, const char *path)
{
	char wrote[PROBER_OUTPUT_MAX];
	char *rest = strcpy(wrote, p->wrote), *line;

	while (rest && (line = strsep(&rest, "\n")) != NULL)
		if (line[strspn(line, " \t\r")])
			cli_say("%s: it wrote: %s", path, line);
}

/* ------------------------------------------------------------------ */
/* Questions                                                          */

/* A reply, as it comes. */
struct incoming {
	struct probe_reply head;
	size_t head_size;
	char *text; /* malloc'd when the head is there */
	size_t text_size;
	bool has_begun, is_whole, is_wrong;
	int error; /* of ours, which says nothing of the child */
};

static void check_head(struct incoming *in, uint64_t token)
{
	if (in->head_size < sizeof(in->head))
		return;
	in->is_wrong = in->head.token != token || in->head.kind < REPLY_SAID ||
		       in->head.kind > REPLY_BEGUN ||
		       (in->head.kind == REPLY_BEGUN && in->has_begun) ||
		       in->head.length > META_TEXT_MAX;
	if (!in->is_wrong && in->head.kind == REPLY_BEGUN) {
		in->has_begun = true;
		in->head_size = 0;
		return;
	}
	if (!in->is_wrong && !in->text)
		in->text = calloc(1, (size_t)in->head.length + 1);
	if (!in->is_wrong && !in->text)
		in->error = ENOMEM;
	in->is_whole = in->text && in->text_size == in->head.length;
}

/* Takes what is there; false: the wire has ended. */
static bool take_reply(const struct prober *p, struct incoming *in)
{
	while (!in->is_whole && !in->is_wrong && !in->error) {
		bool in_head = in->head_size < sizeof(in->head);
		char *to = in_head ? (char *)&in->head + in->head_size
				   : in->text + in->text_size;
		size_t room = in_head ? sizeof(in->head) - in->head_size
				      : in->head.length - in->text_size;
		ssize_t n = read(p->wire, to, room);
		bool none = n < 0 && (errno == EAGAIN || errno == EINTR);
		if (n < 0 && !none && errno != ECONNRESET)
			in->error = errno;
		if (n <= 0)
			return none;
		if (in_head)
			in->head_size += (size_t)n;
		else
			in->text_size += (size_t)n;
		check_head(in, p->token);
	}
	return true;
}

static bool send_all(int wire, const void *data, size_t size)
{
	ssize_t n = send(wire, data, size, MSG_NOSIGNAL);

	if (n >= 0 && (size_t)n < size)
		errno = EAGAIN;
	return n == (ssize_t)size;
}

/* 0, or an errno of ours: that the child is gone is told by its end. */
static int send_request(struct prober *p, size_t probe, const char *path)
{
	p->token = draw_token(p->token);
	struct probe_request request = {p->token, (uint32_t)probe,
					(uint32_t)strlen(path)};

	if (send_all(p->wire, &request, sizeof(request)) &&
	    send_all(p->wire, path, request.length))
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? 0 : errno;
}

enum ending {
	ENDING_REPLIED,
	ENDING_DEAD,
	ENDING_LATE,
	ENDING_WRONG,
	ENDING_FAILED, /* we have */
};

/* Waits for what comes, a moment. */
static void wait_for_news(struct prober *p, bool is_open)
{
	struct pollfd fds[] = {{is_open ? p->wire : -1, POLLIN, 0},
			       {p->has_output ? p->output : -1, POLLIN, 0}};

	poll(fds, 2, is_open ? LOOK_MS : 1);
	take_output(p);
}

static enum ending wait_for_reply(struct prober *p, struct incoming *in,
				  struct death *ret)
{
	uint64_t end = event_now() + p->seconds * SECOND_NS;
	bool is_open = true;

	while (event_now() < end) {
		wait_for_news(p, is_open);
		ret->is_dead = waitpid(p->child, &ret->how, WNOHANG) > 0;
		if (is_open)
			is_open = take_reply(p, in);
		if (in->error)
			return ENDING_FAILED;
		if (in->is_whole)
			return ENDING_REPLIED;
		if (in->is_wrong)
			return ENDING_WRONG;
		if (ret->is_dead)
			return ENDING_DEAD;
	}
	return ENDING_LATE;
}

__attribute__((format(printf, 2, 3))) static void set_words(
	struct probe_answer *answer, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (vasprintf(&answer->words, format, list) < 0)
		answer->words = NULL;
	va_end(list);
}

/* What a plugin said is an object, or it is no answer. */
static void take_text(struct incoming *in, struct probe_answer *answer)
{
	struct json_flaw flaw;

	if (strlen(in->text) != in->text_size || !json_check(in->text, &flaw) ||
	    in->text[strspn(in->text, " \t\r\n")] != '{') {
		answer->outcome = PROBE_REFUSED;
		set_words(answer, "what the probe said is no JSON object");
		return;
	}
	answer->outcome = PROBE_SAID;
	answer->text = TAKE_PTR(in->text);
}

static void take_answer(struct incoming *in, struct probe_answer *answer)
{
	switch (in->head.kind) {
	case REPLY_SAID:
		take_text(in, answer);
		break;
	case REPLY_NOTHING:
		answer->outcome = PROBE_NOTHING;
		break;
	default:
		answer->outcome = PROBE_REFUSED;
		set_words(answer, "%s", in->text);
	}
}

static bool has_exited(const struct death *death, int with)
{
	return death->is_dead && WIFEXITED(death->how) &&
	       WEXITSTATUS(death->how) == with;
}

/* How a child that has not answered ended, and what was said last. */
static void tell_ending(struct prober *p, enum ending ending,
			const struct death *death, struct probe_answer *answer)
{
	char end[LAST_WORDS_MAX], wrote[PROBER_OUTPUT_MAX];
	const char *line = last_line(strcpy(wrote, p->wrote));

	answer->outcome = PROBE_CRASHED;
	if (ending == ENDING_LATE) {
		answer->outcome = PROBE_TIMED_OUT;
		snprintf(end, sizeof(end), "no answer after %u s", p->seconds);
	} else if (ending == ENDING_WRONG) {
		strcpy(end, "broke the way to its answer");
	} else if (has_exited(death, p->unable + CHILD_CUT_OFF)) {
		strcpy(end, "closed the way to its answer");
	} else {
		end_words(death->how, end, sizeof(end));
	}
	set_words(answer, "%s while it was probed%s%s", end,
		  line ? "; it said: " : "", line ? line : "");
}

static int fail_probe(const char *path, const char *why)
{
	return status_fail(DLAZY_EIO, "%s: cannot be probed: %s", path, why);
}

/* 0, or a state: it was not the plugin that had no answer. */
static int status_of(const struct prober *p, const char *path,
		     enum ending ending, const struct death *death,
		     const struct incoming *in,
		     const struct probe_answer *answer)
{
	if (ending == ENDING_FAILED)
		return fail_probe(path, strerror(in->error));
	if (ending == ENDING_REPLIED)
		return in->head.kind != REPLY_FAILED
			       ? 0
			       : fail_probe(path,
					    answer->words ? answer->words : "");
	if (!in->has_begun)
		return fail_probe(path, "the process for it did not begin");
	if (ending == ENDING_DEAD && has_exited(death, p->unable))
		return fail_probe(path, "the process for it could not go on");
	return 0;
}

static void conclude(struct prober *p, enum ending ending,
		     const struct death *death, struct incoming *in,
		     struct probe_answer *answer)
{
	take_all_output(p);
	if (ending == ENDING_REPLIED)
		take_answer(in, answer);
	else
		tell_ending(p, ending, death, answer);
	if (ending != ENDING_REPLIED || death->is_dead || p->isolate)
		end_child(p, death);
}

static int ask_once(struct prober *p, size_t probe, const char *path,
		    struct probe_answer *ret)
{
	struct incoming in = {.is_whole = false};
	struct death death = {.is_dead = false};

	*ret = (struct probe_answer){.outcome = PROBE_NOTHING};
	/* One that has ended meanwhile did so after its last answer. */
	if (p->child && waitpid(p->child, &death.how, WNOHANG) > 0) {
		death.is_dead = true;
		end_child(p, &death);
	}
	int status = p->child ? 0 : begin_child(p);
	if (status < 0)
		return status;
	p->wrote_size = 0;
	in.error = send_request(p, probe, path);
	enum ending ending =
		in.error ? ENDING_FAILED : wait_for_reply(p, &in, &death);
	conclude(p, ending, &death, &in, ret);
	p->has_served = p->child > 0;
	status = status_of(p, path, ending, &death, &in, ret);
	free(in.text);
	return status;
}

static bool is_clean(int status, const struct probe_answer *answer)
{
	return status == 0 && answer->outcome != PROBE_CRASHED &&
	       answer->outcome != PROBE_REFUSED;
}

/*
 * What ends a process that has served others before, or cannot be loaded there, may
 * be their doing: it is asked again then, in a new one. What ended before it began,
 * or says that it cannot go on, says nothing of the plugin, and nothing is kept of
 * it.
 */
int prober_ask(struct prober *p, size_t probe, const char *path,
	       struct probe_answer *ret)
{
	bool had_others = p->child && p->has_served;
	int status = ask_once(p, probe, path, ret);

	if (had_others && !is_clean(status, ret)) {
		if (p->child)
			end_child(p, &(struct death){.is_dead = false});
		probe_answer_clear(ret);
		status = ask_once(p, probe, path, ret);
	}
	if (status == 0)
		show_output(p, path);
	return status;
}

void probe_answer_clear(struct probe_answer *answer)
{
	free(answer->text);
	free(answer->words);
	*answer = (struct probe_answer){.outcome = PROBE_NOTHING};
}

void prober_begin(struct prober *p, struct probes *probes, unsigned seconds,
		  bool isolate)
{
	*p = (struct prober){.probes = probes,
			     .seconds = seconds,
			     .isolate = isolate,
			     .wire = -1,
			     .output = -1};
	/* Where it is ignored, nobody is told how a child ended. */
	signal(SIGCHLD, SIG_DFL);
	p->others = list_children(&p->other_count);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void prober_end(struct prober *p)
{
	if (p->child)
		end_child(p, &(struct death){.is_dead = false});
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	free(p->others);
}
