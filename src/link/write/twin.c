/* SPDX-License-Identifier: MIT */
/*
 * Writing the twin of a stub: a dynamic section, undefined symbols, and the
 * versions that they ask for. Sources: gABI chapter 5; LSB 5.0, "Symbol
 * Versioning".
 */
#include "link/write/twin.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/hash.h"
#include "link/write/build.h"

#include <elf.h>
#include <string.h>

/* 0 and 1 are of those without a version. */
#define FIRST_VERSION 2
#define VERSIONS_MAX 0x7fff

struct twin {
	struct build build;
	struct build_strings strings;
	const struct twin_symbol *symbols;
	size_t count;
	uint32_t library;	 /* in the strings */
	const char **versions;	 /* each once, from FIRST_VERSION on */
	uint32_t *version_names; /* in the strings */
	size_t version_count;
	struct build_section *hash, *table, *names, *versym, *verneed, *dynamic;
	struct build_section *comment;
};

static void twin_clear(struct twin *t)
{
	build_clear(&t->build);
	build_strings_clear(&t->strings);
	free(t->versions);
	free(t->version_names);
}

/* The index of a version; 1: none. */
static uint16_t version_index(const struct twin *t, const char *version)
{
	for (size_t i = 0; i < t->version_count; i++)
		if (strcmp(t->versions[i], version) == 0)
			return (uint16_t)(FIRST_VERSION + i);
	return VER_NDX_GLOBAL;
}

static int list_versions(struct twin *t)
{
	t->versions = calloc(t->count + 1, sizeof(*t->versions));
	t->version_names = calloc(t->count + 1, sizeof(*t->version_names));
	if (!t->versions || !t->version_names)
		return status_no_memory(NULL);
	for (size_t i = 0; i < t->count; i++) {
		const char *version = t->symbols[i].version;

		if (*version && version_index(t, version) == VER_NDX_GLOBAL)
			t->versions[t->version_count++] = version;
	}
	return t->version_count < VERSIONS_MAX
		       ? 0
		       : status_fail(DLAZY_EFORMAT, "too many versions");
}

static struct build_section *twin_add_section(struct twin *t, const char *name,
					      uint32_t type, enum build_use use,
					      uint64_t count, uint64_t each,
					      uint64_t entry)
{
	struct build_section *s =
		build_section(&t->build, name, use, count * each, 8);

	s->type = type;
	s->entry_size = entry;
	s->link = t->names;
	return s;
}

#define DYNAMIC_MAX 10

/* It goes into packages of others, as stub files do: without a condition. */
static const char comment[] =
	"dlazy stub " PACKAGE_VERSION " SPDX-License-Identifier: MIT-0";

static void add_sections(struct twin *t)
{
	size_t symbols = t->count + 1;

	/* The strings come last, so all links to them are made afterwards. */
	t->hash = twin_add_section(t, ".hash", SHT_HASH, BUILD_CONSTANT,
				   2 + 1 + symbols, sizeof(uint32_t),
				   sizeof(uint32_t));
	t->table =
		twin_add_section(t, ".dynsym", SHT_DYNSYM, BUILD_CONSTANT,
				 symbols, sizeof(Elf64_Sym), sizeof(Elf64_Sym));
	if (t->version_count) {
		t->versym = twin_add_section(
			t, ".gnu.version", SHT_GNU_versym, BUILD_CONSTANT,
			symbols, sizeof(uint16_t), sizeof(uint16_t));
		t->verneed = twin_add_section(
			t, ".gnu.version_r", SHT_GNU_verneed, BUILD_CONSTANT, 1,
			sizeof(Elf64_Verneed) +
				t->version_count * sizeof(Elf64_Vernaux),
			0);
		t->verneed->info = 1;
		t->versym->link = t->table;
	}
	t->names = twin_add_section(t, ".dynstr", SHT_STRTAB, BUILD_CONSTANT,
				    t->strings.size, 1, 0);
	t->dynamic = twin_add_section(t, ".dynamic", SHT_DYNAMIC, BUILD_DATA,
				      DYNAMIC_MAX, sizeof(Elf64_Dyn),
				      sizeof(Elf64_Dyn));
	t->comment = build_section(&t->build, ".comment", BUILD_UNLOADED,
				   sizeof(comment), 1);
	t->comment->entry_size = 1;
	t->comment->strings = true;
	t->hash->link = t->table;
	t->table->link = t->dynamic->link = t->names;
	t->table->info = 1;
	if (t->verneed)
		t->verneed->link = t->names;
}

static void fill_symbols(const struct twin *t, const uint32_t *names)
{
	uint32_t *hash = (uint32_t *)t->hash->data;
	Elf64_Sym *table = (Elf64_Sym *)t->table->data;

	/* One bucket, of nothing: no symbol is defined. */
	hash[0] = 1;
	hash[1] = (uint32_t)t->count + 1;
	for (size_t i = 0; i < t->count; i++) {
		table[i + 1] = (Elf64_Sym){
			.st_name = names[i],
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		};
		if (t->versym)
			((uint16_t *)t->versym->data)[i + 1] =
				version_index(t, t->symbols[i].version);
	}
}

static void fill_versions(const struct twin *t)
{
	Elf64_Verneed *need = (Elf64_Verneed *)t->verneed->data;
	Elf64_Vernaux *each = (Elf64_Vernaux *)(need + 1);

	*need = (Elf64_Verneed){
		.vn_version = VER_NEED_CURRENT,
		.vn_cnt = (uint16_t)t->version_count,
		.vn_file = t->library,
		.vn_aux = sizeof(*need),
	};
	for (size_t i = 0; i < t->version_count; i++)
		each[i] = (Elf64_Vernaux){
			.vna_hash = sysv_hash_of(t->versions[i]),
			.vna_other = (uint16_t)(FIRST_VERSION + i),
			.vna_name = t->version_names[i],
			.vna_next =
				i + 1 < t->version_count ? sizeof(*each) : 0,
		};
}

static void fill_dynamic(const struct twin *t)
{
	Elf64_Dyn *at = (Elf64_Dyn *)t->dynamic->data;

	*at++ = (Elf64_Dyn){DT_NEEDED, {t->library}};
	*at++ = (Elf64_Dyn){DT_HASH, {t->hash->address}};
	*at++ = (Elf64_Dyn){DT_STRTAB, {t->names->address}};
	*at++ = (Elf64_Dyn){DT_SYMTAB, {t->table->address}};
	*at++ = (Elf64_Dyn){DT_STRSZ, {t->names->size}};
	*at++ = (Elf64_Dyn){DT_SYMENT, {sizeof(Elf64_Sym)}};
	if (!t->verneed)
		return;
	*at++ = (Elf64_Dyn){DT_VERSYM, {t->versym->address}};
	*at++ = (Elf64_Dyn){DT_VERNEED, {t->verneed->address}};
	*at++ = (Elf64_Dyn){DT_VERNEEDNUM, {1}};
}

static int write_twin(struct twin *t, const uint32_t *names, uint8_t **ret_data,
		      size_t *ret_size)
{
	add_sections(t);
	int r = build_layout(&t->build);
	if (r < 0)
		return r;
	memcpy(t->names->data, t->strings.data, t->strings.size);
	memcpy(t->comment->data, comment, sizeof(comment));
	fill_symbols(t, names);
	if (t->verneed)
		fill_versions(t);
	fill_dynamic(t);
	return build_finish(&t->build, ret_data, ret_size);
}

int twin_write(enum elf_cpu cpu, const char *library,
	       const struct twin_symbol *symbols, size_t count,
	       uint8_t **ret_data, size_t *ret_size)
{
	_cleanup_(twin_clear) struct twin t = {.symbols = symbols,
					       .count = count};
	_cleanup_free_ uint32_t *names = calloc(count + 1, sizeof(*names));
	int r = names ? build_start(&t.build, cpu, false, 0)
		      : status_no_memory(NULL);

	if (r == 0)
		r = list_versions(&t);
	if (r < 0)
		return r;
	t.library = build_string(&t.strings, library);
	for (size_t i = 0; i < count; i++)
		names[i] = build_string(&t.strings, symbols[i].name);
	for (size_t i = 0; i < t.version_count; i++)
		t.version_names[i] = build_string(&t.strings, t.versions[i]);
	if (t.strings.failed)
		return status_no_memory(NULL);
	return write_twin(&t, names, ret_data, ret_size);
}
