/* SPDX-License-Identifier: MIT */
/*
 * Unwind tables: .eh_frame, and for shared objects .eh_frame_hdr, in which an
 * address is found by bisection. For code that never moves the stack pointer,
 * or moves it once.
 */
#ifndef LINK_WRITE_FRAME_H
#define LINK_WRITE_FRAME_H

#include "link/write/build.h"

/* Code of one description; in the order of offsets. */
struct build_frame {
	uint64_t offset, size; /* in the code */
	/* Behind this many bytes the frame's end is `depth` bytes above where
	 * it was; 0 bytes: never. */
	uint8_t moves, depth;
};

/*
 * The size of .eh_frame; ended: with a terminator, as files that are loaded
 * have it.
 */
uint64_t build_frame_size(size_t count, bool ended);
uint64_t build_frame_header_size(size_t count);

/* The offset in .eh_frame of frame i's distance to its code. */
uint64_t build_frame_place(size_t i);

/* Fills .eh_frame. code: NULL leaves the distances to relocations. */
void build_frame_fill(const struct build *b, const struct build_section *s,
		      const struct build_section *code,
		      const struct build_frame *frames, size_t count);
void build_frame_header_fill(const struct build_section *header,
			     const struct build_section *s,
			     const struct build_section *code,
			     const struct build_frame *frames, size_t count);

#endif
