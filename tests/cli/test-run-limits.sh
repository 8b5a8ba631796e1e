#!/bin/bash
# SPDX-License-Identifier: MIT
# What lazy linking may not change, one limit after the other: programs and
# libraries are made from tests/fixtures/limit-*, run plainly and lazily, and must
# say the same, while their libraries are lazy (or eager, where that is the rule).
# TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

cc=${CC:-cc}
case $cc in
*-fsanitize*) skip_all "the sanitizer's own runtime would be what is tested" ;;
esac
"$dlazy" run --help >/dev/null 2>&1 || skip_all "no dlazy run"
fixtures=$root/tests/fixtures
flags="-g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE -I$fixtures"
mkdir "$t/lib"

# source_of NAME: its file, in $source, with the compiler for it in $compiler
source_of()
{
	source=$fixtures/limit-$1.c
	compiler="$cc -std=gnu11"
	[ -e "$source" ] && return
	source=$fixtures/limit-$1.cc
	compiler="${CXX:-c++} -std=gnu++17"
}

# library NAME NUMBER [ARGUMENT...]
library()
{
	local name=$1 number=$2 source compiler
	shift 2
	source_of "$name"
	# shellcheck disable=SC2086 # words
	$compiler $flags -fPIC -shared -DLIBRARY="$number" \
		-Wl,-soname,"liblimit-$name-$number.so" \
		-o "$t/lib/liblimit-$name-$number.so" "$source" "$@"
}

# plugin NAME [ARGUMENT...]
plugin()
{
	local name=$1 source compiler
	shift
	source_of "$name"
	# shellcheck disable=SC2086 # words
	$compiler $flags -fPIC -shared -DPLUGIN -o "$t/$name-plugin.so" \
		"$source" -L"$t/lib" "$@"
}

# Laziness has to pay: a dozen libraries that every program is linked to.
fillers()
{
	local i
	for ((i = 0; i < 12; i++)); do
		echo "int filler_$i(void) { return $i; }" >"$t/filler.c"
		$cc -fPIC -shared -Wl,-soname,libfiller-$i.so \
			-o "$t/lib/libfiller-$i.so" "$t/filler.c"
		echo "-lfiller-$i"
	done
}

# program NAME [ARGUMENT...]: $t/NAME, linked to its libraries in their order
program()
{
	local name=$1 source compiler file libraries=()
	shift
	source_of "$name"
	for file in "$t/lib/liblimit-$name-"[0-9].so; do
		libraries+=("-l:${file##*/}")
	done
	# shellcheck disable=SC2086 # words
	$compiler $flags -o "$t/$name" "$source" -L"$t/lib" \
		-Wl,--no-as-needed,--enable-new-dtags,-rpath,"$t/lib" \
		"$@" "${libraries[@]}" $fillers -pthread
}

# make NAME [NUMBER...]: its libraries (1 if none is told) and its program
make_limit()
{
	local name=$1 number
	shift
	for number in "${@:-1}"; do
		library "$name" "$number"
	done
	program "$name"
}

# What it says plainly, else the fixture itself is wrong: says WANTED
says()
{
	[ "$out" = "$1" ] || {
		fail "$name: plainly" "said: $out"$'\n'"wanted: $1"
		return 1
	}
}

# limit NAME SENTENCE START OUTPUT [ARGUMENT...]: the program says OUTPUT in both
# ways; START are the words about its libraries ("1 lazy"), when run lazily
limit()
{
	local name=$1 sentence=$2 start=$3 wanted=$4
	shift 4
	run "$t/$name" "$@"
	says "$wanted" || return
	run "$dlazy" run --wait -- "$t/$name" "$@"
	check_same "$sentence" "$status:$out" "0:$wanted"
	[ -z "$start" ] ||
		check_same "$name: ${start//$'\n'/, }" "$err" "$start"
}

# why NAME LIBRARY WORD SENTENCE: why it is not lazy
why()
{
	run "$dlazy" run --wait --stats --json -- "$t/$1"
	grep '^{' "$t/err" >"$t/out"
	json '[.eager[] | select(.path | endswith("/'"$2"'"))][0].why == "'"$3"'"' \
		"$4"
}

fillers=$(fillers)

# ------------------------------------------------------------ control flow

make_limit throw
limit throw "exceptions pass through first calls, both ways" "1 lazy" \
	"program caught: from the library
program caught: from the program
library caught: from the program"
make_limit typeinfo
limit typeinfo "an exception class of the library's is caught" "1 lazy" \
	"caught: in the library"
make_limit longjmp
limit longjmp "longjmp leaves a first call" "1 lazy" "7
8
7
8"
make_limit callback 1 2
limit callback "a callback of a first call makes first calls" "1 lazy
2 lazy" 44
make_limit threads
limit threads "threads race for the first call" "1 lazy" "0 wrong"
wanted="38
0.333333333333333
5 124
1496
26 52"
! grep -qw avx /proc/cpuinfo || wanted+=$'\n26 52 78 104'
! grep -qw avx512f /proc/cpuinfo || wanted+=$'\n26 52 78 104 130 156 182 208 '
make_limit arguments
limit arguments "arguments and results survive a first call" "1 lazy" "$wanted"

# ------------------------------------------------------------ symbols

library ifunc 1 -Wl,-z,lazy
program ifunc
limit ifunc "an IFUNC is called, and one calls while it is bound" "1 lazy" "2
3
13"
library versions 1 -Wl,--version-script="$fixtures/limit-versions.map"
program versions
limit versions "versions are told apart, hidden ones too" "1 lazy" "1 2
1
2"
pointers="dlsym 1
library gives 1
library knows 1
still 1
dlsym still 1
calls 2"
make_limit pointer
limit pointer "a function has one address" "1 lazy" "$pointers"
program pointer -no-pie -fno-pic
limit pointer "a function has one address in a fixed program too" "" "$pointers"
make_limit next 1 2
limit next "dlsym(RTLD_NEXT) finds the next library's" "" "102
5"
make_limit interpose
limit interpose "the program's own function goes before the library's" "1 mapped" 12
why interpose liblimit-interpose-1.so shadowed \
	"a library that another goes before stays eager, and says so"
for how in symbolic symbolic-functions; do
	name=$how
	cp "$fixtures/limit-symbolic.c" "$t/limit-$how.c"
	$cc $flags -fPIC -shared -DLIBRARY=1 -DNAME="\"$how\"" \
		-Wl,-soname,"liblimit-$how-1.so" -Wl,-B$how \
		-o "$t/lib/liblimit-$how-1.so" "$t/limit-$how.c"
	$cc $flags -DNAME="\"$how\"" -o "$t/$how" "$t/limit-$how.c" -L"$t/lib" \
		-Wl,--no-as-needed,-rpath,"$t/lib" "-l:liblimit-$how-1.so" \
		$fillers
	limit $how "a library linked -B$how calls itself" "" "16 1000"
done

# ------------------------------------------------------------ constant functions

constants="-5 0x7fffffff00000001 what it always says"
make_limit constant 1 2 3
name=constant
run "$t/constant"
# Where the constructor's line stands is the constructor's matter.
says "constructed
$constants
29
$constants
1 1
destructed"
run "$dlazy" run --wait -- "$t/constant"
check_same "what a function always says needs no library" "$(sort <<<"$out")" \
	"$(printf '%s\n' "$constants" "$constants" constructed 29 "1 1" \
		destructed | sort)"
check_same "which is there for all else" "$err" $'1 lazy\n1 mapped'
library constant 1 -DREBUILT
mv "$t/lib/liblimit-constant-1.so" "$t/rebuilt.so"
library constant 1
put="cp $t/rebuilt.so $t/lib/new; mv $t/lib/new $t/lib/liblimit-constant-1.so"
run "$dlazy" run --wait -- "$t/constant" "$put"
has "$err" "another build than the stub was made for" "what was said is held to"
hasnt "$err" "the dynamic linker says" "which is no word of the linker's"
library constant 1
run "$dlazy" run --wait -- "$t/constant" "$put" first
has "$out" "30
-6 0x7fffffff00000002 what it always says" \
	"before anything was said, another build says it for itself"

# ------------------------------------------------------------ data

copied="table text 7
first second 1
sum 10, pointer 1
aligned 1
named 1, libc 1
local 42
added 18 18
same 1 1"
library canonical 1
for how in -fPIC -fPIE "-fno-pic -no-pie"; do
	# shellcheck disable=SC2086 # words
	program canonical $how
	limit canonical "data are there before their library is ($how)" "1 lazy" \
		"$copied"
done
run "$dlazy" run --wait -- "$t/canonical" "touch $t/lib/liblimit-canonical-1.so"
check_same "the same build is known by its id" "$out" "$copied"
# Another build is put in place while the program runs.
library canonical 1 -DREBUILT
mv "$t/lib/liblimit-canonical-1.so" "$t/rebuilt.so"
library canonical 1
run "$dlazy" run --wait -- "$t/canonical" "mv $t/rebuilt.so $t/lib/liblimit-canonical-1.so"
case $err in
*"another build than the stub was made for"*)
	pass "copies are not used with another build" ;;
*)
	fail "copies are not used with another build" "$err" ;;
esac
program canonical -fPIC
library canonical 1 -Wl,-Bsymbolic
# What the program writes is not the library's then.
run "$t/canonical"
limit canonical "data of a library bound to itself keep it eager" "1 mapped" "$out"
why canonical liblimit-canonical-1.so data "taken data make eager, and it says so"

# ------------------------------------------------------------ dlopen, plugins

make_limit dlopen
limit dlopen "the program opens the library it is linked to" "1 lazy" "42
43
44
44
1
absent 1
closed 0
45"
make_limit namespace
limit namespace "a namespace of its own has its own" "1 lazy" "41
42
41"
library plugin 1
plugin plugin -l:liblimit-plugin-1.so
program plugin
plugged="plugin: 52 one
plugin: 53
closed 0
plugin: 63 one
plugin: 64
closed 0
65"
limit plugin "a plugin finds data of a lazy library" "1 lazy" "$plugged" \
	"$t/plugin-plugin.so"
limit plugin "a plugin bound at once finds it too" "1 lazy" "$plugged" \
	"$t/plugin-plugin.so" now
plugin plugin
limit plugin "so does one that does not say whose it is" "1 lazy" "$plugged" \
	"$t/plugin-plugin.so"

# ------------------------------------------------------------ dependencies

make_limit underlinked 1 2
limit underlinked "a library that hides what it needs finds it" "1 lazy
2 lazy" 12
# Linked to an earlier library 1, which had it all.
library transitive 1 -DWHOLE
program transitive -fPIC
library transitive 2
library transitive 3
library transitive 1 -L"$t/lib" -Wl,-rpath,"$t/lib" \
	-l:liblimit-transitive-2.so \
	-l:liblimit-transitive-3.so
limit transitive "what only a lazy library needs is found" "" "2 300
312"

# Library 3 comes before library 2 in the search order.
library nested 2
library nested 3 -L"$t/lib" -Wl,-rpath,"$t/lib" -l:liblimit-nested-2.so
library nested 1 -L"$t/lib" -Wl,-rpath,"$t/lib" -l:liblimit-nested-3.so \
	-l:liblimit-nested-2.so
mkdir "$t/aside"
mv "$t/lib/liblimit-nested-"[23].so "$t/aside"
program nested -Wl,--allow-shlib-undefined
mv "$t/aside/"* "$t/lib"
limit nested "data in a circle is found" "1 lazy" 1322

library swept 2
library swept 1 -L"$t/lib" -Wl,-rpath,"$t/lib" -l:liblimit-swept-2.so
mv "$t/lib/liblimit-swept-2.so" "$t/aside"
program swept -Wl,--allow-shlib-undefined
mv "$t/aside/"* "$t/lib"
limit swept "a library that comes in past its stub finds its data" "1 lazy
2 lazy" 42

# Linked to an earlier library 1, which had it all but library 3.
library named 1 -DWHOLE
program named -Wl,--allow-shlib-undefined
library named 2
library named 3 -L"$t/lib" -Wl,-rpath,"$t/lib" -l:liblimit-named-2.so
library named 1 -L"$t/lib" -Wl,-rpath,"$t/lib" -l:liblimit-named-3.so \
	-l:liblimit-named-2.so
limit named "data in a circle is found by who was opened first" "2 lazy" "301
1302"

# ------------------------------------------------------------ data, TLS, start

library tls 1
library tls 2 -ftls-model=initial-exec
for i in 3 4 5 6; do library tls "$i" -ftls-model=initial-exec; done
program tls
limit tls "thread-local variables are each thread's" "1 lazy
2 mapped
6 lazy" "101 201
301 401 501 601
101 201
102 202
301 401 501 601"
why tls liblimit-tls-2.so static-tls "static TLS stays eager, and says so"
make_limit constructor 1 2 3
limit constructor "constructors and destructors run" "1 mapped
2 mapped
3 lazy" "first constructed
main
2 7
second destructed"
why constructor liblimit-constructor-1.so initialiser \
	"who is there for its constructor stays eager, and says so"
library copy 1
library copy 2
program copy -no-pie -fno-pic
limit copy "a fixed program has its copy of the data" "1 lazy
2 lazy" "51
51
1"
library malloc 1 -fno-builtin
program malloc
limit malloc "a malloc of its own is everybody's" "1 mapped" 1
why malloc liblimit-malloc-1.so libc-name "a libc name makes eager"

# ------------------------------------------------------------ processes

make_limit fork
run "$dlazy" run --wait --stats -- "$t/fork"
for user in unset "" /nowhere /nowhere:/else; do
	shown=$user
	if [ "$user" = unset ]; then
		unset LD_LIBRARY_PATH
	else
		export LD_LIBRARY_PATH=$user
	fi
	limit fork "children of LD_LIBRARY_PATH=$user see it as it was" "1 lazy" \
		"child 1
child ended with 2
parent 1
[$shown]
0
child ended with 1"
done
unset LD_LIBRARY_PATH

make_limit chroot 1 2
if [ "$(id -u)" = 0 ]; then
	mkdir "$t/root"
	run "$dlazy" run --wait -- "$t/chroot" "$t/root"
	is_status 134 "a first call behind chroot ends the program"
	check_same "what was called before goes on" "$out" "1
1 11"
	has "$err" "liblimit-chroot-2.so" "it names the library"
	has "$err" "second" "it names the function"
else
	skip "a first call behind chroot" "only root may chroot"
fi
limit chroot "without a chroot all goes well" "1 lazy
2 lazy" "1
1 11
2"

# ------------------------------------------------------------ debuggers

make_limit debugged
# The directory that the program is started on, to start it by hand.
by_hand()
{
	rm -rf "$t/hand"
	DLAZY_CACHE_DIR=$t/hand "$dlazy" run --wait -- "$t/debugged" >/dev/null 2>&1
	compgen -G "$t/hand/run/*/g-*" | head -n 1
}

# backtrace FUNCTION: where it breaks, the names of all frames, by blanks
backtrace()
{
	gdb -q -nx -batch -iex "set debuginfod enabled off" \
		-ex "set breakpoint pending on" -ex "break $1" -ex run -ex bt \
		--args "$dlazy" run --wait -- "$t/debugged" 2>&1 </dev/null |
		tee "$t/gdb" | sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\{0,1\}//p' |
		sed 's/ .*//' | paste -sd' '
}

if command -v gdb >/dev/null; then
	frames=$(backtrace library_inner)
	check_same "gdb sees through a stub that was bound" "${frames#* }" \
		"library_outer program_calls main"
	frames=$(backtrace library_construct)
	has "$frames" "library_construct " "gdb stops in a first call's constructor"
	has "$frames" " dlazy_linked_slow program_calls main" \
		"its backtrace is whole, through the slow path"
	hasnt "$frames" "??" "and has no unknown frame"
	check_same "gdb stops in a stub, by the function's name" \
		"$(backtrace library_outer)" "library_outer program_calls main"
	has "$(<"$t/gdb")" "library_outer () from $t/cache/run/" \
		"of the stub file"
else
	skip "gdb" "not installed"
fi
if command -v valgrind >/dev/null; then
	directory=$(by_hand)
	export LD_LIBRARY_PATH=$directory
	run valgrind -q --error-exitcode=9 "$t/debugged"
	check_same "valgrind runs a lazy program" "$status:$out" "0:5"
	has "$err" "1 lazy" "it is lazy there"
	run valgrind -q --error-exitcode=9 "$t/debugged" 10
	is_status 9 "and finds an error in a lazy library"
	has "$err" "library_inner" "by the function's name"
	has "$err" "by 0x" "with who called it"
	has "$err" "program_calls" "through the stub"
	unset LD_LIBRARY_PATH
	run "$dlazy" run --wait -- valgrind -q --error-exitcode=9 "$t/debugged"
	is_status 0 "valgrind itself can be the command"
else
	skip "valgrind" "not installed"
fi
flags+=" -fsanitize=address"
if library debugged 1 2>/dev/null && program debugged 2>/dev/null &&
	"$t/debugged" >/dev/null 2>&1; then
	limit debugged "an ASan program runs lazily" "1 lazy" 5
	run "$dlazy" run --wait -- "$t/debugged" 10
	is_status 1 "ASan finds an error in a lazy library"
	has "$err" "heap-buffer-overflow" "of its kind"
	has "$err" "in library_inner" "by the function's name"
	has "$err" "in main" "with all who called it"
else
	skip "ASan" "the compiler has none"
fi
finish
