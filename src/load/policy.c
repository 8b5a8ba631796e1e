/* SPDX-License-Identifier: MIT */
/*
 * Policy files are read once, when the first decision is due, and kept if all could
 * be read. A file has sections and lines:
 *
 *	# a comment
 *	[gimp]			of that program alone; [*]: of all
 *	file-png = eager	a pattern of plugins' names, and a policy
 *
 * Lines before the first section are for all programs. Of several lines that match,
 * the last counts. A line that cannot be understood is reported, and ignored.
 */
#include "load/policy.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/setting.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_DIRECTORY "/etc/dlazy.d"
#define FILE_MAX (1u << 20)

static const char *const words[] = {"default", "lazy", "prefetch", "eager",
				    "never"};

struct line {
	char *program, *plugin, *place; /* patterns, and "FILE:LINE" */
	int policy;
};

struct lines {
	struct line *lines;
	size_t count, room;
};

struct files {
	struct lines system, user;
};

static const char *system_directory = SYSTEM_DIRECTORY;
static _Atomic(struct files *) known; /* never freed */

const char *policy_word(int policy)
{
	return policy >= 0 && (size_t)policy < ARRAY_SIZE(words) ? words[policy]
								 : words[0];
}

/* ------------------------------------------------------------------ */
/* Reading                                                            */

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r");
	n = strlen(text);
	while (n && strchr(" \t\r", text[n - 1]))
		text[--n] = '\0';
	return text;
}

/* What is being read. */
struct reading {
	struct lines *lines;
	const char *path;
	unsigned number;
	char program[256];
};

static void refuse(const struct reading *r, const char *text)
{
	char where[512];

	snprintf(where, sizeof(where), "%s:%u", r->path, r->number);
	setting_refuse(where, text,
		       "neither [PROGRAM] nor GLOB = "
		       "lazy|prefetch|eager|never: not obeyed");
}

static int policy_of_word(const char *word)
{
	for (int i = DLAZY_POLICY_LAZY; i <= DLAZY_POLICY_NEVER; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int add_line(struct reading *r, const char *plugin, int policy)
{
	struct lines *l = r->lines;
	struct line line = {.policy = policy,
			    .program = strdup(r->program),
			    .plugin = strdup(plugin)};

	if (asprintf(&line.place, "%s:%u", r->path, r->number) < 0)
		line.place = NULL;
	if (line.program && line.plugin && line.place &&
	    array_reserve(&l->lines, l->count, &l->room, sizeof(line))) {
		l->lines[l->count++] = line;
		return 0;
	}
	free(line.program);
	free(line.plugin);
	free(line.place);
	return status_no_memory(r->path);
}

static int read_line(struct reading *r, char *text)
{
	char *line = trim(text);
	size_t n = strlen(line);
	char *equals = strrchr(line, '=');

	if (!n || *line == '#' || *line == ';')
		return 0;
	if (*line == '[' && line[n - 1] == ']' && n - 2 < sizeof(r->program)) {
		line[n - 1] = '\0';
		strcpy(r->program, trim(line + 1));
		return 0;
	}
	if (equals) {
		int policy = policy_of_word(trim(equals + 1));

		*equals = '\0';
		line = trim(line);
		if (policy > 0 && *line)
			return add_line(r, line, policy);
		*equals = '=';
	}
	refuse(r, line);
	return 0;
}

static int read_text(int fd, const char *path, char **ret)
{
	_cleanup_free_ char *text = malloc(FILE_MAX + 1);
	size_t size = 0;
	ssize_t n = 1;

	if (!text)
		return status_no_memory(path);
	while (n > 0 && size < FILE_MAX) {
		n = file_read_some(fd, size, text + size, FILE_MAX - size);
		if (n < 0)
			return status_fail(status_from_errno(errno), "%s: %s",
					   path, strerror(errno));
		size += (size_t)n;
	}
	text[size] = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

static int read_file(const char *path, struct lines *lines)
{
	struct reading r = {.lines = lines, .path = path, .program = "*"};
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	int status = file_open(AT_FDCWD, path, &fd, NULL);

	if (status == 0)
		status = read_text(fd, path, &text);
	char *rest = text;
	for (char *line; status == 0 && (line = strsep(&rest, "\n"));) {
		r.number++;
		status = read_line(&r, line);
	}
	return status;
}

static int is_policy_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 &&
	       !strcmp(entry->d_name + n - 5, ".conf");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* One that is away again, or is no file, is none. */
static int read_system_file(const char *name, struct lines *lines)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", system_directory, name) < 0) {
		path = NULL;
		return status_no_memory(NULL);
	}
	int status = read_file(path, lines);
	return status_is_state(status) ? status : 0;
}

static int read_system(struct lines *lines)
{
	struct dirent **entries;
	int n = scandir(system_directory, &entries, is_policy_file,
			compare_names);
	int status = 0;

	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0)
		return status_fail(status_from_errno(errno), "%s: %s",
				   system_directory, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (status == 0)
			status = read_system_file(entries[i]->d_name, lines);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int read_user(struct lines *lines)
{
	const char *path = secure_getenv("DLAZY_POLICY");

	if (!path || !*path)
		return 0;
	int status = read_file(path, lines);
	if (status == 0 || status_is_state(status))
		return status;
	setting_refuse("DLAZY_POLICY", path, status_message());
	status_clear();
	return 0;
}

static void lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->lines[i].program);
		free(l->lines[i].plugin);
		free(l->lines[i].place);
	}
	free(l->lines);
}

static void files_free(struct files *f)
{
	if (!f)
		return;
	lines_free(&f->system);
	lines_free(&f->user);
	free(f);
}

static int files_now(const struct files **ret)
{
	struct files *f = atomic_load_explicit(&known, memory_order_acquire);
	struct files *none = NULL;

	*ret = f;
	if (f)
		return 0;
	f = calloc(1, sizeof(*f));
	int status = f ? read_system(&f->system) : status_no_memory(NULL);
	if (status == 0)
		status = read_user(&f->user);
	if (status == 0 && atomic_compare_exchange_strong(&known, &none, f)) {
		*ret = f;
		return 0;
	}
	files_free(f);
	*ret = none;
	return status;
}

void policy_begin(void)
{
	const struct files *f;

	if (files_now(&f) < 0)
		status_clear();
}

void policy_use_directory(const char *path)
{
	system_directory = path;
	atomic_store(&known, NULL);
}

bool policy_is_needed(const struct dlazy_module *m)
{
	const struct files *f;

	if (m->is_part || !m->kind->is_plugin_file)
		return false;
	bool unknown = files_now(&f) < 0;

	return unknown || f->system.count || f->user.count;
}

/* ------------------------------------------------------------------ */
/* Deciding                                                           */

/* The base name of the program. */
static const char *this_program(char *buffer, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buffer, size - 1);

	if (n <= 0)
		return program_invocation_short_name;
	buffer[n] = '\0';
	return file_base_name(buffer);
}

static const struct line *last_that_fits(const struct lines *l,
					 const char *program,
					 const char *plugin)
{
	for (size_t i = l->count; i-- > 0;)
		if (fnmatch(l->lines[i].program, program, 0) == 0 &&
		    fnmatch(l->lines[i].plugin, plugin, 0) == 0)
			return &l->lines[i];
	return NULL;
}

static int decided(struct policy_decision *ret, int policy, const char *by)
{
	ret->policy = policy;
	snprintf(ret->by, sizeof(ret->by), "%s", by);
	return 0;
}

int policy_decide(const char *name, int host, const char *load,
		  const char *program, struct policy_decision *ret)
{
	char own[4096];
	const struct files *f;
	int status = files_now(&f);

	if (status < 0)
		return status;
	bool any = f->system.count || f->user.count;
	if (any && !program)
		program = this_program(own, sizeof(own));
	const struct line *system =
		any ? last_that_fits(&f->system, program, name) : NULL;
	if (system && system->policy == DLAZY_POLICY_NEVER)
		return decided(ret, system->policy, system->place);
	if (host != DLAZY_POLICY_DEFAULT)
		return decided(ret, host, "the host");
	const struct line *user =
		any ? last_that_fits(&f->user, program, name) : NULL;
	if (user)
		return decided(ret, user->policy, user->place);
	if (system)
		return decided(ret, system->policy, system->place);
	int said = load ? policy_of_word(load) : -1;
	if (said > 0 && said < DLAZY_POLICY_NEVER)
		return decided(ret, said, "its metadata");
	return decided(ret, DLAZY_POLICY_LAZY, "default");
}

int policy_by_files(const struct dlazy_module *m)
{
	_cleanup_free_ struct policy_decision *d =
		policy_is_needed(m) ? malloc(sizeof(*d)) : NULL;
	int policy = DLAZY_POLICY_DEFAULT;

	if (d && policy_decide(m->name, atomic_load(&m->host_policy), NULL,
			       NULL, d) == 0)
		policy = d->policy;
	status_clear();
	return policy;
}

/* Its own function, as a thread's stack may be small. */
__attribute__((noinline)) static int check_name(const struct dlazy_module *m)
{
	_cleanup_free_ struct policy_decision *d = malloc(sizeof(*d));

	if (!d)
		return status_no_memory(m->name);
	int status = policy_decide(m->name, atomic_load(&m->host_policy), NULL,
				   NULL, d);
	if (status < 0 || d->policy != DLAZY_POLICY_NEVER)
		return status;
	return status_fail(DLAZY_EPOLICY, "%s: never to be loaded: %s says so",
			   m->path[0] ? m->path : m->name, d->by);
}

int policy_check(const struct dlazy_module *m)
{
	return policy_is_needed(m) ? check_name(m) : 0;
}
