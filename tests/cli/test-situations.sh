#!/bin/bash
# SPDX-License-Identifier: MIT
# What Implib.so's own tests try (callbacks, exceptions, several dlopens, many
# functions, threads, fork, recursion, shared, hidden, versions), with each kind of
# stub file: .o, .a, .so, standalone; for AArch64 standalone here, the others in
# tests/unit/test-stubfile-qemu.sh, which has a libdlazy for it. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"
machine=$(uname -m)
[ "$machine" = x86_64 ] || [ "$machine" = aarch64 ] ||
	skip_all "no stub files for this CPU"
[[ ${CC:-} != *-fsanitize* ]] || skip_all "a sanitizer: its library is missing"
read -ra sit_cxx <<<"${CXX:-c++}"
command -v "${sit_cxx[0]}" >/dev/null || skip_all "there is no C++ compiler"
libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}
export top_srcdir=$root
unset LD_LIBRARY_PATH
. "$root/tests/situations/situations.bash"

read -ra sit_cc <<<"${PLAIN_CC:-cc}"
sit_run='' sit_native='' sit_flags=(-L"$libdir" -ldlazy "-Wl,-rpath,$libdir")
situations "$machine" "$t/native" "$dlazy stub" o a so standalone

sit_cc=(aarch64-linux-gnu-gcc) sit_cxx=(aarch64-linux-gnu-g++)
sit_native=$t/native/libsit.so.1
sit_run="qemu-aarch64 -L /usr/aarch64-linux-gnu"
if [ "$machine" = aarch64 ]; then
	skip "aarch64, standalone" "that is this CPU"
elif ! command -v "${sit_cxx[0]}" >/dev/null ||
	! command -v qemu-aarch64 >/dev/null; then
	skip "aarch64, standalone" "no cross compiler, or no qemu-aarch64"
elif ! "$dlazy" stub "$sit_native" --machine=aarch64 --standalone \
	-o "$t/try.a" >"$t/out" 2>&1; then
	skip "aarch64, standalone" "$(<"$t/out")"
else
	situations aarch64 "$t/aarch64" "$dlazy stub --machine=aarch64" standalone
fi
finish
