/* SPDX-License-Identifier: MIT */
/*
 * The data of a file as they will be once the dynamic linker has relocated
 * them: which bytes are at an address, how they are protected, and which of
 * them are relocated to what. The bytes are hostile, as everywhere in this
 * folder.
 */
#ifndef LINK_CODE_RELOCATIONS_H
#define LINK_CODE_RELOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How an address is protected once its file is relocated. */
enum elf_region {
	ELF_REGION_NONE, /* it is in no segment, or is the linker's own: the
			    dynamic section, arrays of constructors, the GOT */
	ELF_REGION_CODE,
	ELF_REGION_CONSTANT, /* never written */
	ELF_REGION_RELRO,    /* relocated, then read-only */
	ELF_REGION_WRITABLE,
};

struct elf_range {
	uint64_t start, end;
};

enum elf_fixup_kind {
	ELF_FIXUP_RELATIVE, /* 8 bytes: the load address and the addend */
	ELF_FIXUP_ADDRESS,  /* 8 bytes: the symbol's address and the addend */
	ELF_FIXUP_SLOT,	    /* of the GOT: the symbol's address */
	ELF_FIXUP_CALL,	    /* of the PLT: likewise, for calls alone */
	ELF_FIXUP_OTHER,
};

struct elf_fixup {
	uint64_t address;
	int64_t addend;
	uint32_t symbol; /* for elf_view_symbol(); 0: none */
	uint8_t kind;	 /* enum elf_fixup_kind */
};

struct elf_data;

/*
 * Reads the relocations of an open file, which has to stay open for as long.
 * name: for messages, borrowed. 0, or, with message, what elf_view_open()
 * gives; also -DLAZY_ENOSYS: relocations of a kind, or of a CPU, that is not
 * known here.
 */
int elf_data_open(int fd, const char *name, struct elf_data **ret);
void elf_data_close(struct elf_data *data);
static inline void cleanup_elf_data(struct elf_data **data)
{
	elf_data_close(*data);
}
#define _cleanup_elf_data_ _cleanup_(cleanup_elf_data)

/* How an address is protected; *ret_range: what lies around it and is alike,
 * in one piece. */
enum elf_region elf_data_region(const struct elf_data *data, uint64_t address,
				struct elf_range *ret_range);

/* The relocations, in the order of their addresses: those of a range. */
const struct elf_fixup *elf_data_fixups(const struct elf_data *data,
					struct elf_range range,
					size_t *ret_count);

/* What the linker calls when it has loaded the file, or when it is about to
 * unload it: DT_INIT or DT_FINI, and the pointers of the array. */
struct elf_calls {
	uint64_t function; /* 0: none */
	struct elf_range pointers;
};
struct elf_calls elf_data_constructors(const struct elf_data *data);
struct elf_calls elf_data_destructors(const struct elf_data *data);

/* The size of the section that begins at an address; 0: not known. */
uint64_t elf_data_section_size(const struct elf_data *data, uint64_t address);

bool elf_data_is_x86_64(const struct elf_data *data);

/* The bytes before relocation, malloc'd; 0 or -DLAZY_EFORMAT, -DLAZY_EIO,
 * -DLAZY_ENOMEM. The range lies in one region. */
int elf_data_read(const struct elf_data *data, struct elf_range range,
		  uint8_t **ret);

/*
 * Returns true if a function begins there, according to the search table of
 * .eh_frame_hdr, which lists nearly all; false in doubt.
 */
bool elf_data_is_function(const struct elf_data *data, uint64_t address);

/* Where the next function behind an address begins, by the same table;
 * UINT64_MAX: there is none. */
uint64_t elf_data_next_function(const struct elf_data *data, uint64_t address);

#endif
