/* SPDX-License-Identifier: MIT */
/*
 * What plugins say of themselves: the note and the sidecar, merged; texts that
 * nobody should write; the module that reads them, and where it is not.
 */
#include "tests/unit/opened.h"

#include "load/metadata.h"

#include <fcntl.h>
#include <unistd.h>

/* The JSON module, where it can be had. */
static void needs_json(void)
{
	static char path[4096];
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");

	if (!stage)
		test_skip("the JSON module is looked for in the staged tree");
	snprintf(path, sizeof(path), "%s/dlazy/json.so", stage);
	if (access(path, F_OK) < 0)
		test_skip("built without jansson");
	metadata_use_module(path);
}

static void write_bytes(const char *file, const char *bytes, size_t size)
{
	int fd = open(own_path(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0644);

	CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static void write_sidecar(const char *text)
{
	write_bytes("p.dlazy.json", text, strlen(text));
}

static const char *property(struct dlazy_module *m, const char *key)
{
	const char *value = dlazy_module_property(m, key);

	if (!value && dlazy_last_status())
		CHECK(!dlazy_error());
	return value;
}

TEST(a_note_is_read_without_loading)
{
	needs_json();
	struct dlazy_module *m = opened(test_plugin("good-described"), 0);

	CHECK_IN(dlazy_module_metadata(m), "\"version\":\"2.1\"");
	CHECK_STR(property(m, "name"), "described");
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(test_mapped("good-described"), 0);
	CHECK(dlazy_module_metadata(m) == dlazy_module_metadata(m));
}

TEST(a_json_pointer_finds_a_scalar)
{
	needs_json();
	struct dlazy_module *m = opened(test_plugin("good-described"), 0);

	CHECK_STR(property(m, "/provides/0/id"), "codec/png");
	CHECK_STR(property(m, "/provides/0/rank"), "700");
	CHECK_STR(property(m, "/schema"), "1");
	CHECK_STR(property(m, "/a~1b/m~0n/0"), "true");
	CHECK(!property(m, "/a~1b/m~0n/1")); /* null */
	CHECK_STR(property(m, "/a~1b/m~0n/2"), "1.5");
	CHECK_STR(property(m, "/a~1b/m~0n/3"), "last");
	CHECK(!property(m, "/a~1b/m~0n/4"));
	CHECK(!property(m, "/a~1b/m~0n/-"));
	CHECK(!property(m, "/a~1b/m~0n/03"));
	CHECK(!property(m, "/a~1b/m~0n"));
	CHECK(!property(m, "/a~2b"));
	CHECK(!property(m, "/name/0"));
	CHECK(!property(m, "a~1b"));
	CHECK(!property(m, ""));
	CHECK(!property(m, "/"));
	CHECK(!property(m, "absent"));
	CHECK(!dlazy_module_property(m, NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
}

TEST(a_sidecar_wins_key_by_key)
{
	struct metadata metadata;

	needs_json();
	struct dlazy_module *m = opened(own_copy("good-described", "p.so"), 0);
	write_sidecar("{\"description\":\"beside\",\"a/b\":1e-1}");
	CHECK_STR(property(m, "description"), "beside");
	CHECK_STR(property(m, "/a~1b"), "0.1");
	CHECK_STR(property(m, "version"), "2.1");
	CHECK_INT(metadata_read(own_path("p.so"), &metadata), 0);
	CHECK_IN(document_sources(metadata.document),
		 "\"description\":\"sidecar\"");
	CHECK_IN(document_sources(metadata.document), "\"version\":\"note\"");
	metadata_clear(&metadata);
}

TEST(a_changed_sidecar_is_read_anew)
{
	needs_json();
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);

	CHECK(!dlazy_module_metadata(m));
	CHECK(!dlazy_error());
	write_sidecar("{\"name\":\"one\"}");
	const char *one = property(m, "name");
	CHECK_STR(one, "one");
	write_sidecar("{\"name\":\"another\"}");
	CHECK_STR(property(m, "name"), "another");
	CHECK_STR(one, "one");
	CHECK_INT(unlink(own_path("p.dlazy.json")), 0);
	CHECK(!property(m, "name"));
}

TEST(that_there_are_none_is_kept_until_there_are)
{
	needs_json();
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);

	usleep(100000); /* so that a change gives another time */
	for (int i = 0; i < 2; i++) {
		CHECK(!dlazy_module_metadata(m));
		CHECK(!dlazy_error());
	}
	write_sidecar("{\"name\":\"one\"}");
	CHECK_STR(property(m, "name"), "one");
	CHECK_INT(unlink(own_path("p.dlazy.json")), 0);
	CHECK(!property(m, "name"));
	own_copy("good-described", "p.so");
	CHECK_STR(property(m, "name"), "described");
}

/* The sidecar alone is not used; why is said in these words. */
static void check_problem(struct dlazy_module *m, const char *words)
{
	CHECK(!dlazy_module_metadata(m));
	CHECK_INT(dlazy_last_status(), -DLAZY_EFORMAT);
	const char *said = dlazy_error();
	CHECK_IN(said, "p.so: sidecar: ");
	CHECK_IN(said, words);
	CHECK(dlazy_sym(m, "plain_answer")); /* it costs nothing else */
}

/* The text `open` so many times, and no end. */
static char *repeated(const char *open, size_t times)
{
	size_t n = strlen(open);
	char *text = malloc(n * times + 1);

	CHECK(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * n, open, n);
	text[n * times] = '\0';
	return text;
}

TEST(hostile_texts_cost_the_metadata_alone)
{
	static const struct {
		const char *text, *words;
	} texts[] = {
		{"", "was expected"},
		{"{", "was expected"},
		{"{\"a\":01}", "was expected"},
		{"{\"a\":\"\x1b\"}", "was expected"},
		{"{\"a\":\"\xc0\xaf\"}", "UTF-8"},
		{"{\"a\":\"\xed\xa0\x80\"}", "UTF-8"},
		{"{\"a\":1}x", "nothing more"},
		{"[1]", "no JSON object"},
		{"{\"a\":1,\"a\":2}", "line 1: "},
		{"{\"a\":99999999999999999999}", "line 1: "},
		{"{\"a\":1e999}", "line 1: "},
		{"{\"a\":\"\\u0000\"}", "line 1: "},
		{"{\"a\":\"\\ud800\"}", "line 1: "},
		{"{\"schema\":2}", "\"schema\" is not 1"},
		{"{\"schema\":\"1\"}", "\"schema\" is not 1"},
	};

	needs_json();
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		write_sidecar(texts[i].text);
		check_problem(m, texts[i].words);
	}
	write_bytes("p.dlazy.json", "{}\0", 3);
	check_problem(m, "a NUL at byte 2");
	char *deep = repeated("{\"a\":[", 100000);
	write_sidecar(deep);
	check_problem(m, "no deeper nesting");
	free(deep);
	char *long_text = repeated(" ", 10 << 20);
	write_sidecar(long_text);
	check_problem(m, "more than 1048576 bytes");
	free(long_text);
}

TEST(what_is_wrong_of_what_is_provided_is_told)
{
	static const struct {
		const char *provides, *words;
	} texts[] = {
		{"{}", "\"provides\" is not an array"},
		{"[{\"id\":\"a\"},1]", "\"/provides/1\" is not an object with"},
		{"[{\"rank\":1001}]", "\"/provides/0/rank\" is not an integer"},
		{"[{\"id\":\"a\",\"magic\":[{\"hex\":\"8\"}]}]",
		 "\"/provides/0/magic\" is not an array of objects with"},
	};
	char text[256];

	needs_json();
	own_copy("good-plain", "p.so");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct metadata metadata;

		snprintf(text, sizeof(text), "{\"provides\":%s}",
			 texts[i].provides);
		write_sidecar(text);
		CHECK_INT(metadata_read(own_path("p.so"), &metadata), 0);
		CHECK_IN(metadata.texts.sources[METADATA_SIDECAR].problem,
			 texts[i].words);
		metadata_clear(&metadata);
	}
}

TEST(a_known_key_of_another_kind_is_left_out)
{
	static const char *const values[] = {
		"\"name\":1",
		"\"description\":null",
		"\"interface\":\"test\"",
		"\"interface\":\"test/2.\"",
		"\"load\":\"never\"",
		"\"requires\":[1]",
		"\"provides\":{}",
		"\"provides\":[{}]",
		"\"provides\":[{\"id\":\"a\",\"rank\":1001}]",
		"\"provides\":[{\"id\":\"a\",\"magic\":[{\"offset\":-1,"
		"\"hex\":\"00\"}]}]",
		"\"provides\":[{\"id\":\"a\",\"magic\":[{\"hex\":\"0\"}]}]",
	};
	char text[256];

	needs_json();
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct metadata metadata;

		snprintf(text, sizeof(text), "{%s,\"mine\":[true]}", values[i]);
		write_sidecar(text);
		CHECK_STR(dlazy_module_metadata(m), "{\"mine\":[true]}");
		CHECK_INT(metadata_read(own_path("p.so"), &metadata), 0);
		CHECK_IN(metadata.texts.sources[METADATA_SIDECAR].problem,
			 " is not ");
		metadata_clear(&metadata);
	}
}

TEST(without_metadata_the_json_module_is_not_needed)
{
	metadata_use_module("/nonexistent/json.so");
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);

	CHECK(!dlazy_module_metadata(m));
	CHECK(!dlazy_error());
	write_sidecar("not JSON");
	check_problem(m, "was expected");
	write_sidecar("{}");
	CHECK(!dlazy_module_metadata(m));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOSYS);
	CHECK_IN(dlazy_error(), "metadata need dlazy's module json.so");
	CHECK(!dlazy_module_property(m, "name"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOSYS);
}

TEST(what_is_no_plugin_says_nothing)
{
	struct dlazy_registry *r = dlazy_registry_new();
	struct dlazy_symbol symbol = {"answer", r};

	CHECK_INT(dlazy_registry_add_builtin(r, "inside", &symbol, 1), 0);
	CHECK(!dlazy_module_metadata(dlazy_registry_find(r, "inside")));
	CHECK(!dlazy_error());
	CHECK(!dlazy_module_metadata(NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
	dlazy_registry_free(r);
}
