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
finish
