/* SPDX-License-Identifier: MIT */
/* <dlazy/dlazy.hpp>: what C gives, with destructors, exceptions and types. */
#include <dlazy/dlazy.hpp>

#include "tests/unit/opened.h"

#include <utility>

TEST(a_function_has_its_type_and_loads_when_it_is_called)
{
	needs_stubs();
	dlazy::module plain(test_plugin("good-plain"));
	dlazy::function<int()> answer = plain.get<int()>("plain_answer");

	CHECK(answer && !plain.loaded());
	CHECK_INT(answer(), 42);
	CHECK(plain.loaded());
	CHECK(!dlazy::function<int()>());
	CHECK_INT(dlazy::function<int()>(plain, "plain_answer")(), 42);
}

TEST(what_fails_throws_its_words_and_status)
{
	try {
		dlazy::module absent("/nonexistent/absent.so");
		CHECK(false);
	} catch (const dlazy::error &e) {
		CHECK_INT(e.status(), -DLAZY_ENOENT);
		CHECK_IN(e.what(), "absent.so");
	}
}

TEST(a_module_is_closed_once_wherever_it_was_moved)
{
	dlazy_module *handle;
	{
		dlazy::module first(test_plugin("good-plain"));
		dlazy::module second = std::move(first);
		handle = second.handle();
		CHECK_STR(second.name(), "good-plain");
	}
	CHECK_INT(dlazy_close(handle), -DLAZY_EINVAL);
}

static int built_in(int n)
{
	return n + 1;
}

TEST(a_registry_lends_modules_and_its_queries_are_ranges)
{
	const dlazy_symbol symbols[] = {
		{"next", reinterpret_cast<void *>(built_in)}};
	dlazy::registry r;
	int n = 0;

	r.add_builtin("counter", symbols, 1);
	r.add_file(test_plugin("good-plain"));
	CHECK_INT(r.count(), 2);
	CHECK_INT(r.find("counter").get<int(int)>("next")(41), 42);
	for (const auto &match : r.query("no/such/*"))
		n += match.rank + 1;
	CHECK_INT(n, 0);
	dlazy_query all = {};
	all.size = sizeof(all);
	dlazy::cursor c = r.query(all);
	for (const auto &match : c) {
		CHECK(match.plugin != nullptr);
		n++;
	}
	CHECK_INT(n, 2);
}
