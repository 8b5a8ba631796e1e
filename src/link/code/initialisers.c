/* SPDX-License-Identifier: MIT */
/*
 * A function reaches from its beginning, as .eh_frame_hdr has it, to the next. Where
 * instructions begin is not known, so each byte may begin one (uses.c). Bytes that
 * are no instruction seldom give the address of a function's beginning, or of a slot
 * of the GOT. So more may be found than is reached, but not less.
 */
#include "link/code/initialisers.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTION_MAX (1u << 20)
#define FUNCTIONS_MAX 20000
#define PLT_ENTRY 16
#define TABLE_GAP 4 /* words without a relocation that end a table */

const char initialisers_mode[] = "ldmxcsr (the floating-point mode)";

struct reach {
	const struct elf_data *data;
	const struct elf_view *view;
	initialisers_fn *fn;
	void *arg;
	uint64_t *functions; /* found; those before `done` are gone through */
	size_t count, room, done;
	struct map seen;  /* begin of a function -> itself */
	struct map words; /* of tables: what stands from there on is seen */
	bool stopped, failed;
};

static void reach_end(struct reach *reach)
{
	free(reach->functions);
	map_clear(&reach->seen);
	map_clear(&reach->words);
}

static void add_function(struct reach *reach, uint64_t address)
{
	if (map_get(&reach->seen, address))
		return;
	if (reach->count == FUNCTIONS_MAX ||
	    !array_reserve(&reach->functions, reach->count, &reach->room,
			   sizeof(*reach->functions)) ||
	    !map_put(&reach->seen, address, reach)) {
		reach->failed = true;
		return;
	}
	reach->functions[reach->count++] = address;
}

static const struct elf_fixup *fixup_at(const struct reach *reach,
					uint64_t word)
{
	size_t n;
	const struct elf_fixup *fixup = elf_data_fixups(
		reach->data, (struct elf_range){word, word + 1}, &n);

	return n == 1 ? fixup : NULL;
}

/* A word that a relocation fills with a symbol's address, or a function's. */
static void see_word(struct reach *reach, uint64_t address)
{
	struct elf_symbol symbol;
	const struct elf_fixup *fixup = fixup_at(reach, address);

	if (!fixup)
		return;
	if (fixup->kind == ELF_FIXUP_RELATIVE &&
	    elf_data_is_function(reach->data, (uint64_t)fixup->addend))
		add_function(reach, (uint64_t)fixup->addend);
	if (fixup->symbol == 0 ||
	    !elf_view_symbol(reach->view, fixup->symbol, &symbol))
		return;
	if (symbol.defined && symbol.value)
		add_function(reach, symbol.value);
	if (!reach->fn(&symbol, reach->arg))
		reach->stopped = true;
}

/* What stands in data from an address on. The GOT is no table: each of its words
 * is another's. */
static void see_table(struct reach *reach, uint64_t address)
{
	struct elf_range range;

	see_word(reach, address);
	if (elf_data_region(reach->data, address, &range) == ELF_REGION_NONE)
		return;
	for (unsigned gap = 0; gap <= TABLE_GAP && !reach->stopped; gap++) {
		const struct elf_fixup *fixup = fixup_at(reach, address += 8);

		if (!fixup)
			continue;
		if (fixup->kind == ELF_FIXUP_SLOT ||
		    fixup->kind == ELF_FIXUP_CALL ||
		    map_get(&reach->words, address))
			return;
		if (!map_put(&reach->words, address, reach)) {
			reach->failed = true;
			return;
		}
		see_word(reach, address);
		gap = 0;
	}
}

static uint64_t target_of(const uint8_t *at, uint64_t end)
{
	int32_t distance;

	memcpy(&distance, at, sizeof(distance));
	return end + (uint64_t)(int64_t)distance;
}

/* An entry of the PLT jumps to what a slot has. */
static void see_plt(struct reach *reach, uint64_t entry)
{
	struct elf_range range;
	_cleanup_free_ uint8_t *code = NULL;

	if (elf_data_region(reach->data, entry, &range) != ELF_REGION_CODE ||
	    range.end - entry < PLT_ENTRY)
		return;
	range = (struct elf_range){entry, entry + PLT_ENTRY};
	if (elf_data_read(reach->data, range, &code) < 0) {
		status_clear();
		reach->failed = true;
		return;
	}
	for (size_t i = 0; i + 6 <= PLT_ENTRY; i++)
		if (code[i] == 0xff && code[i + 1] == 0x25) {
			see_word(reach, target_of(code + i + 2, entry + i + 6));
			return;
		}
}

static void see_branch(struct reach *reach, uint64_t target)
{
	if (elf_data_is_function(reach->data, target))
		add_function(reach, target);
	else
		see_plt(reach, target);
}

static void see_address(struct reach *reach, uint64_t target, bool is_table)
{
	if (elf_data_is_function(reach->data, target))
		add_function(reach, target);
	else if (is_table)
		see_table(reach, target);
	else
		see_word(reach, target);
}

/* A call or a jump through a register, or through memory that one points at. */
static bool is_indirect(const uint8_t *code, size_t i)
{
	unsigned kind = code[i + 1] >> 3 & 7;

	return code[i] == 0xff && (kind == 2 || kind == 4) &&
	       (code[i + 1] & 0xc7) != 0x05;
}

static bool has_indirect(const uint8_t *code, size_t size)
{
	for (size_t i = 0; i + 2 <= size; i++)
		if (is_indirect(code, i))
			return true;
	return false;
}

/* ldmxcsr, of which vldmxcsr has the same end (SDM volume 2). */
static bool sets_mode(const uint8_t *code, size_t i)
{
	return (code[i] == 0x0f || (code[i] & 0xfb) == 0xf8) &&
	       code[i + 1] == 0xae && (code[i + 2] >> 3 & 7) == 2 &&
	       code[i + 2] < 0xc0;
}

static void see_mode(struct reach *reach)
{
	const struct elf_symbol symbol = {.name = initialisers_mode};

	if (!reach->fn(&symbol, reach->arg))
		reach->stopped = true;
}

static bool is_branch(const uint8_t *code, size_t i)
{
	return code[i] == 0xe8 || code[i] == 0xe9 ||
	       (i > 0 && code[i - 1] == 0x0f && (code[i] & 0xf0) == 0x80);
}

static void go_through(struct reach *reach, uint64_t function)
{
	struct elf_range range;
	_cleanup_free_ uint8_t *code = NULL;

	if (elf_data_region(reach->data, function, &range) != ELF_REGION_CODE)
		return;
	range.start = function;
	uint64_t end = elf_data_next_function(reach->data, function);
	if (end < range.end)
		range.end = end;
	if (range.end - range.start > FUNCTION_MAX ||
	    elf_data_read(reach->data, range, &code) < 0) {
		status_clear();
		reach->failed = true;
		return;
	}
	size_t size = range.end - range.start;
	bool indirect = has_indirect(code, size);
	for (size_t i = 0; i + 5 <= size && !reach->stopped; i++) {
		uint64_t target = target_of(code + i + 1, function + i + 5);

		if (is_branch(code, i))
			see_branch(reach, target);
		if ((code[i] & 0xc7) == 0x05)
			see_address(reach, target, indirect);
	}
	for (size_t i = 0; i + 3 <= size && !reach->stopped; i++)
		if (sets_mode(code, i))
			see_mode(reach);
}

bool initialisers_reach(const struct elf_data *data,
			const struct elf_view *view, struct elf_calls calls,
			initialisers_fn *fn, void *arg)
{
	_cleanup_(reach_end) struct reach reach = {
		.data = data, .view = view, .fn = fn, .arg = arg};
	size_t n;

	if (!elf_data_is_x86_64(data))
		return false;
	if (calls.function)
		add_function(&reach, calls.function);
	const struct elf_fixup *fixups =
		elf_data_fixups(data, calls.pointers, &n);
	for (size_t i = 0; i < n; i++)
		if (fixups[i].kind == ELF_FIXUP_RELATIVE)
			add_function(&reach, (uint64_t)fixups[i].addend);
		else
			see_word(&reach, fixups[i].address);
	while (reach.done < reach.count && !reach.stopped && !reach.failed)
		go_through(&reach, reach.functions[reach.done++]);
	return !reach.failed;
}
