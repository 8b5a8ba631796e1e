/* SPDX-License-Identifier: MIT */
/*
 * From each wanted symbol on, whatever its data point at is added, until there
 * is nothing new: or something that cannot be mirrored, and then all that came
 * with this symbol is taken back.
 */
#include "link/mirror.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/status.h"
#include "elf/uses.h"

#include <fcntl.h>
#include <string.h>

/* No data of a library are worth more, in bytes and in relocations at each
 * start. */
#define MIRROR_SIZE_MAX (4u << 20)
#define MIRROR_FIXUPS_MAX 4096

/* A longer one is not returned by a function that does nothing else. */
#define TEXT_MAX 16384

struct maker {
	const struct mirror_request *request;
	const struct elf_view *view;
	const struct definition *own; /* of the library */
	size_t own_count;
	struct elf_data *data;
	int fd;
	struct uses *uses; /* by uses_of() */
	bool uses_asked;
	struct elf_range *named; /* where its symbols' data are, disjoint */
	size_t named_count;
	struct map cells;   /* begin of a piece -> its number + 1 */
	bool *referred;	    /* by symbol: it has a relocation of that name */
	uint64_t *pointers; /* where those without a name point, sorted */
	size_t pointer_count;
	bool constructs; /* has constructors */
	struct mirror mirror;
	bool failed; /* out of memory */
};

static void maker_end(struct maker *m)
{
	elf_data_close(m->data);
	uses_free(m->uses);
	free(m->named);
	free(m->referred);
	free(m->pointers);
	map_clear(&m->cells);
	mirror_clear(&m->mirror);
}

/* Data of the library, whoever reaches them, with an extent. */
static bool data_of(const struct maker *m, const struct definition *d,
		    struct elf_symbol *ret)
{
	return d->type == ELF_TYPE_OBJECT &&
	       elf_view_symbol(m->view, d->symbol, ret) && ret->size > 0 &&
	       ret->value > 0 && ret->size <= MIRROR_SIZE_MAX &&
	       ret->value <= UINT64_MAX - ret->size;
}

/* May others have them from elsewhere? */
static bool is_movable(const struct maker *m, const struct definition *d,
		       struct elf_symbol *ret)
{
	return d->binding != ELF_BINDING_UNIQUE && data_of(m, d, ret) &&
	       ret->visibility == 0;
}

static struct elf_range extent_of(const struct elf_symbol *symbol)
{
	return (struct elf_range){symbol->value, symbol->value + symbol->size};
}

static bool lies_within(struct elf_range inner, struct elf_range outer)
{
	return inner.start >= outer.start && inner.end <= outer.end;
}

/* ------------------------------------------------------------------ */
/* What is known of the library                                       */

static int by_start(const void *a, const void *b)
{
	const struct elf_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void join_overlapping(struct maker *m)
{
	size_t n = 0;

	if (m->named_count > 1)
		qsort(m->named, m->named_count, sizeof(*m->named), by_start);
	for (size_t i = 0; i < m->named_count; i++) {
		struct elf_range this = m->named[i];

		if (n == 0 || this.start >= m->named[n - 1].end)
			m->named[n++] = this;
		else if (this.end > m->named[n - 1].end)
			m->named[n - 1].end = this.end;
	}
	m->named_count = n;
}

static bool find_named(struct maker *m)
{
	struct elf_symbol symbol;

	m->named = calloc(m->own_count + 1, sizeof(*m->named));
	if (!m->named)
		return false;
	for (size_t i = 0; i < m->own_count; i++)
		if (data_of(m, &m->own[i], &symbol))
			m->named[m->named_count++] = extent_of(&symbol);
	join_overlapping(m);
	return true;
}

static const struct elf_fixup *all_fixups(const struct maker *m, size_t *ret)
{
	return elf_data_fixups(m->data, (struct elf_range){0, UINT64_MAX}, ret);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool find_pointers(struct maker *m)
{
	size_t n;
	const struct elf_fixup *fixups = all_fixups(m, &n);

	m->pointers = calloc(n + 1, sizeof(*m->pointers));
	if (!m->pointers)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].kind == ELF_FIXUP_RELATIVE)
			m->pointers[m->pointer_count++] =
				(uint64_t)fixups[i].addend;
	if (m->pointer_count > 1)
		qsort(m->pointers, m->pointer_count, sizeof(*m->pointers),
		      by_number);
	return true;
}

static bool find_referred(struct maker *m)
{
	size_t n, symbols = elf_view_symbol_count(m->view);
	const struct elf_fixup *fixups = all_fixups(m, &n);

	m->referred = calloc(symbols + 1, sizeof(*m->referred));
	if (!m->referred)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].symbol < symbols)
			m->referred[fixups[i].symbol] = true;
	return true;
}

/* ------------------------------------------------------------------ */
/* Pieces                                                             */

/* How many pointers there are, that are not by name, to what is before. */
static size_t pointers_before(const struct maker *m, uint64_t address)
{
	size_t low = 0, high = m->pointer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->pointers[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t pointers_into(const struct maker *m, struct elf_range range)
{
	return pointers_before(m, range.end) - pointers_before(m, range.start);
}

/* What its code uses; NULL: that cannot be told. */
static const struct uses *uses_of(struct maker *m)
{
	if (!m->uses_asked && uses_read(m->fd, "", &m->uses) < 0)
		status_clear();
	m->uses_asked = true;
	return m->uses;
}

/* Does its code use it directly? In doubt it does. */
static bool is_used(struct maker *m, struct elf_range range)
{
	return uses_has(uses_of(m), range);
}

static struct elf_range place_of(uint64_t address)
{
	return (struct elf_range){address, address + 1};
}

/* A name by which the library would have its own. */
static bool stays(const struct maker *m, const struct definition *d,
		  struct elf_range range)
{
	struct elf_symbol symbol;

	return elf_view_symbol(m->view, d->symbol, &symbol) &&
	       symbol.value >= range.start && symbol.value < range.end &&
	       !is_movable(m, d, &symbol);
}

/* Is what may be written reached by its names, and by those alone? */
static bool is_reached_by_name(struct maker *m, struct elf_range range)
{
	struct elf_symbol symbol;
	bool referred = false;

	for (size_t i = 0; i < m->own_count; i++) {
		if (stays(m, &m->own[i], range))
			return false;
		if (data_of(m, &m->own[i], &symbol) &&
		    lies_within(extent_of(&symbol), range))
			referred |= m->referred[m->own[i].symbol];
	}
	return referred && pointers_into(m, range) == 0 && !is_used(m, range);
}

/* The first named data that begin behind an address. */
static size_t named_behind(const struct maker *m, uint64_t address)
{
	size_t low = 0, high = m->named_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->named[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A symbol's data, or what lies between two symbols'. true: it has a name. */
static bool narrow_to_cell(const struct maker *m, uint64_t address,
			   struct elf_range *range)
{
	size_t behind = named_behind(m, address);

	if (behind > 0 && address < m->named[behind - 1].end) {
		*range = m->named[behind - 1];
		return true;
	}
	if (behind > 0 && m->named[behind - 1].end > range->start)
		range->start = m->named[behind - 1].end;
	if (behind < m->named_count && m->named[behind].start < range->end)
		range->end = m->named[behind].start;
	return false;
}

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
	enum elf_region region = elf_data_region(m->data, address, &whole);

	cell = whole;
	bool named = narrow_to_cell(m, address, &cell);
	if (!lies_within(cell, whole))
		return false;
	if (has_piece(m, cell))
		return true;
	switch (region) {
	case ELF_REGION_CONSTANT:
		return add_piece(m, cell, MIRROR_CONSTANT);
	case ELF_REGION_RELRO:
		/* Without a name, it may be told by its address. */
		return (named || !is_used(m, place_of(address))) &&
		       add_piece(m, cell, MIRROR_RELRO);
	case ELF_REGION_WRITABLE:
		return named && !m->constructs && is_reached_by_name(m, cell) &&
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

	if (is_used(m, place_of(to)) ||
	    (part == MIRROR_WRITABLE && pointers_into(m, place_of(to)) > 1) ||
	    (!named && !elf_data_is_function(m->data, to)))
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

	if (elf_data_region(m->data, to, &ignored) == ELF_REGION_CODE)
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
		return data_of(m, d, &symbol) &&
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
		elf_data_fixups(m->data, piece.range, &n);
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
	    !is_movable(m, d, &symbol))
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
/* Functions that are known                                           */

/* Is a function of the library itself called by its names alone, and found by
 * them as others find it? Then it gets what they get. */
static bool is_called_by_name(struct maker *m, uint64_t function)
{
	bool symbolic = elf_view_flags(m->view) & ELF_SYMBOLIC;
	struct elf_symbol symbol;

	for (size_t i = 0; i < m->own_count; i++)
		if (elf_view_symbol(m->view, m->own[i].symbol, &symbol) &&
		    symbol.value == function &&
		    (symbolic || symbol.visibility != 0) &&
		    m->referred[m->own[i].symbol])
			return false;
	return !is_used(m, place_of(function)) &&
	       !uses_calls(uses_of(m), function) &&
	       pointers_into(m, place_of(function)) == 0;
}

static bool is_printable(uint8_t byte)
{
	return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\t';
}

/* Is there a text, whole and alone: printable, its NUL included, behind the NUL
 * of another? */
static bool is_text(const struct maker *m, uint64_t address,
		    struct elf_range *ret)
{
	struct elf_range cell;
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t n = 0;

	if (elf_data_region(m->data, address, &cell) != ELF_REGION_CONSTANT ||
	    narrow_to_cell(m, address, &cell))
		return false;
	size_t before = address > cell.start;
	if (cell.end - address > TEXT_MAX)
		cell.end = address + TEXT_MAX;
	size_t room = cell.end - address;
	cell.start = address - before;
	if (elf_data_read(m->data, cell, &bytes) < 0) {
		status_clear();
		return false;
	}
	const uint8_t *text = bytes + before;
	while (n < room && is_printable(text[n]))
		n++;
	*ret = (struct elf_range){address, address + n + 1};
	return n > 0 && n < room && text[n] == 0 &&
	       (before == 0 || bytes[0] == 0);
}

/*
 * Can the text that a function returns be elsewhere? If nothing but that
 * function knows of it: who else could compare with its address?
 */
static bool is_secret(struct maker *m, struct elf_range text)
{
	const struct elf_range inner = {text.start + 1, text.end};
	size_t relocated;

	elf_data_fixups(m->data, text, &relocated);
	return !uses_has_again(uses_of(m), text) &&
	       !uses_has(uses_of(m), inner) && pointers_into(m, text) == 0 &&
	       relocated == 0;
}

/* Has the text that a function returns in the mirror; false: it cannot be. */
static bool mirror_text(struct maker *m, uint64_t function, uint64_t address)
{
	struct elf_range text;

	return is_text(m, address, &text) && is_called_by_name(m, function) &&
	       is_secret(m, text) && add_piece(m, text, MIRROR_CONSTANT);
}

static void add_answer(struct maker *m, struct mirror_answer answer)
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
	struct mirror_answer answer;

	if (d->type != ELF_TYPE_FUNC ||
	    !elf_view_symbol(m->view, d->symbol, &symbol) ||
	    !code_answers(m->data, symbol.value, symbol.size, &answer.answer))
		return;
	if (answer.answer.kind == CODE_ANSWER_ADDRESS &&
	    !mirror_text(m, symbol.value, answer.answer.value))
		return;
	answer.function = symbol.value;
	add_answer(m, answer);
}

/*
 * A library that is called is there, with its constructors and destructors: a
 * function that does nothing may be called for these.
 */
static bool may_answer(const struct maker *m)
{
	return !m->constructs && !code_destructs(m->data, m->view);
}

/* ------------------------------------------------------------------ */
/* The whole                                                          */

static int by_range(const void *a, const void *b)
{
	const struct mirror_piece *x = a, *y = b;

	return by_start(&x->range, &y->range);
}

static int by_place(const void *a, const void *b)
{
	const struct mirror_fixup *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static int by_function(const void *a, const void *b)
{
	const struct mirror_answer *x = a, *y = b;

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
		r = elf_data_read(m->data, mirror->pieces[i].range,
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
			is_movable(m, &own[i], &symbol) &&
			mirror_has(&m->mirror, symbol.value, symbol.size);
}

static int make(struct maker *m, int fd, const char *path)
{
	int r = elf_data_open(fd, path, &m->data);

	m->fd = fd;
	if (r < 0)
		return r;
	if (!find_named(m) || !find_referred(m) || !find_pointers(m))
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	m->constructs = code_constructs(m->data, m->view);
	for (size_t i = 0; i < m->own_count; i++)
		if (m->request->wanted[i])
			mirror_symbol(m, &m->own[i]);
	bool answers = may_answer(m);
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
