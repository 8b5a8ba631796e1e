#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy check: each kind of problem, found by reading or by loading. TAP.
set -u
. "$(dirname "$0")/cli.bash"

mkdir "$t/p"
build "$t/libgone.so" <<<'int gone(void) { return 1; }'
build "$t/p/missing.so" -L"$t" -lgone <<<'int gone(void); int f(void) { return gone(); }'
rm "$t/libgone.so"
build "$t/p/good.so" <<<'#include <stdlib.h>
	int f(void) { return abs(-1); }'

# problem KIND FILE SENTENCE: the last run found that kind with that file
problem()
{
	json "any(.plugins[]; (.path | endswith(\"/$2\")) and
		any(.problems[]; .kind == \"$1\"))" "$3"
}

run "$dlazy" check "$t/p" --json
is_status 1 "a missing library is a problem"
problem missing-library missing.so "which is named with the plugin"
json '.ok == 1 and .bad == 1' "plugins are counted"
json 'any(.plugins[]; .problems == [])' "a good one has no problems"
run "$dlazy" check "$t/p"
has "$out" "libgone.so" "the table names the library"
has "$out" "install the package" "and says what to do"
run "$dlazy" check "$t/p/good.so"
is_status 0 "one good file is good"

build "$t/wants.so" <<<'int host_function(void);
	int f(void) { return host_function(); }'
run "$dlazy" check "$t/wants.so" --json
is_status 0 "what a host may supply is no error"
problem needs-host wants.so "but is told"
# shellcheck disable=SC2086 # CC may hold options
${CC:-cc} -rdynamic -o "$t/host" -x c - <<'END'
	int host_function(void) { return 1; }
	int main(void) { return 0; }
END
run "$dlazy" check "$t/wants.so" --host "$t/host" --json
is_status 0 "what the host exports is found"
json '.plugins[0].problems == []' "without a word"
run "$dlazy" check "$t/wants.so" --host /bin/true --json
is_status 1 "what the host does not export is a problem"
problem undefined-symbol wants.so "namely an undefined symbol"

build "$t/provider.so" -Wl,-soname,provider.so \
	-Wl,--version-script=<(echo 'V1 { old; }; V2 { new; };') \
	<<<'int old(void) { return 1; } int new(void) { return 2; }'
build "$t/versioned.so" -Wl,-rpath,"$t" -L"$t" -l:provider.so \
	<<<'int new(void); int f(void) { return new(); }'
run "$dlazy" check "$t/versioned.so"
is_status 0 "a version that is there is found"
build "$t/provider.so" -Wl,-soname,provider.so \
	-Wl,--version-script=<(echo 'V1 { old; new; };') \
	<<<'int old(void) { return 1; } int new(void) { return 2; }'
run "$dlazy" check "$t/versioned.so" --json
is_status 1 "a version that is gone is a problem"
problem undefined-symbol versioned.so "also where the name is there"

# One library further away: ld.so looks at all that is mapped.
build "$t/above.so" -Wl,-rpath,"$t" -L"$t" -l:versioned.so \
	<<<'int f(void); int g(void) { return f(); }'
run "$dlazy" check "$t/above.so" --json
is_status 1 "a version that is gone at one remove is a problem"
json '.plugins[0].problems | length == 1 and
	(.[0].detail | contains("V2") and contains("/versioned.so"))' \
	"told once, with who needs it"

# What is cut off would be a SIGBUS, or zeros.
build "$t/whole.so" <<<'int table[5000] = {1, 2, 3}; int f(void) { return table[4]; }'
head -c $(($(stat -c %s "$t/whole.so") - 9000)) "$t/whole.so" >"$t/cut.so"
run "$dlazy" check "$t/whole.so"
is_status 0 "a file that is whole is good"
run "$dlazy" check "$t/cut.so" --json
is_status 1 "one that ends in a segment is not"
problem damaged cut.so "as it is damaged"

# Bound lazily or not, a symbol that no relocation refers to is not looked up.
build "$t/idle.so" <<<'__asm__(".globl nobody_has_this");
	int f(void) { return 1; }'
run "$dlazy" check "$t/idle.so" --host /bin/true
is_status 0 "a symbol that is only named is no problem"

echo text >"$t/text.so"
head -c 200 "$t/p/good.so" >"$t/cut.so"
build "$t/stack.so" -Wl,-z,execstack <<<'int f(void) { return 1; }'
cp "$t/p/good.so" "$t/foreign.so"
machine "$t/foreign.so" 1
run "$dlazy" check "$t"/{text,cut,stack,foreign,absent}.so --json
json '.ok == 0 and .bad == 5' "damaged and foreign files are bad, each"
problem not-elf text.so "a text file is not ELF"
problem damaged cut.so "a truncated file is damaged"
problem exec-stack stack.so "an executable stack is named"
problem wrong-machine foreign.so "another machine is named"
problem not-found absent.so "a file that is not there is named"

# A constructor each.
constructor()
{
	build "$t/$1.so" <<<"#include <stdlib.h>
		#include <unistd.h>
		__attribute__((constructor)) static void start(void) { $2 }"
}
constructor fine 'write(1, "noise", 5);'
constructor hang 'for (;;) pause();'
constructor crash 'abort();'
constructor quit 'exit(0);'
run "$dlazy" check "$t"/{fine,hang,crash,quit}.so --json
is_status 0 "reading cannot tell what a constructor does"
run "$dlazy" check "$t"/{fine,hang,crash,quit}.so --load --timeout 1 --json
is_status 1 "loading can"
json '.ok == 1 and .bad == 3' "one plugin's constructor harms no other"
problem load-timeout hang.so "one that hangs is named"
problem load-crashed crash.so "one that crashes is named"
json 'any(.plugins[].problems[]; .detail | test("ABRT|signal 6"))' \
	"with its signal"
problem load-crashed quit.so "one that exits is named"

constructor tells 'write(2, "acme: first\nacme: no \033[31m device\n", 34);
	_exit(3);'
run "$dlazy" check "$t/tells.so" --load
has "$out" "it said: acme: no ?[31m device" \
	"the last words of a plugin that ends the process are told"
hasnt "$out" "acme: first" "only these"
run "$dlazy" check "$t/tells.so" --load --json
json '.plugins[0].problems[0].detail | test("acme: no")' "in JSON, too"
constructor floods 'for (int i = 0; i < 9000; i++)
	write(1, "noise noise\n", 12);
	abort();'
run "$dlazy" check "$t/floods.so" --load --timeout 60
has "$out" "killed by" "who writes more than there is room for is not held up"

if env --ignore-signal=CHLD true 2>/dev/null; then
	run timeout 30 env --ignore-signal=CHLD \
		"$dlazy" check --load "$t/fine.so"
	is_status 0 "a parent that ignores SIGCHLD does not matter"
else
	skip "a parent that ignores SIGCHLD does not matter" "env cannot do so"
fi

mkdir "$t/beside"
build "$t/beside/base.so" -Wl,-soname,libbase.so.1 <<<'int base(void) { return 1; }'
build "$t/beside/user.so" "$t/beside/base.so" \
	<<<'int base(void); int f(void) { return base(); }'
run "$dlazy" check "$t/beside"
is_status 1 "a library beside the plugin is not found by the dynamic linker"
has "$out" "in the same directory, under that SONAME (base.so)" \
	"where it lies is told"
hasnt "$out" "install the package" "and no package advised"
mkdir "$t/beside/2"
echo junk | tee "$t/beside/bad.so" >"$t/beside/2/bad.so"
run "$dlazy" check "$t/beside" "$t/beside/2"
has "$out" "$t/beside/2/bad.so" "files of several directories are told apart"

# note PRIORITY [OTHER]: C whose object says that it opens libabsent.so.9, or
# OTHER, and how much it wants that
note()
{
	sed -e "s/PRIORITY/$1/; s/OTHER/${2:-libabsent.so}/; s/~/\\\\\\\\042/g" <<-'END'
		asm(".section .note.dlopen,\"a\"; .balign 4;"
		    ".long 4, 1f-0f, 0x407c0c0a; .asciz \"FDO\"; 0: .asciz \""
		    "[{~soname~:[~libabsent.so.9~,~OTHER~],~feature~:~x~,"
		    "~priority~:~PRIORITY~}]\"; 1: .balign 4; .previous");
		int main(void) { return 0; }
	END
}
note required | build "$t/required.so"
note suggested | build "$t/suggested.so"
note required libc.so.6 | build "$t/found.so"
run "$dlazy" check "$t"/{required,suggested,found}.so --json
is_status 1 "a required library that a note names and is absent is a problem"
problem note-missing required.so "which is named so"
json '.bad == 1' "one that is suggested, or there by another name, is none"
has "$out" "libabsent.so.9, for x" "with the library and what it is for"
# shellcheck disable=SC2086 # CC may hold options
note required | ${CC:-cc} -o "$t/program" -x c -
run "$dlazy" check "$t/program" --load --json
json '[.plugins[0].problems[].kind] == ["note-missing"]' \
	"of a program its notes are judged, and it is not loaded"
run "$dlazy" check "$t/host"
is_status 0 "a program that lacks nothing is good"

mkdir "$t/empty"
run "$dlazy" check "$t/empty"
is_status 0 "an empty directory has no problems"
has "$err" "no plugins" "but is mentioned"
run "$dlazy" check
is_status 2 "no operand is a usage error"
run "$dlazy" check "$t/p" --timeout 0
is_status 2 "a senseless deadline, too"
run "$dlazy" check "$t/p" --host "$t/absent"
is_status 1 "a host that is not there is told"
has "$err" "absent" "by name"
finish
