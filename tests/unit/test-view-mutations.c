/* SPDX-License-Identifier: MIT */
/*
 * The fuzz target on a fixed sequence of damaged files: the same in every run,
 * so that a failure can be seen again. Most of the damage is done where the
 * reader looks. Means most under ASan and UBSan. All in one thread:
 * ThreadSanitizer, with which it needs ten times as long, could find nothing.
 */
#include "tests/unit/elf-file.h"

#include <link.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state;

/* xorshift64*: https://doi.org/10.1145/2845077 */
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static size_t below(size_t n)
{
	return n ? (size_t)(next_random() % n) : 0;
}

/* A place in one of the tables that are read, or anywhere. */
static size_t pick_place(const struct elf_file *good)
{
	const int64_t tags[] = {DT_SYMTAB,  DT_STRTAB, DT_GNU_HASH,
				DT_HASH,    DT_VERSYM, DT_VERDEF,
				DT_VERNEED, DT_RELA,   DT_JMPREL};
	const ElfN(Phdr) *dynamic = elf_file_segment(good, PT_DYNAMIC);
	const ElfN(Phdr) *note = elf_file_segment(good, PT_NOTE);
	size_t choice = below(14);

	if (choice == 0)
		return below(good->size);
	if (choice == 1)
		return below(sizeof(ElfN(Ehdr)));
	if (choice == 2)
		return sizeof(ElfN(Ehdr)) +
		       below(elf_file_header(good)->e_phnum *
			     sizeof(ElfN(Phdr)));
	if (choice == 3 && note)
		return note->p_offset + below(note->p_filesz);
	if (choice <= 4)
		return dynamic->p_offset + below(dynamic->p_filesz);
	const ElfN(Dyn) *entry = elf_file_dynamic(good, tags[choice - 5]);
	if (!entry)
		return below(good->size);
	const uint8_t *table = elf_file_at(good, entry->d_un.d_ptr);
	return (size_t)(table - good->data) + below(256);
}

static void damage(uint8_t *at, size_t room)
{
	static const uint64_t values[] = {
		0,	    1,		0x7fff,	    0xffff,    0x7fffffff,
		0x80000000, 0xffffffff, UINT64_MAX, INT64_MAX, 0x1000};
	uint64_t value = values[below(sizeof(values) / sizeof(values[0]))];
	size_t width = (size_t)1 << below(4);

	if (below(3) == 0)
		value = next_random();
	if (below(3) == 0)
		*at ^= (uint8_t)(1 << below(8));
	else
		memcpy(at, &value, width < room ? width : room);
}

/* The target reads the file from its start: what it needs is there. */
static void mutate(const struct elf_file *good, unsigned times)
{
	uint8_t *copy = malloc(good->size);

	CHECK(copy);
	times = test_rounds(times);
	for (unsigned i = 0; i < times; i++) {
		size_t size = good->size;

		memcpy(copy, good->data, size);
		for (size_t n = 1 + below(4); n > 0; n--) {
			size_t at = pick_place(good);
			if (at < size)
				damage(copy + at, size - at);
		}
		if (below(16) == 0)
			size = below(size);
		LLVMFuzzerTestOneInput(copy, size);
	}
	free(copy);
}

static void mutate_plugin(const char *path, uint64_t seed, unsigned times)
{
	struct elf_file good = elf_file_read(path);

	random_state = seed;
	mutate(&good, times);
	free(good.data);
}

static void skip_under_thread_sanitizer(void)
{
#ifdef __SANITIZE_THREAD__
	test_skip("there is but one thread");
#endif
}

TEST_SECONDS(damaged_plugins_are_survived, 120)
{
	skip_under_thread_sanitizer();
	mutate_plugin(test_plugin("good-exports"), 1, 30000);
	mutate_plugin(test_plugin("good-versions"), 2, 30000);
}

static int find_libc(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/libc.so"))
		return 0;
	snprintf(data, 4096, "%s", info->dlpi_name);
	return 1;
}

/* A large one, with every kind of symbol and version. */
TEST_SECONDS(a_damaged_libc_is_survived, 180)
{
	char path[4096] = "";

	skip_under_thread_sanitizer();
	if (!dl_iterate_phdr(find_libc, path))
		test_skip("the file of libc is not known");
	mutate_plugin(path, 3, 2500);
}
