#!/bin/bash
# SPDX-License-Identifier: MIT
# Shared stub files, by hand, in the place of a library under a program that
# knows nothing of them: with the installed libdlazy. TAP.
set -u
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
. tests/tap.bash
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

libdir=${DLAZY_STAGE_LIBDIR:?run by make check}
directory=$(mktemp -d) || exit 99
trap 'rm -rf "$directory"' EXIT
read -ra cc <<<"${CC:-cc}"
read -ra cxx <<<"${CXX:-c++}"
case $(uname -m) in
x86_64 | aarch64) ;;
*) skip_all "no stub files for this CPU" ;;
esac
[[ ${CC-} != *-fsanitize=* ]] || skip_all "programs that know nothing of us"
mkdir "$directory"/{real,stub,bare,loop,run,other}
real=$directory/real/liblinked-real.so
library=liblinked-real.so

# stub OUTPUT FILE [OPTION...]: a stub file that says the library is in FILE
stub()
{
	local output=$1 file=$2
	shift 2
	"${cc[@]}" -shared -I. -DFILE="\"$file\"" "$@" -Wl,-soname,$library \
		-o "$output/$library" tests/fixtures/linked-shared.S \
		-L"$libdir" -Wl,-rpath,"$libdir" -ldlazy
}

# host DIRECTORIES WHAT...: the program's words, with those in front
host()
{
	LD_LIBRARY_PATH=$1 "$directory/host" "${@:2}" 2>&1
}

build()
{
	"${cc[@]}" -O2 -fPIC -shared -Wl,-soname,$library -o "$real" \
		tests/fixtures/linked-real.c &&
		stub "$directory/stub" "$real" &&
		stub "$directory/bare" $library &&
		stub "$directory/loop" "$directory/loop/$library" &&
		"${cc[@]}" -O2 -g -o "$directory/host" \
			tests/fixtures/linked-host.c \
			-L"$directory/stub" -llinked-real \
			-Wl,-rpath-link,"$libdir" -Wl,-z,lazy -ldl
}

check "library, stub files and program are built" build
stubs=$directory/stub

check_same "the first call maps the library" \
	"$(host "$stubs" mapped sum mapped sum)" \
	$'not mapped\n15 4\nmapped\n15 4'
check_same "it works where everything is bound at start" \
	"$(LD_BIND_NOW=1 host "$stubs" mapped sum mapped)" \
	$'not mapped\n15 4\nmapped'
check_same "who looks for data gets the library's own" \
	"$(host "$stubs" data)" 1
check_same "data looked for loads the library" \
	"$(host "$stubs" data mapped)" $'1\nmapped'
check_same "a bare name passes over the stub file itself" \
	"$(host "$directory/bare:$directory/real" sum mapped)" \
	$'15 4\nmapped'

said=$(host "$directory/bare" sum)
check "a bare name that means only the stub file is said" \
	grep -q "sums is not available: install libreal" <<<"$said"
said=$(timeout 20 "${BASH:-bash}" -c "LD_LIBRARY_PATH=$directory/loop \
	$directory/host sum" 2>&1)
check "a stub file that stands for itself is said" \
	grep -q "or the stub itself" <<<"$said"

# A library that needs the stub file, as in a program of `dlazy run`: what it
# does not have is found in there.
needy()
{
	"${cc[@]}" -O2 -fPIC -shared -Wl,-soname,$library -Wl,--no-as-needed \
		-o "$directory/other/needy.so" tests/fixtures/linked-real.c \
		-L"$stubs" -llinked-real -Wl,-rpath-link,"$libdir" &&
		stub "$directory/other" "$directory/other/needy.so"
}
check "a library that needs its own stub file is built" needy
other=$directory/other
check_same "it works" "$(host "$other" sum data)" $'15 4\n1'
said=$(timeout 20 "${BASH:-bash}" -c "LD_LIBRARY_PATH=$other \
	$directory/host gone" 2>&1)
check "a function that it lost does not lead back to the stub" \
	grep -q "does not have linked_real_gone:" <<<"$said"
said=$(timeout 20 "${BASH:-bash}" -c "LD_LIBRARY_PATH=$other \
	$directory/host gone-data" 2>&1)
check "data that it lost do not lead back to the stub" \
	grep -q "does not have linked_real_gone_data:" <<<"$said"

# A plugin that takes data from the library by a relocation.
"${cc[@]}" -O2 -fPIC -shared -o "$directory/plugin.so" -xc - -L"$stubs" \
	-llinked-real -Wl,-rpath-link,"$libdir" <<-'END'
	extern int linked_real_data;
	int *where(void);
	int *where(void) { return &linked_real_data; }
	END
check_same "a plugin's relocation gets the library's own data" \
	"$(host "$stubs" plugin="$directory/plugin.so" mapped)" $'1\nmapped'
check_same "so it does when the library is loaded" \
	"$(host "$stubs" sum plugin="$directory/plugin.so")" $'15 4\n1'
check_same "a library that the program opens itself has one set of data" \
	"$(host "$stubs" plugin="$real" sum data)" \
	"$(printf '%s\n15 4\n1' "$real: undefined symbol: where")"

# Before all other constructors, libdlazy's own too.
"${cc[@]}" -O2 -fPIC -shared -o "$directory/stub/libearly.so" \
	-Wl,-z,initfirst -xc - -L"$stubs" -llinked-real \
	-Wl,-rpath-link,"$libdir" <<-'END'
	int linked_real_sum(int n, ...);
	int early;
	__attribute__((constructor)) static void construct(void)
	{
		early = linked_real_sum(3, 1, 2, 3);
	}
	END
"${cc[@]}" -O2 -o "$directory/early" -xc - -L"$stubs" -learly -llinked-real \
	-Wl,-rpath-link,"$libdir" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	extern int early;
	int main(int argc, char **argv)
	{
		if (argc > 1)
			return !dlsym(RTLD_DEFAULT, "linked_real_pointer");
		return early != 6;
	}
	END
check "the first call may come before any other constructor" \
	env LD_LIBRARY_PATH="$stubs" "$directory/early"
check "the library is in the global scope then, too" \
	env LD_LIBRARY_PATH="$stubs" "$directory/early" scope

# The start of `dlazy run`.
check "a stub file with a start is built" \
	stub "$directory/run" "$real" -DRUN="\"$directory/run\"" \
	-Wl,-z,initfirst -Wl,-init,linked_init
run=$directory/run
check_same "the environment is the user's" \
	"$(env -i A=1 LD_LIBRARY_PATH="$run" B=2 "$directory/host" env)" \
	$'A=1\nB=2'
check_same "a path that the user set is the user's" \
	"$(env -i A=1 LD_LIBRARY_PATH="$run:/opt/lib" "$directory/host" env)" \
	$'A=1\nLD_LIBRARY_PATH=/opt/lib'
check_same "/proc/self/environ shows nothing else" \
	"$(env -i A=1 LD_LIBRARY_PATH="$run" DLAZY_RUN_RECORD=/x B=2 \
		"$directory/host" shown | tr -s '\n')" $'A=1\nB=2'
check_same "the library is loaded none the less" \
	"$(env -i LD_LIBRARY_PATH="$run" "$directory/host" mapped sum mapped)" \
	$'not mapped\n15 4\nmapped'

# C++: the library's own data come by way of the stub file, thousands of times
# while it is loaded; exceptions and casts know its types by their address.
classes=1000
{
	echo '#include <stdexcept>'
	echo 'struct base { virtual ~base(); virtual int v() const; };'
	echo 'struct error : std::runtime_error { error(); };'
	echo '#ifdef LIBRARY'
	echo 'error::error() : std::runtime_error("theirs") {}'
	echo 'base::~base() {} int base::v() const { return -1; }'
	for ((i = 0; i < classes; i++)); do
		echo "struct c$i : base { int v() const override; };"
		echo "int c$i::v() const { return $i; }"
	done
	echo 'extern "C" base *make(int i) { switch (i) {'
	for ((i = 0; i < classes; i++)); do
		echo "case $i: return new c$i;"
	done
	echo '} throw error(); }'
	echo '#else'
	cat <<-'END'
	#include <cstdio>
	#include <dlfcn.h>
	extern "C" base *make(int i);
	int main(int, char **argv)
	{
		base *some = make(7);
		std::printf("%d\n", some->v());
		try {
			make(-1);
		} catch (const std::runtime_error &e) {
			std::printf("%s\n", e.what());
		}
		void *plugin = dlopen(argv[1], RTLD_NOW);
		auto *cast = reinterpret_cast<int (*)(base *)>(
			dlsym(plugin, "cast"));
		std::printf("%d\n", cast(some));
	}
	#endif
	END
} >"$directory/many.cc"
cat >"$directory/cast.cc" <<-'END'
	struct base { virtual ~base(); virtual int v() const; };
	struct c7 : base { int v() const override; };
	extern "C" int cast(base *b)
	{
		try {
			throw b;
		} catch (base *caught) {
			return dynamic_cast<c7 *>(caught) != nullptr;
		}
	}
	END

# A stub file of all that nm(1) says the library exports.
many()
{
	local mine=$directory/many
	mkdir "$mine" "$mine/real" "$mine/stub" &&
		"${cxx[@]}" -O1 -DLIBRARY -fPIC -shared \
			-Wl,-soname,libmany.so -o "$mine/real/libmany.so" \
			"$directory/many.cc" || return
	nm -D --defined-only "$mine/real/libmany.so" >"$mine/names" || return
	{
		echo '#include "tests/fixtures/linked-macros.S"'
		echo '	library linked'
		echo "	file linked, \"$mine/real/libmany.so\""
		echo '	words linked, "", ""'
		awk '$2 ~ /[TW]/ { print "\tfunction linked, " $3 ", \"" $3 "\"" }
			' "$mine/names"
		awk '$2 ~ /[VDBR]/ { print "\tdata linked, " $3 ", \"" $3 "\"" }
			' "$mine/names"
		echo '	finish linked, 0, 0'
	} >"$mine/stub.S"
	"${cc[@]}" -shared -I. -Wl,-soname,libmany.so \
		-o "$mine/stub/libmany.so" "$mine/stub.S" -L"$libdir" \
		-Wl,-rpath,"$libdir" -ldlazy &&
		"${cxx[@]}" -O1 -o "$mine/program" "$directory/many.cc" \
			-L"$mine/real" -lmany -ldl &&
		"${cxx[@]}" -O1 -fPIC -shared -o "$mine/cast.so" \
			"$directory/cast.cc"
}
if command -v "${cxx[0]}" >/dev/null; then
	check "a C++ library of $classes classes and its stub file are built" \
		many
	mine=$directory/many
	check_same "types of a C++ library are one, whoever asks" \
		"$(LD_LIBRARY_PATH=$mine/stub "$mine/program" "$mine/cast.so" \
			2>&1)" $'7\ntheirs\n1'
	check_same "as they are without a stub file" \
		"$(LD_LIBRARY_PATH=$mine/real "$mine/program" "$mine/cast.so" \
			2>&1)" $'7\ntheirs\n1'
else
	skip "types of a C++ library are one, whoever asks" "no C++ compiler"
fi

if command -v valgrind >/dev/null; then
	check "valgrind has nothing to say of a first call" \
		env LD_LIBRARY_PATH="$stubs" valgrind -q --error-exitcode=99 \
		--suppressions=tests/valgrind.supp "$directory/host" sum data
else
	skip "valgrind has nothing to say of a first call" "no valgrind"
fi
if command -v gdb >/dev/null; then
	check "gdb shows the caller from within the first call" \
		grep -q 'in do_what' <<<"$(LD_LIBRARY_PATH=$stubs gdb -q -batch \
		-ex 'set breakpoint pending on' -ex 'break linked_miss' \
		-ex 'run' -ex 'backtrace' \
		--args "$directory/host" sum 2>&1)"
else
	skip "gdb shows the caller from within the first call" "no gdb"
fi
finish
