/* SPDX-License-Identifier: MIT */
/*
 * Unloading: what is opened with DLAZY_DISCARD goes, and comes back at the next
 * call; each reason to refuse is given in words.
 */
#include "tests/unit/opened.h"

#include <dlfcn.h>
#include <unistd.h>

/* Unloading must be refused, with that in the message. */
static void check_stays(struct dlazy_module *m, const char *reason)
{
	CHECK_INT(dlazy_unload(m), -DLAZY_EBUSY);
	CHECK_INT(dlazy_last_status(), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), reason);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(real_plugin_is_unmapped_and_called_again)
{
	needs_stubs();
	const char *path = "/usr/lib/frei0r-1/brightness.so";

	if (access(path, R_OK) < 0)
		test_skip("no frei0r-plugins");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *init = symbol_of(m, "f0r_init");
	CHECK_INT(call_int(init), 1);
	CHECK(test_mapped("brightness.so") > 0);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(test_mapped("brightness.so"), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(call_int(init), 1);
	CHECK(test_mapped("brightness.so") > 0);
}

TEST(what_is_not_loaded_is_unloaded_already)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_DISCARD);

	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(dlazy_unload(m), 0);
}

TEST(rebuilt_plugin_is_taken_at_the_next_call)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	CHECK_INT(dlazy_unload(m), 0);
	usleep(20000);
	test_copy(test_plugin("good-plain-other"), path);
	CHECK_INT(call_int(stub), 43);
	CHECK_INT(call_int(symbol_of(m, "plain_news")), 44);
}

/* A host that reloads: the new file is renamed over the old one. */
TEST(replaced_module_goes_though_another_has_its_path)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *old = opened(path, DLAZY_DISCARD);

	CHECK_INT(call_int(symbol_of(old, "plain_answer")), 42);
	CHECK_INT(rename(own_copy("good-plain-other", "new"), path), 0);
	struct dlazy_module *new = opened(path, DLAZY_DISCARD);
	CHECK_INT(call_int(symbol_of(new, "plain_answer")), 43);
	CHECK_INT(dlazy_unload(old), 0);
	CHECK_INT(dlazy_module_state(old), DLAZY_DECLARED);
	CHECK_INT(call_int(symbol_of(new, "plain_news")), 44);
	CHECK_INT(dlazy_unload(new), 0);
	CHECK_INT(test_mapped("/p.so"), 0);
}

TEST(replaced_module_that_others_hold_stays_itself)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *old = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(old, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	void *others = dlopen(path, RTLD_NOW);
	CHECK(others != NULL);
	CHECK_INT(rename(own_copy("good-plain-other", "new"), path), 0);
	struct dlazy_module *new = opened(path, DLAZY_DISCARD);
	CHECK_INT(call_int(symbol_of(new, "plain_answer")), 43);
	check_stays(old, "other references");
	CHECK_INT(call_int(stub), 42);
	dlclose(others);
	CHECK_INT(dlazy_unload(old), 0);
}

TEST(bound_pointers_of_a_discardable_module_stay_stubs)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_DISCARD);
	void *pointer;
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	void *stub = pointer;
	CHECK_INT(call_int(pointer), 42);
	CHECK(pointer == stub);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(call_int(pointer), 42);
}

TEST(unloading_needs_the_flag)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_load(m), 0);
	check_stays(m, "DLAZY_DISCARD");
}

TEST(unloading_needs_the_flag_of_all_that_opened)
{
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);

	CHECK_INT(dlazy_load(m), 0);
	opened(path, 0);
	check_stays(m, "DLAZY_DISCARD");
}

TEST(nodelete_stays)
{
	struct dlazy_module *m =
		opened(test_plugin("good-nodelete"), DLAZY_DISCARD);

	CHECK_INT(dlazy_load(m), 0);
	check_stays(m, "NODELETE");
}

TEST(unique_symbol_stays)
{
	needs_stubs();
	if (access(test_plugin("good-unique"), R_OK) < 0)
		test_skip("no C++ compiler");
	struct dlazy_module *m =
		opened(test_plugin("good-unique"), DLAZY_DISCARD);

	CHECK_INT(call_int(symbol_of(m, "unique_answer")), 1);
	check_stays(m, "STB_GNU_UNIQUE");
}

TEST(thread_local_storage_stays)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-kinds"), DLAZY_DISCARD);

	CHECK_INT(call_int(symbol_of(m, "kinds_function")), 9);
	check_stays(m, "thread-local");
}

/* The same of a record in a catalog, which says less than the file. */
TEST(reasons_are_known_of_a_registrys_module_too)
{
	struct dlazy_registry *r = dlazy_registry_new();

	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	own_copy("good-kinds", "kinds.so");
	own_copy("good-nodelete", "nodelete.so");
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), DLAZY_DISCARD),
		  0);
	struct dlazy_module *kinds = dlazy_registry_find(r, "kinds");
	struct dlazy_module *nodelete = dlazy_registry_find(r, "nodelete");
	CHECK_INT(dlazy_load(kinds), 0);
	CHECK_INT(dlazy_load(nodelete), 0);
	check_stays(kinds, "thread-local");
	check_stays(nodelete, "NODELETE");
	dlazy_registry_free(r);
}

static struct dlazy_module *loading;
static int refused;

static void unload_inside(const char *path)
{
	(void)path;
	refused = dlazy_unload(loading);
}

TEST(load_in_progress_stays)
{
	needs_stubs();
	set_constructor(unload_inside);
	loading = opened(test_plugin("good-host-constructor"), DLAZY_DISCARD);
	CHECK_INT(call_int(symbol_of(loading, "host_ready")), 1);
	CHECK_INT(refused, -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "in progress");
	CHECK_INT(dlazy_unload(loading), 0);
}

TEST(what_another_has_opened_stays)
{
	needs_stubs();
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	void *handle = dlopen(path, RTLD_NOW);
	CHECK(handle != NULL);
	check_stays(m, "other references");
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(test_mapped("good-plain.so"), 0);
}

TEST(given_out_address_stays)
{
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_DISCARD);

	CHECK_INT(call_int(dlazy_resolve(m, "plain_answer")), 42);
	check_stays(m, "real address");
}

TEST(destructors_run_before_the_next_constructors)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), DLAZY_DISCARD);

	CHECK_INT(call_int(symbol_of(m, "host_runs")), 1);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(call_int(symbol_of(m, "host_runs")), 1); /* a new object */
}
