/* SPDX-License-Identifier: MIT */
/*
 * ld.so's order at the start is breadth first, from the program and what is
 * preloaded; the first lazy library it comes to is where the stub file stands.
 */
#include "link/ahead.h"

#include "base/cleanup.h"
#include "elf/view.h"
#include "link/rules.h"

#include <stdlib.h>
#include <string.h>

bool ahead_is_possible(const struct closure *closure, const struct names *names)
{
	const struct name *name = names_find(names, "dlopen");
	const struct definition *at = name ? name->first : NULL;

	for (; at; at = at->next)
		if (strncmp(at->version, "GLIBC_", 6) != 0 ||
		    !rules_is_libc(closure->objects[at->object].view))
			return false;
	return name;
}

/* What ld.so comes to before libc, in its order, and whether that was a lazy
 * library. */
struct front {
	size_t *order;
	size_t count;
	bool *seen;
	bool lazy, over;
};

static void front_end(struct front *front)
{
	free(front->order);
	free(front->seen);
}
#define _cleanup_front_ _cleanup_(front_end)

static void come_to(const struct closure *closure,
		    const struct verdict *verdicts, size_t i,
		    struct front *front)
{
	const struct elf_view *view = closure->objects[i].view;

	if (front->over || front->seen[i] || !view)
		return;
	front->lazy = verdicts[i].why == VERDICT_LAZY;
	front->over = front->lazy || rules_is_libc(view);
	front->seen[i] = true;
	if (!front->over)
		front->order[front->count++] = i;
}

static struct front find_front(const struct closure *closure,
			       const struct verdict *verdicts)
{
	struct front front = {
		.order = calloc(closure->count, sizeof(*front.order)),
		.seen = calloc(closure->count, sizeof(*front.seen)),
	};

	if (!front.order || !front.seen)
		return front;
	for (size_t i = 0; i < closure->count; i++)
		if (i == 0 || closure->objects[i].preloaded)
			come_to(closure, verdicts, i, &front);
	for (size_t at = 0; at < front.count; at++) {
		const struct closure_object *object =
			&closure->objects[front.order[at]];

		for (size_t n = 0; n < object->need_count; n++)
			come_to(closure, verdicts, object->needs[n], &front);
	}
	return front;
}

bool ahead_of_libc(const struct closure *closure,
		   const struct verdict *verdicts)
{
	_cleanup_front_ struct front front = find_front(closure, verdicts);

	return front.lazy;
}

/* What its stubs would be many of, and its loading late be long for. */
static size_t cost_of(const struct closure *closure, size_t i)
{
	return elf_view_symbol_count(closure->objects[i].view);
}

size_t ahead_cheapest(const struct closure *closure,
		      const struct verdict *verdicts, const bool *tried)
{
	_cleanup_front_ struct front front = find_front(closure, verdicts);
	size_t cheapest = CLOSURE_NONE;

	for (size_t at = 0; at < front.count; at++) {
		size_t i = front.order[at];

		if (verdicts[i].why != VERDICT_LEARNED || tried[i])
			continue;
		if (cheapest == CLOSURE_NONE ||
		    cost_of(closure, i) < cost_of(closure, cheapest))
			cheapest = i;
	}
	return cheapest;
}
