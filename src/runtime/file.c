/* SPDX-License-Identifier: MIT */
/*
 * Finding the file of a lazy library. The stub file names the files that may
 * be it; which of them is there is looked up each time. Files are read, none
 * is loaded.
 */
#include "runtime/file.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/memstream.h"
#include "base/status.h"
#include "elf/search.h"
#include "elf/view.h"
#include "load/bind.h"
#include "load/check.h"
#include "load/dl.h"
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
	struct search_origin program, origin = dl_origin_of(l);
	struct file_identity own = {.ino = 0}, found;
	_cleanup_free_ char *loaded = dl_loaded_path(name);

	origin.program = dl_program_origin(&program) ? &program : NULL;
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
	return *ret ? 0 : status_no_memory(NULL);
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

	if (!identity->ino) /* where it is the linker knows, at most */
		return false;
	snprintf(file, sizeof(file), LINKED_FILE_HASH,
		 (unsigned long long)hash_bytes(identity, sizeof(*identity)));
	return strcmp(file, linked_string(l, l->file)) == 0 ||
	       is_the_build(l, path);
}

/* Has the stub file something of one build, or has said something for it? */
static bool is_of_one_build(const struct linked *l)
{
	return *linked_string(l, l->build) &&
	       (l->copied || atomic_load(&linked_state(l)->told));
}

/* Does the file go with that? */
static bool goes_with(const struct linked *l, const char *path,
		      const struct file_identity *identity)
{
	return !is_of_one_build(l) || linked_is_build(l, path, identity);
}

static int check_file(const struct dlazy_module *m, char **ret_path)
{
	const struct linked *l = m->source;
	struct file_identity identity = module_identity(m);

	if (l->run && root_is_changed())
		return root_check(l, m->path, &identity, ret_path);
	if (goes_with(l, m->path, &identity))
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
		    load_check_file(search.path, flags, NULL, NULL) == 0)
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
		    load_check_file(search.path, flags, NULL, NULL) == 0)
			file = search.path;
	bool found = file && exports(file, &wanted);

	status_clear();
	return found;
}

/* ------------------------------------------------------------------ */
/* Left to the linker                                                 */

bool linked_is_left_to_linker(const struct linked *l)
{
	const char *name = linked_first_file(l);

	return !l->run && *name && !strchr(name, '/') && !is_of_one_build(l) &&
	       dl_searches_alike(l, name) &&
	       !search_may_be_in(dl_runpath_of(l), name);
}

/* Paths and names that the linker is given, each with its NUL, an empty one
 * last. */
struct name_list {
	char *names;
	size_t size;
	FILE *out;
};

/* DIRECTORY/NAME, as the linker expands what is in it. */
static void add_in_directory(struct name_list *list, const char *directory,
			     size_t n, const char *name,
			     const struct search_origin *origin)
{
	_cleanup_free_ char *path = NULL, *expanded = NULL;

	if (asprintf(&path, "%.*s/%s", n ? (int)n : 1, n ? directory : ".",
		     name) < 0) {
		path = NULL;
		return;
	}
	if (!strchr(path, '$'))
		fprintf(list->out, "%s%c", path, 0);
	else if (search_expand(path, origin->path, &expanded) == 0)
		fprintf(list->out, "%s%c", expanded, 0);
}

/* A bare name: what is in the RUNPATH of who asks, which does not count for
 * this library, and what the linker finds. Not the object that asks itself. */
static void add_bare(struct name_list *list, const struct linked *l,
		     const char *name)
{
	struct search_origin origin = dl_origin_of(l);
	const char *at = *origin.runpath ? origin.runpath : origin.rpath;

	while (*at) {
		size_t n = strcspn(at, ":");

		add_in_directory(list, at, n, name, &origin);
		at += n + (at[n] == ':');
	}
	if (!dl_has_name(l, name))
		fprintf(list->out, "%s%c", name, 0);
}

/* All that the library may be, in order, for the linker to try. */
static char *list_names(const struct linked *l)
{
	struct name_list list = {.names = NULL};

	list.out = open_memstream(&list.names, &list.size);
	if (!list.out)
		return NULL;
	for (const char *at = linked_first_file(l); *at; at += strlen(at) + 1)
		if (strchr(at, '/'))
			fprintf(list.out, "%s%c", at, 0);
		else
			add_bare(&list, l, at);
	fputc(0, list.out);
	memstream_end(list.out, &list.names);
	return list.names;
}

/* ------------------------------------------------------------------ */
/* What load/ asks of this kind of module                             */

/* A search for one load: where this library finds a file, and if it finds none,
 * where the linker may: a program can have an open() of its own, which only we
 * would be given. */
struct own_search {
	struct linked_search files;
	bool found;	  /* one of them */
	char *names;	  /* for the linker; NULL: not asked */
	const char *next; /* of them */
};

/* At first the linker searches alone, where it finds what we would find. That
 * was asked a moment ago, unless this is another try. */
static bool is_left(const struct dlazy_module *m)
{
	const struct linked *l = m->source;

	if (strcmp(m->path, linked_first_file(l)) != 0 || is_of_one_build(l))
		return false;
	return module_is_new(m) ? m->looked_for != NULL
				: linked_is_left_to_linker(l);
}

static int begin_search(struct module_search *search)
{
	struct dlazy_module *m = search->module;
	struct own_search *own = calloc(1, sizeof(*own));

	search->own = own;
	if (!own)
		return status_no_memory(NULL);
	own->files = linked_search(m->source);
	search->aside = !search->reads && is_left(m);
	return search->aside ? 0 : -DLAZY_ENOENT;
}

static int next_name(struct module_search *search)
{
	static const struct file_identity unknown;
	const struct linked *l = search->module->source;
	struct own_search *own = search->own;

	if (search->reads || own->found || own->files.state < 0 ||
	    (l->run && root_is_changed()))
		return -DLAZY_ENOENT;
	if (!own->names)
		own->next = own->names = list_names(l);
	if (!own->next || !*own->next)
		return -DLAZY_ENOENT;
	const char *name = own->next;
	own->next += strlen(name) + 1;
	search->aside = true;
	return module_found(search->module, name, &unknown);
}

/* By what an upgrade has renamed over it, say. Where the root has changed, a path
 * says nothing about that: see check_file(). */
static bool was_replaced(const struct dlazy_module *m)
{
	const struct linked *l = m->source;
	struct file_identity known = module_identity(m), now;

	if (l->run && root_is_changed())
		return false;
	if (file_identify(AT_FDCWD, m->path, &now) == 0)
		return !file_identity_equal(&known, &now);
	status_clear();
	return false;
}

static int next_file(struct module_search *search)
{
	struct dlazy_module *m = search->module;
	struct own_search *own = search->own;

	/* Usually it was looked for a moment ago, but it can be long ago. */
	search->aside =
		!search->tried && module_is_fresh(m) && !was_replaced(m);
	if (search->aside)
		return 0;
	if (!own) {
		int status = begin_search(search);
		if (status != -DLAZY_ENOENT)
			return status;
		own = search->own;
	}
	if (linked_search_next(&own->files)) {
		own->found = true;
		return module_found(m, own->files.path, &own->files.identity);
	}
	if (next_name(search) == 0)
		return 0;
	search->aside = false;
	return not_found(m->source);
}

static void end_search(struct module_search *search)
{
	struct own_search *own = search->own;

	if (!own)
		return;
	linked_search_end(&own->files);
	free(own->names);
	free(own);
}

/* Where it was, if it was the linker that found it. */
static void note_file(struct dlazy_module *m, void *handle)
{
	_cleanup_free_ char *path = NULL;
	struct file_identity identity = module_identity(m);

	if (identity.ino)
		return;
	path = dl_path_of(handle);
	if (path && (file_identify(AT_FDCWD, path, &identity) < 0 ||
		     module_found(m, path, &identity) < 0))
		status_clear();
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

bool linked_can_follow(const struct dlazy_module *m)
{
	return module_is_file(m) || !atomic_load(&m->of_one_build);
}

static const char *keeps_object(const struct dlazy_module *m)
{
	if (!linked_can_follow(m))
		return "a stub file of it is of one build";
	/* LD_LIBRARY_PATH may have such a directory. */
	if (atomic_load(&m->handle) && *m->path != '/')
		return "the dynamic linker has found it by a relative path";
	return NULL;
}

const struct module_kind linked_kind = {
	.next_file = next_file,
	.end_search = end_search,
	.check_file = check_file,
	.before_open = keep_name,
	.opened = note_file,
	.identify = identify,
	.advise = advise,
	.keeps_object = keeps_object,
	.is_undeclared = true,
};
