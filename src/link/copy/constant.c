/* SPDX-License-Identifier: MIT */
/*
 * Whether an address that a function returns is that of a text: a string that
 * stands behind the NUL of another, is printable and ends with a NUL, as
 * compilers lay out string literals. Anything else that a function returns the
 * address of may also be reached from an address beside it, as the end of a
 * table or one of its rows.
 */
#include "link/copy/constant.h"

#include "base/cleanup.h"
#include "base/status.h"

#include <stdlib.h>

/* A longer one is not returned by a function that does nothing else. */
#define TEXT_MAX 16384

static bool is_printable(uint8_t byte)
{
	return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\t';
}

/* Is there a text, whole and alone: printable, its NUL included, behind the NUL
 * of another? */
static bool is_text(const struct addrtaken *addrtaken, uint64_t address,
		    struct elf_range *ret)
{
	struct elf_range cell;
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t n = 0;

	if (elf_data_region(addrtaken_data(addrtaken), address, &cell) !=
		    ELF_REGION_CONSTANT ||
	    addrtaken_narrow(addrtaken, address, &cell))
		return false;
	size_t before = address > cell.start;
	if (cell.end - address > TEXT_MAX)
		cell.end = address + TEXT_MAX;
	size_t room = cell.end - address;
	cell.start = address - before;
	if (elf_data_read(addrtaken_data(addrtaken), cell, &bytes) < 0) {
		status_clear();
		return false;
	}
	const uint8_t *text = bytes + before;
	while (n < room && is_printable(text[n]))
		n++;
	*ret = (struct elf_range){address, address + n + 1};
	return n > 0 && n < room && text[n] == 0 &&
	       (before == 0 || bytes[0] == 0);
}

/*
 * Can the text that a function returns be elsewhere? If nothing but that
 * function knows of it: who else could compare with its address?
 */
static bool is_secret(struct addrtaken *addrtaken, struct elf_range text)
{
	const struct elf_range inner = {text.start + 1, text.end};
	size_t relocated;

	elf_data_fixups(addrtaken_data(addrtaken), text, &relocated);
	return !addrtaken_by_code_again(addrtaken, text) &&
	       !addrtaken_by_code(addrtaken, inner) &&
	       addrtaken_pointers(addrtaken, text) == 0 && relocated == 0;
}

bool constant_allowed(const struct addrtaken *addrtaken,
		      const struct elf_view *view, bool constructs)
{
	return !constructs && !code_destructs(addrtaken_data(addrtaken), view);
}

bool constant_find(struct addrtaken *addrtaken, const struct elf_symbol *symbol,
		   struct constant *ret)
{
	*ret = (struct constant){.function = symbol->value};
	if (symbol->type != ELF_TYPE_FUNC ||
	    !code_returns_constant(addrtaken_data(addrtaken), symbol->value,
				   symbol->size, &ret->what))
		return false;
	return ret->what.kind != CODE_CONSTANT_ADDRESS ||
	       (is_text(addrtaken, ret->what.value, &ret->text) &&
		addrtaken_calls_by_symbol(addrtaken, symbol->value) &&
		is_secret(addrtaken, ret->text));
}
