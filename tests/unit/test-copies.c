/* SPDX-License-Identifier: MIT */
/*
 * Canonical copies of data: which are made, and which libraries stay eager as theirs
 * cannot be.
 */
#include "tests/unit/lazy-start.h"

#include "link/copy/copy.h"

/* What a library says of its data, and is it lazy although others import them? */
static void check_copy(const char *source, const char *options, bool lazy)
{
	world_compile("libdata.so", source,
		      "-fPIC -shared -Wl,-soname,libdata.so", options);
	world_library("libuser.so", "extern int datum; int *p = &datum;", "");
	world_program("extern int *p; int main() { return *p + f(); }",
		      "-luser -ldata");
	decide(NULL);
	if (lazy)
		check_lazy("libdata.so");
	else
		check_eager("libdata.so", VERDICT_DATA, "datum", "libuser.so");
}

TEST(data_that_a_library_reaches_by_name_are_copied)
{
	check_copy("int datum = 1; int f() { return datum++; }", "", true);
	CHECK(is_exported("libdata.so", "datum"));
}

TEST(constant_data_are_copied)
{
	check_copy("const int datum = 1; int f() { return 1; }", "", true);
}

TEST(variables_that_a_library_may_reach_otherwise_are_not_copied)
{
	check_copy("int datum = 1; int f() { return 1; }", "", false);
}

TEST(variables_that_their_library_points_at_otherwise_are_not_copied)
{
	check_copy("int datum = 1; int f() { return datum; }"
		   "extern int other __attribute__((alias(\"datum\"), "
		   "visibility(\"hidden\"))); int *p1 = &other;",
		   "", false);
}

TEST(data_of_a_library_that_is_bound_to_itself_are_not_copied)
{
	check_copy("const int datum = 1; int f() { return datum; }",
		   "-Wl,-Bsymbolic", false);
}

TEST(protected_data_are_not_copied)
{
	check_copy("__attribute__((visibility(\"protected\"))) "
		   "const int datum = 1; int f() { return 1; }",
		   "", false);
}

TEST(variables_that_a_constructor_may_write_are_not_copied)
{
	check_copy("int datum; int f() { return datum; }"
		   "__attribute__((constructor)) void g() { datum = 1; }",
		   "", false);
}

TEST(constants_are_copied_whatever_constructors_there_are)
{
	check_copy("int v; const int datum = 1; int f() { return datum; }"
		   "__attribute__((constructor)) void g() { v = 1; }",
		   "", true);
}

TEST(library_of_which_only_data_are_imported_is_there_for_its_constructor)
{
	world_library("libdata.so",
		      "const int datum = 1; int f() { return 1; }"
		      "__attribute__((constructor)) void g() { getpid(); }",
		      "");
	world_library("libuser.so", "extern int datum; int *p = &datum;", "");
	world_program("extern int *p; int main() { return *p; }",
		      "-luser -ldata");
	decide(NULL);
	check_eager("libdata.so", VERDICT_CONSTRUCTOR, NULL, NULL);
}

TEST(library_of_which_only_data_are_imported_is_there_for_its_destructor)
{
	world_library("libdata.so",
		      "const int datum = 1; int f() { return 1; }"
		      "__attribute__((destructor)) void g() { getpid(); }",
		      "");
	world_library("libuser.so", "extern int datum; int *p = &datum;", "");
	world_program("extern int *p; int main() { return *p; }",
		      "-luser -ldata");
	decide(NULL);
	check_eager("libdata.so", VERDICT_CONSTRUCTOR, NULL, NULL);
}

TEST(data_with_text_relocations_are_not_copied)
{
	check_copy("int f() { return 1; } __asm__("
		   "\".section .rodata\\n.globl datum\\n\""
		   "\".type datum,%object\\n.size datum,8\\n\""
		   "\".balign 8\\ndatum: .quad text\\n\""
		   "\"text: .asciz \\\"text\\\"\\n\");",
		   "-Wl,-z,notext", false);
}

TEST(variables_with_a_name_that_is_not_copied_are_not_copied)
{
	/* Protected, and so bound to itself; and without size and type. */
	check_copy("int datum = 1; int f() { return datum; }"
		   "extern int other __attribute__((alias(\"datum\"), "
		   "visibility(\"protected\")));",
		   "", false);
	check_copy("extern int datum, other;"
		   "int f() { return datum + other; }"
		   "__asm__(\".data\\n.globl datum, other\\n"
		   ".type datum,%object\\n.size datum,4\\n"
		   "datum: other: .long 1\\n.previous\\n\");",
		   "", false);
}

TEST(data_that_point_at_unique_variables_are_not_copied)
{
	check_copy("extern int unique; int *const datum = &unique;"
		   "int f() { return unique++; }"
		   "__asm__(\".data\\n.globl unique\\n"
		   ".type unique,%gnu_unique_object\\n.size unique,4\\n"
		   "unique: .long 1\\n.previous\\n\");",
		   "", false);
}

/* A damaged library can have two symbols of a name. */
TEST(symbol_that_is_not_where_its_copy_is_has_none)
{
	struct elf_symbol symbol;

	check_copy("const int datum = 1; int f() { return 1; }", "", true);
	for (size_t i = 1; i < closure.count; i++) {
		if (!elf_view_find(closure.objects[i].view, "datum", NULL,
				   &symbol))
			continue;
		CHECK(verdict_has_copy(&verdicts, i, &symbol));
		symbol.size += 1;
		CHECK(!verdict_has_copy(&verdicts, i, &symbol));
		symbol.value = UINT64_MAX;
		CHECK(!verdict_has_copy(&verdicts, i, &symbol));
		return;
	}
	CHECK(false);
}

TEST(data_that_point_at_hidden_variables_are_not_copied)
{
	check_copy("static int v; int *const datum = &v;"
		   "int f() { return v++; }",
		   "", false);
}

TEST(data_that_point_at_functions_without_names_are_copied)
{
	check_copy("static int g(int x) { return x + 1; }"
		   "int (*const datum)() = g; int f() { return g(1); }",
		   "-Wl,--build-id", true);
}

TEST(packed_relocations_are_known)
{
	check_copy("static int g(int x) { return x + 1; }"
		   "int (*const datum)() = g; int f() { return g(1); }",
		   "-Wl,--build-id,-z,pack-relative-relocs", true);
	check_copy("static int v; int *const datum = &v;"
		   "int f() { return v++; }",
		   "-Wl,-z,pack-relative-relocs", false);
}

TEST(functions_of_no_known_build_are_not_pointed_at)
{
	check_copy("static int g(int x) { return x + 1; }"
		   "int (*const datum)() = g; int f() { return g(1); }",
		   "-Wl,--build-id=none", false);
}

/* It may be compared with the function that it was at first. */
TEST(variables_that_point_where_others_do_are_not_copied)
{
	check_copy("static int g(int x) { return x + 1; }"
		   "static int (*const other[2])() = {g, g};"
		   "int (*datum)() = g; int f() { return datum(1); }"
		   "int h(int i) { return datum == other[i]; }",
		   "", false);
	check_copy("static int g(int x) { return x + 1; }"
		   "int (*datum)() = g; int f() { return datum(1); }",
		   "", true);
}

TEST(data_that_point_at_code_which_is_no_function_are_not_copied)
{
	check_copy("__asm__(\".text\\ncode: .long 1\\n\");"
		   "extern int code __attribute__((visibility(\"hidden\")));"
		   "int *const datum = &code; int f() { return 1; }",
		   "-Wl,--build-id", false);
}

TEST(variables_that_code_uses_directly_are_not_copied)
{
	check_copy("int datum = 1; extern int inner __attribute__((alias("
		   "\"datum\"), visibility(\"hidden\")));"
		   "int f() { return datum; } int g() { return inner++; }",
		   "", false);
}

/* What the code compares with. */
TEST(functions_that_code_names_are_not_pointed_at)
{
	check_copy("static int g(int x) { return x + 1; }"
		   "int (*const datum)() = g; int f(void *p) {"
		   " return p == (void *)g; }",
		   "", false);
}

TEST(constants_that_code_names_are_not_pointed_at)
{
	check_copy("static void *const base[2] = {(void *)base, 0};"
		   "void *const datum = (void *)base; int f(void *p) {"
		   " return p == (void *)base; }",
		   "", false);
	check_copy("static void *const base[2] = {(void *)base, 0};"
		   "void *const datum = (void *)base; int f(void *p) {"
		   " return 1; }",
		   "", true);
}

/* Bound in the library, and found by its name all the same. */
TEST(functions_with_names_are_pointed_at_by_name)
{
	size_t place;

	check_copy("int g(int x) { return x + 1; }"
		   "int (*const datum)() = g; int f() { return 1; }",
		   "-Wl,-Bsymbolic-functions", true);
	place = place_of("libdata.so");
	CHECK_INT(verdicts.copies[place].fixup_count, 1);
	CHECK_STR(verdicts.copies[place].fixups[0].symbol->name->text, "g");
}

/* The library that has what the data point at is there, although nobody at the
 * start needs it. */
TEST(what_copied_data_point_at_is_there)
{
	static const struct index imported = {"libfar.so", "other",
					      "/usr/lib/plugin.so", 0, 0};

	world_library("libfar.so", "int other; int far() { return 1; }", "");
	world_library("libdata.so",
		      "int far(); int (*const datum)() = far; int f() {"
		      " return 1; }",
		      "-lfar");
	world_library("libuser.so", "extern int datum; int *p = &datum;", "");
	world_program("extern int *p; int main() { return *p + f(); }",
		      "-luser -ldata");
	decide(&(const struct verdict_rules){.index = &imported});
	check_lazy("libdata.so");
	check_why("libfar.so", VERDICT_DATA);
	CHECK(verdict_of("libfar.so")->mapped);
}

/* ... of another library, which would have to be there as well. */
TEST(data_that_point_at_lazy_data_are_not_copied)
{
	world_library("libfar.so", "const int far = 1;", "");
	world_library("libdata.so",
		      "extern const int far; const int *const datum = &far;"
		      "int f() { return 1; }",
		      "-lfar");
	world_library("libuser.so", "extern int datum; int *p = &datum;", "");
	world_program("extern int *p; int main() { return *p + f(); }",
		      "-luser -ldata");
	decide(NULL);
	check_eager("libdata.so", VERDICT_DATA, "datum", "libuser.so");
}

TEST(data_that_the_program_copies_are_copied)
{
	world_library("libdata.so", "int datum = 1; int f() { return datum; }",
		      "");
	world_compile("program",
		      "extern int datum; int main() { return datum + f(); }",
		      "-fno-pie -no-pie", "-ldata");
	started_with(test_directory());
	decide(NULL);
	check_lazy("libdata.so");
	CHECK(is_exported("libdata.so", "datum"));
	CHECK(is_default("libdata.so", "datum"));
}

/* Other files of the index import only what has a copy, or also something else. */
TEST(what_the_index_imports_is_copied)
{
	static const struct index imported = {"libdata.so", "datum",
					      "/usr/lib/plugin.so", 0, 0};
	static const struct index other = {"libdata.so", "other",
					   "/usr/lib/plugin.so", 0, 0};

	world_library("libdata.so",
		      "const int datum = 1; int other; int f() { return 1; }",
		      "");
	world_program("int main() { return f(); }", "-ldata");
	decide(&(const struct verdict_rules){.index = &imported});
	check_lazy("libdata.so");
	decide(&(const struct verdict_rules){.index = &other});
	check_eager("libdata.so", VERDICT_DATA, "other", "plugin.so");
}
