/* SPDX-License-Identifier: MIT */
/* Linked stubs for the tests of the slow path alone: see stub-target.h. */
#include "tests/fixtures/linked-macros.S"

	library target_linked
	file	target_linked, "none"
	words	target_linked, "", ""
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	function target_linked, target_linked_\n, "\n"
	.endr
	finish	target_linked, 0, 0
