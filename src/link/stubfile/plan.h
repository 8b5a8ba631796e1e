/* SPDX-License-Identifier: MIT */
/*
 * What all stub files have in common: which symbols have a stub, where in the
 * code, the constants and the zeroed data everything lies, and the contents of
 * these three. Shared objects and relocatable ones differ only in what becomes
 * of a reference from one to another: an address, or a relocation.
 *
 *   code:       stubs of all functions (none for a constant function),
 *               constant functions, resolvers of data that are not copied,
 *               the start, the helpers, the tails
 *   constants:  struct linked of each library, struct linked_run, names
 *   zero:       struct linked_state of each, linked_run_state, slots
 */
#ifndef LINK_STUBFILE_PLAN_H
#define LINK_STUBFILE_PLAN_H

#include "base/map.h"
#include "link/write/build.h"
#include "link/stubfile/stubfile.h"
#include "link/stubfile/template.h"

/* Where something is. */
enum stub_part {
	STUB_CODE,
	STUB_CONSTANT,
	STUB_ZERO,
	STUB_STRINGS,
	STUB_POINTER, /* offset: an enum stub_function */
	STUB_COPIED,  /* among the constants of copies */
	STUB_NUMBER,  /* nowhere: offset is a number */
};

/* What libdlazy has for stub files. */
enum stub_function {
	STUB_SLOW,
	STUB_DATA,
	STUB_START,
	STUB_AVAILABLE,
	STUB_LOAD,
	STUB_MODULE,
	STUB_ERROR,
	STUB_HAS,
	STUB_ON_FAILURE,
	STUB_ON_LOAD,
	STUB_SLOW_NAMED,
};

struct stub_reference {
	enum stub_part part;
	uint64_t offset;
};

struct stub_symbol {
	const struct library_symbol *symbol; /* NULL: a function without a
						name, of the copy */
	uint32_t name;	  /* in the strings: what the run time looks up */
	uint16_t version; /* in shared objects: its index */
	const struct code_constant *constant; /* what is known of it; or NULL */
	uint32_t number;		      /* among all constants */
};

struct stub_library {
	const struct library *library;
	size_t first;			  /* of its symbols, functions first,
					     the named before the others */
	size_t first_function;		  /* among all functions */
	size_t first_data;		  /* among all data */
	size_t named;			  /* how many of the functions */
	size_t functions, symbols;	  /* how many; all */
	uint32_t files, feature, package; /* in the strings */
	uint32_t build, file;
	size_t first_constant, constants;
};

struct stub_plan {
	enum elf_cpu cpu;
	uint32_t abi; /* of its struct linked */
	struct stub_library *libraries;
	size_t library_count, library_room;
	struct stub_symbol *symbols;
	size_t symbol_count, symbol_room;
	struct stub_copied {
		struct stub_symbol symbol;
		const struct copy *copy;
	} * copied; /* data that need no code */
	size_t copied_count, copied_room;
	size_t function_count, constant_count;
	struct map seen; /* name and version to name */
	bool has_run, has_helpers, is_alone;
	uint32_t directory, touched; /* in the strings, of has_run */
	/* by stub_plan_layout(): */
	uint64_t constant_code, data, start, helpers, tails, code_size;
	uint64_t run, names, constant_symbols, constant_size;
	uint64_t run_state, slots, zero_size;
	bool failed; /* out of memory */
};

void stub_plan_clear(struct stub_plan *plan);

/* Returns true if a symbol gets a stub; may set everything but the symbol. */
typedef bool stub_accept_fn(struct stub_symbol *symbol, void *data);

void stub_plan_library(struct stub_plan *plan, const struct library *library,
		       stub_accept_fn *accept, void *data);

/* Returns true if this was called with the same name and version before. */
bool stub_plan_seen(struct stub_plan *plan, const char *name, unsigned version);

/* Everything has been added: gives each thing its place. */
void stub_plan_layout(struct stub_plan *plan);

/* Adds the library's own strings (not the names). */
void stub_plan_strings(struct stub_plan *plan, struct build_strings *strings);

/*
 * The offset in the code, and the size, of the stub of a library's i-th
 * symbol.
 */
uint64_t stub_plan_code(const struct stub_plan *plan,
			const struct stub_library *library, size_t i);
uint64_t stub_plan_code_size(const struct stub_plan *plan,
			     const struct stub_library *library, size_t i);

/* The helpers: NULL behind the last; their code. */
const char *stub_plan_helper(size_t i);
uint64_t stub_plan_helper_code(const struct stub_plan *plan, size_t i);
uint64_t stub_plan_helper_size(const struct stub_plan *plan);

/* Unwind tables: as many as stub_plan_frame_count(). */
struct build_frame;
/* The tail of the first library's stubs. */
uint64_t stub_plan_tail(const struct stub_plan *plan);
uint64_t stub_plan_tail_size(const struct stub_plan *plan);

size_t stub_plan_frame_count(const struct stub_plan *plan);
void stub_plan_frames(const struct stub_plan *plan, struct build_frame *frames);

/* Where the contents are written, and how a reference in them is made. */
struct stub_writer {
	uint8_t *code, *constants;
	/* The place is `at` in the code or the constants; its bytes. */
	bool (*refer)(void *data, enum stub_part part, uint64_t at,
		      uint8_t *place, enum template_how how,
		      struct stub_reference to, int64_t addend);
	void *data;
	bool failed; /* a reference could not be made */
};
void stub_plan_write(const struct stub_plan *plan, struct stub_writer *writer);

/* Before that: what lies between two pieces of code are nops. */
void stub_plan_fill_gaps(const struct stub_plan *plan, uint8_t *code);

#endif
