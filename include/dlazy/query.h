/* SPDX-License-Identifier: MIT */
/*
 * Asking a registry what its plugins provide, and who can open a file, by what
 * their metadata say (<dlazy/plugin.h>). No plugin is loaded for it, and no module
 * is made.
 *
 *   struct dlazy_query q = {.size = sizeof(q), .head = bytes, .head_size = n};
 *   struct dlazy_cursor *c = dlazy_registry_query(r, &q);
 *   const struct dlazy_match *match;
 *
 *   if (c && dlazy_cursor_next(c, &match, 1) == 1)
 *           codec = dlazy_sym(dlazy_cursor_module(c, match), match->symbol);
 *   dlazy_cursor_close(c);
 *
 * Conventions are those of <dlazy/dlazy.h>.
 */
#ifndef DLAZY_QUERY_H
#define DLAZY_QUERY_H

#include <dlazy/dlazy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Shadowed plugins, too, and such as cannot be used: `problem` says why. */
#define DLAZY_QUERY_ALL 1u

/*
 * What is asked for. With all of it NULL: each thing that is provided, and each
 * plugin that provides nothing (`id` is NULL). Since: 0.2
 */
struct dlazy_query {
	size_t size; /* sizeof(struct dlazy_query) */
	/* An id, or a glob over ids: "*" is any number of characters, "/" included,
	 * "?" one, "[a-z]" one of a set. NULL: any. */
	const char *provides;
	/* "Who can open this?" Any of the three is enough: a MIME type; a name, never
	 * opened; the first bytes of a file. NULL: not asked. */
	const char *mime;
	const char *file;
	const void *head;
	size_t head_size;
	unsigned flags; /* 0, or DLAZY_QUERY_ALL */
};

/* One thing that a plugin provides. Since: 0.2 */
struct dlazy_match {
	size_t size;
	const char *plugin;	 /* its name in the registry */
	const char *path;	 /* its file; "" for a built-in */
	const char *id;		 /* NULL: the plugin provides nothing */
	const char *description; /* or NULL */
	const char *symbol;	 /* or NULL */
	const char *problem; /* why it cannot be used, or what of its metadata
				    is not usable; NULL: nothing is wrong */
	int rank;	     /* 0 to 1000, higher is better */
	int status;	     /* 0, or the negated DLAZY_E... that
				    dlazy_cursor_module() would fail with */
};

/* A query that is being answered. */
struct dlazy_cursor;

/*
 * Begins a query; what is passed in is copied. The cursor shows the registry as it
 * is now, whatever changes meanwhile, and takes the same memory however many
 * plugins there are; it holds a descriptor for each directory that has a catalog.
 *
 * Order: of one id, and of who can open something, the best ranked first, and of
 * equal ones the first that was added, then by name. Of a glob by directory, and in
 * it by id; of all by directory and name.
 *
 * NULL on failure: -DLAZY_EINVAL (r, q or q->size is missing, a flag is unknown,
 * head is NULL but head_size is not 0), -DLAZY_ENOMEM, -DLAZY_EIO. Any thread.
 * Since: 0.2
 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_cursor *dlazy_registry_query(
	struct dlazy_registry *r, const struct dlazy_query *q);

/*
 * The next matches, into ret[0] to ret[n - 1]. They are the cursor's until its next
 * call.
 *
 * Returns how many; 0: there are no more, or the registry was freed; -DLAZY_EINVAL;
 * or why the catalog could not be read (-DLAZY_EIO, -DLAZY_ENOMEM, -DLAZY_EFORMAT),
 * and then goes on with the next directory. One thread at a time for each cursor.
 * Since: 0.2
 */
DLAZY_PUBLIC int dlazy_cursor_next(struct dlazy_cursor *c,
				   const struct dlazy_match **ret, size_t n);

/*
 * The module of a match of the last dlazy_cursor_next(); made now, if it has not
 * been, and borrowed from the registry as by dlazy_registry_find(). Nothing is
 * loaded.
 *
 * NULL on failure: as dlazy_registry_find(); -DLAZY_EINVAL: no match of this
 * cursor; -DLAZY_ENOENT: the plugin, or the registry, is gone. Since: 0.2
 */
DLAZY_PUBLIC struct dlazy_module *dlazy_cursor_module(
	struct dlazy_cursor *c, const struct dlazy_match *match);

/* Ends a query; NULL is fine. Also after dlazy_registry_free(). Since: 0.2 */
DLAZY_PUBLIC void dlazy_cursor_close(struct dlazy_cursor *c);

#ifdef __cplusplus
}
#endif

#endif /* DLAZY_QUERY_H */
