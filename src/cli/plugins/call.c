/* SPDX-License-Identifier: MIT */
/*
 * dlazy call: calls one function of a library, through the public API, and
 * prints what it returns. What the function does, a crash included, is between
 * it and who calls it.
 *
 * Behind FILE SYMBOL SIGNATURE the arguments are taken as they are, as many as
 * the signature has: they may begin with a dash. Options stand before FILE or
 * behind the arguments.
 */
#include "cli/cli.h"

#include "base/signature.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: dlazy call [--json] FILE SYMBOL SIGNATURE [ARG...]\n"
	"\n"
	"Calls a function of a shared object and prints its result:\n"
	"\n"
	"  dlazy call libm.so.6 pow 'd(dd)' 2 10\n"
	"\n"
	"SIGNATURE is RESULT(ARGUMENTS), a letter each: v nothing; signed\n"
	"and unsigned b B 8, h H 16, i I 32, q Q 64 bits, l L long; f float,\n"
	"d double, D long double; p pointer; s string. A \".\" begins the\n"
	"variadic part. Numbers are decimal or, with 0x, hexadecimal. FILE\n"
	"without a slash is searched for as dlopen(3) would.\n"
	"\n"
	"      --json  one JSON object on standard output\n"
	"  -h, --help  this text\n";

union value {
	int8_t i8;
	int16_t i16;
	int32_t i32;
	int64_t i64;
	float f;
	double d;
	long double ld;
	void *p;
	const char *s;
};

static bool is_unsigned(char letter)
{
	return strchr("BHILQp", letter) != NULL;
}

static bool is_floating(char letter)
{
	return strchr("fdD", letter) != NULL;
}

/* The lowest bytes of an integer, as a value of `size` bytes. */
static void narrow(uint64_t bits, size_t size, union value *ret)
{
	switch (size) {
	case 1:
		ret->i8 = (int8_t)bits;
		break;
	case 2:
		ret->i16 = (int16_t)bits;
		break;
	case 4:
		ret->i32 = (int32_t)bits;
		break;
	default:
		ret->i64 = (int64_t)bits;
	}
}

/* An integer's bits, extended by its sign if it has one. */
static uint64_t widen(const union value *v, char letter)
{
	bool plain = is_unsigned(letter);

	switch (signature_size(letter)) {
	case 1:
		return plain ? (uint8_t)v->i8 : (uint64_t)v->i8;
	case 2:
		return plain ? (uint16_t)v->i16 : (uint64_t)v->i16;
	case 4:
		return plain ? (uint32_t)v->i32 : (uint64_t)v->i32;
	default:
		return (uint64_t)v->i64;
	}
}

/* Like C's but for octal, which nobody means. */
static int base_of(const char *text)
{
	text += *text == '-' || *text == '+';
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
}

static const char *parse_integer(char letter, const char *text,
				 union value *ret)
{
	size_t size = signature_size(letter);
	unsigned unused = 64 - 8 * (unsigned)size;
	uint64_t bits;
	bool fits;
	char *end;

	errno = 0;
	if (is_unsigned(letter)) {
		bits = strtoumax(text, &end, base_of(text));
		fits = *text != '-' && bits <= UINT64_MAX >> unused;
	} else {
		int64_t n = strtoimax(text, &end, base_of(text));
		fits = n <= INT64_MAX >> unused && n >= INT64_MIN >> unused;
		bits = (uint64_t)n;
	}
	if (*end || end == text)
		return "not an integer";
	if (errno == ERANGE || !fits)
		return "out of range";
	narrow(bits, size, ret);
	return NULL;
}

static const char *parse_floating(char letter, const char *text,
				  union value *ret)
{
	char *end;

	errno = 0;
	if (letter == 'f')
		ret->f = strtof(text, &end);
	else if (letter == 'd')
		ret->d = strtod(text, &end);
	else
		ret->ld = strtold(text, &end);
	if (*end || end == text)
		return "not a number";
	return errno == ERANGE ? "out of range" : NULL;
}

/* NULL, or what is wrong with the text. */
static const char *parse_value(char letter, const char *text, union value *ret)
{
	if (letter == 's') {
		ret->s = text;
		return NULL;
	}
	/* strtol and the like would skip it. */
	if (isspace((unsigned char)*text))
		return "begins with a space";
	if (is_floating(letter))
		return parse_floating(letter, text, ret);
	return parse_integer(letter, text, ret);
}

/* The double that is written with the fewest digits that mean this float. */
static double as_written(float f)
{
	char number[JSON_NUMBER_MAX];

	for (int digits = FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
		snprintf(number, sizeof(number), "%.*g", digits, (double)f);
		if (strtof(number, NULL) == f)
			break;
	}
	return strtod(number, NULL);
}

static void call_print_json(char letter, const union value *v)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_key(&j, "result");
	if (letter == 'v')
		json_null(&j);
	else if (letter == 's')
		json_string(&j, v->s);
	else if (letter == 'f')
		json_double(&j, as_written(v->f));
	else if (letter == 'd')
		json_double(&j, v->d);
	else if (letter == 'D')
		json_long_double(&j, v->ld);
	else if (is_unsigned(letter))
		json_unsigned(&j, widen(v, letter));
	else
		json_integer(&j, (int64_t)widen(v, letter));
	json_end_object(&j);
	json_finish(&j);
}

/* What goes to another program goes as it is. */
static void print_string(const char *s)
{
	if (isatty(STDOUT_FILENO))
		cli_put(s, stdout);
	else
		fputs(s, stdout);
	putchar('\n');
}

static void call_print_text(char letter, const union value *v)
{
	char number[JSON_NUMBER_MAX];

	if (letter == 'v')
		return;
	if (letter == 's')
		print_string(v->s ? v->s : "(null)");
	else if (letter == 'p')
		printf("%#" PRIx64 "\n", widen(v, letter));
	else if (letter == 'D')
		puts(json_format_long_double(v->ld, number));
	else if (is_floating(letter))
		puts(json_format_double(letter == 'f' ? as_written(v->f) : v->d,
					number));
	else if (is_unsigned(letter))
		printf("%" PRIu64 "\n", widen(v, letter));
	else
		printf("%" PRId64 "\n", (int64_t)widen(v, letter));
}

struct call_request {
	const char *file;
	const char *symbol;
	const char *text; /* of the signature */
	struct signature signature;
	bool json;
};

/* The library's message, which the public API hands out. */
static int fail(const struct call_request *request)
{
	int status = dlazy_last_status();

	status_fail(-status, "%s", dlazy_error());
	return cli_fail(status, request->json);
}

static int open_failed(const struct call_request *request)
{
	int status = fail(request);

	if (!strchr(request->file, '/') && access(request->file, F_OK) == 0)
		cli_say("for the file in this directory: ./%s", request->file);
	return status;
}

static int call(const struct call_request *request, union value *values)
{
	void *args[SIGNATURE_ARGUMENTS_MAX];
	union value result = {.i64 = 0};
	struct dlazy_module *m = dlazy_open(request->file, 0);

	if (!m)
		return open_failed(request);
	for (unsigned i = 0; i < request->signature.count; i++)
		args[i] = &values[i];
	if (dlazy_call(m, request->symbol, request->text, &result, args) < 0)
		return fail(request);
	if (request->json)
		call_print_json(request->signature.result, &result);
	else
		call_print_text(request->signature.result, &result);
	/* Not closed: what came back may be used by what runs at exit. */
	return CLI_DONE;
}

static int parse_values(const struct call_request *request, char **texts,
			union value *ret)
{
	const struct signature *s = &request->signature;

	for (unsigned i = 0; i < s->count; i++) {
		const char *why =
			parse_value(s->arguments[i], texts[i], &ret[i]);
		if (why)
			return cli_usage("call",
					 "call: argument %u, \"%s\", "
					 "is wanted as %s: %s",
					 i + 1, texts[i],
					 signature_type_name(s->arguments[i]),
					 why);
	}
	return CLI_DONE;
}

/* Obeys the options at optind: -1, or the exit status. */
static int parse_options(int argc, char **argv, struct call_request *request)
{
	const struct cli_option options[] = {
		{"json", .flag = &request->json},
		{.name = NULL},
	};

	return cli_options_first(argc, argv, help, options);
}

int cli_call(int argc, char **argv)
{
	union value values[SIGNATURE_ARGUMENTS_MAX];
	struct call_request request = {.json = false};
	int status = parse_options(argc, argv, &request);

	if (status >= 0)
		return status;
	if (argc - optind < 3)
		return cli_usage("call", "call: FILE SYMBOL SIGNATURE wanted, "
					 "and the arguments it has");
	request.file = argv[optind];
	request.symbol = argv[optind + 1];
	request.text = argv[optind + 2];
	optind += 3;
	if (signature_check(request.text, &request.signature) < 0)
		return cli_usage("call", "call: %s", status_message());

	int wanted = (int)request.signature.count, given = argc - optind;
	char **texts = argv + optind;
	if (given >= wanted) {
		optind += wanted;
		status = parse_options(argc, argv, &request);
		if (status >= 0)
			return status;
	}
	if (given < wanted || optind < argc)
		return cli_usage(
			"call", "call: \"%s\" has %d argument%s, not %d",
			request.text, wanted, wanted == 1 ? "" : "s", given);
	status = parse_values(&request, texts, values);
	return status == CLI_DONE ? call(&request, values) : status;
}
