/* SPDX-License-Identifier: MIT */
/*
 * Replacing a file: whom its temporary may belong to. (What becomes of the file
 * when the disk is full or the writer is killed is in test-scan.c.)
 */
#include "tests/test.h"

#include "base/file.h"
#include "base/status.h"
#include "tests/faults/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static int dirfd_of_test(void)
{
	return open(test_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void write_text(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0 &&
	      write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void check_text(int dirfd, const char *name, const char *text)
{
	char buffer[64] = "";
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && read(fd, buffer, sizeof(buffer) - 1) >= 0);
	close(fd);
	CHECK_STR(buffer, text);
}

static int replace(int dirfd)
{
	return file_replace(dirfd, "file", "new", 3, 0600);
}

TEST(what_a_killed_writer_left_is_taken_up)
{
	int dirfd = dirfd_of_test();

	write_text(dirfd, "file", "old");
	write_text(dirfd, ".file.new", "half of what was to be written");
	CHECK_INT(replace(dirfd), 0);
	check_text(dirfd, "file", "new");
	CHECK_INT(faccessat(dirfd, ".file.new", F_OK, 0), -1);
	close(dirfd);
}

static void check_refused(int dirfd)
{
	CHECK_INT(replace(dirfd), -DLAZY_EIO);
	CHECK_IN(status_message(), "file: cannot write");
	check_text(dirfd, "file", "old");
}

TEST(temporary_of_another_owner_is_not_taken_up)
{
	int dirfd = dirfd_of_test();

	if (geteuid() != 0)
		test_skip("needs root");
	write_text(dirfd, "file", "old");
	write_text(dirfd, ".file.new", "theirs");
	CHECK_INT(fchownat(dirfd, ".file.new", 12345, 0, 0), 0);
	check_refused(dirfd);
	check_text(dirfd, ".file.new", "theirs");
	close(dirfd);
}

TEST_SECONDS(lock_of_another_owner_is_not_waited_for, 10)
{
	int dirfd = dirfd_of_test();

	if (geteuid() != 0)
		test_skip("needs root");
	write_text(dirfd, "file", "old");
	write_text(dirfd, ".file.new", "theirs");
	CHECK_INT(fchownat(dirfd, ".file.new", 12345, 0, 0), 0);
	int theirs = openat(dirfd, ".file.new", O_RDONLY | O_CLOEXEC);
	CHECK_INT(flock(theirs, LOCK_EX), 0);
	check_refused(dirfd);
	close(theirs);
	close(dirfd);
}

TEST_SECONDS(stopped_writer_is_not_waited_for, 10)
{
	int dirfd = dirfd_of_test();

	write_text(dirfd, "file", "old");
	write_text(dirfd, ".file.new", "");
	int stopped = openat(dirfd, ".file.new", O_RDONLY | O_CLOEXEC);
	CHECK_INT(flock(stopped, LOCK_EX), 0);
	CHECK_INT(replace(dirfd), -DLAZY_EIO);
	CHECK_IN(status_message(), "busy");
	check_text(dirfd, "file", "old");
	close(stopped);
	close(dirfd);
}

static void *replace_in_thread(void *dirfd)
{
	CHECK_INT(replace(*(int *)dirfd), 0);
	return NULL;
}

TEST_SECONDS(lock_does_not_go_to_a_forked_child, 10)
{
	int dirfd = dirfd_of_test();
	pthread_t threads[2];

	write_text(dirfd, ".file.new", "");
	int first = openat(dirfd, ".file.new", O_RDONLY | O_CLOEXEC);
	CHECK_INT(flock(first, LOCK_EX), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, replace_in_thread, &dirfd);
	usleep(200000); /* both wait for the lock */
	pid_t child = fork();
	if (child == 0) {
		alarm(test_seconds(15)); /* should nobody be left to end it */
		pause();
		_exit(0);
	}
	flock(first, LOCK_UN);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	check_text(dirfd, "file", "new");
	close(first);
	close(dirfd);
}

/* Else whoever can write the directory could have another file emptied. */
TEST(temporary_with_another_name_is_not_taken_up)
{
	int dirfd = dirfd_of_test();

	write_text(dirfd, "file", "old");
	write_text(dirfd, "other", "other");
	CHECK_INT(linkat(dirfd, "other", dirfd, ".file.new", 0), 0);
	check_refused(dirfd);
	check_text(dirfd, "other", "other");
	CHECK_INT(unlinkat(dirfd, ".file.new", 0), 0);
	CHECK_INT(symlinkat("other", dirfd, ".file.new"), 0);
	check_refused(dirfd);
	check_text(dirfd, "other", "other");
	close(dirfd);
}

/* Each call that a writer makes fails in turn: the old file or the new one is
 * there then, and nothing beside it. */
TEST(no_fault_leaves_a_temporary)
{
	static const struct {
		const char *kind;
		int error;
	} faults[] = {{"open", EMFILE},	  {"stat", EIO},     {"flock", ENOLCK},
		      {"ftruncate", EIO}, {"write", ENOSPC}, {"write", 0},
		      {"fsync", EIO},	  {"rename", EIO}};
	int dirfd = dirfd_of_test();

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		for (long n = 1; n < 10; n++) {
			write_text(dirfd, "file", "old");
			fault_arm(faults[i].kind, n, faults[i].error, false);
			int status = replace(dirfd);
			bool hit = fault_disarm();
			check_text(dirfd, "file", status < 0 ? "old" : "new");
			CHECK_INT(faccessat(dirfd, ".file.new", F_OK, 0), -1);
			CHECK(status == 0 || status_is_state(status));
			unlinkat(dirfd, "file", 0);
			if (!hit)
				break;
			CHECK(n < 9);
		}
	close(dirfd);
}

TEST_SECONDS(lock_that_is_interrupted_each_time_is_not_waited_for, 10)
{
	int dirfd = dirfd_of_test();

	write_text(dirfd, "file", "old");
	int fd = openat(dirfd, "file", O_RDONLY | O_CLOEXEC);
	fault_arm("flock", 1, EINTR, true);
	CHECK(!file_lock(fd, 600000));
	CHECK(fault_disarm());
	close(fd);
	close(dirfd);
}

/* The file's contents, and then its name. Some file systems do not sync
 * directories: the file is in place all the same. */
TEST(directory_is_synced_after_a_rename)
{
	int dirfd = dirfd_of_test();

	write_text(dirfd, "file", "old");
	fault_arm("fsync", 2, EIO, false);
	CHECK_INT(replace(dirfd), 0);
	CHECK(fault_disarm());
	check_text(dirfd, "file", "new");
	close(dirfd);
}

TEST(end_of_a_file_is_told_from_a_read_error)
{
	int dirfd = dirfd_of_test();
	char buffer[8];

	write_text(dirfd, "file", "four");
	int fd = openat(dirfd, "file", O_RDONLY | O_CLOEXEC);
	CHECK(file_read_at(fd, 0, buffer, 4));
	errno = EIO; /* of something before */
	CHECK(!file_read_at(fd, 0, buffer, 5));
	CHECK_INT(errno, 0);
	errno = EIO;
	CHECK(!file_read_at(fd, UINT64_MAX, buffer, 1));
	CHECK_INT(errno, 0);
	CHECK(!file_read_at(-1, 0, buffer, 1));
	CHECK_INT(errno, EBADF);
	close(fd);
	close(dirfd);
}

TEST(errno_is_a_fact_of_the_file_or_a_state_of_who_asks)
{
	static const int facts[] = {ENOENT, ENOTDIR, ELOOP,	ENAMETOOLONG,
				    EINVAL, EISDIR,  EOVERFLOW, ENXIO};
	static const int states[] = {EIO,    EMFILE, ENFILE,   ENOMEM, EINTR,
				     EAGAIN, ENOLCK, EACCES,   EPERM,  EBUSY,
				     ENOSPC, ESTALE, ETIMEDOUT};

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		CHECK(!status_is_state(status_from_errno(facts[i])));
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		CHECK(status_is_state(status_from_errno(states[i])));
		CHECK(status_is_state(-status_from_errno(states[i])));
	}
	CHECK(!status_is_state(0));
}
