/* SPDX-License-Identifier: MIT */
/*
 * One library, or all that a file needs. The walk keeps a node for each object
 * it has come to, in the order in which ld.so would map them; nodes stay where
 * they are, as others point at them as their loaders.
 */
#include "elf/search.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/requester.h"
#include "elf/view.h"

#include <fcntl.h>
#include <string.h>

struct search_origin search_origin_of(const struct elf_view *view,
				      const char *path)
{
	return (struct search_origin){
		.path = path,
		.rpath = elf_view_rpath(view),
		.runpath = elf_view_runpath(view),
		.no_default = elf_view_flags(view) & ELF_NODEFLIB,
	};
}

/* One object of the walk. */
struct node {
	struct requester requester;
	char *name;	       /* by which it was needed first */
	char *path;	       /* NULL: missing */
	struct elf_view *view; /* NULL: missing, or not readable */
	struct file_identity identity;
};

static void node_free(struct node *node)
{
	if (!node)
		return;
	elf_view_close(node->view);
	free(node->name);
	free(node->path);
	free(node);
}

static void cleanup_node(struct node **node)
{
	node_free(*node);
}
#define _cleanup_node_ _cleanup_(cleanup_node)

struct walk {
	struct places places;
	struct node **nodes;
	size_t count;
	size_t room;
};

static void walk_end(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		node_free(walk->nodes[i]);
	free(walk->nodes);
	places_close(&walk->places);
}
#define _cleanup_walk_ _cleanup_(walk_end)

static int out_of_memory(const char *name)
{
	return status_fail(DLAZY_ENOMEM, "%s: out of memory", name);
}

/* Reads the file of a node. */
static int node_read(struct node *node)
{
	_cleanup_close_ int fd = -1;
	int r = file_open(AT_FDCWD, node->path, &fd, &node->identity);

	if (r == 0)
		r = elf_view_open_needs(fd, node->path, &node->view);
	if (r == 0)
		node->requester.origin =
			search_origin_of(node->view, node->path);
	return r;
}

static int walk_add(struct walk *walk, struct node *node)
{
	if (!array_reserve(&walk->nodes, walk->count, &walk->room,
			   sizeof(node)))
		return out_of_memory(node->name);
	walk->nodes[walk->count++] = node;
	return 0;
}

/* Takes `path` (malloc'd, or NULL) over. */
static struct node *node_new(const char *name, char *path,
			     const struct requester *loader)
{
	_cleanup_free_ char *owned = path;
	_cleanup_node_ struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->requester = (struct requester){{"", "", "", false}, loader};
	node->path = TAKE_PTR(owned);
	node->name = strdup(name);
	return node->name ? TAKE_PTR(node) : NULL;
}

/* Has the walk an object of that name, as ld.so compares names? */
static bool is_known(const struct walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->count; i++) {
		const struct node *node = walk->nodes[i];

		if (strcmp(node->name, name) == 0 ||
		    (node->view &&
		     strcmp(elf_view_soname(node->view), name) == 0))
			return true;
	}
	return false;
}

/* The same file by another name: not a library of its own. */
static bool is_same_file(const struct walk *walk, const struct node *node)
{
	for (size_t i = 0; i < walk->count; i++)
		if (walk->nodes[i]->identity.ino == node->identity.ino &&
		    walk->nodes[i]->identity.dev == node->identity.dev &&
		    walk->nodes[i]->identity.ino != 0)
			return true;
	return false;
}

static int find_path(const struct walk *walk, const struct node *needs,
		     const char *name, char **ret)
{
	const char *interpreter = elf_view_interpreter(walk->nodes[0]->view);

	/* It is in the process before anything is searched for. */
	if (*interpreter == '/' &&
	    strcmp(file_base_name(interpreter), name) == 0) {
		*ret = strdup(interpreter);
		return *ret ? 0 : out_of_memory(name);
	}
	return requester_find(&needs->requester, &walk->places, name, ret);
}

/* *ret: the new node, the walk's; NULL if it was not a new one. */
static int follow(struct walk *walk, const struct node *needs, const char *name,
		  const struct node **ret)
{
	char *path = NULL;

	*ret = NULL;
	if (is_known(walk, name))
		return 0;
	int r = find_path(walk, needs, name, &path);
	if (r == -DLAZY_ENOMEM)
		return r;
	_cleanup_node_ struct node *node =
		node_new(name, path, &needs->requester);
	if (!node)
		return out_of_memory(name);
	/* That it is missing, or damaged, is the caller's to say. */
	if (r < 0 || node_read(node) < 0)
		status_clear();
	if (is_same_file(walk, node))
		return 0;
	r = walk_add(walk, node);
	if (r == 0)
		*ret = TAKE_PTR(node);
	return r;
}

/* The first node: a program is known to itself by where it really is. */
static int walk_begin(struct walk *walk, const char *path)
{
	char *absolute = file_absolute(path);

	if (!absolute)
		return status_last();
	_cleanup_node_ struct node *root = node_new(path, absolute, NULL);
	if (!root)
		return out_of_memory(path);
	int r = node_read(root);
	if (r < 0)
		return r;
	if (elf_view_flags(root->view) & ELF_INTERP) {
		char *real = realpath(root->path, NULL);
		if (real) {
			free(root->path);
			root->path = real;
			root->requester.origin.path = real;
		}
	}
	r = walk_add(walk, root);
	if (r == 0)
		TAKE_PTR(root);
	return r;
}

int search_closure(const char *path, search_closure_fn *fn, void *data)
{
	_cleanup_walk_ struct walk walk = {0};

	places_open(&walk.places);
	int r = walk_begin(&walk, path);
	if (r < 0)
		return r;
	for (size_t i = 0; i < walk.count; i++) {
		const struct node *node = walk.nodes[i], *found;

		if (!node->view)
			continue;
		for (size_t n = 0; n < elf_view_needed_count(node->view); n++) {
			const char *name = elf_view_needed(node->view, n);

			r = follow(&walk, node, name, &found);
			if (r < 0)
				return r;
			if (found && !fn(name, found->path, node->path, data))
				return 0;
		}
	}
	return 0;
}

/* The program of this process; NULL where it cannot be read. */
static struct node *program(void)
{
	char *path = realpath("/proc/self/exe", NULL);

	if (!path)
		return NULL;
	_cleanup_node_ struct node *node = node_new(path, path, NULL);
	if (!node || node_read(node) < 0) {
		status_clear();
		return NULL;
	}
	return TAKE_PTR(node);
}

int search_library(const char *name, const struct search_origin *origin,
		   char **ret_path)
{
	_cleanup_node_ struct node *self = program();
	struct requester requester = {
		.origin = origin ? *origin
				 : (struct search_origin){"", "", "", false},
		.loader = self ? &self->requester : NULL,
	};
	struct places places;

	places_open(&places);
	int r = requester_find(&requester, &places, name, ret_path);
	places_close(&places);
	return r;
}
