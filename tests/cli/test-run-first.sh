#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run: the first run of a program is plain, and what is missing is made
# beside it, by a process that nobody notices. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
command -v flock >/dev/null || skip_all "flock(1) is missing"
many
lock=$t/cache/run/making

# made: waits until nothing is being made
made()
{
	flock -w 120 "$lock" true || fail "what is missing is made" "in time"
}
is_making()
{
	! flock -n "$lock" true
}
# maker: its process number
maker()
{
	find /proc/[0-9]*/fd -lname "$lock" 2>/dev/null |
		sed 's|^/proc/\([0-9]*\)/.*|\1|;q'
}
run_many()
{
	run "$dlazy" run --stats --json -- "$many" "$@"
}

# Nobody notices: what is missing here takes the reading of the machine.
run "$dlazy" run -- "$many" call=3
check_same "a first run is right, and says nothing" "$status $out $err" \
	"0 library 3 "
check "it does not wait for what is made beside it" is_making
pid=$(maker)
check "that is a process" test -n "$pid"
stat=$(<"/proc/$pid/stat")
read -r -a stat <<<"${stat##*)}"
check_same "in a session of its own" "${stat[3]}" "${stat[2]}"
check "which is not ours" test "${stat[3]}" != "$(ps -o sid= $$ | tr -d ' ')"
check_same "nobody's child" "$(pgrep -P $$ dlazy)" ""
check_same "that yields to everybody" "${stat[16]}" 19
check_same "and has no descriptors of ours" \
	"$(readlink "/proc/$pid/fd/"[0-2] | sort -u)" /dev/null
run_many call=4
check_same "meanwhile it runs plainly" "$status $out" "0 library 4"
stats '.lazy == 0 and (.plain | test("just being made"))' "and says why"

# Cut short.
kill -9 "$pid"
made
run_many call=5
check_same "when the maker was killed it runs plainly again" \
	"$status $out" "0 library 5"
stats '.plain | test("made beside this run")' "and it is made anew"
made
run_many call=5
check_same "the next run is right" "$status $out" "0 library 5"
stats '.lazy == 16 and .touched == 1 and .plain == null' "and lazy"
check_same "nothing half made is left" \
	"$(find "$t/cache" -name '*.new' | wc -l)" 0

# What changes, and what is learned.
many_library 1 "another 1"
run_many call=1
check_same "what has changed is run as it is" "$out" "another 1"
stats '.lazy == 0' "plainly"
made
run_many call=1
check_same "and so the next time" "$out" "another 1"
stats '.lazy == 16' "lazily"
"$dlazy" run -- "$many" call=1 >/dev/null
"$dlazy" run -- "$many" call=1 >/dev/null
run_many call=1
stats '.lazy == 16' "the run that finds what was learned is as the one before"
made
run_many call=1
stats '.lazy == 15' "the next one knows it"
"$dlazy" run -- "$many" call=2 >/dev/null
"$dlazy" run --learn -- "$many" >/dev/null
made
run_many
stats '.lazy == 14' "--learn does not wait either"

# Where nothing may stay behind.
# refused WORDS COMMAND...: it runs plainly there, and nothing is made
refused()
{
	local words=$1
	shift
	rm -rf "$t/cache/run"
	run "$@" "$dlazy" run --stats --json -- "$many" call=6
	check_same "$words: it runs" "$status $out" "0 library 6"
	stats '.lazy == 0 and (.plain | test("--wait"))' "$words: plainly"
	check "$words: nothing is made" test ! -e "$t/cache/run"
	run "$@" "$dlazy" run --wait --stats --json -- "$many" call=6
	stats '.lazy == 16' "$words: --wait makes it"
}
limited()
{
	(
		ulimit "$1" "$2"
		shift 2
		exec "$@"
	)
}
refused "limited CPU time" limited -t 600
refused "a limited address space" limited -v 8000000
if unshare --pid --fork --mount-proc true 2>/dev/null; then
	refused "process 1" unshare --pid --fork --mount-proc
else
	skip "process 1 has nothing made" "needs a process namespace"
fi
cat >"$t/parent.c" <<'END'
/* parent CMD...: adopts orphans, and executes it; parent: has it a child, or a
 * signal? */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, 0);
	if (argc > 2 && argv[1][0] == '-')
		prctl(PR_SET_CHILD_SUBREAPER, 1), argv++, argc--;
	if (argc > 1)
		return execvp(argv[1], argv + 1);
	sigpending(&set);
	printf("%d %d\n", waitpid(-1, 0, WNOHANG | __WALL) < 0 && errno == ECHILD,
	       sigismember(&set, SIGCHLD));
	return 0;
}
END
if ${PLAIN_CC:-cc} -w -o "$t/parent" "$t/parent.c"; then
	refused "who adopts orphans" "$t/parent" -
	rm -rf "$t/cache/run"
	run "$t/parent" "$dlazy" run -- "$t/parent"
	check_same "the program has no child by it, and no signal pending" \
		"$out" "1 0"
	made
else
	skip "the program has no child by it" "cannot build a program"
fi

# Children.
rm -rf "$t/cache/run"
run "$dlazy" run --children -- sh -c "'$many' call=7"
check_same "children start plainly, too" "$status $out $err" "0 library 7 "
made
finish
