/* SPDX-License-Identifier: MIT */
/*
 * dlazy run --list: tells what each launcher starts and gains. Each program is
 * judged as a run would judge it; if it may be lazy, its start is measured.
 */
#include "cli/run/list.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/frame/table.h"
#include "cli/run/judge.h"
#include "cli/run/launcher.h"
#include "cli/run/startup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct listed {
	char *path, *target;
	size_t libraries, lazy;
	bool is_measured;
	struct startup_times times;
	char why[STATUS_MESSAGE_MAX]; /* what it gains nothing for; or "" */
};

struct listing {
	struct judge judge;
	struct listed *list;
	size_t count, room;
};

static void listing_end(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->list[i].path);
		free(l->list[i].target);
	}
	free(l->list);
	judge_end(&l->judge);
}

/* What it gains: judged, and measured if it may gain anything. */
static void find_gain(const struct judge *judge, struct launcher *launcher,
		      struct listed *ret)
{
	_cleanup_program_ struct program program = {.command = NULL};
	_cleanup_judgement_ struct judgement j = {.plain = NULL};
	struct request request = launcher->request;

	request.stats = true; /* it is no run that counts */
	if (program_find(launcher->target, &program) < 0 ||
	    judge_program(judge, &program, &request, &j) < 0) {
		snprintf(ret->why, sizeof(ret->why), "%s", status_message());
		return;
	}
	ret->libraries = j.libraries;
	ret->lazy = j.plain ? 0 : j.lazy;
	if (j.plain)
		snprintf(ret->why, sizeof(ret->why), "%s", j.plain);
	else
		ret->is_measured =
			startup_measure(&program, &request, &ret->times) == 0;
}

static int list_one(struct listing *l, const char *path)
{
	_cleanup_launcher_ struct launcher *launcher = launcher_read(path);

	if (!launcher)
		return 0;
	if (!array_reserve(&l->list, l->count, &l->room, sizeof(*l->list)))
		return status_no_memory(NULL);
	struct listed *one = &l->list[l->count++];
	*one = (struct listed){.path = strdup(path),
			       .target = strdup(launcher->target)};
	if (!one->path || !one->target)
		return status_no_memory(NULL);
	find_gain(&l->judge, launcher, one);
	status_clear();
	return 0;
}

static int list_directory(struct listing *l, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), status = 0;

	for (int i = 0; i < n; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0)
			path = NULL;
		if (path && status == 0 && program_is_launcher(path))
			status = list_one(l, path);
		free(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return status;
}

static void print_list_json(const struct listing *l)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_begin_array_at(&j, "launchers");
	for (size_t i = 0; i < l->count; i++) {
		const struct listed *one = &l->list[i];

		json_begin_object(&j);
		json_string_at(&j, "path", one->path);
		json_string_at(&j, "target", one->target);
		json_unsigned_at(&j, "libraries", one->libraries);
		json_unsigned_at(&j, "lazy", one->lazy);
		json_double_at(&j, "saving_us",
			       one->is_measured ? one->times.plain_us -
							  one->times.lazy_us
						: NAN);
		json_string_at(&j, "plain", *one->why ? one->why : NULL);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

static bool add_listed(struct table *t, const struct listed *one)
{
	char gain[STATUS_MESSAGE_MAX + 64];

	if (*one->why)
		snprintf(gain, sizeof(gain), "nothing: %s", one->why);
	else if (one->is_measured)
		snprintf(gain, sizeof(gain),
			 "starts in %.1f ms instead of %.1f (%zu of %zu "
			 "libraries lazy)",
			 one->times.lazy_us / 1e3, one->times.plain_us / 1e3,
			 one->lazy, one->libraries);
	else
		snprintf(gain, sizeof(gain), "%zu of %zu libraries lazy",
			 one->lazy, one->libraries);
	return table_add(t, (const char *[]){one->path, one->target, gain});
}

static int print_list(const struct listing *l, const char *dir)
{
	_cleanup_(table_free) struct table t = {.columns = 3};
	bool fits =
		table_add(&t, (const char *[]){"LAUNCHER", "STARTS", "GAINS"});

	if (l->count == 0) {
		cli_say("%s: no launchers there", dir);
		return CLI_DONE;
	}
	for (size_t i = 0; i < l->count && fits; i++)
		fits = add_listed(&t, &l->list[i]);
	if (!fits) {
		cli_say("out of memory");
		return CLI_FAILED;
	}
	table_print(&t, stdout);
	return CLI_DONE;
}

int launchers_list(const struct request *request)
{
	_cleanup_free_ char *dir = launcher_directory(request);
	_cleanup_(listing_end) struct listing l = {.count = 0};

	if (!dir)
		return CLI_PROBLEMS;
	int status = judge_begin(&l.judge);
	if (status == 0)
		status = list_directory(&l, dir);
	if (status < 0)
		return cli_fail(status, request->json);
	if (!request->json)
		return print_list(&l, dir);
	print_list_json(&l);
	return CLI_DONE;
}
