#!/bin/bash
# SPDX-License-Identifier: MIT
# Faults that are no facts, of which the sweep has told: what the tool says of
# each, and that it keeps nothing. TAP.
set -u
. "$(dirname "$0")/../cli/cli.bash"

inject=${TEST_BUILD:?run by make}/tests/faults/inject.so
[ -e "$inject" ] ||
	skip_all "no library to preload: sanitizers have their own"
export LD_LIBRARY_PATH=${DLAZY_STAGE_LIBDIR:?}

# failing KIND ERRNO N COMMAND...: the N-th call of that kind fails in dlazy. No
# maker is started, where the time of a process is limited.
failing()
{
	(ulimit -t 100 && FAULT_IN=dlazy FAULT_CALL=$1 FAULT_ERRNO=$2 FAULT_N=$3 \
		LD_PRELOAD=$inject "${@:4}")
}

# Where the tool lies is part of what a program's entry is known by.
run failing readlink 5 1 "$dlazy" run --stats /bin/echo hello
is_status 0 "a tool that cannot see where it lies runs a program all the same"
has "$out" hello "the program has run"
has "$err" /proc/self/exe "it is plain for what could not be read, and not unknown"
check "nothing is kept of it" [ ! -e "$t/cache" ]
run failing readlink 5 1 "$dlazy" trace /bin/true
has "$err" "/proc/self/exe: Input" "a tracer that was not looked for is not missing"

# tracing ERRNO: a trace with each opening failing from the N-th on; what exits with
# 0 and has no table says why
tracing()
{
	local n status
	for n in 5 15 {20..40..2} 50 70 90; do
		status=0
		(ulimit -t 100 && FAULT_IN=dlazy FAULT_CALL=open FAULT_ERRNO=$1 \
			FAULT_N=$n FAULT_ALWAYS=1 LD_PRELOAD=$inject TMPDIR=$t \
			"$dlazy" trace /bin/true) >"$t/said" 2>&1 || status=$?
		[ "$status" != 0 ] || grep -q "^dlazy:\|^OBJECT" "$t/said" ||
			echo "$n: $(<"$t/said")"
	done
}
check_empty "a trace that cannot be read is told of" "$(tracing 24)"

# A process that plugins are probed in may fail, too, and the wire to it.
# probing KIND ERRNO MOST: each call of that kind in turn, up to a number; what is
# kept of plugins that was no doing of theirs
probing()
{
	local n
	for ((n = 1; n <= $3; n++)); do
		rm -rf "$t/cache"
		failing "$1" "$2" "$n" "$dlazy" scan --probe="$t/probe.so" "$t/d" \
			>/dev/null 2>&1
		"$dlazy" list --json "$t/d" 2>/dev/null |
			grep -o '"probe":"[^"]*"' | sed "s/^/$1 $n: /"
	done
}

mkdir "$t/d"
build "$t/d/p.so" <<<"int p(void) { return 1; }"
build "$t/probe.so" <<<"char *dlazy_probe(void *h) { return 0; }"
if [ -e "$DLAZY_STAGE_LIBDIR/dlazy/json.so" ]; then
	sleep 0.1
	check_empty "no fault of the process that probes is kept as the plugin's" \
		"$(probing read 5 30; probing open 24 12; probing write 28 2)"
else
	skip "no fault of the process that probes is kept as the plugin's" \
		"built without jansson"
fi

# A bundle that cannot be read is not one that says nothing.
bundle()
{
	local n
	for ((n = 1; n <= 14; n++)); do
		rm -rf "$t/cache"
		failing open 24 "$n" "$dlazy" scan --probe=lv2 "$t/lv2" >/dev/null 2>&1
		"$dlazy" scan --probe=lv2 "$t/lv2" >/dev/null 2>&1
		"$dlazy" list --provides 'lv2/*' "$t/lv2" | grep -q p.so ||
			echo "open $n: nothing is provided"
	done
}

mkdir "$t/lv2"
build "$t/lv2/p.so" <<<"void *lv2_descriptor(int i) { return 0; }"
cat >"$t/lv2/manifest.ttl" <<-'END'
	@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
	@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
	<urn:p> a lv2:Plugin ; lv2:binary <p.so> ; rdfs:seeAlso <p.ttl> .
END
echo '<urn:p> <http://usefulinc.com/ns/doap#name> "P" .' >"$t/lv2/p.ttl"
if [ -e "$DLAZY_STAGE_LIBDIR/dlazy/json.so" ] &&
	[ -e "$DLAZY_STAGE_LIBDIR/dlazy/probe-lv2.so" ]; then
	check_empty "a bundle that could not be read is asked again" "$(bundle)"
else
	skip "a bundle that could not be read is asked again" \
		"built without jansson or serd"
fi

# A home that two machines share, each with a directory of its own at one path.
for who in a b; do
	mkdir "$t/$who"
	build "$t/$who/p.so" <<<"int of_$who(void) { return 1; }"
	build "$t/$who/p_$who.so" <<<"int of_$who(void) { return 1; }"
done
mkdir "$t/p"
on() { unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && "$@"' - "$t/$1" "$t/p" "${@:2}"; }
if on a true 2>/dev/null; then
	for who in a b a b; do
		on $who "$dlazy" list "$t/p" | awk '{ print $1 }'
		on $who "$dlazy" info --symbols "$t/p/p.so" | grep -o of_.
	done >"$t/said" 2>&1
	check_same "machines that share a home are told of their own plugins" \
		"$(tr '\n' ' ' <"$t/said")" "$(for who in a b a b; do
			printf 'NAME p p_%s of_%s ' $who $who
		done)"
else
	skip "machines that share a home are told of their own plugins" \
		"needs a mount namespace"
fi
finish
