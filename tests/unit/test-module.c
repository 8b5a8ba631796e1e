/* SPDX-License-Identifier: MIT */
/*
 * Modules and their symbols: what opens, what is handed out, which file is
 * which module, what a handle is worth.
 */
#include "base/cleanup.h"
#include "elf/view.h"
#include "load/bind.h"
#include "load/open.h"
#include "tests/unit/opened.h"
#include "tests/unit/started-with.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_STATUS(status)                               \
	do {                                               \
		CHECK_INT(dlazy_last_status(), -(status)); \
		CHECK(dlazy_error() != NULL);              \
	} while (0)

/* ------------------------------------------------------------------ */
/* Opening                                                            */

TEST(opening_maps_nothing)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK(dlazy_sym(m, "plain_answer") != NULL);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(test_mapped("good-plain.so"), 0);
}

TEST(first_call_loads)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK(test_mapped("good-plain.so") > 0);
}

TEST(name_is_the_file_name_up_to_so)
{
	CHECK_STR(dlazy_module_name(opened(test_plugin("good-plain"), 0)),
		  "good-plain");
	CHECK_STR(dlazy_module_name(
			  opened(own_copy("good-plain", "a.b.so.1.2"), 0)),
		  "a.b");
}

TEST(path_is_absolute)
{
	own_copy("good-plain", "p.so");
	CHECK_INT(chdir(test_directory()), 0);
	struct dlazy_module *m = opened("./p.so", 0);
	const char *path = dlazy_module_path(m);

	CHECK(path[0] == '/');
	CHECK_INT(access(path, F_OK), 0);
	CHECK_INT(chdir("/"), 0);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
}

TEST(absent_file_is_enoent)
{
	CHECK(!dlazy_open(own_path("nothing.so"), 0));
	CHECK_STATUS(DLAZY_ENOENT);
}

TEST(absent_bare_name_is_enoent)
{
	CHECK(!dlazy_open("libdlazy-there-is-none.so", 0));
	CHECK_STATUS(DLAZY_ENOENT);
}

TEST(text_file_is_eformat)
{
	CHECK(!dlazy_open("/etc/passwd", 0));
	CHECK_STATUS(DLAZY_EFORMAT);
}

TEST(directory_is_eformat)
{
	CHECK(!dlazy_open("/etc/", 0));
	CHECK_STATUS(DLAZY_EFORMAT);
}

TEST(empty_file_is_eformat)
{
	const char *path = own_path("empty.so");

	fclose(fopen(path, "we"));
	CHECK(!dlazy_open(path, 0));
	CHECK_STATUS(DLAZY_EFORMAT);
}

/* The e_machine of a copy of good-plain, changed. */
static const char *of_machine(unsigned short machine)
{
	const char *path = own_copy("good-plain", "foreign.so");
	FILE *file = fopen(path, "r+e");

	fseek(file, offsetof(Elf64_Ehdr, e_machine), SEEK_SET);
	fwrite(&machine, sizeof(machine), 1, file);
	fclose(file);
	return path;
}

TEST(foreign_machine_is_emachine)
{
	CHECK(!dlazy_open(of_machine(EM_S390), 0));
	CHECK_STATUS(DLAZY_EMACHINE);
}

TEST(no_path_is_einval)
{
	char *none = NULL;

	CHECK(!dlazy_open(none, 0));
	CHECK_STATUS(DLAZY_EINVAL);
	CHECK(!dlazy_open("", 0));
	CHECK_STATUS(DLAZY_EINVAL);
}

TEST(unknown_flag_is_einval)
{
	CHECK(!dlazy_open(test_plugin("good-plain"), 0x40000000));
	CHECK_STATUS(DLAZY_EINVAL);
}

TEST(missing_dependency_does_not_matter_to_open)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("bad-missing-library"), 0);

	CHECK(dlazy_sym(m, "missing_answer") != NULL);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(bare_name_is_a_system_library)
{
	struct dlazy_module *m = opened("libm.so.6", 0);

	CHECK(dlazy_module_path(m)[0] == '/');
	CHECK(opened("libm.so.6", 0) == m);
	CHECK(opened(dlazy_module_path(m), 0) == m);
}

TEST(bare_name_of_a_loaded_object_is_that_object)
{
	const char *path = own_copy("good-needs-plain", "outer.so");
	char found[4096];

	own_copy("good-plain", "good-plain.so");
	CHECK(dlopen(path, RTLD_NOW) != NULL);
	struct dlazy_module *m = opened("good-plain.so", 0);
	CHECK(realpath(own_path("good-plain.so"), found) != NULL);
	CHECK_STR(dlazy_module_path(m), found);
}

TEST(bare_name_is_looked_for_in_ld_library_path)
{
	own_copy("good-plain", "libdlazy-somewhere.so");
	started_with(test_directory());
	struct dlazy_module *m = opened("libdlazy-somewhere.so", 0);

	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
}

#define LIBRARY "libdlazy-somewhere.so"

/* A program changes the variable for its children's sake. */
static void change_library_path(void)
{
	CHECK(dlazy_open(LIBRARY, 0) != NULL);
	unsetenv("LD_LIBRARY_PATH");
	CHECK(dlazy_open(LIBRARY, 0) != NULL);
	CHECK_INT(unlink(getenv("LIBRARY")), 0);
	setenv("LD_LIBRARY_PATH", getenv("LATER"), 1);
	CHECK(dlazy_open(LIBRARY, 0) == NULL);
	CHECK_STATUS(DLAZY_ENOENT);
	/* As the dynamic linker has it. */
	CHECK(dlopen(LIBRARY, RTLD_NOW) == NULL);
}

/* Runs one test of this program once more, as the arguments of another program if
 * that is given, and returns its wait status. */
static int run_again(char *const before[], const char *test)
{
	char own[4096], *arguments[8];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	int n = 0, status;

	CHECK(length > 0);
	own[length] = '\0';
	while (before && before[n] && n < 4) {
		arguments[n] = before[n];
		n++;
	}
	arguments[n] = own;
	arguments[n + 1] = (char *)(uintptr_t)test;
	arguments[n + 2] = NULL;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		/* TAP of its own is not wanted in ours. */
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		execv(arguments[0], arguments);
		_exit(77);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("%s cannot be run", arguments[0]);
	return status;
}

TEST(library_path_is_that_of_the_start)
{
	if (getenv("LATER")) {
		change_library_path();
		return;
	}
	CHECK_INT(mkdir(own_path("later"), 0755), 0);
	setenv("LIBRARY", own_copy("good-plain", LIBRARY), 1);
	own_copy("good-plain", "later/" LIBRARY);
	setenv("LATER", own_path("later"), 1);
	setenv("LD_LIBRARY_PATH", test_directory(), 1);
	CHECK_INT(run_again(NULL, "library_path_is_that_of_the_start"), 0);
}

#ifdef __GLIBC__
TEST(library_path_that_the_linker_was_given_comes_first)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (getenv("LATER")) {
		CHECK_INT(close(fd), 0);
		change_library_path();
		return;
	}
	CHECK_INT(elf_view_open_needs(fd, "self", &view), 0);
	CHECK_INT(close(fd), 0);
	CHECK_INT(mkdir(own_path("later"), 0755), 0);
	setenv("LIBRARY", own_copy("good-plain", LIBRARY), 1);
	own_copy("good-plain", "later/" LIBRARY);
	setenv("LATER", own_path("later"), 1);
	setenv("LD_LIBRARY_PATH", own_path("later"), 1);
	char *const linker[] = {(char *)(uintptr_t)elf_view_interpreter(view),
				"--library-path",
				(char *)(uintptr_t)test_directory(), NULL};
	CHECK_INT(
		run_again(linker,
			  "library_path_that_the_linker_was_given_comes_first"),
		0);
}
#endif

/* ------------------------------------------------------------------ */
/* Flags                                                              */

TEST(eager_loads_in_open)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), DLAZY_EAGER);

	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(global_is_eager_and_global)
{
	CHECK(!dlsym(RTLD_DEFAULT, "plain_answer"));
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), RTLD_NOW | RTLD_GLOBAL);

	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK(dlsym(RTLD_DEFAULT, "plain_answer") != NULL);
}

TEST(local_is_the_default)
{
	dlazy_load(opened(test_plugin("good-plain"), 0));
	CHECK(!dlsym(RTLD_DEFAULT, "plain_answer"));
}

TEST(on_sym_gives_real_addresses)
{
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_ON_SYM);

	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	void *address = symbol_of(m, "plain_answer");
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK(address == dlazy_resolve(m, "plain_answer"));
}

TEST(on_sym_does_not_load_for_an_absent_symbol)
{
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_ON_SYM);

	CHECK(!dlazy_sym(m, "plain_question"));
	CHECK_STATUS(DLAZY_ENOSYM);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(eager_open_of_a_broken_plugin_says_why)
{
	CHECK(!dlazy_open(test_plugin("bad-missing-library"), DLAZY_EAGER));
	CHECK_INT(dlazy_last_status(), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "libdlazy-absent.so");
}

TEST(noload_opens_only_what_is_loaded)
{
	const char *path = test_plugin("good-plain");

	CHECK(!dlazy_open(path, RTLD_NOW | RTLD_NOLOAD));
	CHECK_STATUS(DLAZY_ENOENT);
	CHECK_INT(test_mapped("good-plain.so"), 0);
	struct dlazy_module *m = opened(path, 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK(dlazy_open(path, RTLD_NOW | RTLD_NOLOAD) == m);
}

/* ------------------------------------------------------------------ */
/* Symbols                                                            */

TEST(stub_is_the_same_for_each_request)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK(symbol_of(m, "plain_answer") == stub);
	CHECK_INT(call_int(stub), 42);
	CHECK(symbol_of(m, "plain_answer") == stub);
}

TEST(absent_symbol_is_enosym_and_loads_nothing)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK(!dlazy_sym(m, "plain_question"));
	CHECK_STATUS(DLAZY_ENOSYM);
	CHECK(!dlazy_sym(m, ""));
	CHECK_STATUS(DLAZY_ENOSYM);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(dependencys_symbol_is_not_the_modules)
{
	struct dlazy_module *m = opened(test_plugin("good-needs-plain"), 0);

	CHECK(!dlazy_sym(m, "plain_answer"));
	CHECK_STATUS(DLAZY_ENOSYM);
}

TEST(resolve_finds_what_dlsym_finds)
{
	struct dlazy_module *m = opened(test_plugin("good-needs-plain"), 0);
	void *address = dlazy_resolve(m, "plain_answer");
	void *handle = dlopen(test_plugin("good-needs-plain"), RTLD_NOW);

	CHECK_INT(call_int(address), 42);
	CHECK(address == dlsym(handle, "plain_answer"));
	dlclose(handle);
}

TEST(resolve_of_an_absent_symbol_is_enosym)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK(!dlazy_resolve(m, "plain_question"));
	CHECK_STATUS(DLAZY_ENOSYM);
}

TEST(plain_name_is_the_default_version)
{
	struct dlazy_module *m = opened(test_plugin("good-versions"), 0);

	CHECK_INT(call_int(symbol_of(m, "versions_answer")), 2);
	CHECK_INT(call_int(symbol_of(m, "versions_answer@V1")), 1);
	CHECK_INT(call_int(symbol_of(m, "versions_answer@V2")), 2);
	CHECK_INT(call_int(symbol_of(m, "versions_answer@@V2")), 2);
	CHECK_INT(call_int(dlazy_resolve(m, "versions_answer@V1")), 1);
}

TEST(version_that_is_not_there_is_enosym)
{
	struct dlazy_module *m = opened(test_plugin("good-versions"), 0);

	CHECK(!dlazy_sym(m, "versions_answer@V9"));
	CHECK_STATUS(DLAZY_ENOSYM);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(default_version_by_name_is_the_same_stub)
{
	struct dlazy_module *m = opened(test_plugin("good-versions"), 0);

	CHECK(symbol_of(m, "versions_answer") ==
	      symbol_of(m, "versions_answer@V2"));
}

TEST(indirect_function_is_a_stub)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);
	void *stub = symbol_of(m, "kinds_indirect");

	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(call_int(stub), 9);
}

TEST(data_loads_now)
{
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);
	int *data = symbol_of(m, "kinds_data");

	CHECK_INT(*data, 7);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(thread_local_data_is_this_threads)
{
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);
	int *data = symbol_of(m, "kinds_tls");

	CHECK_INT(*data, 8);
}

TEST(label_without_type_loads_now)
{
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);
	int *label = symbol_of(m, "kinds_label");

	CHECK_INT(*label, 11);
}

TEST(symbol_may_be_null)
{
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);

	CHECK(!dlazy_open("/nonexistent", 0));
	CHECK(!dlazy_sym(m, "kinds_null"));
	CHECK(dlazy_error() == NULL);
	CHECK(!dlazy_resolve(m, "kinds_null"));
	CHECK(dlazy_error() == NULL);
}

/* ------------------------------------------------------------------ */
/* One file, one module                                               */

TEST(second_open_returns_same_module)
{
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, 0);

	CHECK(opened(path, 0) == m);
	CHECK_INT(dlazy_close(m), 0);
	CHECK(dlazy_module_name(m) != NULL);
	CHECK_INT(dlazy_close(m), 0);
	CHECK(dlazy_module_name(m) == NULL);
}

TEST(links_are_the_same_module)
{
	const char *path = own_copy("good-plain", "file.so");
	const char *symbolic = own_path("symbolic.so");
	const char *hard = own_path("hard.so");

	CHECK_INT(symlink("file.so", symbolic), 0);
	CHECK_INT(link(path, hard), 0);
	struct dlazy_module *m = opened(path, 0);
	CHECK(opened(symbolic, 0) == m);
	CHECK(opened(hard, 0) == m);
}

/* Times, mode and number of links are no part of what a file is. */
TEST(touched_file_is_the_same_module)
{
	for (int loaded = 0; loaded < 2; loaded++) {
		const char *path =
			own_copy("good-plain", loaded ? "l.so" : "p.so");
		struct dlazy_module *m = opened(path, 0);

		if (loaded)
			CHECK_INT(dlazy_load(m), 0);
		usleep(20000); /* file times have the kernel's tick */
		CHECK_INT(chmod(path, 0600), 0);
		CHECK(opened(path, 0) == m);
		CHECK_INT(utimensat(AT_FDCWD, path, NULL, 0), 0);
		CHECK(opened(path, 0) == m);
		CHECK_INT(link(path, own_path(loaded ? "l2" : "p2")), 0);
		CHECK(opened(path, 0) == m);
		CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
		CHECK_INT(test_mapped(loaded ? "/l.so" : "/p.so") > 0, 1);
	}
}

/* A plugin that needs libdlazy-beside.so of its own directory; false: there is no
 * compiler. */
static bool make_needy(const char *path)
{
	char command[20000];

	snprintf(
		command, sizeof(command),
		"cd '%s' && mkdir -p store plugins &&"
		"echo 'int beside(void) { return 7; }' >b.c &&"
		"echo 'int beside(void); int answer(void)"
		" { return beside(); }' >a.c &&"
		"${CC:-cc} -shared -fPIC -o plugins/libdlazy-beside.so b.c"
		" -Wl,-soname,libdlazy-beside.so &&"
		"${CC:-cc} -shared -fPIC -o '%s' a.c plugins/libdlazy-beside.so"
		" -Wl,-rpath,'$ORIGIN'",
		test_directory(), path);
	return system(command) == 0;
}

/* The dynamic linker takes $ORIGIN from the path that it is told. */
TEST(other_path_of_a_file_is_tried_too)
{
	const char *store = own_path("store/p.so");
	const char *linked = own_path("plugins/p.so");

	if (!make_needy(store))
		test_skip("no compiler");
	CHECK_INT(symlink(store, linked), 0);
	struct dlazy_module *m = opened(store, 0);
	CHECK_INT(dlazy_load(m), -DLAZY_EDEPEND);
	CHECK_INT(dlazy_check(m), -DLAZY_EDEPEND);
	CHECK(!dlazy_open(store, DLAZY_CHECK));
	CHECK(opened(linked, DLAZY_CHECK) == m);
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(call_int(symbol_of(m, "answer")), 7);
	CHECK_STR(dlazy_module_path(m), linked);
	CHECK(opened(store, DLAZY_CHECK) == m);
}

TEST(first_path_that_can_be_loaded_is_the_modules)
{
	const char *store = own_path("store/p.so");
	const char *linked = own_path("plugins/p.so");

	if (!make_needy(linked))
		test_skip("no compiler");
	CHECK_INT(link(linked, store), 0);
	struct dlazy_module *m = opened(linked, DLAZY_DISCARD);
	CHECK(opened(store, DLAZY_DISCARD) == m);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(dlazy_module_path(m), linked);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(dlazy_close(m), 0);
	CHECK_INT(dlazy_close(m), 0);
	/* Nobody has it, so that the path of the next open is the first. */
	CHECK(opened(store, 0) == m);
	CHECK_STR(dlazy_module_path(m), store);
	CHECK_INT(dlazy_load(m), 0); /* by the other */
	CHECK_STR(dlazy_module_path(m), linked);
}

/* ------------------------------------------------------------------ */
/* What one opener asks for is not another's                          */

TEST(failed_open_leaves_no_flags)
{
	const char *store = own_path("store/p.so");
	char command[9000];

	if (!make_needy(store))
		test_skip("no compiler");
	struct dlazy_module *m = opened(store, 0);
	CHECK(!dlazy_open(store, RTLD_NOW | RTLD_GLOBAL | DLAZY_ON_SYM));
	snprintf(command, sizeof(command),
		 "cd '%s' && cp plugins/libdlazy-beside.so store",
		 test_directory());
	CHECK_INT(system(command), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK(dlsym(RTLD_DEFAULT, "answer") == NULL);
}

/* Another object's code, for who opens and who asks. */
static const void *other_object(void)
{
	return dlsym(RTLD_DEFAULT, "getpid");
}

TEST(flags_are_those_of_the_object_that_opens)
{
	needs_stubs();
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, 0);
	const void *other = other_object();

	CHECK(open_module(path, DLAZY_ON_SYM, other, false) == m);
	void *stub = dlazy_sym(m, "plain_answer");
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK(bind_sym(m, "plain_answer", false, other) != stub);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK(dlazy_sym(m, "plain_answer") == stub);
}

/* Its undefined function would make the load fail. */
TEST(load_is_with_the_flags_of_who_asks)
{
	needs_stubs();
	const char *path = own_path("p.so");
	char command[9000];

	snprintf(command, sizeof(command),
		 "echo 'int no_such_function(void); int answer(int x)"
		 " { return x ? no_such_function() : 7; }' | ${CC:-cc} -shared"
		 " -fPIC -x c - -o '%s' -Wl,-z,lazy -Wl,-z,undefs",
		 path);
	if (system(command) != 0)
		test_skip("no compiler");
	struct dlazy_module *m = opened(path, RTLD_LAZY);
	CHECK(open_module(path, RTLD_NOW, other_object(), false) == m);
	CHECK_INT(dlazy_load(m), 0);
	CHECK(dlazy_open(path, RTLD_LAZY) == m);
}

TEST(flags_end_with_the_last_close)
{
	needs_stubs();
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, DLAZY_ON_SYM);

	CHECK_INT(dlazy_close(m), 0);
	CHECK(opened(path, 0) == m);
	CHECK(dlazy_sym(m, "plain_answer") != NULL);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(registry_shares_the_module)
{
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);
	struct dlazy_registry *r = dlazy_registry_new();

	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), 0), 0);
	CHECK(dlazy_registry_find(r, "p") == m);
	CHECK_INT(dlazy_close(m), 0);
	CHECK_STR(dlazy_module_name(m), "p");
	CHECK_INT(dlazy_close(m), -DLAZY_EINVAL);
	dlazy_registry_free(r);
	CHECK(dlazy_module_name(m) == NULL);
}

/* Puts another file in its place, as package managers do. */
static void replace(const char *path, const char *plugin)
{
	rename(own_copy(plugin, "new"), path);
}

/* Writes other contents into the same file, as compilers do. */
static void overwrite(const char *path, const char *plugin)
{
	usleep(20000); /* file times have the kernel's tick */
	test_copy(test_plugin(plugin), path);
}

TEST(replaced_file_is_a_new_module)
{
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *old = opened(path, 0);

	replace(path, "good-plain-other");
	struct dlazy_module *new = opened(path, 0);
	CHECK(new != old);
	CHECK_INT(call_int(symbol_of(new, "plain_answer")), 43);
}

TEST(replaced_file_is_loaded_beside_the_old_one)
{
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *old = opened(path, 0);

	CHECK_INT(call_int(symbol_of(old, "plain_answer")), 42);
	replace(path, "good-plain-other");
	struct dlazy_module *new = opened(path, 0);
	CHECK_INT(call_int(symbol_of(new, "plain_answer")), 43);
	CHECK_INT(call_int(symbol_of(new, "plain_news")), 44);
	CHECK_INT(call_int(symbol_of(old, "plain_answer")), 42);
}

/* What a registry has of it is a record: the file would have to be read. */
TEST(loaded_module_is_not_asked_for_in_another_file)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_registry *r = dlazy_registry_new();

	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), 0), 0);
	struct dlazy_module *old = dlazy_registry_find(r, "p");
	CHECK_INT(dlazy_load(old), 0);
	replace(path, "good-plain-other");
	CHECK(!dlazy_sym(old, "plain_news"));
	CHECK_STATUS(DLAZY_ENOSYM);
	CHECK_INT(call_int(symbol_of(old, "plain_answer")), 42);
	struct dlazy_module *new = opened(path, 0);
	CHECK(new != old);
	CHECK_INT(call_int(symbol_of(new, "plain_news")), 44);
	dlazy_registry_free(r);
}

TEST(file_overwritten_in_place_is_read_anew_at_first_touch)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *stub = symbol_of(m, "plain_answer");

	overwrite(path, "good-plain-other");
	CHECK_INT(call_int(stub), 43);
	CHECK(opened(path, 0) == m);
}

/* Not with another plugin: destructors run at the end of the test, too. */
TEST(file_overwritten_while_it_is_loaded_is_refused)
{
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	CHECK_INT(dlazy_load(m), 0);
	FILE *file = fopen(path, "a");
	CHECK(file && fputs("more", file) >= 0 && fclose(file) == 0);
	CHECK(!dlazy_open(path, 0));
	CHECK_STATUS(DLAZY_EFORMAT);
	CHECK(!dlazy_open(path, 0));
	CHECK_IN(dlazy_error(), "overwritten while it is loaded");
	replace(path, "good-plain-other");
	struct dlazy_module *new = opened(path, 0);
	CHECK_INT(call_int(symbol_of(new, "plain_answer")), 43);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
}

/* The inode of what was removed is given to the next file. */
TEST(module_is_not_that_of_a_later_file_with_its_inode)
{
	struct dlazy_module *m = NULL;

	for (int i = 0; i < 20; i++) {
		const char *path = own_copy("good-plain", i % 2 ? "a" : "b");

		m = opened(path, 0);
		CHECK_STR(dlazy_module_path(m), path);
		CHECK(dlazy_sym(m, "plain_answer") != NULL);
		CHECK_INT(unlink(path), 0);
	}
}

TEST(not_exported_is_checked_against_the_file)
{
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	CHECK(!dlazy_sym(m, "plain_news"));
	overwrite(path, "good-plain-other");
	CHECK_INT(call_int(symbol_of(m, "plain_news")), 44);
}

/* ------------------------------------------------------------------ */
/* Handles                                                            */

static void check_refused(struct dlazy_module *m)
{
	void *pointer = NULL;
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	CHECK(!dlazy_sym(m, "plain_answer"));
	CHECK_STATUS(DLAZY_EINVAL);
	CHECK(!dlazy_sym_closure(m, "plain_answer"));
	CHECK_STATUS(DLAZY_EINVAL);
	CHECK(!dlazy_resolve(m, "plain_answer"));
	CHECK_STATUS(DLAZY_EINVAL);
	CHECK_INT(dlazy_load(m), -DLAZY_EINVAL);
	CHECK_INT(dlazy_prefetch(m), -DLAZY_EINVAL);
	CHECK_INT(dlazy_unload(m), -DLAZY_EINVAL);
	CHECK_INT(dlazy_close(m), -DLAZY_EINVAL);
	CHECK_INT(dlazy_bind(m, &import, 1), -DLAZY_EINVAL);
	CHECK_INT(dlazy_call(m, "plain_answer", "i()", NULL, NULL),
		  -DLAZY_EINVAL);
	CHECK_INT(dlazy_module_state(m), DLAZY_FAILED);
	CHECK(!dlazy_module_name(m));
	CHECK(!dlazy_module_path(m));
}

TEST(closed_handle_is_refused)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_close(m), 0);
	check_refused(m);
}

TEST(foreign_handle_is_refused)
{
	int nothing[16] = {0};

	check_refused((struct dlazy_module *)nothing);
	check_refused((struct dlazy_module *)(uintptr_t)1);
}

TEST(null_handle_is_refused)
{
	char *none = NULL;

	check_refused((struct dlazy_module *)none);
}

TEST(null_symbol_is_einval)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK(!dlazy_sym(m, NULL));
	CHECK_STATUS(DLAZY_EINVAL);
	CHECK(!dlazy_resolve(m, NULL));
	CHECK_STATUS(DLAZY_EINVAL);
	CHECK_INT(dlazy_call(m, NULL, "v()", NULL, NULL), -DLAZY_EINVAL);
}

TEST(stub_outlives_the_handle)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_close(m), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(call_int(stub), 42);
}

TEST(object_stays_mapped_after_close)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	CHECK_INT(dlazy_close(m), 0);
	CHECK(test_mapped("good-plain.so") > 0);
	CHECK_INT(call_int(stub), 42);
}

TEST(closed_module_can_be_opened_again)
{
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_close(m), 0);
	m = opened(path, 0);
	CHECK(symbol_of(m, "plain_answer") == stub);
}

/* ------------------------------------------------------------------ */
/* Errors                                                             */

TEST(error_is_said_once)
{
	CHECK(!dlazy_open("/nonexistent/x.so", 0));
	CHECK_IN(dlazy_error(), "/nonexistent/x.so");
	CHECK(dlazy_error() == NULL);
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
}

TEST(success_leaves_the_last_failure_alone)
{
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	own_copy("good-plain", "p.so");
	CHECK(!dlazy_open("/nonexistent/x.so", 0));

	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), 0), 0);
	struct dlazy_module *m = dlazy_registry_find(r, "p");
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	CHECK_IN(dlazy_error(), "/nonexistent/x.so");
	dlazy_registry_free(r);
}

TEST(success_has_no_error)
{
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	own_copy("good-plain", "p.so");

	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), 0), 0);
	CHECK_STR(dlazy_error() ? "said" : "silent", "silent");
	struct dlazy_module *m = dlazy_registry_find(r, "p");
	CHECK(!dlazy_registry_next(r, m));
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	CHECK_STR(dlazy_error() ? "said" : "silent", "silent");
	CHECK_INT(dlazy_last_status(), 0);
	dlazy_registry_free(r);
}

/* ------------------------------------------------------------------ */
/* DLAZY in the environment                                           */

TEST(off_is_dlopen_and_dlsym)
{
	setenv("DLAZY", "off", 1);
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, 0);

	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	void *handle = dlopen(path, RTLD_NOW);
	CHECK(dlazy_sym(m, "plain_answer") == dlsym(handle, "plain_answer"));
	CHECK(!dlazy_sym(m, "plain_question"));
	CHECK_STATUS(DLAZY_ENOSYM);
	dlclose(handle);
}

TEST(eager_mode_loads_and_gives_stubs)
{
	needs_stubs();
	setenv("DLAZY", "eager", 1);
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	void *stub = symbol_of(m, "plain_answer");
	CHECK(stub != dlazy_resolve(m, "plain_answer"));
	CHECK_INT(call_int(stub), 42);
}

TEST(lazy_mode_is_the_default)
{
	setenv("DLAZY", "lazy", 1);
	CHECK_INT(dlazy_module_state(opened(test_plugin("good-plain"), 0)),
		  DLAZY_DECLARED);
}

/* This program once more, setuid root, started by somebody else. */
static void run_secure(const char *test)
{
	char own[4096];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	const char *copy = own_path("secure");

	CHECK(n > 0);
	own[n] = '\0';
	test_copy(own, copy);
	CHECK_INT(chmod(copy, 04755), 0);
	CHECK_INT(chmod(test_directory(), 0755), 0);
	setenv("TMPDIR", test_directory(), 1);
	if (setuid(65534) < 0)
		test_skip("not root");
	execl(copy, copy, test, (char *)NULL);
	_exit(127);
}

/* A policy file that the environment names, which programs obey. */
static void name_policy(void)
{
	const char *file = own_path("user.policy");
	FILE *out = fopen(file, "w");

	CHECK(out != NULL);
	fputs("libm = eager\n", out);
	fclose(out);
	setenv("DLAZY_POLICY", file, 1);
	pid_t pid = fork(); /* the library reads its environment once */
	if (pid == 0)
		_exit(dlazy_module_state(opened("libm.so.6", 0)) !=
		      DLAZY_LOADED);
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

TEST(environment_is_ignored_in_secure_programs)
{
	int status;

	if (getauxval(AT_SECURE)) {
		struct dlazy_module *m = opened("libm.so.6", 0);
		CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
		CHECK_INT(dlazy_load(m), 0);
		return;
	}
	if (getuid() != 0)
		test_skip("not root");
	name_policy();
	setenv("DLAZY", "eager", 1);
	CHECK_INT(dlazy_module_state(opened(test_plugin("good-plain"), 0)),
		  DLAZY_LOADED);
	setenv("DLAZY_FORBID", "*", 1);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		run_secure("environment_is_ignored_in_secure_programs");
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

/* It is not mapped yet, so nothing says which of the two it has to be. */
TEST(file_replaced_before_its_first_touch_is_loaded)
{
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *answer = symbol_of(m, "plain_answer");

	CHECK_INT(rename(own_copy("good-plain", "q.so"), path), 0);
	CHECK_INT(call_int(answer), 42);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}
