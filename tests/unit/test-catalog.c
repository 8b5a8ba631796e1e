/* SPDX-License-Identifier: MIT */
/*
 * Catalogs: what is found in them, which are used, what damage does. Each
 * catalog here is made of a directory of this test's own.
 */
#include "tests/test.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/write.h"
#include "catalog/scan.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <time.h>

static const char *plugins_dir(void)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/plugins", test_directory());
	mkdir(path, 0755);
	return path;
}

static const char *in_plugins(const char *file)
{
	static char paths[4][PATH_MAX + 256];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", plugins_dir(), file);
	return path;
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

/* Three plugins, two files that are none; the cache is the test's. */
static int make_plugins(void)
{
	char cache[PATH_MAX];

	snprintf(cache, sizeof(cache), "%s/cache", test_directory());
	setenv("DLAZY_CACHE_DIR", cache, 1);
	test_copy(test_plugin("good-exports"), in_plugins("b.so"));
	test_copy(test_plugin("good-plain"), in_plugins("a.so"));
	test_copy(test_plugin("good-plain"), in_plugins("c.so.1"));
	write_text(in_plugins("text.so"), "text\n");
	write_text(in_plugins("empty.so"), "");
	return open(plugins_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static struct catalog *scan(int dirfd, bool system)
{
	struct scan_options options = {.system = system};
	struct catalog *c;

	if (scan_directory(dirfd, plugins_dir(), &options, NULL, &c) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	return c;
}

/* The status of opening the directory's catalog. */
static int try_open(int dirfd)
{
	_cleanup_catalog_ struct catalog *c = NULL;

	return catalog_open(dirfd, plugins_dir(), &c);
}

TEST(plugins_stand_by_name_and_bad_files_after_them)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_catalog_ struct catalog *c = scan(dirfd, false);
	static const char *const names[] = {"a", "b", "c", "empty", "text"};

	CHECK_INT(catalog_count(c), 3);
	CHECK_INT(catalog_bad_count(c), 2);
	for (size_t i = 0; i < 5; i++) {
		const struct record *r = catalog_record(c, i);
		CHECK(r);
		CHECK_STR(record_name(r), names[i]);
		CHECK_INT(record_status(r) < 0, i >= 3);
	}
	CHECK(!catalog_record(c, 5));
}

TEST(plugin_is_found_by_name)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_catalog_ struct catalog *c = scan(dirfd, false);
	size_t index;
	bool damaged = true;
	const struct record *r = catalog_find(c, "b", &index, &damaged);

	CHECK(r && !damaged);
	CHECK_INT(index, 1);
	CHECK_STR(record_file(r), "b.so");
	CHECK(!catalog_find(c, "absent", &index, &damaged) && !damaged);
	CHECK(!catalog_find(c, "", &index, NULL));
}

TEST(bad_file_is_found_with_its_reason)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_catalog_ struct catalog *c = scan(dirfd, false);
	size_t index;
	const struct record *r = catalog_find(c, "text", &index, NULL);

	CHECK(r);
	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
	CHECK_STR(record_message(r), "text.so: not an ELF file");
	CHECK_INT(index, 4);
}

TEST(catalog_of_an_empty_directory_is_empty)
{
	setenv("DLAZY_CACHE_DIR", test_directory(), 1);
	_cleanup_close_ int dirfd =
		open(plugins_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_catalog_ struct catalog *c = scan(dirfd, false);
	size_t index;

	CHECK_INT(catalog_count(c) + catalog_bad_count(c), 0);
	CHECK(!catalog_find(c, "a", &index, NULL));
	CHECK_INT(try_open(dirfd), 0);
}

TEST(no_catalog_is_enoent)
{
	_cleanup_close_ int dirfd = make_plugins();

	CHECK_INT(try_open(dirfd), -DLAZY_ENOENT);
}

static void stays_fresh_until_the_directory_changes(bool system)
{
	_cleanup_close_ int dirfd = make_plugins();

	for (int i = 0; i < 20; i++) {
		catalog_close(scan(dirfd, system));
		CHECK_INT(try_open(dirfd), 0);
		if (i % 2)
			CHECK_INT(unlink(in_plugins("new.so")), 0);
		else
			write_text(in_plugins("new.so"), "new");
		CHECK_INT(try_open(dirfd), -DLAZY_ENOENT);
	}
}

TEST(user_catalog_is_fresh_until_the_directory_changes)
{
	stays_fresh_until_the_directory_changes(false);
}

TEST(system_catalog_is_fresh_until_the_directory_changes)
{
	stays_fresh_until_the_directory_changes(true);
}

TEST(catalog_in_the_directory_comes_first)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct catalog *c;

	catalog_close(scan(dirfd, true));
	catalog_close(scan(dirfd, false));
	CHECK_INT(catalog_open(dirfd, plugins_dir(), &c), 0);
	CHECK(catalog_is_portable(c));
	catalog_close(c);
	CHECK_INT(unlink(in_plugins(CATALOG_FILE)), 0);
	catalog_close(scan(dirfd, false));
	CHECK_INT(catalog_open(dirfd, plugins_dir(), &c), 0);
	CHECK(!catalog_is_portable(c));
	catalog_close(c);
}

TEST(directory_times_of_long_ago_are_no_reason_to_scan)
{
	struct timespec epoch[2] = {{0, 0}, {0, 0}};
	_cleanup_close_ int dirfd = make_plugins();
	struct stat st;

	CHECK_INT(utimensat(AT_FDCWD, in_plugins("a.so"), epoch, 0), 0);
	CHECK_INT(futimens(dirfd, epoch), 0);
	catalog_close(scan(dirfd, false));
	CHECK_INT(try_open(dirfd), 0);
	/* A change whose mtime is set back is seen by ctime. */
	write_text(in_plugins("new.so"), "new");
	CHECK_INT(futimens(dirfd, epoch), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_ENOENT);
	catalog_close(scan(dirfd, true));
	CHECK_INT(try_open(dirfd), 0);
	/* Also if it is set back to what the catalog's placing made it. */
	CHECK_INT(fstat(dirfd, &st), 0);
	struct timespec placed[2] = {st.st_atim, st.st_mtim};
	CHECK_INT(unlink(in_plugins("new.so")), 0);
	CHECK_INT(futimens(dirfd, placed), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_ENOENT);
}

/* A scan that may have raced with a change must not be believed. */
TEST(catalog_of_a_directory_changed_just_before_is_not_fresh)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct stat st;
	void *data;
	size_t size;
	struct catalog *c;

	CHECK_INT(fstat(dirfd, &st), 0);
	usleep(60000);
	struct catalog_facts source = {.directory = file_identity_of(&st)};
	source.directory.size = 0;
	for (uint64_t age_ms = 0; age_ms < 40; age_ms++) {
		source.scan_start_ns =
			source.directory.ctime_ns + age_ms * 1000000;
		struct harvest none = harvest_begin(-1, NULL);
		CHECK_INT(catalog_encode(&none, &source, &data, &size), 0);
		harvest_end(&none);
		CHECK_INT(catalog_open_memory(data, size, &c), 0);
		CHECK_INT(catalog_is_fresh(c, dirfd), age_ms >= 20);
		catalog_close(c);
	}
}

/* As where a parent was renamed, or something mounted: older than the scan, but
 * not what was scanned. */
TEST(catalog_of_another_directory_is_not_fresh)
{
	_cleanup_close_ int other =
		open(test_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int dirfd = make_plugins();

	catalog_close(scan(dirfd, false));
	usleep(30000);
	catalog_close(scan(dirfd, false));
	CHECK_INT(try_open(dirfd), 0);
	CHECK_INT(try_open(other), -DLAZY_ENOENT);
}

static const char *user_catalog(void)
{
	static char *path;

	free(path);
	path = catalog_user_path(plugins_dir());
	CHECK(path);
	return path;
}

TEST(catalog_that_others_can_write_is_not_trusted)
{
	_cleanup_close_ int dirfd = make_plugins();

	catalog_close(scan(dirfd, false));
	CHECK_INT(chmod(user_catalog(), 0620), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	CHECK_INT(chmod(user_catalog(), 0602), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	CHECK_IN(status_message(), user_catalog());
	CHECK_INT(chmod(user_catalog(), 0600), 0);
	CHECK_INT(try_open(dirfd), 0);
	catalog_close(scan(dirfd, true));
	CHECK_INT(chmod(in_plugins(CATALOG_FILE), 0666), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
}

TEST(catalog_of_another_owner_is_not_trusted)
{
	_cleanup_close_ int dirfd = make_plugins();

	if (geteuid() != 0)
		test_skip("needs root");
	catalog_close(scan(dirfd, false));
	CHECK_INT(chown(user_catalog(), 12345, 0), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	CHECK_INT(chown(user_catalog(), 0, 0), 0);
	CHECK_INT(try_open(dirfd), 0);
}

/* As in a user namespace, where root is nobody: who could write the directory
 * could as well have put other plugins there. */
TEST(catalog_of_its_directorys_owner_is_trusted)
{
	_cleanup_close_ int dirfd = make_plugins();

	if (geteuid() != 0)
		test_skip("needs root");
	CHECK_INT(chmod(test_directory(), 0755), 0);
	catalog_close(scan(dirfd, true));
	CHECK_INT(chown(in_plugins(CATALOG_FILE), 12345, 0), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	CHECK_INT(fchown(dirfd, 12345, 0), 0);
	CHECK_INT(chmod(in_plugins(CATALOG_FILE), 0644), 0);
	CHECK_INT(seteuid(23456), 0);
	CHECK_INT(try_open(dirfd), 0);
	CHECK_INT(seteuid(0), 0);
	CHECK_INT(fchown(dirfd, 34567, 0), 0);
	CHECK_INT(chmod(in_plugins(CATALOG_FILE), 0644), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
}

TEST(catalog_in_a_directory_that_others_can_write_is_not_trusted)
{
	_cleanup_close_ int dirfd = make_plugins();

	catalog_close(scan(dirfd, true));
	CHECK_INT(try_open(dirfd), 0);
	CHECK_INT(fchmod(dirfd, 0775), 0);
	CHECK_INT(chmod(in_plugins(CATALOG_FILE), 0644), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	CHECK_INT(fchmod(dirfd, 0755), 0);
	CHECK_INT(chmod(in_plugins(CATALOG_FILE), 0644), 0);
	CHECK_INT(try_open(dirfd), 0);
}

TEST(link_of_another_owner_is_not_followed)
{
	_cleanup_close_ int dirfd = make_plugins();
	char moved[PATH_MAX];

	if (geteuid() != 0)
		test_skip("needs root");
	catalog_close(scan(dirfd, false));
	snprintf(moved, sizeof(moved), "%s/moved", test_directory());
	CHECK_INT(rename(user_catalog(), moved), 0);
	CHECK_INT(symlink(moved, user_catalog()), 0);
	CHECK_INT(try_open(dirfd), 0);
	CHECK_INT(lchown(user_catalog(), 12345, 0), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	/* A relative one is taken from where it stands. */
	CHECK_INT(unlink(user_catalog()), 0);
	CHECK_INT(symlink("../moved", user_catalog()), 0);
	CHECK_INT(try_open(dirfd), 0);
}

TEST(what_is_no_regular_file_is_no_catalog)
{
	_cleanup_close_ int dirfd = make_plugins();

	CHECK_INT(mkfifo(in_plugins(CATALOG_FILE), 0600), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	CHECK_INT(unlink(in_plugins(CATALOG_FILE)), 0);
	CHECK_INT(mkdir(in_plugins(CATALOG_FILE), 0700), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EUNTRUSTED);
	catalog_close(scan(dirfd, false));
	CHECK_INT(try_open(dirfd), 0);
}

/* A portable catalog's freshness is that of the directory it is in, any other
 * knows one directory of one machine. */
TEST(catalog_is_of_the_sort_that_belongs_in_its_place)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct scan_options portable = {.system = true};

	write_text(in_plugins(CATALOG_FILE), "");
	catalog_close(scan(dirfd, false));
	test_copy(user_catalog(), in_plugins(CATALOG_FILE));
	portable.output = user_catalog();
	CHECK_INT(scan_directory(dirfd, plugins_dir(), &portable, NULL, NULL),
		  0);
	CHECK_INT(try_open(dirfd), -DLAZY_ENOENT);
	CHECK_INT(unlink(user_catalog()), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_ENOENT);
}

TEST(cache_is_where_the_environment_says)
{
	static const struct {
		const char *own, *xdg, *home, *answer;
	} cases[] = {
		{"/c", "/x", "/h", "/c"},
		{NULL, "/x", "/h", "/x/dlazy"},
		{NULL, NULL, "/h", "/h/.cache/dlazy"},
		{"relative", "also", "/h", "/h/.cache/dlazy"},
		{"", "/x", NULL, "/x/dlazy"},
		{NULL, NULL, "no", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsetenv("DLAZY_CACHE_DIR");
		unsetenv("XDG_CACHE_HOME");
		unsetenv("HOME");
		if (cases[i].own)
			setenv("DLAZY_CACHE_DIR", cases[i].own, 1);
		if (cases[i].xdg)
			setenv("XDG_CACHE_HOME", cases[i].xdg, 1);
		if (cases[i].home)
			setenv("HOME", cases[i].home, 1);
		_cleanup_free_ char *dir = catalog_cache_dir();
		CHECK(!dir == !cases[i].answer);
		CHECK(!dir || !strcmp(dir, cases[i].answer));
	}
}

TEST(each_directory_has_its_own_user_catalog)
{
	setenv("DLAZY_CACHE_DIR", "/c", 1);
	_cleanup_free_ char *a = catalog_user_path("/one/plugins");
	_cleanup_free_ char *b = catalog_user_path("/two/plugins");
	_cleanup_free_ char *slash = catalog_user_path("/one/plugins/");
	_cleanup_free_ char *root = catalog_user_path("/");

	CHECK_IN(a, "/c/plugins-");
	CHECK_INT(strlen(a), strlen("/c/plugins-.catalog") + 16);
	CHECK(strcmp(a, b) != 0);
	CHECK_STR(slash, a);
	CHECK(root);
}

/* ------------------------------------------------------------------ */

/* A catalog's bytes, malloc'd, and its own records as the truth. */
struct sample {
	struct catalog *truth;
	uint8_t *bytes;
	size_t size;
};

static struct sample sample_make(void)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct sample s = {scan(dirfd, false), NULL, 0};
	_cleanup_close_ int fd = -1;
	struct file_identity identity;

	CHECK_INT(file_open(AT_FDCWD, user_catalog(), &fd, &identity), 0);
	s.size = identity.size;
	s.bytes = malloc(s.size);
	CHECK(file_read_at(fd, 0, s.bytes, s.size));
	return s;
}

static void sample_free(struct sample *s)
{
	catalog_close(s->truth);
	free(s->bytes);
}

/* A catalog of a copy of these bytes; NULL: refused. */
static struct catalog *open_copy(const void *bytes, size_t size)
{
	struct catalog *c = NULL;
	void *copy = malloc(size ? size : 1);

	memcpy(copy, bytes, size);
	int status = catalog_open_memory(copy, size, &c);
	CHECK(status == 0 || status == -DLAZY_EFORMAT);
	return c;
}

static void check_same(const struct record *r, const struct record *truth)
{
	CHECK(truth && record_size(r) == record_size(truth));
	CHECK(memcmp(r, truth, record_size(r)) == 0);
}

/* Every answer that a damaged catalog gives must be the true one. */
static void check_answers(struct catalog *c, struct catalog *truth)
{
	static const char *const names[] = {"a",    "b",     "c", "empty",
					    "text", "other", ""};
	size_t index, all = catalog_count(truth) + catalog_bad_count(truth);

	CHECK_INT(catalog_count(c), catalog_count(truth));
	CHECK_INT(catalog_bad_count(c), catalog_bad_count(truth));
	for (size_t i = 0; i < all; i++) {
		const struct record *r = catalog_record(c, i);
		if (r)
			check_same(r, catalog_record(truth, i));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct record *r =
			catalog_find(c, names[i], &index, NULL);
		if (r)
			check_same(r,
				   catalog_find(truth, names[i], &index, NULL));
	}
}

TEST(one_wrong_byte_gives_no_wrong_answer)
{
	struct sample s = sample_make();

	srand(2);
	for (size_t round = 0; round < 20000; round++) {
		/* All of the header and tables, then samples of the rest. */
		size_t at = round < 1024 ? round : (size_t)rand() % s.size;
		uint8_t flip = (uint8_t)(1 << rand() % 8);
		if (round % 3 == 0)
			flip = (uint8_t)(1 + rand() % 255);
		s.bytes[at] ^= flip;
		_cleanup_catalog_ struct catalog *c =
			open_copy(s.bytes, s.size);
		CHECK(at >= sizeof(struct catalog_header) || !c);
		if (c)
			check_answers(c, s.truth);
		s.bytes[at] ^= flip;
	}
	sample_free(&s);
}

/* Makes the checksum of a table's first block right. */
static void seal_first_block(struct sample *s, enum format_section section)
{
	struct catalog_header *h = (struct catalog_header *)s->bytes;
	uint8_t *block = s->bytes + h->sections[section].offset;
	uint64_t sum = format_block_checksum(h, section, 0, block);

	memcpy(block + FORMAT_BLOCK_ROOM, &sum, sizeof(sum));
}

TEST(swapped_entries_give_no_wrong_answer)
{
	struct sample s = sample_make();
	struct catalog_header *h = (struct catalog_header *)s.bytes;
	struct catalog_entry *entries =
		(struct catalog_entry *)(s.bytes +
					 h->sections[FORMAT_ENTRIES].offset);

	entries[0].offset = entries[1].offset;
	entries[0].size = entries[1].size;
	seal_first_block(&s, FORMAT_ENTRIES);
	_cleanup_catalog_ struct catalog *c = open_copy(s.bytes, s.size);
	size_t index;
	bool damaged = false;
	CHECK(c && !catalog_record(c, 0));
	CHECK(!catalog_find(c, "a", &index, &damaged) && damaged);
	CHECK(catalog_find(c, "b", &index, &damaged) && !damaged);
	sample_free(&s);
}

/* What is between the records and the tables, too: there is nothing. */
TEST(each_wrong_byte_is_noticed)
{
	struct sample s = sample_make();
	size_t index;

	for (size_t at = 0; at < s.size; at++) {
		bool noticed = false, unknown;
		s.bytes[at] ^= (uint8_t)(1 << at % 8);
		_cleanup_catalog_ struct catalog *c =
			open_copy(s.bytes, s.size);
		size_t all = c ? catalog_count(c) + catalog_bad_count(c) : 0;
		for (size_t i = 0; i < all; i++)
			noticed |= !catalog_record(c, i);
		for (int i = 0; c && !noticed && i < 1000; i++) {
			char name[32];
			snprintf(name, sizeof(name), "absent%d", i);
			catalog_find(c, name, &index, &unknown);
			noticed |= unknown;
		}
		CHECK(!c || noticed);
		s.bytes[at] ^= (uint8_t)(1 << at % 8);
	}
	sample_free(&s);
}

TEST(wrong_bucket_is_no_absent_plugin)
{
	struct sample s = sample_make();
	struct catalog_header *h = (struct catalog_header *)s.bytes;
	bool unknown = false;
	size_t index;

	memset(s.bytes + h->sections[FORMAT_BUCKETS].offset, 0, 64);
	_cleanup_catalog_ struct catalog *c = open_copy(s.bytes, s.size);
	CHECK(c && !catalog_find(c, "a", &index, &unknown) && unknown);
	CHECK_INT(status_last(), -DLAZY_EFORMAT);
	sample_free(&s);
}

/* The fixture is named after a library that is absent. */
TEST(a_soname_is_found_once_whatever_it_is_called)
{
	_cleanup_close_ int dirfd = make_plugins();
	uint8_t *keys;
	size_t index;

	test_copy(test_plugin("absent/libdlazy-absent"), in_plugins("z.so"));
	test_copy(test_plugin("absent/libdlazy-absent"), in_plugins("y.so"));
	_cleanup_catalog_ struct catalog *c = scan(dirfd, false);
	CHECK_INT(catalog_find_soname(c, "libdlazy-absent.so", &index), 1);
	CHECK_STR(record_name(catalog_record(c, index)), "y");
	CHECK_INT(catalog_find_soname(c, "libdlazy-absent.so.1", &index), 0);
	CHECK_INT(catalog_find_soname(c, "", &index), 0);
	struct sample s = sample_make();
	keys = s.bytes +
	       ((struct catalog_header *)s.bytes)->sections[FORMAT_KEYS].offset;
	keys[0] ^= 1;
	_cleanup_catalog_ struct catalog *bad = open_copy(s.bytes, s.size);
	CHECK_INT(catalog_find_soname(bad, "libdlazy-absent.so", &index),
		  -DLAZY_EFORMAT);
	sample_free(&s);
}

TEST(sections_that_are_not_known_are_not_in_the_way)
{
	struct sample s = sample_make();
	size_t more = s.size + 64, index;
	uint8_t *bytes = calloc(1, more);
	struct catalog_header *h = (struct catalog_header *)bytes;

	memcpy(bytes, s.bytes, s.size);
	h->size = more;
	h->sections[FORMAT_SECTIONS - 1] = (struct catalog_section){s.size, 64};
	h->checksum = format_header_checksum(h);
	for (int section = FORMAT_ENTRIES; section <= FORMAT_BUCKETS; section++)
		for (uint64_t i = 0;
		     i < h->sections[section].size / FORMAT_BLOCK; i++) {
			uint8_t *block = bytes + h->sections[section].offset +
					 i * FORMAT_BLOCK;
			uint64_t sum =
				format_block_checksum(h, section, i, block);
			memcpy(block + FORMAT_BLOCK_ROOM, &sum, sizeof(sum));
		}
	_cleanup_catalog_ struct catalog *c = open_copy(bytes, more);
	CHECK(c && catalog_find(c, "a", &index, NULL));
	free(bytes);
	sample_free(&s);
}

TEST(truncated_catalog_is_refused)
{
	struct sample s = sample_make();

	for (size_t n = 0; n < s.size; n++)
		CHECK(!open_copy(s.bytes, n));
	sample_free(&s);
}

TEST(truncated_catalog_file_is_refused)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct stat st;

	catalog_close(scan(dirfd, false));
	CHECK_INT(stat(user_catalog(), &st), 0);
	CHECK_INT(truncate(user_catalog(), st.st_size - 1), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EFORMAT);
	CHECK_INT(truncate(user_catalog(), 0), 0);
	CHECK_INT(try_open(dirfd), -DLAZY_EFORMAT);
	catalog_close(scan(dirfd, false));
	CHECK_INT(try_open(dirfd), 0);
}

TEST(catalog_of_another_version_or_machine_is_not_usable)
{
	struct sample s = sample_make();
	struct catalog_header *h = (struct catalog_header *)s.bytes;
	uint32_t *const fields[] = {&h->version, &h->byte_order, &h->word_size,
				    &h->machine};

	for (size_t i = 0; i < 4; i++) {
		*fields[i] += 1;
		h->checksum = format_header_checksum(h);
		CHECK(!open_copy(s.bytes, s.size));
		*fields[i] -= 1;
	}
	h->checksum = format_header_checksum(h);
	struct catalog *c = open_copy(s.bytes, s.size);
	CHECK(c);
	catalog_close(c);
	sample_free(&s);
}

TEST(header_that_lies_with_a_right_checksum_does_no_harm)
{
	struct sample s = sample_make();
	struct catalog_header *h = (struct catalog_header *)s.bytes;
	struct catalog_header kept = *h;
	size_t index;

	srand(3);
	for (int round = 0; round < 20000; round++) {
		s.bytes[24 + rand() % (int)(sizeof(*h) - 24)] = (uint8_t)rand();
		h->size = s.size;
		h->checksum = format_header_checksum(h);
		_cleanup_catalog_ struct catalog *c =
			open_copy(s.bytes, s.size);
		for (size_t i = 0; c && i < 8; i++)
			catalog_record(c, i);
		if (c) {
			catalog_find(c, "a", &index, NULL);
			catalog_find_soname(c, "liba.so", &index);
		}
		if (round % 4 == 0)
			*h = kept;
	}
	sample_free(&s);
}

/* A record whose name leads out of the directory, soundly checksummed. */
static struct catalog *catalog_of_file_name(const char *file)
{
	struct record *r = NULL;
	struct catalog *c;
	void *data;
	size_t size;

	status_fail(DLAZY_EIO, "made by hand");
	CHECK_INT(record_unreadable("abcd.so", &r), 0);
	memcpy((char *)r + r->file, file, strlen(file) + 1);
	r->checksum = 0;
	r->checksum = hash_bytes(&r->size, r->size - 8);
	struct harvest h = harvest_begin(-1, NULL);
	CHECK_INT(harvest_add(&h, r, NULL), 0);
	CHECK_INT(catalog_encode(&h, &(struct catalog_facts){0}, &data, &size),
		  0);
	harvest_end(&h);
	CHECK_INT(catalog_open_memory(data, size, &c), 0);
	free(r);
	return c;
}

TEST(record_whose_name_leaves_the_directory_is_damaged)
{
	static const char *const names[] = {"../x.so", "/x.so", "..", ".", ""};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_catalog_ struct catalog *c =
			catalog_of_file_name(names[i]);
		CHECK(!catalog_record(c, 0));
	}
	_cleanup_catalog_ struct catalog *good = catalog_of_file_name("x.so");
	CHECK(catalog_record(good, 0));
}

/* ------------------------------------------------------------------ */

/* Asks an open catalog, whose file has something done to it first, for all. */
static int ask_after(void (*what)(const char *path), size_t *ret_unknown)
{
	_cleanup_close_ int dirfd = make_plugins();
	static const char *const names[] = {"a", "b", "c", "empty", "text"};
	const struct rlimit some = {64, 64};
	struct catalog *c;
	bool unknown;
	size_t index;

	catalog_close(scan(dirfd, false));
	CHECK_INT(catalog_open(dirfd, plugins_dir(), &c), 0);
	what(user_catalog());
	*ret_unknown = 0;
	status_clear();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(!catalog_find(c, names[i], &index, &unknown));
		CHECK(!catalog_record(c, i));
		*ret_unknown += unknown;
	}
	catalog_close(c);
	if (setrlimit(RLIMIT_NOFILE, &some) < 0)
		test_skip("valgrind does not let the limit be raised again");
	return status_last();
}

static void empty_file(const char *path)
{
	CHECK_INT(truncate(path, 0), 0);
}

static void cut_file(const char *path)
{
	CHECK_INT(truncate(path, sizeof(struct catalog_header) + 100), 0);
}

static void replace_file(const char *path)
{
	char other[PATH_MAX];

	snprintf(other, sizeof(other), "%s.other", path);
	test_copy(path, other);
	CHECK_INT(rename(other, path), 0);
}

static void remove_file(const char *path)
{
	CHECK_INT(unlink(path), 0);
}

TEST(catalog_that_is_cut_while_it_is_open_does_not_know)
{
	size_t unknown;

	CHECK_INT(ask_after(empty_file, &unknown), -DLAZY_EFORMAT);
	CHECK_INT(unknown, 5);
	CHECK_INT(ask_after(cut_file, &unknown), -DLAZY_EFORMAT);
	CHECK_INT(unknown, 5);
}

TEST(catalog_that_is_replaced_while_it_is_open_does_not_know)
{
	size_t unknown;

	CHECK_INT(ask_after(replace_file, &unknown), -DLAZY_EFORMAT);
	CHECK_INT(unknown, 5);
	CHECK_INT(ask_after(remove_file, &unknown), -DLAZY_EFORMAT);
	CHECK_INT(unknown, 5);
}

static void use_up_descriptors(const char *path)
{
	struct rlimit none = {3, 64};

	(void)path;
	if (setrlimit(RLIMIT_NOFILE, &none) < 0)
		test_skip("valgrind does not let the limit be changed");
}

TEST(catalog_that_cannot_be_read_now_is_not_damaged)
{
	size_t unknown;

	CHECK_INT(ask_after(use_up_descriptors, &unknown), -DLAZY_EIO);
	CHECK_INT(unknown, 5);
}

/* The file may be cut from here on: what was read is ours. */
TEST(record_stays_when_its_catalog_is_cut)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_catalog_ struct catalog *c = NULL;
	size_t index;

	catalog_close(scan(dirfd, false));
	CHECK_INT(catalog_open(dirfd, plugins_dir(), &c), 0);
	const struct record *r = catalog_find(c, "a", &index, NULL);
	CHECK(r);
	empty_file(user_catalog());
	CHECK_STR(record_name(r), "a");
	CHECK(catalog_find(c, "a", &index, NULL) == r);
	CHECK(record_check(r, record_size(r)) == r);
}

#define SECOND UINT64_C(1000000000)

TEST(times_of_seconds_are_trusted_when_two_of_them_have_passed)
{
	const uint64_t fine = 1000 * SECOND + 1, coarse = 1000 * SECOND;

	CHECK(!file_time_is_past(fine, fine + 10000000));
	CHECK(file_time_is_past(fine, fine + 20000000));
	CHECK(!file_time_is_past(coarse, coarse + SECOND));
	CHECK(!file_time_is_past(coarse, coarse + 2 * SECOND));
	CHECK(file_time_is_past(coarse, coarse + 2 * SECOND + 20000000));
	CHECK(!file_time_is_past(fine, fine - 1));
}

/* The clock was ahead when the scan was made, and has been set back. */
TEST(catalog_from_the_future_is_not_fresh)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct timespec now;
	struct catalog *c;
	struct stat st;
	void *data;
	size_t size;

	usleep(30000);
	CHECK_INT(fstat(dirfd, &st), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	struct catalog_facts source = {.directory = file_identity_of(&st)};
	source.directory.size = 0;
	for (int hours = -1; hours < 2; hours++) {
		source.scan_start_ns = source.directory.ctime_ns + 30000000 +
				       (uint64_t)(hours > 0) * 3600 * SECOND;
		struct harvest none = harvest_begin(-1, NULL);
		CHECK_INT(catalog_encode(&none, &source, &data, &size), 0);
		harvest_end(&none);
		CHECK_INT(catalog_open_memory(data, size, &c), 0);
		usleep(10000);
		CHECK_INT(catalog_is_fresh(c, dirfd), hours <= 0);
		catalog_close(c);
	}
}

/* ------------------------------------------------------------------ */

/* Run under callgrind by the next test; by itself it opens what it finds. */
TEST(catalog_named_by_the_environment_is_opened)
{
	const char *dir = getenv("OPEN_COST_DIR");
	struct catalog *c;

	if (!dir)
		test_skip("for the test of the cost");
	_cleanup_close_ int dirfd =
		open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(catalog_open(dirfd, dir, &c), 0);
	catalog_close(c);
}

static void link_plugins(int n)
{
	char file[64];

	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "plugin%d.so", i);
		CHECK_INT(symlink(test_plugin("good-plain"), in_plugins(file)),
			  0);
	}
}

/* The instructions of catalog_open(), all processes of the run together. */
static long count_instructions(int n)
{
	char command[3 * PATH_MAX];
	long sum = 0, part;

	setenv("OPEN_COST_DIR", plugins_dir(), 1);
	snprintf(command, sizeof(command),
		 "cd %s && valgrind --tool=callgrind "
		 "--toggle-collect=catalog_open "
		 "--callgrind-out-file=cost-%d.%%p /proc/%ld/exe "
		 "catalog_named_by_the_environment_is_opened >/dev/null 2>&1 "
		 "&& sed -n 's/^\\(summary\\|totals\\): //p' cost-%d.*",
		 test_directory(), n, (long)getpid(), n);
	FILE *out = popen(command, "re");
	while (out && fscanf(out, "%ld", &part) == 1)
		sum = part > sum ? part : sum;
	CHECK(out && pclose(out) == 0);
	return sum;
}

TEST_SECONDS(opening_costs_the_same_for_100_and_10000_plugins, 120)
{
	if (getenv("TEST_SLOW") || system("valgrind --version >/dev/null 2>&1"))
		test_skip("no valgrind, or not inside of it");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("sanitizers do not run under valgrind");
#endif
	_cleanup_close_ int dirfd = make_plugins();
	link_plugins(100);
	catalog_close(scan(dirfd, false));
	long few = count_instructions(100);
	/* The same name must not be linked twice. */
	CHECK(system("rm -rf \"$OPEN_COST_DIR\"/plugin*") == 0);
	link_plugins(10000);
	catalog_close(scan(dirfd, false));
	long many = count_instructions(10000);
	printf("# catalog_open: %ld and %ld instructions\n", few, many);
	CHECK(few > 100 && few < 30000);
	CHECK(labs(many - few) * 20 <= few);
}
