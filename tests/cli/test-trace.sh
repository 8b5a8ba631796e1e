#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy trace: what it says of programs made for it is what they do; what it
# cannot see it says so of; the programs do not notice. TAP.
set -u
. "$(dirname "$0")/cli.bash"

[ "$("$dlazy" trace -- true 2>&1 | grep -c 'no tracer for this CPU')" = 0 ] ||
	skip_all "there is no tracer for this CPU"
command -v jq >/dev/null || skip_all "jq is missing"

# What is traced is built without the sanitizers that we may be.
cc=()
for word in ${CC:-cc}; do
	[[ $word = -fsanitize* ]] || cc+=("$word")
done
fixtures=$root/tests/fixtures
compile() { "${cc[@]}" -O1 -w "$@" || exit 99; }
library() { compile -shared -fPIC "$@"; }
bin=$t/bin
mkdir -p "$bin"
cd "$bin" || exit 99

# traced COMMAND ...: its trace in $t/trace.json, and what `run` leaves
traced()
{
	rm -f "$t/trace.json"
	run "$dlazy" trace -o "$t/trace.json" -- "$@"
}

# is FILTER SENTENCE: of the trace
is()
{
	if [ -s "$t/trace.json" ] && jq -e "$1" "$t/trace.json" >/dev/null 2>&1
	then
		pass "$2"
	else
		fail "$2" "not so: $1"$'\n'"$(jq -c '.objects |= map({path, why,
			by, used, symbols_bound, symbols_called, touched_kib,
			did_nothing, map_us, init_us, unknown})' \
			"$t/trace.json" 2>&1 | head -c 4000)"
	fi
}

# The object whose path ends so, for filters.
object() { echo "(.objects[] | select(.path | endswith(\"$1\")))"; }

# ---------------------------------------------------------------- how it ends

compile -o ends "$fixtures/trace-ends.c" -lm -lpthread -ldl
traced ./ends
is_status 0 "a program that exits"
is '.status == 0 and .signal == null and .exited' "its end is told"
is '.program_us > 0 and .exit_us > 0' "with the times of its main and exit"
run "$dlazy" trace -- sh -c 'exit 7'
is_status 7 "the status is the command's"
while read -r how status filter what; do
	traced ./ends "$how"
	is_status "$status" "$what: the status"
	is "$filter" "$what: the end"
	is "$(object /libm.so.6) | .used == \"called\" and .private_kib != null" \
		"$what: what was seen until then"
done <<'END'
segv 139 .signal==11 a crash
term 143 .signal==15 a signal
abort 134 .signal==6 an abort
_exit 9 .status==9 _exit
exec 5 .status==5 another program in its place
fork 6 .exited a fork
vfork 6 .exited a vfork
child 6 .exited a child that loads
threads 3 .exited threads
END
traced ./ends segv
is '.program_us == null and .unknown.program_us != null' \
	"how long main took is not known of a crash, and why"
is "$(object /libm.so.6) | .touched_kib == null and
	(.unknown.touched_kib | test(\"exit\"))" \
	"nor what was touched, and why"
has "$err" "ended by a signal (Segmentation fault)" "people read of the signal"
check "in 80 columns" awk 'length > 80 { exit 1 }' "$t/err"
traced ./ends child
is '[.objects[] | select(.path | test("libutil"))] == []' \
	"what a forked child loads is not its parent's"
traced ./ends threads
is "$(object /libutil.so.1) | .opens >= 8 and .why == \"dlopen\"" \
	"what threads open is counted"
run bash -c "'$dlazy' trace -- sleep 20 & sleep 1; kill -TERM \$!; wait \$!"
is_status 143 "a signal to the tracer is one to the program"

traced sh -c 'kill -SYS $$'
is_status 159 "a call that is not allowed"
has "$err" "seccomp" "may be the tracer's, which is said"

# ---------------------------------------------------------------- refusals

run "$dlazy" trace -- "$bin/nosuch"
is_status 127 "a command that is not there"
echo text >text
run "$dlazy" trace -- ./text
is_status 126 "one that cannot be executed"
run "$dlazy" trace
is_status 2 "none at all"
chmod +x text
run "$dlazy" trace -- ./text
is_status 125 "a file that is no program"
has "$err" "dlazy trace -- sh SCRIPT" "with what to do"
if "${cc[@]}" -static -w -o static "$fixtures/trace-slow.c" -x c - 2>/dev/null \
	<<<'int main(void) { return 0; }'; then
	run "$dlazy" trace -- ./static
	is_status 125 "a static program"
	has "$err" "linked statically" "with the reason"
	has "$err" "without -static" "and what to do"
else
	skip "a static program" "there is no static C library"
fi
cp ends set-user-id
if [ "$(id -u)" = 0 ] && chown 65534 set-user-id; then
	chmod u+s set-user-id
	run "$dlazy" trace -- ./set-user-id
	is_status 125 "a set-user-ID program of somebody else's"
	has "$err" "set-user-ID" "with the reason"
	has "$err" "its owner" "and what to do"
else
	skip "a set-user-ID program" "only root can make one"
fi
cp ends other
machine other 183
run "$dlazy" trace -- ./other
is_status 125 "a program for another machine"
has "$err" "AArch64" "with its name"
run "$dlazy" trace -o "$t/absent/file" -- touch "$t/ran"
is_status 125 "a file that cannot be written"
check "is said before the command is run" test ! -e "$t/ran"
printf '#!/bin/sh\nexit 6\n' >script
chmod +x script
traced ./script
is_status 6 "a script"
is '.command[0] == "/bin/sh"' "is its interpreter"

# ---------------------------------------------------------------- unnoticed

printf 'out\n' >"$t/wanted"
"$dlazy" trace -- sh -c 'echo out; echo err >&2' >"$t/out" 2>"$t/err"
check "standard output is the command's" cmp "$t/out" "$t/wanted"
check "standard error begins with the command's" \
	test "$(head -1 "$t/err")" = err
check_same "standard input is its, too" \
	"$(echo word | "$dlazy" trace -- cat 2>/dev/null)" "word"

compile -o auxiliary "$fixtures/trace-auxiliary.c"
./auxiliary >"$t/wanted"
"$dlazy" trace -- ./auxiliary >"$t/out" 2>/dev/null
check_same "the environment is the user's, the auxiliary vector behind it" \
	"$(<"$t/out")" "$(<"$t/wanted")"
if [[ ${CC:-} = *-fsanitize=thread* ]]; then
	skip "with an auditor of the user's own, too" \
		"ThreadSanitizer, which is in the tool, stands no auditor"
else
	library -o auditor.so -x c - <<<'unsigned la_version(unsigned v) { return v; }'
	LD_AUDIT=$bin/auditor.so ./auxiliary >"$t/wanted"
	LD_AUDIT=$bin/auditor.so "$dlazy" trace -- ./auxiliary >"$t/out" 2>/dev/null
	check_same "with an auditor of the user's own, too" \
		"$(<"$t/out")" "$(<"$t/wanted")"
	has "$(<"$t/out")" "LD_AUDIT=$bin/auditor.so" "who is still there"
	LD_AUDIT=$bin/auditor.so traced ./ends
	is '.exited and .exit_us > 0 and .objects[0].path == "'"$bin"'/ends"' \
		"its objects are none of the program's, whose exit is seen"
fi

# The trace buffer, which this one finds in its own map, is written to by anybody.
compile -o scribbles -x c - -I"$root/src" -I"$root/include" <<'END'
	#include "hook/tracebuf.h"
	#include <signal.h>
	#include <stdio.h>
	#include <string.h>
	int main(void)
	{
		unsigned long at = 0, from;
		char line[4096];
		FILE *maps = fopen("/proc/self/maps", "r");

		while (fgets(line, sizeof(line), maps))
			if (!at && strstr(line, "dlazy-trace.") &&
			    sscanf(line, "%lx-%*x %*s 0", &from) == 1 &&
			    ((struct tracebuf *)from)->magic == TRACEBUF_MAGIC)
				at = from;
		if (!at)
			return 1;
		struct tracebuf *buffer = (struct tracebuf *)at;
		buffer->last_ticks = buffer->first_ticks + 1;
		buffer->last_ns = buffer->first_ns + 1000000000;
		raise(SIGKILL);
	}
END
traced ./scribbles
is '.signal == 9 and ([.. | objects | to_entries[] |
	select(.key | endswith("_us")) | .value | select(type == "number" and
	(. < 0 or . > 1e9))] == []) and .linker_us == null' \
	"a time that cannot be is not known"

flags=()
grep -qw avx512f /proc/cpuinfo && flags=(-mavx512f)
library "${flags[@]}" -o liball.so "$fixtures/trace-library.c"
for binding in now lazy; do
	compile "${flags[@]}" -DUSE=6 -Wl,-z,$binding -o arguments-$binding \
		"$fixtures/trace-uses.c" -L. -lall -Wl,-rpath,"$bin"
	./arguments-$binding >"$t/wanted"
	traced ./arguments-$binding
	check_same "arguments arrive, bound $binding: variadic, large, vectors" \
		"$out" "$(<"$t/wanted")"
	is "$(object /liball.so) | .used == \"called\" and
		.symbols_called == .symbols_bound and .symbols_bound >= 2" \
		"and the calls are seen, bound $binding"
done
[ "${#flags[@]}" = 1 ] || skip "vectors of 512 bits" "this CPU has none"

# ---------------------------------------------------------------- who and why

library -o libused.so "$fixtures/trace-library.c"
# uses NAME USE [FLAG ...]
uses()
{
	local name=$1 use=$2
	shift 2
	compile -DUSE="$use" -o "$name" "$fixtures/trace-uses.c" "$@" \
		-Wl,--no-as-needed -L. -lused -Wl,-rpath,"$bin"
	traced "./$name"
}
uses call 1 -Wl,-z,lazy
is "$(object /libused.so) | .why == \"needed\" and .by == \"$bin/call\" and
	.requested == \"libused.so\"" "a needed library has who needs it"
is "$(object /call) | .why == \"exe\" and .by == null and .used == \"called\" and
	.map_us == null and (.unknown.map_us | test(\"kernel\"))" \
	"the program is mapped by nobody that could be timed"
is "$(object /libused.so) | .used == \"called\" and .symbols_bound == 1 and
	.bound_by[0] == {path: \"$bin/call\", symbols: 1, called: 1, data: 0}" \
	"a call of a lazily bound program is seen, with the caller"
is '.unused == []' "what is called is not unused"
uses call-now 1 -Wl,-z,now
is "$(object /libused.so) | .used == \"called\" and .symbols_called == 1" \
	"a call of a program that binds at once is seen"
LD_BIND_NOW=1 traced ./call
is "$(object /libused.so) | .used == \"called\"" "with LD_BIND_NOW, too"
uses pointer 2
is "$(object /libused.so) | .used == \"bound\" and .symbols_called == 0" \
	"a call through a pointer is not seen: bound"
is "$(object /libused.so) | .touched_kib > 0 and (.did_nothing | not)" \
	"but the code was touched"
uses no-plt 1 -fno-plt -Wl,-z,now
is "$(object /libused.so) | .used == \"bound\" and .touched_kib > 0" \
	"without a procedure linkage table likewise"
uses data 3 -fno-pic -no-pie
is "$(object /libused.so) | .used == \"bound\" and .bound_by[0].data == 1 and
	.touched_kib == 0 and (.did_nothing | not)" \
	"data that is copied is a use that touches no code"
uses local 4
is "$(object /libused.so) | .used == \"bound\" and (.did_nothing | not)" \
	"thread-local data likewise"
uses nothing 5
is "$(object /libused.so) | .used == \"none\" and .symbols_bound == 0 and
	.touched_kib == 0" "what is not used at all is none"
is ".unused == [\"$bin/libused.so\"]" "and is named unused"
has "$err" "1 of 2 libraries did nothing" "people are told"
has "$err" "dlazy run is of no use here:" "what dlazy run refuses is not advised"
is '.advice.run == false and (.advice.why | length > 0) and
	.advice.stubs == []' "nor is a stub of what is never lazy, in JSON likewise"

# Of a program that run makes lazy.
libraries=()
for i in {1..12}; do
	library -o "libspare$i.so" -Wl,-soname,"libspare$i.so" -x c - <<<"int spare_$i(void) { return 1; }"
	libraries+=("-lspare$i")
done
compile -o spares -x c - -Wl,--no-as-needed -L. "${libraries[@]}" \
	-Wl,-rpath,"$bin" < <(for i in {1..12}; do echo "int spare_$i(void);"; done
	echo '#include <unistd.h>
	int main(int argc, char **argv) { if (argc == 3) usleep(2000000);
	return argc > 3'
	for i in {1..12}; do echo " && spare_$i()"; done
	echo '; }')
traced ./spares "it's"
if [ "$(jq '.advice == null' "$t/trace.json")" = true ] ||
	jq -e '.advice.why | test("CPU|built for")' "$t/trace.json" >/dev/null
then
	skip "what would save time is told" "dlazy run is not for this machine"
else
	has "$err" "dlazy run -- ./spares 'it'\\''s'" \
		"what would save time is told, as a shell takes it"
	has "$err" "can save up to" "with how much"
	is '.advice.run and .advice.saving_us > 0 and .advice.why == null' \
		"in JSON, too"
	check "each library that a stub would save is named" test \
		"$(sed -n '/dlazy stub/,$p' "$t/err" | grep -o 'libspare[0-9]*' |
		sort -u | wc -l)" = 12
fi
traced ./spares long one
hasnt "$err" "dlazy run --" "where the program itself takes the time, it is not"
has "${err//$'\n'/ }" "is the program's own work: loading late cannot help" \
	"and why not"

ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 \
	LD_PRELOAD=$bin/libused.so traced ./ends
is "$(object /libused.so) | .why == \"preload\"" "what is preloaded is told"
compile -o opens "$fixtures/trace-opens.c" -ldl
library -o plugin.so "$fixtures/trace-library.c"
traced ./opens 3 ./plugin.so
is "$(object /plugin.so) | .why == \"dlopen\" and .by == \"$bin/opens\" and
	.path == \"$bin/plugin.so\" and .opens == 3 and .map_us > 0" \
	"what is opened has who opened it, and how often"
is "$(object /plugin.so) | .used == \"bound\"" \
	"what is looked up is bound: the call is by pointer"
is '.loads | length == 4 and .[1].objects == 1 and .[1].map_us > 0' \
	"each dlopen is timed"
is "$(object /plugin.so) | .relocate_us == null and
	(.unknown.relocate_us | test(\"more than once\"))" \
	"of relocation no part is told for the sum"
has "$err" "No library is known to have done nothing" \
	"what has been closed cannot be said to have been used"
traced ./opens 1 ./plugin.so
is "$(object /plugin.so) | .relocate_us > 0" "of what is opened once it is told"

# ---------------------------------------------------------------- times

library -o inner.so "$fixtures/trace-slow.c"
library -DINNER="\"$bin/inner.so\"" -o outer.so "$fixtures/trace-slow.c"
library -Wl,-init,start -o init.so -x c - <<'END'
#include <time.h>
void start(void)
{
	struct timespec pause = {.tv_nsec = 20000000};
	nanosleep(&pause, 0);
}
END
traced ./opens 1 ./outer.so
is "$(object /inner.so) | .init_us > 20000" "a constructor's time is told"
is "[$(object /outer.so), $(object /inner.so) | .init_us] as \$each |
	(\$each | all(. > 20000)) and (\$each | add) <= .constructors_us + 1" \
	"without what it loads"
is "$(object /inner.so) | .by == \"$bin/outer.so\"" \
	"which is by the one that opens it"
is '.constructors_us > 40000 and .linker_us + .constructors_us <= .wall_us' \
	"the linker's time is without constructors"
traced ./opens 1 ./init.so
is "$(object /init.so) | .init_us > 20000" "DT_INIT is timed, too"
compile -o slow-start -x c - -Wl,--no-as-needed -L. -l:inner.so -l:init.so \
	-Wl,-rpath,"$bin" <<<'int main(void) { return 0; }'
traced ./slow-start
is "([$(object /inner.so), $(object /init.so)] | map(.init_us > 20000) | all)
	and .constructors_us > 40000" "those of the start likewise"
is '(.exec_us + .linker_us + .constructors_us + .program_us + .exit_us +
	.tracer.us) / .wall_us | . > 0.9 and . <= 1.01' "all times add up"
is '.tracer.us > 0 and .tracer.memory_us > 0' "the tracer tells of its own"

keys='["map_us", "relocate_us", "init_us", "at_us", "private_kib", "text_kib",
	"touched_kib"]'
is ".objects | all(. as \$o | $keys | all(. as \$key |
	(\$o[\$key] == null) == (\$o.unknown | has(\$key))))" \
	"what is not known is null with its reason, and nothing else"

library -o crashes.so -x c - <<<'__attribute__((constructor)) static void
	start(void) { __builtin_trap(); } int f(void) { return 1; }'
compile -o crash-start -x c - -Wl,--no-as-needed -L. -l:crashes.so \
	-Wl,-rpath,"$bin" <<<'int main(void) { return 0; }'
traced ./crash-start
is "$(object /crashes.so) | .init_us == null and
	(.unknown.init_us | test(\"not return\")) and (.did_nothing | not)" \
	"a crash before main is in whose constructor did not return"
is '.unused == []' "and nothing is said to have done nothing since main"
hasnt "$err" "dlazy stub" "nor is there advice"

library -o missing.so -x c - <<<'int f(void) { return 1; }'
compile -o missing -x c - -Wl,--no-as-needed -L. -l:missing.so \
	-Wl,-rpath,"$bin" <<<'int main(void) { return 0; }'
rm missing.so
traced ./missing
is_status 127 "a program without one of its libraries"
has "$err" "The dynamic linker ended it" "is told to have been refused"
is '.exec_us == null and (.unknown.exec_us | test("clock")) and
	.unused == []' "with what is not known of it"

# ---------------------------------------------------------------- failures

library -o undefined.so -x c - \
	<<<'int nowhere(void); int f(void) { return nowhere(); }'
library -o gone.so -x c - <<<'int gone;'
library -o needs-gone.so -x c - -x none ./gone.so \
	<<<'extern int gone; int *f(void) { return &gone; }'
rm gone.so
traced ./opens 1 ./undefined.so ./needs-gone.so ./absent.so ./plugin.so
check_same "what cannot be opened cannot be, as without" "$out" \
	"failed"$'\n'"failed"$'\n'"failed"
is "$(object /undefined.so) | .init_us == null and
	(.unknown.init_us | test(\"not run\"))" "what failed has no times"
is "$(object /plugin.so) | .init_us > 0" "what follows has"

traced ./opens 5000 ./plugin.so
is_status 0 "a program that opens and closes in a loop"
is "$(object /plugin.so) | .opens == 5000" "is one object, counted"
is '.lost.loads > 0 and .lost.objects == 0 and .lost.calls == 0' \
	"what did not fit is told"
is "$(object /plugin.so) | .load == null and .unknown.load != null" \
	"and that the load is not there is"
has "$err" "Too many for the trace" "to people, too"

# ---------------------------------------------------------------- children

traced ./ends exec
is '.children == []' "children are not followed"
run "$dlazy" trace --children --json -- ./ends exec
is_status 5 "unless they are to be"
json '.children | length == 1 and .[0].command == ["sh", "-c", "exit 5"]' \
	"then another program in its place is there"
run "$dlazy" trace --children --json -- bash -c 'env true; true'
json '[.children[].command] == [["env", "true"], ["true"]]' "and so are children"
json '[.children[] | select(.exited) | .unknown.exit_us | test("watched")] ==
	[true]' "of one that exited, it is not said that it did not"
json '.children[0] | .status == null and .signal == null and
	.unknown.status != null' "how they ended is not known, and why"
"$dlazy" trace --children -- sh -c "(while [ ! -e '$t/go' ]; do sleep 0.1; done
	env true; echo \$? >'$t/late') &" >"$t/out" 2>"$t/err"
touch "$t/go"
for _ in {1..100}; do [ -s "$t/late" ] && break || sleep 0.1; done
check_same "what a child starts later, untraced, runs" "$(<"$t/late")" 0

# ---------------------------------------------------------------- output

run "$dlazy" trace --json -- true
is_status 0 "JSON on standard output"
json '.command == ["true"] and .wall_us > 0 and (.objects | length) >= 3 and
	.objects[0].why == "exe" and (.unused | type) == "array"' "has its keys"
run "$dlazy" trace -- true --json
json '.command == ["true", "--json"]' "asked for behind the command, too"
run "$dlazy" trace -o "$t/f.json" -- echo --json
check_same "but not where it goes to a file" "$out" "--json"
run "$dlazy" trace --format=perfetto -- ./opens 1 ./outer.so
json '[.traceEvents[] | select(.ph == "X")] | length > 8 and
	all(.dur >= 0 and .ts >= 0 and .pid > 0 and .tid > 0)' \
	"as Trace Events"
json '[.traceEvents[] | select(.ph == "X")] | sort_by(.ts, -.dur) |
	map([(.ts * 1000 | round), ((.ts + .dur) * 1000 | round)]) | . as $all |
	[range(length) as $i | range($i) as $k | select(
		$all[$k][1] > $all[$i][0] and $all[$k][1] < $all[$i][1])] == []' \
	"which meet or lie within one another, and never overlap"
json '[.traceEvents[] | select(.ph == "X") | .ts, .dur] |
	all(. * 8 | . == floor)' "whose sums are exact in doubles, too"
json '[.traceEvents[].name] | contains(["exec", "program", "exit"])' \
	"from execve to the end"
json '[.traceEvents[] | select(.cat == "init" and .name == "inner.so") |
	.dur > 20000] == [true]' "constructors are events"
json '(.traceEvents[] | select(.cat == "init" and .name == "outer.so")) as $o |
	(.traceEvents[] | select(.cat == "init" and .name == "inner.so")) as $i |
	$o.ts < $i.ts and $o.ts + $o.dur > $i.ts + $i.dur' "within one another"
run "$dlazy" trace --format=folded -o "$t/folded" -- ./opens 1 ./outer.so
check "as folded stacks" grep -Eqx \
	'opens;outer.so;inner.so;\[init\] [0-9]{8}' "$t/folded"
check_empty "of one form" "$(grep -Evx '[^ ]+;\[[a-z]+\] [0-9]+' "$t/folded")"
run "$dlazy" trace --format=nonsense -- true
is_status 2 "an unknown format"
run "$dlazy" trace --all -- ./nothing
check "the table fits 80 columns" awk 'length > 80 { exit 1 }' "$t/err"
has "$err" "OBJECT" "it has a heading"
has "$err" "linker: relocating" "and a chart"
check "the linker's time stands against the program's" \
	grep -Eqx "Dynamic linker: [0-9.]+ ms, [0-9]+ %; the program's own code: [0-9.]+ ms, [0-9]+ %." \
	"$t/err"
hasnt "$err" $'\033' "without colours where there is no terminal"
mkdir "$t/tmp"
run env TMPDIR="$t/tmp" "$dlazy" trace --json -- ls "$t/tmp"
has "$out" "dlazy-trace" "trails are where TMPDIR says"
check_empty "and none is left behind" "$(ls "$t/tmp")"

# jq 1.6 is content with no input at all.
is_trace_of_true()
{
	[ -s "$1" ] && jq -e '.command == ["true"]' "$1" >/dev/null
}
run "$dlazy" trace -o >(cat >"$t/piped") -- true
is_status 0 "to a pipe that the shell made"
for _ in {1..50}; do [ -s "$t/piped" ] && break || sleep 0.1; done
check "it is written" is_trace_of_true "$t/piped"
mkfifo "$t/fifo"
: >"$t/piped"
timeout 20 cat "$t/fifo" >"$t/piped" &
run timeout -s KILL 20 "$dlazy" trace -o "$t/fifo" -- true
is_status 0 "to a pipe with a name"
wait
check "it is written, too" is_trace_of_true "$t/piped"
echo before >"$t/kept"
ln -s kept "$t/link"
run "$dlazy" trace -o "$t/link" -- true
check "a link stays one" test -L "$t/link"
check "what it leads to is written" is_trace_of_true "$t/kept"
run "$dlazy" trace -o /dev/full -- true
is_status 125 "what cannot be written is a failure"
has "$err" "No space left" "with the reason"
run "$dlazy" trace -o /dev/full -- sh -c 'exit 3'
is_status 3 "but the command's own comes first"
status=0
"$dlazy" trace --json -- true >/dev/full 2>"$t/err" || status=$?
is_status 125 "standard output likewise"
check_same "which is said once" "$(grep -c 'cannot write' "$t/err")" 1

mkdir "$t/small"
if mount -t tmpfs -o size=64k none "$t/small" 2>/dev/null; then
	run "$dlazy" trace -o "$t/small/f.json" -- ./opens 1 ./outer.so \
		"$(printf %070000d 0)"
	is_status 125 "a disk that is full"
	check_empty "has no half of a trace" "$(ls "$t/small")"
	TMPDIR=$t/small traced true
	is_status 0 "where trails have no room they are elsewhere"
	is '.command == ["true"]' "and whole"
	hook=$(find "$(dirname "$dlazy")/.." -name hook.so | head -1)
	run env LD_AUDIT="$hook" DLAZY_HOOK="-$t/small" sh -c 'exit 4'
	is_status 4 "a child's trail without room is none, and it runs"
	umount "$t/small"
else
	skip "a disk that is full" "nothing can be mounted"
fi

# ---------------------------------------------------------------- real ones

# real SENTENCE COMMAND ...: same output and status as plainly
real()
{
	local what=$1 want plain
	shift
	if ! command -v "$1" >/dev/null; then
		skip "$what" "$1 is missing"
		return
	fi
	plain=$("$@" 2>/dev/null </dev/null)
	want=$?
	traced "$@"
	if [ "$status" = "$want" ] && [ "$out" = "$plain" ]; then
		pass "$what"
	else
		fail "$what" "$status, not $want: $out, not $plain"
	fi
	is '(.objects | length) > 3 and .exited and ([.lost[]] | add) == 0' \
		"$what: is told of, whole"
}
# What was opened by hand, as a note would say it.
cat >"$t/opened.c" <<'END'
int opened(void) { return 1; }
END
cat >"$t/opens.c" <<'END'
#include <dlfcn.h>
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!dlopen(argv[i], RTLD_NOW))
			return 1;
	return 0;
}
END
# shellcheck disable=SC2086 # CC may hold options
${CC:-cc} -shared -fPIC -Wl,-soname,libopened.so.7 -o "$t/opened.so" \
	"$t/opened.c" && ${CC:-cc} -shared -fPIC -o "$t/nameless.so" \
	"$t/opened.c" && ${CC:-cc} -o "$t/opens" "$t/opens.c" || exit 99
run "$dlazy" trace --dlopened -- "$t/opens" "$t/opened.so" "$t/nameless.so"
is_status 0 "what was opened by dlopen() is told of"
json '[.[].soname[0]] == ["libopened.so.7", "nameless.so"] and
	all(.[]; .priority == "recommended")' "as a note would say it"
run "$dlazy" trace --dlopened --format=folded -- true
is_status 2 "which is JSON, and nothing else"

# ----------------------------------------------------------------- many runs

cat >"$t/again.sh" <<'END'
echo run
echo run >>"$1"
[ "$(wc -l <"$1")" -lt "${2:-9}" ] || kill -TERM $$
exit "$(wc -l <"$1")"
END
: >"$t/times"
run "$dlazy" trace --runs 3 -o "$t/trace.json" -- sh "$t/again.sh" "$t/times"
is_status 3 "--runs: the status is the last run's"
check "the command runs so often" test "$(wc -l <"$t/times")" = 3
check "and writes each time" test "$(grep -c '^run$' "$t/out")" = 3
has "$err" "medians over 3 runs" "people read that times are medians"
is '.runs == 3 and .version == 1 and .status == 3 and .wall_us > 0 and
	.linker_us > 0 and (.objects | length) > 1 and
	all(.objects[]; .at_us != null)' "JSON says over how many runs"
run "$dlazy" trace --runs=2 --json -- sh -c 'echo text; :'
json_lines=$(sed -n '/^{/,$p' "$t/out")
check "JSON follows what all runs write" jq -e '.runs == 2' <<<"$json_lines"
run "$dlazy" trace --runs=2 --children -o "$t/trace.json" -- \
	sh -c 'sleep 0; sleep 0; :'
is '[.children[].runs] == [2, 2] and all(.children[]; .wall_us == null and
	.map_us > 0)' "so it is of children"
: >"$t/times"
run "$dlazy" trace --runs=9 -o "$t/trace.json" -- sh "$t/again.sh" "$t/times" 2
is_status 143 "a run that a signal ends is the last"
is '.runs == 2 and .signal == 15' "which JSON says"
run "$dlazy" trace --runs=2 --format=perfetto -- true
json '[.traceEvents[] | select(.name == "exec")] | length == 1' \
	"a timeline is of one run"
# No run takes less than it sleeps.
: >"$t/times"
run "$dlazy" trace --runs=3 -o "$t/trace.json" -- sh -c \
	'echo >>"$0"; [ "$(wc -l <"$0")" = 3 ] || sleep 0.4; :' "$t/times"
is '.wall_us >= 4e5' "times are not the last run's only"
traced true
is '.runs == 1' "one run is told as one"
for n in 0 x -1 1002 ""; do
	run "$dlazy" trace "--runs=$n" -- true
	is_status 2 "--runs=$n is no number of runs"
done
run "$dlazy" trace --runs=3 -- ./text
is_status 125 "what cannot be traced is refused once"

real "a program of 213 libraries" ffmpeg -version
real "a program in C++" gdalinfo --version
real "a program that opens its modules" php -v
real "an interpreter with extension modules" /usr/bin/python3 -c \
	'import ssl, sqlite3, ctypes, json; print(ssl.OPENSSL_VERSION)'
finish
