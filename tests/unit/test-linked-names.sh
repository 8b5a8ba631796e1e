#!/bin/bash
# SPDX-License-Identifier: MIT
# Linked stubs whose libraries have bare names, which the dynamic linker is left
# to look for: all that is tested of those with paths holds for them. TAP.
set -u
cd "${TEST_BUILD:?run by make check}" || exit 99
. "${top_srcdir:?}/tests/tap.bash"

export LINKED_BY_NAME=1
export LD_LIBRARY_PATH=${TEST_PLUGINS:?}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
for program in test-linked test-touch; do
	check "$program passes with names" "tests/unit/$program"
done
finish
