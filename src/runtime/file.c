/* SPDX-License-Identifier: MIT */
/*
 * Finding the file of a lazy library. The stub file names the files that may
 * be it; which of them is there is looked up each time. Files are read, none
 * is loaded.
 */
#include "runtime/file.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/view.h"
#include "load/bind.h"
#include "load/dl.h"
#include "load/verdict.h"
#include "runtime/root.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *linked_first_file(const struct linked *l)
{
	return linked_string(l, l->files);
}

struct linked_search linked_search(const struct linked *l)
{
	return (struct linked_search){.linked = l,
				      .next = linked_first_file(l)};
}

void linked_search_end(struct linked_search *search)
{
	free(search->path);
}

/*
 * A bare name is searched for in the name of the object that has the stubs. That
 * object itself may carry the SONAME it stands for, and be found: it is passed
 * over.
 */
static int find_bare(const struct linked *l, const char *name, char **ret)
{
	struct search_origin origin = dl_origin_of(l);
	struct file_identity own = {.ino = 0}, found;
	_cleanup_free_ char *loaded = dl_loaded_path(name);

	if (file_identify(AT_FDCWD, origin.path, &own) < 0)
		status_clear();
	if (loaded && file_identify(AT_FDCWD, loaded, &found) == 0 &&
	    !file_identity_equal(&own, &found)) {
		*ret = TAKE_PTR(loaded);
		return 0;
	}
	return search_library_but(name, &origin, &own, ret);
}

static int find_file(const struct linked *l, const char *name, char **ret)
{
	if (!strchr(name, '/'))
		return find_bare(l, name, ret);
	*ret = strdup(name);
	return *ret ? 0 : status_fail(DLAZY_ENOMEM, "out of memory");
}

bool linked_search_next(struct linked_search *search)
{
	while (*search->next) {
		const char *name = search->next;

		search->next += strlen(name) + 1;
		free(TAKE_PTR(search->path));
		int status = find_file(search->linked, name, &search->path);
		if (status == 0)
			status = file_identify(AT_FDCWD, search->path,
					       &search->identity);
		if (status == 0)
			return true;
		if (status_is_state(status))
			search->state = status;
	}
	return false;
}

/* Says which were looked for; returns -DLAZY_ENOENT. */
static int not_found(const struct linked *l)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	char names[STATUS_MESSAGE_MAX / 2] = "";
	size_t used = 0;

	/* The words about the last one say where it was looked for. */
	while (linked_search_next(&search))
		;
	for (const char *at = linked_first_file(l); *at; at += strlen(at) + 1) {
		size_t room = sizeof(names) - used;
		int n = snprintf(names + used, room, "%s%s", used ? ", " : "",
				 at);
		if (n < 0 || (size_t)n >= room)
			break;
		used += (size_t)n;
	}
	if (search.state < 0)
		return status_fail(-search.state, "%s", status_message());
	return status_fail(DLAZY_ENOENT, "%s: not there (%s)", names,
			   status_message());
}

/* One identity for all that is there. */
static void identify(const struct dlazy_module *m, struct file_identity *ret)
{
	_cleanup_linked_search_ struct linked_search search =
		linked_search(m->source);
	uint64_t all = 0;

	while (linked_search_next(&search))
		all = all * 3 +
		      hash_bytes(&search.identity, sizeof(search.identity));
	*ret = (struct file_identity){.ino = all};
}

/* The build-id that the stub file was made for; returns its length. */
size_t linked_build(const struct linked *l, uint8_t id[LINKED_BUILD_MAX])
{
	const char *text = linked_string(l, l->build);
	size_t n = 0;
	unsigned byte;

	while (n < LINKED_BUILD_MAX && sscanf(text + 2 * n, "%2x", &byte) == 1)
		id[n++] = (uint8_t)byte;
	return n;
}

static bool is_the_build(const struct linked *l, const char *path)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	uint8_t wanted[LINKED_BUILD_MAX];
	size_t size, n = linked_build(l, wanted);

	if (file_open(AT_FDCWD, path, &fd, NULL) < 0 ||
	    elf_view_open(fd, path, &view) < 0) {
		status_clear();
		return true; /* the linker will say what is wrong */
	}
	const uint8_t *id = elf_view_build_id(view, &size);
	return size == n && memcmp(id, wanted, n) == 0;
}

/* Is the file of the build that the stub file was made for? */
bool linked_is_build(const struct linked *l, const char *path,
		     const struct file_identity *identity)
{
	char file[32];

	snprintf(file, sizeof(file), LINKED_FILE_HASH,
		 (unsigned long long)hash_bytes(identity, sizeof(*identity)));
	return strcmp(file, linked_string(l, l->file)) == 0 ||
	       is_the_build(l, path);
}

/* Is the file one that goes with what the stub file has of the library, or has
 * said for it? */
static bool goes_with(const struct linked *l, const char *path,
		      const struct file_identity *identity)
{
	return !*linked_string(l, l->build) ||
	       (!l->copied && !atomic_load(&linked_state(l)->told)) ||
	       linked_is_build(l, path, identity);
}

static int check_file(const struct dlazy_module *m, char **ret_path)
{
	const struct linked *l = m->source;

	if (l->run && root_is_changed())
		return root_check(l, m->path, &m->identity, ret_path);
	if (goes_with(l, m->path, &m->identity))
		return 0;
	return status_fail(DLAZY_ENOENT,
			   "%s is another build than the stub was made for, "
			   "which stood for some of it already: start the "
			   "program again",
			   m->path);
}

bool linked_available(const struct linked *l)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	const struct dlazy_module *m = atomic_load(&linked_state(l)->module);
	int flags = dl_flags_linked(false);

	if (m && atomic_load(&m->handle))
		return true;
	while (linked_search_next(&search))
		if (goes_with(l, search.path, &search.identity) &&
		    verdict_file(search.path, flags, NULL, NULL) == 0)
			return true;
	status_clear();
	return false;
}

/* "NAME" or "NAME@VERSION" among the exports of a file. */
static bool exports(const char *path, const struct bind_request *wanted)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	struct elf_symbol symbol;

	return file_open(AT_FDCWD, path, &fd, NULL) == 0 &&
	       elf_view_open(fd, path, &view) == 0 &&
	       elf_view_find(view, wanted->name, wanted->version, &symbol);
}

/*
 * Of the file that a first call would load, or has loaded. It is read, even if
 * it is loaded: dlsym() would find what its needed libraries export, too.
 */
bool linked_has(const struct linked *l, const char *symbol)
{
	_cleanup_linked_search_ struct linked_search search = linked_search(l);
	_cleanup_request_ struct bind_request wanted = {.name = NULL};
	const struct dlazy_module *m = atomic_load(&linked_state(l)->module);
	int flags = dl_flags_linked(false);

	if (bind_parse(symbol, &wanted) < 0) {
		status_clear();
		return false;
	}
	const char *file = NULL;

	if (m && atomic_load(&m->handle))
		file = module_object(m);
	while (!file && linked_search_next(&search))
		if (goes_with(l, search.path, &search.identity) &&
		    verdict_file(search.path, flags, NULL, NULL) == 0)
			file = search.path;
	bool found = file && exports(file, &wanted);

	status_clear();
	return found;
}

/* ------------------------------------------------------------------ */
/* What load/ asks of this kind of module                             */

static int next_file(struct module_search *search)
{
	struct dlazy_module *m = search->module;
	struct linked_search *own = search->own;

	/* Usually it was looked for a moment ago. */
	search->aside = !search->tried && module_is_fresh(m);
	if (search->aside)
		return 0;
	if (!own) {
		own = search->own = malloc(sizeof(*own));
		if (!own)
			return status_fail(DLAZY_ENOMEM, "out of memory");
		*own = linked_search(m->source);
	}
	return linked_search_next(own)
		       ? module_found(m, own->path, &own->identity)
		       : not_found(m->source);
}

static void end_search(struct module_search *search)
{
	if (search->own)
		linked_search_end(search->own);
	free(search->own);
}

/*
 * The linker knows the stub file of `dlazy run` by those of its names that were
 * looked up so far. Another would from now on mean the real library, opened by
 * its path: one that is opened inside, as its data is taken, and needs it would
 * find it in the middle of its relocation.
 */
static void keep_name(const struct dlazy_module *m)
{
	const struct linked *l = m->source;

	if (l->run)
		dl_open_again(file_base_name(m->path), 0);
}

/*
 * The user of the program may not be its author, and may never have heard of
 * the hook.
 */
static void advise(const struct dlazy_module *m, int status, char *buffer,
		   size_t size)
{
	const struct linked *l = m->source;
	const char *package = linked_string(l, l->package);
	const char *hook =
		"a program that can go on without it sets a hook with "
		"dlazy_on_failure()";

	if (l->run)
		snprintf(buffer, size,
			 "run it with `dlazy run --eager='%s*'`: then it is "
			 "loaded at the start, as without dlazy",
			 m->name);
	else if (status != -DLAZY_ENOENT && m->path[0] == '/')
		snprintf(buffer, size, "run `dlazy check %s`; %s", m->path,
			 hook);
	else
		snprintf(buffer, size,
			 "install %s%s, or name its directory in "
			 "LD_LIBRARY_PATH; %s",
			 *package ? package : "the package that has ",
			 *package ? "" : file_base_name(linked_first_file(l)),
			 hook);
}

const struct module_kind linked_kind = {
	.next_file = next_file,
	.end_search = end_search,
	.check_file = check_file,
	.before_open = keep_name,
	.identify = identify,
	.advise = advise,
	.is_undeclared = true,
};
