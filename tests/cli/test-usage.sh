#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy without a command, with a wrong one, and what is the same in each. TAP.
set -u
. "$(dirname "$0")/cli.bash"

commands=$("$dlazy" help | sed -n 's/^  \([a-z]*\) .*/\1/p')

run "$dlazy"
is_status 0 "alone it is content"
check_same "alone it prints ten lines" "$(wc -l <"$t/out")" 10
mapfile -t examples < <(sed -n 's/^  dlazy \([^ ].*[^ ]\)   *[^ ].*/\1/p' "$t/out" |
	sed 's/   *.*//')
check_same "three of them are examples" "${#examples[@]}" 3
for example in "${examples[@]}"; do
	run bash -c "'$dlazy' $example"
	is_status 0 "the example works: dlazy $example"
done

run "$dlazy" --version
is_status 0 "it has a version"
check "which is one line: dlazy and a number" \
	grep -Eqx 'dlazy [0-9]+\.[0-9]+\.[0-9]+' "$t/out"
for way in help --help -h; do
	run "$dlazy" $way
	is_status 0 "dlazy $way helps"
	has "$out" "  scan " "dlazy $way names the commands"
done

check "help names some commands" test -n "$commands"
for command in $commands; do
	run "$dlazy" "$command" --help
	is_status 0 "$command --help helps"
	said=$out
	has "$said" "Usage: dlazy $command" "$command --help says how to use it"
	run "$dlazy" help "$command"
	check_same "help $command says the same" "$out" "$said"
	run "$dlazy" "$command" --no-such-option
	is_status 2 "$command refuses an unknown option"
	has "$err" "--no-such-option" "$command names that option"
	check_same "$command prints nothing to standard output then" "$out" ""
done

run "$dlazy" nonsense
is_status 2 "an unknown command is a matter of usage"
has "$err" "nonsense" "it is named"
run "$dlazy" lst
has "$err" "did you mean list?" "a mistyped command is guessed"
run "$dlazy" list --jsno "$t"
has "$err" "did you mean --json?" "a mistyped option is guessed"
run "$dlazy" scan -o
is_status 2 "an option without its value is a matter of usage"
run "$dlazy" list --json=yes "$t"
is_status 2 "a value for an option without one, too"
run "$dlazy" help nonsense
is_status 2 "help for an unknown command, too"
for command in scan list info call; do
	run "$dlazy" $command
	is_status 2 "$command without operands, too"
done

# answers FORMAT COMMAND ...: each object says what it is, and whose
version=$("$dlazy" --version)
answers()
{
	local format=$1
	shift
	run "$dlazy" "$@"
	json ".format == $format and .dlazy == \"${version#dlazy }\"" \
		"$1 says its format and dlazy's version"
}
plugins "$t/p"
answers 1 scan "$t/p" --json
answers 1 list "$t/p" --json
answers 1 info "$t/p/p1.so" --json
answers 1 info "$t/p/absent.so" --json
answers 1 check "$t/p" --json
answers 1 call "$t/p/p1.so" f1 'i(i)' 1 --json
answers 1 stub "$t/p/p1.so" -o "$t/p1.o" --json
answers '"dlazy-bench"' bench "$t/p" --runs 1 --json
cp "$t/out" "$t/bench.json"
answers 1 report "$t/bench.json" -o "$t/page.html" --json

run bash -c "'$dlazy' help >/dev/full"
if [ -w /dev/full ]; then
	is_status 3 "output that cannot be written is dlazy's failure"
	has "$err" "cannot write" "and is said"
fi
mapped=$(LD_TRACE_LOADED_OBJECTS=1 "$dlazy" | grep '=>')
if [[ $mapped = *san.so* ]]; then
	skip "it needs no library but libc" "sanitizers need more"
else
	check_same "it needs no library but libc" "$(wc -l <<<"$mapped")" 1
fi
finish
