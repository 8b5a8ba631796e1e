/* SPDX-License-Identifier: MIT */
/* Records: what they say of a file, and what they say when damaged. */
#include "tests/test.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/format.h"
#include "catalog/record.h"
#include "elf/view.h"
#include "tests/unit/elf-file.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <math.h>

static struct record *read_record(const char *path)
{
	struct record *r;

	if (record_read(AT_FDCWD, path, &r) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	CHECK(record_check(r, record_size(r)) == r);
	return r;
}

static const char *in_directory(const char *name)
{
	static char paths[4][4096];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_directory(), name);
	return path;
}

static const char *write_file(const char *name, const void *bytes, size_t size)
{
	const char *path = in_directory(name);
	FILE *out = fopen(path, "we");

	CHECK(out && fwrite(bytes, 1, size, out) == size && !fclose(out));
	return path;
}

/* A library of the system with symbol versions. */
static const char *libm_path(void)
{
	Dl_info info;

	if (!dladdr(dlsym(RTLD_DEFAULT, "exp"), &info) &&
	    !dladdr((void *)fmod, &info))
		test_skip("libm's file is not known");
	return info.dli_fname;
}

TEST(record_says_what_the_file_is)
{
	_cleanup_free_ struct record *r =
		read_record(test_plugin("good-exports"));
	struct file_identity identity, of = record_identity(r);

	CHECK_STR(record_name(r), "good-exports");
	CHECK_STR(record_file(r), "good-exports.so");
	CHECK_INT(record_status(r), 0);
	CHECK_STR(record_message(r), "");
	CHECK_STR(record_soname(r), "");
	CHECK(record_flags(r) & ELF_TLS);
	CHECK(record_needs_count(r) >= 1);
	CHECK_IN(record_need(r, record_needs_count(r) - 1), "libc");
	CHECK_STR(record_need(r, 1000), "");
	CHECK_INT(
		file_identify(AT_FDCWD, test_plugin("good-exports"), &identity),
		0);
	CHECK(file_identity_equal(&identity, &of));
}

TEST(exports_have_their_kinds)
{
	_cleanup_free_ struct record *r =
		read_record(test_plugin("good-exports"));
	struct record_symbol s;

	CHECK(record_find(r, "exports_add", NULL, &s));
	CHECK_INT(s.type, ELF_TYPE_FUNC);
	CHECK_INT(s.binding, ELF_BINDING_GLOBAL);
	CHECK(s.value != 0 && s.is_default && !s.variant);
	CHECK_STR(s.version, "");
	CHECK(record_find(r, "exports_weak", NULL, &s));
	CHECK_INT(s.binding, ELF_BINDING_WEAK);
	CHECK(record_find(r, "exports_data", NULL, &s));
	CHECK_INT(s.type, ELF_TYPE_OBJECT);
	CHECK_INT(s.size, sizeof(int));
	CHECK(record_find(r, "exports_tls", NULL, &s));
	CHECK_INT(s.type, ELF_TYPE_TLS);
	CHECK(record_find(r, "exports_chosen", NULL, &s));
	CHECK_INT(s.type, ELF_TYPE_IFUNC);
}

TEST(hidden_static_and_imported_symbols_are_no_exports)
{
	_cleanup_free_ struct record *r =
		read_record(test_plugin("good-exports"));
	struct record_symbol s;

	CHECK(!record_find(r, "exports_hidden", NULL, &s));
	CHECK(!record_find(r, "chosen", NULL, &s));
	CHECK(!record_find(r, "atoi", NULL, &s));
	CHECK(!record_find(r, "", NULL, &s));
	CHECK(!record_find(r, "exports_add", "NO_SUCH", &s));
}

TEST(dlopen_notes_are_kept_as_they_stand)
{
	_cleanup_free_ struct record *r =
		read_record(test_plugin("good-exports"));

	CHECK_INT(record_dlopen_note_count(r), 1);
	CHECK_STR(record_dlopen_note(r, 0), "[{\"soname\":[\"libz.so.1\"]}]");
	CHECK_STR(record_dlopen_note(r, 1), "");
}

TEST(exports_are_sorted_and_each_is_found)
{
	_cleanup_free_ struct record *r = read_record(libm_path());
	struct record_symbol before, s, found;
	size_t n = record_symbol_count(r);

	CHECK(n > 100);
	for (size_t i = 0; i < n; i++) {
		CHECK(record_symbol_at(r, i, &s));
		CHECK(i == 0 || strcmp(before.name, s.name) <= 0);
		CHECK(record_find(r, s.name, s.version, &found));
		CHECK_INT(found.value, s.value);
		CHECK_INT(found.type, s.type);
		before = s;
	}
	CHECK(!record_symbol_at(r, n, &s));
}

TEST(plain_lookups_get_the_default_version)
{
	_cleanup_free_ struct record *r = read_record(libm_path());
	struct record_symbol all, plain;
	bool seen = false;

	for (size_t i = 0; record_symbol_at(r, i, &all); i++) {
		if (all.is_default || !record_find(r, all.name, NULL, &plain))
			continue;
		CHECK(plain.is_default && strcmp(plain.version, all.version));
		seen = true;
	}
	if (!seen)
		test_skip("libm has one version of each symbol");
}

TEST(record_agrees_with_the_dynamic_linker)
{
	_cleanup_free_ struct record *r = read_record(libm_path());
	void *libm = dlopen(libm_path(), RTLD_NOW);
	struct record_symbol s;
	Dl_info info;

	CHECK(libm && dladdr(dlsym(libm, "fmod"), &info));
	for (size_t i = 0; record_symbol_at(r, i, &s); i++) {
		if (s.type != ELF_TYPE_FUNC || !s.is_default)
			continue;
		CHECK(dlsym(libm, s.name) == (char *)info.dli_fbase + s.value);
	}
	dlclose(libm);
}

TEST(text_gives_a_record_that_says_so)
{
	const char *path = write_file("text.so", "hello\n", 6);
	_cleanup_free_ struct record *r = read_record(path);

	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
	CHECK_STR(record_message(r), "text.so: not an ELF file");
	CHECK_STR(record_name(r), "text");
	CHECK_INT(record_symbol_count(r), 0);
	CHECK_STR(record_machine(r), "");
}

TEST(empty_file_gives_a_record_that_says_so)
{
	_cleanup_free_ struct record *r =
		read_record(write_file("empty.so", "", 0));

	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
	CHECK_IN(record_message(r), "empty.so");
}

TEST(plugin_of_another_machine_is_named)
{
	uint8_t header[64] = {0x7f, 'E', 'L', 'F', sizeof(void *) / 4, 1, 1};
	uint16_t type = 3, machine = 0xf3; /* ET_DYN, EM_RISCV */

	memcpy(header + 16, &type, 2);
	memcpy(header + 18, &machine, 2);
	_cleanup_free_ struct record *r =
		read_record(write_file("riscv.so", header, sizeof(header)));
	CHECK_INT(record_status(r), -DLAZY_EMACHINE);
	CHECK_IN(record_message(r), "riscv.so");
	CHECK(record_machine(r)[0] != '\0');
}

TEST(truncated_plugin_gives_a_record_that_says_so)
{
	const char *path = in_directory("short.so");

	test_copy(test_plugin("good-exports"), path);
	CHECK_INT(truncate(path, 600), 0);
	_cleanup_free_ struct record *r = read_record(path);
	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
}

/* Each symbol's name is the end of one string of `length` letters. */
static struct elf_file overlapping_names(unsigned count, unsigned length)
{
	const unsigned dynamic = 0x200, symbols = 0x400;
	const unsigned strings = symbols + (count + 1) * sizeof(ElfN(Sym));
	struct elf_file file = {.size = strings + length};
	const ElfN(Dyn) table[] = {
		{.d_tag = DT_SYMTAB, .d_un.d_val = symbols},
		{.d_tag = DT_STRTAB, .d_un.d_val = strings},
		{.d_tag = DT_STRSZ, .d_un.d_val = length},
	};

	file.data = calloc(1, file.size);
	CHECK(file.data);
	ElfN(Ehdr) *header = elf_file_header(&file);
	ElfN(Phdr) *segments = (void *)(header + 1);
	struct elf_file good = elf_file_read(test_plugin("good-plain"));
	*header = *elf_file_header(&good);
	free(good.data);
	header->e_phoff = sizeof(*header);
	header->e_phnum = 2;
	header->e_shnum = 0;
	segments[0] = (ElfN(Phdr)){.p_type = PT_LOAD, .p_filesz = file.size};
	segments[1] = (ElfN(Phdr)){.p_type = PT_DYNAMIC,
				   .p_offset = dynamic,
				   .p_filesz = sizeof(table)};
	memcpy(file.data + dynamic, table, sizeof(table));
	memset(file.data + strings + 1, 'a', length - 2);
	for (unsigned i = 1; i <= count; i++)
		((ElfN(Sym) *)(file.data + symbols))[i] = (ElfN(Sym)){
			.st_name = i,
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			.st_shndx = 1,
			.st_value = 0x1000,
		};
	return file;
}

TEST(small_file_with_endless_names_gives_a_small_record_that_says_so)
{
	struct elf_file file = overlapping_names(2000, 1000000);
	const char *path = in_directory("names.so");

	elf_file_write(&file, path);
	free(file.data);
	_cleanup_free_ struct record *r = read_record(path);
	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
	CHECK_IN(record_message(r), "names");
	CHECK(record_size(r) < 4096);
}

TEST(sparse_file_with_endless_names_is_refused)
{
	struct elf_file file = overlapping_names(500, 1000000);
	const char *path = in_directory("sparse.so");

	elf_file_write(&file, path);
	free(file.data);
	CHECK_INT(truncate(path, 1 << 30), 0);
	_cleanup_free_ struct record *r = read_record(path);
	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
}

TEST(names_may_share_their_ends)
{
	struct elf_file file = overlapping_names(20, 1000);
	const char *path = in_directory("ends.so");

	elf_file_write(&file, path);
	free(file.data);
	_cleanup_free_ struct record *r = read_record(path);
	CHECK_INT(record_status(r), 0);
	CHECK_INT(record_symbol_count(r), 20);
}

TEST(absent_file_gives_no_record)
{
	struct record *r;

	CHECK_INT(record_read(AT_FDCWD, "/nowhere/a.so", &r), -DLAZY_ENOENT);
	CHECK_IN(status_message(), "/nowhere/a.so");
}

TEST(directory_gives_a_record_that_says_so)
{
	struct record *r;

	CHECK_INT(mkdir(in_directory("dir.so"), 0700), 0);
	CHECK_INT(record_read(AT_FDCWD, in_directory("dir.so"), &r), 0);
	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
	CHECK_IN(record_message(r), "not a regular file");
	free(r);
}

TEST(plugin_name_ends_at_so)
{
	static const char *const cases[][2] = {
		{"/usr/lib/frei0r-1/blur.so", "blur"},
		{"libz.so.1.2.13", "libz"},
		{"a.sox.so", "a.sox"},
		{"a.so.so", "a"},
		{"plain", "plain"},
		{"x.solid", "x.solid"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *name = record_plugin_name(cases[i][0]);
		CHECK_STR(name, cases[i][1]);
	}
}

static bool is_current(const struct record *r, const char *path)
{
	struct file_identity now;
	_cleanup_close_ int fd =
		open(test_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(file_identify(AT_FDCWD, path, &now), 0);
	return record_is_current(r, fd, &now);
}

/* What is written again within a tick of the clock can have the same times. */
TEST(record_of_a_file_that_was_just_written_is_never_current)
{
	const char *path = in_directory("a.so");

	for (int tries = 0; tries < 20; tries++) {
		test_copy(test_plugin("good-plain"), path);
		_cleanup_free_ struct record *r = read_record(path);
		struct file_identity identity = record_identity(r);
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		uint64_t ns = (uint64_t)now.tv_sec * 1000000000u +
			      (uint64_t)now.tv_nsec;
		if (ns - identity.ctime_ns > 15000000)
			continue; /* a slow machine */
		usleep(30000);
		CHECK(!is_current(r, path));
		return;
	}
	test_skip("this machine is too slow");
}

TEST(record_goes_with_its_file_to_another_device_number)
{
	const char *path = in_directory("a.so");
	_cleanup_close_ int fd =
		open(test_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct file_identity now;

	test_copy(test_plugin("good-plain"), path);
	usleep(30000);
	_cleanup_free_ struct record *r = read_record(path);
	CHECK_INT(file_identify(AT_FDCWD, path, &now), 0);
	now.dev++;
	CHECK(!record_is_current(r, fd, &now));
	_cleanup_free_ struct record *moved = record_moved(r, fd, &now);
	CHECK(moved && record_check(moved, record_size(moved)) == moved);
	CHECK(record_is_current(moved, fd, &now));
	/* The same numbers, but another content. */
	test_copy(test_plugin("good-exports"), path);
	CHECK(!record_moved(r, fd, &now));
	now.ino++;
	CHECK(!record_moved(r, fd, &now));
}

TEST(record_is_current_until_the_file_changes)
{
	const char *path = in_directory("a.so");

	test_copy(test_plugin("good-plain"), path);
	usleep(30000);
	_cleanup_free_ struct record *r = read_record(path);
	CHECK(is_current(r, path));
	test_copy(test_plugin("good-plain"), path);
	CHECK(!is_current(r, path));
}

static struct record *read_portable(const char *path)
{
	struct record *r;

	CHECK_INT(record_read_portable(AT_FDCWD, path, &r), 0);
	CHECK(record_check(r, record_size(r)) == r);
	return r;
}

TEST(portable_records_of_equal_files_are_equal)
{
	test_copy(test_plugin("good-exports"), in_directory("a.so"));
	_cleanup_free_ struct record *a = read_portable(in_directory("a.so"));
	usleep(20000);
	test_copy(test_plugin("good-exports"), in_directory("b.so"));
	CHECK_INT(rename(in_directory("b.so"), in_directory("a.so")), 0);
	_cleanup_free_ struct record *b = read_portable(in_directory("a.so"));
	CHECK_INT(record_size(a), record_size(b));
	CHECK(memcmp(a, b, record_size(a)) == 0);
	CHECK(is_current(a, in_directory("a.so")));
	CHECK_INT(record_identity(a).ino, 0);
	CHECK_INT(record_identity(a).ctime_ns, 0);
}

static void flip_byte(const char *path, long at)
{
	FILE *f = fopen(path, "r+e");

	CHECK(f && !fseek(f, at, SEEK_SET));
	int c = fgetc(f);
	CHECK(!fseek(f, at, SEEK_SET) && fputc(c ^ 1, f) != EOF && !fclose(f));
}

TEST(portable_record_knows_another_build_of_the_same_size)
{
	const char *path = in_directory("a.so");
	size_t size;

	test_copy(test_plugin("good-exports"), path);
	_cleanup_free_ struct record *r = read_portable(path);
	if (!record_build_id(r, &size) || size == 0)
		test_skip("the compiler sets no build-id");
	CHECK(r->build_id_at != 0);
	flip_byte(path, r->build_id_at);
	CHECK(!is_current(r, path));
}

TEST(build_id_outside_the_record_knows_no_file)
{
	const char *path = in_directory("a.so");

	test_copy(test_plugin("good-exports"), path);
	_cleanup_free_ struct record *r = read_portable(path);
	r->build_id = (struct record_array){.offset = r->size, .count = 20};
	CHECK(!is_current(r, path));
}

/* The bytes of a plugin without its build-id: the note's name is another. */
static const char *plugin_without_build_id(void)
{
	const char *path = in_directory("anonymous.so");

	test_copy(test_plugin("good-exports"), path);
	_cleanup_free_ struct record *r = read_portable(path);
	if (r->build_id_at)
		flip_byte(path, r->build_id_at - 4);
	return path;
}

TEST(without_build_id_all_bytes_count)
{
	const char *path = plugin_without_build_id();
	_cleanup_free_ struct record *r = read_portable(path);
	size_t size;

	record_build_id(r, &size);
	CHECK_INT(record_status(r), 0);
	CHECK_INT(size, 0);
	CHECK(is_current(r, path));
	flip_byte(path, (long)record_identity(r).size - 1);
	CHECK(!is_current(r, path));
}

TEST(portable_record_of_text_is_current_until_the_text_changes)
{
	const char *path = write_file("text.so", "hello\n", 6);
	_cleanup_free_ struct record *r = read_portable(path);

	CHECK_INT(record_status(r), -DLAZY_EFORMAT);
	CHECK(is_current(r, path));
	write_file("text.so", "hallo\n", 6);
	CHECK(!is_current(r, path));
}

TEST(damage_is_noticed)
{
	_cleanup_free_ struct record *r =
		read_record(test_plugin("good-exports"));
	size_t size = record_size(r);
	uint8_t *bytes = (uint8_t *)r;

	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 0x10;
		CHECK(!record_check(bytes, size));
		bytes[i] ^= 0x10;
	}
	for (size_t n = 0; n < size; n++)
		CHECK(!record_check(bytes, n));
	CHECK(record_check(bytes, size) == r);
}

/* Reads everything; what matters is that nothing outside the block is. */
static size_t read_everything(const struct record *r)
{
	struct record_symbol s;
	size_t n = strlen(record_name(r)) + strlen(record_file(r)) +
		   strlen(record_soname(r)) + strlen(record_rpath(r)) +
		   strlen(record_runpath(r)) + strlen(record_machine(r)) +
		   strlen(record_message(r)),
	       size;
	const uint8_t *id = record_build_id(r, &size);

	for (size_t i = 0; i < size; i++)
		n += id[i];
	for (size_t i = 0; i < record_needs_count(r); i++)
		n += strlen(record_need(r, i));
	for (size_t i = 0; i < record_dlopen_note_count(r); i++)
		n += strlen(record_dlopen_note(r, i));
	for (size_t i = 0; record_symbol_at(r, i, &s); i++)
		n += strlen(s.name) + strlen(s.version);
	n += record_find(r, "exports_add", NULL, &s);
	return n;
}

TEST(accessors_stay_in_the_block_whatever_it_says)
{
	_cleanup_free_ struct record *r =
		read_record(test_plugin("good-exports"));
	size_t size = record_size(r);
	_cleanup_free_ uint8_t *bytes = malloc(size);

	srand(1);
	for (int round = 0; round < 5000; round++) {
		memcpy(bytes, r, size);
		for (int i = 0; i < 4; i++)
			bytes[16 + (size_t)rand() % (size - 17)] =
				(uint8_t)rand();
		struct record *damaged = (struct record *)bytes;
		damaged->checksum = hash_bytes(&damaged->size, size - 8);
		const struct record *checked = record_check(bytes, size);
		if (checked)
			read_everything(checked);
	}
}
