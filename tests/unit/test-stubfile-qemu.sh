#!/bin/bash
# SPDX-License-Identifier: MIT
# Stub files for AArch64: the tests of stub files, cross-built and run under
# qemu-user, and programs linked with a stub. TAP, one line for each test of
# the programs.
set -u
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
. tests/tap.bash
. tests/cross.bash

cc=aarch64-linux-gnu-gcc
cxx=aarch64-linux-gnu-g++
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
[ "$(uname -m)" != aarch64 ] || skip_all "this is AArch64: run natively"
command -v $cc >/dev/null || skip_all "$cc is missing"
[ -n "$emulator" ] || skip_all "qemu-aarch64 (qemu-user) is missing"

directory=$(mktemp -d) || exit 99
trap 'rm -rf "$directory"' EXIT
export TEST_RUN="$emulator -L /usr/aarch64-linux-gnu" TEST_SLOW=10
# Its own test plugins, not those of this machine.
export TEST_PLUGINS=$directory
# xxHash is a header alone: the native one will do.
flags=(-O1 -g -fPIC -fexceptions -D_GNU_SOURCE -I. -Isrc -Iinclude
	-include "${TEST_BUILD:?run by make check}/config.h"
	-idirafter /usr/include -mbranch-protection=standard
	"-DTEST_PLUGINS_DIR=\"$directory\""
	"-DDLAZY_PKGLIBDIR=\"$directory\"" "-DDLAZY_BIN_TO_PKGLIB=\"..\"")
mapfile -t library < <(library_sources src aarch64)
writer=(src/link/{stubfile,write}/*.c src/link/copy/copy.c)

# compile FOLDER FILE...
compile()
{
	local folder=$directory/$1 file
	shift
	mkdir -p "$folder"
	for file; do
		echo "$file -o $folder/${file//\//-}.o"
	done | xargs -P 2 -L 1 $cc -c -std=gnu11 -fvisibility=hidden \
		"${flags[@]}"
}

# fixture NAME FLAG...
fixture()
{
	local name=$1
	shift
	if [ -e "tests/fixtures/$name.cc" ]; then
		$cxx -shared "${flags[@]}" "tests/fixtures/$name.cc" "$@" \
			-o "$directory/$name.so"
	else
		$cc -shared "${flags[@]}" "tests/fixtures/$name.c" "$@" \
			-o "$directory/$name.so"
	fi
}

build_fixtures()
{
	local name
	for name in good-plain good-kinds good-exports good-nodelete \
		good-unique stub-throws; do
		fixture $name || return
	done
	fixture good-versions -Wl,--hash-style=both \
		-Wl,--version-script=tests/fixtures/good-versions.map
}

# program COMPILER SOURCE OBJECT...
program()
{
	local compiler=$1 source=$2 name
	name=$(basename "${2%.*}")
	shift 2
	$compiler "${flags[@]}" "tests/unit/$source" "$@" \
		"$directory"/{library,writer}/*.o -rdynamic -pthread \
		-o "$directory/$name"
}

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

command -v $cxx >/dev/null || skip_all "$cxx is missing"
check "library is cross-built" compile library "${library[@]}"
check "what writes stub files is cross-built" compile writer "${writer[@]}"
check "test plugins are cross-built" build_fixtures
check "the runner is cross-built" compile runner tests/test.c
check "test-stubfile is cross-built" program "$cc -std=gnu11" \
	test-stubfile.c "$directory"/runner/*.o
run "$directory/test-stubfile"
check "test-stubfile-unwind is cross-built" \
	program "$cxx -std=gnu++17" test-stubfile-unwind.cc \
	"$directory"/runner/*.o
run "$directory/test-stubfile-unwind"

# A program linked with an object: by each link editor there is.
cat >"$directory/main.c" <<'END'
int plain_answer(void);
int good_plain_available(void), good_plain_load_now(void);
int main(void)
{
	if (good_plain_available() != 1 || plain_answer() != 42)
		return 1;
	return plain_answer() != 42 || good_plain_load_now() != 0;
}
END

# What writes for AArch64 runs there.
write_object()
{
	local tool=$directory/make-stub
	program "$cc -std=gnu11" make-stub.c &&
		$TEST_RUN "$tool" object aarch64 "$directory/plain.o" \
			"$directory/good-plain.so" &&
		$TEST_RUN "$tool" combined aarch64 "$directory/there" \
			"$directory"/good-{plain,versions}.so
}

links_and_runs()
{
	$cc "$directory/main.c" "$directory/plain.o" "$@" \
			-L"$directory" -ldlazy -Wl,-rpath,"$directory" \
			-o "$directory/main" && $TEST_RUN "$directory/main"
}

links_library()
{
	$cc -shared -o "$directory/libdlazy.so" "$directory"/library/*.o \
		-Wl,-soname,libdlazy.so.0 \
		-Wl,--version-script=src/libdlazy.map &&
		ln -s libdlazy.so "$directory/libdlazy.so.0"
}

check "stub files are written on AArch64" write_object
check "libdlazy is linked" links_library
# lld is one for all machines; a cross compiler looks for its own.
if command -v ld.lld >/dev/null; then
	ln -s "$(command -v ld.lld)" "$directory/ld.lld"
fi
for linker in bfd gold lld; do
	command -v aarch64-linux-gnu-ld.$linker >/dev/null ||
		[ -e "$directory/ld.$linker" ] || continue
	for flag in -pie -no-pie "-pie -Wl,--gc-sections"; do
		# shellcheck disable=SC2086 # they may be several
		check "ld.$linker links an object for AArch64 ($flag)" \
			links_and_runs -B"$directory" -fuse-ld=$linker $flag
	done
done

# As `dlazy stub LIBRARY -o FILE` there.
stub_there()
{
	local kind=shared
	case $3 in
	*.o) kind=object ;;
	*.a) kind=archive ;;
	esac
	$TEST_RUN "$directory/make-stub" $kind aarch64 "$3" "$1"
}

# Standalone ones: tests/cli/test-situations.sh.
export top_srcdir=$PWD
# shellcheck disable=SC2034 # for situations.bash
sit_cc=("$cc") sit_cxx=("$cxx") sit_run=$TEST_RUN sit_native='' \
	sit_flags=(-L"$directory" -ldlazy "-Wl,-rpath,$directory")
. tests/situations/situations.bash
situations AArch64 "$directory/situations" stub_there o a so
finish
