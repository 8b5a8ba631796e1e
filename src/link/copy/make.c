/* SPDX-License-Identifier: MIT */
/*
 * Making a canonical copy. It begins with the imported symbols. For each,
 * whatever its data point at is added, until there is nothing new. If
 * something cannot be copied, everything that was added for this symbol is
 * dropped again.
 */
#include "link/copy/copy.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/status.h"

#include <fcntl.h>
#include <string.h>

/* No data of a library are worth more, in bytes and in relocations at each
 * start. */
#define COPY_SIZE_MAX (4u << 20)
#define COPY_FIXUPS_MAX 4096

struct maker {
	const struct copy_request *request;
	const struct elf_view *view;
	const struct definition *own; /* of the library */
	size_t own_count;
	struct addrtaken *addrtaken;
	struct map cells; /* begin of a piece -> its number + 1 */
	bool constructs;  /* has constructors */
	struct copy copy;
	bool failed; /* out of memory */
};

static void maker_end(struct maker *m)
{
	addrtaken_close(m->addrtaken);
	map_clear(&m->cells);
	copy_clear(&m->copy);
}

/* ------------------------------------------------------------------ */
/* Pieces                                                             */

/*
 * Is the cell in the copy already? A cell that was dropped is still in the
 * map, but it is not among the pieces, or another piece has its number.
 */
static bool has_piece(const struct maker *m, struct elf_range cell)
{
	size_t number = (uintptr_t)map_get(&m->cells, cell.start);

	if (number == 0 || number > m->copy.piece_count)
		return false;
	const struct elf_range *range = &m->copy.pieces[number - 1].range;
	return range->start == cell.start && range->end == cell.end;
}

static bool add_piece(struct maker *m, struct elf_range range,
		      enum copy_part part)
{
	struct copy *copy = &m->copy;
	uint64_t size = range.end - range.start;

	if (size > COPY_SIZE_MAX - copy->size)
		return false;
	if (!array_reserve(&copy->pieces, copy->piece_count, &copy->piece_room,
			   sizeof(*copy->pieces))) {
		m->failed = true;
		return false;
	}
	copy->pieces[copy->piece_count++] =
		(struct copy_piece){.range = range, .part = part};
	copy->size += size;
	m->failed |=
		!map_put(&m->cells, range.start, (void *)copy->piece_count);
	return !m->failed;
}

/* Adds the data at an address to the copy, unless it has them; false: they
 * cannot be copied. */
static bool reach(struct maker *m, uint64_t address)
{
	struct elf_range whole, cell;
	enum elf_region region =
		elf_data_region(addrtaken_data(m->addrtaken), address, &whole);

	cell = whole;
	bool named = addrtaken_narrow(m->addrtaken, address, &cell);
	if (!addrtaken_within(cell, whole))
		return false;
	if (has_piece(m, cell))
		return true;
	switch (region) {
	case ELF_REGION_CONSTANT:
		return add_piece(m, cell, COPY_CONSTANT);
	case ELF_REGION_RELRO:
		/* Without a name, it may be told by its address. */
		return (named ||
			!addrtaken_by_code(m->addrtaken,
					   addrtaken_range(address))) &&
		       add_piece(m, cell, COPY_RELRO);
	case ELF_REGION_WRITABLE:
		return named && !m->constructs &&
		       addrtaken_by_symbol_alone(m->addrtaken, cell) &&
		       add_piece(m, cell, COPY_WRITABLE);
	default:
		return false;
	}
}

/* ------------------------------------------------------------------ */
/* What they point at                                                 */

static bool add_fixup(struct maker *m, struct copy_fixup fixup)
{
	struct copy *copy = &m->copy;

	if (copy->fixup_count == COPY_FIXUPS_MAX)
		return false;
	if (!array_reserve(&copy->fixups, copy->fixup_count, &copy->fixup_room,
			   sizeof(fixup))) {
		m->failed = true;
		return false;
	}
	copy->fixups[copy->fixup_count++] = fixup;
	return true;
}

static bool point_at_data(struct maker *m, uint64_t at, uint64_t to)
{
	return reach(m, to) &&
	       add_fixup(m, (struct copy_fixup){.at = at,
						.target = COPY_TO_DATA,
						.to = to});
}

/* The library's function of a name, at an address, which everybody finds by
 * that name; NULL: it has none. */
static const struct definition *function_at(const struct maker *m,
					    uint64_t address)
{
	struct elf_symbol symbol;

	for (size_t i = 0; i < m->own_count; i++) {
		const struct definition *d = &m->own[i];

		if (d->type == ELF_TYPE_FUNC && !d->variant &&
		    elf_view_symbol(m->view, d->symbol, &symbol) &&
		    symbol.value == address && !strchr(symbol.name, '@') &&
		    symtab_resolve(d->name, d->version, 0) == d)
			return d;
	}
	return NULL;
}

/*
 * The pointer is to a stub, and not equal to the address that the library
 * itself has of the function. So the code must not name it, to compare with;
 * and what a variable points at, no other pointer may, as the variable's value
 * can be compared with that. Two tables nobody is going to compare.
 */
static bool point_at_function(struct maker *m, uint64_t at, uint64_t to,
			      enum copy_part part)
{
	const struct definition *named = function_at(m, to);

	if (addrtaken_by_code(m->addrtaken, addrtaken_range(to)) ||
	    (part == COPY_WRITABLE &&
	     addrtaken_pointers(m->addrtaken, addrtaken_range(to)) > 1) ||
	    (!named && !elf_data_is_function(addrtaken_data(m->addrtaken), to)))
		return false;
	return add_fixup(m, (struct copy_fixup){.at = at,
						.target = named ? COPY_TO_SYMBOL
								: COPY_TO_CODE,
						.symbol = named,
						.to = to});
}

static bool point_at_own(struct maker *m, uint64_t at, uint64_t to,
			 enum copy_part part)
{
	struct elf_range ignored;

	if (elf_data_region(addrtaken_data(m->addrtaken), to, &ignored) ==
	    ELF_REGION_CODE)
		return point_at_function(m, at, to, part);
	return point_at_data(m, at, to);
}

/* Would a reference without a version find this one? */
static bool is_found_plainly(const struct definition *d)
{
	size_t count = 0;

	for (const struct definition *at = d->name->first; at; at = at->next)
		count += at->object == d->object;
	return d == d->name->first && count == 1;
}

static bool point_at_symbol(struct maker *m, const struct elf_fixup *fixup)
{
	const struct copy_request *request = m->request;
	struct elf_symbol symbol;

	if (!elf_view_symbol(m->view, fixup->symbol, &symbol) ||
	    strchr(symbol.name, '@'))
		return false;
	const struct symtab_name *name =
		symtab_find(request->symtab, symbol.name);
	const struct definition *d =
		name ? symtab_resolve(name, symbol.version, 0) : NULL;
	if (!d || d->variant)
		return false;
	bool function = definition_is_function(d);
	bool own = d->object == request->object;
	if (function && fixup->addend != 0)
		return false;
	if (own && !function)
		return addrtaken_datum(m->addrtaken, d, &symbol) &&
		       point_at_data(m, fixup->address,
				     symbol.value + (uint64_t)fixup->addend);
	/* An IFUNC's resolver may not have been relocated when it is asked. */
	if (!own && (!is_found_plainly(d) || d->type == ELF_TYPE_IFUNC))
		return false;
	if (!function &&
	    (d->type != ELF_TYPE_OBJECT || !request->resides[d->object]))
		return false;
	return add_fixup(m, (struct copy_fixup){.at = fixup->address,
						.target = COPY_TO_SYMBOL,
						.symbol = d,
						.addend = fixup->addend});
}

static bool point(struct maker *m, const struct elf_fixup *fixup,
		  struct copy_piece piece)
{
	/* A text relocation: the stub file is not written to. */
	if (piece.part == COPY_CONSTANT)
		return false;
	if (piece.range.end - fixup->address < sizeof(uint64_t))
		return false; /* reaches into what is behind */
	switch (fixup->kind) {
	case ELF_FIXUP_RELATIVE:
		return point_at_own(m, fixup->address, (uint64_t)fixup->addend,
				    piece.part);
	case ELF_FIXUP_ADDRESS:
		return point_at_symbol(m, fixup);
	default:
		return false;
	}
}

/* All that a piece points at; that may add to the pieces. */
static bool follow(struct maker *m, struct copy_piece piece)
{
	size_t n;
	const struct elf_fixup *fixups =
		elf_data_fixups(addrtaken_data(m->addrtaken), piece.range, &n);
	bool all = true;

	for (size_t i = 0; all && i < n; i++)
		all = point(m, &fixups[i], piece);
	return all;
}

/* One symbol, and all that comes with it; or nothing. */
static void copy_symbol(struct maker *m, const struct definition *d)
{
	struct copy before = m->copy;
	struct elf_symbol symbol;

	/* What is bound to itself does not use another's. */
	if (elf_view_flags(m->view) & ELF_SYMBOLIC ||
	    !addrtaken_can_be_preempted(m->addrtaken, d, &symbol))
		return;
	bool all = reach(m, symbol.value);
	for (size_t i = before.piece_count; all && i < m->copy.piece_count; i++)
		all = follow(m, m->copy.pieces[i]);
	if (all)
		return;
	m->copy.piece_count = before.piece_count;
	m->copy.fixup_count = before.fixup_count;
	m->copy.size = before.size;
}

/* ------------------------------------------------------------------ */
/* Constant functions                                                 */

static void add_constant(struct maker *m, struct constant constant)
{
	struct copy *copy = &m->copy;

	if (array_reserve(&copy->constants, copy->constant_count,
			  &copy->constant_room, sizeof(constant)))
		copy->constants[copy->constant_count++] = constant;
	else
		m->failed = true;
}

static void find_constant(struct maker *m, const struct definition *d)
{
	struct elf_symbol symbol;
	struct constant constant;

	if (elf_view_symbol(m->view, d->symbol, &symbol) &&
	    constant_find(m->addrtaken, &symbol, &constant) &&
	    (constant.what.kind != CODE_CONSTANT_ADDRESS ||
	     add_piece(m, constant.text, COPY_CONSTANT)))
		add_constant(m, constant);
}

/* ------------------------------------------------------------------ */
/* The whole                                                          */

static int by_range(const void *a, const void *b)
{
	const struct copy_piece *x = a, *y = b;

	return (x->range.start > y->range.start) -
	       (x->range.start < y->range.start);
}

static int by_place(const void *a, const void *b)
{
	const struct copy_fixup *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_function(const void *a, const void *b)
{
	const struct constant *x = a, *y = b;

	return (x->function > y->function) - (x->function < y->function);
}

static bool list_functions(struct copy *copy)
{
	size_t n = 0;

	copy->functions =
		calloc(copy->fixup_count + 1, sizeof(*copy->functions));
	if (!copy->functions)
		return false;
	for (size_t i = 0; i < copy->fixup_count; i++)
		if (copy->fixups[i].target == COPY_TO_CODE)
			copy->functions[n++] = copy->fixups[i].to;
	if (n > 1)
		qsort(copy->functions, n, sizeof(*copy->functions), by_number);
	for (size_t i = 0; i < n; i++)
		if (copy->function_count == 0 ||
		    copy->functions[i] !=
			    copy->functions[copy->function_count - 1])
			copy->functions[copy->function_count++] =
				copy->functions[i];
	return true;
}

static int read_pieces(struct maker *m)
{
	struct copy *copy = &m->copy;
	int r = 0;

	for (size_t i = 0; r == 0 && i < copy->piece_count; i++)
		r = elf_data_read(addrtaken_data(m->addrtaken),
				  copy->pieces[i].range,
				  &copy->pieces[i].bytes);
	return r;
}

static void mark(const struct maker *m)
{
	size_t n;
	struct definition *own =
		symtab_change(m->request->symtab, m->request->object, &n);
	struct elf_symbol symbol;

	for (size_t i = 0; i < n; i++)
		own[i].copied = addrtaken_can_be_preempted(m->addrtaken,
							   &own[i], &symbol) &&
				copy_has(&m->copy, symbol.value, symbol.size);
}

static int make(struct maker *m, int fd, const char *path)
{
	int r = addrtaken_open(m->view, m->own, m->own_count, fd, path,
			       &m->addrtaken);

	if (r < 0)
		return r;
	m->constructs = code_constructs(addrtaken_data(m->addrtaken), m->view);
	for (size_t i = 0; i < m->own_count; i++)
		if (m->request->imported[i])
			copy_symbol(m, &m->own[i]);
	bool constants = constant_allowed(m->addrtaken, m->view, m->constructs);
	for (size_t i = 0; constants && i < m->own_count; i++)
		if (m->request->imported[i])
			find_constant(m, &m->own[i]);
	if (m->failed || !list_functions(&m->copy))
		return status_no_memory(path);
	if (m->copy.piece_count > 1)
		qsort(m->copy.pieces, m->copy.piece_count,
		      sizeof(*m->copy.pieces), by_range);
	if (m->copy.constant_count > 1)
		qsort(m->copy.constants, m->copy.constant_count,
		      sizeof(*m->copy.constants), by_function);
	if (m->copy.fixup_count > 1)
		qsort(m->copy.fixups, m->copy.fixup_count,
		      sizeof(*m->copy.fixups), by_place);
	return read_pieces(m);
}

static bool is_any_imported(const struct maker *m)
{
	for (size_t i = 0; i < m->own_count; i++)
		if (m->request->imported[i])
			return true;
	return false;
}

int copy_make(const struct copy_request *request, struct copy *ret)
{
	const struct closure_object *object =
		&request->closure->objects[request->object];
	_cleanup_(maker_end) struct maker m = {.request = request,
					       .view = object->view};
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	size_t id_size;

	*ret = (struct copy){.pieces = NULL};
	m.own = symtab_of_object(request->symtab, request->object,
				 &m.own_count);
	elf_view_build_id(m.view, &id_size);
	if (id_size == 0 || !is_any_imported(&m))
		return 0;
	int r = file_open(AT_FDCWD, object->path, &fd, &identity);
	if (r == 0 && !file_identity_equal(&identity, &object->identity))
		return 0; /* its verdict will be made anew */
	if (r == 0)
		r = make(&m, fd, object->path);
	if (status_is_state(r))
		return r;
	status_clear();
	if (r < 0)
		return 0;
	mark(&m);
	*ret = m.copy;
	m.copy = (struct copy){.pieces = NULL};
	return 0;
}
