/* SPDX-License-Identifier: MIT */
/*
 * Stub files to link with: relocatable objects (.o).
 *
 * An object has the functions of a library that a plain link would find: the
 * default versions. Each is weak, so that a program's own definition of the
 * name is taken, as it would be beside a library. Each is hidden, so that the
 * program does not export it. References of the code to its own section are
 * resolved here, those to other sections are relocations.
 */
#include "link/stubfile/object.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/stubfile/dlopen-note.h"
#include "link/stubfile/plan.h"
#include "link/write/frame.h"
#include "link/write/note.h"
#include "link/write/object.h"
#include "stub/linked.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The functions of libdlazy that stubs refer to, by enum stub_function. */
static const char *const functions[] = {
	[STUB_SLOW] = "dlazy_linked_slow",
	[STUB_DATA] = "dlazy_linked_data",
	[STUB_START] = "dlazy_linked_start",
	[STUB_AVAILABLE] = "dlazy_linked_available",
	[STUB_LOAD] = "dlazy_linked_load",
	[STUB_MODULE] = "dlazy_linked_module",
	[STUB_ERROR] = "dlazy_linked_error",
	[STUB_HAS] = "dlazy_linked_has",
	[STUB_ON_FAILURE] = "dlazy_linked_on_failure",
	[STUB_ON_LOAD] = "dlazy_linked_on_load",
	[STUB_SLOW_NAMED] = "dlazy_linked_slow_named",
};
#define FUNCTIONS (sizeof(functions) / sizeof(*functions))

/* In their place, those of src/alone. */
static const char *const alone_functions[FUNCTIONS] = {
	[STUB_SLOW] = "dlazy_alone_slow",
	[STUB_SLOW_NAMED] = "dlazy_alone_slow_named",
	[STUB_AVAILABLE] = "dlazy_alone_available",
	[STUB_LOAD] = "dlazy_alone_load",
	[STUB_MODULE] = "dlazy_alone_module",
	[STUB_ERROR] = "dlazy_alone_error",
	[STUB_HAS] = "dlazy_alone_has",
	[STUB_ON_FAILURE] = "dlazy_alone_on_failure",
	[STUB_ON_LOAD] = "dlazy_alone_on_load",
};

const char *object_alone_function(size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < FUNCTIONS; k++)
		if (alone_functions[k] && n++ == i)
			return alone_functions[k];
	return NULL;
}

/* In a disassembly and in a profile. */
#define TAIL_NAME "dlazy_stub_tail"

struct object {
	const struct library *library;
	struct object_warning {
		char *section_name, *text;
		struct build_section *section;
	} * warnings; /* of data that are named */
	size_t warning_count;
	struct stub_plan plan;
	struct build build;
	struct build_object symbols;
	struct build_strings strings; /* behind the constants */
	struct object_names defined;
	struct build_section *property, *note, *constants, *frame, *code, *zero,
		*comment;
	char *note_text;
	const char *tail; /* its name, of the head of an archive; or NULL */
	/* Contents, before their sections have a place. */
	uint8_t *code_bytes, *constant_bytes;
	/* Numbers of symbols; of functions 0 if not referred to. */
	uint32_t in_constants, in_code, in_zero;
	uint32_t function[FUNCTIONS];
};

static void object_clear(struct object *o)
{
	for (size_t i = 0; i < o->warning_count; i++) {
		free(o->warnings[i].section_name);
		free(o->warnings[i].text);
	}
	free(o->warnings);
	stub_plan_clear(&o->plan);
	build_clear(&o->build);
	build_object_clear(&o->symbols);
	build_strings_clear(&o->strings);
	build_strings_clear(&o->defined.strings);
	free(o->note_text);
	free(o->code_bytes);
	free(o->constant_bytes);
}
#define _cleanup_object_ _cleanup_(object_clear)

bool object_accepts(const struct library_symbol *symbol)
{
	return !symbol->data && !symbol->why_not && symbol->is_default;
}

static bool accept(struct stub_symbol *symbol, void *data)
{
	const struct library_symbol *source = symbol->symbol;
	struct object *o = data;

	if (o->tail || !object_accepts(source) ||
	    stub_plan_seen(&o->plan, source->name, 0))
		return false;
	symbol->name = *source->version
			       ? build_string_version(&o->strings, source->name,
						      source->version)
			       : build_string(&o->strings, source->name);
	return true;
}

/*
 * Who names the library's data is told by the link editor (of GNU): a program
 * does not link, but a shared object does, and cannot be loaded.
 */
#define WARNINGS_MAX 4096

static bool is_datum(const struct library_symbol *symbol)
{
	return symbol->data && !symbol->why_not && symbol->is_default;
}

static size_t count_data(const struct library *library)
{
	size_t count = 0;

	for (size_t i = 0; i < library->symbol_count; i++)
		count += is_datum(&library->symbols[i]);
	return count < WARNINGS_MAX ? count : WARNINGS_MAX;
}

static bool add_warning(struct object *o, const char *name)
{
	struct object_warning *w = &o->warnings[o->warning_count++];

	w->text = object_words(name, o->library->soname);
	if (asprintf(&w->section_name, ".gnu.warning.%s", name) < 0)
		w->section_name = NULL;
	if (!w->text || !w->section_name)
		return false;
	w->section = build_section(&o->build, w->section_name, BUILD_UNLOADED,
				   strlen(w->text) + 1, 1);
	return true;
}

static void add_warnings(struct object *o)
{
	const struct library *l = o->library;
	size_t room = o->tail ? 0 : count_data(l);

	o->warnings = calloc(room + 1, sizeof(*o->warnings));
	if (!o->warnings)
		o->plan.failed = true;
	for (size_t i = 0; i < l->symbol_count && !o->plan.failed; i++)
		if (o->warning_count < room && is_datum(&l->symbols[i]) &&
		    !stub_plan_seen(&o->plan, l->symbols[i].name, 0) &&
		    !add_warning(o, l->symbols[i].name))
			o->plan.failed = true;
}

static void fill_warnings(const struct object *o)
{
	for (size_t i = 0; i < o->warning_count; i++)
		strcpy((char *)o->warnings[i].section->data,
		       o->warnings[i].text);
}

static void add_sections(struct object *o)
{
	struct build *b = &o->build;
	struct stub_plan *plan = &o->plan;
	size_t frames = stub_plan_frame_count(plan);

	o->property = build_note_property(b);
	o->note = stubfile_note_add(b, o->note_text);
	o->constants = build_section(b, ".rodata", BUILD_CONSTANT,
				     plan->constant_size + o->strings.size, 8);
	o->frame = build_section(b, ".eh_frame", BUILD_CONSTANT,
				 build_frame_size(frames, false), 8);
	o->code = build_section(b, ".text", BUILD_CODE, plan->code_size, 64);
	o->zero = build_section(b, ".bss", BUILD_ZERO, plan->zero_size, 64);
	build_section(b, ".note.GNU-stack", BUILD_UNLOADED, 0, 1);
	o->comment = stubfile_comment_add(b);
	add_warnings(o);
	build_object_relocated(&o->symbols, o->constants, ".rela.rodata");
	build_object_relocated(&o->symbols, o->frame, ".rela.eh_frame");
	build_object_relocated(&o->symbols, o->code, ".rela.text");
}

/* Symbols. */

static uint32_t add_local(struct object *o, const char *name,
			  const struct build_section *section)
{
	return build_object_symbol(&o->symbols, &o->build,
				   &(struct build_symbol){.name = name,
							  .section = section,
							  .local = true});
}

static void add_locals(struct object *o)
{
	o->in_constants = add_local(o, NULL, o->constants);
	o->in_code = add_local(o, NULL, o->code);
	o->in_zero = add_local(o, NULL, o->zero);
	if (o->build.cpu->data_mark)
		add_local(o, o->build.cpu->data_mark, o->constants);
	if (o->build.cpu->code_mark)
		add_local(o, o->build.cpu->code_mark, o->code);
	if (!o->tail)
		build_object_symbol(
			&o->symbols, &o->build,
			&(struct build_symbol){
				.name = TAIL_NAME,
				.section = o->code,
				.offset = stub_plan_tail(&o->plan),
				.size = stub_plan_tail_size(&o->plan),
				.function = true,
				.local = true});
}

static void add_function(struct object *o, const char *name, uint64_t offset,
			 uint64_t size, bool weak, bool exported)
{
	build_string(&o->defined.strings, name);
	o->defined.count++;
	build_object_symbol(&o->symbols, &o->build,
			    &(struct build_symbol){.name = name,
						   .section = o->code,
						   .offset = offset,
						   .size = size,
						   .function = true,
						   .weak = weak,
						   .hidden = !exported});
}

static void add_functions(struct object *o, bool exported)
{
	const struct stub_library *l = &o->plan.libraries[0];

	for (size_t i = 0; i < l->functions; i++)
		add_function(o, o->plan.symbols[i].symbol->name,
			     stub_plan_code(&o->plan, l, i),
			     stub_plan_code_size(&o->plan, l, i), true,
			     exported);
}

/* "libpng16.so.16" is libpng16; what C does not take becomes '_'. malloc'd. */
static char *prefix_of(const struct library *library,
		       const struct stubfile_options *options)
{
	const char *name = options->prefix ? options->prefix : library->soname;
	const char *end = options->prefix ? NULL : strstr(name, ".so");
	char *prefix = strndup(name, end ? (size_t)(end - name) : strlen(name));

	for (char *at = prefix; at && *at; at++)
		if (!isalnum((unsigned char)*at) ||
		    (at == prefix && isdigit((unsigned char)*at)))
			*at = '_';
	return prefix;
}

static void add_helpers(struct object *o, const char *prefix, bool exported)
{
	const char *behind;

	for (size_t i = 0; (behind = stub_plan_helper(i)); i++) {
		_cleanup_free_ char *name = NULL;

		if (asprintf(&name, "%s%s", prefix, behind) < 0) {
			name = NULL;
			o->plan.failed = true;
			return;
		}
		add_function(o, name, stub_plan_helper_code(&o->plan, i),
			     stub_plan_helper_size(&o->plan), false, exported);
	}
}

static uint32_t function_symbol(struct object *o, uint64_t function)
{
	if (!o->function[function])
		o->function[function] = build_object_symbol(
			&o->symbols, &o->build,
			&(struct build_symbol){
				.name = o->plan.is_alone
						? alone_functions[function]
						: functions[function],
				.hidden = o->plan.is_alone});
	return o->function[function];
}

/* Contents. */

static enum build_object_relocation relocation_of(enum template_how how,
						  bool pointer)
{
	switch (how) {
	case TEMPLATE_PAGE:
		return pointer ? BUILD_POINTER_PAGE : BUILD_PAGE;
	case TEMPLATE_LOAD:
		return BUILD_POINTER_LOW;
	case TEMPLATE_ADD:
		return BUILD_LOW12;
	default:
		return pointer ? BUILD_POINTER : BUILD_PC32;
	}
}

static uint32_t symbol_of(struct object *o, struct stub_reference to)
{
	switch (to.part) {
	case STUB_POINTER:
		return function_symbol(o, to.offset);
	case STUB_CODE:
		return o->in_code;
	case STUB_ZERO:
		return o->in_zero;
	default:
		return o->in_constants;
	}
}

static bool refer(void *data, enum stub_part part, uint64_t at, uint8_t *place,
		  enum template_how how, struct stub_reference to,
		  int64_t addend)
{
	struct object *o = data;
	bool pointer = to.part == STUB_POINTER;

	if (to.part == STUB_STRINGS)
		to = (struct stub_reference){STUB_CONSTANT,
					     o->plan.constant_size + to.offset};
	if (to.part == part)
		return template_fix(place, how, at,
				    to.offset + (uint64_t)addend);
	build_object_relocate(&o->symbols, &o->build,
			      part == STUB_CODE ? o->code : o->constants, at,
			      relocation_of(how, pointer), symbol_of(o, to),
			      addend + (pointer ? 0 : (int64_t)to.offset));
	return true;
}

static int write_contents(struct object *o)
{
	o->code_bytes = calloc(1, o->plan.code_size + 1);
	o->constant_bytes = calloc(1, o->plan.constant_size + 1);
	if (!o->code_bytes || !o->constant_bytes)
		return status_no_memory(NULL);
	struct stub_writer writer = {o->code_bytes, o->constant_bytes, refer, o,
				     false};
	stub_plan_fill_gaps(&o->plan, o->code_bytes);
	stub_plan_write(&o->plan, &writer);
	return writer.failed ? status_fail(DLAZY_EFORMAT,
					   "a library of too many symbols")
			     : 0;
}

/* Of one library: all up to its tail, and that. */
#define OBJECT_FRAMES 2

static void relocate_frames(struct object *o, const struct build_frame *frames)
{
	for (size_t i = 0; i < stub_plan_frame_count(&o->plan); i++)
		build_object_relocate(&o->symbols, &o->build, o->frame,
				      build_frame_place(i), BUILD_PC32,
				      o->in_code, (int64_t)frames[i].offset);
}

static void fill(struct object *o, const struct build_frame *frames)
{
	build_note_property_fill(&o->build, o->property);
	stubfile_note_fill(o->note, o->note_text);
	stubfile_comment_fill(o->comment);
	fill_warnings(o);
	memcpy(o->constants->data, o->constant_bytes, o->plan.constant_size);
	memcpy(o->constants->data + o->plan.constant_size, o->strings.data,
	       o->strings.size);
	memcpy(o->code->data, o->code_bytes, o->plan.code_size);
	build_frame_fill(&o->build, o->frame, NULL, frames,
			 stub_plan_frame_count(&o->plan));
	build_object_fill(&o->symbols);
}

static int write_file(struct object *o, struct stubfile *ret)
{
	struct build_frame frames[OBJECT_FRAMES];

	int r = write_contents(o);
	if (r < 0)
		return r;
	stub_plan_frames(&o->plan, frames);
	relocate_frames(o, frames);
	build_object_sections(&o->symbols, &o->build);
	r = build_layout(&o->build);
	if (r < 0)
		return r;
	fill(o, frames);
	return build_finish(&o->build, &ret->data, &ret->size);
}

/* Everything but what can fail for more than memory. */
static void plan_object(struct object *o, const struct library *library,
			const struct stubfile_options *options,
			const char *prefix)
{
	o->plan.cpu = options->cpu;
	o->plan.abi = o->tail ? LINKED_ABI_NAMED : LINKED_ABI;
	o->plan.has_helpers = *prefix != '\0';
	o->plan.is_alone = options->alone;
	stub_plan_library(&o->plan, library, accept, o);
	if (o->plan.failed)
		return;
	stub_plan_strings(&o->plan, &o->strings);
	stub_plan_layout(&o->plan);
	add_sections(o);
	add_locals(o);
	add_functions(o, options->exported);
	if (o->tail)
		add_function(o, o->tail, stub_plan_tail(&o->plan),
			     stub_plan_tail_size(&o->plan), false, false);
	if (o->plan.has_helpers)
		add_helpers(o, prefix, options->exported);
}

static int write_object(struct object *o, const struct library *library,
			const struct stubfile_options *options,
			struct stubfile *ret)
{
	_cleanup_free_ char *prefix = prefix_of(library, options);
	bool failed;
	int r = build_start(&o->build, options->cpu, true, count_data(library));

	if (r < 0)
		return r;
	o->library = library;
	o->note_text = stubfile_note_text(library, &options->note, &failed);
	if (prefix && !failed)
		plan_object(o, library, options, prefix);
	if (!prefix || failed || o->plan.failed || o->strings.failed ||
	    o->defined.strings.failed)
		return status_no_memory(NULL);
	return write_file(o, ret);
}

int object_write_head(const struct library *library,
		      const struct stubfile_options *options, const char *tail,
		      struct stubfile *ret, struct object_names *ret_names)
{
	_cleanup_object_ struct object o = {.tail = tail};

	int r = write_object(&o, library, options, ret);
	if (r == 0) {
		*ret_names = o.defined;
		o.defined = (struct object_names){.count = 0};
	}
	return r;
}

int stubfile_object(const struct library *library,
		    const struct stubfile_options *options,
		    struct stubfile *ret)
{
	_cleanup_object_ struct object o = {.note_text = NULL};

	return write_object(&o, library, options, ret);
}
