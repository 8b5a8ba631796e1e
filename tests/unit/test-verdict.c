/* SPDX-License-Identifier: MIT */
/*
 * Which libraries may be lazy: each limit that was met is a small world here, made
 * from source. What copies, constant functions and effects of initialisers have to
 * do with it is in test-copies, test-constants and test-effects.
 */
#include "tests/unit/lazy-start.h"

#include "base/cleanup.h"
#include "base/status.h"

#include <sys/stat.h>
#include <unistd.h>

TEST(a_library_of_functions_is_lazy)
{
	world_library("libfun.so", "int fun() { return 1; }", "");
	world_program("int main() { return fun(); }", "-lfun");
	decide(NULL);
	check_lazy("libfun.so");
	CHECK(!verdict_of("libfun.so")->mapped);
	CHECK(is_exported("libfun.so", "fun"));
	CHECK_INT(verdicts.list[0].why, VERDICT_PROGRAM);
	CHECK(verdicts.list[0].mapped);
}

TEST(data_that_is_copied_into_the_program_keeps_a_library_eager)
{
	world_library("libdata.so", "int datum = 1; int f() { return 1; }", "");
	world_compile("program",
		      "extern int datum; int main() { return datum; }",
		      "-fno-pie -no-pie", "-ldata");
	started_with(test_directory());
	decide(NULL);
	check_eager("libdata.so", VERDICT_DATA, "datum", "program");
	CHECK_STR(verdict_of("libdata.so")->kind, "object");
	CHECK(verdict_of("libdata.so")->mapped);
	CHECK(!verdict_of("libdata.so")->kept_edge);
}

/* libtop.so is there because the program imports its data, and imports data of
 * libbottom.so, which only the lazy libmiddle.so needs: the edge is kept. */
TEST(data_is_followed_from_library_to_library)
{
	world_library("libbottom.so", "int low = 1;", "");
	world_library("libmiddle.so",
		      "extern int low; int middle() { return low; }",
		      "-lbottom");
	world_library("libtop.so", "extern int low; int *high = &low;", "");
	world_program(
		"extern int *high; int main() { return *high + middle(); }",
		"-ltop -lmiddle");
	decide(NULL);
	check_eager("libtop.so", VERDICT_DATA, "high", "program");
	check_eager("libbottom.so", VERDICT_DATA, "low", "libtop.so");
	check_lazy("libmiddle.so");
	CHECK(verdict_of("libbottom.so")->kept_edge);
}

/* Who imports data later gets it by loading; nobody of the start may know it. */
/* ... which need not be at the start. */
TEST(data_without_a_copy_come_with_their_importer)
{
	world_library("liblow.so", "int low = 1; int f() { return 1; }", "");
	world_library("libhigh.so",
		      "extern int low; int high() { return low; }", "-llow");
	world_program("int main() { return high(); }", "-lhigh");
	decide(NULL);
	check_eager("liblow.so", VERDICT_DATA, "low", "libhigh.so");
	CHECK(!verdict_of("liblow.so")->mapped);
	check_lazy("libhigh.so");
}

/* Of a template's variable, which has a name of C++, each has one. */
TEST(data_that_many_define_are_not_imported_from_the_first)
{
	world_library("libone.so",
		      "__attribute__((weak)) int _Z1t = 1; int one() {"
		      " return 1; }",
		      "");
	world_library("libtwo.so",
		      "__attribute__((weak)) int _Z1t = 1; int two() {"
		      " return _Z1t; }",
		      "");
	world_program("int main() { return one() + two(); }", "-lone -ltwo");
	decide(NULL);
	check_lazy("libone.so");
	check_lazy("libtwo.so");
	CHECK(!is_exported("libone.so", "_Z1t"));
	CHECK(!is_exported("libtwo.so", "_Z1t"));
}

/* ... nor copied: what the copy would point at had to be there. */
TEST(data_that_many_have_bring_nobody_to_the_start)
{
	static const struct index imported = {"libfar.so", "other",
					      "/usr/lib/plugin.so", 0, 0};
	static const char datum[] = "int far(); __attribute__((weak)) "
				    "int (*const _Z1t)() = far; ";
	char source[256];

	world_library("libfar.so", "int other; int far() { return 1; }", "");
	snprintf(source, sizeof(source), "%s int one() { return _Z1t(); }",
		 datum);
	world_library("libone.so", source, "-lfar");
	snprintf(source, sizeof(source), "%s int two() { return _Z1t(); }",
		 datum);
	world_library("libtwo.so", source, "-lfar");
	world_program("int main() { return one() + two(); }", "-lone -ltwo");
	decide(&(const struct verdict_rules){.index = &imported});
	check_lazy("libone.so");
	check_lazy("libtwo.so");
	check_why("libfar.so", VERDICT_DATA);
	CHECK(!verdict_of("libfar.so")->mapped);
}

/* The program has a datum of that name itself: its own library would bind to
 * the program's, so nothing of that name may come from a stub. */
TEST(a_name_known_at_the_start_is_no_late_data)
{
	world_library("liblow.so", "int low = 1; int f() { return 1; }", "");
	world_library("libhigh.so",
		      "extern int low; int high() { return low; }", "-llow");
	world_compile("program",
		      "__attribute__((weak)) extern int low; "
		      "int main() { return high() + (&low ? low : 0); }",
		      "-fPIE -pie", "-lhigh");
	started_with(test_directory());
	decide(NULL);
	check_eager("liblow.so", VERDICT_DATA, "low", "program");
}

/* An eager library's own definition would be another's at the start. */
TEST(data_that_preempts_another_keeps_a_library_eager)
{
	world_library("libfirst.so", "int twice = 1; int first() { return 1; }",
		      "");
	world_library(
		"libsecond.so",
		"__attribute__((weak)) int twice = 2; int *mine = &twice;", "");
	world_program(
		"extern int *mine; int main() { return first() + *mine; }",
		"-lfirst -lsecond");
	decide(NULL);
	check_eager("libsecond.so", VERDICT_DATA, "mine", "program");
	check_eager("libfirst.so", VERDICT_DATA, "twice", "libsecond.so");
}

/* With versions, each reference finds its own. */
/* libnew.so's is not what an old reference finds, as libold.so is before it. */
TEST(a_reference_without_a_version_finds_the_first)
{
	char version[PATH_MAX + 64];
	FILE *map = fopen(world_path("any.map"), "we");

	CHECK(map && fputs("ANY { global: *; };\n", map) >= 0 &&
	      fclose(map) == 0);
	snprintf(version, sizeof(version), "-Wl,--version-script=%s",
		 world_path("any.map"));
	world_library("libnew.so",
		      "int f() { return 2; } int g() { return 2; }", version);
	map = fopen(world_path("any.map"), "we");
	CHECK(map && fputs("OLD { global: *; };\n", map) >= 0 &&
	      fclose(map) == 0);
	world_library("libold.so", "int datum; int f() { return 1; }", version);
	world_library("libuser.so", "extern int datum; int *p = &datum;", "");
	world_program("extern int *p; int main() { return *p + g(); }",
		      "-luser -lold -lnew");
	decide(NULL);
	check_lazy("libnew.so");
	CHECK(verdict_of("libold.so")->mapped);
	CHECK(is_exported("libnew.so", "f"));
	CHECK(!is_default("libnew.so", "f"));
	CHECK(is_default("libnew.so", "g"));
}

TEST(references_are_resolved_with_their_versions)
{
	FILE *map = fopen(world_path("old.map"), "we");

	CHECK(map && fputs("OLD { global: datum; };\n", map) >= 0 &&
	      fclose(map) == 0);
	map = fopen(world_path("new.map"), "we");
	CHECK(map && fputs("NEW { global: *; };\n", map) >= 0 &&
	      fclose(map) == 0);
	char old[PATH_MAX + 64], new[PATH_MAX + 64];
	snprintf(old, sizeof(old), "-Wl,--version-script=%s",
		 world_path("old.map"));
	snprintf(new, sizeof(new), "-Wl,--version-script=%s",
		 world_path("new.map"));
	world_library("libnew.so", "int datum = 2; int g() { return 1; }", new);
	world_compile("program",
		      "extern int datum; int main() "
		      "{ return datum; }",
		      "-fPIE -pie", "-lnew");
	world_library("libold.so", "int datum = 1; int f() { return 1; }", old);
	world_library("libuser.so", "int user() { return f() + g(); }",
		      "-lold -lnew");
	world_program("extern int datum; int main() { return datum + user(); }",
		      "-lnew -luser");
	/* libold.so is found first, but has not that version. */
	world_library("libnew.so", "int datum = 2; int g() { return 1; }", new);
	setenv("LD_PRELOAD", world_path("libold.so"), 1);
	decide(NULL);
	unsetenv("LD_PRELOAD");
	check_eager("libnew.so", VERDICT_DATA, "datum", "program");
}

TEST(symbols_without_a_type_have_no_stub)
{
	world_library("libasm.so",
		      "__asm__(\".globl raw\\nraw: ret\\n\"); "
		      "int f() { return 1; }",
		      "");
	world_library("libuser.so", "int user() { return raw(); }", "-lasm");
	world_program("int main() { return user() + f(); }", "-luser -lasm");
	decide(NULL);
	check_eager("libasm.so", VERDICT_DATA, "raw", "libuser.so");
	CHECK_STR(verdict_of("libasm.so")->kind, "notype");
	check_lazy("libuser.so");
}

TEST(thread_local_symbols_keep_a_library_eager)
{
	world_library("libtls.so", "__thread int local; int f() { return 1; }",
		      "");
	world_library("libuser.so",
		      "extern __thread int local; int user() { return local; }",
		      "-ltls");
	world_program("int main() { return user() + f(); }", "-luser -ltls");
	decide(NULL);
	check_eager("libtls.so", VERDICT_TLS, "local", "libuser.so");
	check_lazy("libuser.so");
}

TEST(thread_local_symbols_that_nobody_imports_do_no_harm)
{
	world_library("libtls.so", "__thread int local; int f() { return 1; }",
		      "");
	world_program("int main() { return f(); }", "-ltls");
	decide(NULL);
	check_lazy("libtls.so");
}

/* libNAME.so with so many ints of static TLS, and a function NAME. */
static void static_tls(const char *name, int count)
{
	char file[64], source[256];

	snprintf(file, sizeof(file), "lib%s.so", name);
	snprintf(source, sizeof(source),
		 "static __thread int local[%d] "
		 "__attribute__((tls_model(\"initial-exec\"))); "
		 "int %s() { return ++local[0]; }",
		 count, name);
	world_library(file, source, "");
}

TEST(a_little_static_tls_may_come_late)
{
	static_tls("one", 16);
	static_tls("two", 15);
	static_tls("three", 2);
	static_tls("four", 1);
	world_program("int main() { return one() + two() + three() + four(); }",
		      "-lone -ltwo -lthree -lfour");
	decide(NULL);
	check_lazy("libone.so");
	check_lazy("libtwo.so");
	check_eager("libthree.so", VERDICT_STATIC_TLS, NULL, NULL);
	CHECK(verdict_of("libthree.so")->mapped);
	check_lazy("libfour.so");
}

/* Opened late it might find no room: it is there, whoever needs it. */
TEST(static_tls_is_there_at_the_start)
{
	static_tls("ie", 33);
	world_library("libuser.so", "int user() { return ie(); }", "-lie");
	world_program("int main() { return user(); }", "-luser");
	decide(NULL);
	check_eager("libie.so", VERDICT_STATIC_TLS, NULL, NULL);
	CHECK(verdict_of("libie.so")->mapped);
	CHECK(verdict_of("libie.so")->kept_edge);
	check_lazy("libuser.so");
}

TEST(a_constructor_that_nobody_calls_runs_all_the_same)
{
	world_library("libctor.so",
		      "__attribute__((constructor)) void run() { getpid(); }",
		      "");
	world_library("libidle.so", "int idle() { return 1; }", "");
	world_library("libboth.so",
		      "__attribute__((constructor)) void run2() { getpid(); }"
		      "int called() { return 1; }",
		      "");
	world_program("int main() { return called(); }",
		      "-lctor -lidle -lboth");
	decide(NULL);
	check_eager("libctor.so", VERDICT_CONSTRUCTOR, NULL, NULL);
	check_lazy("libidle.so");
	check_lazy("libboth.so");
}

TEST(lazy_is_believed_of_a_constructor)
{
	char *globs[] = {"libct*.so", NULL};
	const struct verdict_rules rules = {.lazy = globs};

	world_library("libctor.so",
		      "__attribute__((constructor)) void run() { getpid(); }",
		      "");
	world_program("int main() { return 0; }", "-lctor");
	decide(&rules);
	check_lazy("libctor.so");
}

TEST(lazy_is_not_believed_of_what_would_break)
{
	char *globs[] = {"*", NULL};
	const struct index index = {"libfun.so", "datum", "/usr/bin/x", 0, 0};
	const struct verdict_rules rules = {.lazy = globs, .index = &index};

	world_library("libdata.so", "int datum = 1;", "");
	world_library("libfun.so", "int fun() { return 1; }", "");
	world_program("extern int datum; int main() { return datum + fun(); }",
		      "-ldata -lfun");
	decide(&rules);
	check_why("libdata.so", VERDICT_DATA);
	check_lazy("libfun.so"); /* but the machine's word it overrules */
	check_why("libc.so.6", VERDICT_RUNTIME);
}

TEST(eager_always_wins)
{
	char *lazy[] = {"*", NULL}, *eager[] = {"libf*", NULL};
	const struct verdict_rules rules = {.lazy = lazy, .eager = eager};

	world_library("libfun.so", "int fun() { return 1; }", "");
	world_library("libuser.so", "int user() { return fun(); }", "-lfun");
	world_program("int main() { return user(); }", "-luser");
	decide(&rules);
	check_why("libfun.so", VERDICT_ASKED);
	CHECK(verdict_of("libfun.so")->kept_edge);
	check_lazy("libuser.so");
}

TEST(what_the_machine_says_is_told_with_its_words)
{
	const struct index index = {"libfun.so", "datum", "/usr/lib/plugin.so",
				    0, 0};
	const struct verdict_rules rules = {.index = &index};
	char words[128];

	world_library("libfun.so", "int fun() { return 1; }", "");
	world_library("libuser.so", "int user() { return fun(); }", "-lfun");
	world_program("int main() { return user(); }", "-luser");
	decide(&rules);
	check_eager("libfun.so", VERDICT_DATA, "datum", "plugin.so");
	verdict_describe(verdict_of("libfun.so"), words, sizeof(words));
	CHECK_IN(words, "datum");
	CHECK_IN(words, "/usr/lib/plugin.so");
	/* A plugin imports it, later: it need not be there. */
	CHECK(!verdict_of("libfun.so")->mapped);
	CHECK_STR(verdict_word(VERDICT_DATA), "data");
}

TEST(what_every_run_needs_is_left_real)
{
	char *paths[2] = {NULL, NULL}, *globs[] = {"libfun.so", NULL};
	struct verdict_rules rules = {.learned = paths};

	world_library("libfun.so", "int fun() { return 1; }", "");
	world_program("int main() { return fun(); }", "-lfun");
	paths[0] = strdup(world_path("libfun.so"));
	decide(&rules);
	check_why("libfun.so", VERDICT_LEARNED);
	CHECK(verdict_of("libfun.so")->mapped);
	rules.lazy = globs;
	decide(&rules);
	check_lazy("libfun.so");
	free(paths[0]);
}

TEST(the_runtimes_stay_eager)
{
	world_program("int main() { return cos(1); }", "-lm");
	decide(NULL);
	check_why("libm.so.6", VERDICT_RUNTIME);
	check_why("libc.so.6", VERDICT_RUNTIME);
	CHECK(verdict_of("libc.so.6")->mapped);
}

/* Before libc it is found by everybody; behind it by nobody. */
TEST(a_name_of_libc_found_before_it_keeps_a_library_eager)
{
	world_library("liballoc.so",
		      "void *malloc(unsigned long n) { return 0; } "
		      "int f() { return 1; }",
		      "");
	world_library("liblate.so",
		      "int atoi(char *s) { return 7; } int g() { return 1; }",
		      "");
	world_library("libuser.so", "int user() { return g(); }", "-llate");
	world_program("int main() { return f() + user(); }", "-lalloc -luser");
	decide(NULL);
	check_eager("liballoc.so", VERDICT_LIBC_NAME, "malloc", NULL);
	CHECK(verdict_of("liballoc.so")->mapped);
	/* But whoever asks it by hand wants its own. */
	check_eager("liblate.so", VERDICT_SHADOWED, "atoi", "libc.so.6");
	CHECK(!verdict_of("liblate.so")->mapped);
}

TEST(what_an_rpath_finds_is_not_replaced)
{
	char needs[PATH_MAX + 64];

	world_library("libold.so", "int old() { return 1; }", "");
	snprintf(needs, sizeof(needs),
		 "-lold -Wl,--disable-new-dtags,-rpath,%s", test_directory());
	world_program("int main() { return old(); }", needs);
	decide(NULL);
	check_why("libold.so", VERDICT_RPATH);
	snprintf(needs, sizeof(needs), "-lold -Wl,--enable-new-dtags,-rpath,%s",
		 test_directory());
	world_program("int main() { return old(); }", needs);
	decide(NULL);
	check_lazy("libold.so");
}

/* libsecret.so is found because libowner.so brought libuser.so in, which needs
 * it; when libuser.so is opened by itself, it would not be. */
TEST(what_an_inherited_rpath_finds_is_there_at_the_start)
{
	char needs[2 * PATH_MAX];

	CHECK_INT(mkdir(world_path("own"), 0700), 0);
	world_compile("own/libsecret.so", "int secret() { return 1; }",
		      "-shared -fPIC -Wl,-soname,libsecret.so", "");
	snprintf(needs, sizeof(needs), "-L%s -lsecret", world_path("own"));
	world_library("libuser.so", "int user() { return secret(); }", needs);
	snprintf(needs, sizeof(needs),
		 "-luser -Wl,-rpath-link,%s,--disable-new-dtags,-rpath,%s",
		 world_path("own"), world_path("own"));
	world_library("libowner.so", "int owner() { return user(); }", needs);
	snprintf(needs, sizeof(needs), "-lowner -Wl,-rpath-link,%s",
		 world_path("own"));
	world_program("int main() { return owner(); }", needs);
	decide(NULL);
	check_lazy("libowner.so");
	check_lazy("libuser.so");
	check_why("libsecret.so", VERDICT_RPATH);
	CHECK(verdict_of("libsecret.so")->kept_edge);
}

TEST(what_is_preloaded_stays)
{
	world_library("libpre.so", "int fun() { return 2; }", "");
	world_library("libfun.so", "int fun() { return 1; }", "");
	world_program("int main() { return fun(); }", "-lfun");
	setenv("LD_PRELOAD", world_path("libpre.so"), 1);
	decide(NULL);
	unsetenv("LD_PRELOAD");
	CHECK_INT(verdicts.list[1].why, VERDICT_PRELOADED);
	/* The preloaded one gives the symbol. */
	CHECK(!is_exported("libfun.so", "fun"));
}

/* dlopen("libother.so") and dlsym() would find the other's, or nothing. */
TEST(a_library_whose_symbol_another_gives_stays_eager)
{
	char *globs[] = {"libother.so", NULL};
	const struct verdict_rules rules = {.lazy = globs};

	world_library("libone.so", "int both() { return 1; }", "");
	world_library("libother.so",
		      "int both() { return 2; } int other() { return 3; }", "");
	world_program("int main() { return both() + other(); }",
		      "-lone -lother");
	decide(NULL);
	check_lazy("libone.so");
	check_eager("libother.so", VERDICT_SHADOWED, "both", "libone.so");
	decide(&rules);
	check_lazy("libother.so");
	CHECK(is_exported("libone.so", "both"));
	CHECK(!is_exported("libother.so", "both"));
	CHECK(is_exported("libother.so", "other"));
}

TEST(a_wrapper_that_asks_for_the_next_stays_eager)
{
	world_library("libwrap.so",
		      "void *dlsym(void *, const char *); "
		      "int both() { return dlsym((void *)-1, \"both\") != 0; }",
		      "");
	world_library("libasks.so",
		      "void *dlsym(void *, const char *); "
		      "int asks() { return dlsym(0, \"both\") != 0; }",
		      "");
	world_library("libother.so",
		      "int both() { return 2; } int other() { return 3; }", "");
	world_program("int main() { return both() + asks() + other(); }",
		      "-lwrap -lasks -lother");
	decide(NULL);
	check_eager("libwrap.so", VERDICT_SPECIAL, "both", NULL);
	check_lazy("libasks.so");
}

/* libtls comes with liba, is relocated, and imports what libb defines first:
 * libb would be opened, which needs libtls. */
TEST(nothing_is_opened_in_the_middle_of_its_relocation)
{
	world_library("libtls.so",
		      "__thread int own = 1; "
		      "__attribute__((weak)) int shared = 2; "
		      "int *all[] = {&shared}; "
		      "int tls() { return *all[0] + own; }",
		      "");
	world_library("libb.so",
		      "__attribute__((weak)) int shared = 3; "
		      "int b() { return tls(); }",
		      "-ltls");
	world_library("liba.so",
		      "extern __thread int own; int a() { return b() + own; }",
		      "-lb -ltls");
	world_program("int main() { return a(); }", "-la");
	decide(NULL);
	check_eager("libtls.so", VERDICT_TLS, "own", NULL);
	check_eager("libb.so", VERDICT_DATA, "shared", "libtls.so");
	check_lazy("liba.so");
}

TEST(templates_that_many_have_are_not_shadowed)
{
	world_library("libone.so",
		      "__attribute__((weak)) int both() { return 1; }"
		      "int one() { return both(); }",
		      "");
	world_library("libother.so",
		      "__attribute__((weak)) int both() { return 1; }"
		      "int other() { return both(); }",
		      "");
	world_program("int main() { return one() + other(); }",
		      "-lone -lother");
	decide(NULL);
	check_lazy("libone.so");
	check_lazy("libother.so");
	CHECK(is_exported("libone.so", "both"));
	CHECK(!is_exported("libother.so", "both"));
}

/* libuser.so imports `low` without needing liblow.so: who brings it in? */
TEST(underlinked_libraries_find_their_provider)
{
	const struct index index = {"liblow.so", "datum", "/usr/bin/x", 0, 0};
	const struct verdict_rules rules = {.index = &index};

	world_library("liblow.so", "int low() { return 1; }", "");
	world_library("libuser.so", "int user() { return low(); }", "");
	world_program("int main() { return user(); }", "-luser -llow");
	decide(NULL);
	check_lazy("liblow.so");
	check_lazy("libuser.so");
	CHECK(is_exported("liblow.so", "low"));
	/* Left eager, it has to be there. */
	decide(&rules);
	check_why("liblow.so", VERDICT_DATA);
	CHECK(verdict_of("liblow.so")->mapped);
}

/* As zdotu_, which scipy finds through liblapack in libblas. */
TEST(a_transitive_dependency_is_kept)
{
	const struct index index = {"libblas.so", "datum", "/usr/bin/x", 0, 0};
	const struct verdict_rules rules = {.index = &index};

	world_library("libblas.so", "int dot() { return 1; }", "");
	world_library("liblapack.so", "int solve() { return dot(); }",
		      "-lblas");
	world_library("libuser.so", "int user() { return solve() + dot(); }",
		      "-llapack");
	world_program("int main() { return user(); }", "-luser");
	decide(&rules);
	check_why("libblas.so", VERDICT_DATA);
	CHECK(verdict_of("libblas.so")->kept_edge);
	check_lazy("liblapack.so");
}

/* What is away may not be found first any more: then it has to be there. */
TEST(who_gives_a_symbol_first_goes_on_to)
{
	const struct index index = {"libfirst.so", "datum", "/usr/bin/x", 0, 0};
	const struct verdict_rules rules = {.index = &index};

	world_library("libfirst.so", "int both() { return 1; }", "");
	world_library("libuser.so", "int user() { return both(); }", "-lfirst");
	world_library("libbelow.so",
		      "int both() { return 2; } int below() { return 2; }", "");
	world_library("libother.so", "int other() { return below(); }",
		      "-lbelow");
	world_program("int main() { return user() + other(); }",
		      "-luser -lother");
	decide(&rules);
	check_why("libfirst.so", VERDICT_DATA);
	CHECK(verdict_of("libfirst.so")->mapped);
	CHECK(verdict_of("libfirst.so")->kept_edge);
}

TEST(special_objects_stay_eager)
{
	static const struct {
		const char *option, *kind;
		bool mapped;
	} kinds[] = {
		{"-Wl,-z,initfirst", "DF_1_INITFIRST", true},
		{"-Wl,-z,interpose", "DF_1_INTERPOSE", true},
		{"-Wl,-z,nodlopen", "DF_1_NOOPEN", true},
		{"-Wl,-z,execstack", "executable stack", true},
		{"-Wl,-f,libother.so", "DT_FILTER or DT_AUXILIARY", false},
	};

	world_library("libother.so", "int f() { return 1; }", "");
	world_library("libuser.so", "int user() { return 1; }", "");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		world_library("libspecial.so", "int f() { return 1; }",
			      kinds[i].option);
		world_library("libuser.so", "int user() { return f(); }",
			      "-lspecial");
		world_program("int main() { return user(); }", "-luser");
		decide(NULL);
		check_why("libspecial.so", VERDICT_SPECIAL);
		CHECK_IN(verdict_of("libspecial.so")->kind, kinds[i].kind);
		CHECK_INT(verdict_of("libspecial.so")->mapped, kinds[i].mapped);
	}
}

TEST(a_library_without_a_soname_or_by_another_name_stays_eager)
{
	world_compile("libnone.so", "int none() { return 1; }", "-shared -fPIC",
		      "");
	world_library("libreal.so", "int real() { return 1; }", "");
	world_program("int main() { return none() + real(); }",
		      "-lnone -lreal");
	decide(NULL);
	check_why("libnone.so", VERDICT_SPECIAL);
	check_lazy("libreal.so");
	/* Now libreal.so has another SONAME than what it is needed by. */
	world_compile("libreal.so", "int real() { return 1; }",
		      "-shared -fPIC -Wl,-soname,libreal.so.1", "");
	decide(NULL);
	check_why("libreal.so", VERDICT_SPECIAL);
}

TEST(a_missing_library_is_told)
{
	world_library("libgone.so", "int gone() { return 1; }", "");
	world_library("libfun.so", "int fun() { return gone(); }", "-lgone");
	world_program("int main() { return fun(); }", "-lfun");
	CHECK_INT(unlink(world_path("libgone.so")), 0);
	decide(NULL);
	check_why("libgone.so", VERDICT_MISSING);
	check_lazy("libfun.so");
}

TEST(ifuncs_are_functions)
{
	world_library("libifunc.so",
		      "static int one() { return 1; } "
		      "static void *pick() { return one; } "
		      "int fun() __attribute__((ifunc(\"pick\")));",
		      "");
	world_program("int main() { return fun(); }", "-lifunc");
	decide(NULL);
	check_lazy("libifunc.so");
	CHECK(is_exported("libifunc.so", "fun"));
}

/* -Bsymbolic: its own data stay its own, whoever has them first. */
TEST(a_symbolic_library_is_not_preempted)
{
	world_library("libfirst.so", "int twice = 1; int first() { return 1; }",
		      "");
	world_library("libsecond.so", "int twice = 2; int *mine = &twice;",
		      "-Wl,-Bsymbolic");
	world_program(
		"extern int *mine; int main() { return first() + *mine; }",
		"-lfirst -lsecond");
	decide(NULL);
	check_why("libsecond.so", VERDICT_DATA);
	/* But nothing of that name can be asked of it by hand. */
	check_eager("libfirst.so", VERDICT_SHADOWED, "twice", "libsecond.so");
}

/* libsecond.so, at the start, keeps its own datum; but then no stub may have one
 * of that name, which libuser.so will want. */
TEST(data_that_no_stub_may_have_keeps_a_library_eager)
{
	world_library("libfirst.so",
		      "__attribute__((weak)) int twice = 1; "
		      "int first() { return 1; }",
		      "");
	world_library(
		"libsecond.so",
		"__attribute__((weak)) int twice = 2; int *mine = &twice;",
		"-Wl,-Bsymbolic");
	world_library("libuser.so",
		      "extern int twice; int user() { return twice; }",
		      "-lfirst");
	world_program("extern int *mine; "
		      "int main() { return first() + user() + *mine; }",
		      "-lfirst -lsecond -luser");
	decide(NULL);
	check_eager("libfirst.so", VERDICT_DATA, "twice", "libuser.so");
	/* The program calls it: it is there, then. */
	CHECK(verdict_of("libfirst.so")->mapped);
	check_lazy("libuser.so");
}

TEST(who_gives_a_template_first_need_not_be_there)
{
	const struct index index = {"libfirst.so", "datum", "/usr/bin/x", 0, 0};
	const struct verdict_rules rules = {.index = &index};

	world_library("libfirst.so",
		      "__attribute__((weak)) int both() { return 1; }"
		      "int first() { return both(); }",
		      "");
	world_library("libuser.so", "int user() { return first(); }",
		      "-lfirst");
	world_library("libother.so",
		      "__attribute__((weak)) int both() { return 1; }"
		      "int other() { return both(); }",
		      "");
	world_library("libdeep.so", "int deep() { return other(); }",
		      "-lother");
	world_program("int main() { return user() + deep(); }",
		      "-luser -ldeep");
	decide(&rules);
	check_why("libfirst.so", VERDICT_DATA);
	CHECK(!verdict_of("libfirst.so")->mapped);
	CHECK(is_exported("libother.so", "both"));
}

static void judge_alone(const char *name, const struct index *index)
{
	_cleanup_closure_ struct closure alone = {NULL, 0};

	verdicts_clear(&verdicts);
	CHECK_INT(closure_read(world_path(name), &alone), 0);
	CHECK_INT(verdict_alone(alone.objects[0].view, alone.objects[0].path,
				index, &verdicts),
		  0);
}

TEST(one_library_alone_tells_what_it_can)
{
	const struct index index = {"libfun.so", "datum", "/usr/bin/x", 0, 0};
	char words[128];

	world_library("libfun.so", "int fun() { return 1; }", "");
	judge_alone("libfun.so", NULL);
	CHECK_INT(verdicts.count, 0);
	judge_alone("libfun.so", &index);
	CHECK_INT(verdicts.count, 1);
	verdict_describe(&verdicts.list[0], words, sizeof(words));
	CHECK_STR(words, "/usr/bin/x takes datum (data) from it");
	world_library("libtls.so",
		      "__thread int local; int getenv() { return 1; }",
		      "-Wl,-z,nodlopen");
	judge_alone("libtls.so", NULL);
	CHECK_INT(verdicts.count, 3);
	CHECK_INT(verdicts.list[0].why, VERDICT_SPECIAL);
	CHECK_INT(verdicts.list[1].why, VERDICT_TLS);
	CHECK_STR(verdicts.list[1].symbol, "local");
	CHECK_INT(verdicts.list[2].why, VERDICT_LIBC_NAME);
	CHECK_STR(verdicts.list[2].symbol, "getenv");
	judge_alone("libtls.so", &index);
	CHECK_INT(verdicts.count, 2);
}

/* In a closure it is too much for the sum, too; here the file alone says so. */
TEST(one_library_alone_tells_of_much_static_tls)
{
	static_tls("little", 32);
	judge_alone("liblittle.so", NULL);
	CHECK_INT(verdicts.count, 0);
	static_tls("much", 33);
	judge_alone("libmuch.so", NULL);
	CHECK_INT(verdicts.count, 1);
	CHECK_INT(verdicts.list[0].why, VERDICT_STATIC_TLS);
}
