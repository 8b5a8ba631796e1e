/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy run` keeps while a call of the system's fails: nothing, or what it
 * would have kept without. Each call is failed in turn, once and from there on;
 * then a healthy run makes of what is there what it makes of an empty cache, and
 * no temporary is left.
 */
#include "tests/unit/world.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/cache/program.h"
#include "link/index/index.h"
#include "stub/stub.h"
#include "tests/faults/inject.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct fault {
	const char *kind;
	int error;
	long step; /* there are many */
};

static const struct fault faults[] = {
	{"open", EMFILE, 1},	 {"open", EINTR, 3},
	{"open", EACCES, 3},	 {"stat", EIO, 1},
	{"stat", ENOMEM, 5},	 {"stat", EACCES, 5},
	{"read", EIO, 3},	 {"read", EAGAIN, 11},
	{"read", 0, 5},		 {"readdir", EIO, 1},
	{"mmap", ENOMEM, 1},	 {"write", ENOSPC, 1},
	{"write", 0, 1},	 {"allocate", ENOSPC, 1},
	{"rename", EIO, 1},	 {"fsync", EIO, 1},
	{"flock", ENOLCK, 1},	 {"ftruncate", EIO, 1},
	{"readlink", EACCES, 1}, {"mkdir", ENOSPC, 1},
	{"symlink", ENOSPC, 1},	 {"malloc", ENOMEM, 97},
};

#define FILLERS 12

/* Its paths, as test_directory() makes a directory. */
static char *cache, *machine, *m, *prog, *libdlazy;

static void name_world(void)
{
	cache = strdup(world_path("cache"));
	machine = strdup(world_path("cache/machine"));
	m = strdup(world_path("m"));
	prog = strdup(world_path("prog"));
	libdlazy = strdup(world_path("libdlazy.so"));
}

/* Twelve libraries that can be lazy, one whose data another imports, and a
 * plugin that imports from a third. */
static void make_world(void)
{
	char name[64], source[256], needs[FILLERS * 32] = "";

	mkdir(world_path("m"), 0755);
	for (int i = 0; i < FILLERS; i++) {
		snprintf(name, sizeof(name), "m/libfiller%d.so", i);
		snprintf(source, sizeof(source), "int filler%d() { return 1; }",
			 i);
		char soname[96];
		snprintf(soname, sizeof(soname),
			 "-shared -fPIC -Wl,-soname,libfiller%d.so", i);
		world_compile(name, source, soname, "");
		snprintf(name, sizeof(name), " -lfiller%d", i);
		strcat(needs, name);
	}
	world_compile("m/libstore.so",
		      "int table[16] = {1, 2}; int get() { return table[0]; }",
		      "-shared -fPIC -Wl,-soname,libstore.so", "");
	world_compile("m/libhost.so",
		      "int host_data = 4; int host() { return host_data; }",
		      "-shared -fPIC -Wl,-soname,libhost.so", "");
	world_compile("m/plugin.so",
		      "extern int host_data; int *plugin = &host_data;",
		      "-shared -fPIC", "");
	char with[PATH_MAX + sizeof(needs)];
	snprintf(with, sizeof(with), "-L'%s' -lstore", world_path("m"));
	world_compile("m/libuser.so",
		      "extern int table[16]; int *at = &table[1];"
		      "int sum() { return *at; }",
		      "-shared -fPIC -Wl,-soname,libuser.so", with);
	snprintf(with, sizeof(with),
		 "-L'%s' -Wl,-rpath,'%s' -luser -lstore -lhost%s",
		 world_path("m"), world_path("m"), needs);
	world_compile("prog", "int main() { return 0; }", "", with);
	world_compile("libdlazy.so", "int none;", "-shared -fPIC", "");
	name_world();
	/* What is younger is looked at again. */
	usleep(60000);
}

static int remove_each(const char *path, const struct stat *st, int type,
		       struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void clear_cache(void)
{
	nftw(cache, remove_each, 16, FTW_DEPTH | FTW_PHYS);
}

/* ------------------------------------------------------------------ */

static int open_index(struct index **ret)
{
	char *places[] = {m, NULL};

	return index_open(&(struct index_options){.cache_path = machine,
						  .places = places},
			  ret);
}

/* Who imports from the two libraries of which that is done, as text. */
static int ask_index(char *ret, size_t size)
{
	static const char *const names[] = {"libstore.so", "libhost.so",
					    "libfiller3.so"};
	struct index *index;
	int status = open_index(&index);
	size_t n = 0;

	for (size_t i = 0; status == 0 && i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *symbol = NULL, *importer = NULL;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", m, names[i]);
		int found = index_has_importer(index, path, NULL, NULL, &symbol,
					       &importer);
		n += (size_t)snprintf(ret + n, size - n, "%s: %s by %s\n",
				      names[i], found > 0 ? symbol : "-",
				      found > 0 ? importer : "-");
		if (found < 0) {
			index_close(index);
			return found;
		}
	}
	if (status == 0)
		index_close(index);
	return status;
}

/* What would be run, and why each library is as it is, as text. */
static int ask_program(char *ret, size_t size)
{
	_cleanup_program_start_ struct program_start start = {.made = false};
	struct program program = {.command = prog, .executable = prog};
	struct program_options options = {
		.cache = cache, .libdlazy = libdlazy, .wait = true};
	struct index *index;
	int status = open_index(&index);

	if (status < 0)
		return status;
	options.index = index;
	status = program_prepare(&program, &options, &start);
	index_close(index);
	if (status < 0)
		return status;
	size_t n = (size_t)snprintf(ret, size, "plain %s\n",
				    start.plain ? start.plain : "-");
	for (size_t i = 0; i < entry_library_count(&start.entry); i++) {
		struct entry_library l = entry_library(&start.entry, i);

		n += (size_t)snprintf(ret + n, size - n, "%s %s %s\n",
				      entry_string(&start.entry, l.path),
				      entry_string(&start.entry, l.why),
				      entry_string(&start.entry, l.detail));
	}
	return start.directory ? access(start.directory, R_OK) : 0;
}

/* ------------------------------------------------------------------ */

/* What is there for a moment only, and what more than one program has. */
static int temporaries, generations;

static int count_each(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	const char *name = path + at->base;

	(void)st;
	(void)type;
	temporaries += name[0] == '.' && strstr(name, ".new");
	generations += strncmp(name, "g-", 2) == 0;
	return 0;
}

static void check_left(void)
{
	temporaries = generations = 0;
	nftw(cache, count_each, 16, FTW_PHYS);
	CHECK_INT(temporaries, 0);
	CHECK(generations <= 1);
}

typedef int ask_fn(char *ret, size_t size);

struct sweep {
	ask_fn *ask;
	char want[16384];
	bool warm; /* begins with what a healthy run has kept */
};

/* One fault; false: there were fewer such calls. */
static bool ask_with(struct sweep *s, const struct fault *f, long n,
		     bool always)
{
	char got[16384] = "";

	clear_cache();
	if (s->warm)
		CHECK_INT(s->ask(got, sizeof(got)), 0);
	fault_arm(f->kind, n, f->error, always);
	int status = s->ask(got, sizeof(got));
	bool hit = fault_disarm();
	if (status == 0 && strcmp(got, s->want) != 0)
		test_fail(__FILE__, __LINE__, "%s %ld fails with %d: now:\n%s",
			  f->kind, n, f->error, got);
	if (status < 0 && !status_is_state(status))
		test_fail(__FILE__, __LINE__, "%s %ld fails with %d: %s",
			  f->kind, n, f->error, status_message());
	check_left();
	if (s->ask(got, sizeof(got)) < 0 || strcmp(got, s->want) != 0)
		test_fail(__FILE__, __LINE__,
			  "%s %ld failed with %d: afterwards:\n%s%s", f->kind,
			  n, f->error, got, status_message());
	return hit;
}

static void sweep(ask_fn *ask, bool warm)
{
	static struct sweep s;
	long tried = 0, stride = test_rounds(10) < 10 ? 5 : 1;

	s.ask = ask;
	s.warm = warm;
	clear_cache();
	CHECK_INT(ask(s.want, sizeof(s.want)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		for (int always = 0; always < 2; always++)
			for (long n = 1; ask_with(&s, &faults[i], n, always);
			     n += stride * faults[i].step * (always ? 7 : 1))
				tried++;
	printf("# %ld faults\n", tried);
	CHECK(tried > 10);
}

TEST_SECONDS(fault_while_the_machine_is_read_is_not_kept, 240)
{
	char answer[16384];

	make_world();
	CHECK_INT(ask_index(answer, sizeof(answer)), 0);
	CHECK(strstr(answer, "libstore.so: table by") != NULL);
	CHECK(strstr(answer, "libhost.so: host_data by") != NULL);
	sweep(ask_index, false);
}

TEST_SECONDS(fault_while_a_program_is_looked_at_is_not_kept, 240)
{
	char answer[16384];

	if (!stub_available())
		test_skip("no stubs for this CPU");
	make_world();
	int status = ask_program(answer, sizeof(answer));
	if (status < 0)
		test_skip("%s", status_message());
	CHECK(strstr(answer, "plain -\n") != NULL);
	sweep(ask_program, false);
}

TEST_SECONDS(fault_while_what_is_kept_is_read_loses_nothing, 240)
{
	if (!stub_available())
		test_skip("no stubs for this CPU");
	char answer[16384];

	make_world();
	if (ask_program(answer, sizeof(answer)) < 0)
		test_skip("%s", status_message());
	sweep(ask_program, true);
}

/* What is there and not ours to read is read when it is ours. */
TEST(file_that_may_be_read_later_is_read_then)
{
	char answer[16384];

	if (geteuid() == 0)
		test_skip("root may read everything");
	make_world();
	chmod(world_path("m/libuser.so"), 0);
	usleep(60000);
	CHECK_INT(ask_index(answer, sizeof(answer)), 0);
	CHECK(strstr(answer, "libstore.so: - by") != NULL);
	chmod(world_path("m/libuser.so"), 0755);
	CHECK_INT(ask_index(answer, sizeof(answer)), 0);
	CHECK(strstr(answer, "libstore.so: table by") != NULL);
}
