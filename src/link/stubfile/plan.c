/* SPDX-License-Identifier: MIT */
/*
 * Laying out a stub file. Things of one kind lie together, and within a kind
 * those of one library do, so that a run touches few pages. All places follow
 * from counts, in stub_plan_layout().
 */
#include "link/stubfile/plan.h"

#include "base/array.h"
#include "base/hash.h"
#include "link/write/frame.h"
#include "link/copy/copy.h"
#include "stub/linked.h"

#include <stdio.h>
#include <string.h>

void stub_plan_clear(struct stub_plan *plan)
{
	free(plan->libraries);
	free(plan->symbols);
	free(plan->copied);
	map_clear(&plan->seen);
	memset(plan, 0, sizeof(*plan));
}

bool stub_plan_seen(struct stub_plan *plan, const char *name, unsigned version)
{
	uint64_t key = hash_string(name) + version * UINT64_C(0x9e3779b97f4a7c);
	const char *other;

	/* Another name of the same hash has the next key. */
	for (; (other = map_get(&plan->seen, key)); key++)
		if (strcmp(other, name) == 0)
			return true;
	if (!map_put(&plan->seen, key, (void *)name))
		plan->failed = true;
	return false;
}

static void add_symbol(struct stub_plan *plan, struct stub_symbol symbol)
{
	if (!array_reserve(&plan->symbols, plan->symbol_count,
			   &plan->symbol_room, sizeof(symbol)))
		plan->failed = true;
	else
		plan->symbols[plan->symbol_count++] = symbol;
}

/* Functions that a library's copied data point at. */
static void add_unnamed(struct stub_plan *plan, const struct library *library)
{
	const struct copy *copy = library->copy;

	for (size_t i = 0; copy && i < copy->function_count; i++)
		add_symbol(plan, (struct stub_symbol){.symbol = NULL});
}

static void add_copied(struct stub_plan *plan, const struct copy *copy,
		       struct stub_symbol symbol)
{
	if (!array_reserve(&plan->copied, plan->copied_count,
			   &plan->copied_room, sizeof(*plan->copied)))
		plan->failed = true;
	else
		plan->copied[plan->copied_count++] =
			(struct stub_copied){symbol, copy};
}

/* The functions of a library, or its data. */
static void add_symbols(struct stub_plan *plan, const struct library *library,
			bool data, stub_accept_fn *accept, void *context)
{
	for (size_t i = 0; i < library->symbol_count; i++) {
		struct stub_symbol symbol = {.symbol = &library->symbols[i]};

		if (symbol.symbol->why_not || symbol.symbol->data != data ||
		    !accept(&symbol, context))
			continue;
		if (symbol.symbol->copied)
			add_copied(plan, library->copy, symbol);
		else
			add_symbol(plan, symbol);
	}
}

/* Which of a library's functions are known beforehand. */
static void find_constants(struct stub_plan *plan, struct stub_library *l)
{
	const struct copy *copy = l->library->copy;

	l->first_constant = plan->constant_count;
	for (size_t i = 0; copy && !plan->failed && i < l->named; i++) {
		struct stub_symbol *s = &plan->symbols[l->first + i];

		s->constant = copy_constant(copy, s->symbol->address);
		if (s->constant)
			s->number = (uint32_t)plan->constant_count++;
	}
	l->constants = plan->constant_count - l->first_constant;
}

void stub_plan_library(struct stub_plan *plan, const struct library *library,
		       stub_accept_fn *accept, void *data)
{
	struct stub_library new = {
		.library = library,
		.first = plan->symbol_count,
		.first_function = plan->function_count,
		.first_data = plan->symbol_count - plan->function_count,
	};

	if (!array_reserve(&plan->libraries, plan->library_count,
			   &plan->library_room, sizeof(new))) {
		plan->failed = true;
		return;
	}
	add_symbols(plan, library, false, accept, data);
	new.named = plan->symbol_count - new.first;
	find_constants(plan, &new);
	add_unnamed(plan, library);
	new.functions = plan->symbol_count - new.first;
	plan->function_count += new.functions;
	add_symbols(plan, library, true, accept, data);
	new.symbols = plan->symbol_count - new.first;
	plan->libraries[plan->library_count++] = new;
}

/* Layout. */

static uint64_t template_stride(const struct stub_plan *plan,
				enum template_kind kind)
{
	const struct template *t = template_get(plan->cpu, kind);

	return (t->size + t->alignment - 1u) & ~(t->alignment - 1u);
}

/* Room for `count` of a kind; returns where it begins. */
static uint64_t reserve_code(struct stub_plan *plan, enum template_kind kind,
			     size_t count)
{
	uint64_t alignment = template_get(plan->cpu, kind)->alignment;
	uint64_t at = (plan->code_size + alignment - 1) & ~(alignment - 1);

	if (count)
		plan->code_size = at + count * template_stride(plan, kind);
	return at;
}

static uint64_t reserve(uint64_t *size, uint64_t count, uint64_t each)
{
	uint64_t at = *size;

	*size += count * each;
	return at;
}

static size_t helper_count(const struct stub_plan *plan)
{
	size_t count = 0;

	while (plan->has_helpers && stub_plan_helper(count))
		count++;
	return count;
}

void stub_plan_layout(struct stub_plan *plan)
{
	size_t libraries = plan->library_count;

	reserve_code(plan, TEMPLATE_STUB, plan->function_count);
	plan->constant_code = reserve_code(plan, TEMPLATE_CONSTANT_NUMBER,
					   plan->constant_count);
	plan->data = reserve_code(plan, TEMPLATE_DATA,
				  plan->symbol_count - plan->function_count);
	plan->start = reserve_code(plan, TEMPLATE_START, plan->has_run);
	plan->helpers = reserve_code(plan, TEMPLATE_ASK, helper_count(plan));
	plan->tails = reserve_code(plan, TEMPLATE_TAIL, libraries);

	reserve(&plan->constant_size, libraries, sizeof(struct linked));
	plan->run = reserve(&plan->constant_size, plan->has_run,
			    sizeof(struct linked_run));
	plan->names = reserve(&plan->constant_size, plan->symbol_count,
			      sizeof(uint32_t));
	plan->constant_symbols = reserve(
		&plan->constant_size, plan->constant_count, sizeof(uint32_t));

	reserve(&plan->zero_size, libraries,
		plan->is_alone ? sizeof(struct linked_alone)
			       : sizeof(struct linked_state));
	plan->run_state = reserve(&plan->zero_size, plan->has_run,
				  sizeof(struct linked_run_state));
	plan->slots = reserve(&plan->zero_size, plan->function_count,
			      sizeof(linked_slot));
}

static bool is_of_one_build(const struct stub_library *l)
{
	const struct copy *copy = l->library->copy;

	return copy && (copy->piece_count || l->constants);
}

/* Copies and constants are of one build alone; and after a change of its root
 * directory a program of `dlazy run` has no other file than this. */
static void name_build(const struct stub_plan *plan, struct stub_library *l,
		       struct build_strings *strings)
{
	const struct library *library = l->library;
	char text[2 * LINKED_BUILD_MAX + 1] = "";
	size_t id_size;

	if (is_of_one_build(l)) {
		const uint8_t *id = elf_view_build_id(library->view, &id_size);
		for (size_t i = 0; i < id_size && i < LINKED_BUILD_MAX; i++)
			snprintf(text + 2 * i, 3, "%02x", id[i]);
		l->build = build_string(strings, text);
	} else if (!plan->has_run) {
		return;
	}
	snprintf(text, sizeof(text), LINKED_FILE_HASH,
		 (unsigned long long)hash_bytes(&library->identity,
						sizeof(library->identity)));
	l->file = build_string(strings, text);
}

/* A function without a name is looked up by its offset. */
static void name_unnamed(struct stub_plan *plan, struct stub_library *l,
			 struct build_strings *strings)
{
	const struct library *library = l->library;
	char text[32];

	for (size_t i = l->named; i < l->functions; i++) {
		snprintf(text, sizeof(text), LINKED_OFFSET "%llx",
			 (unsigned long long)
				 library->copy->functions[i - l->named]);
		plan->symbols[l->first + i].name = build_string(strings, text);
	}
}

void stub_plan_strings(struct stub_plan *plan, struct build_strings *strings)
{
	for (size_t i = 0; i < plan->library_count; i++) {
		struct stub_library *l = &plan->libraries[i];
		const struct library *library = l->library;

		l->feature = build_string(strings, library->feature);
		l->package = build_string(strings, library->package);
		for (size_t k = 0; k < library->file_count; k++) {
			uint32_t at = build_string(strings, library->files[k]);
			l->files = k == 0 ? at : l->files;
		}
		build_string_end(strings);
		name_build(plan, l, strings);
		name_unnamed(plan, l, strings);
	}
}

static uint64_t function_code(const struct stub_plan *plan, size_t function)
{
	return function * template_stride(plan, TEMPLATE_STUB);
}

static uint64_t constant_stub(const struct stub_plan *plan, uint32_t number)
{
	return plan->constant_code +
	       number * template_stride(plan, TEMPLATE_CONSTANT_NUMBER);
}

static uint64_t data_code(const struct stub_plan *plan, size_t data)
{
	return plan->data + data * template_stride(plan, TEMPLATE_DATA);
}

static uint64_t tail_code(const struct stub_plan *plan, size_t library)
{
	return plan->tails + library * template_stride(plan, TEMPLATE_TAIL);
}

uint64_t stub_plan_code(const struct stub_plan *plan,
			const struct stub_library *library, size_t i)
{
	const struct stub_symbol *symbol = &plan->symbols[library->first + i];

	if (symbol->constant)
		return constant_stub(plan, symbol->number);
	if (i < library->functions)
		return function_code(plan, library->first_function + i);
	return data_code(plan, library->first_data + i - library->functions);
}

static enum template_kind kind_of(const struct code_constant *constant)
{
	switch (constant->kind) {
	case CODE_CONSTANT_NOTHING:
		return TEMPLATE_CONSTANT_NOTHING;
	case CODE_CONSTANT_NUMBER:
		return TEMPLATE_CONSTANT_NUMBER;
	case CODE_CONSTANT_ADDRESS:
		break;
	}
	return TEMPLATE_CONSTANT_ADDRESS;
}

uint64_t stub_plan_code_size(const struct stub_plan *plan,
			     const struct stub_library *library, size_t i)
{
	const struct stub_symbol *symbol = &plan->symbols[library->first + i];
	enum template_kind kind = TEMPLATE_DATA;

	if (symbol->constant)
		kind = kind_of(symbol->constant);
	else if (i < library->functions)
		kind = TEMPLATE_STUB;
	return template_get(plan->cpu, kind)->size;
}

/* Helpers. */

static const struct helper {
	const char *name; /* behind the prefix */
	enum stub_function function;
	enum template_kind code; /* TEMPLATE_ASK and its like: of one size */
} helpers[] = {
	{"_available", STUB_AVAILABLE, TEMPLATE_ASK},
	{"_error", STUB_ERROR, TEMPLATE_ASK},
	{"_has", STUB_HAS, TEMPLATE_ASK_MORE},
	{"_load_now", STUB_LOAD, TEMPLATE_ASK},
	{"_module", STUB_MODULE, TEMPLATE_ASK},
	{"_on_failure", STUB_ON_FAILURE, TEMPLATE_ASK_MORE},
	{"_on_load", STUB_ON_LOAD, TEMPLATE_ASK_MORE},
};

const char *stub_plan_helper(size_t i)
{
	return i < ARRAY_SIZE(helpers) ? helpers[i].name : NULL;
}

uint64_t stub_plan_helper_code(const struct stub_plan *plan, size_t i)
{
	return plan->helpers + i * template_stride(plan, TEMPLATE_ASK);
}

uint64_t stub_plan_helper_size(const struct stub_plan *plan)
{
	return template_get(plan->cpu, TEMPLATE_ASK)->size;
}

uint64_t stub_plan_tail(const struct stub_plan *plan)
{
	return tail_code(plan, 0);
}

uint64_t stub_plan_tail_size(const struct stub_plan *plan)
{
	return template_get(plan->cpu, TEMPLATE_TAIL)->size;
}

/* Unwinding: all up to the tails is one, if there is any; each tail is one. */

size_t stub_plan_frame_count(const struct stub_plan *plan)
{
	return (plan->tails > 0) + plan->library_count;
}

void stub_plan_frames(const struct stub_plan *plan, struct build_frame *frames)
{
	const struct template *tail = template_get(plan->cpu, TEMPLATE_TAIL);

	if (plan->tails > 0)
		*frames++ = (struct build_frame){.size = plan->tails};
	for (size_t i = 0; i < plan->library_count; i++)
		*frames++ = (struct build_frame){
			.offset = tail_code(plan, i),
			.size = tail->size,
			.moves = tail->moves,
			.depth = tail->depth,
		};
}

/* Contents. */

/* One piece of code while it is written: what its targets are. */
struct piece {
	struct stub_reference to[TEMPLATE_NUMBER + 1];
};

static struct stub_reference in(enum stub_part part, uint64_t offset)
{
	return (struct stub_reference){part, offset};
}

static struct piece piece_of(const struct stub_plan *plan, size_t library,
			     enum stub_function function)
{
	struct piece piece = {
		.to = {
			[TEMPLATE_TO_TAIL] =
				in(STUB_CODE, tail_code(plan, library)),
			[TEMPLATE_LINKED] = in(STUB_CONSTANT,
					       library * sizeof(struct linked)),
			[TEMPLATE_RUN] = in(STUB_CONSTANT, plan->run),
			[TEMPLATE_POINTER] = in(STUB_POINTER, function),
		}};

	return piece;
}

static void write_code(const struct stub_plan *plan, struct stub_writer *w,
		       enum template_kind kind, uint64_t at,
		       const struct piece *piece)
{
	const struct template *t = template_get(plan->cpu, kind);

	memcpy(w->code + at, t->code, t->size);
	for (size_t i = 0; i < t->fixup_count; i++) {
		const struct template_fixup *fixup = &t->fixups[i];

		if (!w->refer(w->data, STUB_CODE, at + fixup->offset,
			      w->code + at + fixup->offset, fixup->how,
			      piece->to[fixup->target], fixup->addend))
			w->failed = true;
	}
}

static struct stub_reference in_copy(const struct copy *copy, uint64_t at)
{
	const struct copy_piece *piece = copy_find(copy, at);

	return in(STUB_COPIED, piece->place + at - piece->range.start);
}

static struct stub_reference in_slot(const struct stub_plan *plan,
				     const struct stub_library *l, size_t i)
{
	return in(STUB_ZERO,
		  plan->slots + (l->first_function + i) * sizeof(linked_slot));
}

static void write_constant(const struct stub_plan *plan, struct stub_writer *w,
			   size_t library, size_t i)
{
	const struct stub_library *l = &plan->libraries[library];
	const struct code_constant *constant =
		plan->symbols[l->first + i].constant;
	struct piece piece = {
		.to = {
			[TEMPLATE_SLOT] = in_slot(plan, l, i),
			[TEMPLATE_BYTE] =
				in(STUB_ZERO,
				   library * sizeof(struct linked_state) +
					   offsetof(struct linked_state, told)),
			[TEMPLATE_NUMBER] = in(STUB_NUMBER, constant->value),
		}};

	if (constant->kind == CODE_CONSTANT_ADDRESS)
		piece.to[TEMPLATE_DATUM] =
			in_copy(l->library->copy, constant->value);
	write_code(plan, w, kind_of(constant), stub_plan_code(plan, l, i),
		   &piece);
}

static void write_symbols(const struct stub_plan *plan, struct stub_writer *w,
			  size_t library)
{
	const struct stub_library *l = &plan->libraries[library];
	struct piece stub =
		piece_of(plan, library,
			 plan->abi == LINKED_ABI ? STUB_SLOW : STUB_SLOW_NAMED);
	struct piece resolver = piece_of(plan, library, STUB_DATA);

	for (size_t i = 0; i < l->functions; i++) {
		if (plan->symbols[l->first + i].constant) {
			write_constant(plan, w, library, i);
			continue;
		}
		stub.to[TEMPLATE_SLOT] = in_slot(plan, l, i);
		write_code(plan, w, TEMPLATE_STUB, stub_plan_code(plan, l, i),
			   &stub);
	}
	for (size_t i = l->functions; i < l->symbols; i++) {
		resolver.to[TEMPLATE_NUMBER] = in(STUB_NUMBER, i);
		write_code(plan, w, TEMPLATE_DATA, stub_plan_code(plan, l, i),
			   &resolver);
	}
	write_code(plan, w, TEMPLATE_TAIL, tail_code(plan, library), &stub);
}

/*
 * Does the stub file depend on one build of the library by more than
 * constants: by data that others import, or by functions without a symbol?
 */
static bool has_copied(const struct stub_plan *plan,
		       const struct stub_library *l)
{
	for (size_t i = 0; i < plan->copied_count; i++)
		if (plan->copied[i].copy == l->library->copy)
			return true;
	return l->functions > l->named;
}

/* A field of a structure: the distance from the structure to what it names. */
static void write_distance(struct stub_writer *w, uint64_t structure,
			   size_t field, struct stub_reference to)
{
	uint64_t at = structure + field;

	if (!w->refer(w->data, STUB_CONSTANT, at, w->constants + at,
		      TEMPLATE_PC32, to, (int64_t)field))
		w->failed = true;
}

static void write_linked(const struct stub_plan *plan, struct stub_writer *w,
			 size_t library)
{
	const struct stub_library *l = &plan->libraries[library];
	uint64_t at = library * sizeof(struct linked);
	const struct linked linked = {
		.abi = plan->abi,
		.functions = (uint32_t)l->functions,
		.symbols = (uint32_t)l->symbols,
		.files = l->files,
		.feature = l->feature,
		.package = l->package,
		.number = (uint32_t)library,
		.build = l->build,
		.file = l->file,
		.copied = has_copied(plan, l),
		.constants = (uint32_t)l->constants,
	};
	const struct {
		size_t field;
		struct stub_reference to;
	} distances[] = {
		{offsetof(struct linked, state),
		 in(STUB_ZERO, library * sizeof(struct linked_state))},
		{offsetof(struct linked, slots),
		 in(STUB_ZERO,
		    plan->slots + l->first_function * sizeof(linked_slot))},
		{offsetof(struct linked, names),
		 in(STUB_CONSTANT, plan->names + l->first * sizeof(uint32_t))},
		{offsetof(struct linked, constant_symbols),
		 in(STUB_CONSTANT,
		    plan->constant_symbols +
			    l->first_constant * sizeof(uint32_t))},
		{offsetof(struct linked, strings), in(STUB_STRINGS, 0)},
		{offsetof(struct linked, run), in(STUB_CONSTANT, plan->run)},
	};

	memcpy(w->constants + at, &linked, sizeof(linked));
	for (size_t i = 0; i < ARRAY_SIZE(distances); i++)
		if (distances[i].field != offsetof(struct linked, run) ||
		    plan->has_run)
			write_distance(w, at, distances[i].field,
				       distances[i].to);
}

static void write_run(const struct stub_plan *plan, struct stub_writer *w)
{
	const struct linked_run run = {
		.abi = LINKED_ABI,
		.libraries = (uint32_t)plan->library_count,
		.directory = plan->directory,
		.touched = plan->touched,
	};
	struct piece start = piece_of(plan, 0, STUB_START);

	memcpy(w->constants + plan->run, &run, sizeof(run));
	write_distance(w, plan->run, offsetof(struct linked_run, strings),
		       in(STUB_STRINGS, 0));
	write_distance(w, plan->run, offsetof(struct linked_run, state),
		       in(STUB_ZERO, plan->run_state));
	write_code(plan, w, TEMPLATE_START, plan->start, &start);
}

static void write_names(const struct stub_plan *plan, struct stub_writer *w)
{
	uint32_t *names = (uint32_t *)(w->constants + plan->names);

	for (size_t i = 0; i < plan->symbol_count; i++)
		names[i] = plan->symbols[i].name;
}

/* By symbol of their library. */
static void write_constant_symbols(const struct stub_plan *plan,
				   struct stub_writer *w)
{
	uint32_t *constant_symbols =
		(uint32_t *)(w->constants + plan->constant_symbols);

	for (size_t i = 0; i < plan->library_count; i++) {
		const struct stub_library *l = &plan->libraries[i];

		for (size_t k = 0; k < l->named; k++)
			if (plan->symbols[l->first + k].constant)
				*constant_symbols++ = (uint32_t)k;
	}
}

static void write_helpers(const struct stub_plan *plan, struct stub_writer *w)
{
	for (size_t i = 0; i < helper_count(plan); i++) {
		struct piece ask = piece_of(plan, 0, helpers[i].function);

		write_code(plan, w, helpers[i].code,
			   stub_plan_helper_code(plan, i), &ask);
	}
}

void stub_plan_fill_gaps(const struct stub_plan *plan, uint8_t *code)
{
	const struct build_cpu *cpu = build_cpu(plan->cpu);

	for (uint64_t i = 0; i < plan->code_size; i++)
		code[i] = cpu->nop[i % sizeof(cpu->nop)];
}

void stub_plan_write(const struct stub_plan *plan, struct stub_writer *writer)
{
	for (size_t i = 0; i < plan->library_count; i++) {
		write_linked(plan, writer, i);
		write_symbols(plan, writer, i);
	}
	write_names(plan, writer);
	write_constant_symbols(plan, writer);
	write_helpers(plan, writer);
	if (plan->has_run)
		write_run(plan, writer);
}
