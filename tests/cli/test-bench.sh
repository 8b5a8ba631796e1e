#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy bench: both sides load what they say, and the answer has its keys. What
# is measured is not judged here. TAP.
set -u
. "$(dirname "$0")/cli.bash"

plugins "$t/p"
run "$dlazy" bench "$t/p" --runs 5 --json
is_status 0 "a directory is measured"
check_empty "nothing is said of it" "$err"
json '.declared == 3 and .touched == 1 and .runs == 5' "plugins are counted"
json '(.subject | endswith("/p")) and has("speedup")' "with the subject"
for side in empty eager lazy all_touched; do
	json ".$side | (.wall_us | .min <= .median and .median <= .max) and
		.pss_kib > 0 and .maps > 0 and has(\"cpu_us\")" "$side is told"
done
# A sanitizer's allocator maps more than three plugins do.
fewer='.lazy.maps < .eager.maps'
case ${CC-} in *-fsanitize*) fewer=true ;; esac
json "$fewer and .all_touched.maps > .lazy.maps" \
	"lazy maps what is touched, eager all"
json '.speedup == null' "in so few rounds nobody is sure of a speed-up"
run "$dlazy" bench "$t/p" --runs 7 --json
json '.speedup_interval[0] <= .speedup_interval[1] and
	((.speedup == null) == (.speedup_interval[0] <= 1 and
	.speedup_interval[1] >= 1))' "a speed-up by chance is none"

run "$dlazy" bench "$t/p" --runs 1 --touch 0 --json
json '.touched == 0 and .lazy.maps < .all_touched.maps' "none may be touched"
run "$dlazy" bench "$t/p" --runs 1 --touch p3,p1 --json
json '.touched_names | sort == ["p1", "p3"]' "or those that are named"
run "$dlazy" bench "$t/p" --runs 1 --touch p2 --touch p3 --json
json '.touched_names | sort == ["p2", "p3"]' "one by one, too"
run "$dlazy" bench "$t/p" --runs 2
has "$out" "3 plugins declared, 1 touched (p1)" "people see what was done"
has "$out" "the catalog was fresh" "and that nothing was scanned"
hasnt "$out" "No sure difference" "that there are too few rounds is no doubt"
has "$out" "--runs" "it is told how to be sure"
check "in 80 columns" awk 'length > 80 { exit 1 }' "$t/out"

build "$t/p/bad.so" -Wl,-z,undefs <<'END'
	int nowhere(void);
	int f(void) { return nowhere(); }
END
run "$dlazy" bench "$t/p" --runs 1 --touch p1 --json
is_status 0 "a plugin that does not load does not end the measurement"
json '.eager.failed == 1 and .lazy.failed == 0' "it is counted"
has "$err" "dlazy check --load" "and told"
build "$t/p/bad.so" <<'END'
	#include <stdlib.h>
	#include <unistd.h>
	__attribute__((constructor)) static void start(void)
	{ write(2, "acme: no licence\n", 17); abort(); }
END
run "$dlazy" bench "$t/p" --runs 1
is_status 1 "one that ends the host does"
has "$err" "it said: acme: no licence" "with its last words"
has "$err" "dlazy check --load" "with a hint at who it is"

run "$dlazy" bench "$t/p" --touch nosuch
is_status 1 "a name that is not there"
run "$dlazy" bench "$t/p" --touch 5
is_status 2 "more than there are"
run "$dlazy" bench "$t/absent"
is_status 1 "a directory that is not there"
mkdir "$t/empty"
run "$dlazy" bench "$t/empty"
is_status 1 "a directory without plugins"
run "$dlazy" bench "$t/p" --runs 0
is_status 2 "no rounds"
run "$dlazy" bench --env "$t/p"
is_status 2 "--env of a directory"
run "$dlazy" bench --
is_status 2 "a command, but none"
run "$dlazy" bench --touch p1 -- true
is_status 2 "--touch of a command"
mkdir "$t/broken"
cp "$t/p/p1.so" "$t/broken"
build "$t/broken/broken.so" <<<'int absent(void);
	int ladspa_descriptor(void) { return absent(); }'
run "$dlazy" bench "$t/broken" --touch broken --runs 1 --json
is_status 1 "a plugin that was to be touched and cannot be is a problem"
json '.eager.failed == 1 and .lazy.failed == 1' "it is counted on each side"
run "$dlazy" bench "$t/broken" --touch broken --runs 7
has "$out" "Nothing to compare" "and no win"
has "$err" "1 of the 1 plugins to be touched" "that is said"

# ---------------------------------------------------------------- commands

run "$dlazy" bench --runs 3 --json -- env true
is_status 0 "a command is measured"
json '.format == "dlazy-bench" and .version == 1' "in a format of its own"
json '.subject == "env true" and .command == ["env", "true"] and .by == "run"' \
	"the subject is the command"
json '.declared == null and .touched == null and .all_touched == null and
	.empty == null and .eager.failed == null' \
	"what a command declares is not known"
json '.unknown | [.declared, .touched, .all_touched, .empty, .speedup] |
	all(type == "string")' "and why"
for side in eager lazy; do
	json ".$side | (.wall_us | .min <= .median and .median <= .max) and
		.cpu_us >= 0 and .faults > 0" "$side is told"
done
if [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -lt 2 ]
then
	json '.eager.pss_kib > 0 and .eager.maps > 5' "with its memory"
fi
json 'has("speedup") and (.speedup_interval | length == 2)' "and what it gains"
run "$dlazy" bench --runs 2 -- true
has "$out" "dlazy run" "people see what was compared"
has "$out" "dlazy run leaves it as it is:" "that run leaves it alone"
has "$out" "(--runs)" "and what noise would swallow"
has "$out" "FAULTS" "with page faults"
run "$dlazy" bench --runs 1 -- true
has "$out" "1 round of" "a single round is one"
check "in 80 columns" awk 'length > 80 { exit 1 }' "$t/out"
# shellcheck disable=SC2016 # the command's own
run "$dlazy" bench --env --runs 2 -- sh -c '[ "$DLAZY" = lazy ] || sleep 0.2'
has "$out" "DLAZY=off takes" "times that differ widely"
check "in 80 columns, too" awk 'length > 80 { exit 1 }' "$t/out"
run "$dlazy" bench --runs 1 -- "$t/nosuch"
is_status 1 "a command that is not there"
run "$dlazy" bench --runs 1 -- sh -c 'kill -SEGV $$'
is_status 1 "one that crashes"
run "$dlazy" bench --runs 2 -- sh -c 'exit 3'
is_status 0 "one that always ends with the same status"
run "$dlazy" bench --runs 4 -- sh -c \
	"[ -e '$t/once' ] && exit 4; touch '$t/once'"
is_status 1 "one that does not"
has "$err" "not as before" "with the reason"

cat >"$t/env.c" <<'END'
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	const char *way = getenv("DLAZY");
	return !way || (strcmp(way, "off") && strcmp(way, "lazy")) ||
	       getenv("DLAZY_TRACE");
}
END
# shellcheck disable=SC2086 # CC may hold options
${CC:-cc} -o "$t/env" "$t/env.c" || exit 99
DLAZY_TRACE=$t/never run "$dlazy" bench --env --runs 2 --json -- "$t/env"
is_status 0 "a host in its own two ways"
json '.by == "env"' "by DLAZY in its environment"
has "$err" "is not linked with libdlazy.so" \
	"where that changes nothing it is said"
if [ "$(id -u)" != 0 ]; then
	run "$dlazy" bench --cold --runs 1 -- true
	is_status 1 "a cold page cache, which not everybody may have"
	has "$err" "only root" "with the reason"
fi

# Compared with an earlier one.
run "$dlazy" bench --runs 2 --json -- true
cp "$t/out" "$t/then.json"
run "$dlazy" bench --runs 2 --baseline="$t/then.json" --fail-over=900000 -- true
is_status 0 "a command that is not that much slower than it was"
has "$out" "time than in $t/then.json" "and by how much"
sed 's/"median":[0-9.]*/"median":0.5/g' "$t/then.json" >"$t/quick.json"
run "$dlazy" bench --runs 2 --baseline="$t/quick.json" --fail-over=10 --json \
	-- true
is_status 1 "one that is slower, by more than it may"
json '.baseline | .failed and .change_percent > 10 and .value == 0.5' \
	"which is in JSON"
run "$dlazy" bench --runs 2 --baseline="$t/quick.json" -- true
is_status 0 "without --fail-over nothing fails"
run "$dlazy" bench --runs 2 --fail-over=10 -- true
is_status 2 "--fail-over without --baseline"
run "$dlazy" bench --runs 2 --baseline="$t/then.json" --fail-over=x -- true
is_status 2 "a percentage that is none"
echo '{"lazy": {"wall_us": 3' >"$t/cut.json"
run "$dlazy" bench --runs 2 --baseline="$t/cut.json" -- true
is_status 1 "a baseline that is damaged"
run "$dlazy" bench --runs 2 --baseline="$t/then.json" --instructions -- true
is_status 1 "or one without the instructions that are to be compared"
if [[ ${CC:-} = *-fsanitize* ]]; then
	skip "instructions are counted" "those of a sanitizer are too many"
else
	run "$dlazy" bench --runs 1 --instructions --json -- true
	json '.eager.instructions > 1000 and .lazy.instructions > 1000' \
		"instructions are counted"
fi
finish
