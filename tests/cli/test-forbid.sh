#!/bin/bash
# SPDX-License-Identifier: MIT
# The recipe of doc/measuring.md, with the example host that is in it: a test that
# pins what a start-up loads; it passes, and can fail. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"
export ASAN_OPTIONS=detect_leaks=0 # a host may end as it likes

build=${TEST_BUILD:?run it by make check}
manual=$root/doc/measuring.md
host=("$build/plugins/hosts/ladspa-host" "$build/plugins/audio")
command -v jq >/dev/null || skip_all "jq is missing"
[ -x "${host[0]}" ] || skip_all "no ${host[0]}"
[ -e "${host[1]}/gain-10.so" ] || skip_all "no ${host[1]}/gain-10.so"
ulimit -c 0
ln -s "$build" "$t/build"

# The commands, as they stand there.
sed -n '/^<!-- recipe -->/,/diff loaded.expected/s/^    //p' "$manual" \
	>"$t/recipe"
check_same "the recipe has its two parts" "$(grep -c . "$t/recipe")" 6
# recipe PART [SED]: one part of it, perhaps otherwise
recipe()
{
	sed -n "1,2p;$1p" "$t/recipe" | sed "${2-}" >"$t/part"
	cd "$t" && run bash -e -o pipefail part
}

recipe 3,4
is_status 0 "what start-up loads is written down"
check_same "by name" "$(cat "$t/loaded.expected")" gain-10
recipe 5,6
is_status 0 "the same start-up passes"
recipe 5,6 's/gain-10/gain-20/'
is_status 134 "one that touches another module fails"
has "$err" 'ladspa_descriptor() of module "gain-20" cannot be called' \
	"says which"
has "$err" "called:   by build/plugins/hosts/ladspa-host" "says by whom"
echo gain-20 >>"$t/loaded.expected"
recipe 5,6
is_status 1 "and one that touches less fails"
has "$out" "< gain-20" "says what"

# A phase of the host's own: named functions, if its symbols are to be had.
cat >"$t/host.c" <<'EOF'
#include <dlazy/dlazy.h>

void play(void (*filter)(void));
void start(void);

void play(void (*filter)(void))
{
	dlazy_forbid_loading("playing");
	filter();
	dlazy_forbid_loading(NULL);
}

void start(void)
{
	dlazy_forbid_loading(NULL);
}

int main(int argc, char **argv)
{
	struct dlazy_module *m = dlazy_open(argv[1], 0);
	void (*filter)(void) = (void (*)(void))dlazy_sym(m, "f");

	if (argc > 2)
		filter();
	start();
	play(filter);
}
EOF
read -ra cc <<<"${CC:-cc}"
libdir=${DLAZY_STAGE_LIBDIR:?}
build "$t/p.so" <<<'void f(void) {}'
"${cc[@]}" -O1 -fno-optimize-sibling-calls -rdynamic -o "$t/host" "$t/host.c" \
	-I"$root/include" -L"$libdir" -Wl,-rpath,"$libdir" -ldlazy || exit 99
run "$t/host" "$t/p.so"
is_status 134 "a first touch in a phase that forbids it aborts"
has "$err" "f was asked for by play+" "the function that touched is named"
has "$err" 'in the phase "playing", for which play+' \
	"and the one that forbade it"
run "$t/host" "$t/p.so" before
is_status 0 "touched before, it is fine"
DLAZY_ALLOW=p run "$t/host" "$t/p.so" before
is_status 0 "also with a list that has it"
DLAZY_ALLOW="" run "$t/host" "$t/p.so" before
is_status 134 "but not with one that lacks it"
has "$err" "f was asked for by main+" "of which the toucher is told"
has "$err" "name it in DLAZY_ALLOW" "and what would let it"
finish
