/* SPDX-License-Identifier: MIT */
/*
 * Writing the dynamic section and its tables. The symbols of .gnu.hash are
 * sorted by bucket; within a bucket they keep the order in which they were
 * given, as a look-up finds the first of two that match.
 *
 * Sources: gABI chapter 5; "ELF Symbol Versioning"; for DT_GNU_HASH what
 * glibc's do_lookup_x() does with it.
 */
#include "link/write/dynamic.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/hash.h"

#include <elf.h>
#include <string.h>

#define VERSION_INDEX_MAX 0x7ffeu

void build_dynamic_clear(struct build_dynamic *d)
{
	build_strings_clear(&d->strings);
	free(d->exports);
	free(d->imports);
	free(d->relocated);
	free(d->versions);
	map_clear(&d->version_map);
	free(d->needed);
	memset(d, 0, sizeof(*d));
}

void build_dynamic_soname(struct build_dynamic *d, const char *soname)
{
	d->soname = build_string(&d->strings, soname);
}

void build_dynamic_needed(struct build_dynamic *d, const char *name)
{
	if (!array_reserve(&d->needed, d->needed_count, &d->needed_room,
			   sizeof(*d->needed)))
		d->failed = true;
	else
		d->needed[d->needed_count++] = build_string(&d->strings, name);
}

void build_dynamic_init_first(struct build_dynamic *d, uint64_t offset)
{
	d->has_init = true;
	d->init = offset;
	d->flags_1 |= DF_1_INITFIRST;
}

size_t build_dynamic_refer(struct build_dynamic *d, const char *name)
{
	if (!array_reserve(&d->imports, d->import_count, &d->import_room,
			   sizeof(*d->imports))) {
		d->failed = true;
		return 0;
	}
	d->imports[d->import_count] = build_string(&d->strings, name);
	return d->import_count++;
}

size_t build_dynamic_import(struct build_dynamic *d, const char *name)
{
	d->pointer_count++;
	return build_dynamic_refer(d, name);
}

void build_dynamic_relocate(struct build_dynamic *d,
			    struct build_relocation relocation)
{
	if (!array_reserve(&d->relocated, d->relocated_count,
			   &d->relocated_room, sizeof(*d->relocated)))
		d->failed = true;
	else
		d->relocated[d->relocated_count++] = relocation;
}

void build_dynamic_place(struct build_dynamic *d, size_t i,
			 struct build_relocation relocation)
{
	d->relocated[i] = relocation;
}

static const char *string_at(const struct build_dynamic *d, uint32_t offset)
{
	return d->strings.data + offset;
}

/* The number of a version that was met before, from 1; else 0, and the key
 * under which to remember it. */
static size_t find_version(const struct build_dynamic *d, const char *version,
			   uint64_t *ret_key)
{
	uint64_t key = hash_string(version);
	size_t number;

	/* Another version of the same hash has the next key. */
	for (; (number = (uintptr_t)map_get(&d->version_map, key)); key++)
		if (strcmp(string_at(d, d->versions[number - 1].name),
			   version) == 0)
			break;
	*ret_key = key;
	return number;
}

uint16_t build_dynamic_version(struct build_dynamic *d, const char *version)
{
	uint64_t key;

	if (!*version || d->failed || d->strings.failed)
		return BUILD_VERSION_PLAIN;
	size_t number = find_version(d, version, &key);
	if (number)
		return (uint16_t)(number + BUILD_VERSION_PLAIN);
	if (d->version_count + BUILD_VERSION_PLAIN >= VERSION_INDEX_MAX)
		return 0;
	if (!array_reserve(&d->versions, d->version_count, &d->version_room,
			   sizeof(*d->versions)) ||
	    !map_put(&d->version_map, key, (void *)(d->version_count + 1))) {
		d->failed = true;
		return BUILD_VERSION_PLAIN;
	}
	d->versions[d->version_count++] = (struct build_version){
		build_string(&d->strings, version), sysv_hash_of(version)};
	return (uint16_t)(d->version_count + BUILD_VERSION_PLAIN);
}

void build_dynamic_export(struct build_dynamic *d, const char *name,
			  struct build_export export)
{
	if (!array_reserve(&d->exports, d->export_count, &d->export_room,
			   sizeof(*d->exports))) {
		d->failed = true;
		return;
	}
	export.name = build_string(&d->strings, name);
	export.hash = gnu_hash_of(name);
	d->exports[d->export_count++] = export;
}

/* Sections. */

/* The null symbol and the imports come before what is exported. */
static size_t first_export(const struct build_dynamic *d)
{
	return 1 + d->import_count;
}

/* Two symbols to a bucket: a lookup that comes this far ends soon. */
static size_t bucket_count(const struct build_dynamic *d)
{
	return d->export_count / 2 | 1;
}

/* A power of two of words, 8 to 16 bits for each symbol, as link editors do:
 * nearly every name that is not here is turned away by one word. */
static size_t bloom_count(const struct build_dynamic *d)
{
	size_t words = 1;

	while (words * 64 < d->export_count * 8)
		words *= 2;
	return words;
}

static struct build_section *add_table(struct build *b, const char *name,
				       uint32_t type, uint64_t count,
				       uint64_t each, uint64_t alignment)
{
	struct build_section *s =
		build_section(b, name, BUILD_CONSTANT, count * each, alignment);

	s->type = type;
	s->entry_size = each > 1 ? each : 0;
	return s;
}

static bool has_indirect(const struct build_dynamic *d)
{
	for (size_t i = 0; i < d->export_count; i++)
		if (d->exports[i].indirect)
			return true;
	return false;
}

static void add_versions(struct build_dynamic *d, struct build *b)
{
	if (d->version_count == 0)
		return;
	d->versym = add_table(b, ".gnu.version", SHT_GNU_versym,
			      first_export(d) + d->export_count,
			      sizeof(Elf64_Half), 2);
	d->versym->link = d->symbols;
	d->verdef = add_table(b, ".gnu.version_d", SHT_GNU_verdef,
			      d->version_count + 1,
			      sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux), 8);
	d->verdef->entry_size = 0;
	d->verdef->link = d->names;
	d->verdef->info = (uint32_t)d->version_count + 1;
}

void build_dynamic_tables(struct build_dynamic *d, struct build *b)
{
	uint64_t hash_size =
		4 * sizeof(uint32_t) + bloom_count(d) * sizeof(uint64_t) +
		(bucket_count(d) + d->export_count) * sizeof(uint32_t);

	b->gnu |= has_indirect(d);
	d->hashes = add_table(b, ".gnu.hash", SHT_GNU_HASH, hash_size, 1, 8);
	d->symbols = add_table(b, ".dynsym", SHT_DYNSYM,
			       first_export(d) + d->export_count,
			       sizeof(Elf64_Sym), 8);
	d->names = add_table(b, ".dynstr", SHT_STRTAB, d->strings.size, 1, 1);
	d->hashes->link = d->symbols;
	d->symbols->link = d->names;
	d->symbols->info = 1;
	add_versions(d, b);
	d->relocations = add_table(b, ".rela.dyn", SHT_RELA,
				   d->relocated_count + d->pointer_count,
				   sizeof(Elf64_Rela), 8);
	d->relocations->link = d->symbols;
}

/* The dynamic section: once counted, once written. */

struct dynamic_writer {
	Elf64_Dyn *entries; /* NULL: count only */
	size_t count;
};

static void put(struct dynamic_writer *w, int64_t tag, uint64_t value)
{
	if (w->entries)
		w->entries[w->count] =
			(Elf64_Dyn){.d_tag = tag, .d_un.d_val = value};
	w->count++;
}

static void put_versions(const struct build_dynamic *d,
			 struct dynamic_writer *w)
{
	if (!d->verdef)
		return;
	put(w, DT_VERDEF, d->verdef->address);
	put(w, DT_VERDEFNUM, d->verdef->info);
	put(w, DT_VERSYM, d->versym->address);
}

static size_t relative_count(const struct build_dynamic *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->relocated_count; i++)
		count += !d->relocated[i].imported;
	return count;
}

static void put_dynamic(const struct build_dynamic *d, struct dynamic_writer *w)
{
	for (size_t i = 0; i < d->needed_count; i++)
		put(w, DT_NEEDED, d->needed[i]);
	if (d->soname)
		put(w, DT_SONAME, d->soname);
	if (d->has_init)
		put(w, DT_INIT, d->code->address + d->init);
	put(w, DT_GNU_HASH, d->hashes->address);
	put(w, DT_STRTAB, d->names->address);
	put(w, DT_SYMTAB, d->symbols->address);
	put(w, DT_STRSZ, d->names->size);
	put(w, DT_SYMENT, sizeof(Elf64_Sym));
	put(w, DT_RELA, d->relocations->address);
	put(w, DT_RELASZ, d->relocations->size);
	put(w, DT_RELAENT, sizeof(Elf64_Rela));
	put(w, DT_RELACOUNT, relative_count(d));
	put(w, DT_FLAGS, DF_BIND_NOW);
	/* Never unloaded: what is loaded for it stays, too. */
	put(w, DT_FLAGS_1, DF_1_NOW | DF_1_NODELETE | d->flags_1);
	put_versions(d, w);
	put(w, DT_NULL, 0);
}

void build_dynamic_pointers(struct build_dynamic *d, struct build *b,
			    const struct build_section *code)
{
	struct dynamic_writer w = {NULL, 0};

	d->code = code;
	put_dynamic(d, &w);
	d->dynamic = build_section(b, ".dynamic", BUILD_RELRO,
				   w.count * sizeof(Elf64_Dyn), 8);
	d->dynamic->type = SHT_DYNAMIC;
	d->dynamic->entry_size = sizeof(Elf64_Dyn);
	d->dynamic->link = d->names;
	d->got = build_section(b, ".got", BUILD_RELRO,
			       d->pointer_count * sizeof(uint64_t), 8);
	d->got->entry_size = sizeof(uint64_t);
}

/* Contents. */

static Elf64_Sym export_symbol(const struct build_dynamic *d,
			       const struct build *b,
			       const struct build_export *e)
{
	const struct build_section *in = e->section ? *e->section : d->code;
	unsigned type = e->object     ? STT_OBJECT
			: e->indirect ? STT_GNU_IFUNC
				      : STT_FUNC;

	return (Elf64_Sym){
		.st_name = e->name,
		.st_info = ELF64_ST_INFO(e->weak ? STB_WEAK : STB_GLOBAL, type),
		.st_shndx = build_index(b, in),
		.st_value = in->address + e->offset,
		.st_size = e->size,
	};
}

static void fill_imports(const struct build_dynamic *d)
{
	Elf64_Sym *symbols = (Elf64_Sym *)d->symbols->data;
	Elf64_Half *versym = d->versym ? (Elf64_Half *)d->versym->data : NULL;

	for (size_t i = 0; i < d->import_count; i++) {
		symbols[1 + i] = (Elf64_Sym){
			.st_name = d->imports[i],
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE)};
		if (versym)
			versym[1 + i] = VER_NDX_GLOBAL;
	}
}

static Elf64_Rela relocation_of(const struct build_relocation *r,
				const struct build_cpu *cpu)
{
	if (!r->imported)
		return (Elf64_Rela){.r_offset = r->address,
				    .r_info = ELF64_R_INFO(0, cpu->relative),
				    .r_addend = (int64_t)r->target};
	return (Elf64_Rela){.r_offset = r->address,
			    .r_info = ELF64_R_INFO(1 + r->target, cpu->address),
			    .r_addend = r->addend};
}

static int by_import(const void *a, const void *b)
{
	const struct build_relocation *x = a, *y = b;

	if (x->imported != y->imported)
		return x->imported ? 1 : -1;
	if (x->imported && x->target != y->target)
		return x->target > y->target ? 1 : -1;
	return (x->address > y->address) - (x->address < y->address);
}

/* Those without a symbol first, as DT_RELACOUNT says; of the others those of
 * one symbol together, as the dynamic linker remembers the last. */
static void fill_relocations(struct build_dynamic *d, const struct build *b)
{
	Elf64_Rela *at = (Elf64_Rela *)d->relocations->data;

	if (d->relocated_count > 1)
		qsort(d->relocated, d->relocated_count, sizeof(*d->relocated),
		      by_import);
	for (size_t i = 0; i < d->relocated_count; i++)
		*at++ = relocation_of(&d->relocated[i], b->cpu);
	for (size_t i = 0; i < d->pointer_count; i++)
		*at++ = (Elf64_Rela){
			.r_offset = d->got->address + i * sizeof(uint64_t),
			.r_info = ELF64_R_INFO(1 + i, b->cpu->pointer)};
}

/* Where in the table each export stands: a counting sort by bucket. starts:
 * as many as there are buckets, and one. */
static void order_exports(const struct build_dynamic *d, uint32_t *starts,
			  uint32_t *order)
{
	size_t buckets = bucket_count(d);

	for (size_t i = 0; i < d->export_count; i++)
		starts[d->exports[i].hash % buckets + 1]++;
	for (size_t i = 1; i <= buckets; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; i < d->export_count; i++)
		order[starts[d->exports[i].hash % buckets]++] = (uint32_t)i;
	/* Each start has become its bucket's end. */
	memmove(starts + 1, starts, buckets * sizeof(*starts));
	starts[0] = 0;
}

static void fill_bloom(const struct build_dynamic *d, uint64_t *bloom,
		       size_t words, unsigned shift)
{
	for (size_t i = 0; i < d->export_count; i++) {
		uint32_t h = d->exports[i].hash;

		bloom[h / 64 & (words - 1)] |= UINT64_C(1) << h % 64 |
					       UINT64_C(1) << (h >> shift) % 64;
	}
}

/* The second bit of a symbol is told by the hash's bits above those that
 * choose word and first bit. */
static unsigned bloom_shift(size_t words)
{
	unsigned shift = 6;

	while (words > 1) {
		words /= 2;
		shift++;
	}
	return shift < 26 ? shift : 26;
}

static void fill_hashes(const struct build_dynamic *d, const uint32_t *starts,
			const uint32_t *order)
{
	size_t buckets = bucket_count(d), words = bloom_count(d);
	uint32_t *head = (uint32_t *)d->hashes->data;
	uint64_t *bloom = (uint64_t *)(head + 4);
	uint32_t *bucket = (uint32_t *)(bloom + words);
	uint32_t *chain = bucket + buckets;

	head[0] = (uint32_t)buckets;
	head[1] = (uint32_t)first_export(d);
	head[2] = (uint32_t)words;
	head[3] = bloom_shift(words);
	fill_bloom(d, bloom, words, head[3]);
	for (size_t i = 0; i < buckets; i++) {
		if (starts[i] == starts[i + 1])
			continue;
		bucket[i] = head[1] + starts[i];
		for (uint32_t k = starts[i]; k < starts[i + 1]; k++)
			chain[k] = d->exports[order[k]].hash & ~UINT32_C(1);
		chain[starts[i + 1] - 1] |= 1;
	}
}

static void fill_exports(const struct build_dynamic *d, const struct build *b,
			 const uint32_t *order)
{
	Elf64_Sym *symbols = (Elf64_Sym *)d->symbols->data + first_export(d);
	Elf64_Half *versym =
		d->versym ? (Elf64_Half *)d->versym->data + first_export(d)
			  : NULL;

	for (size_t i = 0; i < d->export_count; i++) {
		const struct build_export *e = &d->exports[order[i]];

		symbols[i] = export_symbol(d, b, e);
		if (versym)
			versym[i] = e->version;
	}
}

static void fill_versions(const struct build_dynamic *d)
{
	struct definition {
		Elf64_Verdef definition;
		Elf64_Verdaux name;
	} *at = d->verdef ? (struct definition *)d->verdef->data : NULL;
	const char *soname = d->verdef ? string_at(d, d->soname) : "";

	for (size_t i = 0; at && i <= d->version_count; i++, at++) {
		/* The first is of the file itself. */
		struct build_version version =
			i ? d->versions[i - 1]
			  : (struct build_version){d->soname,
						   sysv_hash_of(soname)};

		at->definition = (Elf64_Verdef){
			.vd_version = VER_DEF_CURRENT,
			.vd_flags = i ? 0 : VER_FLG_BASE,
			.vd_ndx = (Elf64_Half)(i + BUILD_VERSION_PLAIN),
			.vd_cnt = 1,
			.vd_hash = version.hash,
			.vd_aux = sizeof(Elf64_Verdef),
			.vd_next = i < d->version_count ? sizeof(*at) : 0,
		};
		at->name.vda_name = version.name;
	}
}

static void fill_dynamic(const struct build_dynamic *d)
{
	struct dynamic_writer w = {(Elf64_Dyn *)d->dynamic->data, 0};

	put_dynamic(d, &w);
}

int build_dynamic_fill(struct build_dynamic *d, const struct build *b)
{
	_cleanup_free_ uint32_t *order =
		calloc(d->export_count + 1, sizeof(*order));
	_cleanup_free_ uint32_t *starts =
		calloc(bucket_count(d) + 1, sizeof(*starts));

	if (d->failed || d->strings.failed || !order || !starts)
		return status_no_memory(NULL);
	memcpy(d->names->data, d->strings.data, d->strings.size);
	fill_imports(d);
	fill_relocations(d, b);
	order_exports(d, starts, order);
	fill_hashes(d, starts, order);
	fill_exports(d, b, order);
	fill_versions(d);
	fill_dynamic(d);
	return 0;
}
