/* SPDX-License-Identifier: MIT */
/*
 * Searching code for references to addresses. It is not known where
 * instructions begin, so every byte is taken as a possible beginning.
 *
 * Source: Intel SDM volume 2, chapter 2 and the opcode map.
 */
#include "link/code/uses.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"

#include <string.h>

/* A bit for each address from 0 on. */
struct uses {
	uint8_t *used, *again, *called; /* again: more than once */
	uint64_t end;
	struct elf_range code; /* from the first to the last */
};

void uses_free(struct uses *uses)
{
	if (!uses)
		return;
	free(uses->used);
	free(uses->again);
	free(uses->called);
	free(uses);
}

static void cleanup_uses(struct uses **uses)
{
	uses_free(*uses);
}

static uint8_t bit_of(uint64_t address)
{
	return (uint8_t)(1u << address % 8);
}

static void use(struct uses *uses, uint64_t address)
{
	if (address >= uses->end)
		return;
	uses->again[address / 8] |= uses->used[address / 8] & bit_of(address);
	uses->used[address / 8] |= bit_of(address);
}

static uint64_t distance_at(const uint8_t *at)
{
	int32_t distance;

	memcpy(&distance, at, sizeof(distance));
	return (uint64_t)(int64_t)distance;
}

/*
 * How many bytes an operand behind the distance can have, as bits: 1 << bytes.
 */
enum {
	NO_MORE = 1 << 0,
	BYTE_MORE = 1 << 1,
	SHORT_MORE = 1 << 2,
	WORD_MORE = 1 << 4
};

static bool is_among(uint8_t byte, const uint8_t *list, size_t count)
{
	return memchr(list, byte, count) != NULL;
}

/* A prefix 66 before the opcode, or before its REX prefix. */
static bool has_short_operands(const uint8_t *at, size_t before)
{
	return (before > 1 && at[-2] == 0x66) ||
	       (before > 2 && (at[-2] & 0xf0) == 0x40 && at[-3] == 0x66);
}

/* By the opcode, which ends before the ModRM byte at `at`. */
static unsigned operands_of(const uint8_t *at, size_t before)
{
	static const uint8_t bytes[] = {0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6};
	static const uint8_t words[] = {0x69, 0x81, 0xc7};
	static const uint8_t two_bytes[] = {0x70, 0x71, 0x72, 0x73, 0xa4, 0xac,
					    0xba, 0xc2, 0xc4, 0xc5, 0xc6};
	uint8_t opcode = before > 0 ? at[-1] : 0;
	bool is_first = (at[0] >> 3 & 7) < 2;

	if (before > 2 && at[-3] == 0x0f && (at[-2] == 0x3a || at[-2] == 0x38))
		return at[-2] == 0x3a ? BYTE_MORE : NO_MORE;
	if (before > 1 && at[-2] == 0x0f)
		return is_among(opcode, two_bytes, sizeof(two_bytes))
			       ? BYTE_MORE
			       : NO_MORE;
	/* VEX, EVEX: the opcode's map is in the prefix. */
	if ((before > 2 && at[-3] == 0xc5) || (before > 3 && at[-4] == 0xc4) ||
	    (before > 4 && at[-5] == 0x62))
		return NO_MORE | BYTE_MORE;
	if (is_among(opcode, bytes, sizeof(bytes)) ||
	    (opcode == 0xf6 && is_first))
		return BYTE_MORE;
	if (is_among(opcode, words, sizeof(words)) ||
	    (opcode == 0xf7 && is_first))
		return has_short_operands(at, before) ? SHORT_MORE : WORD_MORE;
	return NO_MORE;
}

/*
 * x86-64 (SDM volume 2, chapter 2): a ModRM byte of mode 0 and base 5 is
 * followed by a distance from the end of the instruction, behind which there
 * may be an operand. Where instructions begin is not known: each byte may be a
 * ModRM, and then what is before it is the opcode.
 */
static void use_all(struct uses *uses, const uint8_t *code, size_t size,
		    uint64_t address)
{
	for (size_t i = 0; i + 5 <= size; i++) {
		if ((code[i] & 0xc7) != 0x05)
			continue;
		unsigned operands = operands_of(code + i, i);
		uint64_t to = address + i + 5 + distance_at(code + i + 1);

		for (unsigned n = 0; operands >> n; n++)
			if (operands >> n & 1)
				use(uses, to + n);
	}
}

static void call(struct uses *uses, uint64_t address)
{
	if (address < uses->end)
		uses->called[address / 8] |= bit_of(address);
}

/* A call, a jmp or a jcc with a distance of 4 bytes ends its opcode so. */
static bool is_long_branch(const uint8_t *at, size_t before)
{
	return at[0] == 0xe8 || at[0] == 0xe9 ||
	       (before > 0 && at[-1] == 0x0f && (at[0] & 0xf0) == 0x80);
}

/* A jmp or a jcc with one of 1 byte. */
static bool is_short_branch(const uint8_t *at)
{
	return at[0] == 0xeb || (at[0] & 0xf0) == 0x70;
}

static void call_all(struct uses *uses, const uint8_t *code, size_t size,
		     uint64_t address)
{
	for (size_t i = 0; i + 5 <= size; i++)
		if (is_long_branch(code + i, i))
			call(uses, address + i + 5 + distance_at(code + i + 1));
	for (size_t i = 0; i + 2 <= size; i++)
		if (is_short_branch(code + i))
			call(uses,
			     address + i + 2 + (uint64_t)(int8_t)code[i + 1]);
}

/* Does a text begin there, behind the end of something? */
static bool begins_text(const uint8_t *data, size_t size, uint64_t at)
{
	return at > 0 && at < size && data[at - 1] == 0 && data[at] >= ' ' &&
	       data[at] <= '~';
}

static bool is_used_at(const struct uses *uses, uint64_t address)
{
	return address < uses->end && uses->used[address / 8] & bit_of(address);
}

static bool is_in_code(const struct uses *uses, uint64_t address)
{
	return address >= uses->code.start && address < uses->code.end;
}

/*
 * A table of texts, or of functions, may be one of their distances from its
 * begin, which the code has the address of. It ends before the next that it has.
 */
static void use_table(struct uses *uses, const uint8_t *data, size_t size,
		      uint64_t address, size_t table)
{
	for (size_t i = table; i + 4 <= size; i += 4) {
		uint64_t to = table + distance_at(data + i);

		if (address + to >= uses->end)
			return;
		if (is_in_code(uses, address + to))
			use(uses, address + to);
		else if (begins_text(data, size, to))
			uses->again[(address + to) / 8] |= bit_of(address + to);
		else
			return;
		if (is_used_at(uses, address + i + 4))
			return;
	}
}

static void use_tables(struct uses *uses, const uint8_t *data, size_t size,
		       uint64_t address)
{
	for (size_t i = 0; i < size; i++)
		if (is_used_at(uses, address + i))
			use_table(uses, data, size, address, i);
}

static bool is_code(const ElfN(Phdr) * segment)
{
	return segment->p_type == PT_LOAD && segment->p_flags & PF_X;
}

static struct elf_range code_of(const struct image *image)
{
	struct elf_range code = {UINT64_MAX, 0};

	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];
		uint64_t end = segment->p_vaddr + segment->p_memsz;

		if (!is_code(segment))
			continue;
		if (segment->p_vaddr < code.start)
			code.start = segment->p_vaddr;
		if (end > code.end)
			code.end = end;
	}
	return code;
}

/* Where instructions could point. */
static uint64_t end_of(const struct image *image)
{
	uint64_t end = 0;

	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];
		uint64_t own = segment->p_vaddr + segment->p_memsz;

		if (segment->p_type == PT_LOAD && own > end)
			end = own;
	}
	return end;
}

static int prepare(struct uses *uses, const struct image *image)
{
	if (image->header.e_machine != EM_X86_64)
		return status_fail(DLAZY_ENOSYS, "%s: code that is not known",
				   image->name);
	uses->end = end_of(image);
	uses->code = code_of(image);
	if (uses->end / 8 > IMAGE_TABLE_MAX)
		return image_damaged(image, "segments of such a size");
	uses->used = calloc(1, uses->end / 8 + 1);
	uses->again = calloc(1, uses->end / 8 + 1);
	uses->called = calloc(1, uses->end / 8 + 1);
	if (!uses->used || !uses->again || !uses->called)
		return status_no_memory(image->name);
	return 0;
}

static bool is_constant(const ElfN(Phdr) * segment)
{
	return segment->p_type == PT_LOAD &&
	       !(segment->p_flags & (PF_X | PF_W));
}

typedef void look_fn(struct uses *uses, const uint8_t *bytes, size_t size,
		     uint64_t address);

/* Looks through all segments of a kind. */
static int look_through(struct uses *uses, const struct image *image,
			bool is_kind(const ElfN(Phdr) *), look_fn *look)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];
		_cleanup_free_ uint8_t *bytes = NULL;

		if (!is_kind(segment))
			continue;
		r = image_read_address(image, "its code", segment->p_vaddr,
				       segment->p_filesz, (void **)&bytes);
		if (r == 0)
			look(uses, bytes, segment->p_filesz, segment->p_vaddr);
	}
	return r;
}

int uses_read(int fd, const char *name, struct uses **ret)
{
	_cleanup_(cleanup_uses) struct uses *uses = calloc(1, sizeof(*uses));
	_cleanup_(image_clear) struct image image = {.fd = -1};

	if (!uses)
		return status_no_memory(name);
	int r = image_open(&image, fd, name);
	if (r == 0)
		r = prepare(uses, &image);
	if (r == 0)
		r = look_through(uses, &image, is_code, use_all);
	if (r == 0)
		r = look_through(uses, &image, is_code, call_all);
	if (r == 0)
		r = look_through(uses, &image, is_constant, use_tables);
	if (r == 0)
		*ret = TAKE_PTR(uses);
	return r;
}

static bool has(const struct uses *uses, const uint8_t *bits, uint64_t address)
{
	return address >= uses->end || bits[address / 8] & bit_of(address);
}

static bool has_any(const struct uses *uses, const uint8_t *bits,
		    struct elf_range range)
{
	for (uint64_t at = range.start; at < range.end; at++)
		if (has(uses, bits, at))
			return true;
	return false;
}

bool uses_has(const struct uses *uses, struct elf_range range)
{
	return !uses || has_any(uses, uses->used, range);
}

bool uses_has_again(const struct uses *uses, struct elf_range range)
{
	return !uses || has_any(uses, uses->again, range);
}

bool uses_calls(const struct uses *uses, uint64_t address)
{
	return !uses || has(uses, uses->called, address);
}
