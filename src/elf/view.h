/* SPDX-License-Identifier: MIT */
/*
 * A view: what the dynamic linker would read of one ELF file, as safe tables.
 * Bytes from disk are hostile, so every table is read into memory of our own,
 * every offset is checked, every string is ended. Nothing is mapped (a plugin
 * file may be truncated at any time), and section headers are not needed.
 *
 * Sources: System V gABI 4.1 chapters 4 and 5; the GNU extensions as glibc
 * reads them. <elf.h> is included in elf/native.h, and where ELF files are
 * written (link/write/).
 */
#ifndef ELF_VIEW_H
#define ELF_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

/* What a file says of how it wants to be loaded. */
enum elf_flags {
	ELF_STATIC_TLS = 1 << 0, /* DF_STATIC_TLS: may fail when opened late */
	ELF_EXEC_STACK = 1 << 1, /* PT_GNU_STACK with PF_X, or none at all */
	ELF_NODELETE = 1 << 2,	 /* DF_1_NODELETE */
	ELF_SYMBOLIC = 1 << 3,	 /* DT_SYMBOLIC or DF_SYMBOLIC */
	ELF_TLS = 1 << 4,	 /* PT_TLS: has thread-local storage */
	ELF_NOW = 1 << 5,	 /* DF_BIND_NOW or DF_1_NOW */
	ELF_PIE = 1 << 6,	 /* DF_1_PIE: a program, not a library */
	ELF_NOOPEN = 1 << 8,	 /* DF_1_NOOPEN: dlopen refuses it */
	ELF_DYNAMIC = 1 << 9,	 /* has PT_DYNAMIC */
	ELF_INTERP = 1 << 10,	 /* PT_INTERP: can be run */
	ELF_NODEFLIB = 1 << 11,	 /* DF_1_NODEFLIB: not in the default places */
	ELF_INITFIRST = 1 << 12, /* DF_1_INITFIRST: initialised before others */
	ELF_INTERPOSE = 1 << 13, /* DF_1_INTERPOSE: looked up before others */
	ELF_FILTER = 1 << 14,	 /* DT_FILTER or DT_AUXILIARY: stands for
				    another */
};

/* Type of a symbol, whatever the machine's numbering (STT_...). */
enum elf_type {
	ELF_TYPE_NOTYPE,
	ELF_TYPE_OBJECT,
	ELF_TYPE_FUNC,
	ELF_TYPE_IFUNC,
	ELF_TYPE_TLS,
	ELF_TYPE_OTHER, /* section, file, common, unknown */
};

enum elf_binding {
	ELF_BINDING_LOCAL,
	ELF_BINDING_GLOBAL,
	ELF_BINDING_WEAK,
	ELF_BINDING_UNIQUE, /* STB_GNU_UNIQUE */
	ELF_BINDING_OTHER,
};

/* One entry of the dynamic symbol table. Strings live as long as the view. */
struct elf_symbol {
	const char *name;
	const char *version; /* "" if it has none */
	const char *library; /* undefined: DT_NEEDED name its version is of, or
				"" */
	uint64_t value;	     /* st_value: offset from the load address */
	uint64_t size;
	uint8_t type;	    /* enum elf_type */
	uint8_t binding;    /* enum elf_binding */
	uint8_t visibility; /* STV_..., 0 default 1 internal 2 hidden 3 prot. */
	uint8_t other;	    /* st_other, whole */
	bool defined;	    /* exported here; else imported */
	bool is_default;    /* NAME@@VERSION, or no version: plain lookups get
				it; false for NAME@VERSION */
	bool variant;	    /* a calling convention that must be bound at load:
				STO_AARCH64_VARIANT_PCS, STO_RISCV_VARIANT_CC */
};

struct elf_view;

/*
 * Reads the dynamic part of an open file. `name` is used in messages only.
 * 0, or, with message, -DLAZY_EFORMAT (not ELF, damaged, truncated, or a table
 * of more than 64 MiB), -DLAZY_EMACHINE (of another class, byte order or
 * machine: this reader takes native files apart, of others the message says
 * what they are for), -DLAZY_EIO, -DLAZY_ENOMEM.
 *
 * Takes any ET_DYN or ET_EXEC of the native class, byte order and machine;
 * whether it can be dlopen'ed is elf_view_check_plugin()'s answer. The
 * descriptor is not needed any more afterwards.
 */
int elf_view_open(int fd, const char *name, struct elf_view **ret);

/* The same without symbols and notes, for who follows needed libraries. */
int elf_view_open_needs(int fd, const char *name, struct elf_view **ret);
void elf_view_close(struct elf_view *view);

/* The memory that it takes, about. */
size_t elf_view_memory(const struct elf_view *view);

/* Is it a shared object that dlopen takes? 0, or -DLAZY_EFORMAT with why. */
int elf_view_check_plugin(const struct elf_view *view, const char *name);

static inline void cleanup_elf_view(struct elf_view **view)
{
	elf_view_close(*view);
}
#define _cleanup_elf_view_ _cleanup_(cleanup_elf_view)

/* Room that the thread-local storage of its own (PT_TLS) takes in each thread,
 * aligned; 0: none. */
uint64_t elf_view_tls_size(const struct elf_view *view);

unsigned elf_view_flags(const struct elf_view *view);	   /* enum elf_flags */
const char *elf_view_soname(const struct elf_view *view);  /* "" if none */
const char *elf_view_rpath(const struct elf_view *view);   /* "" if none */
const char *elf_view_runpath(const struct elf_view *view); /* "" if none */
const char *elf_view_interpreter(const struct elf_view *view); /* or "" */
size_t elf_view_needed_count(const struct elf_view *view);
const char *elf_view_needed(const struct elf_view *view, size_t i);

/* The GNU build-id; *ret_size is 0 if there is none. At most 64 bytes. */
const uint8_t *elf_view_build_id(const struct elf_view *view, size_t *ret_size);

/* A note: of PT_NOTE; without a build-id there, of SHT_NOTE sections too. */
struct elf_note {
	const char *owner; /* ended by NUL */
	uint32_t type;
	const uint8_t *data;
	size_t size;
};
/* What a file opens itself, as JSON (.note.dlopen, UAPI.12 of
 * https://uapi-group.org/specifications). */
#define ELF_NOTE_DLOPEN_OWNER "FDO"
#define ELF_NOTE_DLOPEN 0x407c0c0au
size_t elf_view_note_count(const struct elf_view *view);
struct elf_note elf_view_note(const struct elf_view *view, size_t i);

/*
 * Whether the viewed file, open as fd, has a note of that owner and type, in
 * PT_NOTE, or else in a SHT_NOTE section. 1 or 0, or, with message, a state.
 */
int elf_view_has_note(struct elf_view *view, int fd, const char *name,
		      const char *owner, uint32_t type);

/*
 * One note of an open file that has no view: the first of that owner and type, of
 * PT_NOTE, or else of SHT_NOTE sections. *ret is malloc'd, with a NUL behind its
 * *ret_size bytes. 0, or, with message, -DLAZY_ENOENT: it has none; else as
 * elf_view_open().
 */
int elf_note_read(int fd, const char *name, const char *owner, uint32_t type,
		  char **ret, size_t *ret_size);

/* Number of dynamic symbols, the null symbol included; symbol 0 is it. */
size_t elf_view_symbol_count(const struct elf_view *view);

/* false: entry i is neither an export nor an import (the null symbol, a local
 * or hidden one), or is damaged (name outside the table); skip it. */
bool elf_view_symbol(const struct elf_view *view, size_t i,
		     struct elf_symbol *ret);

/* The same for imports alone: false for exports, too. */
bool elf_view_import(const struct elf_view *view, size_t i,
		     struct elf_symbol *ret);

/* The versions that this file defines, by their indexes, which begin at 2;
 * NULL: no such one. A plain import, made when there were no versions yet,
 * binds to the one of index 2. */
size_t elf_view_version_end(const struct elf_view *view);
const char *elf_view_version(const struct elf_view *view, size_t i);

/* The versions that it needs of others, by the same indexes, both NULL at those
 * that are its own. false: there are no more. */
bool elf_view_needed_version(const struct elf_view *view, size_t i,
			     const char **ret_library, const char **ret_name);

/*
 * Looks one export up by name, as dlsym (version NULL: the default) or dlvsym
 * (a file without any versions has each one) would in this file alone: through
 * DT_GNU_HASH or DT_HASH where they are sound, else by going through the
 * table. false: not exported.
 */
bool elf_view_find(const struct elf_view *view, const char *name,
		   const char *version, struct elf_symbol *ret);

/* Would it be found? For who asks many files: `hash` is the name's gnu_hash_of()
 * (hash.h). */
bool elf_view_defines(const struct elf_view *view, const char *name,
		      const char *version, uint32_t hash);

/* The machine an ELF file is for, as words ("x86-64", "AArch64", "machine
 * 243"): from its first 64 bytes, in any class and byte order. Static or in
 * `buffer`. NULL: not ELF. */
const char *elf_machine_name(const uint8_t *header, size_t size, char *buffer,
			     size_t buffer_size);

/* Words for the enums: "func", "ifunc", "object", "tls", "notype", "other". */
const char *elf_type_name(unsigned type);

#endif
