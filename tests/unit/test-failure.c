/* SPDX-License-Identifier: MIT */
/*
 * First touches that fail: what is said, to whom, what is remembered, and when
 * it is tried again.
 */
#include "load/call.h"
#include "tests/unit/opened.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the hooks were told. */
static struct {
	int calls, status;
	struct dlazy_module *module;
	char symbol[64], message[1024];
	const void *caller, *data;
} told;

static int replacement(void)
{
	return 1000;
}

static int other_replacement(void)
{
	return 2000;
}

static void note_failure(const struct dlazy_failure *failure, void *data)
{
	CHECK(failure->size >= sizeof(*failure));
	told.calls++;
	told.status = failure->status;
	told.module = failure->module;
	told.caller = failure->caller;
	told.data = data;
	snprintf(told.symbol, sizeof(told.symbol), "%s", failure->symbol);
	snprintf(told.message, sizeof(told.message), "%s", failure->message);
}

static void *replace(const struct dlazy_failure *failure, void *data)
{
	note_failure(failure, data);
	return (void *)replacement;
}

static void *replace_otherwise(const struct dlazy_failure *failure, void *data)
{
	note_failure(failure, data);
	return (void *)other_replacement;
}

static void *decline(const struct dlazy_failure *failure, void *data)
{
	note_failure(failure, data);
	return NULL;
}

static int tries, failures;

static void count_tries(const struct dlazy_event *event, void *data)
{
	(void)data;
	tries += event->kind == DLAZY_EVENT_LOADING;
	failures += event->kind == DLAZY_EVENT_FAILED;
}

static struct dlazy_module *module;
static void *stub;

/* Opens a plugin that will fail, with a hook. */
static void prepare(const char *path, const char *symbol)
{
	module = opened(path, 0);
	stub = symbol_of(module, symbol);
	CHECK_INT(dlazy_observe(count_tries, NULL), 0);
	CHECK_INT(dlazy_on_failure(module, replace, &told), 0);
}

static void prepare_missing(void)
{
	prepare(own_copy("bad-missing-library", "p.so"), "missing_answer");
}

/* The library that was missing is installed. */
static void install_missing(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s", test_plugin("good-plain"));
	strcpy(strstr(path, "good-plain.so"), "absent/libdlazy-absent.so");
	test_copy(path, own_path("libdlazy-absent.so"));
}

/* ------------------------------------------------------------------ */
/* Causes                                                             */

TEST(missing_library_is_named)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.status, -DLAZY_EDEPEND);
	CHECK_IN(told.message, "libdlazy-absent.so");
	CHECK_IN(told.message, "p.so");
	CHECK_INT(dlazy_load(module), -DLAZY_EDEPEND);
	CHECK_INT(dlazy_module_state(module), DLAZY_FAILED);
}

TEST(undefined_symbol_is_eload_with_the_linkers_words)
{
	needs_stubs();
	prepare(test_plugin("bad-missing-symbol"), "symbol_answer");
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.status, -DLAZY_ELOAD);
	CHECK_IN(told.message, "dlazy_test_nobody_has_this");
}

TEST(hook_is_told_everything)
{
	needs_stubs();
	prepare_missing();
	call_int(stub);
	CHECK_INT(told.calls, 1);
	CHECK(told.module == module);
	CHECK_STR(told.symbol, "missing_answer");
	CHECK(told.data == &told);
	Dl_info info;
	CHECK(dladdr(told.caller, &info) && info.dli_fbase);
}

TEST(plugin_deleted_before_first_touch_is_enoent)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");

	prepare(path, "plain_answer");
	unlink(path);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.status, -DLAZY_ENOENT);
	CHECK_IN(told.message, "p.so");
}

TEST(plugin_replaced_by_garbage_is_eformat)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");

	prepare(path, "plain_answer");
	usleep(20000);
	test_copy("/etc/passwd", path);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.status, -DLAZY_EFORMAT);
}

/* Its program headers are gone, so the linker must not even be asked. */
TEST(plugin_damaged_before_first_touch_is_eformat)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");

	prepare(path, "plain_answer");
	usleep(20000);
	CHECK_INT(truncate(path, 100), 0);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.status, -DLAZY_EFORMAT);
}

TEST(symbol_gone_from_a_new_build_is_enosym)
{
	needs_stubs();
	const char *path = own_copy("good-plain-other", "p.so");

	prepare(path, "plain_news");
	usleep(20000);
	test_copy(test_plugin("good-plain"), path);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.status, -DLAZY_ENOSYM);
	CHECK_IN(told.message, "plain_news");
	CHECK_INT(call_int(symbol_of(module, "plain_answer")), 42);
}

/* ------------------------------------------------------------------ */
/* Memory                                                             */

TEST(failure_is_remembered_without_asking_again)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, NULL, NULL), 0);
	for (int i = 0; i < 5; i++)
		CHECK(!dlazy_resolve(module, "missing_answer"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "libdlazy-absent.so");
	CHECK_INT(tries, 1);
	CHECK_INT(failures, 1);
}

TEST(undefined_symbol_is_remembered_too)
{
	needs_stubs();
	prepare(test_plugin("bad-missing-symbol"), "symbol_answer");
	for (int i = 0; i < 5; i++)
		CHECK(!dlazy_resolve(module, "symbol_answer"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ELOAD);
	CHECK_INT(tries, 1);
}

TEST(load_tries_again)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_load(module), -DLAZY_EDEPEND);
	CHECK_INT(dlazy_load(module), -DLAZY_EDEPEND);
	CHECK_INT(tries, 2);
}

TEST(failure_heals_when_the_library_appears)
{
	needs_stubs();
	prepare_missing();
	CHECK(!dlazy_resolve(module, "missing_answer"));
	install_missing();
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(dlazy_module_state(module), DLAZY_LOADED);
	CHECK_INT(told.calls, 0);
}

/* A later open that fails takes nothing away. */
TEST(failed_open_leaves_what_was_bound_before)
{
	void *pointer, *bound;
	struct dlazy_import import = {"missing_answer", &pointer, NULL};

	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_bind(module, &import, 1), 0);
	bound = pointer;
	CHECK(!dlazy_open(own_path("p.so"), DLAZY_CHECK));
	install_missing();
	CHECK_INT(dlazy_load(module), 0);
	CHECK(pointer != bound);
}

TEST(failure_heals_when_somebody_loads_the_library)
{
	needs_stubs();
	char path[4096];

	prepare_missing();
	CHECK(!dlazy_resolve(module, "missing_answer"));
	CHECK_INT(mkdir(own_path("elsewhere"), 0700), 0);
	install_missing();
	snprintf(path, sizeof(path), "%s",
		 own_path("elsewhere/libdlazy-absent.so"));
	CHECK_INT(rename(own_path("libdlazy-absent.so"), path), 0);
	CHECK(dlopen(path, RTLD_NOW) != NULL);
	CHECK_INT(call_int(stub), 42);
}

TEST(failure_heals_when_the_file_changes)
{
	needs_stubs();
	const char *path = own_copy("bad-missing-symbol", "p.so");

	prepare(path, "symbol_answer");
	CHECK(!dlazy_resolve(module, "symbol_answer"));
	usleep(20000);
	test_copy(test_plugin("good-plain"), path);
	CHECK_INT(call_int(dlazy_resolve(module, "plain_answer")), 42);
}

TEST(undefined_symbol_heals_when_somebody_brings_it)
{
	needs_stubs();
	prepare(test_plugin("bad-missing-symbol"), "symbol_answer");
	CHECK(!dlazy_resolve(module, "symbol_answer"));
	CHECK_INT(tries, 1);
	CHECK(dlopen(test_plugin("good-plain"), RTLD_NOW) != NULL);
	CHECK(!dlazy_resolve(module, "symbol_answer"));
	CHECK_INT(tries, 2); /* what was loaded might have had it */
}

/* How many descriptors this process may have. */
static void limit_descriptors(rlim_t n)
{
	struct rlimit limit;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = n;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static rlim_t descriptors_in_use(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	close(fd);
	return (rlim_t)fd;
}

TEST(want_of_descriptors_is_not_remembered)
{
	needs_stubs();
	prepare(test_plugin("good-plain"), "plain_answer");
	limit_descriptors(descriptors_in_use());
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(dlazy_module_state(module), DLAZY_FAILED);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.calls, 2); /* it was tried again each time */
	limit_descriptors(64);
	CHECK_INT(call_int(stub), 42);
}

TEST(want_of_descriptors_does_not_stop_calls_by_signature_for_good)
{
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");
	char path[4096] = "";
	int answer = 0;

	if (stage)
		snprintf(path, sizeof(path), "%s/dlazy/ffi.so", stage);
	if (access(path, F_OK) < 0)
		test_skip("no ffi module in DLAZY_STAGE_LIBDIR");
	call_use_module(path);
	opened(path, 0); /* so that it is the load that fails */
	module = opened(test_plugin("good-plain"), 0);
	CHECK_INT(dlazy_load(module), 0);
	limit_descriptors(descriptors_in_use());
	CHECK(dlazy_call(module, "plain_answer", "i()", &answer, NULL) < 0);
	limit_descriptors(64);
	CHECK_INT(dlazy_call(module, "plain_answer", "i()", &answer, NULL), 0);
	CHECK_INT(answer, 42);
}

/* What this process has mapped, and that much more. */
static void limit_memory(rlim_t more)
{
	struct rlimit limit;
	long pages;
	FILE *file = fopen("/proc/self/statm", "r");

	CHECK(file && fscanf(file, "%ld", &pages) == 1);
	fclose(file);
	CHECK_INT(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
	CHECK_INT(setrlimit(RLIMIT_AS, &limit), 0);
}

static void lift_memory_limit(void)
{
	struct rlimit limit;

	CHECK_INT(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_AS, &limit), 0);
}

enum { HEALED = 10, LOADED };

/* Whatever it is that the last page was wanted for: the linker does not always
 * say why it could not map. HEALED: it failed first; or LOADED. */
static int heals_from_want_of_memory(rlim_t more)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		module = opened(test_plugin("good-needs-plain"), 0);
		limit_memory(more);
		int first = dlazy_load(module);
		lift_memory_limit();
		CHECK_INT(call_int(dlazy_sym(module, "needs_answer")), 142);
		_exit(first == 0 ? LOADED : HEALED);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(want_of_memory_is_not_remembered)
{
	rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE);

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	test_skip("a sanitizer needs all the address space");
#endif
	if (getenv("TEST_SLOW"))
		test_skip("valgrind wants memory of the same process");
	needs_stubs();
	for (rlim_t pages = 0;; pages++) {
		int loaded = heals_from_want_of_memory(pages * page);
		CHECK(loaded == HEALED || loaded == LOADED);
		CHECK(pages < 1000);
		if (loaded == LOADED)
			break;
	}
}

/* ------------------------------------------------------------------ */
/* Hooks                                                              */

TEST(replacement_is_kept_until_the_state_changes)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(told.calls, 1);
	install_missing();
	CHECK_INT(dlazy_load(module), 0);
	CHECK_INT(call_int(stub), 42);
}

TEST(module_hook_comes_before_the_process_hook)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_on_failure(NULL, replace_otherwise, NULL), 0);
	CHECK_INT(call_int(stub), 1000);
}

TEST(process_hook_is_asked_where_the_module_hook_declines)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, decline, NULL), 0);
	CHECK_INT(dlazy_on_failure(NULL, replace_otherwise, NULL), 0);
	CHECK_INT(call_int(stub), 2000);
	CHECK_INT(told.calls, 2);
}

TEST(process_hook_serves_any_module)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, NULL, NULL), 0);
	CHECK_INT(dlazy_on_failure(NULL, replace_otherwise, NULL), 0);
	CHECK_INT(call_int(stub), 2000);
}

/* A hook that mends the cause, and answers with the real thing. */
static void *mend(const struct dlazy_failure *failure, void *data)
{
	note_failure(failure, data);
	install_missing();
	CHECK_INT(dlazy_load(failure->module), 0);
	return dlazy_resolve(failure->module, failure->symbol);
}

TEST(hook_may_load_the_module_itself)
{
	needs_stubs();
	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, mend, NULL), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(told.calls, 1);
}

static void touch(void *address)
{
	call_int(address);
}

TEST(without_a_hook_the_process_is_told_why_and_aborted)
{
	needs_stubs();
	char said[8192];

	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, NULL, NULL), 0);
	int status = test_child(touch, stub, said, sizeof(said));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_IN(said, "missing_answer");		  /* the symbol */
	CHECK_IN(said, "\"p\"");			  /* the module */
	CHECK_IN(said, dlazy_module_path(module));	  /* the file */
	CHECK_IN(said, "libdlazy-absent.so");		  /* what is missing */
	CHECK_IN(said, "cannot open shared object file"); /* linker */
	CHECK_IN(said, "declared:");
	CHECK_IN(said, "called:");
	CHECK_IN(said, "test-failure"); /* by whom */
	CHECK_IN(said, "to do:");
}

TEST(path_with_line_breaks_forges_no_line_of_that)
{
	needs_stubs();
	char said[8192];

	prepare(own_copy("bad-missing-library", "p\n  to do:    no.so"),
		"missing_answer");
	CHECK_INT(dlazy_on_failure(module, NULL, NULL), 0);
	test_child(touch, stub, said, sizeof(said));
	CHECK_IN(said, "p?  to do:    no.so");
	CHECK(!strstr(said, "\n  to do:    no.so"));
}

/* A datagram is what one write(2) has. */
TEST(last_words_are_one_write)
{
	needs_stubs();
	char said[8192];
	int pair[2], status;

	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, NULL, NULL), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(pair[1], STDERR_FILENO);
		call_int(stub);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	ssize_t n = recv(pair[0], said, sizeof(said) - 1, MSG_DONTWAIT);
	CHECK(n > 0);
	said[n] = '\0';
	CHECK_IN(said, "missing_answer");
	CHECK_IN(said, "to do:");
	close(pair[0]);
	close(pair[1]);
}

TEST(closed_module_forgets_its_hook)
{
	needs_stubs();
	char said[4096];

	prepare_missing();
	CHECK_INT(dlazy_close(module), 0);
	int status = test_child(touch, stub, said, sizeof(said));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

TEST(failure_at_a_touch_is_the_threads_last_error)
{
	needs_stubs();
	prepare_missing();
	call_int(stub);
	CHECK_INT(dlazy_last_status(), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "libdlazy-absent.so");
}

static void *replace_once(const struct dlazy_failure *failure, void *data)
{
	++*(int *)data;
	*failure->once = 1;
	return replace(failure, NULL);
}

TEST(replacement_for_once_is_not_kept)
{
	needs_stubs();
	int asked = 0;

	prepare_missing();
	CHECK_INT(dlazy_on_failure(module, replace_once, &asked), 0);
	call_int(stub);
	call_int(stub);
	CHECK_INT(asked, 2);
}

TEST(hook_stays_until_its_setters_last_close)
{
	needs_stubs();
	int asked = 0;

	prepare_missing();
	CHECK(dlazy_open(dlazy_module_path(module), 0) == module);
	CHECK_INT(dlazy_on_failure(module, replace_once, &asked), 0);
	CHECK_INT(dlazy_close(module), 0);
	call_int(stub);
	CHECK_INT(asked, 1);
}
