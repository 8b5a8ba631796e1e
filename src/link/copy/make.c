/* SPDX-License-Identifier: MIT */
/*
 * From each wanted symbol on, whatever its data point at is added, until there
 * is nothing new: or something that cannot be mirrored, and then all that came
 * with this symbol is taken back.
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
#define MIRROR_SIZE_MAX (4u << 20)
#define MIRROR_FIXUPS_MAX 4096

struct maker {
	const struct mirror_request *request;
	const struct elf_view *view;
	const struct definition *own; /* of the library */
	size_t own_count;
	struct ways *ways;
	struct map cells; /* begin of a piece -> its number + 1 */
	bool constructs;  /* has constructors */
	struct mirror mirror;
	bool failed; /* out of memory */
};

static void maker_end(struct maker *m)
{
	ways_close(m->ways);
	map_clear(&m->cells);
	mirror_clear(&m->mirror);
}

/* ------------------------------------------------------------------ */
/* Pieces                                                             */

/* Is the cell in the mirror already? What was taken back is still in the map,
 * but not among the pieces, or another is there. */
static bool has_piece(const struct maker *m, struct elf_range cell)
{
	size_t number = (uintptr_t)map_get(&m->cells, cell.start);

	if (number == 0 || number > m->mirror.piece_count)
		return false;
	const struct elf_range *range = &m->mirror.pieces[number - 1].range;
	return range->start == cell.start && range->end == cell.end;
}

static bool add_piece(struct maker *m, struct elf_range range,
		      enum mirror_part part)
{
	struct mirror *mirror = &m->mirror;
	uint64_t size = range.end - range.start;

	if (size > MIRROR_SIZE_MAX - mirror->size)
		return false;
	if (!array_reserve(&mirror->pieces, mirror->piece_count,
			   &mirror->piece_room, sizeof(*mirror->pieces))) {
		m->failed = true;
		return false;
	}
	mirror->pieces[mirror->piece_count++] =
		(struct mirror_piece){.range = range, .part = part};
	mirror->size += size;
	m->failed |=
		!map_put(&m->cells, range.start, (void *)mirror->piece_count);
	return !m->failed;
}

/* Has the data at an address in the mirror; false: they cannot be. */
static bool reach(struct maker *m, uint64_t address)
{
	struct elf_range whole, cell;
	enum elf_region region =
		elf_data_region(ways_data(m->ways), address, &whole);

	cell = whole;
	bool named = ways_narrow(m->ways, address, &cell);
	if (!ways_lie_within(cell, whole))
		return false;
	if (has_piece(m, cell))
		return true;
	switch (region) {
	case ELF_REGION_CONSTANT:
		return add_piece(m, cell, MIRROR_CONSTANT);
	case ELF_REGION_RELRO:
		/* Without a name, it may be told by its address. */
		return (named || !ways_use(m->ways, ways_place(address))) &&
		       add_piece(m, cell, MIRROR_RELRO);
	case ELF_REGION_WRITABLE:
		return named && !m->constructs &&
		       ways_are_names(m->ways, cell) &&
		       add_piece(m, cell, MIRROR_WRITABLE);
	default:
		return false;
	}
}

/* ------------------------------------------------------------------ */
/* What they point at                                                 */

static bool add_fixup(struct maker *m, struct mirror_fixup fixup)
{
	struct mirror *mirror = &m->mirror;

	if (mirror->fixup_count == MIRROR_FIXUPS_MAX)
		return false;
	if (!array_reserve(&mirror->fixups, mirror->fixup_count,
			   &mirror->fixup_room, sizeof(fixup))) {
		m->failed = true;
		return false;
	}
	mirror->fixups[mirror->fixup_count++] = fixup;
	return true;
}

static bool point_at_data(struct maker *m, uint64_t at, uint64_t to)
{
	return reach(m, to) &&
	       add_fixup(m, (struct mirror_fixup){.at = at,
						  .target = MIRROR_TO_DATA,
						  .to = to});
}

/* The library's function of a name, at an address, which everybody finds by that
 * name; NULL: it has none. */
static const struct definition *function_at(const struct maker *m,
					    uint64_t address)
{
	struct elf_symbol symbol;

	for (size_t i = 0; i < m->own_count; i++) {
		const struct definition *d = &m->own[i];

		if (d->type == ELF_TYPE_FUNC && !d->variant &&
		    elf_view_symbol(m->view, d->symbol, &symbol) &&
		    symbol.value == address && !strchr(symbol.name, '@') &&
		    names_resolve(d->name, d->version, 0) == d)
			return d;
	}
	return NULL;
}

/*
 * The pointer is to a stub, and not equal to the address that the library itself
 * has of the function. So the code must not name it, to compare with; and what a
 * variable points at, no other pointer may, as the variable's value can be
 * compared with that. Two tables nobody is going to compare.
 */
static bool point_at_function(struct maker *m, uint64_t at, uint64_t to,
			      enum mirror_part part)
{
	const struct definition *named = function_at(m, to);

	if (ways_use(m->ways, ways_place(to)) ||
	    (part == MIRROR_WRITABLE &&
	     ways_pointers(m->ways, ways_place(to)) > 1) ||
	    (!named && !elf_data_is_function(ways_data(m->ways), to)))
		return false;
	return add_fixup(
		m, (struct mirror_fixup){.at = at,
					 .target = named ? MIRROR_TO_SYMBOL
							 : MIRROR_TO_CODE,
					 .symbol = named,
					 .to = to});
}

static bool point_at_own(struct maker *m, uint64_t at, uint64_t to,
			 enum mirror_part part)
{
	struct elf_range ignored;

	if (elf_data_region(ways_data(m->ways), to, &ignored) ==
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
	const struct mirror_request *request = m->request;
	struct elf_symbol symbol;

	if (!elf_view_symbol(m->view, fixup->symbol, &symbol) ||
	    strchr(symbol.name, '@'))
		return false;
	const struct name *name = names_find(request->names, symbol.name);
	const struct definition *d =
		name ? names_resolve(name, symbol.version, 0) : NULL;
	if (!d || d->variant)
		return false;
	bool function = definition_is_function(d);
	bool own = d->object == request->object;
	if (function && fixup->addend != 0)
		return false;
	if (own && !function)
		return ways_datum(m->ways, d, &symbol) &&
		       point_at_data(m, fixup->address,
				     symbol.value + (uint64_t)fixup->addend);
	/* An IFUNC's resolver may not have been relocated when it is asked. */
	if (!own && (!is_found_plainly(d) || d->type == ELF_TYPE_IFUNC))
		return false;
	if (!function &&
	    (d->type != ELF_TYPE_OBJECT || !request->resides[d->object]))
		return false;
	return add_fixup(m, (struct mirror_fixup){.at = fixup->address,
						  .target = MIRROR_TO_SYMBOL,
						  .symbol = d,
						  .addend = fixup->addend});
}

static bool point(struct maker *m, const struct elf_fixup *fixup,
		  struct mirror_piece piece)
{
	/* A text relocation: the stub file is not written to. */
	if (piece.part == MIRROR_CONSTANT)
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
static bool follow(struct maker *m, struct mirror_piece piece)
{
	size_t n;
	const struct elf_fixup *fixups =
		elf_data_fixups(ways_data(m->ways), piece.range, &n);
	bool all = true;

	for (size_t i = 0; all && i < n; i++)
		all = point(m, &fixups[i], piece);
	return all;
}

/* One symbol, and all that comes with it; or nothing. */
static void mirror_symbol(struct maker *m, const struct definition *d)
{
	struct mirror before = m->mirror;
	struct elf_symbol symbol;

	/* What is bound to itself does not use another's. */
	if (elf_view_flags(m->view) & ELF_SYMBOLIC ||
	    !ways_may_move(m->ways, d, &symbol))
		return;
	bool all = reach(m, symbol.value);
	for (size_t i = before.piece_count; all && i < m->mirror.piece_count;
	     i++)
		all = follow(m, m->mirror.pieces[i]);
	if (all)
		return;
	m->mirror.piece_count = before.piece_count;
	m->mirror.fixup_count = before.fixup_count;
	m->mirror.size = before.size;
}

/* ------------------------------------------------------------------ */
/* Answers                                                            */

static void add_answer(struct maker *m, struct answer answer)
{
	struct mirror *mirror = &m->mirror;

	if (array_reserve(&mirror->answers, mirror->answer_count,
			  &mirror->answer_room, sizeof(answer)))
		mirror->answers[mirror->answer_count++] = answer;
	else
		m->failed = true;
}

static void answer_for(struct maker *m, const struct definition *d)
{
	struct elf_symbol symbol;
	struct answer answer;

	if (elf_view_symbol(m->view, d->symbol, &symbol) &&
	    answer_find(m->ways, &symbol, &answer) &&
	    (answer.what.kind != CODE_ANSWER_ADDRESS ||
	     add_piece(m, answer.text, MIRROR_CONSTANT)))
		add_answer(m, answer);
}

/* ------------------------------------------------------------------ */
/* The whole                                                          */

static int by_range(const void *a, const void *b)
{
	const struct mirror_piece *x = a, *y = b;

	return (x->range.start > y->range.start) -
	       (x->range.start < y->range.start);
}

static int by_place(const void *a, const void *b)
{
	const struct mirror_fixup *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_function(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	return (x->function > y->function) - (x->function < y->function);
}

static bool list_functions(struct mirror *mirror)
{
	size_t n = 0;

	mirror->functions =
		calloc(mirror->fixup_count + 1, sizeof(*mirror->functions));
	if (!mirror->functions)
		return false;
	for (size_t i = 0; i < mirror->fixup_count; i++)
		if (mirror->fixups[i].target == MIRROR_TO_CODE)
			mirror->functions[n++] = mirror->fixups[i].to;
	if (n > 1)
		qsort(mirror->functions, n, sizeof(*mirror->functions),
		      by_number);
	for (size_t i = 0; i < n; i++)
		if (mirror->function_count == 0 ||
		    mirror->functions[i] !=
			    mirror->functions[mirror->function_count - 1])
			mirror->functions[mirror->function_count++] =
				mirror->functions[i];
	return true;
}

static int read_pieces(struct maker *m)
{
	struct mirror *mirror = &m->mirror;
	int r = 0;

	for (size_t i = 0; r == 0 && i < mirror->piece_count; i++)
		r = elf_data_read(ways_data(m->ways), mirror->pieces[i].range,
				  &mirror->pieces[i].bytes);
	return r;
}

static void mark(const struct maker *m)
{
	size_t n;
	struct definition *own =
		names_change(m->request->names, m->request->object, &n);
	struct elf_symbol symbol;

	for (size_t i = 0; i < n; i++)
		own[i].mirrored =
			ways_may_move(m->ways, &own[i], &symbol) &&
			mirror_has(&m->mirror, symbol.value, symbol.size);
}

static int make(struct maker *m, int fd, const char *path)
{
	int r = ways_open(m->view, m->own, m->own_count, fd, path, &m->ways);

	if (r < 0)
		return r;
	m->constructs = code_constructs(ways_data(m->ways), m->view);
	for (size_t i = 0; i < m->own_count; i++)
		if (m->request->wanted[i])
			mirror_symbol(m, &m->own[i]);
	bool answers = answer_may(m->ways, m->view, m->constructs);
	for (size_t i = 0; answers && i < m->own_count; i++)
		if (m->request->wanted[i])
			answer_for(m, &m->own[i]);
	if (m->failed || !list_functions(&m->mirror))
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	if (m->mirror.piece_count > 1)
		qsort(m->mirror.pieces, m->mirror.piece_count,
		      sizeof(*m->mirror.pieces), by_range);
	if (m->mirror.answer_count > 1)
		qsort(m->mirror.answers, m->mirror.answer_count,
		      sizeof(*m->mirror.answers), by_function);
	if (m->mirror.fixup_count > 1)
		qsort(m->mirror.fixups, m->mirror.fixup_count,
		      sizeof(*m->mirror.fixups), by_place);
	return read_pieces(m);
}

static bool is_any_wanted(const struct maker *m)
{
	for (size_t i = 0; i < m->own_count; i++)
		if (m->request->wanted[i])
			return true;
	return false;
}

int mirror_make(const struct mirror_request *request, struct mirror *ret)
{
	const struct closure_object *object =
		&request->closure->objects[request->object];
	_cleanup_(maker_end) struct maker m = {.request = request,
					       .view = object->view};
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	size_t id_size;

	*ret = (struct mirror){.pieces = NULL};
	m.own = names_of_object(request->names, request->object, &m.own_count);
	elf_view_build_id(m.view, &id_size);
	if (id_size == 0 || !is_any_wanted(&m))
		return 0;
	int r = file_open(AT_FDCWD, object->path, &fd, &identity);
	if (r == 0 && !file_identity_equal(&identity, &object->identity))
		return 0; /* its verdict will be made anew */
	if (r == 0)
		r = make(&m, fd, object->path);
	if (r == -DLAZY_ENOMEM)
		return r;
	status_clear();
	if (r < 0)
		return 0;
	mark(&m);
	*ret = m.mirror;
	m.mirror = (struct mirror){.pieces = NULL};
	return 0;
}
