/* SPDX-License-Identifier: MIT */
/*
 * All is read when the library is opened, but for its code: that is looked
 * through, once, when it is asked about.
 */
#include "link/copy/addrtaken.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/uses.h"

#include <stdlib.h>

struct ways {
	const struct elf_view *view;
	const struct definition *own;
	size_t own_count;
	struct elf_data *data;
	int fd;
	struct uses *uses; /* by uses_of() */
	bool uses_asked;
	struct elf_range *named; /* where its symbols' data are, disjoint */
	size_t named_count;
	bool *referred;	    /* by symbol: it has a relocation of that name */
	uint64_t *pointers; /* where those without a name point, sorted */
	size_t pointer_count;
};

void ways_close(struct ways *ways)
{
	if (!ways)
		return;
	elf_data_close(ways->data);
	uses_free(ways->uses);
	free(ways->named);
	free(ways->referred);
	free(ways->pointers);
	free(ways);
}

const struct elf_data *ways_data(const struct ways *ways)
{
	return ways->data;
}

bool ways_datum(const struct ways *w, const struct definition *d,
		struct elf_symbol *ret)
{
	return d->type == ELF_TYPE_OBJECT &&
	       elf_view_symbol(w->view, d->symbol, ret) && ret->size > 0 &&
	       ret->value > 0 && ret->size <= WAYS_DATUM_MAX &&
	       ret->value <= UINT64_MAX - ret->size;
}

bool ways_may_move(const struct ways *w, const struct definition *d,
		   struct elf_symbol *ret)
{
	return d->binding != ELF_BINDING_UNIQUE && ways_datum(w, d, ret) &&
	       ret->visibility == 0;
}

static struct elf_range extent_of(const struct elf_symbol *symbol)
{
	return (struct elf_range){symbol->value, symbol->value + symbol->size};
}

static int by_start(const void *a, const void *b)
{
	const struct elf_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void join_overlapping(struct ways *w)
{
	size_t n = 0;

	if (w->named_count > 1)
		qsort(w->named, w->named_count, sizeof(*w->named), by_start);
	for (size_t i = 0; i < w->named_count; i++) {
		struct elf_range this = w->named[i];

		if (n == 0 || this.start >= w->named[n - 1].end)
			w->named[n++] = this;
		else if (this.end > w->named[n - 1].end)
			w->named[n - 1].end = this.end;
	}
	w->named_count = n;
}

static bool find_named(struct ways *w)
{
	struct elf_symbol symbol;

	w->named = calloc(w->own_count + 1, sizeof(*w->named));
	if (!w->named)
		return false;
	for (size_t i = 0; i < w->own_count; i++)
		if (ways_datum(w, &w->own[i], &symbol))
			w->named[w->named_count++] = extent_of(&symbol);
	join_overlapping(w);
	return true;
}

static const struct elf_fixup *all_fixups(const struct ways *w, size_t *ret)
{
	return elf_data_fixups(w->data, (struct elf_range){0, UINT64_MAX}, ret);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool find_pointers(struct ways *w)
{
	size_t n;
	const struct elf_fixup *fixups = all_fixups(w, &n);

	w->pointers = calloc(n + 1, sizeof(*w->pointers));
	if (!w->pointers)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].kind == ELF_FIXUP_RELATIVE)
			w->pointers[w->pointer_count++] =
				(uint64_t)fixups[i].addend;
	if (w->pointer_count > 1)
		qsort(w->pointers, w->pointer_count, sizeof(*w->pointers),
		      by_number);
	return true;
}

static bool find_referred(struct ways *w)
{
	size_t n, symbols = elf_view_symbol_count(w->view);
	const struct elf_fixup *fixups = all_fixups(w, &n);

	w->referred = calloc(symbols + 1, sizeof(*w->referred));
	if (!w->referred)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].symbol < symbols)
			w->referred[fixups[i].symbol] = true;
	return true;
}

static int read_all(struct ways *w, const char *path)
{
	int r = elf_data_open(w->fd, path, &w->data);

	if (r == 0 &&
	    (!find_named(w) || !find_referred(w) || !find_pointers(w)))
		r = status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	return r;
}

int ways_open(const struct elf_view *view, const struct definition *own,
	      size_t count, int fd, const char *path, struct ways **ret)
{
	_cleanup_ways_ struct ways *w = calloc(1, sizeof(*w));

	if (!w)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	w->view = view;
	w->own = own;
	w->own_count = count;
	w->fd = fd;
	int r = read_all(w, path);
	if (r == 0)
		*ret = TAKE_PTR(w);
	return r;
}

/* How many pointers there are, that are not by name, to what is before. */
static size_t pointers_before(const struct ways *w, uint64_t address)
{
	size_t low = 0, high = w->pointer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->pointers[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t ways_pointers(const struct ways *w, struct elf_range range)
{
	return pointers_before(w, range.end) - pointers_before(w, range.start);
}

/* What its code uses; NULL: that cannot be told. */
static const struct uses *uses_of(struct ways *w)
{
	if (!w->uses_asked && uses_read(w->fd, "", &w->uses) < 0)
		status_clear();
	w->uses_asked = true;
	return w->uses;
}

bool ways_use(struct ways *w, struct elf_range range)
{
	return uses_has(uses_of(w), range);
}

bool ways_use_again(struct ways *w, struct elf_range range)
{
	return uses_has_again(uses_of(w), range);
}

/* A name by which the library would have its own. */
static bool stays(const struct ways *w, const struct definition *d,
		  struct elf_range range)
{
	struct elf_symbol symbol;

	return elf_view_symbol(w->view, d->symbol, &symbol) &&
	       symbol.value >= range.start && symbol.value < range.end &&
	       !ways_may_move(w, d, &symbol);
}

bool ways_are_names(struct ways *w, struct elf_range range)
{
	struct elf_symbol symbol;
	bool referred = false;

	for (size_t i = 0; i < w->own_count; i++) {
		if (stays(w, &w->own[i], range))
			return false;
		if (ways_datum(w, &w->own[i], &symbol) &&
		    ways_lie_within(extent_of(&symbol), range))
			referred |= w->referred[w->own[i].symbol];
	}
	return referred && ways_pointers(w, range) == 0 && !ways_use(w, range);
}

/* The first named data that begin behind an address. */
static size_t named_behind(const struct ways *w, uint64_t address)
{
	size_t low = 0, high = w->named_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->named[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ways_narrow(const struct ways *w, uint64_t address,
		 struct elf_range *range)
{
	size_t behind = named_behind(w, address);

	if (behind > 0 && address < w->named[behind - 1].end) {
		*range = w->named[behind - 1];
		return true;
	}
	if (behind > 0 && w->named[behind - 1].end > range->start)
		range->start = w->named[behind - 1].end;
	if (behind < w->named_count && w->named[behind].start < range->end)
		range->end = w->named[behind].start;
	return false;
}

bool ways_call_by_name(struct ways *w, uint64_t function)
{
	bool symbolic = elf_view_flags(w->view) & ELF_SYMBOLIC;
	struct elf_symbol symbol;

	for (size_t i = 0; i < w->own_count; i++)
		if (elf_view_symbol(w->view, w->own[i].symbol, &symbol) &&
		    symbol.value == function &&
		    (symbolic || symbol.visibility != 0) &&
		    w->referred[w->own[i].symbol])
			return false;
	return !ways_use(w, ways_place(function)) &&
	       !uses_calls(uses_of(w), function) &&
	       ways_pointers(w, ways_place(function)) == 0;
}
