#!/bin/bash
# SPDX-License-Identifier: MIT
# TAP. tests/real/programs must be able to fail: what it calls the same is the same,
# and what a program itself does differently each time it says so. No program is
# run lazily here.
set -u
. "$(dirname "$0")/cli.bash"
export TMPDIR=$t

cat >"$t/some.jobs" <<'END'
what=here
constant | echo "$what"; echo here >file
its-own | head -c 64 /dev/urandom >file
numbers | echo "took $(date +%N) ns"
! fails | sh -c 'exit 3'
broken | sh -c 'echo broken >&2; exit 4'
END
# jobs COMMAND: as in place of `dlazy run`
jobs_with()
{
	RUN_SLOTS=1 RUN_WAYS='lazy lazy:--learn' RUN_COMMAND=$1 \
		run "$root/tests/real/programs" "$t/some.jobs"
}

jobs_with env
is_status 0 "what runs as it is passes"
has "$out" "- constant (lazy:--learn)" "each way is told"
has "$out" "its-own (lazy): files/file differs, plainly too" \
	"what differs plainly too is told"
has "$out" "numbers (lazy): out but for numbers" "numbers may be the clock's"
has "$out" "broken # SKIP plainly it fails: exit 4, broken" \
	"what fails plainly is skipped"

# liar NAME: a wrapper that does as the text on stdin
mkdir "$t/liar"
liar() { { echo '#!/bin/bash'; cat; } >"$t/liar/$1" && chmod +x "$t/liar/$1"; }

liar status <<<'"$@"; exit 1'
jobs_with "$t/liar/status"
is_status 1 "another status is noticed"
liar out <<<'"$@" | tr a-y b-z'
jobs_with "$t/liar/out"
has "$out" "not ok 1 - constant (lazy)" "another output is noticed"
liar numbers <<<'"$@" | sed "s/5/6/"'
echo 'five | echo 5' >>"$t/some.jobs"
jobs_with "$t/liar/numbers"
has "$out" "- five (lazy)
# out is not what it is plainly" "another number is noticed"
liar err <<<'echo warned >&2; exec "$@"'
jobs_with "$t/liar/err"
has "$out" "# err is not what it is plainly" "words on stderr are noticed"
liar file <<<'touch more; exec "$@"'
jobs_with "$t/liar/file"
has "$out" "# files/more is not what it is plainly" "another file is noticed"
finish
