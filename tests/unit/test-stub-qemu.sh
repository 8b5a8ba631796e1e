#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests of stubs on AArch64, cross-built and run under qemu-user. TAP, one
# line for each test of the programs.
set -u
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
. tests/tap.bash

cc=aarch64-linux-gnu-gcc
cxx=aarch64-linux-gnu-g++
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
[ "$(uname -m)" != aarch64 ] || skip_all "this is AArch64: run natively"
command -v $cc >/dev/null || skip_all "$cc is missing"
[ -n "$emulator" ] || skip_all "qemu-aarch64 (qemu-user) is missing"

directory=$(mktemp -d) || exit 99
trap 'rm -rf "$directory"' EXIT
export TEST_RUN="$emulator -L /usr/aarch64-linux-gnu" TEST_SLOW=2
flags=(-O2 -g -Wall -Wextra -D_GNU_SOURCE -I. -Isrc -Iinclude
	-mbranch-protection=standard)
c_flags=("${flags[@]}" -std=gnu11 "-DTEST_PLUGINS_DIR=\"$directory\"")
below=(src/stub/{stub,pool,stack}.c src/stub/stub-aarch64.S
	src/base/{lock,interrupt,status}.c tests/unit/stub-target.c
	tests/unit/stub-linked.S tests/test.c)

# Each line of a program's TAP as one of ours.
run()
{
	local line seen=0
	while read -r line; do
		case $line in
		"ok "*"# SKIP"*) pass "${line#ok * - }" ;;
		"ok "*) pass "${line#ok * - }" ;;
		"not ok "*) fail "${line#not ok * - }" ;;
		"#"*) echo "$line" ;;
		esac
		seen=1
	done < <($TEST_RUN "$1" 2>&1)
	[ $seen = 1 ] || fail "$(basename "$1") runs"
}

build_below()
{
	local file
	for file in "${below[@]}"; do
		$cc "${c_flags[@]}" -c "$file" \
			-o "$directory/$(basename "$file").o" || return
	done
}

check "library and runner are cross-built" build_below
for test in test-stub test-stub-aarch64; do
	check "$test is cross-built" $cc "${c_flags[@]}" tests/unit/$test.c \
		"$directory"/*.o -pthread -o "$directory/$test"
	run "$directory/$test"
done
if command -v $cxx >/dev/null; then
	check "test-stub-unwind is cross-built" $cxx "${flags[@]}" -std=gnu++17 \
		tests/unit/test-stub-unwind.cc "$directory"/*.o -pthread \
		-o "$directory/test-stub-unwind"
	run "$directory/test-stub-unwind"
else
	skip "exceptions pass through stubs" "$cxx is missing"
fi
finish
