/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the bytes are an ELF file; everything that can be asked of it is
 * asked. Built and run by tests/fuzz/run. (tests/unit/test-view-mutations.c
 * does a fixed share of this.)
 */
#include "base/cleanup.h"
#include "link/code/functions.h"
#include "link/code/uses.h"
#include "elf/view.h"

#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at every byte a string has. */
static size_t read_text(const char *text)
{
	return strlen(text);
}

static void ask_symbols(const struct elf_view *view)
{
	struct elf_symbol symbol, found;
	size_t n = elf_view_symbol_count(view);

	for (size_t i = 0; i < n; i++) {
		if (!elf_view_symbol(view, i, &symbol))
			continue;
		read_text(symbol.name);
		read_text(symbol.version);
		read_text(symbol.library);
		/* All of a small table; of a large one enough. */
		if (i % (n / 64 + 1) == 0) {
			elf_view_find(view, symbol.name, NULL, &found);
			elf_view_find(view, symbol.name, symbol.version,
				      &found);
		}
	}
	elf_view_find(view, "no such symbol", NULL, &found);
}

static void ask_notes(const struct elf_view *view)
{
	volatile uint8_t last;

	for (size_t i = 0; i < elf_view_note_count(view); i++) {
		struct elf_note note = elf_view_note(view, i);

		read_text(note.owner);
		if (note.size)
			last = note.data[note.size - 1];
	}
	(void)last;
}

static void ask(const struct elf_view *view)
{
	size_t size;

	read_text(elf_view_soname(view));
	read_text(elf_view_rpath(view));
	read_text(elf_view_runpath(view));
	read_text(elf_view_interpreter(view));
	for (size_t i = 0; i < elf_view_needed_count(view); i++)
		read_text(elf_view_needed(view, i));
	elf_view_build_id(view, &size);
	elf_view_check_plugin(view, "fuzz");
	ask_symbols(view);
	ask_notes(view);
}

/* What lies around an address, and what is made of it. */
static void ask_place(const struct elf_data *data, uint64_t address)
{
	struct elf_range range;
	_cleanup_free_ uint8_t *bytes = NULL;
	volatile uint8_t last;
	size_t n;

	elf_data_is_function(data, address);
	if (elf_data_region(data, address, &range) == ELF_REGION_NONE)
		return;
	elf_data_fixups(data, range, &n);
	range.start = address;
	if (range.end - address > 4096)
		range.end = address + 4096;
	if (range.end > address && elf_data_read(data, range, &bytes) == 0)
		last = bytes[range.end - address - 1];
	(void)last;
}

/* All the code of a large file would take too long, so often. */
#define SMALL (256u << 10)

static void ask_uses(int fd)
{
	struct uses *uses = NULL;

	uses_read(fd, "fuzz", &uses);
	uses_has(uses, (struct elf_range){0, 4096});
	uses_has_again(uses, (struct elf_range){1, 9});
	uses_calls(uses, 2);
	uses_free(uses);
}

static void ask_data(const struct elf_view *view, int fd)
{
	_cleanup_elf_data_ struct elf_data *data = NULL;
	size_t n = elf_view_symbol_count(view), fixups;
	struct elf_symbol symbol;
	struct code_constant constant;

	if (elf_data_open(fd, "fuzz", &data) < 0)
		return;
	for (size_t i = 0; i < n; i += n / 32 + 1) {
		if (!elf_view_symbol(view, i, &symbol))
			continue;
		ask_place(data, symbol.value);
		code_returns_constant(data, symbol.value, symbol.size,
				      &constant);
	}
	code_constructs(data, view);
	code_destructs(data, view);
	const struct elf_fixup *list = elf_data_fixups(
		data, (struct elf_range){0, UINT64_MAX}, &fixups);
	for (size_t i = 0; i < fixups; i += fixups / 32 + 1) {
		ask_place(data, list[i].address);
		ask_place(data, (uint64_t)list[i].addend);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = memfd_create("fuzz-view", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, data, size) == (ssize_t)size &&
	    elf_view_open(fd, "fuzz", &view) == 0) {
		ask(view);
		ask_data(view, fd);
		if (size < SMALL)
			ask_uses(fd);
	}
	return 0;
}
