/* SPDX-License-Identifier: MIT */
/*
 * src/base/json: what is written is JSON, whatever the strings and numbers.
 */
#include "base/json.h"
#include "base/jsonread.h"
#include "tests/test.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>

static struct json j;
static char *text;
static size_t size;

static struct json *begin(void)
{
	j = json_to(open_memstream(&text, &size));
	return &j;
}

static const char *written(void)
{
	fclose(j.out);
	return text;
}

TEST(commas_stand_between_members_only)
{
	begin();
	json_begin_object(&j);
	json_begin_array_at(&j, "empty");
	json_end_array(&j);
	json_begin_array_at(&j, "two");
	json_integer(&j, -1);
	json_begin_object(&j);
	json_null_at(&j, "x");
	json_end_object(&j);
	json_bool(&j, true);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
	CHECK_STR(written(), "{\"empty\":[],\"two\":[-1,{\"x\":null},true]}\n");
	free(text);
}

TEST(strings_are_escaped)
{
	json_string(begin(), "a\"\\\b\f\n\r\t\x01\x7f/\xc3\xa9");
	CHECK_STR(written(),
		  "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f/\xc3\xa9\"");
	free(text);
}

TEST(bytes_that_are_not_utf8_are_replaced)
{
	/* overlong, surrogate, above the last plane, cut short */
	json_string(begin(), "\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82");
	CHECK_STR(written(), "\"\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|"
			     "\\ufffd\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\"");
	free(text);
}

TEST(doubles_are_short_and_read_back)
{
	const double values[] = {0.1,
				 1.0 / 3,
				 1024,
				 5e-324,
				 1.7976931348623157e308,
				 -0.25,
				 123456789012345680.0};
	char buffer[JSON_NUMBER_MAX];

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		json_format_double(values[i], buffer);
		CHECK(strtod(buffer, NULL) == values[i]);
		CHECK(json_is_valid(buffer));
	}
	CHECK_STR(json_format_double(0.1, buffer), "0.1");
	CHECK_STR(json_format_double(1024, buffer), "1024");
	CHECK_STR(json_format_long_double(0.1L, buffer), "0.1");
}

TEST(a_decimal_comma_is_not_written)
{
	char buffer[JSON_NUMBER_MAX];

	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") &&
	    !setlocale(LC_NUMERIC, "de_DE"))
		test_skip("no locale with a decimal comma is installed");
	CHECK_STR(json_format_double(0.5, buffer), "0.5");
}

TEST(what_json_cannot_say_is_null)
{
	begin();
	json_begin_array(&j);
	json_double(&j, (double)NAN);
	json_double(&j, (double)INFINITY);
	json_string(&j, NULL);
	json_end_array(&j);
	CHECK_STR(written(), "[null,null,null]");
	free(text);
}

TEST(integers_keep_their_ends)
{
	begin();
	json_begin_array(&j);
	json_integer(&j, INT64_MIN);
	json_unsigned(&j, UINT64_MAX);
	json_end_array(&j);
	CHECK_STR(written(), "[-9223372036854775808,18446744073709551615]");
	free(text);
}

TEST(valid_texts_are_told_from_others)
{
	const char *good[] = {"{}", " [ ] ", "[1, -2.5e+3, \"a\\u00e9\\n\"]",
			      "{\"a\":{\"b\":[true,false,null]}}", "0"};
	const char *bad[] = {"",	"{",	     "[1,]",  "{\"a\"}",
			     "01",	"1.",	     "-",     "\"\n\"",
			     "\"\\x\"", "\"\\u12\"", "nulll", "[] []",
			     "{a:1}",	"\"\xff\"",  "\""};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!json_is_valid(good[i]))
			test_fail(__FILE__, __LINE__, "refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (json_is_valid(bad[i]))
			test_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
}

static void check_flaw(const char *bad, size_t offset, const char *expected)
{
	struct json_flaw flaw = {0};

	CHECK(!json_check(bad, &flaw));
	CHECK_INT((long long)flaw.offset, (long long)offset);
	CHECK_STR(flaw.expected, expected);
}

TEST(the_first_flaw_of_a_text_is_told)
{
	check_flaw("", 0, "a value");
	check_flaw("{\"a\":1,}", 7, "a string");
	check_flaw("{\"a\" 1}", 5, "a colon");
	check_flaw("[1 2]", 3, "a comma or ]");
	check_flaw("{\"a\":1", 6, "a comma or }");
	check_flaw("[1.]", 3, "a digit");
	check_flaw("[\"a\xff\"]", 3, "UTF-8");
	check_flaw("[\"a", 3, "the end of a string");
	check_flaw("[\"\\q\"]", 3, "an escape");
	check_flaw("[] []", 3, "nothing more");
}

TEST(deep_nesting_is_refused)
{
	char deep[100000];

	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	CHECK(!json_is_valid(deep));
}

TEST(text_that_is_not_json_is_embedded_as_a_string)
{
	begin();
	json_begin_array(&j);
	json_text(&j, "{\"a\":1}");
	json_text(&j, "{a:1}");
	json_end_array(&j);
	CHECK_STR(written(), "[{\"a\":1},\"{a:1}\"]");
	free(text);
}

TEST(text_that_is_embedded_has_nothing_that_is_not_shown)
{
	begin();
	json_begin_array(&j);
	json_text(
		&j,
		"[\r\n\"a\302\233\342\200\256\303\251\177\363\240\201\201\"]");
	json_end_array(&j);
	CHECK_STR(written(), "[[  \"a\\u009b\\u202e\303\251\\u007f\\udb40"
			     "\\udc41\"]]");
	free(text);
}

static void reads(const char *json, const char *pointer, const char *expected)
{
	const char *value = json_pointer(json, pointer, NULL);
	char *string = json_read_string(value);

	if (!expected)
		CHECK(!string);
	else
		CHECK_STR(string, expected);
	free(string);
}

TEST(what_is_known_to_end_is_not_read_over)
{
	static const char json[] = "{\"a\":[[[,\"b\":\"found\"}";
	struct json_container array = {json + 5, json + 8};
	const struct json_ends ends = {&array, 1, 1};
	char *string = json_read_string(json_pointer(json, "/b", &ends));

	CHECK_STR(string, "found");
	free(string);
	string = json_read_string(json_pointer(json, "b", &ends));
	CHECK_STR(string, "found");
	free(string);
	reads(json, "/b", NULL);
}

TEST(values_are_read_in_place)
{
	static const char json[] =
		" { \"a\" : [ 1 , {\"b\\/c\" : "
		"\"x\\u00e9\\ud834\\udd1e\\n\\\"\"} "
		", [] , \"]\\\"}\" ] , \"m~n\" : \"\\u0000\\ud834z\" , "
		"\"n\" : -12 , \"f\" : 1.5 , \"t\" : true } ";
	int64_t number;

	reads(json, "/a/1/b~1c", "x\303\251\360\235\204\236\n\"");
	reads(json, "/a/3", "]\"}");
	reads(json, "/m~0n", "\357\277\275\357\277\275z");
	reads(json, "m~n", "\357\277\275\357\277\275z");
	reads(json, "/a/4", NULL);
	reads(json, "/a/01", NULL);
	reads(json, "/a/3/0", NULL);
	reads(json, "/a/2", NULL);
	reads(json, "/m~2n", NULL);
	reads(json, "/m~", NULL);
	CHECK(json_read_integer(json_pointer(json, "n", NULL), &number));
	CHECK_INT(number, -12);
	CHECK(json_read_integer(json_pointer(json, "/a/0", NULL), &number));
	CHECK_INT(number, 1);
	CHECK(!json_read_integer(json_pointer(json, "f", NULL), &number));
	CHECK(!json_read_integer(json_pointer(json, "t", NULL), &number));
	CHECK(!json_read_integer(NULL, &number));
	CHECK(!json_read_integer("99999999999999999999", &number));
	CHECK(!json_member("[1]", "a") && !json_member(NULL, "a"));
}

/* The string ends where its quote is, whatever the escape before it. */
TEST(damaged_escapes_do_not_lead_behind_the_string)
{
	static const char *const damaged[] = {"\"\\u\"", "\"\\u00\"12\"",
					      "\"\\ud834\\u\"zzzz\"",
					      "\"\\u{\"name\""};
	static const char *const expected[] = {"?", "?00", "\357\277\275?",
					       "?{"};

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		char *string = json_read_string(damaged[i]);

		CHECK_STR(string, expected[i]);
		free(string);
	}
}

TEST(what_ends_early_is_not_read_behind)
{
	static const char json[] =
		"{\"a\":[\"\\u00e9\",{\"b\":\"\\ud834\\udd1e\"}]}";

	for (size_t n = 0; n < sizeof(json); n++) {
		char *cut = strndup(json, n);

		free(json_read_string(json_pointer(cut, "/a/1/b", NULL)));
		free(json_read_string(json_pointer(cut, "/a/0", NULL)));
		free(cut);
	}
}
