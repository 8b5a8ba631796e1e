/* SPDX-License-Identifier: MIT */
/*
 * Constant functions: what the stub of a function says by itself, as the function
 * only returns what is known beforehand.
 */
#include "tests/unit/lazy-start.h"

#include "link/copy/copy.h"

/* What the stub of a function of libdata.so says by itself; NULL: it asks. */
static const struct code_constant *constant_of(const char *function)
{
	size_t place = place_of("libdata.so");
	struct elf_symbol symbol;

#ifndef __x86_64__
	test_skip("code is read of x86-64");
#endif
	CHECK(elf_view_find(closure.objects[place].view, function, NULL,
			    &symbol));
	check_lazy("libdata.so");
	return copy_constant(&verdicts.copies[place], symbol.value);
}

/* libdata.so, of which the program calls f(). */
static void call(const char *source, const char *options)
{
	world_compile("libdata.so", source,
		      "-fPIC -shared -Wl,-soname,libdata.so", options);
	world_program("int main() { return f(); }", "-ldata");
	decide(NULL);
}

TEST(constant_functions_are_answered_by_the_stub)
{
	call("int f() { return 7; } int g() { return 8; }", "");
	CHECK(constant_of("f"));
	CHECK_INT(constant_of("f")->kind, CODE_CONSTANT_NUMBER);
	CHECK_INT(constant_of("f")->value, 7);
	CHECK(!constant_of("g")); /* nobody calls it */
	call("void f() {}", "");
	CHECK_INT(constant_of("f")->kind, CODE_CONSTANT_NOTHING);
	call("int f() { return 7; }", "-Wl,-Bsymbolic");
	CHECK(constant_of("f"));
	call("int v = 1; int f() { return v; }", "");
	CHECK(!constant_of("f"));
}

TEST(texts_that_functions_return_are_copied)
{
	call("const char *f() { return \"some text\"; }", "");
	CHECK(constant_of("f"));
	const struct copy_piece *piece =
		copy_find(&verdicts.copies[place_of("libdata.so")],
			  constant_of("f")->value);
	CHECK(piece);
	CHECK_STR((char *)piece->bytes + constant_of("f")->value -
			  piece->range.start,
		  "some text");
	call("const char *f() { return \"some text\"; }", "-Wl,-Bsymbolic");
	CHECK(constant_of("f"));
}

/* With its address somebody could compare. */
TEST(what_others_know_is_not_returned)
{
	call("const char *f() { return \"some text\"; }"
	     "int g(p) char *p; { return p == (char *)\"some text\"; }",
	     "");
	CHECK(!constant_of("f"));
	call("static const char t[] = \"some text\"; const char *f() {"
	     " return t; } const char *const p = t;",
	     "");
	CHECK(!constant_of("f"));
	call("extern const char t[] __attribute__((visibility(\"hidden\")));"
	     "const char *f() { return t; }"
	     "const char t[] = \"some text\";"
	     "extern const char n[] __attribute__((alias(\"t\")));",
	     "");
	CHECK(!constant_of("f"));
}

/* ... or reach it by counting from another. */
TEST(only_whole_texts_are_returned)
{
	call("static const int t[] = {1, 2, 3}; const int *f() { return t; }",
	     "");
	CHECK(!constant_of("f"));
	call("static const char t[] = \"some text\"; const char *f() {"
	     " return t + 5; }",
	     "");
	CHECK(!constant_of("f"));
	call("static const char t[] = \"some text\"; const char *f() {"
	     " return t; } int g(p) const char *p; { return p == t + 5; }",
	     "");
	CHECK(!constant_of("f"));
	call("const char *f() { return \"some\\001text\"; }", "");
	CHECK(!constant_of("f"));
	call("static const char t[4] = \"text\"; const char *f() { return t; }"
	     "const char u[4] = {1, 2, 3, 4};",
	     "");
	CHECK(!constant_of("f"));
	call("const char *f() { return \"\"; }", "");
	CHECK(!constant_of("f"));
	call("extern const char __ehdr_start[] __attribute__((visibility("
	     "\"hidden\"))); const char *f() { return __ehdr_start; }",
	     "");
	CHECK(!constant_of("f"));
}

/* As Clang makes them: distances from the table. */
TEST(texts_of_a_table_are_not_returned)
{
	call("asm(\".section .rodata\\n.balign 4\\nt: .long a - t, b - t\\n"
	     "n: .asciz \\\"none\\\"\\na: .asciz \\\"first\\\"\\n"
	     "b: .asciz \\\"second\\\"\\n.text\");"
	     "extern const char b[] __attribute__((visibility(\"hidden\")));"
	     "extern const int t[] __attribute__((visibility(\"hidden\")));"
	     "const char *f() { return b; }"
	     "const char *g(i) { return (char *)t + t[i]; }",
	     "");
	CHECK(!constant_of("f"));
}

/* Could the library get another text of itself than the program gets? */
TEST(what_a_library_asks_itself_is_not_returned)
{
	static const char asks[] =
		"const char *f() { return \"some text\"; }"
		"int g(p) char *p; { int r = p == (char *)f(); return r + 1; }";

	call(asks, "");
	CHECK(constant_of("f"));
	call(asks, "-Wl,-Bsymbolic");
	CHECK(!constant_of("f"));
	call(asks, "-Wl,-Bsymbolic-functions");
	CHECK(!constant_of("f"));
	call("__attribute__((visibility(\"protected\"))) const char *f() {"
	     " return \"some text\"; }"
	     "int g(p) char *p; { int r = p == (char *)f(); return r + 1; }",
	     "");
	CHECK(!constant_of("f"));
	/* By a pointer that the linker does not look up. */
	call("const char *f() { return \"some text\"; }"
	     "extern __typeof__(f) own __attribute__((alias(\"f\"),"
	     " visibility(\"hidden\"))); __typeof__(f) *p = own;",
	     "");
	CHECK(!constant_of("f"));
	call("const char *f() { return \"some text\"; }"
	     "extern __typeof__(f) own __attribute__((alias(\"f\"),"
	     " visibility(\"hidden\"))); __typeof__(f) *p() { return own; }",
	     "");
	CHECK(!constant_of("f"));
}

TEST(what_is_written_or_relocated_is_not_returned)
{
	call("static int v; int *f() { return &v; } int g() { return v; }", "");
	CHECK(!constant_of("f"));
	call("static const char *const t[] = {\"a\", \"b\"};"
	     "const void *f() { return t; }",
	     "");
	CHECK(!constant_of("f"));
	call("static void g() {} void *f() { return g; }", "");
	CHECK(!constant_of("f"));
}

/* Whoever calls it may want what they do. */
TEST(libraries_with_constructors_have_no_constant_functions)
{
	call("int f() { return 7; }"
	     "__attribute__((constructor)) void g() { getpid(); }",
	     "");
	CHECK(!constant_of("f"));
	call("int f() { return 7; }"
	     "__attribute__((destructor)) void g() { getpid(); }",
	     "");
	CHECK(!constant_of("f"));
	/* Unless nobody can see what they do. */
	call("int f() { return 7; } static int v;"
	     "__attribute__((constructor)) static void g() { v = 1; }"
	     "int h() { return v; }",
	     "");
	CHECK(constant_of("f"));
}
