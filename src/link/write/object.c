/* SPDX-License-Identifier: MIT */
/*
 * Writing symbols and relocations of relocatable objects. Source: gABI chapter
 * 4.
 */
#include "link/write/object.h"

#include "base/array.h"

#include <assert.h>
#include <elf.h>
#include <string.h>

void build_object_clear(struct build_object *o)
{
	build_strings_clear(&o->names);
	free(o->symbols);
	for (size_t i = 0; i < o->relocated_count; i++)
		free(o->relocated[i].entries);
	memset(o, 0, sizeof(*o));
}

static Elf64_Sym entry_of(struct build_object *o, const struct build *b,
			  const struct build_symbol *symbol)
{
	unsigned binding = symbol->local  ? STB_LOCAL
			   : symbol->weak ? STB_WEAK
					  : STB_GLOBAL;
	unsigned type = !symbol->name	   ? STT_SECTION
			: symbol->function ? STT_FUNC
					   : STT_NOTYPE;

	return (Elf64_Sym){
		.st_name = build_string(&o->names,
					symbol->name ? symbol->name : ""),
		.st_info = ELF64_ST_INFO(binding, type),
		.st_other = symbol->hidden ? STV_HIDDEN : STV_DEFAULT,
		.st_shndx = symbol->section ? build_index(b, symbol->section)
					    : SHN_UNDEF,
		.st_value = symbol->offset,
		.st_size = symbol->size,
	};
}

static uint32_t append_symbol(struct build_object *o, Elf64_Sym entry)
{
	if (!array_reserve(&o->symbols, o->symbol_count, &o->symbol_room,
			   sizeof(entry))) {
		o->failed = true;
		return 0;
	}
	((Elf64_Sym *)o->symbols)[o->symbol_count] = entry;
	return (uint32_t)o->symbol_count++;
}

uint32_t build_object_symbol(struct build_object *o, const struct build *b,
			     const struct build_symbol *symbol)
{
	if (o->symbol_count == 0) {
		append_symbol(o, (Elf64_Sym){0}); /* the null symbol */
		o->local_count = 1;
	}
	if (symbol->local) {
		assert(o->failed || o->symbol_count == o->local_count);
		o->local_count++;
	}
	return append_symbol(o, entry_of(o, b, symbol));
}

void build_object_relocated(struct build_object *o,
			    const struct build_section *section,
			    const char *name)
{
	assert(o->relocated_count < BUILD_RELOCATED_MAX);
	o->relocated[o->relocated_count++] =
		(struct build_relocated){.section = section, .name = name};
}

void build_object_relocate(struct build_object *o, const struct build *b,
			   const struct build_section *section, uint64_t offset,
			   enum build_object_relocation how, uint32_t symbol,
			   int64_t addend)
{
	struct build_relocated *r = o->relocated;
	uint32_t type = b->cpu->relocations[how];

	while (r->section != section)
		r++;
	if (!array_reserve(&r->entries, r->count, &r->room,
			   sizeof(Elf64_Rela))) {
		o->failed = true;
		return;
	}
	((Elf64_Rela *)r->entries)[r->count++] = (Elf64_Rela){
		.r_offset = offset,
		.r_info = ELF64_R_INFO((uint64_t)symbol, type),
		.r_addend = addend,
	};
}

static struct build_section *add_table(struct build *b, const char *name,
				       uint32_t type, uint64_t count,
				       uint64_t each)
{
	struct build_section *s = build_section(b, name, BUILD_UNLOADED,
						count * each, each > 1 ? 8 : 1);

	s->type = type;
	s->entry_size = each > 1 ? each : 0;
	return s;
}

void build_object_sections(struct build_object *o, struct build *b)
{
	o->symbol_table = add_table(b, ".symtab", SHT_SYMTAB, o->symbol_count,
				    sizeof(Elf64_Sym));
	o->name_table = add_table(b, ".strtab", SHT_STRTAB, o->names.size, 1);
	o->symbol_table->link = o->name_table;
	o->symbol_table->info = (uint32_t)o->local_count;
	for (size_t i = 0; i < o->relocated_count; i++) {
		struct build_relocated *r = &o->relocated[i];

		r->table = add_table(b, r->name, SHT_RELA, r->count,
				     sizeof(Elf64_Rela));
		r->table->link = o->symbol_table;
		r->table->info = build_index(b, r->section);
	}
	b->failed |= o->failed || o->names.failed;
}

static void copy(const struct build_section *to, const void *from)
{
	if (to->size)
		memcpy(to->data, from, to->size);
}

void build_object_fill(const struct build_object *o)
{
	copy(o->symbol_table, o->symbols);
	copy(o->name_table, o->names.data);
	for (size_t i = 0; i < o->relocated_count; i++)
		copy(o->relocated[i].table, o->relocated[i].entries);
}
