/* SPDX-License-Identifier: MIT */
/*
 * Stub files that are shared objects: what our reader and the dynamic linker
 * find in them, and that calls arrive. (test-stubfile.sh has what the tools
 * say, and files to link with.)
 */
#include "tests/unit/stubfile-made.h"

#include "base/array.h"
#include "elf/native.h"
#include "stub/linked.h"
#include "stub/stub.h"
#include "tests/unit/elf-file.h"
#include "tests/unit/opened.h"

#include <dlfcn.h>
#include <link.h>

/* The run-time half is in this program, whole. */
extern char dlazy_linked_slow[];
const void *const linked_functions[] = {dlazy_linked_slow,
					(void *)dlazy_linked_data,
					(void *)dlazy_linked_start};

static struct library fixture(const char *name)
{
	return made_library(test_plugin(name));
}

/* A library of these symbols, without a file. */
static struct library library_of(const char *soname,
				 struct library_symbol *symbols, size_t count)
{
	struct library library = {
		.soname = soname,
		.symbols = symbols,
		.symbol_count = count,
		.feature = "",
		.package = "",
	};

	return library;
}

static void *open_stub(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		test_fail(__FILE__, __LINE__, "%s", dlerror());
	return handle;
}

/* What is exported. */

static bool is_exported(const struct elf_view *view, const char *name)
{
	struct elf_symbol symbol;

	return elf_view_find(view, name, NULL, &symbol);
}

static void check_like(const struct elf_view *view,
		       const struct library_symbol *s)
{
	struct elf_symbol found;

	if (!elf_view_find(view, s->name, *s->version ? s->version : NULL,
			   &found))
		test_fail(__FILE__, __LINE__, "%s@%s is not found", s->name,
			  s->version);
	CHECK_STR(found.name, s->name);
	CHECK_STR(found.version, s->version);
	CHECK_INT(found.is_default, s->is_default);
	CHECK_INT(found.type, s->data ? ELF_TYPE_IFUNC : ELF_TYPE_FUNC);
	CHECK_INT(found.binding,
		  s->weak ? ELF_BINDING_WEAK : ELF_BINDING_GLOBAL);
	CHECK_INT(found.visibility, 0);
}

static size_t count_exports(const struct elf_view *view)
{
	struct elf_symbol symbol;
	size_t count = 0;

	for (size_t i = 0; i < elf_view_symbol_count(view); i++)
		count += elf_view_symbol(view, i, &symbol) && symbol.defined;
	return count;
}

/* The versions that others may ask for, each in its place. */
static void check_versions(const struct elf_view *view,
			   const struct library *library)
{
	size_t end = elf_view_version_end(view), n = 0;

	for (size_t i = 0; i < end; i++) {
		const char *version = elf_view_version(view, i);

		if (!version)
			continue;
		CHECK(n < library->version_count);
		CHECK_STR(version, library->versions[n++]);
	}
	CHECK_INT(n, library->version_count);
}

static void check_stub_of(struct library *library)
{
	struct elf_view *view = made_view(made_shared(library));
	size_t expected = 0;

	for (size_t i = 0; i < library->symbol_count; i++) {
		if (library->symbols[i].why_not)
			continue;
		check_like(view, &library->symbols[i]);
		expected++;
	}
	CHECK_INT(count_exports(view), expected);
	CHECK_STR(elf_view_soname(view), library->soname);
	check_versions(view, library);
	CHECK(!(elf_view_flags(view) & ELF_EXEC_STACK));
	elf_view_close(view);
	library_clear(library);
}

TEST(stub_exports_what_its_library_exports)
{
	static const char *const names[] = {"good-plain",  "good-versions",
					    "good-kinds",  "good-exports",
					    "good-unique", "good-nodelete"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct library library = fixture(names[i]);
		check_stub_of(&library);
	}
}

/* Real ones: versions by the dozen, weak symbols, IFUNCs. */
TEST(stubs_of_the_c_and_math_libraries_export_what_they_export)
{
	Dl_info info[2];
	int (*print)(const char *, ...) = printf;

	CHECK(dladdr((void *)print, &info[0]));
	struct library library = made_library(info[0].dli_fname);
	check_stub_of(&library);
	void *math = dlopen("libm.so.6", RTLD_NOW);
	if (!math)
		test_skip("no libm.so.6 here");
	CHECK(dladdr(dlsym(math, "cos"), &info[1]));
	library = made_library(info[1].dli_fname);
	check_stub_of(&library);
}

TEST(what_cannot_have_a_stub_has_none)
{
	struct library library = fixture("good-kinds");
	struct elf_view *view = made_view(made_shared(&library));

	CHECK(is_exported(view, "kinds_function"));
	CHECK(is_exported(view, "kinds_indirect"));
	CHECK(is_exported(view, "kinds_data"));
	CHECK(!is_exported(view, "kinds_tls"));
	CHECK(!is_exported(view, "kinds_label"));
	elf_view_close(view);
	library_clear(&library);
}

TEST(library_without_exports_has_a_stub_file_too)
{
	struct library library = library_of("libempty.so.1", NULL, 0);
	const char *path = made_shared(&library);
	struct elf_view *view = made_view(path);

	CHECK_INT(count_exports(view), 0);
	CHECK_STR(elf_view_soname(view), "libempty.so.1");
	dlclose(open_stub(path));
	elf_view_close(view);
}

TEST(stub_file_needs_what_it_is_told_to)
{
	static const char *const needed[] = {"libfirst.so.1", "libsecond.so",
					     NULL};
	struct stubfile_options options = made_options();
	struct library library = fixture("good-plain");
	struct stubfile file;

	options.libdlazy = "/opt/lib/libdlazy.so.0";
	options.needed = needed;
	made_status(stubfile_shared(&library, &options, &file));
	struct elf_view *view = made_view(made_file(&file, "needs.so"));
	CHECK_INT(elf_view_needed_count(view), 3);
	CHECK_STR(elf_view_needed(view, 0), "/opt/lib/libdlazy.so.0");
	CHECK_STR(elf_view_needed(view, 1), "libfirst.so.1");
	CHECK_STR(elf_view_needed(view, 2), "libsecond.so");
	elf_view_close(view);
	library_clear(&library);
}

/* Several libraries in one file. */

#define PLAIN(n)                                             \
	{                                                    \
		.name = n, .version = "", .is_default = true \
	}
#define DEFAULT(n, v)                                       \
	{                                                   \
		.name = n, .version = v, .is_default = true \
	}
#define OLD(n, v)                       \
	{                               \
		.name = n, .version = v \
	}

static struct elf_symbol found(const struct elf_view *view, const char *name,
			       const char *version)
{
	struct elf_symbol symbol;

	if (!elf_view_find(view, name, version, &symbol))
		test_fail(__FILE__, __LINE__, "%s@%s is not found", name,
			  version ? version : "");
	return symbol;
}

static void check_same_address(void *handle, const char *name,
			       const char *version)
{
	void *plain = dlsym(handle, name);

	CHECK(plain != NULL);
	CHECK(plain == dlvsym(handle, name, version));
}

TEST(first_library_of_a_name_and_version_has_it)
{
	struct library_symbol a[] = {DEFAULT("both", "V1"), PLAIN("plain")};
	struct library_symbol b[] = {DEFAULT("both", "V1"), PLAIN("plain"),
				     OLD("only_b", "V1")};
	struct library libraries[] = {library_of("liba.so", a, ARRAY_SIZE(a)),
				      library_of("libb.so", b, ARRAY_SIZE(b))};
	struct elf_view *view = made_view(made_combined(libraries, 2));

	CHECK_INT(count_exports(view), 3);
	/* The stubs of a library lie together, the first library's first. */
	CHECK(found(view, "both", "V1").value <
	      found(view, "only_b", "V1").value);
	CHECK(found(view, "plain", NULL).value <
	      found(view, "only_b", "V1").value);
	elf_view_close(view);
}

/* Where two defaults of a name are, ld.so finds neither by a plain lookup. */
TEST(plain_lookups_find_the_first_librarys_default)
{
	struct library_symbol a[] = {OLD("name", "V0"), DEFAULT("name", "V1")};
	struct library_symbol b[] = {DEFAULT("name", "V2")};
	struct library_symbol c[] = {PLAIN("name")};
	struct library libraries[] = {library_of("liba.so", a, 2),
				      library_of("libb.so", b, 1),
				      library_of("libc.so", c, 1)};
	const char *path = made_combined(libraries, 3);
	struct elf_view *view = made_view(path);

	CHECK_STR(found(view, "name", NULL).version, "V1");
	CHECK(!found(view, "name", "V0").is_default);
	CHECK(!found(view, "name", "V2").is_default);
	CHECK_INT(count_exports(view), 3);
	elf_view_close(view);
	check_same_address(open_stub(path), "name", "V1");
}

TEST(symbol_without_version_hides_later_defaults)
{
	struct library_symbol a[] = {PLAIN("name")};
	struct library_symbol b[] = {DEFAULT("name", "V2")};
	struct library libraries[] = {library_of("liba.so", a, 1),
				      library_of("libb.so", b, 1)};
	struct elf_view *view = made_view(made_combined(libraries, 2));

	CHECK_STR(found(view, "name", NULL).version, "");
	CHECK(!found(view, "name", "V2").is_default);
	elf_view_close(view);
}

TEST(version_of_several_libraries_is_defined_once)
{
	struct library_symbol a[] = {DEFAULT("a", "libjson-glib-1.0.so.0"),
				     DEFAULT("a2", "Base")};
	struct library_symbol b[] = {DEFAULT("b", "Base"),
				     DEFAULT("b2", "libjson-glib-1.0.so.0")};
	const char *versions[] = {"libjson-glib-1.0.so.0", "EMPTY", "Base"};
	const char *all[] = {"DLAZY_NONE", versions[0], versions[1],
			     versions[2]};
	struct library libraries[] = {library_of("liba.so", a, 2),
				      library_of("libb.so", b, 2)};

	libraries[0].versions = versions;
	libraries[0].version_count = 3;
	struct elf_view *view = made_view(made_combined(libraries, 2));
	libraries[0].versions = all;
	libraries[0].version_count = 4;
	check_versions(view, &libraries[0]);
	CHECK_STR(found(view, "b2", NULL).version, "libjson-glib-1.0.so.0");
	CHECK_STR(found(view, "b", NULL).version, "Base");
	elf_view_close(view);
}

TEST(more_versions_than_the_format_has_are_refused)
{
	enum { MANY = 40000 };
	struct library_symbol *symbols = calloc(MANY, sizeof(*symbols));
	char(*versions)[16] = calloc(MANY, sizeof(*versions));
	struct stubfile_options options = made_options();
	struct stubfile file;

	for (int i = 0; i < MANY; i++) {
		snprintf(versions[i], sizeof(*versions), "V%d", i);
		symbols[i] = (struct library_symbol)OLD("name", versions[i]);
	}
	struct library library = library_of("libmany.so", symbols, MANY);
	CHECK_INT(stubfile_shared(&library, &options, &file), -DLAZY_EFORMAT);
	CHECK_IN(status_message(), "versions");
	library.symbol_count = 30000;
	made_status(stubfile_shared(&library, &options, &file));
	stubfile_clear(&file);
	free(symbols);
	free(versions);
}

/* Many symbols, of any names. */

static uint32_t random_number(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* A name nobody has yet: bytes of all kinds, now and then very many. */
static char *random_name(unsigned number)
{
	size_t length =
		random_number() % 1000 == 0 ? 60000 : random_number() % 40;
	char *name = malloc(length + 16);

	CHECK(name != NULL);
	for (size_t i = 0; i < length; i++) {
		char c = (char)(random_number() % 255 + 1);
		name[i] = c == '@' ? 'A' : c;
	}
	snprintf(name + length, 16, "%u", number);
	return name;
}

static void check_each_is_found(const char *path, const struct library *library)
{
	struct elf_view *view = made_view(path);
	void *handle = open_stub(path);
	struct link_map *map;

	CHECK(dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0);
	for (size_t i = 0; i < library->symbol_count; i++) {
		const struct library_symbol *s = &library->symbols[i];
		uint64_t at = found(view, s->name, s->version).value;

		CHECK(dlvsym(handle, s->name, s->version) ==
		      (char *)map->l_addr + at);
		CHECK_INT(at % 32, 0);
		if (s->is_default)
			CHECK(dlsym(handle, s->name) ==
			      (char *)map->l_addr + at);
	}
	for (unsigned i = 0; i < 10000; i++) {
		char *absent = random_name(1u << 31 | i);
		CHECK(!is_exported(view, absent));
		CHECK(!dlsym(handle, absent));
		free(absent);
	}
	elf_view_close(view);
}

TEST_SECONDS(each_of_a_hundred_thousand_symbols_is_found, 120)
{
	enum { MANY = 100000, VERSIONS = 97 };
	struct library_symbol *symbols = calloc(MANY, sizeof(*symbols));
	char versions[VERSIONS][32];

	for (unsigned i = 0; i < VERSIONS; i++)
		snprintf(versions[i], sizeof(versions[i]), "libname-%u.0.so.%u",
			 i, i * 7);
	for (unsigned i = 0; i < MANY; i++) {
		symbols[i].name = random_name(i);
		symbols[i].version = versions[random_number() % VERSIONS];
		symbols[i].is_default = random_number() % 4 != 0;
		symbols[i].weak = random_number() % 2;
	}
	struct library library = library_of("libmany.so.1", symbols, MANY);
	check_each_is_found(made_shared(&library), &library);
	check_each_is_found(made_combined(&library, 1), &library);
	for (unsigned i = 0; i < MANY; i++)
		free((char *)symbols[i].name);
	free(symbols);
}

/* What the bytes are. */

static const ElfN(Phdr) *
	segments_of(const struct elf_file *file, size_t *ret_count)
{
	*ret_count = elf_file_header(file)->e_phnum;
	return (const ElfN(Phdr) *)(file->data +
				    elf_file_header(file)->e_phoff);
}

static void check_segments(const char *path)
{
	struct elf_file file = elf_file_read(path);
	size_t count, writable = 0, executable = 0;
	const ElfN(Phdr) *s = segments_of(&file, &count);

	for (size_t i = 0; i < count; i++) {
		CHECK((s[i].p_flags & (PF_W | PF_X)) != (PF_W | PF_X));
		CHECK(range_within(s[i].p_offset, s[i].p_filesz, file.size));
		if (s[i].p_type == PT_GNU_STACK)
			CHECK_INT(s[i].p_flags & PF_X, 0);
		if (s[i].p_type != PT_LOAD)
			continue;
		CHECK_INT(s[i].p_offset % s[i].p_align,
			  s[i].p_vaddr % s[i].p_align);
		writable += (s[i].p_flags & PF_W) != 0;
		executable += (s[i].p_flags & PF_X) != 0;
	}
	CHECK_INT(writable, 1);
	CHECK_INT(executable, 1);
	free(file.data);
}

TEST(nothing_is_writable_and_executable)
{
	struct library libraries[] = {fixture("good-versions"),
				      fixture("good-kinds")};

	check_segments(made_shared(&libraries[0]));
	check_segments(made_combined(libraries, 2));
	library_clear(&libraries[0]);
	library_clear(&libraries[1]);
}

static void check_id_differs(const char *path, const char *other)
{
	struct elf_view *view[] = {made_view(path), made_view(other)};
	const uint8_t *id[2];
	size_t size[2];

	for (int i = 0; i < 2; i++)
		id[i] = elf_view_build_id(view[i], &size[i]);
	CHECK_INT(size[0], 16);
	CHECK_INT(size[1], 16);
	CHECK(memcmp(id[0], id[1], 16) != 0);
	elf_view_close(view[0]);
	elf_view_close(view[1]);
}

TEST(same_library_gives_the_same_bytes)
{
	struct library library = fixture("good-versions");
	struct stubfile_options options = made_options();
	struct stubfile file[3];

	for (int i = 0; i < 3; i++) {
		made_status(stubfile_shared(&library, &options, &file[i]));
		library.feature = i == 1 ? "another" : "";
	}
	CHECK_INT(file[0].size, file[1].size);
	CHECK(memcmp(file[0].data, file[1].data, file[0].size) == 0);
	stubfile_clear(&file[0]);
	check_id_differs(made_file(&file[1], "one.so"),
			 made_file(&file[2], "other.so"));
	library_clear(&library);
}

TEST(note_tells_packagers_of_the_library)
{
	struct library library = fixture("good-plain");
	struct stubfile_options options = made_options();
	char *files[] = {"libplain.so.2", "/usr/lib/libplain.so.1", NULL};
	struct library named = library;
	struct stubfile file;

	named.files = files;
	named.file_count = 2;
	named.soname = "libplain.so.1";
	options.note = (struct stubfile_note){"plain \"things\"", "Answers",
					      "suggested"};
	made_status(stubfile_shared(&named, &options, &file));
	struct elf_view *view = made_view(made_file(&file, "note.so"));
	size_t i = 0;
	while (i < elf_view_note_count(view) &&
	       strcmp(elf_view_note(view, i).owner, "FDO") != 0)
		i++;
	CHECK(i < elf_view_note_count(view));
	struct elf_note note = elf_view_note(view, i);
	CHECK_INT(note.type, 0x407c0c0a);
	CHECK_STR((const char *)note.data,
		  "[{\"soname\":[\"libplain.so.2\",\"libplain.so.1\"],"
		  "\"feature\":\"plain \\\"things\\\"\","
		  "\"description\":\"Answers\",\"priority\":\"suggested\"}]");
	CHECK_INT(note.size, strlen((const char *)note.data) + 1);
	elf_view_close(view);
	library_clear(&library);
}

/* That they work. */

TEST(calls_arrive_in_the_library)
{
	needs_stubs();
	struct library library = fixture("good-plain");
	void *handle = open_stub(made_shared(&library));

	CHECK_INT(test_mapped("good-plain.so"), 0);
	void *stub = dlsym(handle, "plain_answer");
	CHECK_INT(test_mapped("good-plain.so"), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK(test_mapped("good-plain.so") > 0);
	CHECK_INT(call_int(stub), 42);
	CHECK(dlsym(handle, "plain_answer") == stub);
	library_clear(&library);
}

static void check_version_calls(void *handle)
{
	CHECK_INT(call_int(dlvsym(handle, "versions_answer", "V1")), 1);
	CHECK_INT(call_int(dlvsym(handle, "versions_answer", "V2")), 2);
	CHECK_INT(call_int(dlsym(handle, "versions_answer")), 2);
	CHECK_INT(call_int(dlvsym(handle, "versions_old", "V1")), 3);
	CHECK_INT(call_int(dlsym(handle, "versions_plain")), 4);
	CHECK_INT(call_int(dlsym(handle, "versions_new")), 5);
}

TEST(each_version_of_a_function_is_called)
{
	needs_stubs();
	struct library libraries[] = {fixture("good-plain"),
				      fixture("good-versions")};

	check_version_calls(open_stub(made_shared(&libraries[1])));
	void *handle = open_stub(made_combined(libraries, 2));
	check_version_calls(handle);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	library_clear(&libraries[0]);
	library_clear(&libraries[1]);
}

TEST(data_are_the_librarys_own)
{
	needs_stubs();
	struct library library = fixture("good-kinds");
	void *stub = open_stub(made_shared(&library));
	int *data = dlsym(stub, "kinds_data");

	CHECK(data != NULL);
	CHECK_INT(*data, 7);
	void *real = dlopen(test_plugin("good-kinds"), RTLD_NOW | RTLD_NOLOAD);
	CHECK(real && dlsym(real, "kinds_data") == data);
	CHECK_INT(call_int(dlsym(stub, "kinds_indirect")), 9);
	library_clear(&library);
}

/* What the file is for another machine is for test-stubfile.sh to run. */
TEST(files_for_other_machines_are_written_here)
{
	struct library library = fixture("good-versions");

	for (int cpu = 0; cpu < ELF_CPU_COUNT; cpu++) {
		struct stubfile_options options = {.cpu = (enum elf_cpu)cpu};
		struct stubfile file;
		char words[48];

		made_status(stubfile_shared(&library, &options, &file));
		CHECK_STR(elf_machine_name(file.data, 64, words, sizeof(words)),
			  cpu == ELF_CPU_AARCH64 ? "AArch64" : "x86-64");
		stubfile_clear(&file);
	}
	library_clear(&library);
}
