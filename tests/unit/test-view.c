/* SPDX-License-Identifier: MIT */
/*
 * What the reader says of good files, of good ones that lack what is not
 * needed, and of bad ones. (test-libelf.c has the comparison with another
 * reader, test-view-mutations.c the damage nobody thought of.)
 */
#include "tests/unit/elf-file.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/view.h"

#include <dlazy/plugin.h>

static int open_path(const char *path, struct elf_view **ret)
{
	_cleanup_close_ int fd = -1;
	int r = file_open(AT_FDCWD, path, &fd, NULL);

	return r ? r : elf_view_open(fd, path, ret);
}

static const char *write_file(const struct elf_file *file)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/changed.so", test_directory());
	elf_file_write(file, path);
	return path;
}

static struct elf_view *good(int r, struct elf_view **view)
{
	if (r < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	return *view;
}

static struct elf_view *view_of(const char *path)
{
	struct elf_view *view = NULL;

	return good(open_path(path, &view), &view);
}

static struct elf_view *view_of_file(const struct elf_file *file)
{
	return view_of(write_file(file));
}

/* Opening must fail with that status and those words. */
static void check_refused(const struct elf_file *file, int status,
			  const char *words)
{
	struct elf_view *view = NULL;

	CHECK_INT(open_path(write_file(file), &view), -status);
	CHECK(!view);
	CHECK_IN(status_message(), words);
	CHECK_IN(status_message(), "changed.so: ");
}

static struct elf_file exports_file(void)
{
	return elf_file_read(test_plugin("good-exports"));
}

static struct elf_file versions_file(void)
{
	return elf_file_read(test_plugin("good-versions"));
}

static struct elf_symbol find(const struct elf_view *view, const char *name)
{
	struct elf_symbol symbol;

	if (!elf_view_find(view, name, NULL, &symbol))
		test_fail(__FILE__, __LINE__, "%s is not found", name);
	CHECK_STR(symbol.name, name);
	CHECK(symbol.defined && symbol.is_default);
	return symbol;
}

TEST(exports_have_their_type_and_binding)
{
	struct elf_view *view = view_of(test_plugin("good-exports"));

	CHECK_INT(find(view, "exports_add").type, ELF_TYPE_FUNC);
	CHECK_INT(find(view, "exports_add").binding, ELF_BINDING_GLOBAL);
	CHECK(find(view, "exports_add").size > 0);
	CHECK(find(view, "exports_add").value > 0);
	CHECK_INT(find(view, "exports_weak").binding, ELF_BINDING_WEAK);
	CHECK_INT(find(view, "exports_chosen").type, ELF_TYPE_IFUNC);
	CHECK_INT(find(view, "exports_data").type, ELF_TYPE_OBJECT);
	CHECK_INT(find(view, "exports_tls").type, ELF_TYPE_TLS);
	CHECK(elf_view_flags(view) & ELF_TLS);
	CHECK_STR(elf_type_name(ELF_TYPE_IFUNC), "ifunc");
	CHECK_STR(elf_type_name(99), "other");
	elf_view_close(view);
}

TEST(what_is_not_exported_is_not_found)
{
	struct elf_view *view = view_of(test_plugin("good-exports"));
	struct elf_symbol symbol;

	CHECK(!elf_view_find(view, "exports_hidden", NULL, &symbol));
	CHECK(!elf_view_find(view, "atoi", NULL, &symbol)); /* imported */
	CHECK(!elf_view_find(view, "chosen", NULL, &symbol));
	CHECK(!elf_view_find(view, "no_such_symbol", NULL, &symbol));
	CHECK(!elf_view_find(view, "", NULL, &symbol));
	elf_view_close(view);
}

TEST(hidden_symbols_in_the_table_are_skipped)
{
	struct elf_file file = exports_file();
	struct elf_view *view = view_of_file(&file);
	ElfN(Sym) *table = elf_file_at(
		&file, elf_file_dynamic(&file, DT_SYMTAB)->d_un.d_ptr);
	struct elf_symbol symbol;
	size_t n = elf_view_symbol_count(view), changed = 0;

	CHECK(!elf_view_symbol(view, 0, &symbol));
	CHECK(!elf_view_symbol(view, n, &symbol));
	for (size_t i = 1; i < n; i++)
		if (elf_view_symbol(view, i, &symbol) && symbol.defined &&
		    !strcmp(symbol.name, "exports_add"))
			table[changed = i].st_other = STV_HIDDEN;
	elf_view_close(view);
	CHECK(changed);
	view = view_of_file(&file);
	CHECK(!elf_view_symbol(view, changed, &symbol));
	CHECK(!elf_view_find(view, "exports_add", NULL, &symbol));
	elf_view_close(view);
	free(file.data);
}

TEST(variant_calling_conventions_are_told_where_there_are_such)
{
	struct elf_file file = exports_file();
	const ElfN(Half) machine = elf_file_header(&file)->e_machine;
	struct elf_view *view = view_of_file(&file);
	ElfN(Sym) *table = elf_file_at(
		&file, elf_file_dynamic(&file, DT_SYMTAB)->d_un.d_ptr);
	size_t n = elf_view_symbol_count(view);

	CHECK(!find(view, "exports_add").variant);
	elf_view_close(view);
	/* The same bit on AArch64 and RISC-V; elsewhere it means nothing. */
	for (size_t i = 1; i < n; i++)
		table[i].st_other |= 0x80;
	view = view_of_file(&file);
	CHECK_INT(find(view, "exports_add").other, 0x80);
	CHECK_INT(find(view, "exports_add").variant,
		  machine == EM_AARCH64 || machine == EM_RISCV);
	elf_view_close(view);
	free(file.data);
}

TEST(imports_name_their_version_and_library)
{
	struct elf_view *view = view_of(test_plugin("good-exports"));
	struct elf_symbol symbol;
	bool seen = false;

	for (size_t i = 0; i < elf_view_symbol_count(view); i++) {
		/* What atoi() is compiled to. */
		if (!elf_view_symbol(view, i, &symbol) ||
		    (!strstr(symbol.name, "strtol") &&
		     strcmp(symbol.name, "atoi") != 0))
			continue;
		seen = true;
		CHECK(!symbol.defined);
		CHECK_IN(symbol.version, "GLIBC_");
		CHECK_IN(symbol.library, "libc.so");
	}
	CHECK(seen);
	CHECK(elf_view_needed_count(view) > 0);
	elf_view_close(view);
}

TEST(a_version_is_found_by_name)
{
	struct elf_view *view = view_of(test_plugin("good-versions"));
	struct elf_symbol symbol;

	CHECK_STR(find(view, "versions_answer").version, "V2");
	CHECK(elf_view_find(view, "versions_answer", "V1", &symbol));
	CHECK_STR(symbol.version, "V1");
	CHECK(!symbol.is_default);
	CHECK(symbol.value != find(view, "versions_answer").value);
	CHECK(elf_view_find(view, "versions_answer", "V2", &symbol));
	CHECK(symbol.is_default);
	CHECK(!elf_view_find(view, "versions_answer", "V3", &symbol));
	CHECK(!elf_view_find(view, "versions_answer", "", &symbol));
	elf_view_close(view);
}

TEST(an_old_version_is_not_the_default)
{
	struct elf_view *view = view_of(test_plugin("good-versions"));
	struct elf_symbol symbol;

	CHECK(!elf_view_find(view, "versions_old", NULL, &symbol));
	CHECK(elf_view_find(view, "versions_old", "V1", &symbol));
	CHECK_STR(find(view, "versions_plain").version, "");
	CHECK(!elf_view_find(view, "versions_plain", "V1", &symbol));
	elf_view_close(view);
}

TEST(a_file_without_versions_has_each_as_for_dlvsym)
{
	struct elf_file file = versions_file();
	struct elf_symbol symbol;

	elf_file_drop(&file, DT_VERSYM);
	struct elf_view *view = view_of_file(&file);
	CHECK(elf_view_find(view, "versions_new", "V9", &symbol));
	CHECK_STR(symbol.version, "");
	elf_view_close(view);
	free(file.data);
}

/* The same symbols, found the same way, as in the whole file? */
static void check_same_symbols(const struct elf_file *file)
{
	struct elf_view *whole = view_of(test_plugin("good-versions"));
	struct elf_view *view = view_of_file(file);
	struct elf_symbol a, b;

	CHECK_INT(elf_view_symbol_count(view), elf_view_symbol_count(whole));
	for (size_t i = 0; i < elf_view_symbol_count(whole); i++) {
		bool there = elf_view_symbol(whole, i, &a);

		CHECK_INT(elf_view_symbol(view, i, &b), there);
		if (!there || !a.defined)
			continue;
		CHECK_STR(b.name, a.name);
		CHECK_STR(b.version, a.version);
		CHECK(elf_view_find(view, a.name, *a.version ? a.version : NULL,
				    &b));
		CHECK(b.value == a.value);
	}
	CHECK(!elf_view_find(view, "no_such_symbol", NULL, &b));
	CHECK(!elf_view_find(view, "versions_old", NULL, &b));
	elf_view_close(view);
	elf_view_close(whole);
}

static void drop_sections(const struct elf_file *file)
{
	elf_file_header(file)->e_shoff = 0;
	elf_file_header(file)->e_shnum = 0;
	elf_file_header(file)->e_shstrndx = 0;
}

TEST(section_headers_are_not_needed)
{
	struct elf_file file = versions_file();

	drop_sections(&file);
	check_same_symbols(&file);
	free(file.data);
}

TEST(the_gnu_hash_alone_is_enough)
{
	struct elf_file file = versions_file();

	drop_sections(&file);
	CHECK(elf_file_dynamic(&file, DT_HASH)); /* was linked with both */
	elf_file_drop(&file, DT_HASH);
	check_same_symbols(&file);
	free(file.data);
}

TEST(the_old_hash_alone_is_enough)
{
	struct elf_file file = versions_file();

	drop_sections(&file);
	CHECK(elf_file_dynamic(&file, DT_GNU_HASH));
	elf_file_drop(&file, DT_GNU_HASH);
	check_same_symbols(&file);
	free(file.data);
}

TEST(no_hash_at_all_is_enough)
{
	struct elf_file file = versions_file();

	elf_file_drop(&file, DT_GNU_HASH);
	elf_file_drop(&file, DT_HASH);
	check_same_symbols(&file);
	/* And with the string table as the only bound. */
	drop_sections(&file);
	check_same_symbols(&file);
	free(file.data);
}

TEST(a_hash_chain_without_end_ends)
{
	struct elf_file file = versions_file();
	uint32_t *words = elf_file_at(
		&file, elf_file_dynamic(&file, DT_GNU_HASH)->d_un.d_ptr);
	uint32_t *buckets = words + 4 + words[2] * (sizeof(ElfN(Addr)) / 4);
	struct elf_symbol symbol;

	memset(words + 4, 0xff, words[2] * sizeof(ElfN(Addr))); /* bloom */
	for (unsigned i = 0; i < 8; i++)
		buckets[words[0] + i] &= ~1u;
	struct elf_view *view = view_of_file(&file);
	CHECK(!elf_view_find(view, "no_such_symbol", NULL, &symbol));
	elf_view_close(view);

	elf_file_drop(&file, DT_GNU_HASH);
	words = elf_file_at(&file,
			    elf_file_dynamic(&file, DT_HASH)->d_un.d_ptr);
	for (uint32_t i = 0; i < words[1]; i++)
		words[2 + words[0] + i] = i; /* each follows itself */
	view = view_of_file(&file);
	CHECK(!elf_view_find(view, "no_such_symbol", NULL, &symbol));
	elf_view_close(view);
	free(file.data);
}

TEST(build_id_and_notes_are_read)
{
	struct elf_view *view = view_of(test_plugin("good-exports"));
	bool seen = false;
	size_t size;

	CHECK(elf_view_build_id(view, &size));
	CHECK(size >= 8 && size <= 64);
	for (size_t i = 0; i < elf_view_note_count(view); i++) {
		struct elf_note note = elf_view_note(view, i);

		if (strcmp(note.owner, "FDO") != 0 || note.type != 0x407c0c0a)
			continue;
		seen = true;
		CHECK_IN((const char *)note.data, "libz.so.1");
		CHECK_INT(note.size, strlen((const char *)note.data) + 1);
	}
	CHECK(seen);
	elf_view_close(view);
}

TEST(notes_outside_of_segments_are_found)
{
	struct elf_file file = exports_file();
	struct elf_view *view;
	ElfN(Phdr) * segment;
	size_t size;

	while ((segment = elf_file_segment(&file, PT_NOTE)))
		segment->p_type = PT_NULL;
	view = view_of_file(&file);
	CHECK(elf_view_build_id(view, &size));
	elf_view_close(view);

	drop_sections(&file);
	view = view_of_file(&file);
	CHECK(!elf_view_build_id(view, &size));
	CHECK_INT(size, 0);
	CHECK_INT(elf_view_note_count(view), 0);
	elf_view_close(view);
	free(file.data);
}

/* A note of its own kind of padding, appended. */
static void append_note(struct elf_file *file, const char *owner, uint32_t type,
			const char *text, size_t alignment)
{
	uint32_t head[3] = {(uint32_t)strlen(owner) + 1,
			    (uint32_t)strlen(text) + 1, type};
	size_t mask = alignment - 1, begin = (file->size + mask) & ~mask;
	size_t at = (begin + sizeof(head) + head[0] + mask) & ~mask;

	file->data = realloc(file->data, at + head[1]);
	CHECK(file->data);
	memset(file->data + file->size, 0, at + head[1] - file->size);
	memcpy(file->data + begin, head, sizeof(head));
	memcpy(file->data + begin + sizeof(head), owner, head[0]);
	memcpy(file->data + at, text, head[1]);
	file->size = at + head[1];
}

/* Makes all from `begin` on the only segment of notes. */
static void make_note_segment(struct elf_file *file, size_t begin)
{
	ElfN(Phdr) *segment = elf_file_segment(file, PT_NOTE);

	for (ElfN(Phdr) * s; (s = elf_file_segment(file, PT_NOTE));)
		s->p_type = PT_NULL;
	segment->p_type = PT_NOTE;
	segment->p_offset = begin;
	segment->p_filesz = file->size - begin;
	segment->p_align = 8;
	drop_sections(file);
}

/* As mold puts them: sections of both alignments in one segment. */
static int read_own_note(const struct elf_file *file, char **ret)
{
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	int r = file_open(AT_FDCWD, write_file(file), &fd, NULL);

	*ret = NULL;
	if (r == 0)
		r = elf_note_read(fd, "changed.so", DLAZY_PLUGIN_OWNER,
				  DLAZY_PLUGIN_TYPE, ret, &size);
	if (r == 0)
		CHECK_INT(size, strlen(*ret) + 1);
	return r;
}

static void check_own_note(const struct elf_file *file)
{
	_cleanup_free_ char *text = NULL;

	if (read_own_note(file, &text) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	CHECK_IN(text, "{\"schema\":1,\"name\":\"described\"");
}

TEST(a_plugins_note_is_found_by_segment_or_section)
{
	struct elf_file file = elf_file_read(test_plugin("good-described"));
	struct elf_file bare = elf_file_read(test_plugin("good-described"));
	_cleanup_free_ char *text = NULL;

	check_own_note(&file);
	drop_sections(&bare);
	check_own_note(&bare);
	/* Where the build-id stayed in a segment, too. */
	for (ElfN(Phdr) * s; (s = elf_file_segment(&file, PT_NOTE));)
		s->p_type = PT_NULL;
	check_own_note(&file);
	drop_sections(&file);
	CHECK_INT(read_own_note(&file, &text), -DLAZY_ENOENT);
	CHECK(!text);
	free(file.data);
	free(bare.data);
}

/* Appends so many bytes of zeros. */
static void append_zeros(struct elf_file *file, size_t size)
{
	file->data = realloc(file->data, file->size + size);
	CHECK(file->data);
	memset(file->data + file->size, 0, size);
	file->size += size;
}

TEST(a_note_of_many_megabytes_costs_itself_alone)
{
	struct elf_file file = exports_file();
	size_t begin = (file.size + 7) & ~(size_t)7;
	_cleanup_free_ char *text = NULL;
	uint32_t huge = 10 << 20;
	size_t size;

	append_note(&file, "GNU", NT_GNU_BUILD_ID, "0123456789abcdef", 4);
	append_note(&file, DLAZY_PLUGIN_OWNER, DLAZY_PLUGIN_TYPE, "{}", 4);
	memcpy(file.data + file.size - 3 - 8 - 8, &huge, sizeof(huge));
	append_zeros(&file, huge);
	make_note_segment(&file, begin);
	struct elf_view *view = view_of_file(&file);
	CHECK(elf_view_build_id(view, &size));
	CHECK_INT(size, 17);
	elf_view_close(view);
	CHECK_INT(read_own_note(&file, &text), -DLAZY_EFORMAT);
	CHECK_IN(status_message(), "changed.so: its notes have more than ");
	free(file.data);
}

/* The plugin's note in the last of so many sections; the others are empty. */
static int read_note_of_section(size_t count, char **ret)
{
	struct elf_file file = exports_file();
	size_t note = (file.size + 7) & ~(size_t)7;

	drop_sections(&file);
	append_note(&file, DLAZY_PLUGIN_OWNER, DLAZY_PLUGIN_TYPE, "{}", 4);
	size_t end = file.size, table = (end + 7) & ~(size_t)7;
	append_zeros(&file, table - end + count * sizeof(ElfN(Shdr)));
	ElfN(Shdr) *sections = (void *)(file.data + table);
	for (size_t i = 0; i < count; i++)
		sections[i].sh_type = SHT_NOTE;
	sections[count - 1].sh_offset = note;
	sections[count - 1].sh_size = end - note;
	elf_file_header(&file)->e_shoff = table;
	elf_file_header(&file)->e_shnum = (ElfN(Half))count;
	elf_file_header(&file)->e_shentsize = sizeof(*sections);
	int r = read_own_note(&file, ret);
	free(file.data);
	return r;
}

TEST(sections_of_notes_beyond_a_number_are_not_read)
{
	_cleanup_free_ char *text = NULL, *none = NULL;

	CHECK_INT(read_note_of_section(256, &text), 0);
	CHECK_STR(text, "{}");
	CHECK_INT(read_note_of_section(257, &none), -DLAZY_EFORMAT);
	CHECK_IN(status_message(), " 256 sections");
}

TEST(a_note_whose_owner_does_not_end_is_none)
{
	struct elf_file file = exports_file();
	size_t begin = (file.size + 7) & ~(size_t)7;
	_cleanup_free_ char *text = NULL, *none = NULL;

	append_note(&file, DLAZY_PLUGIN_OWNER, DLAZY_PLUGIN_TYPE, "{}", 4);
	make_note_segment(&file, begin);
	CHECK_INT(read_own_note(&file, &text), 0);
	/* The zero that ends it is padding then. */
	((ElfN(Nhdr) *)(file.data + begin))->n_namesz--;
	CHECK_INT(read_own_note(&file, &none), -DLAZY_ENOENT);
	free(file.data);
}

TEST(notes_padded_to_4_and_to_8_bytes_share_a_segment)
{
	static const struct {
		const char *owner, *text;
		size_t alignment;
	} notes[] = {
		{"GNU", "eight...eight..", 8},
		{"GNU", "twenty bytes, all.", 4},
		{"FDO", "four", 4},
		{"dlazy", "an odd owner", 4},
		{"dlazy", "an odd one of 8", 8},
		{"FDO", "last", 4},
	};
	struct elf_file file = exports_file();
	size_t begin = (file.size + 7) & ~(size_t)7;

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		append_note(&file, notes[i].owner, 100 + (uint32_t)i,
			    notes[i].text, notes[i].alignment);
	make_note_segment(&file, begin);
	struct elf_view *view = view_of_file(&file);
	CHECK_INT(elf_view_note_count(view), ARRAY_SIZE(notes));
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		struct elf_note note = elf_view_note(view, i);

		CHECK_INT(note.type, 100 + i);
		CHECK_STR(note.owner, notes[i].owner);
		CHECK_STR((const char *)note.data, notes[i].text);
	}
	elf_view_close(view);
	free(file.data);
}

TEST(flags_are_read)
{
	struct elf_file file = exports_file();

	elf_file_add(&file, DT_FLAGS,
		     DF_STATIC_TLS | DF_SYMBOLIC | DF_BIND_NOW);
	elf_file_add(&file, DT_FLAGS_1, DF_1_NODELETE | DF_1_NODEFLIB);
	struct elf_view *view = view_of_file(&file);
	unsigned all = ELF_STATIC_TLS | ELF_SYMBOLIC | ELF_NOW | ELF_NODELETE |
		       ELF_NODEFLIB | ELF_DYNAMIC | ELF_TLS;
	CHECK_INT(elf_view_flags(view) & all, all);
	CHECK_INT(elf_view_flags(view) &
			  (ELF_PIE | ELF_NOOPEN | ELF_INTERP | ELF_EXEC_STACK),
		  0);
	elf_view_close(view);
	free(file.data);
}

TEST(an_executable_stack_is_noticed)
{
	struct elf_file file = exports_file();
	ElfN(Phdr) *stack = elf_file_segment(&file, PT_GNU_STACK);
	struct elf_view *view;

	stack->p_flags |= PF_X;
	view = view_of_file(&file);
	CHECK(elf_view_flags(view) & ELF_EXEC_STACK);
	elf_view_close(view);

	stack->p_type = PT_NULL; /* old files say nothing: executable */
	view = view_of_file(&file);
	CHECK(elf_view_flags(view) & ELF_EXEC_STACK);
	elf_view_close(view);
	free(file.data);
}

static void check_no_plugin(const struct elf_file *file, const char *why)
{
	struct elf_view *view = view_of_file(file);

	CHECK_INT(elf_view_check_plugin(view, "x.so"), -DLAZY_EFORMAT);
	CHECK_IN(status_message(), why);
	CHECK_IN(status_message(), "x.so");
	elf_view_close(view);
}

TEST(what_dlopen_refuses_is_no_plugin)
{
	struct elf_file file = exports_file();
	struct elf_view *view = view_of_file(&file);

	CHECK_INT(elf_view_check_plugin(view, "x.so"), 0);
	elf_view_close(view);
	elf_file_add(&file, DT_FLAGS_1, DF_1_NOOPEN);
	check_no_plugin(&file, "nodlopen");
	elf_file_add(&file, DT_FLAGS_1, 0x08000000 /* DF_1_PIE */);
	check_no_plugin(&file, "a program");
	elf_file_segment(&file, PT_DYNAMIC)->p_type = PT_NULL;
	check_no_plugin(&file, "no dynamic section");
	elf_file_header(&file)->e_type = ET_EXEC;
	check_no_plugin(&file, "a program");
	free(file.data);
}

TEST(another_machine_is_named)
{
	struct elf_file file = exports_file();
	ElfN(Ehdr) *header = elf_file_header(&file);
	ElfN(Half) machine = header->e_machine;
	char buffer[64];

	header->e_machine = machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
	check_refused(&file, DLAZY_EMACHINE,
		      machine == EM_AARCH64 ? "made for x86-64, this is "
					    : "made for AArch64, this is ");
	header->e_machine = 4711;
	check_refused(&file, DLAZY_EMACHINE, "made for machine 4711");
	header->e_machine = machine;
	header->e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	check_refused(&file, DLAZY_EMACHINE, "-bit, this is ");
	header->e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	header->e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	check_refused(&file, DLAZY_EMACHINE, "made for ");
	CHECK(!elf_machine_name((const uint8_t *)"#!/bin/sh\n...........", 20,
				buffer, sizeof(buffer)));
	CHECK(!elf_machine_name(file.data, 8, buffer, sizeof(buffer)));
	free(file.data);
}

TEST(what_is_not_elf_is_refused)
{
	struct elf_file text = {(uint8_t *)"INPUT(libreal.so.1)\n", 20};
	struct elf_file empty = {(uint8_t *)"", 0};
	struct elf_file file = exports_file();

	check_refused(&text, DLAZY_EFORMAT, "not an ELF file");
	check_refused(&empty, DLAZY_EFORMAT, "not an ELF file");
	elf_file_header(&file)->e_type = ET_REL;
	check_refused(&file, DLAZY_EFORMAT, "neither a shared object");
	free(file.data);
}

TEST(a_truncated_file_is_refused_at_every_length)
{
	struct elf_file file = exports_file();
	struct elf_view *view;
	size_t whole = file.size, refused = 0;
	ElfN(Phdr) *dynamic = elf_file_segment(&file, PT_DYNAMIC);
	size_t needed = dynamic->p_offset + dynamic->p_filesz;

	for (file.size = 0; file.size < whole; file.size += 7) {
		const char *path = write_file(&file);
		view = NULL;
		int r = open_path(path, &view);
		CHECK(r == 0 || r == -DLAZY_EFORMAT);
		CHECK((r == 0) == (view != NULL));
		if (r < 0 && file.size >= 64)
			CHECK_IN(status_message(), "truncated");
		CHECK(r < 0 || file.size >= needed);
		refused += r < 0;
		elf_view_close(view);
	}
	CHECK(refused > 10);
	free(file.data);
}

TEST(a_table_outside_of_the_file_is_refused)
{
	const int64_t tags[] = {DT_STRTAB, DT_SYMTAB, DT_VERSYM, DT_VERDEF,
				DT_VERNEED};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct elf_file file = versions_file();

		elf_file_dynamic(&file, tags[i])->d_un.d_ptr =
			(ElfN(Addr)) - 64;
		struct elf_view *view = NULL;
		CHECK_INT(open_path(write_file(&file), &view), -DLAZY_EFORMAT);
		CHECK_IN(status_message(), "ELF file");
		free(file.data);
	}
}

TEST(a_damaged_hash_table_costs_nothing)
{
	struct elf_file file = versions_file();

	elf_file_dynamic(&file, DT_GNU_HASH)->d_un.d_ptr = (ElfN(Addr)) - 64;
	check_same_symbols(&file);
	elf_file_dynamic(&file, DT_HASH)->d_un.d_ptr = (ElfN(Addr)) - 64;
	check_same_symbols(&file);
	free(file.data);
}

TEST(names_outside_of_the_string_table_are_refused)
{
	struct elf_file file = exports_file();

	elf_file_dynamic(&file, DT_NEEDED)->d_un.d_val = 1u << 30;
	check_refused(&file, DLAZY_EFORMAT, "name of a needed library");
	elf_file_dynamic(&file, DT_NEEDED)->d_un.d_val = 0;
	elf_file_dynamic(&file, DT_STRSZ)->d_un.d_val = 1u << 30;
	check_refused(&file, DLAZY_EFORMAT, "the string table");
	free(file.data);
}

TEST(a_table_of_absurd_size_is_refused_not_read)
{
	struct elf_file file = exports_file();
	ElfN(Phdr) *segment = elf_file_segment(&file, PT_LOAD);
	struct elf_view *view = NULL;

	segment->p_filesz = segment->p_memsz = 200u << 20;
	elf_file_dynamic(&file, DT_STRSZ)->d_un.d_val = 100u << 20;
	const char *path = write_file(&file);
	CHECK_INT(truncate(path, 300l << 20), 0); /* sparse */
	CHECK_INT(open_path(path, &view), -DLAZY_EFORMAT);
	CHECK_IN(status_message(), "the limit is 67108864");
	free(file.data);
}

TEST(entries_of_versions_may_not_overlap)
{
	struct elf_file file = versions_file();
	ElfN(Verneed) *need = elf_file_at(
		&file, elf_file_dynamic(&file, DT_VERNEED)->d_un.d_ptr);
	ElfN(Vernaux) *wanted = (void *)((char *)need + need->vn_aux);

	/* One byte further each time: as many as would never end. */
	elf_file_dynamic(&file, DT_VERNEEDNUM)->d_un.d_val = (ElfN(Xword)) - 1;
	need->vn_next = 1;
	need->vn_cnt = 0xffff;
	wanted->vna_next = 1;
	struct elf_view *view = NULL;
	CHECK_INT(open_path(write_file(&file), &view), -DLAZY_EFORMAT);
	free(file.data);
}

TEST(a_view_for_needs_has_no_symbols)
{
	const char *path = test_plugin("good-exports");
	struct elf_view *view = NULL;
	struct elf_symbol symbol;
	int fd = -1;

	CHECK_INT(file_open(AT_FDCWD, path, &fd, NULL), 0);
	CHECK_INT(elf_view_open_needs(fd, path, &view), 0);
	close(fd);
	CHECK(elf_view_needed_count(view) > 0);
	CHECK_INT(elf_view_symbol_count(view), 0);
	CHECK(!elf_view_find(view, "exports_add", NULL, &symbol));
	elf_view_close(view);
}

TEST(the_program_itself_names_its_interpreter)
{
	struct elf_view *view = view_of("/proc/self/exe");

	CHECK(elf_view_flags(view) & ELF_INTERP);
	CHECK_IN(elf_view_interpreter(view), "/ld");
	CHECK_INT(elf_view_check_plugin(view, "me"), -DLAZY_EFORMAT);
	elf_view_close(view);
}
