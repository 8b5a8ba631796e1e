#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run: the command is as without it. TAP.
set -u
# Started in the background, or by nohup, a shell has these ignored.
[ "${SIGNALS-}" = default ] ||
	SIGNALS=default exec env --default-signal=HUP,INT,QUIT,PIPE,TERM \
		bash "$0" "$@"
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
many

run "$dlazy" run --wait --stats --json -- "$many" call=3
is_status 0 "a program runs"
check_same "and calls its library" "$out" "library 3"
stats '.lazy == 16 and .touched == 1 and .functions == 1 and .plain == null' \
	"one of its libraries was needed"
stats '.eager | map(.path) | any(test("libc.so"))' "libc is eager"
stats '.eager | all(.why | length > 0)' "each eager one has a reason"
rm -r "$DLAZY_CACHE_DIR"/run
run "$dlazy" run --wait --stats --json -- "$many" call=3
check_same "with --wait it runs, too, when nothing is there yet" \
	"$status $out" "0 library 3"
stats '.lazy == 16 and .touched == 1' "and lazily at once"
run "$dlazy" run --wait --stats -- "$many"
has "$err" "16 lazy (0 needed, 0 functions bound)" "the table has a sum"
check_same "nothing of it is on standard output" "$out" ""

echo "input of some size" >"$t/input"
# shellcheck disable=SC2016
for how in "" --stats; do
	w=${how:+ with $how}
	for n in 0 1 77 255; do
		run "$dlazy" run --wait $how -- "$many" exit=$n
		is_status $n "exit status $n is the program's$w"
	done
	for signal in 9 11 15 2 3 13; do
		run "$dlazy" run --wait $how -- "$many" kill=$signal
		is_status $((128 + signal)) "so is death by signal $signal$w"
	done
	"$dlazy" run --wait $how -- "$many" copy <"$t/input" >"$t/copied" 2>/dev/null
	check "standard input and output are$w" cmp "$t/input" "$t/copied"
	run "$dlazy" run --wait $how -- "$many" argv0
	check_same "argv[0] is as typed$w" "$out" "$many"
	run "$dlazy" run --wait $how -- "$many" exe
	check_same "/proc/self/exe is the program$w" "$out" "$many"
	run "$dlazy" run --wait $how -- "$many" -x --stats "" "a b"
	check_same "arguments are passed on$w" "$out" $'-x\n--stats\n\na b'
done

# What the program finds, and its children. `_` is bash's.
state()
{
	(cd / && ulimit -n 200 && trap "" HUP CHLD &&
		exec "$@" "$many" state) 7</dev/null | sed 's/ [0-9]*$//'
}
check_same "signals, descriptors, limits and directory are as they were" \
	"$(state "$dlazy" run --wait)" "$(state)"
check_same "with --stats too" \
	"$(state "$dlazy" run --wait --stats 2>/dev/null)" "$(state 2>/dev/null)"
ignoring()
{
	(trap "" CHLD && exec timeout 20 "$dlazy" run --wait --stats -- "$many" exit=3)
}
ended=0
for _ in {1..30}; do
	ignoring 2>/dev/null
	[ $? != 3 ] || ended=$((ended + 1))
done
check_same "who ignores SIGCHLD is told of the end each time" "$ended" 30
environment()
{
	env -i PATH="$PATH" DLAZY_CACHE_DIR="$DLAZY_CACHE_DIR" BEFORE=1 "$@" \
		"$many" environ "system=env | grep -v '^\(_\|PWD\|SHLVL\)='"
}
mkdir -p "$t/other"
plain=$(environment env)
check_same "the environment is as it was" "$(environment "$dlazy" run --wait)" "$plain"
check_same "with --stats too" \
	"$(environment "$dlazy" run --wait --stats 2>/dev/null)" "$plain"
for value in "" : "$t/other" "$t/other:/nonexistent" ":$t/other:" "$t/other/"; do
	plain=$(environment env LD_LIBRARY_PATH="$value" AFTER=2)
	for how in "" --stats; do
		check_same "with LD_LIBRARY_PATH=\"${value//$t/}\" too $how" \
			"$(environment env LD_LIBRARY_PATH="$value" AFTER=2 \
			"$dlazy" run --wait $how 2>/dev/null)" "$plain"
	done
done
run "$dlazy" run --wait --stats --json -- env LD_LIBRARY_PATH="$t/other" \
	"$dlazy" run --wait --stats --json "$many"
check_same "run in run runs" "$status" 0

# Signals from outside.
for how in "" --stats; do
	rm -f "$t/out"
	"$dlazy" run --wait $how -- "$many" started sleep=30 >"$t/out" 2>/dev/null &
	pid=$!
	for _ in {1..100}; do
		[ -s "$t/out" ] && break
		sleep 0.05
	done
	kill -TERM $pid
	wait $pid 2>/dev/null
	check_same "SIGTERM ends it${how:+ with $how}" $? 143
done
check_same "the program ended with it" "$(pgrep -f "^$many started")" ""

# The record of --stats is its own.
check_same "nothing is left of the record of a run" \
	"$(find "$t/cache/run" -name 'record.*')" ""
rm -rf "$t/cache"
run "$dlazy" run --prepare "$many" true
is_status 0 "--prepare makes what several programs take"
has "$out" "$many: 16 of its" "and says what came of it"
hasnt "$out" "started" "without running them"
run "$dlazy" run --prepare no-such-command "$many"
is_status 1 "what is not there cannot be prepared"
has "$out" "$many: 16 of its" "and what is behind it is"
run "$dlazy" run --prepare --stats "$many"
is_status 2 "nothing runs that could be told of"
run "$dlazy" run --wait --json -- "$many"
is_status 2 "--json alone makes no sense"
run "$dlazy" run
is_status 2 "neither does nothing"
run "$dlazy" run --scope=program -- "$many"
is_status 2 "nor what is no option any more"
has "$err" "--scope=program" "which is named"
run "$dlazy" run --eagre=x -- "$many"
has "$err" "--eager" "a mistyped option is understood"
finish
