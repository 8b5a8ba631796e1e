/* SPDX-License-Identifier: MIT */
/*
 * dlazy_reload(): stubs and pointers go to the new object, the old one goes or
 * stays as was promised, and what cannot be reloaded is left as it was.
 */
#include "tests/unit/opened.h"
#include "tests/unit/world.h"

#include "base/array.h"
#include "load/module.h"
#include "load/open.h"

#include <dlazy/lifecycle.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Puts a plugin in the place of a file of the test's directory: another inode. */
static const char *put(const char *plugin, const char *file)
{
	const char *path = own_path(file);

	test_copy(test_plugin(plugin), own_path("new"));
	CHECK_INT(rename(own_path("new"), path), 0);
	return path;
}

/* The same, of source text, in which V is the version. */
static const char *build(const char *file, const char *source, int version,
			 const char *needs)
{
	char options[256];

	snprintf(options, sizeof(options),
		 "-shared -fPIC -DV=%d -Wl,-soname,%s", version,
		 strrchr(file, '/') ? strrchr(file, '/') + 1 : file);
	world_compile("new", source, options, needs);
	CHECK_INT(rename(own_path("new"), own_path(file)), 0);
	return own_path(file);
}

static void check_reloaded(struct dlazy_module *m)
{
	if (dlazy_reload(m) < 0)
		test_fail(__FILE__, __LINE__, "%s", dlazy_error());
}

TEST(stubs_and_pointers_go_to_the_new_object)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *pointer, *stub = symbol_of(m, "plain_answer");
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(call_int(pointer), 42);
	CHECK(pointer != stub);
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_INT(call_int(stub), 43);
	CHECK_INT(call_int(pointer), 43);
	CHECK(pointer != stub);
	CHECK(symbol_of(m, "plain_answer") == stub);
	CHECK_INT(call_int(symbol_of(m, "plain_news")), 44);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK_STR(dlazy_module_path(m), path);
	/* The old object has no promise that nobody is in it. */
	CHECK(test_mapped("p.so (deleted)") > 0);
}

TEST(discardable_object_is_unmapped)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK(!dlazy_error());
	CHECK_INT(test_mapped("p.so (deleted)"), 0);
	CHECK_INT(call_int(stub), 43);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(test_mapped("p.so"), 0);
	CHECK_INT(call_int(stub), 43);
}

TEST(what_was_given_out_stays)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *real = dlazy_resolve(m, "plain_answer");

	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_IN(dlazy_error(), "real address");
	CHECK_INT(call_int(real), 42);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 43);
	CHECK_INT(call_int(dlazy_resolve(m, "plain_answer")), 43);
}

TEST(the_same_file_is_not_reloaded)
{
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_reload(m), -DLAZY_EFORMAT);
	CHECK_IN(dlazy_error(), "rename");
	/* As if it were overwritten in place: the same inode. */
	CHECK_INT(utimensat(AT_FDCWD, path, NULL, 0), 0);
	CHECK_INT(dlazy_reload(m), -DLAZY_EFORMAT);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK_INT(dlazy_reload(NULL), -DLAZY_EINVAL);
}

TEST(what_cannot_be_loaded_changes_nothing)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	put("bad-missing-library", "p.so");
	CHECK_INT(dlazy_reload(m), -DLAZY_EDEPEND);
	CHECK_INT(call_int(stub), 42);
	test_copy("/proc/self/cmdline", own_path("new"));
	CHECK_INT(rename(own_path("new"), path), 0);
	CHECK_INT(dlazy_reload(m), -DLAZY_EFORMAT);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(dlazy_reload(m), -DLAZY_ENOENT);
	CHECK_INT(call_int(stub), 42);
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_INT(call_int(stub), 43);
}

TEST(what_is_not_loaded_becomes_the_new_file)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_reload(m), -DLAZY_EFORMAT);
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK(opened(path, 0) == m);
	CHECK_INT(call_int(stub), 43);
}

/* What dlopen() would have mapped, and is kept for that, is not what it is any more. */
TEST(what_is_away_again_is_not_the_old_file)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = open_module(path, 0, put, true);

	CHECK(m != NULL);
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(dlazy_load(m), -DLAZY_ENOENT);
	put("good-plain-other", "p.so");
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 43);
}

TEST(what_has_failed_is_loaded)
{
	const char *path = put("bad-missing-library", "p.so");
	struct dlazy_module *m = opened(path, 0);

	CHECK_INT(dlazy_load(m), -DLAZY_EDEPEND);
	put("good-plain", "p.so");
	check_reloaded(m);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(find_and_later_opens_give_the_module)
{
	needs_stubs();
	struct dlazy_registry *r = dlazy_registry_new();

	mkdir(own_path("d"), 0755);
	const char *path = put("good-plain", "d/p.so");
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), 0), 0);
	struct dlazy_module *m = dlazy_registry_find(r, "p");
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	put("good-plain-other", "d/p.so");
	CHECK_INT(dlazy_registry_refresh(r), 1);
	/* A file that was put there is another module, until a reload. */
	CHECK(dlazy_registry_find(r, "p") != m);
	check_reloaded(m);
	CHECK(dlazy_registry_find(r, "p") == m);
	CHECK(dlazy_registry_next(r, NULL) == m);
	CHECK(opened(path, 0) == m);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 43);
	dlazy_registry_free(r);
}

TEST(the_file_may_be_loaded_as_another_module_already)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	put("good-plain-other", "p.so");
	struct dlazy_module *other = opened(path, 0);
	CHECK(other != m);
	CHECK_INT(call_int(symbol_of(other, "plain_answer")), 43);
	check_reloaded(m);
	CHECK_INT(call_int(stub), 43);
	CHECK(opened(path, 0) == m);
}

#define TLS_SOURCE "__thread int t = V; int answer(void) { return t; }"

TEST(thread_local_storage_stays_and_is_told)
{
	needs_stubs();
	const char *path = build("t.so", TLS_SOURCE, 1, "");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "answer");

	CHECK_INT(call_int(stub), 1);
	for (int i = 2; i < 50; i++) {
		build("t.so", TLS_SOURCE, i, "");
		CHECK_INT(dlazy_reload(m), 0);
		CHECK_IN(dlazy_error(), "thread-local");
		CHECK_INT(call_int(stub), i);
		if (i == 5 && !getenv("TEST_DEEP"))
			break;
	}
}

TEST(unique_symbols_are_no_hindrance)
{
	needs_stubs();
	if (access(test_plugin("good-unique"), R_OK) < 0)
		test_skip("no C++ compiler");
	const char *path = put("good-unique", "u.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "unique_answer");

	CHECK_INT(call_int(stub), 1);
	put("good-unique", "u.so");
	CHECK_INT(dlazy_reload(m), 0);
	CHECK_IN(dlazy_error(), "unique");
	CHECK(call_int(stub) >= 1);
}

#define GLOBAL_SOURCE                    \
	"int inner(void) { return V; } " \
	"int answer(void) { return inner(); }"

TEST(object_in_the_global_scope_is_replaced)
{
	needs_stubs();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("sanitizers refuse RTLD_DEEPBIND");
#endif
	const char *path = build("g.so", GLOBAL_SOURCE, 1, "");
	struct dlazy_module *m = opened(path, RTLD_GLOBAL);
	void *stub = symbol_of(m, "answer");

	CHECK_INT(call_int(stub), 1);
	build("g.so", GLOBAL_SOURCE, 2, "");
	check_reloaded(m);
	CHECK_INT(call_int(stub), 2);
}

#define BASE_SOURCE "int base(void) { return V; }"
#define USER_SOURCE "int base(void); int user(void) { return base(); }"

TEST(what_needs_it_keeps_it_from_being_reloaded)
{
	needs_stubs();
	const char *path = build("b.so", BASE_SOURCE, 1, "");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *user;

	CHECK_INT(call_int(symbol_of(m, "base")), 1);
	build("u.so", USER_SOURCE, 1, "-l:b.so");
	user = dlopen(own_path("u.so"), RTLD_NOW);
	CHECK(user != NULL);
	build("b.so", BASE_SOURCE, 2, "");
	CHECK_INT(dlazy_reload(m), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "u.so");
	CHECK_INT(call_int(symbol_of(m, "base")), 1);
	CHECK_INT(dlclose(user), 0);
	check_reloaded(m);
	CHECK_INT(call_int(symbol_of(m, "base")), 2);
}

TEST(what_needs_it_later_gets_the_new_object)
{
	needs_stubs();
	struct dlazy_module *m = opened(build("b.so", BASE_SOURCE, 1, ""), 0);

	CHECK_INT(call_int(symbol_of(m, "base")), 1);
	build("b.so", BASE_SOURCE, 2, "");
	check_reloaded(m);
	CHECK_INT(call_int(symbol_of(m, "base")), 2);
	struct dlazy_module *user =
		opened(build("u.so", USER_SOURCE, 1, "-l:b.so"), 0);
	CHECK_INT(call_int(symbol_of(user, "user")), 2);
}

static int prepared_answer, refusal;

static int prepare(struct dlazy_module *m, void *data)
{
	(void)data;
	prepared_answer = call_int(symbol_of(m, "plain_answer"));
	return refusal;
}

TEST(function_after_the_load_has_the_new_object)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *pointer, *stub = symbol_of(m, "plain_answer");
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	CHECK_INT(dlazy_on_load(m, prepare, NULL), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(prepared_answer, 42);
	put("good-plain-other", "p.so");
	refusal = -DLAZY_EINTERFACE;
	CHECK_INT(dlazy_reload(m), -DLAZY_EINTERFACE);
	CHECK_INT(prepared_answer, 43);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(call_int(pointer), 42);
	CHECK(pointer != stub);
	refusal = prepared_answer = 0;
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_INT(prepared_answer, 43);
	CHECK_INT(call_int(stub), 43);
	CHECK_INT(call_int(pointer), 43);
}

static int end_of_child;

static void *fork_and_call(void *data)
{
	struct dlazy_module *m = data;
	pid_t child = fork();

	if (child == 0)
		_exit(call_int(symbol_of(m, "plain_answer")) == 42 &&
				      !atomic_load(&m->next_handle)
			      ? 0
			      : 1);
	CHECK(waitpid(child, &end_of_child, 0) == child);
	return NULL;
}

static int fork_by_another_thread(struct dlazy_module *m, void *data)
{
	pthread_t thread;

	(void)data;
	if (dlazy_module_state(m) != DLAZY_LOADED)
		return 0; /* the first load */
	CHECK_INT(pthread_create(&thread, NULL, fork_and_call, m), 0);
	CHECK_INT(pthread_join(thread, NULL), 0);
	return 0;
}

TEST(child_that_is_forked_meanwhile_has_the_old_object_for_good)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	end_of_child = -1;
	CHECK_INT(dlazy_on_load(m, fork_by_another_thread, NULL), 0);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_INT(end_of_child, 0);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 43);
}

static char told[512];

static void tell(const struct dlazy_event *event, void *data)
{
	static const char *const words[] = {
		[DLAZY_EVENT_LOADING] = "loading",
		[DLAZY_EVENT_LOADED] = "loaded",
		[DLAZY_EVENT_FAILED] = "failed",
	};
	size_t n = strlen(told);

	(void)data;
	if (event->kind < ARRAY_SIZE(words) && words[event->kind])
		snprintf(told + n, sizeof(told) - n, "%s:%s:%d ",
			 dlazy_module_name(event->module), words[event->kind],
			 event->status);
}

TEST(a_reload_is_told_with_its_end)
{
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_observe(tell, NULL), 0);
	put("bad-missing-library", "p.so");
	CHECK_INT(dlazy_reload(m), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "which is not found");
	CHECK_STR(told, "p:loading:0 p:failed:-7 ");
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	told[0] = 0;
	put("good-plain-other", "p.so");
	check_reloaded(m);
	CHECK_STR(told, "p:loading:0 p:loaded:0 ");
}

/* A registry of own_path("d") with b.so, which answers 7, and others. */
static struct dlazy_registry *with_base(void)
{
	struct dlazy_registry *r = dlazy_registry_new();

	mkdir(own_path("d"), 0755);
	build("d/b.so", "int base(void) { return V; }", 7, "");
	build("d/u.so", "int answer(void) { return V; }", 1, "");
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), DLAZY_DISCARD), 0);
	return r;
}

#define NEEDS_BASE "int base(void); int answer(void) { return V + base(); }"

/* Which the linker would not find. */
TEST(what_only_the_new_file_needs_is_loaded)
{
	needs_stubs();
	struct dlazy_registry *r = with_base();
	struct dlazy_module *m = dlazy_registry_find(r, "u");
	struct dlazy_module *b = dlazy_registry_find(r, "b");
	void *stub = symbol_of(m, "answer");

	CHECK_INT(call_int(stub), 1);
	build("d/u.so", NEEDS_BASE, 2, own_path("d/b.so"));
	check_reloaded(m);
	CHECK_INT(call_int(stub), 9);
	CHECK_INT(dlazy_module_state(b), DLAZY_LOADED);
	/* It is what it requires from now on. */
	CHECK_INT(dlazy_pin(m), 0);
	CHECK_INT(dlazy_unload(b), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "u requires it");
	CHECK_INT(dlazy_unpin(m), 0);
	build("d/u.so", "int answer(void) { return V; }", 3, "");
	check_reloaded(m);
	CHECK_INT(call_int(stub), 3);
	CHECK_INT(dlazy_unload(b), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	dlazy_registry_free(r);
}

TEST(what_the_new_file_requires_and_cannot_be_had_changes_nothing)
{
	needs_stubs();
	struct dlazy_registry *r = with_base();
	struct dlazy_module *m = dlazy_registry_find(r, "u");
	void *stub = symbol_of(m, "answer");

	CHECK_INT(call_int(stub), 1);
	build("d/u.so", NEEDS_BASE, 2, own_path("d/b.so"));
	CHECK_INT(dlazy_observe(tell, NULL), 0);
	CHECK_INT(unlink(own_path("d/b.so")), 0);
	CHECK(dlazy_reload(m) < 0);
	CHECK_IN(told, "u:loading:0 ");
	CHECK_IN(told, "u:failed:");
	CHECK_INT(call_int(stub), 1);
	dlazy_registry_free(r);
}

static int something;

TEST(builtin_is_not_reloaded)
{
	struct dlazy_registry *r = dlazy_registry_new();
	struct dlazy_symbol symbol = {"something", &something};

	CHECK_INT(dlazy_registry_add_builtin(r, "in", &symbol, 1), 0);
	CHECK_INT(dlazy_reload(dlazy_registry_find(r, "in")), -DLAZY_EBUSY);
	dlazy_registry_free(r);
}

TEST(in_a_forbidden_phase_nothing_is_reloaded)
{
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	CHECK_INT(dlazy_load(m), 0);
	put("good-plain-other", "p.so");
	CHECK_INT(dlazy_forbid_loading("sandbox"), 0);
	CHECK_INT(dlazy_reload(m), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "sandbox");
	CHECK_INT(dlazy_forbid_loading(NULL), 0);
	check_reloaded(m);
}

static int descriptors_and_maps(void)
{
	return test_mapped("");
}

TEST_SECONDS(ten_thousand_reloads_leave_no_mapping, 300)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	test_skip("a sanitizer maps more as time goes by");
#endif
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");
	unsigned rounds = test_rounds(10000);

	CHECK_INT(call_int(stub), 42);
	int maps = descriptors_and_maps();
	for (unsigned i = 0; i < rounds; i++) {
		put(i % 2 ? "good-plain" : "good-plain-other", "p.so");
		CHECK_INT(dlazy_reload(m), 0);
		CHECK_INT(call_int(stub), i % 2 ? 42 : 43);
	}
	CHECK_INT(test_mapped("p.so (deleted)"), 0);
	CHECK(descriptors_and_maps() <= maps + 8);
}

static _Atomic(bool) is_over;

struct calls {
	int_fn *stub;
	void **pointer;
	unsigned long count;
};

static void *call_always(void *data)
{
	struct calls *calls = data;

	while (!is_over) {
		int_fn *bound;
		void *pointer =
			__atomic_load_n(calls->pointer, __ATOMIC_ACQUIRE);

		memcpy(&bound, &pointer, sizeof(bound));
		int a = calls->stub(), b = bound();
		CHECK((a == 42 || a == 43) && (b == 42 || b == 43));
		calls->count++;
	}
	return NULL;
}

TEST(threads_call_while_it_is_reloaded)
{
	needs_stubs();
	const char *path = put("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);
	void *pointer, *stub = symbol_of(m, "plain_answer");
	struct dlazy_import import = {"plain_answer", &pointer, NULL};
	struct calls calls[4];
	pthread_t threads[4];
	unsigned rounds = test_rounds(500);

	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	for (int i = 0; i < 4; i++) {
		calls[i] = (struct calls){.pointer = &pointer};
		memcpy(&calls[i].stub, &stub, sizeof(stub));
		pthread_create(&threads[i], NULL, call_always, &calls[i]);
	}
	for (unsigned i = 0; i < rounds; i++) {
		put(i % 2 ? "good-plain" : "good-plain-other", "p.so");
		/* The first call of one of them may be loading it. */
		while (dlazy_reload(m) == -DLAZY_EBUSY)
			usleep(100);
		CHECK_INT(dlazy_module_state(m) == DLAZY_LOADED ||
				  dlazy_module_state(m) == DLAZY_LOADING ||
				  dlazy_module_state(m) == DLAZY_DECLARED,
			  1);
	}
	is_over = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(call_int(stub), rounds % 2 ? 43 : 42);
	CHECK_INT(call_int(pointer), rounds % 2 ? 43 : 42);
}
