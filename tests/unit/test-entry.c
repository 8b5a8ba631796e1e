/* SPDX-License-Identifier: MIT */
/*
 * An entry of `dlazy run`'s cache: what is drafted is read back; damage and
 * foreign hands are noticed; and so is each change of what it was made from.
 */
#include "tests/test.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/cache/entry.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char path_buffer[16][PATH_MAX];

/* A path in the test's directory; sixteen at a time. */
static const char *at(const char *name)
{
	static int next;
	char *path = path_buffer[next++ % 16];

	snprintf(path, PATH_MAX, "%s/%s", test_directory(), name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "we");

	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void finish(struct entry_draft *draft, struct entry *ret)
{
	const struct entry_facts facts = {
		.key = "the key",
		.generation = "g-1",
		.plain = "",
		.lazy = 2,
	};

	CHECK_INT(entry_draft_finish(draft, &facts, ret), 0);
	entry_draft_clear(draft);
}

static void put_entry(const struct entry *entry)
{
	int fd = open(at("current"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0600);

	CHECK(fd >= 0 &&
	      write(fd, entry->data, entry->size) == (ssize_t)entry->size);
	close(fd);
}

static int get_entry(struct entry *ret)
{
	int dirfd = open(test_directory(), O_PATH | O_CLOEXEC);
	int status = entry_read(dirfd, "current", ret);

	close(dirfd);
	return status;
}

static void put_some_entry(void)
{
	struct entry_draft draft = {.inputs = NULL};
	_cleanup_entry_ struct entry entry = {NULL, 0};

	put("file", "x");
	entry_draft_path(&draft, at("file"));
	entry_draft_library(&draft, "/lib/a", "", "", 0);
	entry_draft_library(&draft, "/lib/b", "data", "c takes it", 0);
	entry_draft_library(&draft, "/lib/c", "", "", 1);
	finish(&draft, &entry);
	put_entry(&entry);
}

TEST(what_was_drafted_is_read)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	put_some_entry();
	CHECK_INT(get_entry(&entry), 0);
	struct entry_facts facts = entry_facts(&entry);
	CHECK_STR(facts.key, "the key");
	CHECK_STR(facts.generation, "g-1");
	CHECK_STR(facts.plain, "");
	CHECK_INT(facts.lazy, 2);
	CHECK_INT(entry_library_count(&entry), 3);
	struct entry_library b = entry_library(&entry, 1);
	CHECK_STR(entry_string(&entry, b.path), "/lib/b");
	CHECK_STR(entry_string(&entry, b.why), "data");
	CHECK_STR(entry_string(&entry, b.detail), "c takes it");
	struct entry_library c = entry_library(&entry, 2);
	CHECK_STR(entry_string(&entry, c.why), "");
	CHECK_INT(c.number, 1);
	CHECK(entry_is_fresh(&entry));
}

TEST(string_outside_is_empty)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	put_some_entry();
	CHECK_INT(get_entry(&entry), 0);
	CHECK_STR(entry_string(&entry, 1 << 30), "");
}

TEST(missing_entry_is_not_there)
{
	struct entry entry;

	CHECK_INT(get_entry(&entry), -DLAZY_ENOENT);
}

TEST(each_damaged_byte_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};
	struct entry read;

	put_some_entry();
	CHECK_INT(get_entry(&entry), 0);
	for (size_t i = 0; i < entry.size; i++) {
		entry.data[i] ^= 0x41;
		put_entry(&entry);
		CHECK_INT(get_entry(&read), -DLAZY_EFORMAT);
		entry.data[i] ^= 0x41;
	}
}

TEST(each_truncated_entry_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};
	struct entry read;

	put_some_entry();
	CHECK_INT(get_entry(&entry), 0);
	for (size_t whole = entry.size; entry.size-- > 0;) {
		CHECK(entry.size < whole);
		put_entry(&entry);
		CHECK_INT(get_entry(&read), -DLAZY_EFORMAT);
		if (entry.size == 0)
			break;
	}
}

TEST(entry_that_others_can_write_is_not_trusted)
{
	struct entry entry;

	put_some_entry();
	CHECK_INT(chmod(at("current"), 0620), 0);
	CHECK_INT(get_entry(&entry), -DLAZY_EUNTRUSTED);
	CHECK_INT(chmod(at("current"), 0602), 0);
	CHECK_INT(get_entry(&entry), -DLAZY_EUNTRUSTED);
}

TEST(entry_of_another_user_is_not_trusted)
{
	struct entry entry;

	if (geteuid() != 0)
		test_skip("needs root");
	put_some_entry();
	CHECK_INT(chown(at("current"), 12345, 0), 0);
	CHECK_INT(get_entry(&entry), -DLAZY_EUNTRUSTED);
}

TEST(link_in_place_of_an_entry_is_not_followed)
{
	struct entry entry;

	put_some_entry();
	CHECK_INT(rename(at("current"), at("elsewhere")), 0);
	CHECK_INT(symlink("elsewhere", at("current")), 0);
	CHECK(get_entry(&entry) < 0);
}

/* An entry made of a path as it is now. */
static void draft_of(const char *path, struct entry *ret)
{
	struct entry_draft draft = {.inputs = NULL};

	entry_draft_path(&draft, path);
	finish(&draft, ret);
	CHECK(entry_is_fresh(ret));
}

TEST(changed_file_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	put("file", "x");
	draft_of(at("file"), &entry);
	put("file", "longer");
	CHECK(!entry_is_fresh(&entry));
}

TEST(replaced_file_of_the_same_size_and_time_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};
	struct stat st;

	put("file", "x");
	draft_of(at("file"), &entry);
	CHECK_INT(stat(at("file"), &st), 0);
	put("other", "y");
	const struct timespec times[2] = {st.st_mtim, st.st_mtim};
	CHECK_INT(utimensat(AT_FDCWD, at("other"), times, 0), 0);
	CHECK_INT(rename(at("other"), at("file")), 0);
	CHECK(!entry_is_fresh(&entry));
}

TEST(changed_mode_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	put("file", "x");
	draft_of(at("file"), &entry);
	/* Later than the clock that file systems use can hide. */
	usleep(20000);
	CHECK_INT(chmod(at("file"), 04755), 0);
	CHECK(!entry_is_fresh(&entry));
}

TEST(removed_file_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	put("file", "x");
	draft_of(at("file"), &entry);
	CHECK_INT(unlink(at("file")), 0);
	CHECK(!entry_is_fresh(&entry));
}

TEST(file_that_turns_up_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	draft_of(at("absent"), &entry);
	put("absent", "x");
	CHECK(!entry_is_fresh(&entry));
}

/* An entry made of a directory, and of a library of that name elsewhere. */
static void draft_of_search(struct entry *ret)
{
	struct entry_draft draft = {.inputs = NULL};

	CHECK_INT(mkdir(at("first"), 0700), 0);
	CHECK_INT(mkdir(at("second"), 0700), 0);
	put("second/libx.so", "x");
	entry_draft_path(&draft, at("first"));
	entry_draft_path(&draft, at("second/libx.so"));
	finish(&draft, ret);
	usleep(20000);
}

TEST(other_files_in_a_searched_directory_are_no_matter)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	draft_of_search(&entry);
	put("first/other", "x");
	CHECK(entry_is_fresh(&entry));
}

TEST(library_that_would_be_found_first_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	draft_of_search(&entry);
	put("first/libx.so", "x");
	CHECK(!entry_is_fresh(&entry));
}

TEST(same_library_by_a_link_there_is_no_matter)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	draft_of_search(&entry);
	CHECK_INT(symlink("../second/libx.so", at("first/libx.so")), 0);
	CHECK(entry_is_fresh(&entry));
}

TEST(searched_directory_that_goes_is_noticed)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};

	draft_of_search(&entry);
	CHECK_INT(rmdir(at("first")), 0);
	CHECK(!entry_is_fresh(&entry));
}

TEST(young_input_is_told_from_an_old_one)
{
	struct entry_draft draft = {.inputs = NULL};
	struct stat st;

	put("file", "x");
	entry_draft_path(&draft, at("file"));
	CHECK_INT(stat(at("file"), &st), 0);
	uint64_t changed = (uint64_t)st.st_ctim.tv_sec * 1000000000u +
			   (uint64_t)st.st_ctim.tv_nsec;
	CHECK(entry_draft_youth(&draft, changed) > 0);
	CHECK(entry_draft_youth(&draft, changed + 1000000) > 0);
	CHECK_INT(entry_draft_youth(&draft, changed + 3000000000u), 0);
	entry_draft_clear(&draft);
}
