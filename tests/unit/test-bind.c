/* SPDX-License-Identifier: MIT */
/*
 * The host's own pointers, filled by dlazy_bind(), and calls by signature.
 */
#include "load/call.h"
#include "tests/unit/opened.h"

#include <stdint.h>
#include <unistd.h>

/* ------------------------------------------------------------------ */
/* dlazy_bind                                                         */

TEST(pointers_are_stubs_and_then_the_functions)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);
	void *one, *two, *same;
	struct dlazy_import imports[] = {{"kinds_function", &one, NULL},
					 {"kinds_indirect", &two, NULL},
					 {"kinds_function", &same, NULL}};

	CHECK_INT(dlazy_bind(m, imports, 3), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK(one == same && one == symbol_of(m, "kinds_function"));
	CHECK_INT(call_int(two), 9);
	CHECK(one == dlazy_resolve(m, "kinds_function"));
	CHECK(same == one);
	CHECK(two == dlazy_resolve(m, "kinds_indirect"));
}

TEST(loaded_module_gives_real_addresses_at_once)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *pointer;
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	CHECK(pointer == dlazy_resolve(m, "plain_answer"));
}

TEST(function_of_a_filter_is_that_of_what_it_stands_for)
{
	struct dlazy_module *m = opened(test_plugin("good-filter"), 0);

	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
}

TEST(version_may_be_asked_for)
{
	struct dlazy_module *m = opened(test_plugin("good-versions"), 0);
	void *one, *two;
	struct dlazy_import imports[] = {{"versions_answer@V1", &one, NULL},
					 {"versions_answer", &two, NULL}};

	CHECK_INT(dlazy_bind(m, imports, 2), 0);
	CHECK_INT(call_int(two), 2);
	CHECK_INT(call_int(one), 1);
	CHECK(one == dlazy_resolve(m, "versions_answer@V1"));
}

/* Binding must fail, and leave both pointers alone. */
static void check_nothing_bound(const char *plugin, const char *good,
				const char *bad, int status)
{
	struct dlazy_module *m = opened(test_plugin(plugin), 0);
	int mark;
	void *first = &mark, *second = &mark;
	struct dlazy_import imports[] = {{good, &first, NULL},
					 {bad, &second, NULL}};

	CHECK_INT(dlazy_bind(m, imports, 2), status);
	CHECK_INT(dlazy_last_status(), status);
	CHECK_IN(dlazy_error(), bad);
	CHECK(first == &mark && second == &mark);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	/* And nothing is written later. */
	CHECK_INT(dlazy_load(m), 0);
	CHECK(first == &mark && second == &mark);
}

TEST(absent_symbol_binds_nothing)
{
	needs_stubs();
	check_nothing_bound("good-plain", "plain_answer", "plain_question",
			    -DLAZY_ENOSYM);
}

TEST(data_is_ekind_and_binds_nothing)
{
	needs_stubs();
	check_nothing_bound("good-kinds", "kinds_function", "kinds_data",
			    -DLAZY_EKIND);
}

TEST(thread_local_data_is_ekind)
{
	needs_stubs();
	check_nothing_bound("good-kinds", "kinds_function", "kinds_tls",
			    -DLAZY_EKIND);
}

TEST(close_forgets_the_pointers)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *pointer;
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	void *stub = pointer;
	CHECK_INT(dlazy_close(m), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK(pointer == stub);
}

TEST(close_forgets_the_pointers_while_another_has_it_open)
{
	const char *path = test_plugin("good-plain");
	struct dlazy_module *a = opened(path, 0), *b = opened(path, 0);
	void *mine, *others;
	struct dlazy_import one = {"plain_answer", &mine, NULL};
	struct dlazy_import two = {"plain_answer", &others, NULL};

	needs_stubs();
	CHECK_INT(dlazy_bind(a, &one, 1), 0);
	CHECK_INT(dlazy_bind(b, &two, 1), 0);
	CHECK_INT(dlazy_close(a), 0);
	mine = NULL;
	CHECK_INT(dlazy_load(b), 0);
	CHECK(mine == NULL);
	CHECK_INT(call_int(others), 42);
}

TEST(unbind_leaves_the_pointers_alone)
{
	needs_stubs();
	struct dlazy_registry *r = dlazy_registry_new();
	const char *path = test_plugin("good-plain");
	void *kept, *given_back;
	struct dlazy_import one = {"plain_answer", &kept, NULL};
	struct dlazy_import two = {"plain_answer", &given_back, NULL};

	CHECK_INT(dlazy_registry_add_file(r, "p", path, 0), 0);
	struct dlazy_module *m = dlazy_registry_find(r, "p");
	CHECK_INT(dlazy_bind(m, &one, 1), 0);
	CHECK_INT(dlazy_bind(m, &two, 1), 0);
	void *stub = given_back;
	CHECK_INT(dlazy_unbind(m, &two, 1), 0);
	CHECK_INT(dlazy_unbind(m, &two, 1), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK(given_back == stub);
	CHECK(kept != stub);
	CHECK_INT(dlazy_unbind(m, NULL, 1), -DLAZY_EINVAL);
	CHECK_INT(dlazy_unbind(NULL, &two, 1), -DLAZY_EINVAL);
	dlazy_registry_free(r);
}

TEST(incomplete_import_is_einval)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *pointer = NULL;
	struct dlazy_import nameless = {NULL, &pointer, NULL};
	struct dlazy_import homeless = {"plain_answer", NULL, NULL};

	CHECK_INT(dlazy_bind(m, &nameless, 1), -DLAZY_EINVAL);
	CHECK_INT(dlazy_bind(m, &homeless, 1), -DLAZY_EINVAL);
	CHECK_INT(dlazy_bind(m, NULL, 1), -DLAZY_EINVAL);
	CHECK_INT(dlazy_bind(m, NULL, 0), 0);
}

TEST(built_in_gives_its_addresses)
{
	static const struct dlazy_symbol symbols[] = {
		{"getpid", (void *)getpid}, {"nothing", NULL}};
	struct dlazy_registry *r = dlazy_registry_new();
	void *pointer = NULL;
	struct dlazy_import good = {"getpid", &pointer, NULL};
	struct dlazy_import bad = {"nothing", &pointer, NULL};

	CHECK_INT(dlazy_registry_add_builtin(r, "inside", symbols, 2), 0);
	struct dlazy_module *m = dlazy_registry_find(r, "inside");
	CHECK_INT(dlazy_bind(m, &good, 1), 0);
	CHECK(pointer == (void *)getpid);
	CHECK_INT(dlazy_bind(m, &bad, 1), -DLAZY_ENOSYM);
	CHECK(dlazy_error() != NULL);
	CHECK(pointer == (void *)getpid);
	dlazy_registry_free(r);
}

TEST(off_binds_real_addresses)
{
	void *pointer;
	struct dlazy_import import = {"plain_answer", &pointer, NULL};

	setenv("DLAZY", "off", 1);
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	CHECK(pointer == dlazy_resolve(m, "plain_answer"));
}

/* ------------------------------------------------------------------ */
/* dlazy_call                                                         */

/* The module of types, where the ffi module can be had. */
static struct dlazy_module *types(void)
{
	static char path[4096];
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");

	if (stage) {
		snprintf(path, sizeof(path), "%s/dlazy/ffi.so", stage);
		call_use_module(path);
	}
	struct dlazy_module *m = opened(test_plugin("good-types"), 0);
	int status = dlazy_call(m, "types_v", "v()", NULL, NULL);
	if (status == -DLAZY_ENOSYS)
		test_skip("%s", dlazy_error());
	CHECK_INT(status, 0);
	return m;
}

/* types_LETTER(value) is value - 1. */
#define CHECK_LETTER(m, letter, type, value)                                \
	do {                                                                \
		type argument = (value), result = 0;                        \
		void *args[] = {&argument};                                 \
		CHECK_INT(dlazy_call(m, "types_" letter,                    \
				     letter "(" letter ")", &result, args), \
			  0);                                               \
		CHECK(result == (type)((value)-1));                         \
	} while (0)

TEST(each_letter_goes_there_and_back)
{
	struct dlazy_module *m = types();

	CHECK_LETTER(m, "b", int8_t, -7);
	CHECK_LETTER(m, "B", uint8_t, 0);
	CHECK_LETTER(m, "h", int16_t, -300);
	CHECK_LETTER(m, "H", uint16_t, 0);
	CHECK_LETTER(m, "i", int32_t, -70000);
	CHECK_LETTER(m, "I", uint32_t, 0);
	CHECK_LETTER(m, "l", long, -1);
	CHECK_LETTER(m, "L", unsigned long, 0);
	CHECK_LETTER(m, "q", int64_t, INT64_MIN + 1);
	CHECK_LETTER(m, "Q", uint64_t, 0);
	CHECK_LETTER(m, "f", float, 1.5f);
	CHECK_LETTER(m, "d", double, -2.25);
	CHECK_LETTER(m, "D", long double, 1e300L);
}

TEST(pointers_and_strings_are_passed)
{
	struct dlazy_module *m = types();
	char text[] = "key:value", *pointer = text + 1, *result = NULL;
	void *args[] = {&pointer};

	CHECK_INT(dlazy_call(m, "types_p", "p(p)", &result, args), 0);
	CHECK(result == text);
	CHECK_INT(dlazy_call(m, "types_s", "s(s)", &result, args), 0);
	CHECK_STR(result, ":value");
}

TEST(void_function_is_called)
{
	struct dlazy_module *m = types();
	int *touched = symbol_of(m, "types_touched");
	int before = *touched;

	CHECK_INT(dlazy_call(m, "types_v", "v()", NULL, NULL), 0);
	CHECK_INT(*touched, before + 1);
}

TEST(variadic_arguments_are_passed)
{
	struct dlazy_module *m = types();
	const char *kinds = "idl";
	int i = 1;
	double d = 2.5, sum = 0;
	long l = 4;
	void *args[] = {&kinds, &i, &d, &l};

	CHECK_INT(dlazy_call(m, "types_sum", "d(s.idl)", &sum, args), 0);
	CHECK(sum == 7.5);
}

TEST(many_arguments_are_passed)
{
	struct dlazy_module *m = types();
	int8_t a = -1;
	double b = 2, g = 64, j = 512;
	long c = 4, h = 128, sum = 0;
	float d = 8;
	uint16_t e = 16;
	int64_t f = 32;
	unsigned i = 256;
	char *k = (char[]){"1024"};
	void *args[] = {&a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k};

	CHECK_INT(dlazy_call(m, "types_many", "l(bdlfHqdlIdp)", &sum, args), 0);
	CHECK_INT(sum, 2045);
}

TEST(wrong_signatures_are_einval)
{
	struct dlazy_module *m = types();
	static const char *const wrong[] = {"",	     "i",      "i(",	"i(x)",
					    "x()",   "i(v)",   "i()i",	"(i)",
					    "i(..)", "i(s.f)", "i(s.b)"};
	int value = 0, result = 5;
	void *args[] = {&value, &value};

	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		CHECK_INT(dlazy_call(m, "types_i", wrong[n], &result, args),
			  -DLAZY_EINVAL);
		CHECK(dlazy_error() != NULL);
	}
	CHECK_INT(dlazy_call(m, "types_i", NULL, &result, args), -DLAZY_EINVAL);
	CHECK_INT(result, 5);
}

TEST(missing_arguments_are_einval)
{
	struct dlazy_module *m = types();
	int result;

	CHECK_INT(dlazy_call(m, "types_i", "i(i)", &result, NULL),
		  -DLAZY_EINVAL);
	CHECK_IN(dlazy_error(), "args");
}

TEST(call_of_an_absent_symbol_is_enosym_and_loads_nothing)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_call(m, "plain_question", "i()", NULL, NULL),
		  -DLAZY_ENOSYM);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(call_of_data_is_ekind)
{
	int value;

	CHECK_INT(dlazy_call(opened(test_plugin("good-types"), 0), "types_data",
			     "i()", &value, NULL),
		  -DLAZY_EKIND);
}

TEST(call_of_a_broken_module_says_what_load_says)
{
	int value;

	CHECK_INT(dlazy_call(opened(test_plugin("bad-missing-library"), 0),
			     "missing_answer", "i()", &value, NULL),
		  -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "libdlazy-absent.so");
}

TEST(result_may_be_unwanted)
{
	int value = 1;
	void *args[] = {&value};

	CHECK_INT(dlazy_call(types(), "types_i", "i(i)", NULL, args), 0);
}

/* ------------------------------------------------------------------ */
/* Closures, for CPUs without stubs                                   */

static int asked;

static int add(int a, int b)
{
	return a + b;
}

static void *find_add(void *owner, const void *caller)
{
	(void)caller;
	CHECK(owner == &asked);
	asked++;
	return (void *)add;
}

TEST(closure_asks_and_calls)
{
	int (*closure)(int, int);
	void *code;

	types();
	CHECK_INT(call_closure("i(ii)", find_add, &asked, &code), 0);
	memcpy(&closure, &code, sizeof(closure));
	CHECK_INT(closure(2, 3), 5);
	CHECK_INT(closure(-2, 3), 1);
	CHECK_INT(asked, 2);
	CHECK_INT(call_closure("i(", find_add, NULL, &code), -DLAZY_EINVAL);
}
