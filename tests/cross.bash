# SPDX-License-Identifier: MIT
# For tests that build libdlazy for another CPU, without its build system.
# shellcheck shell=bash

# library_sources SRC CPU: the files that libdlazy is made of there, one a line
library_sources()
{
	local folder omitted=()
	for folder in alone cli link ffi hook probe stub; do
		omitted+=(! -path "$1/$folder/*")
	done
	omitted+=(! -path "$1/meta/json.c")
	find "$1" -name '*.c' "${omitted[@]}" | LC_ALL=C sort
	find "$1/stub" -name "stub-$2.S" -o -name stub.c -o -name pool.c \
		-o -name stack.c -o -name noted.c
}
