/* SPDX-License-Identifier: MIT */
/*
 * What address-taken analysis reads, it reads when the library is opened,
 * except for the code. The code is searched once, the first time that somebody
 * asks about it.
 */
#include "link/copy/addrtaken.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/uses.h"

#include <stdlib.h>

struct addrtaken {
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

void addrtaken_close(struct addrtaken *addrtaken)
{
	if (!addrtaken)
		return;
	elf_data_close(addrtaken->data);
	uses_free(addrtaken->uses);
	free(addrtaken->named);
	free(addrtaken->referred);
	free(addrtaken->pointers);
	free(addrtaken);
}

const struct elf_data *addrtaken_data(const struct addrtaken *addrtaken)
{
	return addrtaken->data;
}

bool addrtaken_datum(const struct addrtaken *taken, const struct definition *d,
		     struct elf_symbol *ret)
{
	return d->type == ELF_TYPE_OBJECT &&
	       elf_view_symbol(taken->view, d->symbol, ret) && ret->size > 0 &&
	       ret->value > 0 && ret->size <= ADDRTAKEN_DATUM_MAX &&
	       ret->value <= UINT64_MAX - ret->size;
}

bool addrtaken_can_be_preempted(const struct addrtaken *taken,
				const struct definition *d,
				struct elf_symbol *ret)
{
	return d->binding != ELF_BINDING_UNIQUE &&
	       addrtaken_datum(taken, d, ret) && ret->visibility == 0;
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

static void join_overlapping(struct addrtaken *taken)
{
	size_t n = 0;

	if (taken->named_count > 1)
		qsort(taken->named, taken->named_count, sizeof(*taken->named),
		      by_start);
	for (size_t i = 0; i < taken->named_count; i++) {
		struct elf_range this = taken->named[i];

		if (n == 0 || this.start >= taken->named[n - 1].end)
			taken->named[n++] = this;
		else if (this.end > taken->named[n - 1].end)
			taken->named[n - 1].end = this.end;
	}
	taken->named_count = n;
}

static bool find_named(struct addrtaken *taken)
{
	struct elf_symbol symbol;

	taken->named = calloc(taken->own_count + 1, sizeof(*taken->named));
	if (!taken->named)
		return false;
	for (size_t i = 0; i < taken->own_count; i++)
		if (addrtaken_datum(taken, &taken->own[i], &symbol))
			taken->named[taken->named_count++] = extent_of(&symbol);
	join_overlapping(taken);
	return true;
}

static const struct elf_fixup *all_fixups(const struct addrtaken *taken,
					  size_t *ret)
{
	return elf_data_fixups(taken->data, (struct elf_range){0, UINT64_MAX},
			       ret);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool find_pointers(struct addrtaken *taken)
{
	size_t n;
	const struct elf_fixup *fixups = all_fixups(taken, &n);

	taken->pointers = calloc(n + 1, sizeof(*taken->pointers));
	if (!taken->pointers)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].kind == ELF_FIXUP_RELATIVE)
			taken->pointers[taken->pointer_count++] =
				(uint64_t)fixups[i].addend;
	if (taken->pointer_count > 1)
		qsort(taken->pointers, taken->pointer_count,
		      sizeof(*taken->pointers), by_number);
	return true;
}

static bool find_referred(struct addrtaken *taken)
{
	size_t n, symbols = elf_view_symbol_count(taken->view);
	const struct elf_fixup *fixups = all_fixups(taken, &n);

	taken->referred = calloc(symbols + 1, sizeof(*taken->referred));
	if (!taken->referred)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].symbol < symbols)
			taken->referred[fixups[i].symbol] = true;
	return true;
}

static int read_all(struct addrtaken *taken, const char *path)
{
	int r = elf_data_open(taken->fd, path, &taken->data);

	if (r == 0 && (!find_named(taken) || !find_referred(taken) ||
		       !find_pointers(taken)))
		r = status_no_memory(path);
	return r;
}

int addrtaken_open(const struct elf_view *view, const struct definition *own,
		   size_t count, int fd, const char *path,
		   struct addrtaken **ret)
{
	_cleanup_addrtaken_ struct addrtaken *taken = calloc(1, sizeof(*taken));

	if (!taken)
		return status_no_memory(path);
	taken->view = view;
	taken->own = own;
	taken->own_count = count;
	taken->fd = fd;
	int r = read_all(taken, path);
	if (r == 0)
		*ret = TAKE_PTR(taken);
	return r;
}

/* How many pointers with a relative relocation point below an address. */
static size_t pointers_before(const struct addrtaken *taken, uint64_t address)
{
	return ARRAY_COUNT_BEFORE(taken->pointer_count, i,
				  taken->pointers[i] < address);
}

size_t addrtaken_pointers(const struct addrtaken *taken, struct elf_range range)
{
	return pointers_before(taken, range.end) -
	       pointers_before(taken, range.start);
}

/* The addresses that its code has; NULL: that cannot be told. */
static const struct uses *uses_of(struct addrtaken *taken)
{
	if (!taken->uses_asked && uses_read(taken->fd, "", &taken->uses) < 0)
		status_clear();
	taken->uses_asked = true;
	return taken->uses;
}

bool addrtaken_by_code(struct addrtaken *taken, struct elf_range range)
{
	return uses_has(uses_of(taken), range);
}

bool addrtaken_by_code_again(struct addrtaken *taken, struct elf_range range)
{
	return uses_has_again(uses_of(taken), range);
}

/* Is it a symbol in the range that the library binds to its own definition? */
static bool stays(const struct addrtaken *taken, const struct definition *d,
		  struct elf_range range)
{
	struct elf_symbol symbol;

	return elf_view_symbol(taken->view, d->symbol, &symbol) &&
	       symbol.value >= range.start && symbol.value < range.end &&
	       !addrtaken_can_be_preempted(taken, d, &symbol);
}

bool addrtaken_by_symbol_alone(struct addrtaken *taken, struct elf_range range)
{
	struct elf_symbol symbol;
	bool referred = false;

	for (size_t i = 0; i < taken->own_count; i++) {
		if (stays(taken, &taken->own[i], range))
			return false;
		if (addrtaken_datum(taken, &taken->own[i], &symbol) &&
		    addrtaken_within(extent_of(&symbol), range))
			referred |= taken->referred[taken->own[i].symbol];
	}
	return referred && addrtaken_pointers(taken, range) == 0 &&
	       !addrtaken_by_code(taken, range);
}

/* The first named data that begin behind an address. */
static size_t named_behind(const struct addrtaken *taken, uint64_t address)
{
	return ARRAY_COUNT_BEFORE(taken->named_count, i,
				  taken->named[i].start <= address);
}

bool addrtaken_narrow(const struct addrtaken *taken, uint64_t address,
		      struct elf_range *range)
{
	size_t behind = named_behind(taken, address);

	if (behind > 0 && address < taken->named[behind - 1].end) {
		*range = taken->named[behind - 1];
		return true;
	}
	if (behind > 0 && taken->named[behind - 1].end > range->start)
		range->start = taken->named[behind - 1].end;
	if (behind < taken->named_count &&
	    taken->named[behind].start < range->end)
		range->end = taken->named[behind].start;
	return false;
}

/* Is there a reference to the function that the library binds to its own? */
static bool binds_to_own(const struct addrtaken *taken, uint64_t function)
{
	bool symbolic = elf_view_flags(taken->view) & ELF_SYMBOLIC;
	struct elf_symbol symbol;

	for (size_t i = 0; i < taken->own_count; i++)
		if (elf_view_symbol(taken->view, taken->own[i].symbol,
				    &symbol) &&
		    symbol.value == function &&
		    (symbolic || symbol.visibility != 0) &&
		    taken->referred[taken->own[i].symbol])
			return true;
	return false;
}

bool addrtaken_has_function(struct addrtaken *taken, uint64_t function)
{
	return binds_to_own(taken, function) ||
	       addrtaken_pointers(taken, addrtaken_range(function)) > 0 ||
	       addrtaken_by_code(taken, addrtaken_range(function));
}

bool addrtaken_calls_by_symbol(struct addrtaken *taken, uint64_t function)
{
	return !binds_to_own(taken, function) &&
	       !addrtaken_by_code(taken, addrtaken_range(function)) &&
	       !uses_calls(uses_of(taken), function) &&
	       addrtaken_pointers(taken, addrtaken_range(function)) == 0;
}
