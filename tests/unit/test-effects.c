/* SPDX-License-Identifier: MIT */
/*
 * Libraries that would notice a stub, or whose initialisers others would miss, stay
 * eager; so does what an allocator may call.
 */
#include "tests/unit/lazy-start.h"

/* ------------------------------------------------------------------ */
/* Who would notice the stub's address                                */

#define SYMBOLIC "-shared -fPIC -Wl,-Bsymbolic-functions,-soname,"

/* By a hidden name of it, as versions and macros make them. */
TEST(a_function_that_both_sides_have_the_address_of_keeps_a_library_eager)
{
	world_library(
		"libown.so",
		"int get() { return 1; } extern int own() "
		"__attribute__((alias(\"get\"), visibility(\"hidden\"))); "
		"int is(int (*f)()) { return f == own; }",
		"");
	world_program("int get(); int main() { return is(get); }", "-lown");
	decide(NULL);
	check_eager("libown.so", VERDICT_IDENTITY, "get", "program");
}

TEST(a_table_of_its_functions_is_the_library_s_own_address)
{
	world_compile("libown.so",
		      "int get() { return 1; } int (*table[])() = {get, 0}; "
		      "int is(int (*f)()) { return f == table[0]; }",
		      SYMBOLIC "libown.so", "");
	world_program("int get(); int main() { return is(get); }", "-lown");
	decide(NULL);
	check_why("libown.so", VERDICT_IDENTITY);
}

/* The program has an address for it in its PLT. */
TEST(a_program_with_a_canonical_plt_entry_has_the_address)
{
	world_compile("libown.so",
		      "int get() { return 1; } "
		      "int is(int (*f)()) { return f == get; }",
		      SYMBOLIC "libown.so", "");
	world_compile("program", "int get(); int main() { return is(get); }",
		      "-fno-pie -no-pie", "-lown");
	started_with(test_directory());
	decide(NULL);
	check_why("libown.so", VERDICT_IDENTITY);
}

TEST(an_address_that_one_side_has_does_no_harm)
{
	world_compile("libown.so",
		      "int get() { return 1; } "
		      "int is(int (*f)()) { return f == get; }",
		      SYMBOLIC "libown.so", "");
	world_library("libgiven.so", "int get() { return 1; } int go();", "");
	world_program("int get(); int main() { return get() + is(0); }",
		      "-lown");
	decide(NULL);
	check_lazy("libown.so"); /* others only call it */
	world_program("int get(); int use(); int main() { return use(get); }",
		      "-lgiven -Wl,--unresolved-symbols=ignore-all");
	decide(NULL);
	check_lazy("libgiven.so"); /* it does not have it itself */
}

TEST(both_sides_by_symbol_have_the_same_address)
{
	world_library("libown.so",
		      "int get() { return 1; } "
		      "int is(int (*f)()) { return f == get; }",
		      "");
	world_program("int get(); int main() { return is(get); }", "-lown");
	decide(NULL);
	check_lazy("libown.so");
}

TEST(a_library_that_looks_for_its_own_file_is_eager)
{
	world_library("libself.so", "int self() { return dladdr(self, 0); }",
		      "");
	world_library("libmaps.so",
		      "int self() { return maps(self, \"/proc/self/maps\"); }",
		      "-Wl,--unresolved-symbols=ignore-all");
	world_program("int main() { return self(); }", "-lself");
	decide(NULL);
	check_eager("libself.so", VERDICT_SELF_LOCATION, "self", NULL);
	world_program("int main() { return self(); }",
		      "-lmaps -Wl,--unresolved-symbols=ignore-all");
	decide(NULL);
	check_eager("libmaps.so", VERDICT_SELF_LOCATION, "self", NULL);
}

TEST(a_library_that_looks_for_others_or_by_its_own_address_is_lazy)
{
	world_library("libother.so",
		      "int self(void *p) { return dladdr(p, 0); }", "");
	world_compile("libown.so",
		      "static int here() { return 1; } "
		      "int own() { return dladdr(here, 0); }",
		      SYMBOLIC "libown.so", "");
	world_program("int main() { return self(0) + own(); }",
		      "-lother -lown");
	decide(NULL);
	check_lazy("libother.so");
	check_lazy("libown.so");
}

/* ------------------------------------------------------------------ */
/* What initialisers do to others                                     */

#define INITIALISER "__attribute__((constructor)) static void init() "

TEST(a_library_that_registers_with_another_is_initialised_at_the_start)
{
	world_library("libreg.so", "int n; int add() { return n++; }", "");
	world_library("libfoo.so",
		      "__attribute__((noinline)) static int more(int i) "
		      "{ return i ? more(i - 1) : add(); } " INITIALISER
		      "{ more(3); } int foo() { return 1; }",
		      "-lreg");
	world_library("libpointer.so",
		      "int (*p)(); " INITIALISER
		      "{ extern int add(); p = add; } "
		      "int pointer() { return p(); }",
		      "-lreg");
	world_program("int main() { return foo() + pointer(); }",
		      "-lfoo -lpointer -lreg");
	decide(NULL);
	check_eager("libfoo.so", VERDICT_INITIALISER, "add", NULL);
	check_eager("libpointer.so", VERDICT_INITIALISER, "add", NULL);
	CHECK(verdict_of("libfoo.so")->mapped);
	check_lazy("libreg.so"); /* it has none */
}

TEST(an_initialiser_that_cannot_be_gone_through_runs_at_the_start)
{
	world_library("libhuge.so",
		      "int n; " INITIALISER
		      "{ n++; __asm__(\".skip 1200000, 0x90\"); n++; } "
		      "int huge() { return n; }",
		      "");
	world_program("int main() { return huge(); }", "-lhuge");
	decide(NULL);
	check_eager("libhuge.so", VERDICT_INITIALISER, "what cannot be told",
		    NULL);
}

TEST(an_initialiser_of_the_library_s_own_things_may_come_late)
{
	world_library("libfoo.so",
		      "void *p; int other() { return add(); } " INITIALISER
		      "{ p = malloc(strlen(getenv(\"PATH\"))); } "
		      "int foo() { return 1; }",
		      "-Wl,--unresolved-symbols=ignore-all");
	world_library("libreg.so", "int n; int add() { return n++; }", "");
	world_program("int main() { return foo(); }", "-lfoo -lreg");
	decide(NULL);
	check_lazy("libfoo.so");
}

TEST(an_initialiser_that_changes_the_process_does_so_at_the_start)
{
	world_library("libfoo.so",
		      INITIALISER "{ setenv(\"A\", \"B\", 1); } "
				  "int foo() { return 1; }",
		      "");
	world_program("int main() { return foo(); }", "-lfoo");
	decide(NULL);
	check_eager("libfoo.so", VERDICT_INITIALISER, "setenv", NULL);
}

/* The first call would undo that. */
TEST(an_initialiser_that_changes_its_thread_does_so_at_the_start)
{
	world_library("libfoo.so",
		      INITIALISER "{ pthread_setcancelstate(1, 0); } "
				  "int foo() { return 1; }",
		      "");
	world_library("libbar.so",
		      INITIALISER "{ sigprocmask(0, 0, 0); } "
				  "int bar() { return 1; }",
		      "");
	world_program("int main() { return foo() + bar(); }", "-lfoo -lbar");
	decide(NULL);
	check_eager("libfoo.so", VERDICT_INITIALISER, "pthread_setcancelstate",
		    NULL);
	check_eager("libbar.so", VERDICT_INITIALISER, "sigprocmask", NULL);
}

/* What it starts would inherit a signal mask. */
TEST(an_initialiser_that_may_start_a_thread_does_so_at_the_start)
{
	world_library("libfoo.so",
		      "static void *run() { return 0; } " INITIALISER
		      "{ long t; pthread_create(&t, 0, run, 0); } "
		      "int foo() { return 1; }",
		      "-lpthread");
	world_program("int main() { return foo(); }", "-lfoo");
	decide(NULL);
	check_eager("libfoo.so", VERDICT_THREADS, "pthread_create", NULL);
}

/* ------------------------------------------------------------------ */
/* What an allocator may call                                         */

TEST(what_an_allocator_needs_is_eager_at_any_remove)
{
	world_library("libfar.so", "int far() { return 1; }", "");
	world_library("libnear.so", "int near() { return far(); }", "-lfar");
	world_library("liballoc.so",
		      "void *calloc() { return (void *)near(); }", "-lnear");
	world_library("libfun.so", "int fun() { return 1; }", "");
	world_program("int main() { return near() + fun() + far(); }",
		      "-lalloc -lfun -lnear -lfar");
	decide(NULL);
	check_eager("liballoc.so", VERDICT_LIBC_NAME, "calloc", NULL);
	check_eager("libnear.so", VERDICT_ALLOCATOR, "calloc", "liballoc.so");
	check_eager("libfar.so", VERDICT_ALLOCATOR, "calloc", "liballoc.so");
	check_lazy("libfun.so");
}

TEST(what_a_program_with_an_allocator_needs_is_eager)
{
	world_library("libfun.so", "int fun() { return 1; }", "");
	world_compile("program",
		      "void *malloc() { return 0; } "
		      "int main() { return fun(); }",
		      "-fPIE -pie -rdynamic", "-lfun");
	started_with(test_directory());
	decide(NULL);
	check_eager("libfun.so", VERDICT_ALLOCATOR, "malloc", "program");
}
