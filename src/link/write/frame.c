/* SPDX-License-Identifier: MIT */
/*
 * Writing unwind tables. There is one CIE, and every FDE has the same size, so
 * that all places can be computed.
 *
 * Sources: Linux Standard Base 5.0, "Exception Frames" (.eh_frame and
 * .eh_frame_hdr); DWARF 5, 6.4.
 */
#include "link/write/frame.h"

#include <assert.h>
#include <string.h>

#define CIE_SIZE 24
#define FDE_SIZE 24
#define FDE_CODE 8 /* in an FDE: the distance to its code */

enum {
	DW_EH_PE_pcrel_sdata4 = 0x1b,
	DW_EH_PE_udata4 = 0x03,
	DW_EH_PE_datarel_sdata4 = 0x3b,
	DW_CFA_nop = 0,
	DW_CFA_def_cfa_offset = 0x0e,
	DW_CFA_advance_loc = 0x40,
};

uint64_t build_frame_size(size_t count, bool ended)
{
	return CIE_SIZE + (uint64_t)count * FDE_SIZE +
	       (ended ? sizeof(uint32_t) : 0);
}

uint64_t build_frame_header_size(size_t count)
{
	return 12 + (uint64_t)count * 8;
}

uint64_t build_frame_place(size_t i)
{
	return CIE_SIZE + (uint64_t)i * FDE_SIZE + FDE_CODE;
}

static void put_word(uint8_t *at, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(at, &word, sizeof(word));
}

static void fill_cie(uint8_t *at, const struct build_cpu *cpu)
{
	const uint8_t body[] = {
		1, /* version */
		'z',
		'R',
		'\0', /* augmentation: size, encoding */
		cpu->code_unit,
		0x78, /* data unit: -8, as SLEB128 */
		cpu->return_register,
		1,
		DW_EH_PE_pcrel_sdata4, /* the augmentation's data */
	};

	put_word(at, CIE_SIZE - 4);
	put_word(at + 4, 0);
	memcpy(at + 8, body, sizeof(body));
	memcpy(at + 8 + sizeof(body), cpu->rules, sizeof(cpu->rules));
}

static void fill_fde(uint8_t *at, uint64_t from_start, uint64_t distance,
		     const struct build_frame *frame,
		     const struct build_cpu *cpu)
{
	put_word(at, FDE_SIZE - 4);
	put_word(at + 4, from_start + 4); /* back to the CIE */
	put_word(at + FDE_CODE, distance);
	put_word(at + 12, frame->size);
	at[16] = 0; /* no augmentation's data */
	if (!frame->moves)
		return;
	at[17] = DW_CFA_advance_loc | (frame->moves / cpu->code_unit);
	at[18] = DW_CFA_def_cfa_offset;
	at[19] = cpu->depth + frame->depth;
}

void build_frame_fill(const struct build *b, const struct build_section *s,
		      const struct build_section *code,
		      const struct build_frame *frames, size_t count)
{
	const struct build_cpu *cpu = b->cpu;

	_Static_assert(CIE_SIZE >= 8 + 9 + sizeof(cpu->rules),
		       "the common part fits");
	fill_cie(s->data, cpu);
	for (size_t i = 0; i < count; i++) {
		uint64_t place = build_frame_place(i);
		uint64_t distance = code ? code->address + frames[i].offset -
						    (s->address + place)
					 : 0;
		uint64_t start = place - FDE_CODE;

		fill_fde(s->data + start, start, distance, &frames[i], cpu);
	}
}

void build_frame_header_fill(const struct build_section *header,
			     const struct build_section *s,
			     const struct build_section *code,
			     const struct build_frame *frames, size_t count)
{
	uint8_t *at = header->data;

	at[0] = 1;
	at[1] = DW_EH_PE_pcrel_sdata4;	 /* of the next */
	at[2] = DW_EH_PE_udata4;	 /* of the count */
	at[3] = DW_EH_PE_datarel_sdata4; /* of the table: from here */
	put_word(at + 4, s->address - (header->address + 4));
	put_word(at + 8, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t fde = s->address + build_frame_place(i) - FDE_CODE;

		assert(i == 0 || frames[i].offset > frames[i - 1].offset);
		put_word(at + 12 + i * 8,
			 code->address + frames[i].offset - header->address);
		put_word(at + 16 + i * 8, fde - header->address);
	}
}
