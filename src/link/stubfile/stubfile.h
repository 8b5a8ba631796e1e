/* SPDX-License-Identifier: MIT */
/*
 * Stub files: ELF written directly, without a compiler or linker. Each needs
 * libdlazy (stub/linked.h has the ABI) and is what binutils, gdb and elfutils
 * expect of an ELF file: section headers, symbols, unwind tables, CET or BTI
 * notes, no executable stack.
 */
#ifndef LINK_STUBFILE_STUBFILE_H
#define LINK_STUBFILE_STUBFILE_H

#include "elf/cpu.h"
#include "link/stubfile/library.h"

#include <stdint.h>

/* The CPU of this machine; ELF_CPU_NONE: stub files are not written for it. */
enum elf_cpu stubfile_native(void);

/* Bytes of a file, malloc'd. */
struct stubfile {
	uint8_t *data;
	size_t size;
};

/* .note.dlopen (UAPI.12) entries; NULL feature: no note. */
struct stubfile_note {
	const char *feature, *description;
	const char *priority; /* "required", "recommended", "suggested" */
};

struct stubfile_options {
	enum elf_cpu cpu;
	struct stubfile_note note;
	bool exported; /* .o, .a: global symbols, not hidden ones */
	const struct stubfile *alone; /* .a: the object that serves a standalone
					 one; NULL: libdlazy does */
	const char *prefix; /* of the helpers PREFIX_available() ...; NULL:
			       from the SONAME; "": no helpers */
	/* .so: */
	const char *libdlazy;	   /* DT_NEEDED for it */
	const char *const *needed; /* further DT_NEEDED; NULL-ended or NULL */
};

/* A relocatable object, to be linked in place of the library: the functions
 * that a plain link would find, each weak (a program's own definition goes
 * first) and, unless exported, hidden. Data are left out: a program that uses
 * them by name does not link. 0, or with message -DLAZY_ENOMEM, -DLAZY_EFORMAT
 * (too large), -DLAZY_ENOSYS (this machine is big-endian); so of the others. */
int stubfile_object(const struct library *library,
		    const struct stubfile_options *options,
		    struct stubfile *ret);

/* The same in an archive, with a member for each function. */
int stubfile_archive(const struct library *library,
		     const struct stubfile_options *options,
		     struct stubfile *ret);

/* A shared object of the library's SONAME and versions; data are resolved when
 * they are bound. Also -DLAZY_EFORMAT: more versions than ELF can tell apart.
 */
int stubfile_shared(const struct library *library,
		    const struct stubfile_options *options,
		    struct stubfile *ret);

/* All lazy libraries of a program in one shared object. Of a symbol that
 * several export, only the first is. */
struct stubfile_run {
	const char *directory; /* see struct linked_run */
	const char *touched;
};
int stubfile_combined(const struct library *libraries, size_t count,
		      const struct stubfile_run *run,
		      const struct stubfile_options *options,
		      struct stubfile *ret);

void stubfile_clear(struct stubfile *file);

#endif
