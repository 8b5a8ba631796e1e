/* SPDX-License-Identifier: MIT */
/*
 * Finding a library by the names that builders have at hand: what they give to
 * the linker (-lpng16), what ldd(1) prints (libpng16.so.16), a path. Files are
 * read; no library is loaded.
 */
#include "cli/stub/selection.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/search.h"
#include "link/code/undefined.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ */
/* Which file                                                         */

/* Most of a linker's script that is looked at. */
#define SCRIPT_MAX 1023

/* The command of a linker's script, "" if the file is none. */
static const char *script_command(const char *path, char text[SCRIPT_MAX + 1])
{
	static const char *const commands[] = {"INPUT", "GROUP"};
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, text, SCRIPT_MAX, 0);

	text[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char *found = strstr(text, commands[i]);
		if (found) {
			found[strcspn(found, "\n")] = '\0';
			return found;
		}
	}
	return "";
}

/* What only ld(1) understands is not read for it. */
static int refuse_script(const char *path)
{
	char text[SCRIPT_MAX + 1];
	const char *command = script_command(path, text);

	if (!*command)
		return 0;
	return status_fail(DLAZY_EFORMAT,
			   "%s is a script for the linker, \"%s\": name one of "
			   "the libraries in it",
			   path, command);
}

static int find_bare(const char *name, char **ret_path)
{
	int status = search_library(name, NULL, ret_path);

	if (status != -DLAZY_ENOENT)
		return status;
	if (access(name, F_OK) == 0)
		return status_fail(DLAZY_ENOENT,
				   "%s: not in the library directories; for "
				   "the file in this directory: ./%s",
				   name, name);
	if (!strstr(name, ".so"))
		return status_fail(DLAZY_ENOENT,
				   "%s: no library's file is called so; as the "
				   "linker calls it: -l%s",
				   name,
				   strncmp(name, "lib", 3) ? name : name + 3);
	return status;
}

/* The file that -lNAME or -l:FILE stands for. */
static int name_flag(const char *flag, char name[NAME_MAX + 1])
{
	bool whole = *flag == ':';
	int n = snprintf(name, NAME_MAX + 1, "%s%s%s", whole ? "" : "lib",
			 flag + whole, whole ? "" : ".so");

	if (n >= 0 && n <= NAME_MAX)
		return 0;
	return status_fail(DLAZY_EINVAL, "-l%s: name too long", flag);
}

/* That file in the directories of -L: 1, 0, or a status. */
static int find_given(const struct selection *s, const char *name,
		      char **ret_path)
{
	char path[PATH_MAX];

	for (const char **dir = s->directories; *dir; dir++) {
		int n = snprintf(path, sizeof(path), "%s/%s", *dir, name);
		if (n < 0 || (size_t)n >= sizeof(path) ||
		    access(path, F_OK) < 0)
			continue;
		*ret_path = file_absolute(path);
		return *ret_path ? 1 : status_last();
	}
	return 0;
}

static int find_flag(const struct selection *s, char **ret_path)
{
	char name[NAME_MAX + 1];
	int status = name_flag(s->flag, name);
	int found = status < 0 ? status : find_given(s, name, ret_path);

	if (found)
		return found < 0 ? found : 0;
	status = search_library(name, NULL, ret_path);
	if (status == -DLAZY_ENOENT && *s->flag == ':')
		return status_fail(DLAZY_ENOENT,
				   "-l%s: there is no such file in the "
				   "directories of -L and of the system",
				   s->flag);
	if (status == -DLAZY_ENOENT)
		return status_fail(DLAZY_ENOENT,
				   "-l%s: there is no %s in the directories of "
				   "-L and of the system (development packages "
				   "have it); the library itself will do, too: "
				   "its path, or its name (%s.1)",
				   s->flag, name, name);
	return status;
}

int selection_find(const struct selection *s, char **ret_path)
{
	_cleanup_free_ char *path = NULL;
	int status;

	if (s->flag) {
		status = find_flag(s, &path);
	} else if (strchr(s->name, '/')) {
		path = file_absolute(s->name);
		status = path ? 0 : status_last();
	} else {
		status = find_bare(s->name, &path);
	}
	if (status == 0)
		status = refuse_script(path);
	if (status == 0)
		*ret_path = TAKE_PTR(path);
	return status;
}

/* ------------------------------------------------------------------ */
/* Which symbols                                                      */

static bool is_asked_for(const struct selection *s, const char *name)
{
	if (!*s->globs)
		return true;
	for (const char **glob = s->globs; *glob; glob++)
		if (fnmatch(*glob, name, 0) == 0)
			return true;
	return false;
}

/* A symbol of the library, and whether a user names it. */
struct candidate {
	const char *name;
	bool used;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *one = a, *other = b;

	return strcmp(one->name, other->name);
}

struct candidates {
	struct candidate *all; /* by name, each once */
	size_t count;
};

static void candidates_clear(struct candidates *c)
{
	free(c->all);
}

static struct candidate *find_candidate(const struct candidates *c,
					const char *name)
{
	const struct candidate key = {.name = name};

	return c->count ? bsearch(&key, c->all, c->count, sizeof(key),
				  compare_candidates)
			: NULL;
}

static int mark_used(const char *name, void *data)
{
	struct candidate *found = find_candidate(data, name);

	if (found)
		found->used = true;
	return 0;
}

/* Its names, each once. */
static int list_candidates(const struct library *library,
			   struct candidates *ret)
{
	size_t count = 0;

	ret->all = calloc(library->symbol_count + 1, sizeof(*ret->all));
	if (!ret->all)
		return status_no_memory(NULL);
	for (size_t i = 0; i < library->symbol_count; i++)
		ret->all[i].name = library->symbols[i].name;
	qsort(ret->all, library->symbol_count, sizeof(*ret->all),
	      compare_candidates);
	for (size_t i = 0; i < library->symbol_count; i++)
		if (count == 0 ||
		    strcmp(ret->all[count - 1].name, ret->all[i].name) != 0)
			ret->all[count++] = ret->all[i];
	ret->count = count;
	return 0;
}

/* What of the library the users name. */
static int read_users(const struct selection *s, const struct library *library,
		      struct candidates *ret)
{
	int status = list_candidates(library, ret);

	for (const char **path = s->users; status == 0 && *path; path++)
		status = undefined_each(*path, mark_used, ret);
	return status == -DLAZY_EFORMAT ? status_prefix("--used-by") : status;
}

static bool is_used(const struct selection *s, const struct candidates *c,
		    const char *name)
{
	return !*s->users || find_candidate(c, name)->used;
}

int selection_apply(const struct selection *s, struct library *library)
{
	_cleanup_(candidates_clear) struct candidates candidates = {NULL, 0};
	int status = *s->users ? read_users(s, library, &candidates) : 0;
	size_t kept = 0;

	if (status < 0)
		return status;
	for (size_t i = 0; i < library->symbol_count; i++)
		if (is_asked_for(s, library->symbols[i].name) &&
		    is_used(s, &candidates, library->symbols[i].name))
			library->symbols[kept++] = library->symbols[i];
	library->symbol_count = kept;
	if (kept)
		return 0;
	return status_fail(DLAZY_ENOSYM,
			   "%s: no symbol is left to make a stub of: look at "
			   "what it exports (dlazy info FILE --symbols)%s",
			   library->soname,
			   *s->globs || *s->users ? ", --only and --used-by"
						  : "");
}
