/* SPDX-License-Identifier: MIT */
/*
 * Facts out of plugins' code: where the running plugin says something, too, it
 * says the same; and no bytes of a file are too much for the reader.
 */
#include "base/cleanup.h"
#include "link/facts/plugin.h"
#include "probe/probe.h"
#include "tests/unit/world.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

static void needs_x86_64(void)
{
#ifndef __x86_64__
	test_skip("code is read of x86-64");
#endif
}

static void *find_symbol(void *handle, const char *name)
{
	return dlsym(handle, name);
}

/* In a child: writes what the plugin says into a file. */
static void ask(const char *path, int fd)
{
	struct probe_plugin plugin = {path, dlopen(path, RTLD_LAZY),
				      find_symbol};
	char *text = plugin.handle ? dlazy_probe_family(&plugin) : NULL;

	if (text && write(fd, text, strlen(text)) < 0)
		_exit(1);
	_exit(0);
}

/* What it says, malloc'd; "" where it does not. */
static char *asked(const char *path)
{
	FILE *file = tmpfile();
	char *text = NULL;
	size_t size = 0;
	int how;

	CHECK(file != NULL);
	pid_t pid = fork();
	if (pid == 0)
		ask(path, fileno(file));
	CHECK(pid > 0 && waitpid(pid, &how, 0) == pid);
	rewind(file);
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

/* Both are written alike: all that is known is what the plugin says, up to the key
 * that is left out. */
static void check_same(const char *path, const char *facts, const char *said)
{
	size_t n = strlen(facts);

	if (*said && strcmp(facts, said) &&
	    (strstr(facts, "\"frei0r\":") || strncmp(facts, said, n - 1)))
		test_fail(__FILE__, __LINE__, "%s: read %s, but it says %s",
			  path, facts, said);
}

/* How many of a pattern's files are known; *ret_all: of how many. */
static size_t look_at(const char *pattern, bool compare, size_t *ret_all)
{
	glob_t found = {.gl_pathc = 0};
	size_t known = 0;

	*ret_all = 0;
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		_cleanup_free_ char *facts = NULL;

		CHECK_INT(plugin_facts_read(path, &facts), 0);
		known += facts != NULL;
		_cleanup_free_ char *said =
			facts && compare ? asked(path) : NULL;
		if (said)
			check_same(path, facts, said);
	}
	*ret_all = found.gl_pathc;
	globfree(&found);
	return known;
}

static const char *own_plugins(void)
{
	static char pattern[4096];
	const char *build = getenv("TEST_BUILD");

	snprintf(pattern, sizeof(pattern), "%s/plugins/picture/*.so",
		 build ? build : ".");
	return pattern;
}

TEST(facts_of_own_plugins_are_what_they_say)
{
	size_t all;

	needs_x86_64();
	CHECK_INT(look_at(own_plugins(), true, &all), all);
	if (all == 0)
		test_skip("no plugins are built");
}

TEST(facts_of_this_machines_frei0r_plugins_are_what_they_say)
{
	size_t all, known, sum = 0;

	needs_x86_64();
	known = look_at("/usr/lib/frei0r-1/*.so", true, &all);
	known += look_at("/usr/lib/*/frei0r-1/*.so", true, &sum);
	all += sum;
	if (all == 0)
		test_skip("frei0r-plugins are missing");
	printf("# %zu of %zu are known\n", known, all);
	CHECK(known > 0);
}

TEST(facts_of_this_machines_postgresql_modules_are_known)
{
	size_t all, known;

	needs_x86_64();
	known = look_at("/usr/lib/postgresql/*/lib/*.so", false, &all);
	if (all == 0)
		test_skip("PostgreSQL is missing");
	printf("# %zu of %zu are known\n", known, all);
	CHECK(known > 0);
}

/* What is known of a plugin: INFO and PARAMETER are statements of its functions,
 * CODE stands before them. */
#define FREI0R(info, parameter, code)                                         \
	"#include <stdlib.h>\n"                                               \
	"struct info { const char *name, *author; int type, model, frei0r,\n" \
	"	major, minor, count; const char *explanation; };\n"                 \
	"struct parameter { const char *name; int type;\n"                    \
	"	const char *explanation; };\n"                                      \
	"static const char *name = \"before\";\n" code "\n"                   \
	"int f0r_init(void) { return 1; }\n"                                  \
	"void f0r_get_plugin_info(struct info *i)\n"                          \
	"{ i->author = \"A\"; i->type = 1; i->model = 2; i->frei0r = 1;\n"    \
	"  i->major = 1; i->minor = 2; i->count = 1;\n"                       \
	"  i->explanation = \"E\"; " info "; }\n"                             \
	"void f0r_get_param_info(struct parameter *p, int n)\n"               \
	"{ p->explanation = \"\"; p->type = 1; " parameter "; }\n"

static char *read_frei0r(const char *source)
{
	char *facts;

	needs_x86_64();
	world_compile("p.so", source, "-shared -fPIC -O2", "");
	CHECK_INT(plugin_facts_read(world_path("p.so"), &facts), 0);
	return facts;
}

TEST(what_is_constant_is_known)
{
	_cleanup_free_ char *facts = read_frei0r(
		FREI0R("i->name = \"constant\"", "p->name = \"P\"",
		       "__attribute__((constructor)) static void crash(void)\n"
		       "{ abort(); }"));

	CHECK_IN(facts, "\"frei0r/source/constant\"");
	CHECK_IN(facts, "\"color_model\":\"packed32\"");
	CHECK_IN(facts, "\"parameters\":[{\"name\":\"P\",\"type\":\"double\"");
}

TEST(what_initialisers_write_is_what_counts)
{
	_cleanup_free_ char *facts = read_frei0r(
		FREI0R("i->name = name", "p->name = \"P\"",
		       "__attribute__((constructor)) static void set(void)\n"
		       "{ name = \"after\"; }"));

	CHECK_IN(facts, "\"frei0r/source/after\"");
}

TEST(what_calls_others_is_not_known)
{
	_cleanup_free_ char *facts =
		read_frei0r(FREI0R("i->name = getenv(\"X\") ? \"a\" : \"b\"",
				   "p->name = \"P\"", ""));

	CHECK(!facts);
}

TEST(a_familys_key_is_there_whole_or_not_at_all)
{
	_cleanup_free_ char *facts = read_frei0r(
		FREI0R("i->name = \"half\"",
		       "p->name = getenv(\"X\") ? \"a\" : \"b\"", ""));

	CHECK_IN(facts, "\"frei0r/source/half\"");
	CHECK(!strstr(facts, "\"frei0r\":"));
}

/* std::string's functions, which are followed as well: assigns a text that says
 * that it is longer than all memory. */
#define LIE(to)                                                             \
	"struct text { const char *at; unsigned long size, room[2]; };\n"   \
	"extern void assign(struct text *, const struct text *) __asm__(\n" \
	"\"_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE\"\n"       \
	"\"9_M_assignERKS4_\");\n"                                          \
	"static void lie(void)\n"                                           \
	"{ struct text from = {\"x\", -1ul, {0}}, to = " to ";\n"           \
	"  if (!to.at) to.at = (char *)to.room;\n"                          \
	"  assign(&to, &from); }"

TEST(a_text_longer_than_memory_is_not_copied)
{
	_cleanup_free_ char *within = read_frei0r(FREI0R(
		"i->name = \"N\"; lie()", "p->name = \"P\"", LIE("{0}")));
	_cleanup_free_ char *elsewhere =
		read_frei0r(FREI0R("i->name = \"N\"; lie()", "p->name = \"P\"",
				   LIE("{malloc(16), 0, {-1ul}}")));

	CHECK(!within && !elsewhere);
}

/* The first of our own plugins, in memory. */
static size_t read_plugin(uint8_t **ret)
{
	glob_t found = {.gl_pathc = 0};
	size_t size;

	if (glob(own_plugins(), 0, NULL, &found) != 0)
		test_skip("no plugins are built");
	FILE *file = fopen(found.gl_pathv[0], "re");
	globfree(&found);
	CHECK(file != NULL);
	*ret = malloc(1 << 20);
	size = fread(*ret, 1, 1 << 20, file);
	fclose(file);
	return size;
}

TEST_SECONDS(no_bytes_are_too_much, 120)
{
	_cleanup_free_ uint8_t *bytes = NULL, *copy = NULL;
	size_t size = read_plugin(&bytes);
	char path[4096];
	uint32_t random = 1;

	snprintf(path, sizeof(path), "%s/p.so", test_directory());
	copy = malloc(size);
	for (unsigned i = 0; i < test_rounds(2000); i++) {
		_cleanup_free_ char *facts = NULL;
		FILE *file = fopen(path, "we");

		memcpy(copy, bytes, size);
		/* Anywhere, but for the part that makes it an ELF file at all. */
		for (unsigned n = 0; n < 1 + i % 16; n++) {
			random = random * 1103515245u + 12345u;
			copy[64 + random % (size - 64)] ^=
				(uint8_t)(1u << (random >> 24 & 7));
		}
		CHECK(file && fwrite(copy, 1, size, file) == size);
		fclose(file);
		plugin_facts_read(path, &facts);
	}
}
