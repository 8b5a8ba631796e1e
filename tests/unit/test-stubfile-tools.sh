#!/bin/bash
# SPDX-License-Identifier: MIT
# Stub files as the tools see them: binutils, elfutils and gdb read them, every
# link editor here takes them, and what is linked with them runs. TAP.
set -u
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
. tests/tap.bash
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

make_stub=${TEST_BUILD:?}/tests/unit/make-stub
plugins=${TEST_PLUGINS:?}
libdir=${DLAZY_STAGE_LIBDIR:?}
machine=$(uname -m)
case $machine in
x86_64 | aarch64) ;;
*) skip_all "no stub files are written for $machine" ;;
esac
directory=$(mktemp -d) || exit 99
trap 'rm -rf "$directory"' EXIT
# What is linked here is not what leaks are looked for in; gdb has no room for
# them.
export ASAN_OPTIONS=detect_leaks=0
libraries=("$plugins"/good-{plain,versions,kinds,exports}.so)

has()
{
	command -v "$1" >/dev/null
}

# A tool for the files of machine $1; empty: there is none.
tool_for()
{
	if [ "$1" = "$machine" ]; then
		command -v "$2"
	else
		command -v "$1-linux-gnu-$2"
	fi
}

# Of each kind one, named KIND-MACHINE.
kinds=(shared combined object archive)
for target in x86_64 aarch64; do
	for kind in "${kinds[@]}"; do
		"$make_stub" "$kind" "$target" "$directory/$kind-$target" \
			"${libraries[@]:1}" || exit 99
	done
done

# Reading.

reads_silently()
{
	local said
	said=$(readelf -aW "$1" 2>&1 >"$directory/said") || return
	! grep -iE 'warning|error|<unknown|corrupt|no such' - \
		"$directory/said" <<<"$said" | grep -v '[a-z]_error\>'
}

# Debian's elflint does not know the notes of this decade.
lints()
{
	! eu-elflint --gnu-ld "$1" | grep -v '^No errors$'
}

disassembles()
{
	"$1" -dw "$2" >"$directory/said" || return
	! grep -E '\(bad\)|\.inst|\.word|undefined' "$directory/said"
}

for target in x86_64 aarch64; do
	objdump=$(tool_for $target objdump)
	for kind in "${kinds[@]}"; do
		file=$directory/$kind-$target
		check "readelf reads $kind of $target" reads_silently "$file"
		if has eu-elflint && [ $kind != archive ]; then
			check "eu-elflint accepts $kind of $target" lints "$file"
		fi
		if [ -n "$objdump" ]; then
			check "objdump knows each instruction of $kind of $target" \
				disassembles "$objdump" "$file"
		fi
	done
done
if has eu-elflint; then :; else
	skip "eu-elflint accepts stub files" "eu-elflint is missing"
fi

# What else reads, or writes anew, ELF files.

says_nothing()
{
	local said
	said=$("$@" 2>&1 >"$directory/said") && [ -z "$said" ] || {
		echo "$said"
		return 1
	}
}

# changes TOOL ARGUMENT...: of a copy of the shared object; it stays whole.
changes()
{
	cp "$directory/shared-$machine" "$directory/changed"
	"$@" "$directory/changed" && reads_silently "$directory/changed"
}

if has llvm-readobj; then
	for target in x86_64 aarch64; do
		for kind in "${kinds[@]}"; do
			check "llvm-readobj reads $kind of $target" says_nothing \
				llvm-readobj --all "$directory/$kind-$target"
		done
	done
else
	skip "llvm-readobj reads stub files" "llvm-readobj (llvm) is missing"
fi
if has abidw; then
	check "abidw reads a shared object" says_nothing \
		abidw "$directory/shared-$machine"
else
	skip "abidw reads a shared object" "abidw (abigail-tools) is missing"
fi
check "strip leaves a shared object whole" changes strip
if has patchelf; then
	check "patchelf leaves a shared object whole" changes patchelf \
		--set-soname other.so.9 --set-rpath /another/place
else
	skip "patchelf leaves a shared object whole" "patchelf is missing"
fi

# Mnemonics and registers, without addresses.
instructions()
{
	"$1" -dw --no-show-raw-insn "$2" | sed -nE '
		s/^ *[0-9a-f]+:\t//; T
		s/[ \t]*(# |<|\/\/).*//; s/[ \t]+/ /g
		s/^(je|jmp|b|cbz|adrp) (x[0-9]+, |)[0-9a-f]+$/\1 \2ADDRESS/
		s/(-?0x[0-9a-f]+|0)\(%rip\)/PLACE/; s/\$0x[0-9a-f]+/NUMBER/
		s/^(ldr .*|add .*|mov w1,|movk w1,|brk) #[0-9a-fx]+/\1 NUMBER/
		p'
}

declare -A code=(
	[stub of x86_64]='endbr64
mov PLACE,%r11
test %r11,%r11
je ADDRESS
jmp *%r11
lea PLACE,%r11
jmp ADDRESS
int3'
	[data of x86_64]='endbr64
lea PLACE,%rdi
mov NUMBER,%esi
jmp *PLACE
int3
int3'
	[start of x86_64]='endbr64
lea PLACE,%rcx
jmp *PLACE'
	[tail of x86_64]='push %r11
lea PLACE,%r11
jmp *PLACE
int3'
	[stub of aarch64]='bti c
adrp x16, ADDRESS
add x16, x16, NUMBER
ldar x17, [x16]
cbz x17, ADDRESS
br x17
b ADDRESS
brk NUMBER'
	[data of aarch64]='bti c
adrp x0, ADDRESS
add x0, x0, NUMBER
mov w1, NUMBER
movk w1, NUMBER, lsl #16
adrp x16, ADDRESS
ldr x16, [x16, NUMBER]
br x16'
	[start of aarch64]='bti c
adrp x3, ADDRESS
add x3, x3, NUMBER
adrp x16, ADDRESS
ldr x16, [x16, NUMBER]
br x16'
	[tail of aarch64]='adrp x17, ADDRESS
add x17, x17, NUMBER
stp x16, x17, [sp, #-16]!
adrp x16, ADDRESS
ldr x16, [x16, NUMBER]
br x16'
)

# Whether $1 stands in $2 as whole lines.
contains()
{
	[[ $'\n'$2$'\n' == *$'\n'"$1"$'\n'* ]]
}

for part in "${!code[@]}"; do
	target=${part##* }
	objdump=$(tool_for "$target" objdump)
	if [ -z "$objdump" ]; then
		skip "$part is the code that is meant" "no objdump for it"
		continue
	fi
	said=$(instructions "$objdump" "$directory/combined-$target")
	if contains "${code[$part]}" "$said"; then
		pass "$part is the code that is meant"
	else
		fail "$part is the code that is meant" "$said"
	fi
done

if [ -x "$TEST_BUILD/tests/unit/test-libelf" ]; then
	mkdir "$directory/native"
	cp "$directory/shared-$machine" "$directory/native/a.so"
	cp "$directory/combined-$machine" "$directory/native/b.so"
	check "our reader and libelf agree on stub files" \
		env TEST_LIBELF_TOP="$directory/native" \
		"$TEST_BUILD/tests/unit/test-libelf"
else
	skip "our reader and libelf agree on stub files" "no test-libelf"
fi

# Archives.

archive_again()
{
	"$make_stub" archive "$machine" "$directory/again" "${libraries[@]:1}" &&
		cmp "$directory/again" "$directory/archive-$machine"
}

# Its members together define what the object does, and the tail of the stubs.
archive_has_object()
{
	for file in archive object; do
		nm -g --defined-only --format=just-symbols \
			"$directory/$file-$machine" |
			grep -v '^$\|\.o:$\|^dlazy_stub_tail' | sort \
			>"$directory/$file-symbols"
	done
	cmp "$directory/archive-symbols" "$directory/object-symbols"
}

archive_is_indexed()
{
	cp "$directory/archive-$machine" "$directory/indexed.a"
	nm -s "$directory/indexed.a" | grep ' in ' | sort >"$directory/ours"
	ranlib -D "$directory/indexed.a" &&
		nm -s "$directory/indexed.a" | grep ' in ' | sort |
		cmp - "$directory/ours"
}

check "archive has no date and no owner" archive_again
check "archive has the object" archive_has_object
check "archive is indexed as ranlib would" archive_is_indexed

# Linking.

"$make_stub" --note "the answer" object "$machine" "$directory/plain.o" \
	"${libraries[0]}" || exit 99
"$make_stub" --note "the answer" archive "$machine" "$directory/plain.a" \
	"${libraries[0]}" || exit 99
"$make_stub" --exported object "$machine" "$directory/exported.o" \
	"${libraries[0]}" || exit 99

cat >"$directory/main.c" <<'END'
#include <stdio.h>
#include <string.h>
int plain_answer(void);
int good_plain_available(void), good_plain_load_now(void);
void *good_plain_module(void);
static int mapped(void)
{
	char line[4352];
	FILE *maps = fopen("/proc/self/maps", "r");
	int found = 0;
	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, "good-plain.so") != NULL;
	fclose(maps);
	return found;
}
int main(void)
{
	if (mapped() || good_plain_available() != 1 || !good_plain_module())
		return 1;
	if (mapped() || plain_answer() != 42 || !mapped())
		return 2;
	return good_plain_load_now();
}
END
cat >"$directory/own.c" <<'END'
int plain_answer(void) { return 7; }
END
cat >"$directory/call.c" <<'END'
int plain_answer(void);
int call_answer(void);
int call_answer(void) { return plain_answer(); }
END

# build OUT FLAG...: main.c, with what is given
build()
{
	local out=$1
	shift
	# shellcheck disable=SC2086 # CC can be a command with options
	$cc -O1 -Wall "$@" -o "$directory/$out" \
		-L"$libdir" -ldlazy -Wl,-rpath,"$libdir"
}

builds_and_runs()
{
	build main "$@" && "$directory/main"
}

# Since binutils 2.44 readelf knows its name.
has_note()
{
	readelf -nW "$directory/main" | grep -q '0x407c0c0a\|FDO_DLOPEN'
}

for cc in "${CC:-cc}" clang; do
	has "${cc%% *}" || continue
	[ "$cc" != clang ] || [ "$cc" = "${CC:-cc}" ] || [[ ${CC-} != *sanitize* ]] ||
		continue
	for linker in bfd gold lld mold; do
		has "ld.$linker" || continue
		for flags in "-fPIE -pie" "-fno-PIE -no-pie" \
			"-fPIE -pie -ffunction-sections -Wl,--gc-sections" \
			"-fPIE -pie -O2 -flto"; do
			[[ $flags != *lto* || $linker$cc == bfd${CC:-cc} ]] ||
				continue
			# shellcheck disable=SC2086 # they are several
			check "${cc%% *} and ld.$linker link an object ($flags)" \
				builds_and_runs "$directory/main.c" \
				"$directory/plain.o" "-fuse-ld=$linker" $flags
			check "the note stays (${cc%% *}, ld.$linker, $flags)" \
				has_note
		done
		check "${cc%% *} and ld.$linker link an archive" builds_and_runs \
			"$directory/main.c" "$directory/plain.a" \
			"-fuse-ld=$linker"
	done
done
cc=${CC:-cc}

# What packages do with a program after its link: it runs as before.
changed_runs()
{
	"$@" "$directory/main" && "$directory/main" && has_note
}

check "a program is linked with debugging information" builds_and_runs \
	-g "$directory/main.c" "$directory/plain.o"
for change in "dwz" "patchelf --add-rpath /another/place" "strip"; do
	if has "${change%% *}"; then
		# shellcheck disable=SC2086 # words
		check "it runs after ${change%% *}" changed_runs $change
	else
		skip "it runs after ${change%% *}" "${change%% *} is missing"
	fi
done

exports()
{
	nm -D --defined-only "$1" | grep -c ' plain_answer$'
}

# Whether libcall.so, made of FILE..., works in a program; $1: how many of the
# stubs it exports.
in_library()
{
	local exported=$1
	shift
	build libcall.so -shared -fPIC "$directory/call.c" "$@" || return
	[ "$(exports "$directory/libcall.so")" = "$exported" ] || return
	! readelf -dW "$directory/libcall.so" | grep TEXTREL || return
	echo 'int call_answer(void); int main(void) { return call_answer() - 42; }' \
		>"$directory/caller.c"
	build caller "$directory/caller.c" "$directory/libcall.so" \
		-Wl,-rpath,"$directory" && "$directory/caller"
}

own_is_called()
{
	echo 'int call_answer(void); int main(void) { return call_answer() - 7; }' \
		>"$directory/caller.c"
	build caller "$directory"/{caller,call,own}.c "$@" &&
		"$directory/caller"
}

check "shared library is linked with it, and exports none of it" \
	in_library 0 "$directory/plain.o"
check "shared library exports it if it shall" \
	in_library 1 "$directory/exported.o"
check "program's own function goes before the stub" \
	own_is_called "$directory/plain.o"
check "so it does before an archive's" own_is_called "$directory/plain.a"

is_marked()
{
	# The C library's own parts are not marked everywhere.
	build marked.so -shared -nostartfiles "$directory/call.c" \
		"$directory/plain.o" "$@" &&
		readelf -nW "$directory/marked.so" | grep -E "$marks"
}

if [ "$machine" = x86_64 ]; then
	marks='IBT, SHSTK'
	flags=(-fPIC -fcf-protection "-Wl,-z,cet-report=error")
else
	marks='BTI, PAC'
	flags=(-fPIC -mbranch-protection=standard "-Wl,-z,force-bti")
fi
case $cc in
*sanitize*) skip "marks of control flow are kept" "sanitizers have none" ;;
*) check "marks of control flow are kept" is_marked "${flags[@]}" \
	-Wl,--fatal-warnings ;;
esac

# C++.

throws()
{
	"$make_stub" object "$machine" "$directory/throws.o" \
		"$plugins/stub-throws.so" || return
	cat >"$directory/catches.cc" <<'END'
#include <stdexcept>
#include <cstring>
extern "C" int stub_throws(int);
int main()
{
	for (int i = 0; i < 2; i++)
		try {
			stub_throws(42);
			return 1;
		} catch (const std::runtime_error &e) {
			if (std::strcmp(e.what(), "from the library") != 0)
				return 2;
		}
	return stub_throws(0);
}
END
	cc=${CXX:-c++} build catches "$directory/catches.cc" \
		"$directory/throws.o" && "$directory/catches"
}

if [ -e "$plugins/stub-throws.so" ]; then
	check "exceptions pass through a linked stub" throws
else
	skip "exceptions pass through a linked stub" "no C++ compiler"
fi

# gdb: from each instruction of a first call it finds main.
steps=8
backtraces()
{
	local commands=() i said
	build main -g "$directory/main.c" "$directory/plain.o" || return
	for ((i = 0; i < steps; i++)); do
		commands+=(-ex 'x/i $pc' -ex bt -ex stepi)
	done
	said=$(gdb -nx -batch -iex 'set debuginfod enabled off' \
		-ex 'break *plain_answer' -ex run "${commands[@]}" \
		"$directory/main" 2>&1)
	echo "$said"
	[ "$(grep -cE '^#1 .* main \(' <<<"$said")" = $steps ] &&
		grep -q 'push *%r11\|stp' <<<"$said"
}

if has gdb && gdb -nx -batch -ex run /bin/true 2>&1 | grep -q 'exited normally'; then
	check "gdb finds the caller from each instruction" backtraces
else
	skip "gdb finds the caller from each instruction" "gdb cannot run programs"
fi
finish
