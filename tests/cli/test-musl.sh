#!/bin/bash
# SPDX-License-Identifier: MIT
# The library and the tool, built with another libc: musl. With as little optimisation
# as there is, and static, as both are done once more for this test alone. TAP.
set -u
. "$(dirname "$0")/cli.bash"
command -v musl-gcc >/dev/null || skip_all "musl-gcc is missing"
[ -x "$root/configure" ] || skip_all "there is no configure script"

# musl-gcc looks nowhere but in musl's own directory: the kernel's headers and
# xxHash, which is inlined, are lent to it.
mkdir "$t/lent" "$t/build" "$t/plugins"
for header in xxhash.h linux asm-generic "$(gcc -print-multiarch)/asm"; do
	ln -s "/usr/include/$header" "$t/lent/${header##*/}"
done

build_with_musl()
{
	cd "$t/build" || return
	"$root/configure" CC=musl-gcc CFLAGS=-O0 CPPFLAGS="-I$t/lent" \
		--disable-shared >"$t/log" 2>&1 &&
		make -j "$(nproc)" libdlazy.la dlazy >>"$t/log" 2>&1 && return
	grep -E 'error' "$t/log" | head -n 20
	return 1
}

check "library and tool are built" build_with_musl
musl-gcc -shared -fPIC -o "$t/plugins/one.so" \
	-xc - <<<"int answer(void) { return 42; }"
run "$t/build/dlazy" list "$t/plugins"
has "$out" "one" "the tool lists a plugin"
cat >"$t/host.c" <<'END'
#include <dlazy/dlazy.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct dlazy_module *m = dlazy_open(argv[1], DLAZY_CHECK);
	int (*answer)(void) = m ? dlazy_sym(m, "answer") : 0;

	printf("%d, then", m ? (int)dlazy_module_state(m) : -1);
	printf(" %d,", answer ? answer() : -1);
	return printf(" %d\n", m ? (int)dlazy_module_state(m) : -1) < 0;
}
END
check "a host is linked" musl-gcc -I"$root/include" -o "$t/host" "$t/host.c" \
	"$t/build/.libs/libdlazy.a"
run "$t/host" "$t/plugins/one.so"
check_same "a first call loads" "$out" "0, then 42, 2"
finish
