/* SPDX-License-Identifier: MIT */
/*
 * A second opinion on every shared object and position-independent program of
 * the machine: what elfutils' libelf reads by section headers, our reader must
 * read without them. Skipped where libelf was missing when this was built.
 */
#include "tests/test.h"

#ifndef HAVE_LIBELF
#if __has_include(<gelf.h>)
#define HAVE_LIBELF 1
#endif
#endif

#if HAVE_LIBELF

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "link/code/relocations.h"
#include "elf/view.h"

#include <fcntl.h>
#include <ftw.h>
#include <gelf.h>
#include <limits.h>
#include <stdarg.h>

/* What libelf has of one file, and what we have of it. */
struct pair {
	const char *path;
	Elf *elf;
	struct elf_view *view;
	GElf_Ehdr header;
	Elf_Scn *dynamic, *symbols, *hash, *versym, *verdef, *verneed;
};

static size_t files, symbols, lookups, relocations, disagreements;

__attribute__((format(printf, 2, 3))) static void disagree(
	const struct pair *pair, const char *format, ...)
{
	va_list args;

	if (disagreements++ >= 20)
		return;
	va_start(args, format);
	printf("# %s: ", pair->path);
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

static size_t link_of(Elf_Scn *section)
{
	GElf_Shdr header;

	return gelf_getshdr(section, &header) ? header.sh_link : 0;
}

static const char *string_of(const struct pair *pair, Elf_Scn *section,
			     size_t offset)
{
	const char *s = elf_strptr(pair->elf, link_of(section), offset);

	return s ? s : "(none)";
}

/* false: the sections do not hold the dynamic part (a file of debugging
 * information, or one without section headers). */
static bool find_sections(struct pair *pair)
{
	Elf_Scn *at = NULL;
	GElf_Shdr header;

	while ((at = elf_nextscn(pair->elf, at)) && gelf_getshdr(at, &header)) {
		switch (header.sh_type) {
		case SHT_DYNAMIC:
			pair->dynamic = at;
			break;
		case SHT_DYNSYM:
			pair->symbols = at;
			break;
		case SHT_GNU_HASH:
			pair->hash = at;
			break;
		case SHT_GNU_versym:
			pair->versym = at;
			break;
		case SHT_GNU_verdef:
			pair->verdef = at;
			break;
		case SHT_GNU_verneed:
			pair->verneed = at;
			break;
		default:
			break;
		}
	}
	return pair->dynamic && pair->symbols;
}

struct facts {
	const char *soname, *rpath, *runpath;
	unsigned flags;
	size_t needed;
};

static void read_flags(struct facts *facts, const GElf_Dyn *dyn)
{
	if (dyn->d_tag == DT_FLAGS) {
		if (dyn->d_un.d_val & DF_STATIC_TLS)
			facts->flags |= ELF_STATIC_TLS;
		if (dyn->d_un.d_val & DF_SYMBOLIC)
			facts->flags |= ELF_SYMBOLIC;
		if (dyn->d_un.d_val & DF_BIND_NOW)
			facts->flags |= ELF_NOW;
	}
	if (dyn->d_tag == DT_FLAGS_1) {
		if (dyn->d_un.d_val & DF_1_NODELETE)
			facts->flags |= ELF_NODELETE;
		if (dyn->d_un.d_val & DF_1_NOW)
			facts->flags |= ELF_NOW;
		if (dyn->d_un.d_val & DF_1_PIE)
			facts->flags |= ELF_PIE;
		if (dyn->d_un.d_val & DF_1_NOOPEN)
			facts->flags |= ELF_NOOPEN;
		if (dyn->d_un.d_val & DF_1_NODEFLIB)
			facts->flags |= ELF_NODEFLIB;
		if (dyn->d_un.d_val & DF_1_INITFIRST)
			facts->flags |= ELF_INITFIRST;
		if (dyn->d_un.d_val & DF_1_INTERPOSE)
			facts->flags |= ELF_INTERPOSE;
	}
	if (dyn->d_tag == DT_FILTER || dyn->d_tag == DT_AUXILIARY)
		facts->flags |= ELF_FILTER;
	if (dyn->d_tag == DT_SYMBOLIC)
		facts->flags |= ELF_SYMBOLIC;
	if (dyn->d_tag == DT_BIND_NOW)
		facts->flags |= ELF_NOW;
}

static void read_segment_flags(const struct pair *pair, struct facts *facts)
{
	GElf_Phdr segment;
	bool stack = false;

	for (int i = 0; gelf_getphdr(pair->elf, i, &segment); i++) {
		if (segment.p_type == PT_TLS)
			facts->flags |= ELF_TLS;
		if (segment.p_type == PT_INTERP)
			facts->flags |= ELF_INTERP;
		if (segment.p_type == PT_DYNAMIC)
			facts->flags |= ELF_DYNAMIC;
		if (segment.p_type == PT_GNU_STACK) {
			stack = true;
			if (segment.p_flags & PF_X)
				facts->flags |= ELF_EXEC_STACK;
		}
	}
	if (!stack)
		facts->flags |= ELF_EXEC_STACK;
}

static void check_needed(const struct pair *pair, struct facts *facts,
			 const char *name)
{
	size_t i = facts->needed++;

	if (i >= elf_view_needed_count(pair->view) ||
	    strcmp(elf_view_needed(pair->view, i), name) != 0)
		disagree(pair, "need %zu: %s", i, name);
}

static void check_text(const struct pair *pair, const char *what,
		       const char *theirs, const char *ours)
{
	if (strcmp(theirs, ours) != 0)
		disagree(pair, "%s: libelf %s, we %s", what, theirs, ours);
}

static void check_dynamic(const struct pair *pair)
{
	Elf_Data *data = elf_getdata(pair->dynamic, NULL);
	struct facts facts = {"", "", "", 0, 0};
	GElf_Dyn dyn;

	for (int i = 0; gelf_getdyn(data, i, &dyn) && dyn.d_tag; i++) {
		const char *name =
			string_of(pair, pair->dynamic, dyn.d_un.d_val);
		if (dyn.d_tag == DT_SONAME)
			facts.soname = name;
		if (dyn.d_tag == DT_RPATH)
			facts.rpath = name;
		if (dyn.d_tag == DT_RUNPATH)
			facts.runpath = name;
		if (dyn.d_tag == DT_NEEDED)
			check_needed(pair, &facts, name);
		read_flags(&facts, &dyn);
	}
	read_segment_flags(pair, &facts);
	check_text(pair, "soname", facts.soname, elf_view_soname(pair->view));
	check_text(pair, "rpath", facts.rpath, elf_view_rpath(pair->view));
	check_text(pair, "runpath", facts.runpath,
		   elf_view_runpath(pair->view));
	if (facts.needed != elf_view_needed_count(pair->view))
		disagree(pair, "needs: %zu", facts.needed);
	if (facts.flags != elf_view_flags(pair->view))
		disagree(pair, "flags: libelf %x, we %x", facts.flags,
			 elf_view_flags(pair->view));
}

static const void *their_build_id(const struct pair *pair, size_t *ret_size)
{
	Elf_Scn *at = NULL;
	GElf_Shdr header;
	GElf_Nhdr note;
	size_t name, desc;

	while ((at = elf_nextscn(pair->elf, at)) && gelf_getshdr(at, &header)) {
		Elf_Data *data = header.sh_type == SHT_NOTE
					 ? elf_getdata(at, NULL)
					 : NULL;
		for (size_t offset = 0;
		     data && (offset = gelf_getnote(data, offset, &note, &name,
						    &desc));) {
			const char *bytes = data->d_buf;

			if (note.n_type != NT_GNU_BUILD_ID ||
			    note.n_namesz != 4 ||
			    memcmp(bytes + name, "GNU", 4))
				continue;
			*ret_size = note.n_descsz;
			return bytes + desc;
		}
	}
	*ret_size = 0;
	return NULL;
}

static void check_build_id(const struct pair *pair)
{
	size_t their_size, our_size;
	const void *theirs = their_build_id(pair, &their_size);
	const void *ours = elf_view_build_id(pair->view, &our_size);

	if (their_size != our_size ||
	    (our_size && memcmp(theirs, ours, our_size) != 0))
		disagree(pair, "build-id of %zu bytes, ours %zu", their_size,
			 our_size);
}

static const char *defined_version(const struct pair *pair, unsigned index)
{
	Elf_Data *data = pair->verdef ? elf_getdata(pair->verdef, NULL) : NULL;
	GElf_Verdef def;
	GElf_Verdaux aux;

	for (int at = 0; data && gelf_getverdef(data, at, &def);
	     at += (int)def.vd_next) {
		if ((def.vd_ndx & 0x7fff) == index &&
		    !(def.vd_flags & VER_FLG_BASE) &&
		    gelf_getverdaux(data, at + (int)def.vd_aux, &aux))
			return string_of(pair, pair->verdef, aux.vda_name);
		if (!def.vd_next)
			break;
	}
	return NULL;
}

static const char *needed_version(const struct pair *pair, unsigned index,
				  const char **ret_library)
{
	Elf_Data *data =
		pair->verneed ? elf_getdata(pair->verneed, NULL) : NULL;
	GElf_Verneed need;
	GElf_Vernaux aux;

	for (int at = 0; data && gelf_getverneed(data, at, &need);
	     at += (int)need.vn_next) {
		int in = at + (int)need.vn_aux;

		for (unsigned i = 0; i < need.vn_cnt; i++) {
			if (!gelf_getvernaux(data, in, &aux))
				return NULL;
			if ((aux.vna_other & 0x7fff) == index) {
				*ret_library = string_of(pair, pair->verneed,
							 need.vn_file);
				return string_of(pair, pair->verneed,
						 aux.vna_name);
			}
			in += (int)aux.vna_next;
		}
		if (!need.vn_next)
			break;
	}
	return NULL;
}

/* Walking the tables for each symbol would take minutes: remembered by index,
 * for one file. */
static const char *their_version(const struct pair *pair, unsigned versym,
				 const char **ret_library)
{
	static size_t of;
	static const char *versions[0x8000], *libraries[0x8000];
	unsigned index = versym & 0x7fff;

	if (of != files) {
		memset(versions, 0, sizeof(versions));
		of = files;
	}
	if (!versions[index]) {
		libraries[index] = "";
		versions[index] = defined_version(pair, index);
		if (!versions[index])
			versions[index] =
				needed_version(pair, index, &libraries[index]);
		if (!versions[index])
			versions[index] = "";
	}
	*ret_library = libraries[index];
	return versions[index];
}

/* Must a reader of exports and imports leave it out? */
static bool is_neither(const GElf_Sym *theirs)
{
	unsigned type = GELF_ST_TYPE(theirs->st_info);
	unsigned visibility = GELF_ST_VISIBILITY(theirs->st_other);

	if (GELF_ST_BIND(theirs->st_info) == STB_LOCAL)
		return true;
	if (theirs->st_shndx == SHN_UNDEF)
		return false;
	return visibility == STV_HIDDEN || visibility == STV_INTERNAL ||
	       (type > STT_FUNC && type != STT_COMMON && type != STT_TLS &&
		type != STT_GNU_IFUNC) ||
	       (theirs->st_value == 0 && theirs->st_shndx != SHN_ABS &&
		type != STT_TLS);
}

static unsigned our_type(unsigned type)
{
	switch (type) {
	case STT_NOTYPE:
		return ELF_TYPE_NOTYPE;
	case STT_OBJECT:
		return ELF_TYPE_OBJECT;
	case STT_FUNC:
		return ELF_TYPE_FUNC;
	case STT_TLS:
		return ELF_TYPE_TLS;
	case STT_GNU_IFUNC:
		return ELF_TYPE_IFUNC;
	default:
		return ELF_TYPE_OTHER;
	}
}

static unsigned our_binding(unsigned binding)
{
	return binding == STB_GLOBAL	   ? ELF_BINDING_GLOBAL
	       : binding == STB_WEAK	   ? ELF_BINDING_WEAK
	       : binding == STB_GNU_UNIQUE ? ELF_BINDING_UNIQUE
					   : ELF_BINDING_OTHER;
}

/* The lookups that a host would do must come to this very symbol, or to one
 * of the same name and version. */
static void check_lookup(const struct pair *pair, const struct elf_symbol *ours)
{
	struct elf_symbol found;

	lookups++;
	if (ours->is_default &&
	    (!elf_view_find(pair->view, ours->name, NULL, &found) ||
	     (found.value != ours->value &&
	      !*found.version == !*ours->version)))
		disagree(pair, "%s is not found", ours->name);
	if (!*ours->version)
		return;
	lookups++;
	if (!elf_view_find(pair->view, ours->name, ours->version, &found) ||
	    strcmp(found.version, ours->version) != 0)
		disagree(pair, "%s@%s is not found", ours->name, ours->version);
}

static bool is_same(const struct pair *pair, const GElf_Sym *theirs,
		    unsigned versym, const struct elf_symbol *ours)
{
	bool defined = theirs->st_shndx != SHN_UNDEF;
	const char *library;
	const char *version = their_version(pair, versym, &library);

	return !strcmp(string_of(pair, pair->symbols, theirs->st_name),
		       ours->name) &&
	       !strcmp(version, ours->version) &&
	       !strcmp(defined ? "" : library, ours->library) &&
	       theirs->st_value == ours->value &&
	       theirs->st_size == ours->size &&
	       theirs->st_other == ours->other && defined == ours->defined &&
	       our_type(GELF_ST_TYPE(theirs->st_info)) == ours->type &&
	       our_binding(GELF_ST_BIND(theirs->st_info)) == ours->binding &&
	       GELF_ST_VISIBILITY(theirs->st_other) == ours->visibility &&
	       ((versym & 0x7fff) <= 1 || !(versym & 0x8000)) ==
		       ours->is_default;
}

/* What the hash table begins with: the linker finds nothing before. (GNU ld
 * 2.47 leaves an _end there.) */
static size_t first_hashed(const struct pair *pair)
{
	Elf_Data *data = pair->hash ? elf_getdata(pair->hash, NULL) : NULL;

	return data && data->d_size >= 8 ? ((const uint32_t *)data->d_buf)[1]
					 : 0;
}

static void check_symbols(const struct pair *pair)
{
	size_t first = first_hashed(pair);
	Elf_Data *data = elf_getdata(pair->symbols, NULL);
	Elf_Data *versyms =
		pair->versym ? elf_getdata(pair->versym, NULL) : NULL;
	struct elf_symbol ours;
	GElf_Sym theirs;
	size_t n = 0;

	for (; gelf_getsym(data, (int)n, &theirs); n++) {
		bool got = elf_view_symbol(pair->view, n, &ours);
		GElf_Versym versym = 1;

		if (versyms)
			gelf_getversym(versyms, (int)n, &versym);
		if (got == is_neither(&theirs) ||
		    (got && !is_same(pair, &theirs, versym, &ours)))
			disagree(
				pair, "symbol %zu %s", n,
				string_of(pair, pair->symbols, theirs.st_name));
		else if (got && ours.defined && n >= first)
			check_lookup(pair, &ours);
	}
	symbols += n;
	if (n != elf_view_symbol_count(pair->view))
		disagree(pair, "%zu symbols, we have %zu", n,
			 elf_view_symbol_count(pair->view));
}

/* Of several at one place one is found. */
static void check_relocation(const struct pair *pair,
			     const struct elf_data *data,
			     const GElf_Rela *theirs)
{
	const struct elf_range place = {theirs->r_offset, theirs->r_offset + 1};
	size_t n;
	const struct elf_fixup *ours = elf_data_fixups(data, place, &n);

	for (size_t i = 0; i < n; i++)
		if (ours[i].addend == theirs->r_addend &&
		    ours[i].symbol == GELF_R_SYM(theirs->r_info))
			return;
	disagree(pair, "relocation at %#llx",
		 (unsigned long long)theirs->r_offset);
}

/* Of one section; returns how many there are. */
static size_t check_table(const struct pair *pair, const struct elf_data *data,
			  Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *table = elf_getdata(section, NULL);
	size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize
					  : 0,
	       used = 0;
	GElf_Rela theirs;

	for (size_t i = 0; table && i < count; i++) {
		if (!gelf_getrela(table, (int)i, &theirs) ||
		    GELF_R_TYPE(theirs.r_info) == 0)
			continue;
		used++;
		check_relocation(pair, data, &theirs);
	}
	return used;
}

static void check_relocations(const struct pair *pair, int fd)
{
	_cleanup_elf_data_ struct elf_data *data = NULL;
	size_t n, count = 0;
	GElf_Shdr header;
	bool packed = false;

	if (elf_data_open(fd, pair->path, &data) < 0) {
		if (status_last() != -DLAZY_ENOSYS)
			disagree(pair, "%s", status_message());
		return;
	}
	for (Elf_Scn *s = NULL; (s = elf_nextscn(pair->elf, s));) {
		if (!gelf_getshdr(s, &header) || !(header.sh_flags & SHF_ALLOC))
			continue;
		packed |= header.sh_type == 19; /* SHT_RELR: not libelf's */
		if (header.sh_type == SHT_RELA)
			count += check_table(pair, data, s, &header);
	}
	elf_data_fixups(data, (struct elf_range){0, UINT64_MAX}, &n);
	relocations += n;
	if (packed ? n < count : n != count)
		disagree(pair, "%zu relocations, we have %zu", count, n);
}

static void compare(struct pair *pair, int fd)
{
	if (!gelf_getehdr(pair->elf, &pair->header) || !find_sections(pair))
		return;
	files++;
	if (elf_view_open(fd, pair->path, &pair->view) < 0) {
		disagree(pair, "%s", status_message());
		return;
	}
	check_dynamic(pair);
	check_build_id(pair);
	check_symbols(pair);
	check_relocations(pair, fd);
	elf_view_close(pair->view);
}

static bool is_ours(int fd)
{
	GElf_Half mine[2], its[2]; /* type, machine */
	unsigned char own[20], header[20];
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool read_own = self >= 0 && file_read_at(self, 0, own, sizeof(own));

	if (self >= 0)
		close(self);
	if (!read_own || !file_read_at(fd, 0, header, sizeof(header)) ||
	    memcmp(header, own, 6) != 0)
		return false;
	memcpy(mine, own + 16, sizeof(mine));
	memcpy(its, header + 16, sizeof(its));
	return its[0] == ET_DYN && its[1] == mine[1];
}

/* Every tenth file, or all: see test_rounds(). */
static int visit(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	static size_t seen;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode) || st->st_size < 64 ||
	    !(st->st_mode & 0111 || strstr(path, ".so")))
		return 0;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd) || seen++ % 10 >= test_rounds(10))
		return 0;
	struct pair pair = {.path = path,
			    .elf = elf_begin(fd, ELF_C_READ_MMAP, NULL)};
	if (pair.elf) {
		compare(&pair, fd);
		elf_end(pair.elf);
	}
	return 0;
}

TEST_SECONDS(reader_agrees_with_libelf_on_every_file, 600)
{
	const char *top = getenv("TEST_LIBELF_TOP");

	CHECK(elf_version(EV_CURRENT) != EV_NONE);
	nftw(top ? top : "/", visit, 64, FTW_PHYS | FTW_MOUNT);
	printf("# %zu files, %zu symbols, %zu lookups, %zu relocations, %zu "
	       "disagreements\n",
	       files, symbols, lookups, relocations, disagreements);
	CHECK(files > 0);
	CHECK_INT(disagreements, 0);
}

#else

TEST(reader_agrees_with_libelf_on_every_file)
{
	test_skip("libelf was missing when this was built");
}

#endif
