#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run on a terminal: what it draws, and whom the terminal's keys reach. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"

command -v script >/dev/null || skip_all "script(1) is missing"
[ "$(TERM=xterm script -qec "test -t 1 && echo yes" /dev/null </dev/null |
	tr -d '\r')" = yes ] || skip_all "there are no terminals here"
many

# terminal COMMAND: what it writes to an 80-column terminal
terminal()
{
	TERM=xterm script -qec "stty cols 80; $1" /dev/null </dev/null
}

seen=$(terminal "'$dlazy' run --wait '$many' call=1")
has "$seen" "reading this machine" "the first scan of the machine is shown"
has "$seen" $'\r\033[K' "and taken away"
has "$seen" "library 1" "before the program runs"
seen=$(terminal "'$dlazy' run '$many' call=1" | tr -d '\r')
check_same "the next time there is nothing to show" "$seen" "library 1"
rm -rf "$t/cache"
run "$dlazy" run --wait -- "$many"
check_same "a pipe is shown nothing" "$err" ""

seen=$(terminal "NO_COLOR=1 '$dlazy' run --stats '$many' call=2" | tr -d '\r')
check_same "no line of the table is wider than the terminal" \
	"$(awk 'length > 80' <<<"$seen")" ""
has "$seen" "WHY" "it has a heading"
hasnt "$seen" $'\033' "without colours if they are not wanted"
has "$(terminal "'$dlazy' run --stats '$many'")" $'\033[1m' "else it is bold"

# keys KEYS OPTION ...: typed while the program sleeps
keys()
{
	local keys=$1
	shift
	rm -f "$t/started"
	(
		for _ in {1..100}; do
			[ -s "$t/started" ] && break
			sleep 0.05
		done
		sleep 0.2
		# shellcheck disable=SC2059
		printf "$keys"
		sleep 0.5
	) | timeout 20 script -qec "'$dlazy' run $* -- '$many' \
		'system=echo >$t/started' sleep=30 finished" /dev/null
}
for how in "" --stats; do
	w=${how:+ with $how}
	seen=$(keys '\003' $how)
	check_same "the interrupt key ends the program$w" $? 130
	hasnt "$seen" "finished" "which does not finish$w"
done
has "$seen" "16 lazy" "the account is given all the same"
seen=$(keys '\034' --stats)
check_same "the quit key ends it, too" $? 131

# Stopped and let go on.
"$dlazy" run --wait --stats -- "$many" started sleep=2 finished >"$t/said" 2>/dev/null &
pid=$!
for _ in {1..100}; do
	[ -s "$t/said" ] && break
	sleep 0.05
done
child=$(pgrep -P $pid)
stopped()
{
	local i
	for i in {1..50}; do
		grep -q '^State:.T' "/proc/$1/status" && return
		sleep 0.05
	done
	return 1
}
kill -STOP "$child"
check "when the program stops, so does who stands in for it" stopped $pid
kill -CONT $pid
wait $pid
check_same "and lets it go on" "$?:$(tail -n 1 "$t/said")" "0:finished"
finish
