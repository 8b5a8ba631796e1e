/* SPDX-License-Identifier: MIT */
/* See noted.h. Pages that have been in use stay. */
#include "stub/noted.h"

#include "base/array.h"

#include <stddef.h>
#include <sys/mman.h>

struct noted_slots {
	struct noted_slots *next;
	size_t count;
	_Atomic(void *) *slots[510];
};

_Static_assert(sizeof(struct noted_slots) <= 4096, "a page");

struct noted_slots *noted_new(void)
{
	void *page =
		mmap(NULL, sizeof(struct noted_slots), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

void noted_free(struct noted_slots *page)
{
	if (page)
		munmap(page, sizeof(*page));
}

bool noted_add(struct noted_slots **all, _Atomic(void *) *slot,
	       struct noted_slots **fresh)
{
	struct noted_slots *page = *all;

	while (page && page->count == ARRAY_SIZE(page->slots))
		page = page->next;
	if (!page && *fresh) {
		page = *fresh;
		*fresh = NULL;
		page->next = *all;
		*all = page;
	}
	if (page)
		page->slots[page->count++] = slot;
	return page;
}

void noted_clear(struct noted_slots *all)
{
	for (struct noted_slots *page = all; page; page = page->next) {
		for (size_t i = 0; i < page->count; i++)
			atomic_store_explicit(page->slots[i], NULL,
					      memory_order_release);
		page->count = 0;
	}
}
