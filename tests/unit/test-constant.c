/* SPDX-License-Identifier: MIT */
/*
 * dlazy_read_constant(): bytes of objects that are known without loading, and the
 * objects that are not.
 */
#include "tests/unit/elf-file.h"
#include "tests/unit/opened.h"

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

static struct dlazy_module *described(void)
{
	return opened(test_plugin("good-described"), 0);
}

static void check_kind(struct dlazy_module *m, const char *symbol, int flags,
		       const char *words)
{
	char buffer[64];

	CHECK_INT(dlazy_read_constant(m, symbol, buffer, sizeof(buffer), flags),
		  -DLAZY_EKIND);
	CHECK_IN(dlazy_error(), words);
}

TEST(a_constant_is_read_without_loading)
{
	struct {
		int major, minor;
		char name[8];
	} version;
	char zeros[16], few[4] = "...";
	struct dlazy_module *m = described();

	CHECK_INT(dlazy_read_constant(m, "described_version", &version,
				      sizeof(version), 0),
		  sizeof(version));
	CHECK_INT(version.major, 2);
	CHECK_INT(version.minor, 3);
	CHECK_STR(version.name, "two.3");
	memset(zeros, 'x', sizeof(zeros));
	CHECK_INT(dlazy_read_constant(m, "described_zeros", zeros,
				      sizeof(zeros), 0),
		  16);
	CHECK(!memcmp(zeros, (char[16]){0}, 16));
	CHECK_INT(dlazy_read_constant(m, "described_version", few, 2, 0), 16);
	CHECK(few[0] == 2 && few[2] == '.');
	CHECK_INT(dlazy_read_constant(m, "described_version", NULL, 0, 0), 16);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(test_mapped("good-described"), 0);
}

TEST(what_can_be_written_to_is_read_on_demand)
{
	struct dlazy_module *m = described();
	int value = -1;

	check_kind(m, "described_counter", 0, "can be written to");
	CHECK_INT(dlazy_read_constant(m, "described_counter", &value,
				      sizeof(value), DLAZY_READ_INITIAL),
		  sizeof(value));
	CHECK_INT(value, 7);
	value = -1;
	CHECK_INT(dlazy_read_constant(m, "described_unset", &value,
				      sizeof(value), DLAZY_READ_INITIAL),
		  sizeof(value));
	CHECK_INT(value, 0);
}

TEST(what_is_no_constant_is_told)
{
	struct dlazy_module *m = described();
	struct dlazy_registry *r = dlazy_registry_new();
	struct dlazy_symbol symbol = {"answer", r};
	char c;

	check_kind(m, "described_pointer", 0, "has an address in it");
	check_kind(m, "described_pointer", DLAZY_READ_INITIAL,
		   "has an address");
	check_kind(m, "described_answer", 0, "is of type func");
	check_kind(opened(test_plugin("good-exports"), 0), "exports_tls",
		   DLAZY_READ_INITIAL, "is of type tls");
	CHECK_INT(dlazy_read_constant(m, "nothing", &c, 1, 0), -DLAZY_ENOSYM);
	CHECK_INT(dlazy_read_constant(m, NULL, &c, 1, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_read_constant(m, "described_zeros", NULL, 1, 0),
		  -DLAZY_EINVAL);
	CHECK_INT(dlazy_read_constant(m, "described_zeros", &c, 1, 2),
		  -DLAZY_EINVAL);
	CHECK_INT(dlazy_read_constant(NULL, "x", &c, 1, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_builtin(r, "inside", &symbol, 1), 0);
	check_kind(dlazy_registry_find(r, "inside"), "answer", 0, "built into");
	dlazy_registry_free(r);
}

/* One relocation, in words and bits; it says where by a bit. */
TEST(packed_relocations_are_seen)
{
	struct elf_file file = elf_file_read(test_plugin("good-described"));
	ElfN(Dyn) *table = elf_file_dynamic(&file, DT_RELA);
	const char *path = own_path("packed.so");
	ElfN(Addr) words[2], *to;

	if (!table)
		test_skip("this CPU has no DT_RELA");
	to = elf_file_at(&file, table->d_un.d_ptr);
	/* The pointer is where that text's address is written to. */
	for (words[0] = 0; !words[0]; to += 3)
		if (to[2] && elf_file_at(&file, to[2]) &&
		    !strcmp(elf_file_at(&file, to[2]), "relocated"))
			words[0] = to[0] - sizeof(*to);
	words[1] = 3;
	memcpy(elf_file_at(&file, table->d_un.d_ptr), words, sizeof(words));
	table->d_tag = DT_RELR;
	elf_file_dynamic(&file, DT_RELASZ)->d_tag = DT_RELRSZ;
	elf_file_dynamic(&file, DT_RELRSZ)->d_un.d_val = sizeof(words);
	elf_file_write(&file, path);
	check_kind(opened(path, 0), "described_pointer", 0, "has an address");
	free(file.data);
}

TEST(the_version_is_one)
{
	char text[32];

	snprintf(text, sizeof(text), "%d.%d.%d", DLAZY_VERSION / 10000,
		 DLAZY_VERSION / 100 % 100, DLAZY_VERSION % 100);
	CHECK_STR(text, PACKAGE_VERSION);
	CHECK_STR(dlazy_version(), PACKAGE_VERSION);
}
