/* SPDX-License-Identifier: MIT */
/*
 * The walk through everything that a file needs: each object that ld.so would
 * map, in the order in which it would map them. Found by reading; nothing is
 * loaded.
 */
#ifndef ELF_WALK_H
#define ELF_WALK_H

#include "base/file.h"
#include "base/map.h"
#include "elf/requester.h"

#define WALK_NONE ((size_t)-1)

struct elf_view;
struct view_cache;

/* One object. It stays where it is, as others point at its requester. */
struct walk_object {
	struct requester requester;
	char *name; /* by which it was needed first; the root's path */
	char *path; /* NULL: missing */
	struct elf_view *view; /* NULL: missing, or not readable */
	struct file_identity identity;
	size_t needed_by; /* WALK_NONE: the root, or preloaded */
	size_t *needs;	  /* places in the walk, in DT_NEEDED's order */
	size_t need_count, need_room;
	enum requester_way way;
	bool is_kept;	/* the view is the view cache's */
	bool aliased;	/* needed by a name that is not its SONAME */
	bool preloaded; /* named by LD_PRELOAD or /etc/ld.so.preload */
};

/* Called with each object but the root as it is found, in order; false ends
 * the walk. */
typedef bool walk_found_fn(const struct walk_object *object,
			   const struct walk_object *needed_by, void *data);

struct walk_options {
	bool symbols; /* views with symbols */
	bool preload; /* as ld.so starts a program: with what is preloaded */
	walk_found_fn *found; /* or NULL */
	void *data;
	/* With symbols: libraries' views are taken from there, and put there;
	 * until walk_end() it is this walk's. NULL: all is read. */
	struct view_cache *cache;
};

struct walk {
	struct places places;
	struct view_cache *cache;     /* or NULL */
	struct walk_object **objects; /* [0]: the root */
	size_t count, room;
	struct map names; /* hash of a name -> place + 1 */
	struct map files; /* hash of (dev, ino) -> place + 1 */
};

/*
 * Goes breadth first. An RPATH counts for all that is needed through its
 * object; the file at `path` takes the program's place. A program's interpreter
 * is found as the program names it; the vDSO is nobody's need. 0, or the status
 * of reading `path` itself, or the state (status_is_state()) that kept another
 * file from being found or read: no object is taken for missing or damaged for
 * that. (walk.places.denied: see there.) walk_end() in any case.
 */
int walk_run(struct walk *walk, const char *path,
	     const struct walk_options *options);
void walk_end(struct walk *walk);
static inline void cleanup_walk(struct walk *walk)
{
	walk_end(walk);
}
#define _cleanup_walk_ _cleanup_(cleanup_walk)

void walk_object_free(struct walk_object *object);

/* Bytes of static TLS that these objects and one more (or NULL) take, at most;
 * never 0 but for none at all. */
uint32_t walk_add_static_tls(uint32_t all, const struct elf_view *view);

/* The same of all objects that ld.so would start the program with; 0: that cannot
 * be told. */
uint32_t walk_static_tls(const char *program);

#endif
