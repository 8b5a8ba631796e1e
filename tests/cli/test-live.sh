#!/bin/bash
# SPDX-License-Identifier: MIT
# examples/live: a filter that is built anew while the host runs takes the place of
# the old one in the next frame. TAP.
set -u
. "$(dirname "$0")/cli.bash"

live=${TEST_BUILD:-.}/examples/live/live
[ -x "$live" ] || skip_all "examples/live is not built"
[ "${STUBS:-yes}" = yes ] || skip_all "no stubs on this CPU"
mkdir "$t/d"

# filter GAIN: written beside, and renamed
filter()
{
	# shellcheck disable=SC2086 # CC may hold options
	${CC:-cc} -shared -fPIC -DGAIN="$1" -o "$t/d/new" \
		"$root/examples/live/filter.c" && mv "$t/d/new" "$t/d/filter.so"
}

# pictures N: waits until so many were shown
pictures()
{
	local i
	for ((i = 0; i < 600; i++)); do
		[ "$(grep -c '^frame' "$t/shown")" -lt "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

filter 1 || skip_all "no compiler"
"$live" "$t/d" >"$t/shown" 2>"$t/said" &
host=$!
trap 'kill $host 2>/dev/null; rm -rf "$t"' EXIT
check "the picture is shown" pictures 1
filter -1
check "it is another one when the filter was built anew" pictures 2
check_same "a negative" "$(sed -n '/^frame/{n;p}' "$t/shown" | cut -c1 |
	tr '\n' '|')" " |@|"
echo "no object" >"$t/d/new" && mv "$t/d/new" "$t/d/filter.so"
filter 2
check "one that was built wrongly in between does no harm" pictures 3
check "the host still runs" kill "$host"
finish
