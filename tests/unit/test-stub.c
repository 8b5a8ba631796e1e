/* SPDX-License-Identifier: MIT */
/*
 * Stubs on any CPU that has them: every kind of argument arrives on the first
 * call as on later ones, control may leave by any way, and there are as many
 * stubs as are asked for. What only one CPU has is in test-stub-CPU.c.
 */
#include "tests/unit/stub-target.h"

#include "base/status.h"
#include "stub/pool.h"
#include "stub/stub.h"

#include <complex.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A stub for fn, with fn's type. */
#define STUB_TO(fn) ((__typeof__(&(fn)))target_stub((void *)(fn)))

/* What the test calls through `f`, twice: first call, then bound. */
#define TWICE(condition)                               \
	do {                                           \
		int before_ = target_misses;           \
		CHECK(condition);                      \
		CHECK(condition);                      \
		CHECK_INT(target_misses - before_, 1); \
	} while (0)

static int sum6(int a, int b, int c, int d, int e, int f)
{
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f;
}

TEST_BOTH(integers_arrive)
{
	__typeof__(&sum6) f = STUB_TO(sum6);

	TWICE(f(1, 2, 3, 4, 5, 6) == 654321);
}

static double polynomial(double a, double b, double c, double d, double e,
			 double f, double g, double h, double on_stack)
{
	return a + 2 * b + 4 * c + 8 * d + 16 * e + 32 * f + 64 * g + 128 * h +
	       256 * on_stack;
}

TEST_BOTH(doubles_arrive)
{
	__typeof__(&polynomial) f = STUB_TO(polynomial);

	TWICE(f(1, 2, 3, 4, 5, 6, 7, 8, 9) == 4097);
}

static long double quotient(long double a, long double b)
{
	return a / b;
}

TEST_BOTH(long_doubles_arrive)
{
	volatile long double one = 1, three = 3;
	__typeof__(&quotient) f = STUB_TO(quotient);

	TWICE(f(one, three) == one / three);
}

static double complex turn(double complex z, float complex w)
{
	return z * I + w;
}

static long double complex turn_long(long double complex z)
{
	return z * I;
}

TEST_BOTH(complex_numbers_arrive)
{
	__typeof__(&turn) f = STUB_TO(turn);
	__typeof__(&turn_long) g = STUB_TO(turn_long);

	TWICE(f(3 + 4 * I, 1 + 2 * I) == -3 + 5 * I);
	TWICE(g(3 + 4 * I) == -4 + 3 * I);
}

struct pair {
	double x;
	long n;
};

struct big {
	long values[20];
};

static struct pair swap(struct pair p)
{
	return (struct pair){(double)p.n, (long)p.x};
}

static struct big shift(struct big b, long by)
{
	for (int i = 0; i < 20; i++)
		b.values[i] += by;
	return b;
}

TEST_BOTH(structs_arrive_by_value)
{
	__typeof__(&swap) f = STUB_TO(swap);

	TWICE(f((struct pair){7, 5}).n == 7 && f((struct pair){7, 5}).x == 5);
}

TEST_BOTH(structs_return_by_hidden_pointer)
{
	struct big b = {{1, 2, 3}};
	__typeof__(&shift) f = STUB_TO(shift);

	TWICE(f(b, 40).values[2] == 43 && f(b, 40).values[19] == 40);
}

#define LIST10(x) x(0), x(1), x(2), x(3), x(4), x(5), x(6), x(7), x(8), x(9)
#define PARAMETERS(name, type)                                                \
	type name##0, type name##1, type name##2, type name##3, type name##4, \
		type name##5, type name##6, type name##7, type name##8,       \
		type name##9
#define SUM(name)                                                          \
	(name##0 + 2 * name##1 + 3 * name##2 + 4 * name##3 + 5 * name##4 + \
	 6 * name##5 + 7 * name##6 + 8 * name##7 + 9 * name##8 + 10 * name##9)

static double thirty(PARAMETERS(i, long), PARAMETERS(d, double),
		     PARAMETERS(c, short))
{
	return (double)(SUM(i) + 1000 * SUM(c)) + 1e6 * SUM(d);
}

TEST_BOTH(thirty_arguments_arrive)
{
#define LONG(n) n + 1L
#define DOUBLE(n) n + 2.0
#define SHORT(n) (short)(n + 3)
	__typeof__(&thirty) f = STUB_TO(thirty);

	TWICE(f(LIST10(LONG), LIST10(DOUBLE), LIST10(SHORT)) ==
	      thirty(LIST10(LONG), LIST10(DOUBLE), LIST10(SHORT)));
}

static __int128 product(__int128 a, unsigned __int128 b)
{
	return a * (__int128)b;
}

TEST_BOTH(wide_integers_arrive)
{
	__typeof__(&product) f = STUB_TO(product);
	__int128 a = (__int128)1 << 90;

	TWICE(f(-a, 16) == -((__int128)1 << 94));
}

typedef double vector __attribute__((vector_size(16)));

static vector dot(vector a, vector b, vector c, vector d, vector e, vector f,
		  vector g, vector h)
{
	return a * b + c * d + e * f + g * h;
}

TEST_BOTH(vectors_arrive)
{
	__typeof__(&dot) f = STUB_TO(dot);
	vector a = {1, 2}, b = {3, 4}, c = {5, 6}, d = {7, 8};

	TWICE(f(a, b, c, d, d, c, b, a)[0] == 76 &&
	      f(a, b, c, d, d, c, b, a)[1] == 112);
}

/* At an address ending in 00: where a slow path leaves the target in the
 * register that counts vector arguments, none of them is read. */
__attribute__((aligned(256), noinline)) static double total(int n, ...)
{
	double sum = 0;
	va_list args;

	va_start(args, n);
	while (n--)
		sum += va_arg(args, double) + va_arg(args, int);
	va_end(args);
	return sum;
}

TEST_BOTH(variadic_arguments_arrive)
{
	__typeof__(&total) f = STUB_TO(total);

	CHECK_INT((uintptr_t)total % 256, 0);
	TWICE(f(4, 1.5, 1, 2.5, 2, 3.5, 3, 4.5, 4) == 22);
}

static int reversed(const void *a, const void *b)
{
	return *(const int *)b - *(const int *)a;
}

TEST_BOTH(callbacks_may_be_stubs)
{
	int numbers[] = {3, 1, 2};
	__typeof__(&qsort) sort = STUB_TO(qsort);

	sort(numbers, 3, sizeof(int), STUB_TO(reversed));
	CHECK_INT(numbers[0] * 100 + numbers[1] * 10 + numbers[2], 321);
}

static unsigned long (*factorial_stub)(unsigned long n);

static unsigned long factorial(unsigned long n)
{
	return n < 2 ? 1 : n * factorial_stub(n - 1);
}

TEST_BOTH(recursion_goes_through_the_stub)
{
	factorial_stub = STUB_TO(factorial);
	TWICE(factorial_stub(20) == 2432902008176640000);
}

static int (*inner)(int, int, int, int, int, int);

static void *miss_that_calls(struct slot *slot, const void *caller)
{
	__typeof__(inner) again = inner;

	/* The same stub again, as a constructor may call its own module. */
	inner = NULL;
	if (again)
		CHECK_INT(again(9, 8, 7, 6, 5, 4), 456789);
	return target_find(slot, caller);
}

TEST_BOTH(first_call_may_happen_within_the_first_call)
{
	target_miss = miss_that_calls;
	__typeof__(&sum6) f = STUB_TO(sum6);

	inner = f;
	CHECK_INT(f(1, 2, 3, 4, 5, 6), 654321);
	CHECK_INT(target_misses, 2);
}

static jmp_buf home;

static void leave(int value)
{
	longjmp(home, value);
}

static void *miss_that_leaves(struct slot *slot, const void *caller)
{
	(void)slot;
	(void)caller;
	longjmp(home, 5);
}

TEST_BOTH(longjmp_leaves_the_callee)
{
	__typeof__(&leave) volatile f = STUB_TO(leave);

	for (volatile int i = 3; i < 5; i++) {
		int value = setjmp(home);
		if (value == 0)
			f(i);
		CHECK_INT(value, i);
	}
}

TEST_BOTH(longjmp_leaves_the_miss_function)
{
	target_miss = miss_that_leaves;
	__typeof__(&sum6) volatile f = STUB_TO(sum6);
	int value = setjmp(home);

	if (value == 0)
		f(1, 2, 3, 4, 5, 6);
	CHECK_INT(value, 5);
	target_miss = target_find;
	CHECK_INT(f(1, 2, 3, 4, 5, 6), 654321);
}

static int read_errno(void)
{
	return errno;
}

TEST_BOTH(errno_is_kept)
{
	__typeof__(&read_errno) f = STUB_TO(read_errno);

	errno = ERANGE;
	TWICE(f() == ERANGE);
	CHECK_INT(errno, ERANGE);
}

static const void *seen_caller;

static void *miss_that_looks(struct slot *slot, const void *caller)
{
	seen_caller = caller;
	return target_find(slot, caller);
}

__attribute__((noinline)) static const char *own_return_address(void)
{
	return __builtin_extract_return_addr(__builtin_return_address(0));
}

TEST_BOTH(miss_function_learns_who_called)
{
	target_miss = miss_that_looks;
	__typeof__(&own_return_address) f = STUB_TO(own_return_address);
	const char *caller = f();

	CHECK(seen_caller == caller);
}

TEST(armed_stub_takes_the_slow_path_again)
{
	__typeof__(&sum6) f = STUB_TO(sum6);
	struct slot *slot = stub_slot_of((void *)f);

	TWICE(f(1, 2, 3, 4, 5, 6) == 654321);
	stub_arm(slot);
	TWICE(f(1, 2, 3, 4, 5, 6) == 654321);
}

TEST(slot_of_knows_stubs_and_nothing_else)
{
	char *code = target_stub((void *)sum6);
	struct slot *slot = stub_slot_of(code);

	CHECK(stub_code(slot) == code);
	CHECK(stub_slot_of(code + STUB_SIZE - 1) == slot);
	CHECK(stub_slot_of(code + STUB_SIZE) == NULL);
	CHECK(stub_slot_of(code - STUB_SIZE) == NULL);
	CHECK(stub_slot_of(NULL) == NULL);
	CHECK(stub_slot_of((void *)sum6) == NULL);
	CHECK(stub_slot_of(slot) == NULL);
}

static void *miss_that_aligns(struct slot *slot, const void *caller)
{
	CHECK_INT((uintptr_t)__builtin_frame_address(0) % 16, 0);
	return target_find(slot, caller);
}

TEST_BOTH(miss_function_has_an_aligned_stack)
{
	target_miss = miss_that_aligns;
	__typeof__(&sum6) f = STUB_TO(sum6);

	CHECK_INT(f(1, 2, 3, 4, 5, 6), 654321);
}

TEST(stubs_are_the_same_bytes)
{
	for (size_t i = STUB_SIZE; i < POOL_BYTES; i += STUB_SIZE)
		CHECK(memcmp(stub_pool, stub_pool + i, STUB_SIZE) == 0);
}

#define MANY 100000

static int plus_one(int n)
{
	return n + 1;
}

/* `count` stubs to plus_one, each distinct from the one before. */
static struct slot **make_stubs(int count)
{
	struct slot **slots = calloc((size_t)count, sizeof(struct slot *));
	static struct target owner = {(void *)plus_one};

	CHECK(slots);
	for (int i = 0; i < count; i++)
		CHECK_INT(stub_new(&owner, target_missed, &slots[i]), 0);
	return slots;
}

static int compare_slots(const void *a, const void *b)
{
	struct slot *const *left = a, *const *right = b;

	return (*left > *right) - (*left < *right);
}

/* Those of the mapping that holds the address, not of all there are: valgrind
 * and emulators have writable code of their own. */
static void check_permissions(const void *address, const char *wanted)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t start, end, at = (uintptr_t)address;
	char line[PATH_MAX + 128], found[8] = "";

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &start, &end,
			   found) == 3 &&
		    start <= at && at < end)
			break;
	fclose(maps);
	CHECK_STR(found, wanted);
}

static void check_stubs(struct slot **slots, int count)
{
	for (int i = 0; i < count; i++) {
		int (*f)(int) = (int (*)(int))stub_code(slots[i]);
		CHECK(stub_slot_of((void *)f) == slots[i]);
		CHECK_INT(f(i), i + 1);
		CHECK_INT(f(i), i + 1);
	}
	CHECK_INT(target_misses, count);
	qsort(slots, (size_t)count, sizeof(slots[0]), compare_slots);
	for (int i = 1; i < count; i++)
		CHECK(slots[i - 1] != slots[i]);
	check_permissions(stub_code(slots[0]), "r-xp");
	check_permissions(stub_code(slots[count - 1]), "r-xp");
	check_permissions(slots[0], "rw-p");
	check_permissions(slots[count - 1], "rw-p");
	free(slots);
}

TEST(hundred_thousand_stubs_are_all_right)
{
	struct slot **slots = make_stubs(MANY);

	CHECK_INT(test_mapped("memfd:dlazy-stubs"), 0);
	check_stubs(slots, MANY);
}

/* Runs the current test once more in a copy of this program, whose path it
 * returns there; NULL here, when that is done. */
static const char *in_a_copy(const char *test)
{
	const char *copy = getenv("STUB_TEST_COPY");
	static char path[PATH_MAX];
	int status;

	if (copy)
		return copy;
	snprintf(path, sizeof(path), "%s/copy", test_directory());
	test_copy("/proc/self/exe", path);
	chmod(path, 0700);
	pid_t pid = fork();
	if (pid == 0) {
		setenv("STUB_TEST_COPY", path, 1);
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, STDOUT_FILENO);
		/* TEST_RUN is the emulator, if it takes one. */
		execl("/bin/sh", "sh", "-c", "exec $TEST_RUN \"$0\" \"$1\"",
		      path, test, NULL);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
		test_skip("a copy of this program cannot be run here");
	CHECK_INT(status, 0);
	return NULL;
}

TEST(stubs_grow_without_the_own_file)
{
	const char *copy = in_a_copy(__func__);

	if (!copy)
		return;
	unlink(copy);
	struct slot **slots = make_stubs(2 * STUB_POOL);
	CHECK(test_mapped("memfd:dlazy-stubs") > 0);
	CHECK(!status_is_pending());
	check_stubs(slots, 2 * STUB_POOL);
}

/*
 * Takes the file away and returns the name under which the kernel then shows
 * it: whatever is put there is opened in its place, as it is where another file
 * is mounted over it.
 */
static const char *remove_file(const char *path)
{
	static char shown[PATH_MAX];

	snprintf(shown, sizeof(shown), "%s (deleted)", path);
	test_copy(path, shown);
	CHECK(unlink(path) == 0);
	return shown;
}

/* Makes it another build of the library: the same but for the last stub. */
static void change_last_stub(const char *path)
{
	const unsigned char *last = stub_pool + POOL_BYTES - STUB_SIZE;
	unsigned char stub[STUB_SIZE];
	long at = -1;
	FILE *file = fopen(path, "r+e");

	for (long i = 0; fread(stub, sizeof(stub), 1, file) == 1; i++)
		if (memcmp(stub, last, sizeof(stub)) == 0)
			at = i * STUB_SIZE;
	CHECK(at >= 0);
	fseek(file, at + STUB_SIZE - 1, SEEK_SET);
	fputc(0x5a, file);
	CHECK(fclose(file) == 0);
}

TEST(stubs_grow_with_another_file_in_place_of_the_own)
{
	const char *copy = in_a_copy(__func__);

	if (!copy)
		return;
	change_last_stub(remove_file(copy));
	struct slot **slots = make_stubs(2 * STUB_POOL);
	CHECK(test_mapped("memfd:dlazy-stubs") > 0);
	check_stubs(slots, 2 * STUB_POOL);
}

TEST(stubs_grow_with_a_shorter_file_in_place_of_the_own)
{
	const char *copy = in_a_copy(__func__);

	if (!copy)
		return;
	CHECK(truncate(remove_file(copy), 4096) == 0);
	struct slot **slots = make_stubs(2 * STUB_POOL);
	CHECK(test_mapped("memfd:dlazy-stubs") > 0);
	check_stubs(slots, 2 * STUB_POOL);
}

TEST(growth_that_fails_says_what_was_tried)
{
	struct rlimit limit, none;
	struct slot **slots = make_stubs(STUB_POOL), *more;

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	int r = stub_new(NULL, target_missed, &more);
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK_INT(r, -DLAZY_ENOMEM);
	CHECK_IN(status_message(), "/proc/self/maps");
	CHECK_IN(status_message(), "memfd: Too many open files");
	CHECK_INT(stub_new(NULL, target_missed, &more), 0);
	check_stubs(slots, STUB_POOL);
}

#define THREADS 8
#define EACH 5000

static pthread_barrier_t start;

/* All together, with nothing between one stub and the next. */
static void *make_some(void *ret)
{
	struct slot **slots = ret;
	static struct target owner = {(void *)plus_one};

	pthread_barrier_wait(&start);
	for (int i = 0; i < EACH; i++)
		CHECK_INT(stub_new(&owner, target_missed, &slots[i]), 0);
	for (int i = 0; i < EACH; i++) {
		int (*f)(int) = (int (*)(int))stub_code(slots[i]);
		CHECK_INT(f(i), i + 1);
		CHECK(stub_slot_of((void *)f) == slots[i]);
	}
	return NULL;
}

TEST(threads_make_stubs_at_once)
{
	struct slot **slots = calloc(THREADS * EACH, sizeof(struct slot *));
	pthread_t threads[THREADS];

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, make_some, slots + i * EACH);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS * EACH; i++)
		stub_arm(slots[i]);
	target_misses = 0;
	check_stubs(slots, THREADS * EACH);
}

/* What a module's constructor writes and its functions read. ThreadSanitizer
 * does not see the stub's load, which orders the two. */
#define ORDERED_BY_STUB __attribute__((no_sanitize("thread")))
static int *constructed;

ORDERED_BY_STUB static int read_constructed(void)
{
	return *constructed;
}

ORDERED_BY_STUB static void *miss_that_constructs(struct slot *slot,
						  const void *caller)
{
	*constructed = 1;
	return target_find(slot, caller);
}

static void *call_often(void *code)
{
	int (*f)(void) = (int (*)(void))code;

	for (int i = 0; i < 1000; i++)
		CHECK_INT(f(), 1);
	return NULL;
}

TEST(threads_share_a_first_call)
{
	pthread_t threads[THREADS];

	target_miss = miss_that_constructs;
	for (int round = 0; round < 200; round++) {
		void *code = target_stub((void *)read_constructed);
		constructed = calloc(1, sizeof(*constructed));
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, call_often, code);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		free(constructed);
	}
}

static void *make_one(void *done)
{
	struct slot *slot;

	CHECK_INT(stub_new(NULL, target_missed, &slot), 0);
	atomic_store((atomic_bool *)done, true);
	return NULL;
}

/* Else the child could inherit the allocator half-way, or its lock held. */
TEST(stubs_are_not_made_during_fork)
{
	atomic_bool done = false;
	pthread_t thread;
	int status;

	stub_fork_prepare();
	pthread_create(&thread, NULL, make_one, &done);
	usleep(50000);
	CHECK(!atomic_load(&done));
	pid_t pid = fork();
	stub_fork_done();
	if (pid == 0) {
		alarm(test_seconds(20));
		make_one(&done);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	pthread_join(thread, NULL);
	CHECK(atomic_load(&done));
}
