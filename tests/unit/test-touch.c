/* SPDX-License-Identifier: MIT */
/*
 * What a first call may not change of its caller, before it, at it and after it,
 * whether it succeeds or fails: the table of doc/design.md. Each test is made
 * with a stub of the registry and with a linked one.
 *
 * The library is good-host-constructor, whose constructor runs a part of the
 * test; what cannot be loaded is bad-missing-library, with a hook.
 */
#include "tests/unit/linked-stubs.h"

#include "base/event.h"
#include "base/lock.h"
#include "stub/linked.h"

#include <dlazy/lifecycle.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* Functions whose first call is to come. */
static struct {
	int_fn *ready;		     /* 1; loads good-host-constructor */
	int_fn *runs;		     /* 1; of the same */
	int_fn *plain;		     /* 42; of good-plain */
	int_fn *fails;		     /* INSTEAD */
	struct dlazy_module *module; /* good-host-constructor */
	struct dlazy_module *other;  /* of plain() */
} touch;

#ifdef __SANITIZE_THREAD__
/* A first call in a handler allocates where the library is not loaded yet, as
 * dlopen() does: doc/limits.md. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "report_signal_unsafe=0";
}
#endif

#define INSTEAD 7

static int instead(void)
{
	return INSTEAD;
}

static constructor_fn *in_hook;

static void *replace(const struct dlazy_failure *failure, void *data)
{
	(void)data;
	if (in_hook)
		in_hook(failure->message);
	return (void *)(uintptr_t)instead;
}

static int_fn *stub_of(const char *plugin, const char *symbol)
{
	return (int_fn *)(uintptr_t)symbol_of(opened(test_plugin(plugin), 0),
					      symbol);
}

static void use_registry(void)
{
	touch.ready = stub_of("good-host-constructor", "host_ready");
	touch.runs = stub_of("good-host-constructor", "host_runs");
	touch.plain = stub_of("good-plain", "plain_answer");
	touch.fails = stub_of("bad-missing-library", "missing_answer");
	touch.module = opened(test_plugin("good-host-constructor"), 0);
	touch.other = opened(test_plugin("good-plain"), 0);
}

static int plain_sum(void)
{
	return stub_sum(2, 40, 2);
}

static void use_linked(void)
{
	touch.ready = stub_ready;
	touch.runs = stub_runs;
	touch.plain = plain_sum;
	touch.fails = stub_plain;
	linked_files(&linked_host, test_plugin("good-host-constructor"), NULL);
	linked_files(&linked_real, test_plugin("linked-real"), NULL);
	linked_files(&linked_plain, test_plugin("bad-missing-library"), NULL);
	touch.module = dlazy_linked_module(&linked_host);
	touch.other = dlazy_linked_module(&linked_real);
}

/* A test of either kind of stub. */
#define TEST_TOUCH(test_name)                                        \
	static void test_name##_touch(void);                         \
	TEST(test_name)                                              \
	{                                                            \
		needs_stubs();                                       \
		use_registry();                                      \
		CHECK_INT(dlazy_on_failure(NULL, replace, NULL), 0); \
		test_name##_touch();                                 \
	}                                                            \
	TEST(test_name##_linked)                                     \
	{                                                            \
		use_linked();                                        \
		CHECK_INT(dlazy_on_failure(NULL, replace, NULL), 0); \
		test_name##_touch();                                 \
	}                                                            \
	static void test_name##_touch(void)

/* ------------------------------------------------------------------ */
/* Cancellation                                                       */

/* Runs in a thread that has been asked to end; joins it. */
static void *in_cancelled_thread(void *(*run)(void *))
{
	pthread_t thread;
	void *result;

	CHECK_INT(pthread_create(&thread, NULL, run, NULL), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	return result;
}

static void cancellation_point(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, &byte, 1);
		close(fd);
	}
	pthread_testcancel();
}

static atomic_int returned;

static void *call_and_be_cancelled(void *unused)
{
	int state;

	(void)unused;
	pthread_cancel(pthread_self());
	CHECK_INT(touch.ready(), 1);
	returned++;
	CHECK_INT(touch.runs(), 1); /* no load is needed any more */
	returned++;
	CHECK_INT(touch.fails(), INSTEAD);
	returned++;
	CHECK_INT(touch.ready(), 1);
	returned++;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	CHECK_INT(state, PTHREAD_CANCEL_ENABLE);
	pthread_testcancel();
	return NULL;
}

TEST_TOUCH(first_call_is_no_cancellation_point)
{
	set_constructor(cancellation_point);
	CHECK(in_cancelled_thread(call_and_be_cancelled) == PTHREAD_CANCELED);
	CHECK_INT(returned, 4);
	/* Nothing stays locked. */
	CHECK_INT(touch.plain(), 42);
}

static void *call_with_cancellation_off(void *unused)
{
	int state;

	(void)unused;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	CHECK_INT(touch.ready(), 1);
	CHECK_INT(touch.fails(), INSTEAD);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	CHECK_INT(state, PTHREAD_CANCEL_DISABLE);
	return NULL;
}

TEST_TOUCH(cancellation_that_was_off_stays_off)
{
	CHECK(in_cancelled_thread(call_with_cancellation_off) == NULL);
}

/* ------------------------------------------------------------------ */
/* Signals                                                            */

static void handle(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	CHECK_INT(sigaction(signal, &action, NULL), 0);
}

static volatile sig_atomic_t handled;

static void call_in_handler(int signal)
{
	(void)signal;
	handled += touch.plain() == 42 && touch.ready() == 1;
}

/* Of our own stubs: what is in progress when the signal comes. */
static void raise_inside(const char *path)
{
	(void)path;
	handled = 0;
	kill(getpid(), SIGUSR1);
	/* It is for this thread alone to take: it would have done so. */
	CHECK_INT(handled, 0);
}

/* Do both leave the same mask? */
static void check_mask(const sigset_t *expected)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int signal = 1; signal < NSIG; signal++)
		CHECK_INT(sigismember(&now, signal),
			  sigismember(expected, signal));
}

TEST_TOUCH(handler_may_call_what_is_being_loaded)
{
	sigset_t mask;

	handle(SIGUSR1, call_in_handler);
	set_constructor(raise_inside);
	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	CHECK_INT(touch.ready(), 1);
	CHECK_INT(handled, 1);
	check_mask(&mask);
	CHECK_INT(touch.fails(), INSTEAD);
	check_mask(&mask);
	CHECK_INT(touch.runs(), 1);
	check_mask(&mask);
}

static void check_open(const char *path)
{
	static const int raised[] = {SIGSEGV, SIGBUS,  SIGFPE,
				     SIGILL,  SIGTRAP, SIGSYS};
	sigset_t now;

	(void)path;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (size_t i = 0; i < sizeof(raised) / sizeof(raised[0]); i++)
		CHECK_INT(sigismember(&now, raised[i]), 0);
	CHECK_INT(sigismember(&now, SIGALRM), 1);
	handled = 1;
}

TEST_TOUCH(constructor_may_catch_what_it_raises)
{
	set_constructor(check_open);
	CHECK_INT(touch.ready(), 1);
	CHECK_INT(handled, 1);
}

static volatile bool survived;

/* The signal comes when the lock has been dropped. */
static void raise_while_locked(void)
{
	static struct lock lock = LOCK_INIT(LOCK_LOAD);

	LOCKED(&lock);
	handled = 0;
	kill(getpid(), SIGUSR1);
	CHECK_INT(handled, 0);
	survived = true;
}

static sigjmp_buf away;

static void jump_away(int signal)
{
	(void)signal;
	handled++;
	siglongjmp(away, 1);
}

static void *call_all(void *unused)
{
	(void)unused;
	CHECK_INT(touch.ready(), 1);
	CHECK_INT(touch.plain(), 42);
	CHECK_INT(touch.fails(), INSTEAD);
	return NULL;
}

TEST_TOUCH(handler_may_jump_out_of_a_first_call)
{
	pthread_t other;
	sigset_t mask;

	handle(SIGUSR1, jump_away);
	set_constructor(raise_inside);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (sigsetjmp(away, 1) == 0) {
		touch.ready();
		CHECK(!"the handler was not called");
	}
	check_mask(&mask);
	call_all(NULL);
	CHECK_INT(touch.runs(), 1);
	if (sigsetjmp(away, 1) == 0)
		raise_while_locked(); /* signals are kept off as before */
	CHECK(survived);
	CHECK_INT(handled, 1);
	CHECK_INT(pthread_create(&other, NULL, call_all, NULL), 0);
	CHECK_INT(pthread_join(other, NULL), 0);
}

static void check_interruptible(const char *path)
{
	int state;

	(void)path;
	handled = 0;
	kill(getpid(), SIGUSR1);
	CHECK_INT(handled, 1);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	CHECK_INT(state, PTHREAD_CANCEL_ENABLE);
}

TEST_TOUCH(hook_is_interrupted_as_its_caller_is)
{
	handle(SIGUSR1, call_in_handler);
	in_hook = check_interruptible;
	CHECK_INT(touch.fails(), INSTEAD);
	CHECK_INT(handled, 1);
}

static sigjmp_buf out_of_hook;

static void jump_out(const char *message)
{
	(void)message;
	longjmp(out_of_hook, 1);
}

TEST_TOUCH(hook_may_jump_out_of_a_first_call)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	in_hook = jump_out;
	if (setjmp(out_of_hook) == 0) {
		touch.fails();
		CHECK(!"the hook was not called");
	}
	in_hook = NULL;
	check_mask(&mask);
	call_all(NULL);
}

TEST(nothing_interrupts_who_holds_a_lock)
{
	sigset_t mask;

	use_linked();
	handle(SIGUSR1, call_in_handler);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	raise_while_locked();
	CHECK_INT(handled, 1);
	check_mask(&mask);
}

/* ------------------------------------------------------------------ */
/* dlerror()                                                          */

static void fail_to_open(void)
{
	CHECK(dlopen("libnone-at-all.so.9", RTLD_NOW) == NULL);
}

static void open_and_fail(const char *path)
{
	(void)path;
	fail_to_open();
}

static bool knows_pending_errors(void)
{
	return dlsym(RTLD_DEFAULT, "__libc_dlerror_result") != NULL;
}

static void needs_pending_errors(void)
{
	if (!knows_pending_errors())
		test_skip("this libc does not tell where it keeps the error");
	dlerror();
}

TEST_TOUCH(pending_error_stays_pending)
{
	needs_pending_errors();
	set_constructor(open_and_fail);
	for (int i = 0; i < 4; i++) {
		fail_to_open();
		CHECK_INT(touch.ready(), 1);
		if (i)
			CHECK_INT(touch.runs(), 1);
		if (i > 1)
			CHECK_INT(touch.fails(), INSTEAD);
		CHECK_IN(dlerror(), "libnone-at-all.so.9");
		CHECK(dlerror() == NULL);
	}
}

TEST_TOUCH(fetched_error_stays_readable)
{
	needs_pending_errors();
	fail_to_open();
	const char *text = dlerror();

	CHECK_INT(touch.ready(), 1);
	CHECK_IN(text, "libnone-at-all.so.9");
	CHECK_INT(touch.runs(), 1);
	CHECK_INT(touch.fails(), INSTEAD);
	CHECK_IN(text, "libnone-at-all.so.9");
	CHECK(dlerror() == NULL);
}

TEST_TOUCH(first_call_leaves_no_error)
{
	dlerror();
	CHECK_INT(touch.ready(), 1);
	CHECK(dlerror() == NULL);
	CHECK_INT(touch.fails(), INSTEAD);
	CHECK(dlerror() == NULL);
	set_constructor(open_and_fail);
	CHECK_INT(touch.runs(), 1);
	CHECK(dlerror() == NULL);
}

static void *fail_and_touch(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++) {
		fail_to_open();
		CHECK_INT(touch.ready(), 1);
		CHECK_INT(touch.fails(), INSTEAD);
		CHECK_IN(dlerror(), "libnone-at-all.so.9");
	}
	fail_to_open(); /* the thread's end frees it */
	CHECK_INT(touch.plain(), 42);
	return NULL;
}

TEST_TOUCH(each_thread_has_its_own_error)
{
	pthread_t threads[4];

	needs_pending_errors();
	fail_to_open();
	for (int i = 0; i < 4; i++)
		CHECK_INT(
			pthread_create(&threads[i], NULL, fail_and_touch, NULL),
			0);
	for (int i = 0; i < 4; i++)
		CHECK_INT(pthread_join(threads[i], NULL), 0);
	CHECK_IN(dlerror(), "libnone-at-all.so.9");
}

/* ------------------------------------------------------------------ */
/* Stacks                                                             */

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* 16 KiB where AVX2's are the largest registers; a signal's frame, which holds them
 * as the frame of a first call does, says how much larger they are. */
static size_t small_stack(void)
{
	size_t frame = getauxval(AT_MINSIGSTKSZ);

	return 16384 + (frame > 2048 ? (frame - 2048 + 63) & -64ul : 0);
}

#define FRAME 8192

/* What a thread of 16 KiB has of its stack for itself. */
__attribute__((noinline)) static void call_below_a_frame(int_fn *function,
							 int expected)
{
	volatile char frame[FRAME];

	memset((char *)frame, 1, sizeof(frame));
	CHECK_INT(function(), expected);
	CHECK_INT(frame[0] + frame[FRAME - 1], 2);
}

static void *call_on_a_small_stack(void *unused)
{
	(void)unused;
	call_below_a_frame(touch.fails, INSTEAD);
	call_below_a_frame(touch.ready, 1);
	call_below_a_frame(touch.runs, 1);
	call_below_a_frame(touch.fails, INSTEAD);
	call_below_a_frame(touch.ready, 1);
	return NULL;
}

static void in_small_thread(void *(*run)(void *), size_t size)
{
	pthread_attr_t attributes;
	pthread_t thread;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("a sanitizer's frames are larger");
#endif
	CHECK_INT(pthread_attr_init(&attributes), 0);
	if (pthread_attr_setstacksize(&attributes, size) ||
	    pthread_create(&thread, &attributes, run, NULL))
		test_skip("no thread has a stack of %zu bytes here", size);
	CHECK_INT(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
}

/* Some of them have room enough for the call to be made on them. */
TEST_TOUCH(small_stack_is_enough)
{
	for (size_t size = small_stack(); size <= 65536; size += 4096) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			in_small_thread(call_on_a_small_stack, size);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			test_skip("no thread is that small here");
		CHECK_INT(status, 0);
	}
}

static const char *seen_frame;

static void see_frame(const char *path)
{
	(void)path;
	seen_frame = __builtin_frame_address(0);
}

/* Is it on the stack of who calls? */
static bool is_near(const char *frame)
{
	const char *here = __builtin_frame_address(0);

	return here - frame >= 0 && here - frame < 1 << 16;
}

TEST_TOUCH(constructor_is_on_the_callers_stack_where_that_has_room)
{
	set_constructor(see_frame);
	CHECK_INT(touch.ready(), 1);
	CHECK(is_near(seen_frame));
}

static void *hook_on_a_small_stack(void *unused)
{
	(void)unused;
	CHECK_INT(touch.ready(), 1);
	CHECK(!is_near(seen_frame));
	CHECK_INT(touch.fails(), INSTEAD);
	CHECK(is_near(seen_frame));
	return NULL;
}

TEST_TOUCH(hook_is_on_the_callers_stack)
{
	set_constructor(see_frame);
	in_hook = see_frame;
	in_small_thread(hook_on_a_small_stack, small_stack());
}

static const char *observed_frame, *prepared_frame;

static void observe(const struct dlazy_event *event, void *data)
{
	(void)event;
	(void)data;
	observed_frame = __builtin_frame_address(0);
}

static int prepare(struct dlazy_module *m, void *data)
{
	(void)m;
	(void)data;
	prepared_frame = __builtin_frame_address(0);
	return 0;
}

static void *be_observed_on_a_small_stack(void *unused)
{
	(void)unused;
	CHECK_INT(touch.fails(), INSTEAD);
	CHECK(is_near(observed_frame));
	observed_frame = NULL;
	CHECK_INT(touch.ready(), 1);
	CHECK(!is_near(seen_frame));
	CHECK(is_near(observed_frame));
	CHECK(is_near(prepared_frame));
	return NULL;
}

/* It takes what is below the stack that was left for nobody's. */
static void not_in_valgrind(void)
{
	if (getenv("TEST_SLOW"))
		test_skip("valgrind does not see a stack returned to");
}

TEST_TOUCH(observers_and_what_follows_a_load_are_on_the_callers_stack)
{
	not_in_valgrind();
	set_constructor(see_frame);
	CHECK_INT(dlazy_observe(observe, NULL), 0);
	CHECK_INT(dlazy_on_load(touch.module, prepare, NULL), 0);
	in_small_thread(be_observed_on_a_small_stack, small_stack());
}

static void touch_in_turn(const struct dlazy_event *event, void *data)
{
	static bool inside;

	(void)event;
	(void)data;
	if (inside)
		return;
	inside = true;
	CHECK_INT(touch.plain(), 42);
	inside = false;
}

static void *call_with_a_busy_observer(void *unused)
{
	(void)unused;
	CHECK_INT(touch.ready(), 1);
	CHECK_INT(touch.runs(), 1);
	return NULL;
}

TEST_TOUCH(observer_on_a_small_stack_may_touch_another_module)
{
	not_in_valgrind();
	CHECK_INT(dlazy_observe(touch_in_turn, NULL), 0);
	in_small_thread(call_with_a_busy_observer, small_stack());
}

static int result_in_handler;

static void fail_in_handler(int signal)
{
	(void)signal;
	result_in_handler = touch.fails();
}

#define BELOW 65536

/* A stack, and what lies below: readable, so it looks like stack that is left. */
static char *stack_above(char *memory)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("a sanitizer's frames are larger");
#endif
	not_in_valgrind();
	memset(memory, 0x5a, BELOW);
	return memory + BELOW;
}

static char *below_a_stack(void)
{
	char *memory = mmap(NULL, 2 * BELOW, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return stack_above(memory);
}

static void was_left_alone(const char *stack)
{
	for (const char *at = stack - BELOW; at < stack; at++)
		CHECK_INT(*at, 0x5a);
}

static void touch_on_an_alternate_stack(char *memory, int flags)
{
	stack_t stack = {.ss_sp = memory,
			 .ss_flags = flags,
			 .ss_size = 8192 + getauxval(AT_MINSIGSTKSZ)};
	struct sigaction action = {.sa_handler = fail_in_handler,
				   .sa_flags = SA_ONSTACK};

	if (sigaltstack(&stack, NULL) < 0)
		test_skip("the kernel has no such stacks");
	CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
	CHECK_INT(raise(SIGUSR1), 0);
	CHECK_INT(result_in_handler, INSTEAD);
	was_left_alone(memory);
}

TEST_TOUCH(what_lies_below_an_alternate_stack_is_left_alone)
{
	touch_on_an_alternate_stack(below_a_stack(), 0);
}

TEST_TOUCH(what_lies_below_an_array_that_signals_have_as_stack_is_left_alone)
{
	char memory[2 * BELOW];

	touch_on_an_alternate_stack(stack_above(memory), 0);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

/* In its handler the kernel says that there is none. */
TEST_TOUCH(what_lies_below_a_disarmed_alternate_stack_is_left_alone)
{
	touch_on_an_alternate_stack(below_a_stack(), (int)SS_AUTODISARM);
}

static void touch_on_a_given_stack(char *memory)
{
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK_INT(pthread_attr_init(&attributes), 0);
	if (pthread_attr_setstack(&attributes, memory, small_stack()) ||
	    pthread_create(&thread, &attributes, call_on_a_small_stack, NULL))
		test_skip("no thread is that small here");
	CHECK_INT(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
	was_left_alone(memory);
}

TEST_TOUCH(what_lies_below_a_stack_that_a_thread_was_given_is_left_alone)
{
	touch_on_a_given_stack(below_a_stack());
}

TEST_TOUCH(what_lies_below_an_array_that_a_thread_has_as_stack_is_left_alone)
{
	_Alignas(4096) char memory[2 * BELOW];

	touch_on_a_given_stack(stack_above(memory));
}

static ucontext_t around_the_fiber;

static void run_fiber(void)
{
	call_on_a_small_stack(NULL);
}

static void *touch_on_a_fiber(void *unused)
{
	char *memory = below_a_stack();
	ucontext_t fiber;

	CHECK_INT(getcontext(&fiber), 0);
	fiber.uc_stack = (stack_t){.ss_sp = memory, .ss_size = small_stack()};
	fiber.uc_link = &around_the_fiber;
	makecontext(&fiber, run_fiber, 0);
	CHECK_INT(swapcontext(&around_the_fiber, &fiber), 0);
	was_left_alone(memory);
	return unused;
}

TEST_TOUCH(what_lies_below_a_fibers_stack_is_left_alone)
{
	pthread_t thread;

	touch_on_a_fiber(NULL);
	CHECK_INT(pthread_create(&thread, NULL, touch_on_a_fiber, NULL), 0);
	CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ------------------------------------------------------------------ */
/* Fork handlers                                                      */

enum moment { PREPARE, PARENT, CHILD, NEVER };

/* What a handler of before or behind ours does, and when. */
static struct {
	enum moment when;
	bool early;
	void (*act)(void);
	atomic_int acted;
} handler = {.when = NEVER};

static void act(enum moment now, bool early)
{
	if (now != handler.when || early != handler.early)
		return;
	handler.act();
	handler.acted++;
}

#define HANDLERS(name, early)                                                \
	static void name##_prepare(void)                                     \
	{                                                                    \
		act(PREPARE, early);                                         \
	}                                                                    \
	static void name##_parent(void)                                      \
	{                                                                    \
		act(PARENT, early);                                          \
	}                                                                    \
	static void name##_child(void)                                       \
	{                                                                    \
		act(CHILD, early);                                           \
	}                                                                    \
	static void add_##name(void)                                         \
	{                                                                    \
		pthread_atfork(name##_prepare, name##_parent, name##_child); \
	}
HANDLERS(first, true)
HANDLERS(last, false)

/* Before any constructor of the library. */
__attribute__((constructor(101))) static void add_first_handlers(void)
{
	add_first();
}

static void touch_everything(void)
{
	static int turn;

	CHECK_INT(touch.ready(), 1);
	CHECK_INT(touch.runs(), 1);
	CHECK_INT(touch.fails(), INSTEAD);
	CHECK_INT(touch.plain(), 42);
	CHECK(dlazy_open(test_plugin(turn++ ? "bad-missing-symbol"
					    : "good-versions"),
			 0) != NULL);
}

/* A fork with handlers that act at one moment; the child does so afterwards. */
static void fork_and_act(void)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		alarm(test_seconds(20));
		touch_everything();
		touch_everything();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	touch_everything();
	CHECK_INT(handler.acted, handler.when == CHILD ? 0 : 1);
}

static void check_fork(enum moment when, bool early)
{
	add_last();
	handler.when = when;
	handler.early = early;
	handler.act = touch_everything;
	fork_and_act();
	/* And when all are loaded. */
	handler.acted = 0;
	fork_and_act();
}

TEST_TOUCH(handler_before_ours_may_touch_before_a_fork)
{
	check_fork(PREPARE, true);
}

TEST_TOUCH(handler_before_ours_may_touch_in_the_parent)
{
	check_fork(PARENT, true);
}

TEST_TOUCH(handler_before_ours_may_touch_in_the_child)
{
	check_fork(CHILD, true);
}

TEST_TOUCH(handler_behind_ours_may_touch_before_a_fork)
{
	check_fork(PREPARE, false);
}

TEST_TOUCH(handler_behind_ours_may_touch_in_the_parent)
{
	check_fork(PARENT, false);
}

TEST_TOUCH(handler_behind_ours_may_touch_in_the_child)
{
	check_fork(CHILD, false);
}

static void fork_inside(const char *path)
{
	(void)path;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(touch.plain() != 42);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
}

static void touch_another(void)
{
	CHECK_INT(touch.plain(), 42);
}

static void *load(void *unused)
{
	(void)unused;
	touch.ready();
	return NULL;
}

static atomic_bool begun, go_on;

static void wait_inside(const char *path)
{
	(void)path;
	begun = true;
	while (!go_on)
		usleep(1000);
}

/* Another thread loads the library, and will not end before we say so. */
static pthread_t begin_to_load(void)
{
	pthread_t loader;

	set_constructor(wait_inside);
	CHECK_INT(pthread_create(&loader, NULL, load, NULL), 0);
	while (!begun)
		usleep(1000);
	return loader;
}

static void touch_unfinished(void)
{
	alarm(test_seconds(20));
	CHECK_INT(touch.ready(), INSTEAD);
}

TEST_TOUCH(handler_in_the_child_is_told_of_a_load_that_nobody_ends)
{
	pthread_t loader = begin_to_load();
	int status;

	handler.when = CHILD;
	handler.early = true;
	handler.act = touch_unfinished;
	pid_t child = fork();
	if (child == 0)
		_exit(touch.ready() != INSTEAD);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	go_on = true;
	CHECK_INT(pthread_join(loader, NULL), 0);
}

TEST_TOUCH(handlers_may_touch_when_a_constructor_forks)
{
	test_leaves_dlopen();
	set_constructor(fork_inside);
	add_last();
	handler.when = PREPARE;
	handler.early = true;
	handler.act = touch_another;
	CHECK_INT(touch.ready(), 1);
	CHECK_INT(handler.acted, 1);
}

/* ------------------------------------------------------------------ */
/* The linker's lock                                                  */

static void *call_plain(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)touch.plain();
}

static void join_a_caller(const char *path)
{
	pthread_t thread;
	void *result;

	(void)path;
	CHECK_INT(pthread_create(&thread, NULL, call_plain, NULL), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK_INT((intptr_t)result, 42);
	handled = 1;
}

/* The thread that joins has that lock. A call that is bound late, through the
 * PLT, does not need it either. */
TEST_TOUCH(thread_that_a_plain_constructor_joins_may_call_what_is_loaded)
{
#ifndef __GLIBC__
	test_skip("what the linker keeps of an object is not known here");
#endif
	alarm(test_seconds(20));
	CHECK_INT(dlazy_load(touch.other), 0);
	set_constructor(join_a_caller);
	CHECK(dlopen(test_plugin("good-host-constructor"), RTLD_NOW) != NULL);
	CHECK_INT(handled, 1);
}

/* ------------------------------------------------------------------ */
/* Clocks                                                             */

/* Others set CLOCK_REALTIME, and waits that go by it would not end: seen here from
 * the other side, as nobody may set it in a test. */
static int64_t ahead;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	long r = syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && clock == CLOCK_REALTIME)
		ret->tv_sec += ahead;
	return (int)r;
}

TEST_TOUCH(fork_waits_by_the_monotonic_clock)
{
	int status;

	ahead = 3600;
	pthread_t loader = begin_to_load();
	alarm(test_seconds(30));
	uint64_t from = event_now();
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	/* It waits a second for what will not end by itself. */
	CHECK(event_now() - from > 500000000);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	go_on = true;
	CHECK_INT(pthread_join(loader, NULL), 0);
}
