#!/bin/bash
# SPDX-License-Identifier: MIT
# What a terminal gets and a pipe does not: colours, a progress bar, lines that
# fit. TAP.
set -u
. "$(dirname "$0")/cli.bash"

command -v script >/dev/null || skip_all "script(1) is missing"
[ "$(TERM=xterm script -qec "test -t 1 && echo yes" /dev/null </dev/null |
	tr -d '\r')" = yes ] || skip_all "there are no terminals here"

# terminal COMMAND: what it writes to an 80-column terminal
terminal()
{
	TERM=xterm script -qec "stty cols 80; $1" /dev/null </dev/null
}

plugins "$t/p"
long=$t/p/$(printf 'long%.0s' {1..40}).so
cp "$t/p/p1.so" "$long"

seen=$(terminal "'$dlazy' scan '$t/p'")
has "$seen" "4/4" "a terminal gets a progress bar"
has "$seen" $'\r\033[K' "which is taken away"
run "$dlazy" scan "$t/p"
check_same "a pipe gets none" "$err" ""
seen=$(terminal "'$dlazy' scan '$t/p' 2>'$t/err'")
check_same "nor a file" "$(<"$t/err")" ""
seen=$(terminal "TERM=dumb '$dlazy' scan '$t/p'")
hasnt "$seen" $'\033' "nor a dumb terminal"
terminal "'$dlazy' scan --json '$t/p' 2>/dev/null" >"$t/out"
out=$(<"$t/out")
json '.directories' "JSON on a terminal is JSON"

seen=$(terminal "'$dlazy' list '$t/p'")
has "$seen" $'\033[1m' "the heading is bold"
seen=$(terminal "NO_COLOR=1 '$dlazy' list '$t/p'")
hasnt "$seen" $'\033' "NO_COLOR is respected"
check_same "no line is wider than the terminal" \
	"$(tr -d '\r' <<<"$seen" | awk 'length > 80')" ""
mkdir -p "$t/$(printf 'deep%.0s' {1..30})"
deep=$t/$(printf 'deep%.0s' {1..30})
cp "$t/p/p1.so" "$deep"
seen=$(terminal "NO_COLOR=1 '$dlazy' list '$deep'" | tr -d '\r')
check_same "a long path is cut to fit" "$(awk 'length > 80' <<<"$seen")" ""
has "$seen" "..." "in its middle"
has "$seen" "/p1.so" "so that its end is seen"
run "$dlazy" list "$deep"
has "$out" "$deep/p1.so" "a pipe gets it whole"
seen=$(terminal "'$dlazy' list /nonexistent")
has "$seen" $'\033[31mdlazy:' "a message is red at its start"
seen=$(terminal "NO_COLOR=1 '$dlazy' list /nonexistent")
hasnt "$seen" $'\033' "unless NO_COLOR"
finish
