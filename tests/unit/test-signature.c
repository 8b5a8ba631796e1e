/* SPDX-License-Identifier: MIT */
/*
 * src/base/signature: the language of dlazy_call's signatures.
 */
#include "base/signature.h"
#include "tests/test.h"

static void refused(const char *text, size_t at, const char *words)
{
	struct signature s;
	size_t where = 999;
	const char *why = signature_parse(text, &s, &where);

	if (!why || where != at)
		test_fail(__FILE__, __LINE__, "\"%s\": %s at %zu, not %zu",
			  text, why ? why : "taken", where, at);
	CHECK_IN(why, words);
	CHECK_INT(signature_check(text, &s), -DLAZY_EINVAL);
	CHECK_IN(status_message(), words);
}

TEST(plain_signature_is_taken_apart)
{
	struct signature s;

	CHECK_INT(signature_check("d(dfps)", &s), 0);
	CHECK(s.result == 'd' && s.count == 4 && s.fixed == 4 && !s.variadic);
	CHECK(memcmp(s.arguments, "dfps", 4) == 0);
}

TEST(no_arguments_is_a_signature)
{
	struct signature s;

	CHECK_INT(signature_check("v()", &s), 0);
	CHECK(s.result == 'v' && s.count == 0 && s.fixed == 0);
}

TEST(variadic_part_begins_at_the_dot)
{
	struct signature s;

	CHECK_INT(signature_check("i(s.id)", &s), 0);
	CHECK(s.variadic && s.fixed == 1 && s.count == 3);
	CHECK_INT(signature_check("i(s.)", &s), 0);
	CHECK(s.variadic && s.fixed == 1 && s.count == 1);
}

TEST(every_letter_has_a_size)
{
	for (const char *c = "bBhHiIlLqQfdDps"; *c; c++)
		CHECK(signature_size(*c) > 0);
	CHECK_INT(signature_size('v'), 0);
	CHECK_INT(signature_size('Q'), 8);
}

TEST(wrong_character_is_pointed_at)
{
	refused("", 0, "result");
	refused("x()", 0, "result");
	refused("i", 1, "expected");
	refused("i(", 2, "missing");
	refused("i(i", 3, "missing");
	refused("i(iz)", 3, "not a type");
	refused("i(v)", 2, "no arguments");
	refused("i()x", 3, "follow");
	refused("bad signature", 1, "expected");
}

TEST(misplaced_dots_are_refused)
{
	refused("i(.i)", 2, "before");
	refused("i(s..)", 4, "second");
}

TEST(variadic_types_that_c_would_widen_are_refused)
{
	refused("i(s.f)", 4, "double");
	refused("i(s.b)", 4, "int");
	refused("i(s.H)", 4, "int");
}

TEST(at_most_64_arguments)
{
	char text[80] = "v(";
	struct signature s;

	memset(text + 2, 'i', 64);
	strcpy(text + 66, ")");
	CHECK_INT(signature_check(text, &s), 0);
	CHECK_INT(s.count, 64);
	strcpy(text + 66, "i)");
	refused(text, 66, "64");
}
