/* SPDX-License-Identifier: MIT */
/*
 * What a stub file is to have: read from a library, or from a list of symbols,
 * whose bytes may be any.
 */
#include "tests/unit/stubfile-made.h"

#include "base/array.h"

static const struct library_symbol *symbol_of(const struct library *library,
					      const char *name,
					      const char *version)
{
	for (size_t i = 0; i < library->symbol_count; i++)
		if (strcmp(library->symbols[i].name, name) == 0 &&
		    strcmp(library->symbols[i].version, version) == 0)
			return &library->symbols[i];
	test_fail(__FILE__, __LINE__, "%s@%s is not there", name, version);
}

static void check_why(const struct library *library, const char *name,
		      const char *why)
{
	const struct library_symbol *symbol = symbol_of(library, name, "");

	if (why)
		CHECK_IN(symbol->why_not, why);
	else
		CHECK(!symbol->why_not);
}

TEST(symbols_without_a_stub_have_the_reason)
{
	struct library library = made_library(test_plugin("good-kinds"));

	check_why(&library, "kinds_function", NULL);
	check_why(&library, "kinds_indirect", NULL);
	check_why(&library, "kinds_data", NULL);
	check_why(&library, "kinds_tls", "thread-local");
	check_why(&library, "kinds_label", "no type");
	CHECK(symbol_of(&library, "kinds_data", "")->data);
	CHECK_INT(symbol_of(&library, "kinds_data", "")->size, 4);
	CHECK(!symbol_of(&library, "kinds_function", "")->data);
	library_clear(&library);
}

TEST(library_is_named_by_its_soname_or_file)
{
	struct library library = made_library(test_plugin("good-versions"));

	CHECK_STR(library.soname, "good-versions.so");
	CHECK_INT(library.file_count, 1);
	CHECK_STR(library.files[0], test_plugin("good-versions"));
	CHECK_INT(library.version_count, 2);
	CHECK_STR(library.versions[0], "V1");
	CHECK_STR(library.versions[1], "V2");
	CHECK(!symbol_of(&library, "versions_old", "V1")->is_default);
	CHECK(symbol_of(&library, "versions_answer", "V2")->is_default);
	library_clear(&library);
}

TEST(file_that_is_no_library_is_refused)
{
	struct library library;

	CHECK_INT(library_read("/nowhere/libx.so", &library), -DLAZY_ENOENT);
	CHECK_IN(status_message(), "/nowhere/libx.so");
	CHECK_INT(library_read("/proc/self/cmdline", &library), -DLAZY_EFORMAT);
}

/* Lists. */

static const char *list_path(const char *text, size_t size)
{
	struct stubfile file = {malloc(size + 1), size};

	CHECK(file.data != NULL);
	memcpy(file.data, text, size);
	return made_file(&file, "list");
}

static int read_list(const char *text, struct library *ret)
{
	return library_read_list(list_path(text, strlen(text)), "libx.so.1",
				 ret);
}

/* All symbols of a list, as text. */
static const char *list(const char *text)
{
	static char buffer[1024];
	struct library library;
	size_t used = 0;

	made_status(read_list(text, &library));
	buffer[0] = '\0';
	for (size_t i = 0; i < library.symbol_count; i++) {
		const struct library_symbol *s = &library.symbols[i];

		used += (size_t)snprintf(buffer + used, sizeof(buffer) - used,
					 "%s%s%s%s%s ", s->name,
					 !*s->version	 ? ""
					 : s->is_default ? "@@"
							 : "@",
					 s->version, s->data ? ":data" : "",
					 s->why_not ? ":no" : "");
		CHECK(used < sizeof(buffer));
	}
	CHECK_STR(library.soname, "libx.so.1");
	CHECK_INT(library.file_count, 1);
	CHECK_STR(library.files[0], "libx.so.1");
	library_clear(&library);
	return buffer;
}

TEST(plain_lists_are_read)
{
	CHECK_STR(list("# comment\n\n  two@@V2  # more\r\none\none\n"
		       "two@V1\ndata@@V2 data 16\nlast data 0x10"),
		  "data@@V2:data last:data one two@@V2 two@V1 ");
	struct library library;
	made_status(read_list("last data 0x10", &library));
	CHECK_INT(library.symbols[0].size, 16);
	library_clear(&library);
}

TEST(debian_lists_are_read)
{
	CHECK_STR(list("libother.so.3 libother3 #MINVER#\n"
		       " other@Base 1.0\n"
		       "libx.so.1 libx1 #MINVER#\n"
		       "| libx1 (>> 2), libx1 (<< 3)\n"
		       "* Build-Depends-Package: libx-dev\n"
		       "#MISSING: 1.1# gone@Base 1.0\n"
		       " LIBX_1@LIBX_1 1.0\n"
		       " plain@Base 1.0-2\n"
		       " (arch=amd64|optional)tagged@LIBX_1 1.0 1\n"
		       " (c++)\"std::foo(int)@Base\" 1.0\n"),
		  "LIBX_1@@LIBX_1:no plain std::foo(int):no tagged@@LIBX_1 ");
}

TEST(list_with_line_ends_of_windows_is_read)
{
	CHECK_STR(list("libx.so.1 libx1 #MINVER#\r\n"
		       "\r\n"
		       " one@Base 1.0\r\n"),
		  "one ");
	CHECK_STR(list("one\r\n\r\ntwo\r\n"), "one two ");
	CHECK_STR(list("EXPORTS\r\n\r\n one\r\n"), "one ");
}

TEST(newest_of_several_versions_is_the_default)
{
	CHECK_STR(list("libx.so.1 libx1 #MINVER#\n"
		       " copy@GLIBC_2.14 2.14\n"
		       " copy@GLIBC_2.2.5 2.2.5\n"),
		  "copy@@GLIBC_2.14 copy@GLIBC_2.2.5 ");
}

TEST(def_files_are_read)
{
	CHECK_STR(list("; comment\nLIBRARY \"x\"\nEXPORTS first @1\n"
		       "  second=internal @2 NONAME\n\tthird DATA ; comment\n"
		       "\tfourth @4\nSECTIONS\n  .text READ\n"),
		  "first fourth second:no third:data ");
}

TEST(lines_that_are_no_symbols_are_refused)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"good\nname data\n", "list:2: expected NAME"},
		{"name data many\n", "list:1: expected NAME"},
		{"name data 1 2\n", "list:1: expected NAME"},
		{"name data 99999999999999999999\n", "list:1: expected NAME"},
		{"name@\n", "list:1: expected NAME"},
		{"name@@@V\n", "list:1: expected NAME"},
		{"@V\n", "list:1: expected NAME"},
		{"a\x01z\n", "list:1: expected NAME"},
		{"", "no symbols"},
		{"# nothing\n", "no symbols"},
		{"libother.so.3 libother3\n a@Base 1\n", "libx.so.1"},
		{"libx.so.1 libx1\n a 1\n", "list:2: expected"},
		{"libx.so.1 libx1\n a@Base\n", "list:2: expected"},
		{"libx.so.1 libx1\n (c++)\"a@Base 1\n", "list:2: expected"},
		{"libx.so.1 libx1\n (c++\n", "list:2: expected"},
		{"libx.so.1 libx1\n#include \"y\"\n", "#include"},
		{"EXPORTS\n a@8\n", "list:2: expected"},
	};
	struct library library;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_INT(read_list(bad[i].text, &library), -DLAZY_EFORMAT);
		CHECK_IN(status_message(), bad[i].words);
	}
	CHECK_INT(library_read_list(list_path("a\0b", 3), "x", &library),
		  -DLAZY_EFORMAT);
	CHECK_INT(library_read_list("/nowhere/list", "x", &library),
		  -DLAZY_ENOENT);
}

/* Up to two bytes become others. */
static void damage(char *text, size_t size, unsigned round)
{
	static const char bytes[] = " \n@#(\"=;ab1\t\x80";
	static unsigned state = 1;

	for (unsigned i = 0; i < round % 3; i++) {
		state = state * 1103515245 + 12345;
		text[(state >> 8) % size] =
			bytes[(state >> 24) % (sizeof(bytes) - 1)];
	}
}

/* Whatever is made of a list, reading ends well, and so does writing what was
 * read. */
TEST(damaged_lists_are_read_or_refused)
{
	static const char *const good[] = {
		"libx.so.1 libx1 #MINVER#\n (c++|x)\"a b@V1\" 1.0\n"
		" name@V1 1.0 2\n name@V2 1.1\n",
		"EXPORTS\nname=c @1 DATA\nother PRIVATE; comment\n",
		"name@@V1 data 16 # comment\nname@V2\nother\n"};
	struct stubfile_options options = made_options();
	unsigned well = 0;

	for (unsigned round = 0; round < 3000; round++) {
		char text[256];
		struct library library;
		struct stubfile file;
		size_t size = strlen(good[round / 7 % 3]);

		memcpy(text, good[round / 7 % 3], size);
		damage(text, size, round);
		if (library_read_list(list_path(text, size), "libx.so.1",
				      &library) < 0)
			continue;
		made_status(stubfile_object(&library, &options, &file));
		stubfile_clear(&file);
		library_clear(&library);
		well++;
	}
	printf("# %u of 3000 were read\n", well);
	CHECK(well > 1000 && well < 3000);
}
