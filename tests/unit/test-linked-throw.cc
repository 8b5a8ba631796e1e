/* SPDX-License-Identifier: MIT */
/* An exception that a library's constructor throws arrives at who called the
 * linked stub, and the library is unusable from there, which is remembered. */
#include "tests/unit/linked-stubs.h"

#include <stdexcept>
#include <string>

static const char *caught()
{
	static std::string what;

	what = "nothing";
	try {
		stub_throwing();
	} catch (const std::runtime_error &error) {
		what = error.what();
	}
	return what.c_str();
}

extern "C" struct dlazy_module *dlazy_linked_module(const struct linked *l);

TEST(exception_of_a_constructor_arrives_at_the_caller)
{
	test_leaves_dlopen();
	linked_files(&linked_throwing, test_plugin("bad-throwing-constructor"),
		     nullptr);
	CHECK_STR(caught(), "no device");
	CHECK_INT(dlazy_module_state(dlazy_linked_module(&linked_throwing)),
		  DLAZY_FAILED);
}

TEST(other_libraries_load_after_an_exception)
{
	test_leaves_dlopen();
	linked_files(&linked_throwing, test_plugin("bad-throwing-constructor"),
		     nullptr);
	linked_files(&linked_real, test_plugin("linked-real"), nullptr);
	CHECK_STR(caught(), "no device");
	CHECK_INT(stub_sum(3, 1, 2, 3), 6);
}
