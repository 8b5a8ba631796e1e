/* SPDX-License-Identifier: MIT */
/*
 * Making a closure: the walk of elf/walk.h, with the symbols of each object
 * and with preloaded objects.
 */
#include "link/resolve/closure.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/walk.h"

_Static_assert(CLOSURE_NONE == WALK_NONE, "places are taken over");

static void take_over(struct walk_object *from, struct closure_object *to)
{
	*to = (struct closure_object){
		.path = TAKE_PTR(from->path),
		.name = TAKE_PTR(from->name),
		.identity = from->identity,
		.view = TAKE_PTR(from->view),
		.needed_by = from->needed_by,
		.needs = TAKE_PTR(from->needs),
		.need_count = from->need_count,
		.rpath = from->way != REQUESTER_SEARCH,
		.inherited = from->way == REQUESTER_INHERITED,
		.aliased = from->aliased,
		.preloaded = from->preloaded,
	};
}

int closure_read(const char *program, struct closure *ret)
{
	const struct walk_options options = {.symbols = true, .preload = true};
	_cleanup_walk_ struct walk walk;
	int r = walk_run(&walk, program, &options);

	if (r == 0 && walk.places.denied)
		r = status_fail(DLAZY_EIO,
				"%s: not every file or directory on the way to "
				"its libraries may be read: permission denied",
				program);
	if (r < 0)
		return r;
	struct closure_object *objects = calloc(walk.count, sizeof(*objects));
	if (!objects)
		return status_no_memory(program);
	for (size_t i = 0; i < walk.count; i++)
		take_over(walk.objects[i], &objects[i]);
	*ret = (struct closure){objects, walk.count};
	return 0;
}

void closure_clear(struct closure *closure)
{
	for (size_t i = 0; i < closure->count; i++) {
		struct closure_object *object = &closure->objects[i];

		free(object->path);
		free(object->name);
		free(object->needs);
		elf_view_close(object->view);
	}
	free(closure->objects);
	*closure = (struct closure){NULL, 0};
}

size_t closure_symbol_count(const struct closure *closure)
{
	size_t n = 0;

	for (size_t i = 0; i < closure->count; i++)
		if (closure->objects[i].view)
			n += elf_view_symbol_count(closure->objects[i].view);
	return n;
}

uint32_t closure_static_tls(const struct closure *closure)
{
	uint32_t all = 0;

	for (size_t i = 0; i < closure->count; i++)
		all = walk_add_static_tls(all, closure->objects[i].view);
	return all;
}
