/* SPDX-License-Identifier: MIT */
/*
 * A host that goes on while its plugins change, for the fault sweep: it has some
 * loaded by a job, others in the place of one that cannot be loaded; asks for what
 * provides an id; sees a new plugin; reloads one, and has others go. It prints what
 * came of it, as host.c does. Arguments: a directory, a plugin beside it that comes
 * into it, another that takes the place of p1, and a file for markers.
 *
 * Its own calls are made around what fails.
 */
#include <dlazy/job.h>
#include <dlazy/lifecycle.h>
#include <dlazy/query.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failed;

static void say(const char *what)
{
	const char *why = dlazy_error();

	fprintf(stderr, "%s: %s\n", what, why ? why : "failed without words");
	failed = 1;
}

static int succeeds(int status, const char *what)
{
	if (status < 0)
		say(what);
	return status;
}

static int nothing(void)
{
	return -1;
}

static void *replace(const struct dlazy_failure *f, void *data)
{
	(void)data;
	fprintf(stderr, "%s: %s\n", f->symbol, f->message);
	failed = 1;
	return (void *)nothing;
}

static int answer_of(struct dlazy_module *m)
{
	int (*f)(void) = m ? (int (*)(void))dlazy_sym(m, "answer") : NULL;

	if (f)
		return f();
	say("answer");
	return -1;
}

static int begun(struct dlazy_module *m, void *data)
{
	(void)m;
	++*(int *)data;
	return 0;
}

static int keep_lazy(struct dlazy_module *m, void *data)
{
	(void)m;
	(void)data;
	return DLAZY_POLICY_LAZY;
}

/* What is only read in comes in any order. */
static void load_by_job(struct dlazy_module **m, size_t n, int flags)
{
	struct dlazy_job *j = dlazy_load_async(m, n, flags);
	int status;
	ptrdiff_t i = -DLAZY_EPENDING;

	if (!j) {
		say("job");
		return;
	}
	succeeds(dlazy_job_raise(j, n - 1), "raise");
	while (i == -DLAZY_EPENDING || i >= 0) {
		struct pollfd fd = {.fd = dlazy_job_fd(j), .events = POLLIN};

		poll(&fd, 1, 1000);
		i = dlazy_job_next(j, &status);
		if (i >= 0)
			puts(status < 0 ? "not loaded" : "loaded");
		if (i >= 0 && status < 0) {
			fprintf(stderr, "job: status %d\n", status);
			failed = 1;
		}
	}
	if (i != -DLAZY_ENOENT)
		say("job");
	dlazy_job_free(j);
}

static void query(struct dlazy_registry *r)
{
	struct dlazy_query q = {.size = sizeof(q), .provides = "x/*"};
	const struct dlazy_match *match;
	struct dlazy_cursor *c = dlazy_registry_query(r, &q);
	int n;

	if (!c) {
		say("query");
		return;
	}
	while ((n = dlazy_cursor_next(c, &match, 1)) > 0)
		printf("%s provides %s\n", match->plugin, match->id);
	succeeds(n, "query");
	dlazy_cursor_close(c);

	const char *symbol = NULL;
	struct dlazy_module *m = dlazy_registry_provider(r, "x/y", 0, &symbol);
	if (m)
		printf("%s in %s\n", symbol, dlazy_module_path(m) ? "p2" : "?");
	else
		say("provider");
}

static void change(struct dlazy_registry *r, struct dlazy_module *p1,
		   char **argv)
{
	char to[4096];

	snprintf(to, sizeof(to), "%s/p9.so", argv[1]);
	syscall(SYS_linkat, AT_FDCWD, argv[2], AT_FDCWD, to, 0);
	if (succeeds(dlazy_registry_refresh(r), "refresh") >= 0)
		printf("p9 answers %d\n",
		       answer_of(dlazy_registry_find(r, "p9")));
	snprintf(to, sizeof(to), "%s/p1.so", argv[1]);
	syscall(SYS_renameat2, AT_FDCWD, argv[3], AT_FDCWD, to, 0);
	if (succeeds(dlazy_reload(p1), "reload") == 0)
		printf("then p1 answers %d\n", answer_of(p1));
}

static void give_back(struct dlazy_registry *r, struct dlazy_module *m)
{
	if (succeeds(dlazy_pin(m), "pin") == 0)
		succeeds(dlazy_unpin(m), "unpin");
	succeeds(dlazy_registry_trim(r, DLAZY_TRIM_PAGES), "pages");
	if (succeeds(dlazy_registry_limit(r, 1, 0), "limit") == 0)
		succeeds(dlazy_registry_trim(r, 0), "trim");
	printf("again %d\n", answer_of(m));
	if (succeeds(dlazy_seal(), "seal") == 0)
		printf("sealed %d\n", answer_of(m));
}

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();
	int loads = 0;

	if (argc < 5 || !r || dlazy_on_failure(NULL, replace, NULL) < 0 ||
	    dlazy_registry_filter(r, keep_lazy, NULL) < 0) {
		say("live");
		return 1;
	}
	succeeds(dlazy_registry_quarantine(r, argv[4]), "quarantine");
	succeeds(dlazy_registry_watch(r), "watch");
	if (dlazy_registry_add_dir(r, argv[1], DLAZY_DISCARD) < 0)
		say(argv[1]);
	struct dlazy_module *m[] = {dlazy_registry_find(r, "p1"),
				    dlazy_registry_find(r, "p2"),
				    dlazy_registry_find(r, "p3")};
	if (!m[0] || !m[1] || !m[2]) {
		say("find");
		dlazy_registry_free(r);
		return 1;
	}
	succeeds(dlazy_on_load(m[0], begun, &loads), "on_load");
	succeeds(dlazy_fallback(m[2], m[1], 0), "fallback");
	load_by_job(m, 2, DLAZY_WARM);
	load_by_job(m, 2, 0);
	printf("%d %d %d, %d begun\n", answer_of(m[0]), answer_of(m[1]),
	       answer_of(m[2]), loads);
	query(r);
	change(r, m[0], argv);
	give_back(r, m[1]);
	dlazy_registry_free(r);
	return failed;
}
