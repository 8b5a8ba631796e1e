/* SPDX-License-Identifier: MIT */
/*
 * Queries: by id, by glob, by who can open something; the order of what is found;
 * what a cursor shows while its registry changes or goes.
 */
#include "tests/unit/opened.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "catalog/catalog.h"
#include "catalog/format.h"
#include "load/metadata.h"
#include "meta/matcher.h"

#include <dlazy/lifecycle.h>
#include <dlazy/query.h>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The JSON module, where it can be had; directories d and e of the test's own. */
static void make_directories(void)
{
	static char path[4096];
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");

	snprintf(path, sizeof(path), "%s/dlazy/json.so", stage ? stage : "");
	if (!stage || access(path, F_OK) < 0)
		test_skip("the JSON module is not in the staged tree");
	metadata_use_module(path);
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	mkdir(own_path("d"), 0755);
	mkdir(own_path("e"), 0755);
}

static void write_text(const char *file, const char *text)
{
	FILE *out = fopen(own_path(file), "we");

	CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

/* A plugin with a sidecar, below the test's directory. */
static void plugin(const char *name, const char *sidecar)
{
	char file[256];

	snprintf(file, sizeof(file), "%s.so", name);
	own_copy("good-plain", file);
	snprintf(file, sizeof(file), "%s.dlazy.json", name);
	write_text(file, sidecar);
}

static struct dlazy_registry *registry_of(const char *first, const char *second)
{
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_dir(r, own_path(first), 0), 0);
	if (second)
		CHECK_INT(dlazy_registry_add_dir(r, own_path(second), 0), 0);
	return r;
}

static struct dlazy_cursor *ask(struct dlazy_registry *r, struct dlazy_query q)
{
	q.size = sizeof(q);
	struct dlazy_cursor *c = dlazy_registry_query(r, &q);

	if (!c)
		test_fail(__FILE__, __LINE__, "%s", dlazy_error());
	return c;
}

static const struct dlazy_match *next(struct dlazy_cursor *c)
{
	const struct dlazy_match *match = NULL;
	int n = dlazy_cursor_next(c, &match, 1);

	if (n < 0)
		test_fail(__FILE__, __LINE__, "%s", dlazy_error());
	return n ? match : NULL;
}

/* "plugin:id plugin:id ..." */
static const char *found(struct dlazy_registry *r, struct dlazy_query q)
{
	static char text[4096];
	struct dlazy_cursor *c = ask(r, q);
	const struct dlazy_match *match;
	size_t n = 0;

	text[0] = '\0';
	while ((match = next(c)))
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s:%s",
				      n ? " " : "", match->plugin,
				      match->id ? match->id : "-");
	CHECK(!next(c));
	dlazy_cursor_close(c);
	return text;
}

#define FOUND(r, expected, ...) \
	CHECK_STR(found(r, (struct dlazy_query){__VA_ARGS__}), expected)

static void make_codecs(void)
{
	make_directories();
	plugin("d/png", "{\"provides\":[{\"id\":\"codec/png\", \"rank\":700, "
			"\"description\":\"PNG\", \"symbol\":\"png_codec\", "
			"\"mime\":[\"image/png\"], \"glob\":[\"*.png\"], "
			"\"magic\":[{\"offset\":0, \"hex\":\"89504e47\"}]}]}");
	plugin("d/raw", "{\"provides\":["
			"{\"id\":\"codec/raw\", \"rank\":100, "
			"\"glob\":[\"*\"], \"magic\":[{\"offset\":1, "
			"\"hex\":\"50ff\", \"mask\":\"ff00\"}]}, "
			"{\"id\":\"tool/raw/x\"}]}");
	plugin("e/best", "{\"provides\":[{\"id\":\"codec/png\", \"rank\":900, "
			 "\"mime\":[\"IMAGE/PNG\"]}]}");
	own_copy("good-plain", "e/silent.so");
}

TEST(an_id_is_found_best_rank_first)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");

	FOUND(r, "best:codec/png png:codec/png", .provides = "codec/png");
	FOUND(r, "raw:tool/raw/x", .provides = "tool/raw/x");
	FOUND(r, "", .provides = "codec");
	FOUND(r, "", .provides = "");
	dlazy_registry_free(r);
}

TEST(a_match_says_what_is_known)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_cursor *c =
		ask(r, (struct dlazy_query){.provides = "codec/png"});
	const struct dlazy_match *match = next(c);

	CHECK_INT(match->size, sizeof(*match));
	CHECK_STR(match->plugin, "png");
	CHECK_STR(match->path, own_path("d/png.so"));
	CHECK_STR(match->description, "PNG");
	CHECK_STR(match->symbol, "png_codec");
	CHECK_INT(match->rank, 700);
	CHECK_INT(match->status, 0);
	CHECK(!match->problem);
	struct dlazy_module *m = dlazy_cursor_module(c, match);
	CHECK(m && m == dlazy_registry_find(r, "png"));
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK(!dlazy_cursor_module(c, match + 1));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
}

TEST(globs_match_across_slashes)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");

	FOUND(r, "png:codec/png raw:codec/raw raw:tool/raw/x best:codec/png",
	      .provides = "*");
	FOUND(r, "raw:codec/raw raw:tool/raw/x", .provides = "*raw*");
	FOUND(r, "png:codec/png raw:codec/raw best:codec/png",
	      .provides = "codec/*");
	FOUND(r, "raw:tool/raw/x", .provides = "tool*[w-y]");
	FOUND(r, "raw:codec/raw", .provides = "c?dec/[!p]*");
	FOUND(r, "", .provides = "codec\\*");
	dlazy_registry_free(r);
}

TEST(who_can_open_is_answered_by_rank)
{
	static const unsigned char head[] = {0x89, 'P', 'N', 'G'};

	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");
	FOUND(r, "best:codec/png png:codec/png",
	      .mime = "image/png; charset=binary");
	FOUND(r, "png:codec/png raw:codec/raw", .file = "/x/a.PNG");
	FOUND(r, "png:codec/png raw:codec/raw", .head = head,
	      .head_size = sizeof(head));
	FOUND(r, "raw:codec/raw", .head = head + 0, .head_size = 3);
	FOUND(r, "", .head = head, .head_size = 2);
	FOUND(r, "best:codec/png png:codec/png raw:codec/raw",
	      .mime = "image/png", .file = "x.gif");
	FOUND(r, "png:codec/png", .file = "a.png", .provides = "*/png");
	FOUND(r, "", .mime = "image/gif");
	dlazy_registry_free(r);
}

/* Of globs and names, and of magics and first bytes, each with each: what is found
 * is what matches. */
static const char *const globs[] = {
	"*.png",    "*.PNG",   "*.tar.gz",    "*",	     "README*",
	"Makefile", "make.*",  "*.[ch]",      "*[.]xz",	     "a?c",
	"*\\.dot",  "*/*.qoi", "/etc/*.d/rc", "*]x.y",	     "*.",
	".*",	    "x.y/z",   "*\\*",	      "*.d/Makefile"};
static const char *const names[] = {
	"a.png",    "A.PNG",	    "x.tar.gz", "/t.mp/x.gz",  "README.md",
	"Makefile", "a.d/mAkefile", "make.in",	"a.c",	       "b.xz",
	"abc",	    "q.dot",	    "p/a.QOI",	"/etc/a.d/rc", "]x.y",
	"",	    "end.",	    ".hidden",	"x.y/z",       "dir/",
	"a*"};

/* As JSON has it. */
static const char *escaped(const char *text)
{
	static char to[64];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '\\')
			to[n++] = '\\';
		to[n++] = *text;
	}
	to[n] = '\0';
	return to;
}

/* Adds what the i-th thing is found as, if it matches. */
static void expect(char *text, size_t i, const struct metadata_matcher *m,
		   const struct matcher_subject *subject)
{
	size_t n = strlen(text);

	if (matcher_opens(m, subject))
		snprintf(text + n, 4096 - n, "%sp:x/%zu", n ? " " : "", i);
}

TEST(whatever_matches_a_name_is_found)
{
	_cleanup_free_ char *said = calloc(1, 65536), *text = malloc(4096);
	size_t n = 0;

	make_directories();
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
		n += (size_t)snprintf(said + n, 65536 - n,
				      "%s{\"id\":\"x/%zu\", \"glob\":[\"%s\"]}",
				      i ? ", " : "{\"provides\":[", i,
				      escaped(globs[i]));
	snprintf(said + n, 65536 - n, "]}");
	plugin("d/p", said);
	struct dlazy_registry *r = registry_of("d", NULL);
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		struct matcher_subject subject = {.file = names[k]};

		text[0] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
			expect(text, i,
			       &(struct metadata_matcher){.kind = METADATA_GLOB,
							  .text = globs[i]},
			       &subject);
		FOUND(r, text, .file = names[k]);
	}
	dlazy_registry_free(r);
}

/* A magic of every length and mask at many offsets, more than are listed. */
static struct metadata_matcher magic(size_t i, uint8_t bytes[6],
				     uint8_t mask[6])
{
	static const uint8_t masks[] = {0xff, 0xff, 0xff, 0xf0, 0xff, 0x00};

	for (size_t k = 0; k < 6; k++) {
		mask[k] = masks[(i + k) % 6];
		bytes[k] = (uint8_t)((i % 4 < 3 ? 0xab : 0xcd) & mask[k]);
	}
	return (struct metadata_matcher){.kind = METADATA_MAGIC,
					 .offset = i % 41,
					 .bytes = bytes,
					 .mask = mask,
					 .size = 1 + i % 6};
}

static size_t say_magic(char *to, size_t size, size_t i)
{
	uint8_t bytes[6], mask[6];
	struct metadata_matcher m = magic(i, bytes, mask);
	size_t n = (size_t)snprintf(to, size,
				    "%s{\"id\":\"x/%zu\", \"magic\":"
				    "[{\"offset\":%d, \"hex\":\"",
				    i ? ", " : "{\"provides\":[", i,
				    (int)m.offset);

	for (size_t k = 0; k < m.size; k++)
		n += (size_t)snprintf(to + n, size - n, "%02x", bytes[k]);
	n += (size_t)snprintf(to + n, size - n, "\", \"mask\":\"");
	for (size_t k = 0; k < m.size; k++)
		n += (size_t)snprintf(to + n, size - n, "%02x", mask[k]);
	return n + (size_t)snprintf(to + n, size - n, "\"}]}");
}

TEST(whatever_matches_first_bytes_is_found)
{
	_cleanup_free_ char *said = malloc(65536), *text = malloc(4096);
	uint8_t head[64], bytes[6], mask[6];
	size_t n = 0, all = 160;

	make_directories();
	for (size_t i = 0; i < all; i++)
		n += say_magic(said + n, 65536 - n, i);
	snprintf(said + n, 65536 - n, "]}");
	plugin("d/p", said);
	struct dlazy_registry *r = registry_of("d", NULL);
	for (size_t k = 0; k < 4; k++) {
		struct matcher_subject subject = {.head = head,
						  .head_size = k == 3 ? 9 : 64};

		memset(head, k % 2 ? 0xcd : 0xab, sizeof(head));
		memset(head + 16, k < 2 ? 0xab : 0, 8);
		text[0] = '\0';
		for (size_t i = 0; i < all; i++) {
			struct metadata_matcher m = magic(i, bytes, mask);
			expect(text, i, &m, &subject);
		}
		CHECK(*text);
		FOUND(r, text, .head = head, .head_size = subject.head_size);
	}
	dlazy_registry_free(r);
}

TEST(without_a_question_all_plugins_are_told)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");

	FOUND(r, "png:codec/png raw:codec/raw raw:tool/raw/x best:codec/png "
		 "silent:-");
	dlazy_registry_free(r);
}

TEST(what_cannot_be_used_is_told_if_asked_for)
{
	make_codecs();
	plugin("e/png", "{\"provides\":[{\"id\":\"codec/png\"}]}");
	plugin("e/new", "{\"interface\":\"pic/2.4\", "
			"\"provides\":[{\"id\":\"codec/png\"}]}");
	write_text("e/text.so", "text");
	write_text("e/text.dlazy.json",
		   "{\"provides\":[{\"id\":\"codec/png\"}]}");
	struct dlazy_registry *r = registry_of("d", "e");
	CHECK_INT(dlazy_registry_interface(r, "pic", 2, 3), 0);
	FOUND(r, "best:codec/png png:codec/png", .provides = "codec/png");
	struct dlazy_cursor *c =
		ask(r, (struct dlazy_query){.provides = "codec/png",
					    .flags = DLAZY_QUERY_ALL});
	next(c);
	next(c);
	const struct dlazy_match *match = next(c);
	CHECK_STR(match->plugin, "new");
	CHECK_INT(match->status, -DLAZY_EINTERFACE);
	CHECK_IN(match->problem, "pic/2.4");
	CHECK(!dlazy_cursor_module(c, match));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINTERFACE);
	match = next(c);
	CHECK_STR(match->path, own_path("e/png.so"));
	CHECK_IN(match->problem, "shadowed");
	match = next(c);
	CHECK_STR(match->plugin, "text");
	CHECK_INT(match->status, -DLAZY_EFORMAT);
	CHECK(!next(c));
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
}

TEST(a_cursor_shows_the_registry_as_it_was)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});

	plugin("d/aaa", "{\"provides\":[{\"id\":\"a\"}]}");
	CHECK_INT(dlazy_registry_add_dir(r, own_path("e"), 0), 0);
	FOUND(r,
	      "aaa:a png:codec/png raw:codec/raw raw:tool/raw/x "
	      "best:codec/png",
	      .provides = "*");
	CHECK_STR(next(c)->id, "codec/png");
	CHECK_STR(next(c)->id, "codec/raw");
	CHECK_STR(next(c)->id, "tool/raw/x");
	CHECK(!next(c));
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
}

TEST(what_is_deleted_under_a_cursor_is_told_as_it_was)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});
	const struct dlazy_match *match;

	CHECK_INT(unlink(own_path("d/png.so")), 0);
	match = next(c);
	CHECK_STR(match->id, "codec/png");
	CHECK_STR(match->description, "PNG");
	CHECK(!dlazy_cursor_module(c, match));
	CHECK_STR(next(c)->id, "codec/raw");
	CHECK_STR(next(c)->id, "tool/raw/x");
	CHECK_INT(unlink(own_path("e/best.so")), 0);
	CHECK_INT(unlink(own_path("e/best.dlazy.json")), 0);
	CHECK_INT(unlink(own_path("e/silent.so")), 0);
	CHECK_INT(rmdir(own_path("e")), 0);
	CHECK_STR(next(c)->plugin, "best");
	CHECK(!next(c));
	dlazy_cursor_close(c);
	FOUND(r, "raw:codec/raw raw:tool/raw/x", .provides = "*");
	dlazy_registry_free(r);
}

TEST(a_cursor_ends_with_its_registry)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});
	struct dlazy_cursor *other = ask(r, (struct dlazy_query){.flags = 0});
	const struct dlazy_match *match = next(c);

	dlazy_cursor_close(other);
	dlazy_registry_free(r);
	CHECK(!dlazy_cursor_module(c, match));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	CHECK(!next(c));
	dlazy_cursor_close(c);
	dlazy_cursor_close(NULL);
}

static pthread_barrier_t start;

static void *free_registry(void *r)
{
	pthread_barrier_wait(&start);
	dlazy_registry_free(r);
	return NULL;
}

TEST(a_registry_may_be_freed_while_a_cursor_makes_a_module)
{
	pthread_t thread;

	make_codecs();
	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 30; i++) {
		struct dlazy_registry *r = registry_of("d", NULL);
		struct dlazy_cursor *c =
			ask(r, (struct dlazy_query){.provides = "*"});
		const struct dlazy_match *match = next(c);

		CHECK_INT(pthread_create(&thread, NULL, free_registry, r), 0);
		pthread_barrier_wait(&start);
		CHECK(dlazy_cursor_module(c, match) ||
		      dlazy_last_status() == -DLAZY_ENOENT);
		pthread_join(thread, NULL);
		dlazy_cursor_close(c);
	}
}

TEST(several_matches_are_given_at_once)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});
	const struct dlazy_match *matches[3];

	CHECK_INT(dlazy_cursor_next(c, matches, 3), 3);
	CHECK_STR(matches[0]->id, "codec/png");
	CHECK_STR(matches[2]->id, "tool/raw/x");
	CHECK_INT(dlazy_cursor_next(c, matches, 3), 1);
	CHECK_STR(matches[0]->plugin, "best");
	CHECK_INT(dlazy_cursor_next(c, matches, 3), 0);
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
}

TEST(a_sidecar_is_compared_when_it_is_handed_out)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);

	FOUND(r, "raw:tool/raw/x", .provides = "tool/*");
	write_text("d/raw.dlazy.json", "{\"provides\":[{\"id\":\"tool/b\"}]}");
	FOUND(r, "", .provides = "tool/raw/x");
	FOUND(r, "raw:tool/b", .provides = "tool/*");
	FOUND(r, "png:codec/png raw:tool/b", .flags = 0);
	/* A file that was written over says something else. */
	test_copy(test_plugin("good-described"), own_path("d/raw.so"));
	CHECK_INT(unlink(own_path("d/raw.dlazy.json")), 0);
	FOUND(r, "png:codec/png raw:codec/png", .provides = "codec/png");
	dlazy_registry_free(r);
}

TEST(a_no_is_compared_with_sidecars)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);

	FOUND(r, "", .provides = "late");
	write_text("d/raw.dlazy.json", "{\"provides\":[{\"id\":\"late\"}]}");
	FOUND(r, "raw:late", .provides = "late");
	dlazy_registry_free(r);
}

TEST(single_files_and_built_ins_are_asked_too)
{
	static const struct dlazy_symbol symbol = {"x", NULL};

	make_codecs();
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_file(r, "other", own_path("d/raw.so"), 0),
		  0);
	CHECK_INT(dlazy_registry_add_builtin(r, "built-in", &symbol, 0), 0);
	CHECK_INT(dlazy_registry_add_dir(r, own_path("e"), 0), 0);
	FOUND(r, "other:tool/raw/x other:codec/raw best:codec/png",
	      .provides = "*");
	FOUND(r, "other:codec/raw", .file = "x");
	FOUND(r,
	      "other:tool/raw/x other:codec/raw built-in:- best:codec/png "
	      "silent:-",
	      .flags = 0);
	dlazy_registry_free(r);
}

TEST(a_catalog_that_was_replaced_is_opened_anew)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_registry *other;

	plugin("d/aaa", "{\"provides\":[{\"id\":\"a\"}]}");
	other = registry_of("d", NULL);
	FOUND(r, "aaa:a", .provides = "a");
	dlazy_registry_free(r);
	dlazy_registry_free(other);
}

TEST(without_a_place_for_catalogs_queries_work)
{
	make_codecs();
	write_text("cache", "no directory");
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});

	FOUND(r, "png:codec/png", .provides = "codec/png");
	plugin("d/aaa", "{\"provides\":[{\"id\":\"a\"}]}");
	FOUND(r, "aaa:a", .provides = "a");
	CHECK_STR(next(c)->id, "codec/png");
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
}

TEST(a_fresh_catalog_needs_no_json_module)
{
	int status;

	make_codecs();
	if (fork() == 0) {
		dlazy_registry_free(registry_of("d", "e"));
		_exit(0);
	}
	CHECK(wait(&status) > 0 && status == 0);
	metadata_use_module(own_path("absent.so"));
	struct dlazy_registry *r = registry_of("d", "e");

	FOUND(r, "best:codec/png png:codec/png", .provides = "codec/png");
	struct dlazy_module *m = dlazy_registry_find(r, "png");
	CHECK_STR(dlazy_module_property(m, "/provides/0/id"), "codec/png");
	CHECK_IN(dlazy_module_metadata(m), "\"codec/png\"");
	dlazy_registry_free(r);
}

/* One file is one module, which may have been opened by another name before. */
TEST(a_link_says_what_is_said_of_it)
{
	make_directories();
	own_copy("good-plain", "e/file.so");
	CHECK_INT(symlink("../e/file.so", own_path("d/link.so")), 0);
	write_text("d/link.dlazy.json", "{\"name\":\"Link\"}");
	struct dlazy_module *file = dlazy_open(own_path("e/file.so"), 0);
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_module *m = dlazy_registry_find(r, "link");

	CHECK(m && m == file);
	CHECK_STR(dlazy_module_property(m, "/name"), "Link");
	dlazy_registry_free(r);
	dlazy_close(file);
}

/* A cursor over n plugins, half way through: bytes that it has allocated. */
static size_t memory_of(const char *dir, int n)
{
	char name[64];

	mkdir(own_path(dir), 0755);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/p%04d.so", dir, i);
		if (i == 0)
			own_copy("good-plain", name);
		else
			CHECK_INT(link(own_path("same.so"), own_path(name)), 0);
		if (i == 0)
			rename(own_path(name), own_path("same.so"));
		snprintf(name, sizeof(name), "%s/p%04d.dlazy.json", dir, i);
		if (i > 0)
			write_text(name, "{\"provides\":[{\"id\":\"same\", "
					 "\"glob\":[\"*\"]}]}");
	}
	struct dlazy_registry *r = registry_of(dir, NULL);
	struct mallinfo2 before = mallinfo2();
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.file = "x"});
	for (int i = 0; i < n / 2; i++)
		next(c);
	struct mallinfo2 after = mallinfo2();
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
	unlink(own_path("same.so"));
	return after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
}

TEST(a_cursor_takes_the_same_memory_for_few_and_many_plugins)
{
	make_directories();
	if (mallinfo2().uordblks == 0)
		test_skip("malloc does not count");
	size_t few = memory_of("few", 20), many = memory_of("many", 400);

	if (many > few + 4096)
		test_fail(__FILE__, __LINE__, "%zu and %zu bytes", few, many);
}

static void *ask_often(void *data)
{
	struct dlazy_registry *r = data;

	for (int i = 0; i < 30; i++) {
		struct dlazy_cursor *c =
			ask(r, (struct dlazy_query){.provides = "*"});
		const struct dlazy_match *match = next(c);

		CHECK(match);
		/* It may have been removed meanwhile. */
		if (!dlazy_cursor_module(c, match))
			CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
		while (next(c))
			;
		dlazy_cursor_close(c);
	}
	return NULL;
}

TEST(queries_race_with_changes)
{
	pthread_t threads[3];

	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");
	for (size_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, ask_often, r);
	for (int i = 0; i < 4; i++) {
		plugin("d/aaa", "{\"provides\":[{\"id\":\"a\"}]}");
		dlazy_registry_count(r);
		unlink(own_path("d/aaa.so"));
		dlazy_registry_count(r);
	}
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	dlazy_registry_free(r);
}

static void *read_all(void *data)
{
	while (next(data))
		;
	return NULL;
}

TEST(a_registry_can_be_freed_while_a_cursor_is_read)
{
	pthread_t thread;

	make_codecs();
	struct dlazy_registry *r = registry_of("d", "e");
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});
	pthread_create(&thread, NULL, read_all, c);
	dlazy_registry_free(r);
	pthread_join(thread, NULL);
	dlazy_cursor_close(c);
}

/* The catalog of directory d, which is open for reading and writing. */
static int open_own_catalog(struct catalog_header *ret)
{
	_cleanup_free_ char *path = catalog_user_path(own_path("d"));
	int fd = open(path, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_INT(pread(fd, ret, sizeof(*ret), 0), sizeof(*ret));
	return fd;
}

/* Zeros in the place of all records and metadata. */
static void damage_records(void)
{
	static const char zeros[1 << 16];
	struct catalog_header h;
	_cleanup_close_ int fd = open_own_catalog(&h);
	const struct catalog_section *all = &h.sections[FORMAT_RECORDS];

	CHECK(all->size <= sizeof(zeros));
	CHECK_INT(pwrite(fd, zeros, all->size, (off_t)all->offset), all->size);
}

/* Ids of a plugin that there is not, with checksums that are right. */
static void forge_ids(void)
{
	uint8_t block[FORMAT_BLOCK];
	struct catalog_header h;
	_cleanup_close_ int fd = open_own_catalog(&h);
	off_t at = (off_t)h.sections[FORMAT_IDS].offset;

	CHECK_INT(pread(fd, block, sizeof(block), at), sizeof(block));
	for (size_t i = 0; i < 3; i++) {
		struct catalog_id *id = (struct catalog_id *)block + i;
		id->plugin = 999999;
	}
	uint64_t sum = format_block_checksum(&h, FORMAT_IDS, 0, block);
	memcpy(block + FORMAT_BLOCK_ROOM, &sum, sizeof(sum));
	CHECK_INT(pwrite(fd, block, sizeof(block), at), sizeof(block));
}

/* As a host does that closes all descriptors that it does not know, and opens files
 * of its own: a catalog's number is one of these then. */
static int take_descriptor(void)
{
	char link[64], file[4096];

	for (int fd = 3; fd < 64; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, file, sizeof(file));
		if (n > 8 && !memcmp(file + n - 8, ".catalog", 8)) {
			CHECK_INT(dup2(0, fd), fd);
			return fd;
		}
	}
	test_fail(__FILE__, __LINE__, "no descriptor of a catalog");
	return -1;
}

TEST(a_descriptor_that_is_the_host_s_is_not_closed)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);
	struct dlazy_cursor *c = ask(r, (struct dlazy_query){.provides = "*"});
	int fd = take_descriptor();

	dlazy_cursor_close(c);
	CHECK_INT(close(fd), 0);
	_cleanup_free_ char *path = catalog_user_path(own_path("d"));
	struct catalog *catalog;
	CHECK_INT(catalog_open_file(AT_FDCWD, NULL, path, &catalog), 0);
	catalog_hold_file(catalog);
	fd = take_descriptor();
	catalog_close(catalog);
	CHECK_INT(close(fd), 0);
	dlazy_registry_free(r);
}

TEST(what_is_damaged_is_told_behind_what_was_found)
{
	static const struct dlazy_symbol symbol = {"x", NULL};
	const struct dlazy_match *matches[8];

	make_codecs();
	plugin("single", "{\"provides\":[{\"id\":\"codec/png\", "
			 "\"rank\":999}]}");
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_file(r, NULL, own_path("single.so"), 0),
		  0);
	CHECK_INT(dlazy_registry_add_builtin(r, "inside", &symbol, 1), 0);
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), 0), 0);
	struct dlazy_cursor *c =
		ask(r, (struct dlazy_query){.provides = "codec/png"});
	damage_records();
	CHECK_INT(dlazy_cursor_next(c, matches, 8), 1);
	CHECK_STR(matches[0]->plugin, "single");
	CHECK_INT(dlazy_cursor_next(c, matches, 8), -DLAZY_EFORMAT);
	CHECK_IN(dlazy_error(), "damaged");
	CHECK_INT(dlazy_cursor_next(c, matches, 8), 0);
	dlazy_cursor_close(c);
	dlazy_registry_free(r);
}

TEST(a_damaged_catalog_does_not_say_that_nobody_provides)
{
	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);

	CHECK(dlazy_registry_provider(r, "codec/png", 0, NULL));
	damage_records();
	CHECK(!dlazy_registry_provider(r, "codec/png", 0, NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_EFORMAT);
	CHECK(dlazy_registry_provider(r, "codec/png", 0, NULL));
	dlazy_registry_free(r);
}

TEST(forged_ids_are_no_plugins)
{
	const struct dlazy_match *match;

	make_codecs();
	struct dlazy_registry *r = registry_of("d", NULL);
	forge_ids();
	struct dlazy_cursor *c =
		ask(r, (struct dlazy_query){.provides = "codec/png",
					    .flags = DLAZY_QUERY_ALL});
	CHECK_INT(dlazy_cursor_next(c, &match, 1), -DLAZY_EFORMAT);
	dlazy_cursor_close(c);
	/* The registry has looked again. */
	FOUND(r, "png:codec/png", .provides = "codec/png");
	dlazy_registry_free(r);
}

TEST(directories_below_give_names_with_paths)
{
	make_codecs();
	struct dlazy_registry *r = dlazy_registry_new();
	char top[4096];

	snprintf(top, sizeof(top), "%s", test_directory());
	mkdir(own_path("d/in"), 0755);
	plugin("d/in/png", "{\"provides\":[{\"id\":\"inner\"}]}");
	CHECK_INT(symlink(own_path("d"), own_path("link")), 0);
	CHECK_INT(dlazy_registry_add_dir(r, top, DLAZY_RECURSIVE), 0);
	FOUND(r,
	      "d/png:codec/png d/raw:codec/raw d/raw:tool/raw/x "
	      "d/in/png:inner e/best:codec/png",
	      .provides = "*");
	CHECK_INT(dlazy_registry_count(r), 5);
	struct dlazy_module *m = dlazy_registry_find(r, "d/in/png");
	CHECK(m);
	CHECK_STR(dlazy_module_name(m), "d/in/png");
	CHECK_STR(dlazy_module_path(m), own_path("d/in/png.so"));
	CHECK(!dlazy_registry_find(r, "png"));
	CHECK(!dlazy_registry_find(r, "link/png"));
	size_t n = 0;
	for (m = NULL; (m = dlazy_registry_next(r, m)); n++)
		CHECK(strchr(dlazy_module_name(m), '/'));
	CHECK_INT(n, 5);
	mkdir(own_path("f.lv2"), 0755);
	plugin("f.lv2/new", "{\"provides\":[{\"id\":\"late\"}]}");
	FOUND(r, "f.lv2/new:late", .provides = "late");
	CHECK(dlazy_registry_find(r, "f.lv2/new"));
	dlazy_registry_free(r);
}

TEST(wrong_arguments_are_told)
{
	struct dlazy_query q = {.size = sizeof(q)};
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK(!dlazy_registry_query(NULL, &q) &&
	      !dlazy_registry_query(r, NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
	q.flags = 2;
	CHECK(!dlazy_registry_query(r, &q));
	q = (struct dlazy_query){.size = 8};
	CHECK(!dlazy_registry_query(r, &q));
	q = (struct dlazy_query){.size = sizeof(q), .head_size = 1};
	CHECK(!dlazy_registry_query(r, &q));
	FOUND(r, "", .provides = "*");
	CHECK_INT(dlazy_cursor_next(NULL, NULL, 0), -DLAZY_EINVAL);
	CHECK(!dlazy_cursor_module(NULL, NULL));
	dlazy_registry_free(r);
}
