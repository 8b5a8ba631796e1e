/* SPDX-License-Identifier: MIT */
/*
 * Required modules are loaded one inside the other, on the thread that loads what
 * requires them and before the linker is asked, so no lock of the linker's is held
 * meanwhile. A thread waits for another only where it is loading nothing itself; so
 * two that come from both ends of a chain, or of a circle, each go all the way.
 *
 * There is a circle if a module is required whose own requirements this thread is
 * just loading. A module whose constructor is running counts as loaded.
 *
 * What a module required when it was loaded stays known, under load_lock, for
 * unloading.
 */
#include "load/require.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "load/dependents.h"
#include "load/load.h"
#include "load/metadata.h"
#include "meta/document.h"

#ifdef __GLIBC__
#include <gnu/lib-names.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(require_find_fn *) find;
static _Atomic(require_said_fn *) said = metadata_of_module;

void require_ask_registries(require_find_fn *find_fn, require_said_fn *said_fn)
{
	atomic_store(&said, said_fn);
	atomic_store(&find, find_fn);
}

/* The i-th that it needs, or a file that is to take the place of its own; NULL: there
 * are no more. */
static const char *needed_locked(const struct dlazy_module *m,
				 const struct elf_view *file, size_t i)
{
	const struct elf_view *view = file ? file : m->view;

	if (view)
		return i < elf_view_needed_count(view)
			       ? elf_view_needed(view, i)
			       : NULL;
	return m->record && i < record_needs_count(m->record)
		       ? record_need(m->record, i)
		       : NULL;
}

/* One behind the other, each with its NUL, as many as there is room for; the size of
 * all. */
static size_t copy_needed(const struct dlazy_module *m,
			  const struct elf_view *file, char *to, size_t room)
{
	size_t size = 0;
	const char *name;

	LOCKED(&load_lock);
	for (size_t i = 0; (name = needed_locked(m, file, i)); i++) {
		size_t length = strlen(name) + 1;

		if (size + length <= room)
			memcpy(to + size, name, length);
		size += length;
	}
	return size;
}

/* Nothing is allocated under the lock, as an interposed malloc() may use this
 * library. malloc'd; NULL: out of memory. */
static char *needed(const struct dlazy_module *m, const struct elf_view *file,
		    size_t *ret_size)
{
	for (size_t room = copy_needed(m, file, NULL, 0);;) {
		char *names = malloc(room + 1);
		size_t size = names ? copy_needed(m, file, names, room) : 0;

		*ret_size = size;
		if (!names || size <= room)
			return names;
		free(names);
		room = size; /* it is another file by now */
	}
}

/* ------------------------------------------------------------------ */
/* Loading                                                            */

struct requiring {
	struct loading_frame *frame;
	const struct touch *touch;
	const struct elf_view *file;
	struct dlazy_module *failed;
	struct dlazy_module **modules;
	size_t count, room;
};

/* "a requires b requires a". */
static int fail_circle(const struct loading_frame *frame,
		       const struct dlazy_module *again)
{
	char circle[STATUS_MESSAGE_MAX / 2] = "";
	size_t n = 0;

	for (const struct loading_frame *f = frame; f; f = f->outer) {
		char before[sizeof(circle)];

		strcpy(before, circle);
		n = (size_t)snprintf(circle, sizeof(circle), "%s requires %s",
				     f->module->name, n ? before : again->name);
		if (n >= sizeof(circle) || f->module == again)
			break;
	}
	return status_fail(DLAZY_EDEPEND, "a circle: %s", circle);
}

static bool is_requiring(const struct loading_frame *frame,
			 const struct dlazy_module *m)
{
	for (const struct loading_frame *f = frame; f && f->requiring;
	     f = f->outer)
		if (f->module == m)
			return true;
	return false;
}

/* Facts about other files than m's are a missing dependency, for who asked for m. */
static int status_of_required(int status)
{
	switch (-status) {
	case DLAZY_EBUSY:
	case DLAZY_EDEADLK:
	case DLAZY_EPOLICY:
	case DLAZY_ECANCELED:
		return -status;
	default:
		return status_is_state(status) ? -status : DLAZY_EDEPEND;
	}
}

static int load_one(struct dlazy_module *m, const struct touch *touch)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	return load_module(m, touch, &loaded);
}

/* A file that is loaded anew may require what requires the one before. */
static int check_no_dependent(struct dlazy_module *m,
			      const struct dlazy_module *wanted)
{
	struct dlazy_module **dependents = NULL;
	ptrdiff_t n = dependents_find(m, &dependents);
	int status = n < 0 ? status_no_memory(m->name) : 0;

	for (ptrdiff_t i = 0; i < n && status == 0; i++)
		if (dependents[i] == wanted)
			status = status_fail(
				DLAZY_EDEPEND,
				"a circle: %s requires %s requires %s", m->name,
				wanted->name, m->name);
	free(dependents);
	return status;
}

static int require_one(struct requiring *r, struct dlazy_module *wanted)
{
	struct dlazy_module *m = r->frame->module;
	struct touch touch = {.caller = r->touch->caller,
			      .again = r->touch->again};
	int status = 0;

	if (wanted == m)
		return 0;
	if (is_requiring(r->frame, wanted))
		status = fail_circle(r->frame, wanted);
	else if (!atomic_load(&wanted->handle))
		status = load_one(wanted, &touch);
	if (status == 0 && r->file)
		status = check_no_dependent(m, wanted);
	if (status < 0) {
		char message[STATUS_MESSAGE_MAX];

		strcpy(message, status_message());
		r->failed = wanted;
		return status_fail(status_of_required(status),
				   "%s: requires %s: %.900s", m->name,
				   wanted->name, message);
	}
	if (!array_reserve(&r->modules, r->count, &r->room,
			   sizeof(*r->modules)))
		return status_no_memory(m->name);
	r->modules[r->count++] = wanted;
	return 0;
}

static int require_name(struct requiring *r, const char *name, bool soname)
{
	struct dlazy_module *m = r->frame->module, *wanted = NULL;
	int status = atomic_load(&find)(m, name, soname, &wanted);

	if (status < 0)
		return status;
	if (wanted)
		return require_one(r, wanted);
	if (soname)
		return 0; /* the linker's to find */
	return status_fail(
		DLAZY_EDEPEND,
		"%s: requires %s, which no plugin of its registry is "
		"or provides",
		m->name, name);
}

/* What nearly every plugin needs is in the process, so no plugin's to be. */
static bool is_libc(const char *soname)
{
#ifdef __GLIBC__
	return !strcmp(soname, LIBC_SO);
#else
	(void)soname;
	return false;
#endif
}

static int require_needed(struct requiring *r)
{
	size_t size;
	_cleanup_free_ char *names = needed(r->frame->module, r->file, &size);
	int status = 0;

	if (!names)
		return status_no_memory(NULL);
	for (size_t at = 0; at < size && status == 0;
	     at += strlen(names + at) + 1)
		if (!is_libc(names + at))
			status = require_name(r, names + at, true);
	return status;
}

static int require_named(struct requiring *r)
{
	const struct document *document;
	int status = atomic_load(&said)(r->frame->module, &document);
	const char *name;
	char key[32];

	if (status < 0 || !document) /* what is unusable says nothing */
		return status_is_state(status) ? status : 0;
	for (unsigned i = 0; status == 0; i++) {
		snprintf(key, sizeof(key), "/requires/%u", i);
		name = document_property(document, key);
		if (!name)
			break;
		status = require_name(r, name, false);
	}
	return status;
}

/* Whether it is a registry's, in which what it requires is looked for. */
static bool is_of_registry(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m->borrows > 0;
}

static int require_all(struct loading_frame *frame, const struct touch *touch,
		       const struct elf_view *file, struct load_required *ret)
{
	struct dlazy_module *m = frame->module;
	struct requiring r = {.frame = frame, .touch = touch, .file = file};

	if (!atomic_load(&find) || !m->kind->is_plugin_file || m->is_part ||
	    touch->relocating || !is_of_registry(m))
		return 0;
	frame->requiring = true;
	int status = require_named(&r);
	if (status == 0)
		status = require_needed(&r);
	frame->requiring = false;
	if (status < 0) {
		free(r.modules);
		ret->failed = r.failed;
		return status;
	}
	status_clear();
	*ret = (struct load_required){r.modules, r.count, NULL};
	return 0;
}

/* ------------------------------------------------------------------ */
/* Hints                                                              */

int require_add_hint(struct dlazy_module *m, int status)
{
	const struct document *document = NULL;
	char message[STATUS_MESSAGE_MAX];

	/* Who is inside the linker does not read files that may need a module. */
	if (loading_has_linker() || status_is_state(status) ||
	    !m->kind->is_plugin_file || m->is_part)
		return status;
	strcpy(message, status_message());
	if (atomic_load(&said)(m, &document) < 0)
		document = NULL;
	const char *hint =
		document ? document_property(document, "hint") : NULL;
	if (!hint || strstr(message, hint))
		return status_fail(-status, "%s", message);
	return status_fail(-status, "%.700s; hint: %s", message, hint);
}

static const struct load_demand demand = {
	.require = require_all,
	.add_hint = require_add_hint,
};

void require_begin(void)
{
	load_set_demand(&demand);
}
