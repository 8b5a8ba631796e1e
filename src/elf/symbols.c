/* SPDX-License-Identifier: MIT */
/*
 * Reading the symbol table. Nothing in the dynamic section says how many
 * symbols there are. DT_HASH does. DT_GNU_HASH tells the last exported symbol,
 * which by its rules is the last of all. Failing both, a section header tells;
 * failing that, the table is taken to end where the next one begins (link
 * editors put the strings, or the versions, right behind it).
 *
 * Which symbols are exports, and which of several of one name is found,
 * follows glibc's do_lookup_x() and check_match() (elf/dl-lookup.c).
 */
#include "elf/symbols.h"

#include "base/status.h"
#include "elf/machine.h"
#include "elf/view.h"

#include <stdlib.h>
#include <string.h>

static int count_by_section(const struct image *image, uint64_t address,
			    size_t *ret)
{
	ElfN(Shdr) * sections;
	size_t n;
	int r = image_sections(image, &sections, &n);

	for (size_t i = 0; i < n; i++)
		if (sections[i].sh_type == SHT_DYNSYM &&
		    sections[i].sh_addr == address)
			*ret = sections[i].sh_size / sizeof(ElfN(Sym));
	free(sections);
	return r;
}

static int count_symbols(const struct symbols *symbols,
			 const struct image *image, uint64_t address,
			 size_t most, size_t *ret)
{
	size_t count = symbols->sysv.words ? symbols->sysv.chain_count : 0;
	int r = 0;

	if (count == 0 && symbols->gnu.words)
		count = gnu_hash_count(&symbols->gnu);
	if (count == 0)
		r = count_by_section(image, address, &count);
	*ret = count > 0 && count <= most ? count : most;
	return r;
}

int symbols_read(struct symbols *symbols, const struct image *image,
		 const struct strings *strings)
{
	uint64_t address, entry = sizeof(ElfN(Sym));

	symbols->strings = strings;
	if (!image_dynamic(image, DT_SYMTAB, &address))
		return 0;
	image_dynamic(image, DT_SYMENT, &entry);
	size_t most = image_room(image, address) / sizeof(ElfN(Sym));
	if (most == 0 || entry != sizeof(ElfN(Sym)))
		return image_damaged(image, "the symbol table");
	int r = gnu_hash_read(&symbols->gnu, image, most);
	if (r == 0)
		r = sysv_hash_read(&symbols->sysv, image, most);
	size_t count = 0;
	if (r == 0)
		r = count_symbols(symbols, image, address, most, &count);
	if (r < 0)
		return r;
	r = image_read_address(image, "the symbol table", address,
			       (uint64_t)count * sizeof(ElfN(Sym)),
			       (void **)&symbols->table);
	if (r < 0)
		return r;
	symbols->count = count;
	return versions_read(&symbols->versions, image, strings, count);
}

void symbols_clear(struct symbols *symbols)
{
	free(symbols->table);
	free(symbols->gnu.words);
	free(symbols->sysv.words);
	versions_clear(&symbols->versions);
}

static enum elf_type type_of(unsigned type)
{
	switch (type) {
	case STT_NOTYPE:
		return ELF_TYPE_NOTYPE;
	case STT_OBJECT:
		return ELF_TYPE_OBJECT;
	case STT_FUNC:
		return ELF_TYPE_FUNC;
	case STT_GNU_IFUNC:
		return ELF_TYPE_IFUNC;
	case STT_TLS:
		return ELF_TYPE_TLS;
	default:
		return ELF_TYPE_OTHER;
	}
}

static enum elf_binding binding_of(unsigned binding)
{
	switch (binding) {
	case STB_LOCAL:
		return ELF_BINDING_LOCAL;
	case STB_GLOBAL:
		return ELF_BINDING_GLOBAL;
	case STB_WEAK:
		return ELF_BINDING_WEAK;
	case STB_GNU_UNIQUE:
		return ELF_BINDING_UNIQUE;
	default:
		return ELF_BINDING_OTHER;
	}
}

/* Would a lookup that comes to this entry take it? */
static bool is_export(const ElfN(Sym) * symbol)
{
	unsigned type = NATIVE_ST_TYPE(symbol->st_info);
	unsigned visibility = NATIVE_ST_VISIBILITY(symbol->st_other);

	if (symbol->st_shndx == SHN_UNDEF || visibility == STV_HIDDEN ||
	    visibility == STV_INTERNAL)
		return false;
	if (type_of(type) == ELF_TYPE_OTHER && type != STT_COMMON)
		return false;
	/* ld.so takes an address of 0 for "not here". */
	if (symbol->st_value == 0 && symbol->st_shndx != SHN_ABS &&
	    type != STT_TLS)
		return false;
	switch (binding_of(NATIVE_ST_BIND(symbol->st_info))) {
	case ELF_BINDING_GLOBAL:
	case ELF_BINDING_WEAK:
	case ELF_BINDING_UNIQUE:
		return true;
	default:
		return false;
	}
}

static bool is_import(const ElfN(Sym) * symbol)
{
	return symbol->st_shndx == SHN_UNDEF &&
	       NATIVE_ST_BIND(symbol->st_info) != STB_LOCAL;
}

bool symbols_get(const struct symbols *symbols, size_t i,
		 struct elf_symbol *ret)
{
	if (i >= symbols->count)
		return false;
	const ElfN(Sym) *symbol = &symbols->table[i];
	const char *name = strings_at(symbols->strings, symbol->st_name);
	bool defined = is_export(symbol);

	if (!name || (!defined && !is_import(symbol)))
		return false;
	struct version version = versions_of(&symbols->versions, i);
	*ret = (struct elf_symbol){
		.name = name,
		.version = version.name,
		.library = defined ? "" : version.library,
		.value = symbol->st_value,
		.size = symbol->st_size,
		.type = type_of(NATIVE_ST_TYPE(symbol->st_info)),
		.binding = binding_of(NATIVE_ST_BIND(symbol->st_info)),
		.visibility = NATIVE_ST_VISIBILITY(symbol->st_other),
		.other = symbol->st_other,
		.defined = defined,
		.is_default = versions_is_default(&symbols->versions, i),
		.variant = machine_is_variant(symbol->st_other),
	};
	return true;
}

bool symbols_get_import(const struct symbols *symbols, size_t i,
			struct elf_symbol *ret)
{
	return i < symbols->count && is_import(&symbols->table[i]) &&
	       symbols_get(symbols, i, ret);
}

/* One lookup while it goes through the candidates. */
struct lookup {
	const struct symbols *symbols;
	const char *name;
	const char *version;
	size_t found;	  /* 0: nothing yet */
	size_t versioned; /* how many NAME@@VERSION were met */
};

static bool is_named(const struct lookup *lookup, size_t i)
{
	const struct symbols *symbols = lookup->symbols;

	if (i >= symbols->count || !is_export(&symbols->table[i]))
		return false;
	const char *name =
		strings_at(symbols->strings, symbols->table[i].st_name);
	return name && strcmp(name, lookup->name) == 0;
}

/* As dlvsym(): a file without versions has any version. */
static bool match_version(struct lookup *lookup, size_t i)
{
	const struct versions *versions = &lookup->symbols->versions;

	if (versions->of_symbol &&
	    strcmp(versions_of(versions, i).name, lookup->version) != 0)
		return false;
	lookup->found = i;
	return true;
}

/* As dlsym(): NAME is taken at once, NAME@@VERSION if it is the only one. */
static bool match_default(struct lookup *lookup, size_t i)
{
	const struct versions *versions = &lookup->symbols->versions;

	if (versions_is_plain(versions, i)) {
		lookup->found = i;
		lookup->versioned = 1;
		return true;
	}
	if (versions_is_default(versions, i) && lookup->versioned++ == 0)
		lookup->found = i;
	return false;
}

static bool consider(size_t i, void *data)
{
	struct lookup *lookup = data;

	if (!is_named(lookup, i))
		return false;
	return lookup->version ? match_version(lookup, i)
			       : match_default(lookup, i);
}

/* 0: it is not there. */
static size_t find(struct lookup *lookup, uint32_t h)
{
	const struct symbols *symbols = lookup->symbols;

	if (symbols->gnu.words) {
		gnu_hash_search(&symbols->gnu, h, consider, lookup);
	} else if (symbols->sysv.words) {
		sysv_hash_search(&symbols->sysv, lookup->name, consider,
				 lookup);
	} else {
		for (size_t i = 1; i < symbols->count; i++)
			if (consider(i, lookup))
				break;
	}
	return lookup->version || lookup->versioned == 1 ? lookup->found : 0;
}

bool symbols_find(const struct symbols *symbols, const char *name,
		  const char *version, struct elf_symbol *ret)
{
	struct lookup lookup = {
		.symbols = symbols, .name = name, .version = version};
	size_t found = find(&lookup, gnu_hash_of(name));

	return found && symbols_get(symbols, found, ret);
}

bool symbols_define(const struct symbols *symbols, const char *name,
		    const char *version, uint32_t h)
{
	struct lookup lookup = {
		.symbols = symbols, .name = name, .version = version};

	return find(&lookup, h);
}
