/* SPDX-License-Identifier: MIT */
/*
 * Which libraries may be lazy: each limit that was met is a small world here,
 * made from source. Of each world, and of the programs of this machine, it is
 * checked that every reference binds as it does without dlazy: a second,
 * plainer model of the lazy start says so.
 */
#include "tests/unit/started-with.h"
#include "tests/unit/world.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "link/index/index.h"
#include "link/copy/copy.h"
#include "link/resolve/symtab.h"
#include "link/decide/verdict.h"

#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ */
/* The index, as the tests want it: by default nobody imports data  */

struct index {
	const char
		*library; /* from it, somebody imports ...; NULL: see below */
	const char *symbol, *importer;
	unsigned share, turn; /* from each library whose path's hash is `turn`
				 modulo `share` */
};

static bool is_chosen(const struct index *index, const char *path)
{
	if (index->library)
		return strcmp(file_base_name(path), index->library) == 0;
	return hash_string(path) % index->share == index->turn;
}

uint64_t index_key(const char *name, const char *version)
{
	(void)version;
	return hash_string(name);
}

int index_has_importer(const struct index *index, const char *path,
		       index_ignore_fn *ignore, void *data, char **ret_symbol,
		       char **ret_importer)
{
	if (!is_chosen(index, path) ||
	    (ignore && ignore(hash_string(index->symbol), data)))
		return 0;
	*ret_symbol = strdup(index->symbol);
	*ret_importer = strdup(index->importer);
	return 1;
}

/* ------------------------------------------------------------------ */
/* The lazy start, once more                                          */

static struct closure closure;
static struct verdicts verdicts;

#define STUB ((size_t)-2)

/* Objects in the order of look-up; STUB stands for the stub file. */
struct scope {
	size_t order[1024];
	size_t count;
};

static void scope_add(struct scope *scope, size_t object)
{
	for (size_t i = 0; i < scope->count; i++)
		if (scope->order[i] == object)
			return;
	CHECK(scope->count < 1024);
	scope->order[scope->count++] = object;
}

static void scope_add_needs(struct scope *scope, size_t object)
{
	const struct closure_object *o = &closure.objects[object];

	for (size_t n = 0; n < o->need_count; n++) {
		bool lazy = verdicts.list[o->needs[n]].why == VERDICT_LAZY;

		scope_add(scope, lazy ? STUB : o->needs[n]);
	}
}

static void scope_of_start(struct scope *scope)
{
	*scope = (struct scope){.count = 0};
	for (size_t i = 0; i < closure.count; i++)
		if (i == 0 || closure.objects[i].preloaded)
			scope_add(scope, i);
	for (size_t at = 0; at < scope->count; at++) {
		if (scope->order[at] != STUB) {
			scope_add_needs(scope, scope->order[at]);
			continue;
		}
		for (size_t i = 0; i < closure.count; i++)
			if (verdicts.list[i].kept_edge)
				scope_add(scope, i);
	}
}

static void scope_of_late(struct scope *scope, size_t object)
{
	*scope = (struct scope){.order = {object}, .count = 1};
	for (size_t at = 0; at < scope->count; at++)
		if (scope->order[at] != STUB)
			scope_add_needs(scope, scope->order[at]);
}

static bool stub_has(const struct symtab_name *name,
		     const struct definition *definition)
{
	const struct elf_symbol symbol = {
		.name = name->text,
		.version = definition->version,
		.type = definition->type,
		.binding = definition->binding,
		.defined = true,
	};

	return verdicts.list[definition->object].why == VERDICT_LAZY &&
	       verdict_exports(&verdicts, definition->object, &symbol);
}

static const struct definition *look_up(const struct scope *scope, size_t from,
					const struct symtab_name *name,
					const char *version)
{
	for (size_t i = from; i < scope->count; i++)
		for (const struct definition *at = name->first; at;
		     at = at->next)
			if (definition_satisfies(at, version) &&
			    (scope->order[i] == STUB
				     ? stub_has(name, at)
				     : at->object == scope->order[i]))
				return at;
	return NULL;
}

static bool is_same(const struct definition *a, const struct definition *b)
{
	if (!a || !b)
		return a == b;
	/* Of templates and inline functions, any will do. */
	return a->object == b->object || (a->binding != ELF_BINDING_GLOBAL &&
					  b->binding != ELF_BINDING_GLOBAL);
}

static bool is_preempted(const struct elf_view *view,
			 const struct elf_symbol *symbol)
{
	return symbol->visibility == 0 &&
	       !(elf_view_flags(view) & ELF_SYMBOLIC);
}

static void check_reference(const struct scope *start, const struct scope *late,
			    size_t object, const struct elf_symbol *symbol)
{
	const struct elf_view *view = closure.objects[object].view;
	const struct symtab_name *name =
		symtab_find(verdicts.symtab, symbol->name);
	/* The program's data may be a copy. */
	size_t from = object == 0 && symbol->defined &&
		      symbol->type == ELF_TYPE_OBJECT;

	if (!name || (symbol->defined && !is_preempted(view, symbol)))
		return;
	const struct definition *plain =
		symtab_resolve(name, symbol->version, from);
	const struct definition *lazy =
		look_up(start, from, name, symbol->version);
	if (!lazy && late)
		lazy = look_up(late, 0, name, symbol->version);
	if (!is_same(plain, lazy))
		test_fail(__FILE__, __LINE__, "%s of %s: %s, lazily %s",
			  symbol->name, closure.objects[object].name,
			  plain ? closure.objects[plain->object].name : "none",
			  lazy ? closure.objects[lazy->object].name : "none");
	/* At the start nothing can be loaded. */
	if (!late && lazy && verdicts.list[lazy->object].why == VERDICT_LAZY &&
	    !definition_is_ready(lazy))
		test_fail(__FILE__, __LINE__, "%s imports %s at the start",
			  closure.objects[object].name, symbol->name);
}

/* Every reference of every object binds as without dlazy. */
static void check_binding(void)
{
	static struct scope start, late;
	struct elf_symbol symbol;

	scope_of_start(&start);
	for (size_t i = 0; i < start.count; i++)
		CHECK(start.order[i] == STUB ||
		      verdicts.list[start.order[i]].mapped);
	for (size_t i = 0; i < closure.count; i++) {
		const struct elf_view *view = closure.objects[i].view;

		if (!view)
			continue;
		if (!verdicts.list[i].mapped)
			scope_of_late(&late, i);
		for (size_t s = 1; s < elf_view_symbol_count(view); s++)
			if (elf_view_symbol(view, s, &symbol))
				check_reference(&start,
						verdicts.list[i].mapped ? NULL
									: &late,
						i, &symbol);
	}
}

/* ------------------------------------------------------------------ */

static void decide_of(const char *program, const struct verdict_rules *rules)
{
	static const struct index nobody = {"", NULL, NULL, 0, 0};
	struct verdict_rules all = *rules;

	if (!all.index)
		all.index = &nobody;
	verdicts_clear(&verdicts);
	closure_clear(&closure);
	if (closure_read(program, &closure) < 0 ||
	    verdict_decide(&closure, &all, &verdicts) < 0)
		test_fail(__FILE__, __LINE__, "%s: %s", program,
			  status_message());
	check_binding();
}

static void decide(const struct verdict_rules *rules)
{
	static const struct verdict_rules none;

	decide_of(world_path("program"), rules ? rules : &none);
}

static size_t place_of(const char *name)
{
	for (size_t i = 0; i < closure.count; i++)
		if (!strcmp(closure.objects[i].name, name))
			return i;
	test_fail(__FILE__, __LINE__, "%s is not in the closure", name);
}

static const struct verdict *verdict_of(const char *name)
{
	return &verdicts.list[place_of(name)];
}

static void check_why(const char *name, enum verdict_why why)
{
	enum verdict_why is = verdict_of(name)->why;

	if (is != why)
		test_fail(__FILE__, __LINE__, "%s is %s, not %s", name,
			  verdict_word(is), verdict_word(why));
}

static void check_lazy(const char *name)
{
	check_why(name, VERDICT_LAZY);
}

/* Eager for that symbol, which the importer imports (or has first). */
static void check_eager(const char *name, enum verdict_why why,
			const char *symbol, const char *importer)
{
	const struct verdict *verdict = verdict_of(name);

	check_why(name, why);
	if (symbol)
		CHECK_STR(verdict->symbol, symbol);
	if (importer)
		CHECK_STR(file_base_name(verdict->importer), importer);
}

static bool is_exported(const char *library, const char *name)
{
	size_t place = place_of(library);
	struct elf_symbol symbol;

	CHECK(elf_view_find(closure.objects[place].view, name, NULL, &symbol));
	return verdict_exports(&verdicts, place, &symbol);
}

static bool is_default(const char *library, const char *name)
{
	size_t place = place_of(library);
	struct elf_symbol symbol;

	CHECK(elf_view_find(closure.objects[place].view, name, NULL, &symbol));
	return verdict_defaults(&verdicts, place, &symbol);
}

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
		      "__attribute__((constructor)) void run() { puts(\"\"); }",
		      "");
	world_library("libidle.so", "int idle() { return 1; }", "");
	world_library("libboth.so",
		      "__attribute__((constructor)) void run2() { puts(\"\"); }"
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
		      "__attribute__((constructor)) void run() { puts(\"\"); }",
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

/* ------------------------------------------------------------------ */
/* Copies                                                            */

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
		      "__attribute__((constructor)) void g() { puts(\"\"); }",
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
		      "__attribute__((destructor)) void g() { puts(\"\"); }",
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

/* ------------------------------------------------------------------ */
/* Answers                                                            */

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
	     "__attribute__((constructor)) void g() { puts(\"\"); }",
	     "");
	CHECK(!constant_of("f"));
	call("int f() { return 7; }"
	     "__attribute__((destructor)) void g() { puts(\"\"); }",
	     "");
	CHECK(!constant_of("f"));
	/* Unless nobody can see what they do. */
	call("int f() { return 7; } static int v;"
	     "__attribute__((constructor)) static void g() { v = 1; }"
	     "int h() { return v; }",
	     "");
	CHECK(constant_of("f"));
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

/* The program `i` of this machine; false: it is not installed. */
static bool find_program(size_t i, char real[PATH_MAX])
{
	static const char *const names[] = {
		"ffmpeg", "mpv",     "inkscape",       "gdalinfo", "melt",
		"gdb",	  "php",     "gst-launch-1.0", "python3",  "git",
		"perl",	  "convert", "openssl",	       "gimp",	   "bash",
	};
	char path[PATH_MAX];

	if (i >= sizeof(names) / sizeof(*names))
		return false;
	snprintf(path, sizeof(path), "/usr/bin/%s", names[i]);
	return realpath(path, real);
}

static void print_counts(const char *program)
{
	size_t lazy = 0, mapped = 0;

	for (size_t i = 0; i < verdicts.count; i++) {
		lazy += verdicts.list[i].why == VERDICT_LAZY;
		mapped += verdicts.list[i].mapped;
	}
	printf("# %s: %zu objects, %zu lazy, %zu at the start\n", program,
	       verdicts.count, lazy, mapped);
}

#define PROGRAMS 15

TEST_SECONDS(real_programs_bind_as_without_dlazy, 120)
{
	static const struct verdict_rules rules;
	char program[PATH_MAX];

	test_reads_the_machine();
	started_with(NULL);
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (!find_program(i, program))
			continue;
		decide_of(program, &rules);
		print_counts(program);
	}
}

/* Whatever the machine says of whichever library. */
TEST_SECONDS(real_programs_bind_so_on_any_machine, 120)
{
	char program[PATH_MAX];

	test_reads_the_machine();
	started_with(NULL);
	for (unsigned turn = 0; turn < 3; turn++) {
		const struct index index = {NULL, "any", "any", 3, turn};
		const struct verdict_rules rules = {.index = &index};

		for (size_t i = 0; i < PROGRAMS; i++)
			if (find_program(i, program))
				decide_of(program, &rules);
	}
}
