/* SPDX-License-Identifier: MIT */
/*
 * What catalogs keep of plugins' metadata: what a scan puts in, what it takes over
 * from the catalog before, and what is found beside the text.
 */
#include "tests/unit/opened.h"

#include "base/cleanup.h"
#include "base/jsonread.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/format.h"
#include "catalog/reader.h"
#include "catalog/scan.h"
#include "load/metadata.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *stage_json(void)
{
	static char path[4096];
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");

	snprintf(path, sizeof(path), "%s/dlazy/json.so", stage ? stage : "");
	return stage && access(path, F_OK) == 0 ? path : NULL;
}

/* The JSON module, where it can be had; a directory of the test's own. */
static int make_directory(void)
{
	if (!stage_json())
		test_skip("the JSON module is not in the staged tree");
	metadata_use_module(stage_json());
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	mkdir(own_path("d"), 0755);
	return open(own_path("d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void write_text(const char *file, const char *text)
{
	FILE *out = fopen(own_path(file), "we");

	CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

static struct catalog *scan_by(int dirfd, scan_metadata_fn *metadata,
			       bool system)
{
	struct scan_options o = {.metadata = metadata, .system = system};
	struct catalog *c;

	if (scan_directory(dirfd, own_path("d"), &o, NULL, &c) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	return c;
}

static struct catalog *scan(int dirfd)
{
	return scan_by(dirfd, metadata_scan, false);
}

/* What a catalog has of a plugin; NULL: nothing. */
static const struct catalog_metadata *said(struct catalog *c, const char *name)
{
	const struct catalog_metadata *m;
	size_t index;

	CHECK(catalog_find(c, name, &index, NULL));
	CHECK_INT(catalog_metadata(c, index, &m), 0);
	return m;
}

TEST(a_catalog_has_notes_and_sidecars_merged)
{
	_cleanup_close_ int dirfd = make_directory();

	own_copy("good-described", "d/a.so");
	own_copy("good-plain", "d/b.so");
	own_copy("good-plain", "d/c.so");
	write_text("d/a.dlazy.json", "{\"description\":\"beside\"}");
	write_text("d/c.dlazy.json", "{\"name\":7}");
	_cleanup_catalog_ struct catalog *c = scan(dirfd);
	const struct catalog_metadata *m = said(c, "a");
	CHECK(m);
	CHECK(json_is(json_member(metadata_text(m), "description"), "beside"));
	CHECK(json_is(json_member(metadata_sources(m), "name"), "note"));
	CHECK(!metadata_problem(m));
	CHECK_STR(metadata_file(m), "a.so");
	CHECK(!said(c, "b"));
	CHECK_IN(metadata_problem(said(c, "c")), "sidecar: \"name\" is not");
}

TEST(what_is_provided_is_beside_the_text)
{
	_cleanup_close_ int dirfd = make_directory();
	struct metadata_provided p;
	struct metadata_matcher matcher;

	own_copy("good-plain", "d/a.so");
	write_text(
		"d/a.dlazy.json",
		"{\"interface\":\"pic/2.3\", \"provides\": [{\"id\":\"x\"}, "
		"{\"id\":\"codec\\/\\u00e9\", \"rank\":700, \"symbol\":\"s\", "
		"\"mime\":[\"image/png\"], \"glob\":[\"*.png\"], "
		"\"magic\":[{\"offset\":4, \"hex\":\"0aFF\", "
		"\"mask\":\"0f\"}]}]}");
	_cleanup_catalog_ struct catalog *c = scan(dirfd);
	const struct catalog_metadata *m = said(c, "a");
	CHECK_STR(metadata_interface(m), "pic/2.3");
	CHECK_INT(metadata_provided_count(m), 2);
	CHECK(metadata_provided(m, 0, &p));
	CHECK_INT(p.rank, 500);
	CHECK(!p.symbol && !p.description);
	CHECK(metadata_provided(m, 1, &p));
	CHECK_STR(p.id, "codec/\303\251");
	CHECK_INT(p.rank, 700);
	CHECK_STR(p.symbol, "s");
	CHECK(metadata_matcher(m, 1, 0, &matcher));
	CHECK_STR(matcher.text, "image/png");
	CHECK(metadata_matcher(m, 1, 1, &matcher));
	CHECK_STR(matcher.text, "*.png");
	CHECK(metadata_matcher(m, 1, 2, &matcher));
	CHECK_INT(matcher.kind, METADATA_MAGIC);
	CHECK_INT(matcher.offset, 4);
	CHECK_INT(matcher.size, 2);
	CHECK(!memcmp(matcher.bytes, "\012\377", 2));
	CHECK(!memcmp(matcher.mask, "\017\377", 2));
	CHECK(!metadata_matcher(m, 1, 3, &matcher));
	CHECK(!metadata_matcher(m, 0, 0, &matcher));
	CHECK(!metadata_provided(m, 2, &p));
}

/* As a probe would. */
static int probe(const struct scan_plugin *plugin, void *data,
		 struct catalog_metadata **ret)
{
	struct metadata_given given = {
		.text[METADATA_STATIC] = "{\"name\":\"static\",\"x\":1}",
		.text[METADATA_PROBE] = "{\"name\":\"probe\",\"y\":2}",
		.probe = "said something on the way",
		.flags = METADATA_PROBED,
		.prober = 9,
	};

	(void)data;
	return metadata_scan_given(plugin, &given, ret);
}

TEST(a_rescan_keeps_what_probes_said_and_marks_changed_files_as_due)
{
	_cleanup_close_ int dirfd = make_directory();
	struct metadata_given kept;

	own_copy("good-plain", "d/a.so");
	own_copy("good-plain", "d/b.so");
	struct catalog *c = scan(dirfd);
	CHECK(!catalog_was_probed(c) && !said(c, "a"));
	catalog_close(c);
	catalog_close(scan_by(dirfd, probe, false));
	own_copy("good-exports", "d/b.so");
	own_copy("good-exports", "d/new.so");
	write_text("d/a.dlazy.json", "{\"x\":3}");
	c = scan(dirfd);
	CHECK(catalog_was_probed(c));
	const struct catalog_metadata *m = said(c, "a");
	CHECK_IN(metadata_text(m), "\"x\":3");
	CHECK_IN(metadata_text(m), "\"name\":\"static\"");
	CHECK_IN(metadata_sources(m), "\"y\":\"probe\"");
	CHECK_STR(metadata_probe(m), "said something on the way");
	CHECK_INT(metadata_flags(m), METADATA_PROBED);
	metadata_keep(m, &kept);
	CHECK_INT(kept.prober, 9);
	for (int i = 0; i < 2; i++) {
		m = said(c, i ? "b" : "new");
		CHECK_INT(metadata_flags(m), METADATA_DUE);
		CHECK(!metadata_text(m) && !metadata_probe(m));
	}
	catalog_close(c);
	CHECK_INT(unlink(own_path("d/a.dlazy.json")), 0);
	c = scan(dirfd);
	CHECK_IN(metadata_text(said(c, "a")), "\"x\":1");
	CHECK_INT(metadata_flags(said(c, "b")), METADATA_DUE);
	catalog_close(c);
}

TEST(a_catalog_that_travels_knows_a_sidecar_by_its_bytes)
{
	_cleanup_close_ int dirfd = make_directory();

	own_copy("good-plain", "d/a.so");
	write_text("d/a.dlazy.json", "{\"x\":3}");
	struct catalog *c = scan_by(dirfd, probe, true);
	const struct catalog_metadata *m = said(c, "a");
	CHECK_INT(metadata_sidecar(m).ino, 0);
	CHECK(metadata_sidecar_content(m) != 0);
	catalog_close(c);
	write_text("d/a.dlazy.json", "{\"x\":4}");
	c = scan_by(dirfd, metadata_scan, true);
	CHECK_IN(metadata_text(said(c, "a")), "\"x\":4");
	CHECK_IN(metadata_text(said(c, "a")), "\"y\":2");
	catalog_close(c);
}

TEST(without_the_json_module_a_scan_goes_on)
{
	_cleanup_close_ int dirfd = make_directory();

	metadata_use_module(own_path("absent.so"));
	own_copy("good-described", "d/a.so");
	_cleanup_catalog_ struct catalog *c = scan(dirfd);
	const struct catalog_metadata *m = said(c, "a");
	CHECK(!metadata_text(m));
	CHECK_IN(metadata_problem(m), "absent.so");
	CHECK_INT(metadata_flags(m), METADATA_YOUNG);
}

/* The catalog of the directory with a bit changed: what its metadata are then. */
static int metadata_with_change(const char *path, uint64_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), status;
	const struct catalog_metadata *m;
	struct catalog *c;
	size_t index;
	char byte;

	CHECK_INT(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 4;
	CHECK_INT(pwrite(fd, &byte, 1, (off_t)at), 1);
	CHECK_INT(catalog_open_file(AT_FDCWD, NULL, path, &c), 0);
	CHECK(catalog_find(c, "a", &index, NULL));
	status = catalog_metadata(c, index, &m);
	catalog_close(c);
	byte ^= 4;
	CHECK_INT(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
	return status;
}

TEST(damaged_metadata_are_no_metadata)
{
	_cleanup_close_ int dirfd = make_directory();

	own_copy("good-described", "d/a.so");
	struct catalog *c = scan(dirfd);
	struct catalog_section table =
		catalog_header(c)->sections[FORMAT_METADATA];
	struct catalog_section blocks =
		catalog_header(c)->sections[FORMAT_RECORDS];
	uint64_t end = blocks.offset + blocks.size;
	CHECK(said(c, "a"));
	catalog_close(c);
	_cleanup_free_ char *path = catalog_user_path(own_path("d"));
	for (uint64_t at = 0; at < table.size; at += 16)
		CHECK_INT(metadata_with_change(path, table.offset + at),
			  -DLAZY_EFORMAT);
	for (uint64_t back = 1; back < 400; back += 50)
		CHECK_INT(metadata_with_change(path, end - back),
			  -DLAZY_EFORMAT);
}

/* ------------------------------------------------------------------ */
/* Large directories                                                  */

#define MANY 4000
#define MANY_KIB 4500

static void make_many(void)
{
	char file[32];

	own_copy("good-described", "d/p0.so");
	for (int i = 1; i < MANY; i++) {
		snprintf(file, sizeof(file), "d/p%d.so", i);
		CHECK_INT(link(own_path("d/p0.so"), own_path(file)), 0);
	}
	write_text("d/p7.dlazy.json",
		   "{\"provides\":[{\"id\":\"last/seven\", \"magic\":"
		   "[{\"offset\":4, \"hex\":\"0aFF\"}]}]}");
}

/* What a process needs at its peak to scan the directory. */
static long scan_peak_kib(int dirfd, scan_metadata_fn *metadata)
{
	struct rusage usage;
	int how;
	pid_t pid = fork();

	if (pid == 0) {
		struct scan_options o = {.metadata = metadata};
		_exit(scan_directory(dirfd, own_path("d"), &o, NULL, NULL) < 0);
	}
	CHECK(pid > 0 && wait4(pid, &how, 0, &usage) == pid && how == 0);
	return usage.ru_maxrss;
}

static void check_many(struct catalog *c)
{
	struct catalog_reader *reader;
	struct reader_opener opener;
	struct metadata_matcher matcher;
	uint64_t at = 0;
	size_t index;

	CHECK_INT(catalog_count(c), MANY);
	CHECK(said(c, "p0") && said(c, "p3999"));
	for (size_t i = 0; i < MANY; i++)
		CHECK(catalog_record(c, i));
	CHECK_INT(reader_open(c, &reader), 0);
	CHECK_INT(reader_find_id(reader, "codec/png", &index), 1);
	CHECK_INT(reader_find_id(reader, "last/seven", &index), 1);
	CHECK_INT(index, MANY - 1);
	CHECK_INT(reader_opener(reader, &at, &opener), 1);
	CHECK(reader_matcher(&opener, 0, &matcher));
	CHECK_INT(matcher.offset, 4);
	CHECK(!memcmp(matcher.bytes, "\x0a\xff", 2));
	CHECK_INT(reader_opener(reader, &at, &opener), 0);
	reader_close(reader);
}

/* What is known of many plugins, and of their old selves, is in files meanwhile. */
TEST(a_large_directory_is_scanned_in_little_memory)
{
	_cleanup_close_ int dirfd = make_directory();

	long before = scan_peak_kib(dirfd, metadata_scan);
	make_many();
	long first = scan_peak_kib(dirfd, metadata_scan) - before;
	long again = scan_peak_kib(dirfd, metadata_scan) - before;
	printf("# %ld KiB, again %ld KiB\n", first, again);
	if (test_seconds(1) == 1 && !getenv("TEST_SLOW")) {
		CHECK(first <= MANY_KIB);
		CHECK(again <= MANY_KIB);
	}
	_cleanup_catalog_ struct catalog *c = scan(dirfd);
	check_many(c);
}

/* Where nothing can be written, all is in memory, and the same. */
TEST(a_large_directory_needs_no_place_for_a_catalog)
{
	_cleanup_close_ int dirfd = make_directory();

	make_many();
	setenv("DLAZY_CACHE_DIR", "/proc/none", 1);
	_cleanup_catalog_ struct catalog *c = scan(dirfd);
	CHECK_INT(catalog_identity(c).ino, 0);
	struct catalog_reader *reader;
	size_t index;
	CHECK_INT(reader_open(c, &reader), 0);
	CHECK_INT(reader_find_id(reader, "last/seven", &index), 1);
	reader_close(reader);
	CHECK(said(c, "p3999"));
}
