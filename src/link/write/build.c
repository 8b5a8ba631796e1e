/* SPDX-License-Identifier: MIT */
/*
 * Sections keep the order they were given in; a new page begins where the
 * protection changes, so that nothing is both writable and executable and the
 * relocated data can be protected alone. The headers come first and are part
 * of the first segment, the table of sections comes last.
 */
#include "link/write/build.h"

#include "base/hash.h"
#include "base/status.h"

#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* All strings of a file. */
#define STRINGS_MAX (UINT32_C(1) << 30)

/* What all kinds of files have at most. */
#define SECTIONS_USUAL 32

int build_start(struct build *b, enum elf_cpu cpu, bool relocatable,
		size_t more)
{
	memset(b, 0, sizeof(*b));
	b->section_room = SECTIONS_USUAL + more;
	b->sections = calloc(b->section_room, sizeof(*b->sections));
	if (!b->sections)
		return status_no_memory(NULL);
	b->cpu = build_cpu(cpu);
	b->relocatable = relocatable;
	b->section_count = 1;
	b->sections[0].name = "";
	b->sections[0].use = BUILD_CONSTANT;
	return 0;
}

void build_clear(struct build *b)
{
	free(b->file);
	free(b->sections);
	b->file = NULL;
	b->sections = NULL;
}

struct build_section *build_section(struct build *b, const char *name,
				    enum build_use use, uint64_t size,
				    uint64_t alignment)
{
	struct build_section *s = &b->sections[b->section_count++];

	assert(b->section_count <= b->section_room && s[-1].use <= use);
	*s = (struct build_section){
		.name = name,
		.use = use,
		.type = use == BUILD_ZERO ? SHT_NOBITS : SHT_PROGBITS,
		.size = size,
		.alignment = alignment,
	};
	return s;
}

uint16_t build_index(const struct build *b, const struct build_section *s)
{
	return (uint16_t)(s - b->sections);
}

static uint64_t aligned(uint64_t at, uint64_t alignment)
{
	return (at + alignment - 1) & ~(alignment - 1);
}

/* Segments. */

static uint32_t load_flags(enum build_use use)
{
	switch (use) {
	case BUILD_CONSTANT:
		return PF_R;
	case BUILD_CODE:
		return PF_R | PF_X;
	default:
		return PF_R | PF_W;
	}
}

static void add_segment(struct build *b, uint32_t type, uint32_t flags,
			const struct build_section *first,
			const struct build_section *last)
{
	assert(b->segment_count < BUILD_SEGMENTS_MAX);
	b->segments[b->segment_count++] =
		(struct build_segment){type, flags, first, last};
}

/* A section that joins the one before in a segment of their own kind. */
typedef bool joins_fn(const struct build_section *before,
		      const struct build_section *s);

static bool joins_load(const struct build_section *before,
		       const struct build_section *s)
{
	return load_flags(before->use) == load_flags(s->use);
}

static bool joins_note(const struct build_section *before,
		       const struct build_section *s)
{
	return before->type == SHT_NOTE && before->alignment == s->alignment;
}

/* The last section of a run that begins with s. */
static const struct build_section *run_end(const struct build *b,
					   const struct build_section *s,
					   joins_fn *joins)
{
	const struct build_section *end = &b->sections[b->section_count];

	while (s + 1 < end && s[1].use != BUILD_UNLOADED && joins(s, s + 1))
		s++;
	return s;
}

static void add_loads(struct build *b)
{
	const struct build_section *s = b->sections;
	const struct build_section *end = s + b->section_count;

	while (s < end && s->use != BUILD_UNLOADED) {
		const struct build_section *last = run_end(b, s, joins_load);
		add_segment(b, PT_LOAD, load_flags(s->use), s, last);
		s = last + 1;
	}
}

static void add_notes(struct build *b)
{
	const struct build_section *s = b->sections;
	const struct build_section *end = s + b->section_count;

	for (; s < end; s++) {
		if (s->type != SHT_NOTE)
			continue;
		const struct build_section *last = run_end(b, s, joins_note);
		add_segment(b, PT_NOTE, PF_R, s, last);
		s = last;
	}
}

/* The segments that name one section. */
static void add_named(struct build *b)
{
	static const struct {
		const char *name;
		uint32_t type, flags;
	} named[] = {
		{".dynamic", PT_DYNAMIC, PF_R | PF_W},
		{".note.gnu.property", PT_GNU_PROPERTY, PF_R},
		{".eh_frame_hdr", PT_GNU_EH_FRAME, PF_R},
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		for (size_t k = 1; k < b->section_count; k++)
			if (strcmp(b->sections[k].name, named[i].name) == 0)
				add_segment(b, named[i].type, named[i].flags,
					    &b->sections[k], &b->sections[k]);
}

static void add_relro(struct build *b)
{
	const struct build_section *first = NULL, *last = NULL;

	for (size_t i = 1; i < b->section_count; i++) {
		if (b->sections[i].use != BUILD_RELRO)
			continue;
		last = &b->sections[i];
		first = first ? first : last;
	}
	if (first)
		add_segment(b, PT_GNU_RELRO, PF_R, first, last);
}

static void plan_segments(struct build *b)
{
	add_loads(b);
	add_notes(b);
	add_named(b);
	add_segment(b, PT_GNU_STACK, PF_R | PF_W, NULL, NULL);
	add_relro(b);
}

/* Layout. */

/* Whether a page must begin before this section. */
static bool starts_page(const struct build_section *s)
{
	return load_flags(s[-1].use) != load_flags(s->use) ||
	       (s[-1].use == BUILD_RELRO && s->use != BUILD_RELRO);
}

static void place(struct build *b, struct build_section *s, uint64_t *address,
		  uint64_t *offset)
{
	bool loaded = s->use != BUILD_UNLOADED && !b->relocatable;
	uint64_t page = loaded && starts_page(s) ? b->cpu->page_size : 1;

	*address = aligned(aligned(*address, page), s->alignment);
	/* A file offset must be congruent to its address modulo the page; what
	 * has no bytes in the file needs none. */
	*offset = s->type == SHT_NOBITS
			  ? *offset
			  : aligned(aligned(*offset, page), s->alignment);
	s->address = loaded ? *address : 0;
	s->offset = *offset;
	*address += s->size;
	if (s->type != SHT_NOBITS)
		*offset += s->size;
}

static void place_all(struct build *b)
{
	uint64_t address = b->headers_size, offset = b->headers_size;

	for (size_t i = 1; i < b->section_count; i++)
		place(b, &b->sections[i], &address, &offset);
	b->table_offset = aligned(offset, sizeof(uint64_t));
	b->size = b->table_offset + b->section_count * sizeof(Elf64_Shdr);
}

static struct build_section *add_section_names(struct build *b)
{
	struct build_section *names =
		build_section(b, ".shstrtab", BUILD_UNLOADED, 0, 1);

	names->type = SHT_STRTAB;
	for (size_t i = 0; i < b->section_count; i++) {
		b->sections[i].name_offset = (uint32_t)names->size;
		names->size += strlen(b->sections[i].name) + 1;
	}
	return names;
}

int build_layout(struct build *b)
{
	/* Structures are copied as they are in memory. */
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return status_fail(DLAZY_ENOSYS, "stub files are written on "
						 "little-endian machines only");
	const struct build_section *names = add_section_names(b);

	if (!b->relocatable)
		plan_segments(b);
	b->headers_size =
		sizeof(Elf64_Ehdr) + b->segment_count * sizeof(Elf64_Phdr);
	place_all(b);
	if (b->size > INT32_MAX || names[-1].address > INT32_MAX)
		return status_fail(DLAZY_EFORMAT,
				   "a stub file of more than 2 GiB");
	b->file = calloc(1, b->size);
	if (!b->file || b->failed)
		return status_no_memory(NULL);
	for (size_t i = 1; i < b->section_count; i++)
		if (b->sections[i].type != SHT_NOBITS)
			b->sections[i].data = b->file + b->sections[i].offset;
	for (size_t i = 0; i < b->section_count; i++)
		strcpy((char *)names->data + b->sections[i].name_offset,
		       b->sections[i].name);
	return 0;
}

/* Headers. */

static void write_header(const struct build *b)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT},
		.e_type = b->relocatable ? ET_REL : ET_DYN,
		.e_machine = b->cpu->machine,
		.e_version = EV_CURRENT,
		.e_phoff = b->segment_count ? sizeof(header) : 0,
		.e_shoff = b->table_offset,
		.e_ehsize = sizeof(header),
		.e_phentsize = b->segment_count ? sizeof(Elf64_Phdr) : 0,
		.e_phnum = (uint16_t)b->segment_count,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (uint16_t)b->section_count,
		.e_shstrndx = (uint16_t)(b->section_count - 1),
	};

	if (b->gnu)
		header.e_ident[EI_OSABI] = ELFOSABI_GNU;
	memcpy(b->file, &header, sizeof(header));
}

static Elf64_Phdr program_header(const struct build *b,
				 const struct build_segment *segment)
{
	const struct build_section *first = segment->first;
	const struct build_section *last = segment->last;
	Elf64_Phdr header = {.p_type = segment->type,
			     .p_flags = segment->flags,
			     .p_align = first ? first->alignment : 16};

	if (!first)
		return header;
	/* The null section stands for the headers, at 0. */
	header.p_offset = first->offset;
	header.p_vaddr = header.p_paddr = first->address;
	header.p_memsz = last->address + last->size - first->address;
	header.p_filesz =
		(last->type == SHT_NOBITS ? last->offset
					  : last->offset + last->size) -
		first->offset;
	if (segment->type == PT_LOAD)
		header.p_align = b->cpu->page_size;
	/* ld.so protects whole pages only; the next section has its own. */
	if (segment->type == PT_GNU_RELRO) {
		header.p_memsz = aligned(header.p_memsz, b->cpu->page_size);
		header.p_align = 1;
	}
	return header;
}

static void write_program_headers(const struct build *b)
{
	uint8_t *at = b->file + sizeof(Elf64_Ehdr);

	for (size_t i = 0; i < b->segment_count; i++) {
		Elf64_Phdr header = program_header(b, &b->segments[i]);
		memcpy(at + i * sizeof(header), &header, sizeof(header));
	}
}

static uint64_t section_flags(const struct build_section *s)
{
	switch (s->use) {
	case BUILD_CONSTANT:
		return SHF_ALLOC;
	case BUILD_CODE:
		return SHF_ALLOC | SHF_EXECINSTR;
	case BUILD_RELRO:
	case BUILD_DATA:
	case BUILD_ZERO:
		return SHF_ALLOC | SHF_WRITE;
	case BUILD_UNLOADED:
		break;
	}
	if (s->strings)
		return SHF_MERGE | SHF_STRINGS;
	/* Of relocations: sh_info names the section they are for. */
	return s->type == SHT_RELA ? SHF_INFO_LINK : 0;
}

static void write_section_headers(const struct build *b)
{
	uint8_t *at = b->file + b->table_offset;

	for (size_t i = 1; i < b->section_count; i++) {
		const struct build_section *s = &b->sections[i];
		Elf64_Shdr header = {
			.sh_name = s->name_offset,
			.sh_type = s->type,
			.sh_flags = section_flags(s),
			.sh_addr = s->address,
			.sh_offset = s->offset,
			.sh_size = s->size,
			.sh_link = s->link ? build_index(b, s->link) : 0,
			.sh_info = s->info,
			.sh_addralign = s->alignment,
			.sh_entsize = s->entry_size,
		};
		memcpy(at + i * sizeof(header), &header, sizeof(header));
	}
}

/* The id is the hash of the whole file, in which its own place is zero. */
static void write_build_id(const struct build *b)
{
	for (size_t i = 1; i < b->section_count; i++) {
		const struct build_section *s = &b->sections[i];
		XXH128_canonical_t id;

		if (strcmp(s->name, ".note.gnu.build-id") != 0)
			continue;
		XXH128_canonicalFromHash(&id, XXH3_128bits(b->file, b->size));
		memcpy(s->data + s->size - sizeof(id), &id, sizeof(id));
	}
}

int build_finish(struct build *b, uint8_t **ret_data, size_t *ret_size)
{
	if (b->failed)
		return status_no_memory(NULL);
	write_header(b);
	write_program_headers(b);
	write_section_headers(b);
	write_build_id(b);
	*ret_data = b->file;
	*ret_size = b->size;
	b->file = NULL;
	return 0;
}

/* Strings. */

static bool reserve_string(struct build_strings *strings, size_t size)
{
	if (size > STRINGS_MAX - strings->size)
		return false;
	if (strings->room - strings->size >= size)
		return true;
	size_t room = strings->room * 2 + size + 4096;
	char *grown = realloc(strings->data, room);
	if (!grown)
		return false;
	strings->data = grown;
	strings->room = room;
	return true;
}

static void append_bytes(struct build_strings *strings, const char *s,
			 size_t size)
{
	memcpy(strings->data + strings->size, s, size);
	strings->size += size;
}

/* Room for a string of this length; where it will begin. */
static uint32_t begin_string(struct build_strings *strings, size_t length)
{
	if (strings->failed || !reserve_string(strings, length + 2)) {
		strings->failed = true;
		return 0;
	}
	if (strings->size == 0)
		append_bytes(strings, "", 1);
	return (uint32_t)strings->size;
}

uint32_t build_string(struct build_strings *strings, const char *s)
{
	size_t length = strlen(s);
	uint32_t at = begin_string(strings, length);

	if (length == 0 || at == 0)
		return 0;
	append_bytes(strings, s, length + 1);
	return at;
}

uint32_t build_string_version(struct build_strings *strings, const char *name,
			      const char *version)
{
	size_t first = strlen(name), second = strlen(version);
	uint32_t at = begin_string(strings, first + 1 + second);

	if (at == 0)
		return 0;
	append_bytes(strings, name, first);
	append_bytes(strings, "@", 1);
	append_bytes(strings, version, second + 1);
	return at;
}

void build_string_end(struct build_strings *strings)
{
	if (reserve_string(strings, 1))
		strings->data[strings->size++] = '\0';
	else
		strings->failed = true;
}

void build_strings_clear(struct build_strings *strings)
{
	free(strings->data);
	*strings = (struct build_strings){NULL, 0, 0, false};
}
