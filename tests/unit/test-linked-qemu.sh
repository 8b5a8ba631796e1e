#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests of linked stubs on AArch64, with all of the library that serves
# them, cross-built and run under qemu-user. TAP.
set -u
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
. tests/tap.bash
. tests/cross.bash

cc=aarch64-linux-gnu-gcc
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
[ "$(uname -m)" != aarch64 ] || skip_all "this is AArch64: run natively"
command -v $cc >/dev/null || skip_all "$cc is missing"
[ -n "$emulator" ] || skip_all "qemu-aarch64 (qemu-user) is missing"

directory=$(mktemp -d) || exit 99
trap 'rm -rf "$directory"' EXIT
export TEST_RUN="$emulator -L /usr/aarch64-linux-gnu" TEST_SLOW=4
export TEST_PLUGINS=$directory
# xxHash is a header alone, so this machine's will do.
flags=(-O1 -std=gnu11 -fexceptions -fvisibility=hidden -D_GNU_SOURCE
	-mbranch-protection=standard -I. -Isrc -Iinclude
	-idirafter /usr/include -include "${TEST_BUILD:?run by make check}/config.h"
	"-DTEST_PLUGINS_DIR=\"$directory\""
	'-DDLAZY_PKGLIBDIR="/"' '-DDLAZY_BIN_TO_PKGLIB="/"')
plugins=(good-host-constructor good-plain good-plain-other good-versions
	bad-missing-symbol linked-real)

build_library()
{
	local file
	for file in $(library_sources src aarch64) tests/test.c \
		tests/unit/linked-{files.c,stubs.S}; do
		$cc "${flags[@]}" -c "$file" \
			-o "$directory/${file//\//_}.o" || return
	done
}

build_plugins()
{
	local name
	local -A options=(
		[good-versions]="-Wl,--version-script=tests/fixtures/good-versions.map"
	)
	for name in "${plugins[@]}"; do
		$cc -O1 -fPIC -shared -Iinclude ${options[$name]-} \
			-o "$directory/$name.so" "tests/fixtures/$name.c" ||
			return
	done
	mkdir "$directory/absent" &&
		$cc -fPIC -shared -o "$directory/absent/libabsent.so" \
			tests/fixtures/absent.c &&
		$cc -fPIC -shared -o "$directory/bad-missing-library.so" \
			tests/fixtures/bad-missing-library.c \
			-L"$directory/absent" -labsent
}

# Each line of a program's TAP as one of ours.
run()
{
	local line seen=0
	while read -r line; do
		case $line in
		"ok "*) pass "${line#ok * - }" ;;
		"not ok "*) fail "${line#not ok * - }" ;;
		"#"*) echo "$line" ;;
		esac
		seen=1
	done < <($TEST_RUN "$1" 2>&1)
	[ $seen = 1 ] || fail "$(basename "$1") runs"
}

check "library and runner are cross-built" build_library
check "plugins are cross-built" build_plugins
for test in test-linked test-linked-run test-linked-search test-touch \
	test-touch-malloc; do
	check "$test is cross-built" $cc "${flags[@]}" tests/unit/$test.c \
		"$directory"/*.o -pthread -o "$directory/$test"
	run "$directory/$test"
done
finish
