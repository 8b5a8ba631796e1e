/* SPDX-License-Identifier: MIT */
/*
 * The members of an archive that are one symbol's, so that a link editor takes
 * no more than what a program calls. A function's has its stub and its slot,
 * behind which lies its name (LINKED_ABI_NAMED); it needs the head of the
 * archive, where the tail of all stubs is. A datum's only has the link fail,
 * with words.
 */
#include "link/stubfile/object.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/stubfile/dlopen-note.h"
#include "link/stubfile/template.h"
#include "link/write/frame.h"
#include "link/write/note.h"
#include "link/write/object.h"
#include "stub/linked.h"

#include <stdio.h>
#include <string.h>

struct member {
	struct build build;
	struct build_object symbols;
	struct build_section *property, *frame, *code, *data, *comment;
	uint32_t in_code, in_data;
};

static void member_clear(struct member *m)
{
	build_clear(&m->build);
	build_object_clear(&m->symbols);
}
#define _cleanup_member_ _cleanup_(member_clear)

static uint32_t add_local(struct member *m, const char *name,
			  const struct build_section *section)
{
	return build_object_symbol(&m->symbols, &m->build,
				   &(struct build_symbol){.name = name,
							  .section = section,
							  .local = true});
}

static void add_end(struct member *m)
{
	build_section(&m->build, ".note.GNU-stack", BUILD_UNLOADED, 0, 1);
	m->comment = stubfile_comment_add(&m->build);
}

static int finish(struct member *m, struct stubfile *ret)
{
	build_note_property_fill(&m->build, m->property);
	stubfile_comment_fill(m->comment);
	build_object_fill(&m->symbols);
	return build_finish(&m->build, &ret->data, &ret->size);
}

static int lay_out(struct member *m)
{
	build_object_sections(&m->symbols, &m->build);
	return build_layout(&m->build);
}

/* Functions. */

static uint64_t slot_size(const struct library_symbol *symbol)
{
	size_t version = strlen(symbol->version);

	return sizeof(struct linked_named) + strlen(symbol->name) + 1 +
	       (version ? version + 1 : 0);
}

/*
 * Half of what a stub takes would be its unwind table, which is asked for only
 * where a signal interrupts its few instructions. Standalone ones are to be small,
 * and do without, as PLT entries do of some link editors.
 */
static void add_function_sections(struct member *m,
				  const struct library_symbol *symbol,
				  const struct template *stub, bool unwound)
{
	struct build *b = &m->build;

	m->property = build_note_property(b);
	if (unwound)
		m->frame = build_section(b, ".eh_frame", BUILD_CONSTANT,
					 build_frame_size(1, false), 8);
	m->code = build_section(b, ".text", BUILD_CODE, stub->size,
				stub->alignment);
	m->data = build_section(b, ".data", BUILD_DATA, slot_size(symbol),
				sizeof(linked_slot));
	add_end(m);
	if (unwound)
		build_object_relocated(&m->symbols, m->frame, ".rela.eh_frame");
	build_object_relocated(&m->symbols, m->code, ".rela.text");
	m->in_code = add_local(m, NULL, m->code);
	m->in_data = add_local(m, NULL, m->data);
	if (b->cpu->data_mark)
		add_local(m, b->cpu->data_mark, m->data);
	if (b->cpu->code_mark)
		add_local(m, b->cpu->code_mark, m->code);
}

static enum build_object_relocation relocation_of(enum template_how how)
{
	switch (how) {
	case TEMPLATE_PAGE:
		return BUILD_PAGE;
	case TEMPLATE_ADD:
		return BUILD_LOW12;
	default:
		return BUILD_PC32;
	}
}

static void relocate_function(struct member *m, const struct template *stub,
			      uint32_t tail)
{
	for (size_t i = 0; i < stub->fixup_count; i++) {
		const struct template_fixup *f = &stub->fixups[i];
		bool slot = f->target == TEMPLATE_SLOT;

		build_object_relocate(&m->symbols, &m->build, m->code,
				      f->offset,
				      slot ? relocation_of(f->how) : BUILD_JUMP,
				      slot ? m->in_data : tail, f->addend);
	}
	if (m->frame)
		build_object_relocate(&m->symbols, &m->build, m->frame,
				      build_frame_place(0), BUILD_PC32,
				      m->in_code, 0);
}

static void fill_function(struct member *m, const struct library_symbol *symbol,
			  const struct template *stub)
{
	const struct build_frame frame = {.size = stub->size};
	char *name = (char *)m->data->data + sizeof(struct linked_named);

	name = stpcpy(name, symbol->name);
	if (*symbol->version)
		stpcpy(stpcpy(name, "@"), symbol->version);
	memcpy(m->code->data, stub->code, stub->size);
	if (m->frame)
		build_frame_fill(&m->build, m->frame, NULL, &frame, 1);
}

int object_write_function(const struct library_symbol *symbol,
			  const struct stubfile_options *options,
			  const char *tail, struct stubfile *ret)
{
	const struct template *stub = template_get(options->cpu, TEMPLATE_STUB);
	_cleanup_member_ struct member m = {.in_code = 0};
	int r = build_start(&m.build, options->cpu, true, 0);

	if (r < 0)
		return r;
	add_function_sections(&m, symbol, stub, !options->alone);
	build_object_symbol(
		&m.symbols, &m.build,
		&(struct build_symbol){.name = symbol->name,
				       .section = m.code,
				       .size = stub->size,
				       .function = true,
				       .weak = true,
				       .hidden = !options->exported});
	relocate_function(
		&m, stub,
		build_object_symbol(
			&m.symbols, &m.build,
			&(struct build_symbol){.name = tail, .hidden = true}));
	r = lay_out(&m);
	if (r < 0)
		return r;
	fill_function(&m, symbol, stub);
	return finish(&m, ret);
}

/* Data. */

char *object_words(const char *name, const char *soname)
{
	char *words;

	return asprintf(&words,
			"%s is data of %s, which no call announces: use "
			"dlazy_resolve(), or link the library plainly",
			name, soname) < 0
		       ? NULL
		       : words;
}

int object_write_datum(const struct library_symbol *symbol, const char *soname,
		       enum elf_cpu cpu, struct stubfile *ret)
{
	_cleanup_free_ char *words = object_words(symbol->name, soname);
	_cleanup_member_ struct member m = {.in_code = 0};
	int r = words ? build_start(&m.build, cpu, true, 0)
		      : status_no_memory(NULL);

	if (r < 0)
		return r;
	m.property = build_note_property(&m.build);
	m.data = build_section(&m.build, ".data", BUILD_DATA, sizeof(uint64_t),
			       sizeof(uint64_t));
	add_end(&m);
	build_object_relocated(&m.symbols, m.data, ".rela.data");
	add_local(&m, NULL, m.data);
	build_object_symbol(&m.symbols, &m.build,
			    &(struct build_symbol){.name = symbol->name,
						   .section = m.data,
						   .size = sizeof(uint64_t),
						   .weak = true,
						   .hidden = true});
	uint32_t nowhere = build_object_symbol(
		&m.symbols, &m.build,
		&(struct build_symbol){.name = words, .hidden = true});
	build_object_relocate(&m.symbols, &m.build, m.data, 0, BUILD_ADDRESS,
			      nowhere, 0);
	r = lay_out(&m);
	return r < 0 ? r : finish(&m, ret);
}
