#!/bin/bash
# SPDX-License-Identifier: MIT
# The example hosts list what the project's own plugins are, by what `dlazy scan`
# has found out, and load none for that; then one, which they use. TAP.
set -u
. "$(dirname "$0")/cli.bash"

build=${TEST_BUILD:?run it by make check}
hosts=$build/plugins/hosts
compgen -G "${DLAZY_STAGE_LIBDIR:-/nonexistent}/dlazy/json.so" >/dev/null ||
	skip_all "built without jansson"
[ -x "$hosts/ladspa-host" ] || skip_all "the hosts are not built"
export ASAN_OPTIONS=detect_leaks=0 # a host may end as it likes
mkdir "$t/audio" "$t/picture"
cp "$build"/plugins/audio/{gain,fold}-10.so "$t/audio"
cp "$build"/plugins/picture/{mosaic-4,noise-5}.so "$t/picture"

run "$hosts/ladspa-host" "$t/audio"
check_same "plugins that nobody has asked are names" "$out" \
	$'fold-10\ngain-10'
run "$dlazy" scan --probe "$t/audio" "$t/picture"
run "$hosts/ladspa-host" --stats "$t/audio"
is_status 0 "a host lists plugins that were asked"
has "$out" "gain-10:" "by name and label"
has "$out" "control input" "with their ports"
has "$err" "declared 2 used 0 mapped 0:" "and loads none"
listed=$out
run "$hosts/ladspa-host" --eager "$t/audio"
check_same "as they say themselves when all are loaded" "$listed" "$out"
run "$hosts/frei0r-host" --stats "$t/picture"
has "$out" "mosaic-4: " "so does the other one"
has "$out" ", filter" "by type"
has "$err" "declared 2 used 0 mapped 0:" "and loads none"
run "$hosts/ladspa-host" --stats "$t/audio" gain-10 "$t/out.wav"
is_status 0 "one is used"
has "$err" "used 1" "and that one alone is loaded"
finish
