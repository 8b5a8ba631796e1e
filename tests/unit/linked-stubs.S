/* SPDX-License-Identifier: MIT */
/* The linked stubs of test-linked*: see linked-stubs.h. */
#define LINKED_SECTION .data /* linked_files() writes to it */
#include "tests/fixtures/linked-macros.S"

	library linked_host
	file	linked_host, ""
	words	linked_host, "PNG export", "libpng16-16"
	function linked_host, stub_ready, "host_ready"
	function linked_host, stub_runs, "host_runs"
	function linked_host, stub_chosen, "host_chosen"
	finish	linked_host, 0, 0

	library linked_real
	file	linked_real, ""
	words	linked_real, "sums", ""
	function linked_real, stub_sum, "linked_real_sum"
	function linked_real, stub_double_sum, "linked_real_double_sum"
	function linked_real, stub_where, "linked_real_where"
	function linked_real, stub_gone, "linked_real_gone"
	name_of	linked_real, "linked_real_data"
	name_of	linked_real, "linked_real_gone_data"
	finish	linked_real, linked_run, 1

	library linked_plain
	file	linked_plain, ""
	words	linked_plain, "", "plain"
	function linked_plain, stub_plain, "plain_answer"
	finish	linked_plain, linked_run, 0

	library linked_alone
	file	linked_alone, ""
	words	linked_alone, "", ""
	function linked_alone, stub_alone, "plain_answer"
	finish	linked_alone, 0, 0

	library linked_versions
	file	linked_versions, ""
	words	linked_versions, "", ""
	function linked_versions, stub_v1, "versions_answer@V1"
	function linked_versions, stub_v2, "versions_answer@V2"
	function linked_versions, stub_default, "versions_answer"
	function linked_versions, stub_v3, "versions_answer@V3"
	finish	linked_versions, 0, 0

	library linked_throwing
	file	linked_throwing, ""
	words	linked_throwing, "", ""
	function linked_throwing, stub_throwing, "throwing_answer"
	finish	linked_throwing, 0, 0
