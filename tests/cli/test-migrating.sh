#!/bin/bash
# SPDX-License-Identifier: MIT
# doc/migrating.md: what it has before and after is compiled, where the library that
# was used before is there, and says the same. doc/laziness.md names tests that there
# are. TAP.
set -u
. "$(dirname "$0")/cli.bash"
libdir=${DLAZY_STAGE_LIBDIR:-}
[ -n "$libdir" ] || skip_all "run it by make check"
read -ra cc <<<"${CC:-cc}"
page=$root/doc/migrating.md
link=(-I"$root/include" -L"$libdir" -ldlazy "-Wl,-rpath,$libdir")

# block SECTION N: the N-th of a section, whatever its language
block()
{
	awk -v section="## $1" -v wanted="$2" '
	/^## / { in_section = $0 == section; n = 0 }
	/^```$/ { in_block = 0 }
	in_section && in_block && n == wanted
	/^```[a-z]/ { in_block = 1; n++ }
	' "$page"
}

# compiles SENTENCE FILE ARGUMENT ...: to FILE without .c; is it run in $t
compiles()
{
	local file=$2
	check "$1" "${cc[@]}" -std=gnu11 -Wall -Wextra -Werror -o "${file%.c}" \
		"$file" "${@:3}"
}

says_it()
{
	run "$@"
	check_same "and says what the plugin gives" "$out" 42
}

# The same without the tool's full path, and with its library found.
script()
{
	sed -e "s|^dlazy |$dlazy |" -e "s|^cc |${cc[*]} |" \
		-e "s|-ldlazy|${link[*]}|"
}

# "PROGRAM TEST" for each that a page names: `test-x name`, `other name`
named_tests()
{
	grep -o '`[a-z_-]*\( [a-z_]*\)\?`' "$1" | tr -d '\`' | awk '
	$1 ~ /^test-/ { program = $1; if (NF > 1) print program, $2; next }
	NF == 1 && $1 ~ /_.*_/ && program { print program, $1 }'
}
check_same "each test that doc/laziness.md names is there" "$(
	named_tests "$root/doc/laziness.md" | while read -r program name; do
		grep -Eq "^TEST(_SECONDS)?\\(${name}[,)]" "$root/tests/unit/$program".c* ||
			echo "$program $name"
	done
)" ""

cd "$t" || exit 99
build codec.so <<<'int decode(int x) { return 41 + x; }'
build libcodec.so -Wl,-soname,libcodec.so <<<'int decode(int x) { return 41 + x; }'
export LD_LIBRARY_PATH=$t${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

block dlopen 1 >plain.c
sed 's|<dlfcn.h>|<dlazy/dlfcn.h>|' plain.c >header.c
block dlopen 2 >open.c
compiles "dlopen: before" plain.c -ldl
says_it ./plain
compiles "dlopen: with the header" header.c "${link[@]}"
says_it ./header
compiles "dlopen: after" open.c "${link[@]}"
says_it ./open

block libltdl 1 >ltdl.c
block libltdl 2 >registry.c
if echo '#include <ltdl.h>' | "${cc[@]}" -E - >/dev/null 2>&1; then
	compiles "libltdl: before" ltdl.c -lltdl
	says_it ./ltdl
else
	skip "libltdl: before" "libltdl is missing"
fi
compiles "libltdl: after" registry.c "${link[@]}"
says_it ./registry

block GModule 1 >gmodule.c
block GModule 2 >onload.c
if pkg=$(unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
	pkg-config --cflags --libs gmodule-2.0 2>/dev/null); then
	read -ra pkg <<<"$pkg"
	compiles "GModule: before" gmodule.c "${pkg[@]}"
	says_it ./gmodule
else
	skip "GModule: before" "GModule is missing"
fi
compiles "GModule: after" onload.c "${link[@]}"
says_it ./onload

# systemd keeps its macros to itself: these stand for them.
cat >dlfcn-util.h <<'END'
#include <dlfcn.h>
int decode(int);
#define LOG_DEBUG 7
#define ELF_NOTE_DLOPEN_PRIORITY_SUGGESTED "suggested"
#define ELF_NOTE_DLOPEN(...) ((void)0)
#define DLSYM_PROTOTYPE(f) static __typeof__(f) *sym_##f
#define DLSYM_ARG(f) (void **)&sym_##f, #f
static inline int dlopen_many_sym_or_warn(void **handle, const char *file,
					  int level, void **symbol,
					  const char *name)
{
	(void)level;
	*handle = dlopen(file, RTLD_NOW);
	*symbol = *handle ? dlsym(*handle, name) : 0;
	return *symbol ? 0 : -1;
}
END
block "systemd's dlopen macros" 1 >macros.c
compiles "systemd's macros: before" macros.c -ldl
says_it ./macros

if [ "${STUBS:-yes}" = none ]; then
	skip "Implib.so and systemd's macros: after" "no stubs for this CPU"
	finish
fi
block "Implib.so" 1 >program.c
if command -v implib-gen.py >/dev/null; then
	run bash -e <(block "Implib.so" 2 | script)
	is_status 0 "Implib.so: before"
	says_it ./program
else
	skip "Implib.so: before" "Implib.so is missing"
fi
rm -f program
run bash -e <(block "Implib.so" 3 | script)
is_status 0 "Implib.so: after"
says_it ./program
block "systemd's dlopen macros" 2 >program.c
rm -f program
run bash -e <(block "systemd's dlopen macros" 3 | script)
is_status 0 "systemd's macros: after"
says_it ./program
finish
