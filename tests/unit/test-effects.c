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

TEST(who_finds_a_function_by_its_name_has_its_address)
{
	world_compile("libown.so",
		      "int get() { return 1; } "
		      "int is(int (*f)()) { return f == get; }",
		      SYMBOLIC "libown.so", "");
	/* Link editors keep it as the end of the other text. */
	world_program("int main() { puts(\"forget\"); "
		      "return is(dlsym(0, \"get\")); }",
		      "-lown");
	decide(NULL);
	check_eager("libown.so", VERDICT_IDENTITY, "get", "program");
	world_program("int main() { puts(\"get\"); return is(0); }", "-lown");
	decide(NULL);
	check_lazy("libown.so"); /* it looks nothing up */
	world_program("int main() { return get() + is(dlsym(0, \"other\")); }",
		      "-lown");
	decide(NULL);
	check_lazy("libown.so"); /* its own names of symbols are no texts */
}

TEST(what_an_ifunc_gives_is_the_library_s_own_address)
{
	world_library("libown.so",
		      "static int one() { return 1; } "
		      "static void *choose() { return one; } "
		      "int get() __attribute__((ifunc(\"choose\"))); "
		      "int is(int (*f)()) { return f == one; }",
		      "");
	world_program("int get(); int main() { return is(get); }", "-lown");
	decide(NULL);
	check_eager("libown.so", VERDICT_IDENTITY, "get", "program");
}

/* As tables of virtual functions that need no relocations. */
TEST(a_table_of_distances_has_the_addresses)
{
	world_compile("libown.so",
		      "int get() { return 1; } "
		      "extern const int table[] "
		      "__attribute__((visibility(\"hidden\"))); "
		      "__asm__(\".section .rodata\\n.balign 4\\n"
		      ".hidden table\\ntable: .long get - table\\n.text\"); "
		      "int is(char *f) { return f == (char *)table + *table; }",
		      SYMBOLIC "libown.so", "");
	world_program("int get(); int main() { return is(get); }", "-lown");
	decide(NULL);
	check_eager("libown.so", VERDICT_IDENTITY, "get", "program");
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

/* "/proc/", a process's id and "/maps", by instructions that hold letters. */
TEST(a_path_in_pieces_is_one)
{
	world_library("libmaps.so",
		      "int self() { return maps(self, \"/proc/\", \"maps\"); }",
		      "-Wl,--unresolved-symbols=ignore-all");
	world_program("int main() { return self(); }",
		      "-lmaps -Wl,--unresolved-symbols=ignore-all");
	decide(NULL);
	check_eager("libmaps.so", VERDICT_SELF_LOCATION, "self", NULL);
}

TEST(a_library_whose_file_another_may_ask_for_is_eager)
{
	world_library("libasked.so", "int get() { return 1; }", "");
	world_program("int get(); int main() { return dladdr(get, 0); }",
		      "-lasked");
	decide(NULL);
	check_eager("libasked.so", VERDICT_SELF_LOCATION, "get", "program");
	world_program("int get(); int main() { return dladdr(main, get()); }",
		      "-lasked");
	decide(NULL);
	check_lazy("libasked.so"); /* it is called alone */
	world_program("int main() { return get() + "
		      "dlinfo(dlopen(\"libasked.so\", 1), 6, 0); }",
		      "-lasked");
	decide(NULL);
	check_eager("libasked.so", VERDICT_SELF_LOCATION, NULL, "program");
	world_program("int main() { return get() + "
		      "dlinfo(dlopen(\"libother.so\", 1), 6, 0); }",
		      "-lasked");
	decide(NULL);
	check_lazy("libasked.so");
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

/* One library with that initialiser, or terminator, and a program that calls it. */
static void decide_with(const char *code)
{
	char all[1024];

	snprintf(all, sizeof(all), "%s int foo() { return 1; }", code);
	world_library("libfoo.so", all, "");
	world_program("int main() { return foo(); }", "-lfoo");
	decide(NULL);
}

TEST(an_initialiser_whose_effect_is_seen_outside_does_it_at_the_start)
{
	decide_with(INITIALISER "{ puts(\"begin\"); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "puts", NULL);
	decide_with(INITIALISER "{ mkdir(\"x\", 0700); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "mkdir", NULL);
	decide_with("static void bye() { puts(\"bye\"); } " INITIALISER
		    "{ atexit(bye); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "puts", NULL);
	decide_with("static __attribute__((destructor)) void end() "
		    "{ puts(\"end\"); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "puts", NULL);
	decide_with("static __attribute__((destructor)) void end() "
		    "{ fclose(0); }");
	check_lazy("libfoo.so"); /* it is not open */
}

TEST(an_initialiser_that_looks_a_function_up_is_taken_to_call_it)
{
	decide_with(INITIALISER "{ ((void (*)())dlsym(0, \"add\"))(); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "dlsym", NULL);
}

TEST(an_initialiser_that_calls_through_data_is_followed)
{
	decide_with("static void no() {} static void yes() { puts(\"\"); } "
		    "static void (*const steps[])() = {no, yes, no}; "
		    "static volatile int i; " INITIALISER "{ steps[i](); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "puts", NULL);
	decide_with("static void yes() { puts(\"\"); } "
		    "static void (*volatile step)() = yes; " INITIALISER
		    "{ step(); }");
	check_eager("libfoo.so", VERDICT_INITIALISER, "puts", NULL);
	decide_with("static void yes() { puts(\"\"); } "
		    "void (*const steps[])() = {0, yes}; "
		    "static volatile int n; " INITIALISER "{ n++; }");
	check_lazy("libfoo.so"); /* it does not call them */
}

#ifdef __x86_64__
TEST(an_initialiser_of_fast_arithmetic_changes_the_mode_at_the_start)
{
	decide_with("unsigned mode; " INITIALISER
		    "{ __asm__(\"ldmxcsr %0\" : : \"m\"(mode)); }");
	check_eager("libfoo.so", VERDICT_INITIALISER,
		    "ldmxcsr (the floating-point mode)", NULL);
}
#endif

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
