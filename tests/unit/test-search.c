/* SPDX-License-Identifier: MIT */
/*
 * Which file a name stands for: compared with what ldconfig(8) and ldd(1) say
 * of this machine, and with what ld.so(8) says it does.
 */
#include "tests/unit/elf-file.h"
#include "tests/unit/started-with.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/hwcaps.h"
#include "elf/ldcache.h"
#include "elf/search.h"
#include "elf/view.h"

#include <limits.h>
#include <stdarg.h>

/* A path in this test's directory; static, up to 16 at a time. */
__attribute__((format(printf, 1, 2))) static const char *in_directory(
	const char *format, ...)
{
	static char paths[16][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 16];
	int n = snprintf(path, PATH_MAX, "%s/", test_directory());
	va_list args;

	va_start(args, format);
	vsnprintf(path + n, PATH_MAX - (size_t)n, format, args);
	va_end(args);
	return path;
}

static const char *make_directory(const char *name)
{
	const char *path = in_directory("%s", name);

	CHECK_INT(mkdir(path, 0700), 0);
	return path;
}

static void put_library(const char *to)
{
	test_copy(test_plugin("good-exports"), to);
}

__attribute__((format(printf, 1, 2))) static int run(const char *format, ...)
{
	char command[4 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

/* The search must give `path`; NULL: nothing. */
static void check_found(const char *name, const struct search_origin *origin,
			const char *path)
{
	_cleanup_free_ char *found = NULL;
	int r = search_library(name, origin, &found);

	if (!path) {
		CHECK_INT(r, -DLAZY_ENOENT);
		CHECK_IN(status_message(), name);
		return;
	}
	if (r < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	CHECK_STR(found, path);
}

static struct search_origin origin(const char *rpath, const char *runpath)
{
	return (struct search_origin){in_directory("self.so"), rpath, runpath,
				      false, NULL};
}

TEST(library_path_is_searched)
{
	const char *one = make_directory("one"), *two = make_directory("two");

	put_library(in_directory("two/libdlazytest.so.1"));
	started_with(in_directory("one:%s", two));
	check_found("libdlazytest.so.1", NULL,
		    in_directory("two/libdlazytest.so.1"));
	put_library(in_directory("one/libdlazytest.so.1"));
	check_found("libdlazytest.so.1", NULL,
		    in_directory("one/libdlazytest.so.1"));
	check_found("libdlazytest.so.2", NULL, NULL);
	CHECK_IN(status_message(), one);
	CHECK_IN(status_message(), two);
}

TEST(an_empty_element_is_the_current_directory)
{
	put_library(in_directory("libdlazytest.so.1"));
	CHECK_INT(chdir(test_directory()), 0);
	started_with("/nowhere:");
	check_found("libdlazytest.so.1", NULL,
		    in_directory("libdlazytest.so.1"));
	started_with(""); /* is none at all */
	check_found("libdlazytest.so.1", NULL, NULL);
}

TEST(the_order_is_rpath_library_path_runpath)
{
	make_directory("a");
	make_directory("b");
	put_library(in_directory("a/libdlazytest.so.1"));
	put_library(in_directory("b/libdlazytest.so.1"));
	started_with(in_directory("b"));

	struct search_origin by_rpath = origin("$ORIGIN/a", "");
	struct search_origin by_runpath = origin("", "$ORIGIN/a");
	struct search_origin both = origin("$ORIGIN/a", "/nowhere");
	check_found("libdlazytest.so.1", &by_rpath,
		    in_directory("a/libdlazytest.so.1"));
	check_found("libdlazytest.so.1", &by_runpath,
		    in_directory("b/libdlazytest.so.1"));
	check_found("libdlazytest.so.1", &both,
		    in_directory("b/libdlazytest.so.1"));
	started_with(NULL);
	check_found("libdlazytest.so.1", &by_runpath,
		    in_directory("a/libdlazytest.so.1"));
	check_found("libdlazytest.so.1", &both, NULL);
}

TEST(tokens_are_replaced_with_and_without_braces)
{
	const char *forms[] = {
		"$ORIGIN/a",
		"${ORIGIN}/a",
		"/nowhere:$ORIGIN/a//",
		"${ORIGIN}/$NOTHING/../a:${ORIGIN}/a",
	};

	make_directory("a");
	put_library(in_directory("a/libdlazytest.so.1"));
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct search_origin by = origin("", forms[i]);
		check_found("libdlazytest.so.1", &by,
			    in_directory("a/libdlazytest.so.1"));
	}
	struct search_origin wrong = origin("", "$ORIGINAL/a:${ORIGIN/a");
	check_found("libdlazytest.so.1", &wrong, NULL);
	struct search_origin unknown = {"", "", "$ORIGIN/a", false, NULL};
	check_found("libdlazytest.so.1", &unknown, NULL);
}

TEST(lib_is_the_directory_of_libc)
{
	struct search_origin by = {"", "", "/$LIB:/usr/${LIB}", false, NULL};
	_cleanup_free_ char *found = NULL;

	started_with(NULL);
	CHECK_INT(search_library("libc.so.6", &by, &found), 0);
	char *real = realpath(found, NULL);
	CHECK(test_mapped(real) > 0);
	CHECK(strncmp(found, "/lib", 4) == 0 ||
	      strncmp(found, "/usr/lib", 8) == 0);
	free(real);
}

TEST(foreign_files_are_passed_over)
{
	struct elf_file file = elf_file_read(test_plugin("good-exports"));

	make_directory("a");
	make_directory("b");
	elf_file_header(&file)->e_machine ^= 1;
	elf_file_write(&file, in_directory("a/libdlazytest.so.1"));
	free(file.data);
	started_with(in_directory("a:%s", in_directory("b")));
	check_found("libdlazytest.so.1", NULL, NULL);
	put_library(in_directory("b/libdlazytest.so.1"));
	check_found("libdlazytest.so.1", NULL,
		    in_directory("b/libdlazytest.so.1"));
	/* What is no ELF at all is where ld.so would stop. */
	CHECK_INT(run("echo text >%s", in_directory("a/libdlazytest.so.1")), 0);
	check_found("libdlazytest.so.1", NULL,
		    in_directory("a/libdlazytest.so.1"));
}

TEST(hwcaps_of_this_cpu_go_first)
{
	const char *const *caps = hwcaps_active();

	if (!caps[0])
		test_skip("no glibc-hwcaps directories for this CPU");
	started_with(in_directory("a"));
	make_directory("a");
	make_directory("a/glibc-hwcaps");
	make_directory("a/glibc-hwcaps/no-such-cpu");
	put_library(in_directory("a/glibc-hwcaps/no-such-cpu/libdlazytest.so"));
	check_found("libdlazytest.so", NULL, NULL);
	put_library(in_directory("a/libdlazytest.so"));
	check_found("libdlazytest.so", NULL, in_directory("a/libdlazytest.so"));
	for (size_t i = 2; i > 0; i--) {
		const char *cap = caps[1] ? caps[i - 1] : caps[0];
		const char *dir = in_directory("a/glibc-hwcaps/%s", cap);
		const char *file =
			in_directory("a/glibc-hwcaps/%s/libdlazytest.so", cap);

		mkdir(dir, 0700);
		put_library(file);
		check_found("libdlazytest.so", NULL, file);
	}
}

TEST(hwcaps_are_those_of_the_dynamic_linker)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char line[256], expected[256] = "", ours[256] = "";

	CHECK_INT(elf_view_open(fd, "self", &view), 0);
	close(fd);
	snprintf(line, sizeof(line), "%s --help 2>&1",
		 elf_view_interpreter(view));
	FILE *help = popen(line, "re");
	while (fgets(line, sizeof(line), help)) {
		char name[128];
		if (strstr(line, "(supported, searched)") &&
		    sscanf(line, " x86-64-v%99s", name) == 1)
			strcat(strcat(expected, name), " ");
	}
	CHECK(pclose(help) >= 0);
	for (const char *const *cap = hwcaps_active(); *cap; cap++)
		strcat(strcat(ours, *cap + strlen("x86-64-v")), " ");
	CHECK_STR(ours, expected);
}

TEST(no_default_leaves_the_default_directories_out)
{
	struct search_origin by = {"", "", "", true, NULL};

	started_with(NULL);
	check_found("libc.so.6", &by, NULL);
}

/* ------------------------------------------------------------------ */
/* As ldconfig and ldd have it                                        */

struct listed {
	char name[256];
	char path[512];
};

/* One line of ldconfig -p: "NAME (WHAT) => PATH". */
static bool parse_listed(const char *line, struct listed *ret, bool *ret_hwcap)
{
	const char *arrow = strstr(line, " => ");

	*ret_hwcap = strstr(line, "hwcap:") != NULL;
	return arrow && sscanf(line, " %255s", ret->name) == 1 &&
	       sscanf(arrow, " => %511[^\n]", ret->path) == 1;
}

static bool is_native_file(const char *path)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && elf_view_open_needs(fd, path, &view) == 0;
}

TEST(every_library_of_the_cache_is_found_as_listed)
{
	FILE *list = popen("/sbin/ldconfig -p 2>/dev/null", "re");
	static char done[256];
	struct listed entry;
	char line[1024];
	size_t n = 0;
	bool hwcap;

	started_with(NULL);
	while (fgets(line, sizeof(line), list)) {
		/* The first native one of a name, if none has a hwcap. */
		if (!parse_listed(line, &entry, &hwcap) ||
		    !strcmp(entry.name, done) || !is_native_file(entry.path))
			continue;
		strcpy(done, entry.name);
		if (hwcap)
			continue;
		check_found(entry.name, NULL, entry.path);
		n++;
	}
	CHECK(pclose(list) >= 0);
	if (n == 0)
		test_skip("ldconfig lists nothing");
	printf("# %zu names\n", n);
}

struct closure {
	char lines[65536];
	size_t count;
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that two can be compared. */
static void sort_lines(struct closure *closure)
{
	static char sorted[sizeof(closure->lines)];
	char *lines[2048], *save, *to = sorted;
	size_t n = 0;

	for (char *at = strtok_r(closure->lines, "\n", &save); at && n < 2048;
	     at = strtok_r(NULL, "\n", &save))
		lines[n++] = at;
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < n; i++)
		to += sprintf(to, "%s\n", lines[i]);
	*to = '\0';
	strcpy(closure->lines, sorted);
	closure->count = n;
}

/* A library as both know it; the dynamic linker itself aside, for which ldd
 * prints its own. */
static void add_line(struct closure *closure, const char *name,
		     const char *path)
{
	if (!strncmp(file_base_name(name), "ld-", 3) ||
	    !strncmp(name, "linux-", 6))
		return;
	size_t used = strlen(closure->lines);
	snprintf(closure->lines + used, sizeof(closure->lines) - used,
		 "%s %s\n", name, path);
}

static bool add_found(const char *name, const char *found,
		      const char *needed_by, void *data)
{
	CHECK(*needed_by == '/');
	add_line(data, name, found ? found : "not found");
	return true;
}

/* false: ldd cannot say. */
static bool ask_ldd(const char *path, struct closure *closure)
{
	char line[4096], name[1024], found[2048];

	snprintf(line, sizeof(line), "ldd '%s' 2>/dev/null", path);
	FILE *list = popen(line, "re");
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, " %1023s => %2047[^(\n]", name, found) == 2) {
			found[strcspn(found, " ")] =
				strncmp(found, "not found", 9) ? '\0' : ' ';
			add_line(closure, name, found);
		} else if (sscanf(line, " /%1022s (0x", name) == 1) {
			snprintf(found, sizeof(found), "/%s", name);
			add_line(closure, found, found);
		}
	}
	return pclose(list) == 0;
}

static bool check_closure(const char *path)
{
	static struct closure theirs, ours;

	theirs = ours = (struct closure){0};
	if (!ask_ldd(path, &theirs))
		return false;
	CHECK_INT(search_closure(path, add_found, &ours), 0);
	sort_lines(&theirs);
	sort_lines(&ours);
	if (strcmp(theirs.lines, ours.lines) != 0)
		test_fail(__FILE__, __LINE__, "%s: ldd says\n%s, we\n%s", path,
			  theirs.lines, ours.lines);
	return true;
}

/* A share of what a pattern matches, spread evenly. Without links: for the
 * kernel $ORIGIN is where a program really is, for ldd where it was named. */
static void check_closures(const char *pattern, unsigned share, size_t *n)
{
	char line[PATH_MAX], command[256];

	snprintf(command, sizeof(command),
		 "find %s -type f 2>/dev/null | awk 'NR %% %u == 0'", pattern,
		 share);
	FILE *list = popen(command, "re");
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = '\0';
		if (is_native_file(line))
			*n += check_closure(line);
	}
	CHECK(pclose(list) >= 0);
}

TEST_SECONDS(closures_are_those_of_ldd, 120)
{
	size_t n = 0;

	started_with(NULL);
	if (run("ldd /bin/sh >/dev/null 2>&1") != 0)
		test_skip("ldd cannot be run");
	check_closures("/bin/sh /usr/bin/python3* /usr/bin/git /usr/bin/ffmpeg "
		       "/usr/bin/gdb /usr/bin/perl /usr/bin/mpv",
		       1, &n);
	check_closures("/usr/bin/* /usr/sbin/*", 17, &n);
	check_closures("/usr/lib/*/*.so /usr/lib/*/*/*.so", 37, &n);
	printf("# %zu closures\n", n);
	CHECK(n > 0);
}

static int compile(const char *source, const char *output, const char *flags)
{
	const char *cc = getenv("CC");

	return run("echo '%s' | %s -x c -shared -fPIC -nostdlib -o %s - %s "
		   "2>/dev/null",
		   source, cc && *cc ? cc : "cc", output, flags);
}

/* top -> libfirst (in sub) -> libsecond (in sub): only top knows of sub. */
static void make_chain(const char *tags)
{
	char flags[2 * PATH_MAX];
	const char *sub = make_directory("sub");

	if (compile("int b;", in_directory("sub/libsecond.so"), "") != 0)
		test_skip("no compiler");
	snprintf(flags, sizeof(flags), "-L%s -Wl,--no-as-needed -lsecond", sub);
	CHECK_INT(compile("int a;", in_directory("sub/libfirst.so"), flags), 0);
	snprintf(flags, sizeof(flags),
		 "-L%s -Wl,--no-as-needed -lfirst -Wl,%s "
		 "-Wl,-rpath,\\$ORIGIN/sub -Wl,-rpath-link,%s",
		 sub, tags, sub);
	CHECK_INT(compile("int t;", in_directory("libtop.so"), flags), 0);
}

static bool count_missing(const char *name, const char *found,
			  const char *needed_by, void *data)
{
	(void)name;
	(void)needed_by;
	*(int *)data += found ? 1 : 100;
	return true;
}

TEST(an_rpath_counts_for_what_is_below)
{
	int n = 0;

	started_with(NULL);
	make_chain("--disable-new-dtags");
	CHECK_INT(search_closure(in_directory("libtop.so"), count_missing, &n),
		  0);
	CHECK_INT(n, 2);
	check_closure(in_directory("libtop.so"));
}

TEST(a_runpath_counts_for_its_object_alone)
{
	int n = 0;

	started_with(NULL);
	make_chain("--enable-new-dtags");
	CHECK_INT(search_closure(in_directory("libtop.so"), count_missing, &n),
		  0);
	CHECK_INT(n, 101);
	check_closure(in_directory("libtop.so"));
}

static bool stop_at_once(const char *name, const char *found,
			 const char *needed_by, void *data)
{
	(void)name;
	(void)found;
	(void)needed_by;
	++*(int *)data;
	return false;
}

TEST(a_walk_ends_when_told)
{
	int n = 0;

	started_with(NULL);
	make_chain("--disable-new-dtags");
	CHECK_INT(search_closure(in_directory("libtop.so"), stop_at_once, &n),
		  0);
	CHECK_INT(n, 1);
}

TEST(a_closure_of_what_is_not_there_fails)
{
	int n = 0;

	CHECK_INT(search_closure("/nowhere/x.so", count_missing, &n),
		  -DLAZY_ENOENT);
	CHECK_IN(status_message(), "/nowhere/x.so");
	CHECK_INT(n, 0);
}

/* ------------------------------------------------------------------ */
/* The cache                                                          */

/* A cache of a directory "a" with libdlazytest.so.1, plain and for one hwcap;
 * format: of ldconfig's option -c. */
static const char *make_cache(const char *format, const char *cap)
{
	const char *plain = in_directory("a/libdlazytest.so.1");
	const char *cache = in_directory("cache-%s", format);

	mkdir(in_directory("a"), 0700);
	if (compile("int a;", plain, "-Wl,-soname,libdlazytest.so.1") != 0)
		test_skip("no compiler");
	if (cap) {
		mkdir(in_directory("a/glibc-hwcaps"), 0700);
		mkdir(in_directory("a/glibc-hwcaps/%s", cap), 0700);
		test_copy(plain,
			  in_directory("a/glibc-hwcaps/%s/libdlazytest.so.1",
				       cap));
	}
	CHECK_INT(run("echo '%s' >%s", in_directory("a"), in_directory("conf")),
		  0);
	if (run("/sbin/ldconfig -X -c %s -C %s -f %s 2>/dev/null", format,
		cache, in_directory("conf")) != 0)
		test_skip("ldconfig cannot be run");
	return cache;
}

static void check_cache(const char *format)
{
	const char *const *caps = hwcaps_active();
	const char *file = make_cache(format, caps[0]);
	const char *none[] = {NULL}, *paths[4];
	struct ldcache cache;
	size_t n = 0;

	ldcache_open(&cache, file);
	CHECK(cache.data);
	CHECK_INT(ldcache_find(&cache, "libdlazytest.so.1", none, paths, 4), 1);
	CHECK_STR(paths[0], in_directory("a/libdlazytest.so.1"));
	n = ldcache_find(&cache, "libdlazytest.so.1", caps, paths, 4);
	CHECK_INT(n, caps[0] ? 2 : 1);
	CHECK_STR(paths[n - 1], in_directory("a/libdlazytest.so.1"));
	if (caps[0])
		CHECK_STR(paths[0],
			  in_directory("a/glibc-hwcaps/%s/libdlazytest.so.1",
				       caps[0]));
	CHECK_INT(ldcache_find(&cache, "libdlazytest.so.2", caps, paths, 4), 0);
	CHECK_INT(ldcache_find(&cache, "libdlazytest.so", caps, paths, 4), 0);
	ldcache_close(&cache);
}

TEST(a_cache_has_its_hwcaps_first)
{
	check_cache("new");
}

TEST(a_cache_behind_the_old_format_is_read)
{
	check_cache("compat");
}

TEST(a_missing_cache_is_an_empty_one)
{
	const char *paths[4];
	struct ldcache cache;

	ldcache_open(&cache, in_directory("cache"));
	CHECK_INT(ldcache_find(&cache, "libc.so.6", hwcaps_active(), paths, 4),
		  0);
	ldcache_close(&cache);
}

static void ask_damaged(const struct elf_file *file)
{
	static const char *const names[] = {"libdlazytest.so.1", "", "z",
					    "libdlazytest.so.99999999999"};
	const char *path = in_directory("damaged"), *paths[4];
	struct ldcache cache;

	unlink(path); /* ext4 would write out at once what replaces a file's bytes */
	elf_file_write(file, path);
	ldcache_open(&cache, path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = ldcache_find(&cache, names[i], hwcaps_active(),
					paths, 4);
		for (size_t k = 0; k < n; k++)
			CHECK(strlen(paths[k]) <= cache.size);
	}
	ldcache_close(&cache);
}

/* The headers and the end, where the extensions are, byte by byte; of the rest
 * a share. */
static void damage_cache(const char *format)
{
	struct elf_file good =
		elf_file_read(make_cache(format, hwcaps_active()[0]));
	static const uint8_t values[] = {0, 1, 0x7f, 0xff};

	for (size_t i = 0; i < good.size;
	     i += i < 256 || good.size - i < 256 ? 1 : 97) {
		uint8_t was = good.data[i];
		struct elf_file cut = {good.data, i};

		ask_damaged(&cut);
		for (size_t k = 0; k < sizeof(values); k++) {
			good.data[i] = values[k];
			ask_damaged(&good);
		}
		good.data[i] = was;
	}
	free(good.data);
}

TEST(a_damaged_cache_is_survived)
{
	damage_cache("new");
	damage_cache("compat");
}
