/* SPDX-License-Identifier: MIT */
/*
 * A program's closure: compared, object by object and in order, with what
 * ld.so says it maps (LD_TRACE_LOADED_OBJECTS), for programs of this machine
 * and for small ones made to be hard.
 */
#include "tests/unit/started-with.h"
#include "tests/unit/world.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/resolve/closure.h"

#include <sys/stat.h>
#include <unistd.h>

/* Paths, one per line. */
struct listing {
	char text[131072];
	size_t count;
};

static void list(struct listing *listing, const char *path)
{
	size_t used = strlen(listing->text);

	snprintf(listing->text + used, sizeof(listing->text) - used, "%s\n",
		 path);
	listing->count++;
}

/* What ld.so would map, without the program and the kernel's own. false: it
 * cannot say. */
static bool ask_linker(const char *program, struct listing *listing)
{
	char line[4096], path[2048];

	snprintf(line, sizeof(line),
		 "LD_TRACE_LOADED_OBJECTS=1 '%s' 2>/dev/null", program);
	FILE *said = popen(line, "re");
	while (fgets(line, sizeof(line), said)) {
		char *arrow = strstr(line, " => ");

		if (arrow && !strncmp(arrow, " => not found", 13))
			list(listing, "missing");
		else if (sscanf(arrow ? arrow + 4 : line, " %2047s (0x",
				path) == 1 &&
			 *path == '/')
			list(listing, path);
	}
	return pclose(said) == 0 && listing->count > 0;
}

static void read_closure(const char *program, struct closure *closure)
{
	if (closure_read(program, closure) < 0)
		test_fail(__FILE__, __LINE__, "%s: %s", program,
			  status_message());
}

static bool check_closure(const char *program)
{
	static struct listing theirs, ours;
	_cleanup_closure_ struct closure closure;

	theirs = ours = (struct listing){0};
	if (!ask_linker(program, &theirs))
		return false;
	read_closure(program, &closure);
	for (size_t i = 1; i < closure.count; i++)
		list(&ours, closure.objects[i].path ? closure.objects[i].path
						    : "missing");
	if (strcmp(theirs.text, ours.text) != 0)
		test_fail(__FILE__, __LINE__, "%s: ld.so says\n%s, we\n%s",
			  program, theirs.text, ours.text);
	printf("# %s: %zu objects\n", program, closure.count);
	return true;
}

static size_t place_of(const struct closure *closure, const char *name)
{
	for (size_t i = 0; i < closure->count; i++)
		if (!strcmp(closure->objects[i].name, name))
			return i;
	test_fail(__FILE__, __LINE__, "%s is not in the closure", name);
}

TEST(closures_of_real_programs_are_those_of_ld_so)
{
	static const char *const programs[] = {
		"ffmpeg", "mpv",     "inkscape",       "gdalinfo", "melt",
		"gdb",	  "php",     "gst-launch-1.0", "python3",  "git",
		"perl",	  "convert", "openssl",	       "gimp",	   "bash",
	};
	char path[PATH_MAX], real[PATH_MAX];
	size_t n = 0;

	started_with(NULL);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		snprintf(path, sizeof(path), "/usr/bin/%s", programs[i]);
		n += realpath(path, real) && check_closure(real);
	}
	if (n == 0)
		test_skip("no program that ld.so can list");
}

/* Breadth first: both of the program's own come before what the first needs. */
TEST(the_order_is_breadth_first)
{
	_cleanup_closure_ struct closure closure;

	world_library("libdeep.so", "int deep() { return 1; }", "");
	world_library("libleft.so", "int left() { return deep(); }", "-ldeep");
	world_library("libright.so", "int right() { return deep(); }",
		      "-ldeep");
	world_program("int main() { return left() + right(); }",
		      "-lleft -lright");
	CHECK(check_closure(world_path("program")));
	read_closure(world_path("program"), &closure);
	CHECK_INT(place_of(&closure, "libleft.so"), 1);
	CHECK_INT(place_of(&closure, "libright.so"), 2);
	size_t deep = place_of(&closure, "libdeep.so");
	CHECK(deep > 2);
	CHECK_INT(closure.objects[deep].needed_by, 1);
	CHECK_INT(closure.objects[2].needs[0], deep);
	CHECK_INT(closure.objects[0].needs[1], 2);
}

TEST(what_is_preloaded_stands_right_behind_the_program)
{
	_cleanup_closure_ struct closure closure;

	world_library("libbelow.so", "int below;", "");
	world_library("libpre.so", "int pre;", "-lbelow");
	world_library("libneeded.so", "int needed() { return 1; }", "");
	world_program("int main() { return needed(); }", "-lneeded");
	setenv("LD_PRELOAD", "libpre.so /nowhere/libnot.so", 1);
	CHECK(check_closure(world_path("program")));
	read_closure(world_path("program"), &closure);
	unsetenv("LD_PRELOAD");
	CHECK_INT(place_of(&closure, "libpre.so"), 1);
	CHECK(closure.objects[1].preloaded && !closure.objects[2].preloaded);
	CHECK_INT(closure.objects[1].needed_by, CLOSURE_NONE);
	CHECK_INT(place_of(&closure, "libneeded.so"), 2);
	CHECK(place_of(&closure, "libbelow.so") > 2);
}

TEST(a_missing_library_is_an_object_without_a_path)
{
	_cleanup_closure_ struct closure closure;

	world_library("libgone.so", "int gone() { return 1; }", "");
	world_program("int main() { return gone(); }", "-lgone");
	CHECK_INT(unlink(world_path("libgone.so")), 0);
	read_closure(world_path("program"), &closure);
	CHECK_INT(place_of(&closure, "libgone.so"), 1);
	CHECK(!closure.objects[1].path && !closure.objects[1].view);
	CHECK_INT(status_is_pending(), false);
}

/* How each was found tells whether a stub can be put before it. */
TEST(rpath_and_path_are_told_from_runpath_and_library_path)
{
	_cleanup_closure_ struct closure closure;
	char needs[4 * PATH_MAX];

	CHECK_INT(mkdir(world_path("rpath"), 0700), 0);
	world_library("libplain.so", "int plain() { return 1; }", "");
	world_compile("rpath/libold.so", "int old() { return 1; }",
		      "-shared -fPIC -Wl,-soname,libold.so", "");
	/* Without a SONAME it is needed by the path it was linked by. */
	world_compile("libpath.so", "int path() { return 1; }", "-shared -fPIC",
		      "");
	snprintf(needs, sizeof(needs),
		 "-lplain -L%s -lold %s -Wl,--disable-new-dtags,-rpath,%s",
		 world_path("rpath"), world_path("libpath.so"),
		 world_path("rpath"));
	world_program("int main() { return plain() + old() + path(); }", needs);
	CHECK(check_closure(world_path("program")));
	read_closure(world_path("program"), &closure);
	CHECK(!closure.objects[place_of(&closure, "libplain.so")].rpath);
	CHECK(closure.objects[place_of(&closure, "libold.so")].rpath);
	CHECK(closure.objects[place_of(&closure, world_path("libpath.so"))]
		      .rpath);
}

/* libalso.so, without a SONAME while it is linked with, is then a link. */
static void make_link(const char *needs)
{
	world_library("libone.so", "int one() { return 1; }", "");
	unlink(world_path("libalso.so"));
	world_compile("libalso.so", "int one() { return 1; }", "-shared -fPIC",
		      "");
	world_program("int main() { return one(); }", needs);
	CHECK_INT(unlink(world_path("libalso.so")), 0);
	CHECK_INT(symlink("libone.so", world_path("libalso.so")), 0);
	CHECK(check_closure(world_path("program")));
}

/* The same file by two names is one object, whichever comes first. */
TEST(a_link_to_a_known_library_is_no_library_of_its_own)
{
	_cleanup_closure_ struct closure first = {NULL, 0}, last = {NULL, 0};

	make_link("-lalso -lone");
	read_closure(world_path("program"), &first);
	CHECK_INT(place_of(&first, "libalso.so"), 1);
	CHECK(first.objects[1].aliased);
	CHECK_INT(first.objects[0].needs[1], 1);
	make_link("-lone -lalso");
	read_closure(world_path("program"), &last);
	CHECK_INT(place_of(&last, "libone.so"), 1);
	CHECK(last.objects[1].aliased);
	CHECK_INT(last.objects[0].needs[1], 1);
}

TEST(origin_in_the_library_path_is_the_programs)
{
	_cleanup_closure_ struct closure closure;

	world_library("libnear.so", "int near() { return 1; }", "");
	world_program("int main() { return near(); }", "-lnear");
	started_with("$ORIGIN");
	CHECK(check_closure(world_path("program")));
	read_closure(world_path("program"), &closure);
	CHECK_STR(closure.objects[1].path, world_path("libnear.so"));
}

TEST(what_is_no_program_is_refused)
{
	struct closure closure;

	CHECK_INT(closure_read("/nowhere/program", &closure), -DLAZY_ENOENT);
	CHECK_IN(status_message(), "/nowhere/program");
	CHECK_INT(closure_read("/etc/passwd", &closure), -DLAZY_EFORMAT);
}
