/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy run` has a program do besides: give back the environment that the
 * user gave, and count what is touched.
 */
#include "tests/unit/linked-stubs.h"

#include "base/file.h"
#include "base/hash.h"
#include "runtime/root.h"
#include "stub/linked.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ------------------------------------------------------------------ */
/* The environment                                                    */

#define DIRECTORY "/cache/run/key/1"
#define LONGEST 256

/* An environment as the kernel makes it: one string behind the other. */
static struct {
	char text[8 * LONGEST];
	char *entries[8];
	size_t used, count;
} environment;

static void add(const char *entry)
{
	char *at = environment.text + environment.used;

	environment.entries[environment.count++] = at;
	environment.used += (size_t)sprintf(at, "%s", entry) + 1;
}

static char **started(void)
{
	char *argv[] = {(char[]){"program"}, NULL};

	dlazy_linked_start(1, argv, environment.entries,
			   linked_run_of(DIRECTORY, ""));
	return environment.entries;
}

/* Nothing of it is left in the memory that /proc/PID/environ shows. */
static bool is_shown(const char *text)
{
	return memmem(environment.text, sizeof(environment.text), text,
		      strlen(text));
}

TEST(variable_that_the_user_did_not_set_is_removed)
{
	add("A=1");
	add("LD_LIBRARY_PATH=" DIRECTORY);
	add("B=2");
	char **entries = started();

	CHECK_STR(entries[0], "A=1");
	CHECK_STR(entries[1], "B=2");
	CHECK(!entries[2] && !entries[3]);
	CHECK(!is_shown("LD_LIBRARY_PATH") && !is_shown(DIRECTORY));
}

TEST(variable_that_the_user_set_is_given_back)
{
	add("LD_LIBRARY_PATH=" DIRECTORY ":/opt/lib:" DIRECTORY);
	add("B=2");
	char **entries = started();

	CHECK_STR(entries[0], "LD_LIBRARY_PATH=/opt/lib:" DIRECTORY);
	CHECK_STR(entries[1], "B=2");
}

TEST(nothing_of_a_longer_value_is_left)
{
	add("LD_LIBRARY_PATH=" DIRECTORY ":/a");
	CHECK_STR(started()[0], "LD_LIBRARY_PATH=/a");
	CHECK(!is_shown("cache") && !is_shown("key"));
}

TEST(variable_that_the_user_set_empty_is_empty)
{
	add("LD_LIBRARY_PATH=" DIRECTORY "/");
	CHECK_STR(started()[0], "LD_LIBRARY_PATH=");
	CHECK(!is_shown("cache"));
}

TEST(empty_element_that_the_user_gave_stays)
{
	add("LD_LIBRARY_PATH=" DIRECTORY "::/opt/lib");
	CHECK_STR(started()[0], "LD_LIBRARY_PATH=:/opt/lib");
}

TEST(other_variables_are_left_alone)
{
	static const char *const all[] = {
		"LD_LIBRARY_PATH=/cache/run/key/12:" DIRECTORY,
		"LD_LIBRARY_PATHS=" DIRECTORY,
		"XLD_LIBRARY_PATH=" DIRECTORY,
		"LD_LIBRARY_PATH=" DIRECTORY "/x",
		"",
		"LD_LIBRARY_PATH",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		add(all[i]);
	char **entries = started();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		CHECK_STR(entries[i], all[i]);
}

/* ------------------------------------------------------------------ */
/* Touched libraries                                                  */

#define TOUCHED_SIZE \
	(sizeof(struct linked_touched) + 2 * sizeof(struct linked_touch))

static struct linked_touched *touched;

/* A file of two libraries, and this run the seventh. */
static const char *make_touched(const char *name, size_t size)
{
	const char *path = own_path(name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	touched = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	touched->magic = LINKED_TOUCHED_MAGIC;
	touched->abi = LINKED_ABI;
	touched->libraries = 2;
	touched->runs = 7;
	return path;
}

static void touch_both(void)
{
	linked_files(&linked_plain, test_plugin("good-plain"), NULL);
	linked_files(&linked_real, test_plugin("linked-real"), NULL);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(stub_plain(), 42);
		CHECK_INT(stub_sum(2, 1, 2), 3);
		CHECK(stub_double_sum(2, 1.0, 2.0) == 3);
	}
}

TEST(touches_are_counted)
{
	linked_run_of("", make_touched("touched", TOUCHED_SIZE));
	touch_both();
	for (int i = 0; i < 2; i++) {
		CHECK_INT(touched->each[i].runs, 1);
		CHECK_INT(touched->each[i].last, 7);
	}
	CHECK_INT(touched->each[0].functions, 1);
	CHECK_INT(touched->each[1].functions, 2);
	CHECK_INT(touched->runs, 7);
}

TEST(run_is_counted_once)
{
	linked_run_of("", make_touched("touched", TOUCHED_SIZE));
	touched->each[1].last = 6;
	touched->each[1].runs = 3;
	touch_both();
	CHECK(dlazy_linked_data(&linked_real, SYMBOL_DATA) != NULL);
	CHECK_INT(dlazy_linked_load(&linked_real), 0);
	CHECK_INT(touched->each[1].runs, 4);
	CHECK_INT(touched->each[1].last, 7);
}

TEST(forked_child_counts_in_the_same_file)
{
	int status;

	linked_run_of("", make_touched("touched", TOUCHED_SIZE));
	linked_files(&linked_plain, test_plugin("good-plain"), NULL);
	stub_plain();
	pid_t pid = fork();
	if (pid == 0) {
		touch_both();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	CHECK_INT(touched->each[0].runs, 1);
	CHECK_INT(touched->each[1].runs, 1);
}

TEST(variable_names_another_file)
{
	static char entry[4200];
	char *entries[] = {entry, NULL}, *argv[] = {NULL};

	sprintf(entry, LINKED_TOUCHED_VARIABLE "=%s",
		make_touched("this-one", TOUCHED_SIZE));
	dlazy_linked_start(0, argv, entries,
			   linked_run_of(DIRECTORY, own_path("other")));
	CHECK(entries[0] == NULL);
	CHECK_STR(entry, "");
	touch_both();
	CHECK_INT(touched->each[0].runs, 1);
}

static void check_unused(void)
{
	touch_both();
	CHECK_INT(touched->each[0].runs, 0);
}

TEST(file_that_others_may_write_is_not_used)
{
	const char *path = make_touched("touched", TOUCHED_SIZE);

	linked_run_of("", path);
	CHECK_INT(chmod(path, 0622), 0);
	check_unused();
}

TEST(file_of_another_size_is_not_used)
{
	linked_run_of("", make_touched("touched", TOUCHED_SIZE + 1));
	check_unused();
}

TEST(file_of_something_else_is_not_used)
{
	linked_run_of("", make_touched("touched", TOUCHED_SIZE));
	touched->magic++;
	check_unused();
}

TEST(file_of_other_libraries_is_not_used)
{
	linked_run_of("", make_touched("touched", TOUCHED_SIZE));
	touched->libraries = 3;
	check_unused();
}

TEST(file_that_is_a_link_is_not_used)
{
	CHECK_INT(symlink(make_touched("touched", TOUCHED_SIZE),
			  own_path("link")),
		  0);
	linked_run_of("", own_path("link"));
	check_unused();
}

TEST(file_that_is_a_fifo_is_not_waited_for)
{
	CHECK_INT(mkfifo(own_path("fifo"), 0600), 0);
	linked_run_of("", own_path("fifo"));
	touch_both();
}

TEST(missing_file_is_done_without)
{
	linked_run_of("", own_path("nowhere"));
	touch_both();
}

/* ------------------------------------------------------------------ */
/* A changed root                                                     */

static void prepare_identity(void)
{
	static char recorded[32];
	struct file_identity identity;

	CHECK_INT(file_identify(AT_FDCWD, own_path("lib/real.so"), &identity),
		  0);
	snprintf(recorded, sizeof(recorded), LINKED_FILE_HASH,
		 (unsigned long long)hash_bytes(&identity, sizeof(identity)));
	linked_real.file =
		(uint32_t)(recorded - linked_string(&linked_real, 0));
}

/* A root directory of the test's own, with the library in it; what is in `lib`
 * there is recorded as the library's file. */
static void prepare_root(void)
{
	if (geteuid() != 0)
		test_skip("chroot(2) is root's");
	if (getenv("TEST_RUN"))
		test_skip("emulated: files of the emulator's own stand in a "
			  "root");
	CHECK_INT(mkdir(own_path("lib"), 0755), 0);
	own_copy("linked-real", "lib/real.so");
	prepare_identity();
	linked_files(&linked_real, "/lib/real.so", NULL);
	root_remember();
}
static void *instead(const struct dlazy_failure *failure, void *data)
{
	(void)data;
	CHECK_IN(failure->message, "chroot");
	_exit(failure->status == -DLAZY_EUNTRUSTED ? 7 : 1);
}

/* What a first call there ends with: 0, or 7 if it is refused. */
static int touch_in_root(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		dlazy_on_failure(NULL, instead, NULL);
		if (chroot(test_directory()) < 0 || chdir("/") < 0)
			_exit(77);
		_exit(stub_sum(2, 40, 2) == 42 ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		test_skip("chroot(2) is refused");
	return WEXITSTATUS(status);
}

TEST(recorded_file_is_loaded_in_a_changed_root)
{
	prepare_root();
	CHECK_INT(touch_in_root(), 0);
}

TEST(other_file_is_not_loaded_in_a_changed_root)
{
	prepare_root();
	CHECK_INT(unlink(own_path("lib/real.so")), 0);
	own_copy("linked-real", "lib/real.so");
	CHECK_INT(touch_in_root(), 7);
}

TEST(file_that_others_can_replace_is_not_loaded_in_a_changed_root)
{
	prepare_root();
	CHECK_INT(chmod(own_path("lib"), 0777), 0);
	CHECK_INT(touch_in_root(), 7);
	CHECK_INT(chmod(own_path("lib"), 0755), 0);
	CHECK_INT(chown(own_path("lib"), 65534, 65534), 0);
	CHECK_INT(touch_in_root(), 7);
}

TEST(file_that_needs_others_is_not_loaded_in_a_changed_root)
{
	prepare_root();
	CHECK_INT(unlink(own_path("lib/real.so")), 0);
	own_copy("good-needs-plain", "lib/real.so");
	own_copy("good-plain", "lib/good-plain.so");
	prepare_identity();
	CHECK_INT(touch_in_root(), 7);
}
