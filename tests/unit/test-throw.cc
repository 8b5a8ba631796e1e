/* SPDX-License-Identifier: MIT */
/*
 * A constructor that throws a C++ exception through dlopen and through us: it
 * arrives at who touched the module, and the module is unusable from there,
 * which is remembered.
 */
#include "tests/unit/opened.h"

#include <stdexcept>
#include <string>

/* What a call throws; in static storage. */
static const char *caught(void *stub)
{
	static std::string what;

	what = "nothing";
	try {
		call_int(stub);
	} catch (const std::runtime_error &error) {
		what = error.what();
	}
	return what.c_str();
}

TEST(exception_of_a_constructor_arrives_at_the_caller)
{
	needs_stubs();
	test_leaves_dlopen();
	struct dlazy_module *m =
		opened(test_plugin("bad-throwing-constructor"), 0);

	CHECK_STR(caught(symbol_of(m, "throwing_answer")), "no device");
}

TEST(module_whose_constructor_threw_has_failed)
{
	needs_stubs();
	test_leaves_dlopen();
	struct dlazy_module *m =
		opened(test_plugin("bad-throwing-constructor"), 0);

	CHECK_STR(caught(symbol_of(m, "throwing_answer")), "no device");
	CHECK_INT(dlazy_module_state(m), DLAZY_FAILED);
	CHECK(!dlazy_resolve(m, "throwing_answer"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ELOAD);
	CHECK_IN(dlazy_error(), "threw");
	CHECK_INT(dlazy_load(m), -DLAZY_ELOAD);
}

TEST(other_modules_load_after_an_exception)
{
	needs_stubs();
	test_leaves_dlopen();
	struct dlazy_module *m =
		opened(test_plugin("bad-throwing-constructor"), 0);
	struct dlazy_module *plain = opened(test_plugin("good-plain"), 0);

	CHECK_STR(caught(symbol_of(m, "throwing_answer")), "no device");
	CHECK_INT(call_int(symbol_of(plain, "plain_answer")), 42);
	CHECK_INT(dlazy_module_state(plain), DLAZY_LOADED);
}
