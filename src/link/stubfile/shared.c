/* SPDX-License-Identifier: MIT */
/*
 * Stub files that are shared objects: of one library, or of all lazy ones of a
 * program.
 *
 * Of several libraries in one file, a lookup must find what it would have found
 * in them one after the other, the earlier first:
 * - of one name and version there is only the first;
 * - of names with several versions, NAME@@VERSION of the first library that
 *   has one is what a plain lookup gets: the later ones are hidden (found with
 *   their version), as ld.so finds none at all where there are two;
 * - where that first has no version at all, a later one without is left out.
 * One thing differs: an import without version, of a name that has several in
 * one library, gets the default and not that library's oldest. ld.so knows the
 * oldest by its index, 2, and takes what has it even if it is hidden: so in the
 * file of a program no symbol has it.
 */
#include "link/stubfile/stubfile.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "link/copy/copy.h"
#include "link/stubfile/dlopen-note.h"
#include "link/stubfile/plan.h"
#include "link/write/dynamic.h"
#include "link/write/frame.h"
#include "link/write/note.h"
#include "stub/linked.h"

#include <string.h>

/* The stub file of a program; not the name of any library it stands for. */
#define COMBINED_SONAME "dlazy-stub.so"

/* The version of index 2, which no symbol has. */
#define NO_VERSION "DLAZY_NONE"

/* The key of a name's default, whatever its version. */
#define ANY_DEFAULT 0

struct shared {
	struct stub_plan plan;
	struct build build;
	struct build_dynamic dynamic;
	struct build_strings own; /* of a library's stub file: in .rodata, as
				     tools that edit .dynstr may move it */
	char *note_text;
	struct build_section *comment, *property, *id, *note, *constants,
		*frame_header, *frame, *code, *zero;
	struct build_section *copies[COPY_PARTS];
	uint64_t copy_sizes[COPY_PARTS], copy_alignment;
	struct map functions; /* function_key() -> its symbol in the plan + 1 */
	struct map imported;  /* hash of a name -> its import + 1 */
	bool too_many_versions;
};

static void shared_clear(struct shared *s)
{
	stub_plan_clear(&s->plan);
	build_clear(&s->build);
	build_dynamic_clear(&s->dynamic);
	map_clear(&s->functions);
	map_clear(&s->imported);
	build_strings_clear(&s->own);
	free(s->note_text);
}
#define _cleanup_shared_ _cleanup_(shared_clear)

/* Which symbols. */

static bool accept(struct stub_symbol *symbol, void *data)
{
	const struct library_symbol *source = symbol->symbol;
	struct shared *s = data;
	uint16_t version = build_dynamic_version(&s->dynamic, source->version);

	if (version == 0)
		s->too_many_versions = true;
	if (stub_plan_seen(&s->plan, source->name, version))
		return false;
	symbol->version = version;
	if (!source->is_default) {
		symbol->version |= BUILD_VERSION_HIDDEN;
	} else if (stub_plan_seen(&s->plan, source->name, ANY_DEFAULT)) {
		if (version == BUILD_VERSION_PLAIN)
			return false;
		symbol->version |= BUILD_VERSION_HIDDEN;
	}
	return true;
}

static void plan_library(struct shared *s, const struct library *library)
{
	/* All its versions, in its order: ld.so looks whether they are there
	 * before any symbol is asked for. */
	for (size_t i = 0; i < library->version_count; i++)
		if (build_dynamic_version(&s->dynamic, library->versions[i]) ==
		    0)
			s->too_many_versions = true;
	stub_plan_library(&s->plan, library, accept, s);
}

/* The dynamic part. */

/* One name can have many versions. */
static uint64_t function_key(const char *name, const char *version)
{
	return hash_string(name) +
	       hash_string(version) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Which symbol of the plan the function of a name and version is; false: there
 * is none here. */
static bool find_function(const struct shared *s, const char *name,
			  const char *version, uint64_t *ret)
{
	size_t number;

	/* Another name of the same hash has the next key. */
	for (uint64_t key = function_key(name, version);
	     (number = (uintptr_t)map_get(&s->functions, key)); key++) {
		const struct library_symbol *source =
			s->plan.symbols[number - 1].symbol;

		if (strcmp(source->name, name) != 0 ||
		    strcmp(source->version, version) != 0)
			continue;
		*ret = number - 1;
		return true;
	}
	return false;
}

static void remember_function(struct shared *s, size_t number)
{
	const struct library_symbol *source = s->plan.symbols[number].symbol;
	uint64_t key = function_key(source->name, source->version);

	while (map_get(&s->functions, key))
		key++;
	if (!map_put(&s->functions, key, (void *)(number + 1)))
		s->plan.failed = true;
}

/* Where the strings are that libdlazy reads. */
static struct build_strings *strings_of(struct shared *s)
{
	return s->plan.has_run ? &s->dynamic.strings : &s->own;
}

static void export(struct shared *s, const struct stub_library *l, size_t i)
{
	struct stub_symbol *symbol = &s->plan.symbols[l->first + i];
	const struct library_symbol *source = symbol->symbol;
	struct build_dynamic *d = &s->dynamic;

	if (!source)
		return;
	if (!source->data)
		remember_function(s, l->first + i);
	build_dynamic_export(
		d, source->name,
		(struct build_export){
			.version = symbol->version,
			.weak = source->weak,
			.indirect = source->data,
			.offset = stub_plan_code(&s->plan, l, i),
			.size = stub_plan_code_size(&s->plan, l, i),
		});
	if (d->failed)
		return;
	/* A stub file of `dlazy run` is made for the very library, whose
	 * default version this is: its name will do. */
	if (s->plan.has_run && (!*source->version || source->is_default))
		symbol->name = d->exports[d->export_count - 1].name;
	else if (*source->version)
		symbol->name = build_string_version(strings_of(s), source->name,
						    source->version);
	else
		symbol->name = build_string(strings_of(s), source->name);
}

static void export_copied(struct shared *s, const struct stub_copied *m)
{
	const struct library_symbol *source = m->symbol.symbol;
	const struct copy_piece *piece = copy_find(m->copy, source->address);

	build_dynamic_export(&s->dynamic, source->name,
			     (struct build_export){
				     .version = m->symbol.version,
				     .weak = source->weak,
				     .object = true,
				     .section = &s->copies[piece->part],
				     .offset = piece->place + source->address -
					       piece->range.start,
				     .size = source->size,
			     });
}

static void export_all(struct shared *s)
{
	for (size_t i = 0; i < s->plan.library_count; i++)
		for (size_t k = 0; k < s->plan.libraries[i].symbols; k++)
			export(s, &s->plan.libraries[i], k);
	for (size_t i = 0; i < s->plan.copied_count; i++)
		export_copied(s, &s->plan.copied[i]);
}

/* In the order of enum stub_function. */
static void import_all(struct shared *s)
{
	build_dynamic_import(&s->dynamic, "dlazy_linked_slow");
	build_dynamic_import(&s->dynamic, "dlazy_linked_data");
	if (s->plan.has_run)
		build_dynamic_import(&s->dynamic, "dlazy_linked_start");
}

static void need_all(struct shared *s, const struct stubfile_options *options)
{
	if (options->libdlazy)
		build_dynamic_needed(&s->dynamic, options->libdlazy);
	for (size_t i = 0; options->needed && options->needed[i]; i++)
		build_dynamic_needed(&s->dynamic, options->needed[i]);
}

/* Copies. */

/* Each library's data get their places. */
static void lay_out_copies(struct shared *s)
{
	for (size_t i = 0; i < s->plan.library_count; i++) {
		struct copy *copy = s->plan.libraries[i].library->copy;

		if (!copy)
			continue;
		uint64_t alignment = copy_alignment(copy);
		if (alignment > s->copy_alignment)
			s->copy_alignment = alignment;
		copy_lay_out(copy, alignment, s->copy_sizes);
	}
}

/* The number of an import, new or not. */
static size_t import_of(struct shared *s, const char *name)
{
	uint64_t key = hash_string(name);
	size_t number;

	for (; (number = (uintptr_t)map_get(&s->imported, key)); key++)
		if (strcmp(s->dynamic.strings.data +
				   s->dynamic.imports[number - 1],
			   name) == 0)
			return number - 1;
	number = build_dynamic_refer(&s->dynamic, name);
	if (!map_put(&s->imported, key, (void *)(number + 1)))
		s->plan.failed = true;
	return number;
}

/* The address of a copy's data; only once there are addresses. */
static uint64_t copied_address(const struct shared *s, const struct copy *copy,
			       uint64_t at)
{
	const struct copy_piece *piece = copy_find(copy, at);
	const struct build_section *section = s->copies[piece->part];

	return section->address + piece->place + at - piece->range.start;
}

static size_t index_of(const struct copy *copy, uint64_t function)
{
	size_t i = 0;

	while (copy->functions[i] != function)
		i++;
	return i;
}

static uint64_t code_of(const struct shared *s, size_t number)
{
	const struct stub_library *l = s->plan.libraries;

	while (number >= l->first + l->symbols)
		l++;
	return s->code->address +
	       stub_plan_code(&s->plan, l, number - l->first);
}

/*
 * The relocation that has the dynamic linker fill a place in; addresses only
 * once there are some.
 */
static struct build_relocation relocation_of(struct shared *s,
					     const struct stub_library *l,
					     const struct copy_fixup *fixup)
{
	const struct copy *copy = l->library->copy;
	struct build_relocation r = {.addend = fixup->addend};
	bool placed = s->code;
	uint64_t number = l->first + l->named;

	if (placed)
		r.address = copied_address(s, copy, fixup->at);
	switch (fixup->target) {
	case COPY_TO_DATA:
		if (placed)
			r.target = copied_address(s, copy, fixup->to);
		return r;
	case COPY_TO_CODE:
		number += index_of(copy, fixup->to);
		break;
	case COPY_TO_SYMBOL:
		r.imported = fixup->symbol->name->canonical_plt ||
			     !find_function(s, fixup->symbol->name->text,
					    fixup->symbol->version, &number);
		break;
	}
	if (r.imported)
		r.target = import_of(s, fixup->symbol->name->text);
	else if (placed)
		r.target = code_of(s, number);
	return r;
}

/* Says all relocations, and, when there are addresses, says them again. */
static void relocate(struct shared *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->plan.library_count; i++) {
		const struct stub_library *l = &s->plan.libraries[i];
		const struct copy *copy = l->library->copy;

		for (size_t k = 0; copy && k < copy->fixup_count; k++) {
			struct build_relocation r =
				relocation_of(s, l, &copy->fixups[k]);

			if (s->code)
				build_dynamic_place(&s->dynamic, n++, r);
			else
				build_dynamic_relocate(&s->dynamic, r);
		}
	}
}

static void fill_copies(const struct shared *s)
{
	for (size_t i = 0; i < s->plan.library_count; i++) {
		const struct copy *m = s->plan.libraries[i].library->copy;

		for (size_t k = 0; m && k < m->piece_count; k++) {
			const struct copy_piece *piece = &m->pieces[k];

			memcpy(s->copies[piece->part]->data + piece->place,
			       piece->bytes,
			       piece->range.end - piece->range.start);
		}
	}
}

/* The file. */

static void add_copies(struct shared *s, enum copy_part part, const char *name,
		       enum build_use use)
{
	if (s->copy_sizes[part])
		s->copies[part] =
			build_section(&s->build, name, use, s->copy_sizes[part],
				      s->copy_alignment);
}

static void add_sections(struct shared *s)
{
	struct build *b = &s->build;
	struct stub_plan *plan = &s->plan;
	size_t frames = stub_plan_frame_count(plan);

	s->property = build_note_property(b);
	s->id = build_note_id(b);
	s->note = stubfile_note_add(b, s->note_text);
	build_dynamic_tables(&s->dynamic, b);
	s->constants = build_section(b, ".rodata", BUILD_CONSTANT,
				     plan->constant_size + s->own.size, 8);
	add_copies(s, COPY_CONSTANT, ".rodata.mirror", BUILD_CONSTANT);
	s->frame_header = build_section(b, ".eh_frame_hdr", BUILD_CONSTANT,
					build_frame_header_size(frames), 4);
	s->frame = build_section(b, ".eh_frame", BUILD_CONSTANT,
				 build_frame_size(frames, true), 8);
	s->code = build_section(b, ".text", BUILD_CODE, plan->code_size, 64);
	add_copies(s, COPY_RELRO, ".data.rel.ro", BUILD_RELRO);
	build_dynamic_pointers(&s->dynamic, b, s->code);
	add_copies(s, COPY_WRITABLE, ".data", BUILD_DATA);
	s->zero = build_section(b, ".bss", BUILD_ZERO, plan->zero_size, 64);
	s->comment = stubfile_comment_add(b);
}

static uint64_t address_of(const struct shared *s, struct stub_reference to)
{
	switch (to.part) {
	case STUB_CODE:
		return s->code->address + to.offset;
	case STUB_CONSTANT:
		return s->constants->address + to.offset;
	case STUB_ZERO:
		return s->zero->address + to.offset;
	case STUB_STRINGS:
		return s->plan.has_run
			       ? s->dynamic.names->address + to.offset
			       : s->constants->address + s->plan.constant_size +
					 to.offset;
	case STUB_POINTER:
		return s->dynamic.got->address + to.offset * sizeof(uint64_t);
	case STUB_COPIED:
		return s->copies[COPY_CONSTANT]->address + to.offset;
	case STUB_NUMBER:
		break;
	}
	return to.offset;
}

static bool refer(void *data, enum stub_part part, uint64_t at, uint8_t *place,
		  enum template_how how, struct stub_reference to,
		  int64_t addend)
{
	const struct shared *s = data;
	struct stub_reference from = {part, at};

	return template_fix(place, how, address_of(s, from),
			    address_of(s, to) + (uint64_t)addend);
}

static int fill(struct shared *s)
{
	size_t count = stub_plan_frame_count(&s->plan);
	_cleanup_free_ struct build_frame *frames =
		calloc(count, sizeof(*frames));
	struct stub_writer writer = {s->code->data, s->constants->data, refer,
				     s, false};

	if (!frames)
		return status_no_memory(NULL);
	build_note_property_fill(&s->build, s->property);
	build_note_id_fill(s->id);
	stubfile_note_fill(s->note, s->note_text);
	stubfile_comment_fill(s->comment);
	if (s->own.size)
		memcpy(s->constants->data + s->plan.constant_size, s->own.data,
		       s->own.size);
	stub_plan_fill_gaps(&s->plan, s->code->data);
	stub_plan_frames(&s->plan, frames);
	build_frame_fill(&s->build, s->frame, s->code, frames, count);
	build_frame_header_fill(s->frame_header, s->frame, s->code, frames,
				count);
	stub_plan_write(&s->plan, &writer);
	fill_copies(s);
	relocate(s);
	if (writer.failed)
		return status_fail(DLAZY_EFORMAT, "a stub file too large for "
						  "its machine's code");
	return build_dynamic_fill(&s->dynamic, &s->build);
}

static int write_file(struct shared *s, struct stubfile *ret)
{
	if (s->too_many_versions)
		return status_fail(DLAZY_EFORMAT,
				   "more symbol versions than one stub file "
				   "can have");
	if (s->plan.failed || s->own.failed || s->dynamic.failed ||
	    s->dynamic.strings.failed)
		return status_no_memory(NULL);
	add_sections(s);
	int r = build_layout(&s->build);
	if (r == 0)
		r = fill(s);
	return r ? r : build_finish(&s->build, &ret->data, &ret->size);
}

/* What is in the plan, which is laid out. */
static int export_and_write(struct shared *s, struct stubfile *ret)
{
	stub_plan_strings(&s->plan, strings_of(s));
	lay_out_copies(s);
	export_all(s);
	import_all(s);
	relocate(s);
	return write_file(s, ret);
}

static int start(struct shared *s, const struct stubfile_options *options,
		 const char *soname)
{
	s->plan.cpu = options->cpu;
	s->plan.abi = LINKED_ABI;
	build_dynamic_soname(&s->dynamic, soname);
	need_all(s, options);
	return build_start(&s->build, options->cpu, false, 0);
}

int stubfile_shared(const struct library *library,
		    const struct stubfile_options *options,
		    struct stubfile *ret)
{
	_cleanup_shared_ struct shared s = {.too_many_versions = false};
	bool failed;

	s.note_text = stubfile_note_text(library, &options->note, &failed);
	if (failed)
		return status_no_memory(NULL);
	int r = start(&s, options, library->soname);
	if (r < 0)
		return r;
	plan_library(&s, library);
	stub_plan_layout(&s.plan);
	return export_and_write(&s, ret);
}

int stubfile_combined(const struct library *libraries, size_t count,
		      const struct stubfile_run *run,
		      const struct stubfile_options *options,
		      struct stubfile *ret)
{
	_cleanup_shared_ struct shared s = {.plan.has_run = true};

	int r = start(&s, options, COMBINED_SONAME);
	if (r < 0)
		return r;
	build_dynamic_version(&s.dynamic, NO_VERSION);
	for (size_t i = 0; i < count; i++)
		plan_library(&s, &libraries[i]);
	stub_plan_layout(&s.plan);
	build_dynamic_init_first(&s.dynamic, s.plan.start);
	s.plan.directory = build_string(&s.dynamic.strings, run->directory);
	s.plan.touched = build_string(&s.dynamic.strings, run->touched);
	return export_and_write(&s, ret);
}
