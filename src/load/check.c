/* SPDX-License-Identifier: MIT */
/*
 * Only facts about files are remembered: which objects have all their symbols
 * defined by the files that they need (by the identities of all these files), and
 * what was read of libraries. What is missing is looked for again each time, as it
 * may have come; what this process supplies, as it may have gone.
 *
 * A check takes the memory in one step and gives it back in one, so that no lock is
 * held while files are read. A check that comes meanwhile begins with an empty one;
 * of two that are given back one is kept.
 */
#include "load/check.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "elf/check.h"
#include "elf/viewcache.h"
#include "load/dl.h"
#include "load/load.h"

#include <stdlib.h>
#include <string.h>

struct memory {
	struct map known; /* keys of elf/check.h */
	struct view_cache views;
};

static _Atomic(struct memory *) kept; /* NULL: none, or somebody has it */

static struct memory *take_memory(void)
{
	ATOMIC_SHARED(&kept);
	struct memory *memory = atomic_exchange(&kept, NULL);

	return memory ? memory : calloc(1, sizeof(*memory));
}

static void give_back(struct memory **memory)
{
	struct memory *none = NULL;

	if (!*memory || atomic_compare_exchange_strong(&kept, &none, *memory))
		return;
	map_clear(&(*memory)->known);
	view_cache_clear(&(*memory)->views);
	free(*memory);
}

/* One question. */
struct question {
	struct memory *memory;
	const char *path;
	const struct dlazy_module *module;
	load_check_elsewhere_fn *elsewhere;
	int status; /* of the first problem */
};

static bool has_library(const char *name, void *data)
{
	_cleanup_free_ char *loaded = dl_loaded_path(name);

	(void)data;
	return loaded;
}

static bool has_symbol(const struct elf_symbol *symbol, void *data)
{
	const struct question *q = data;

	return dl_is_defined(symbol->library, symbol->name, symbol->version) ||
	       (q->elsewhere &&
		q->elsewhere(q->module, symbol->name,
			     *symbol->version ? symbol->version : NULL));
}

static bool is_known(uint64_t key, void *data)
{
	const struct question *q = data;

	return map_get(&q->memory->known, key);
}

/* Without memory it is found out again. */
static void know(uint64_t key, void *data)
{
	const struct question *q = data;

	map_put(&q->memory->known, key, q->memory);
}

/* The first problem is the one that the dynamic linker would name. */
static bool note_problem(const struct check_problem *p, void *data)
{
	struct question *q = data;

	switch (p->kind) {
	case CHECK_MISSING:
		q->status = status_fail(
			DLAZY_EDEPEND,
			"%s: needs %s, which is not found (needed by %s); "
			"install the package that has it, or add its directory "
			"to LD_LIBRARY_PATH",
			q->path, p->name, p->needed_by);
		break;
	case CHECK_DAMAGED:
		q->status =
			status_fail(DLAZY_ELOAD,
				    "%s: needs a library that is not usable: "
				    "%s",
				    q->path, p->words);
		break;
	case CHECK_VERSION:
		q->status = status_fail(
			DLAZY_ELOAD,
			"%s: version %s is not in %s (needed by %s)", q->path,
			p->version, p->name, p->needed_by);
		break;
	case CHECK_SYMBOL:
		q->status = status_fail(
			DLAZY_ELOAD, "%s: nobody defines %s%s%s (needed by %s)",
			q->path, p->symbol->name,
			*p->symbol->version ? "@" : "", p->symbol->version,
			p->needed_by);
		break;
	}
	return false;
}

static int judge(const struct walk *walk, const char *path)
{
	const struct elf_view *view = walk->objects[0]->view;
	int status = elf_view_check_plugin(view, path);

	if (status == 0 && elf_view_flags(view) & ELF_NOOPEN)
		status = status_fail(DLAZY_ELOAD,
				     "%s: it forbids dlopen (DF_1_NOOPEN)",
				     path);
	return status;
}

int load_check_file(const char *path, int flags, const struct dlazy_module *m,
		    load_check_elsewhere_fn *elsewhere)
{
	_cleanup_(give_back) struct memory *memory = take_memory();
	_cleanup_walk_ struct walk walk = {.count = 0};
	struct question question = {memory, path, m, elsewhere, 0};

	if (!memory)
		return status_no_memory(path);
	const struct check check = {
		.path = path,
		.lazy = dl_flags_lazy(flags),
		.has_library = has_library,
		.has_symbol = has_symbol,
		.is_known = is_known,
		.know = know,
		.views = &memory->views,
		.problem = note_problem,
		.data = &question,
	};
	int status = check_file(&check, &walk);

	if (status < 0 || question.status < 0)
		return status < 0 ? status : question.status;
	status_clear();
	return judge(&walk, path);
}

/* The words of the first failure, while another file is tried. */
struct first_failure {
	int status;
	char message[STATUS_MESSAGE_MAX];
};

/* Of the file that is next; `instead` is its kind's. */
static const char *path_of(const struct module_search *search,
			   const char *instead)
{
	if (instead)
		return instead;
	return search->object ? search->object : search->module->path;
}

static int check_files_in_turn(struct module_search *search,
			       load_check_elsewhere_fn *elsewhere,
			       struct first_failure *first)
{
	struct dlazy_module *m = search->module;
	int status;

	while ((status = m->kind->next_file(search)) == 0) {
		_cleanup_free_ char *path = NULL;

		status =
			m->kind->check_file ? m->kind->check_file(m, &path) : 0;
		if (status == 0)
			status = load_check_file(path_of(search, path),
						 m->flags, m, elsewhere);
		if (status == 0)
			return 0;
		if (!first->status && !search->aside) {
			first->status = status;
			strcpy(first->message, status_message());
		}
		search->tried++;
	}
	return first->status ? status_fail(-first->status, "%s", first->message)
			     : status;
}

int load_check_module(struct dlazy_module *m,
		      load_check_elsewhere_fn *elsewhere)
{
	struct module_search search = {.module = m, .reads = true};
	struct touch touch = {.symbol = NULL};

	if (module_is_builtin(m) || atomic_load(&m->handle))
		return 0;
	int status = load_recall(m, &touch);
	if (status < 0)
		return status;
	_cleanup_free_ struct first_failure *first = calloc(1, sizeof(*first));
	if (!first)
		return status_no_memory(m->path);
	status = check_files_in_turn(&search, elsewhere, first);
	if (m->kind->end_search)
		m->kind->end_search(&search);
	return status;
}

int load_check_walk(const char *path, walk_found_fn *found, void *data)
{
	_cleanup_(give_back) struct memory *memory = take_memory();
	_cleanup_walk_ struct walk walk = {.count = 0};

	if (!memory)
		return status_no_memory(path);
	const struct walk_options options = {.symbols = true,
					     .found = found,
					     .data = data,
					     .cache = &memory->views};
	return walk_run(&walk, path, &options);
}
