/* SPDX-License-Identifier: MIT */
/*
 * Included at the end of every x86-64 file of assembly. One object without these
 * marks takes IBT and SHSTK from the whole, so they do not depend on compiler flags;
 * without the last section its stack would be executable.
 */
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5	/* sizes, NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.long	0xc0000002, 4	/* GNU_PROPERTY_X86_FEATURE_1_AND */
	.long	3, 0		/* IBT | SHSTK */

	.section .note.GNU-stack, "", @progbits
