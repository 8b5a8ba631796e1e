#!/bin/bash
# SPDX-License-Identifier: MIT
# DLAZY_TRACE: a host's ledger says what it loaded and what it did not. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

command -v jq >/dev/null || skip_all "jq is missing"
libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}
read -ra cc <<<"${CC:-cc}"
export ASAN_OPTIONS=detect_leaks=0 # a host may end as it likes
plugins "$t/p"
cat >"$t/host.c" <<'END'
#include <dlazy/dlazy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int function(int);

int touch(struct dlazy_module *m, const char *symbol)
{
	return ((function *)dlazy_sym(m, symbol))(1);
}

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (dlazy_registry_add_dir(r, argv[1], 0) < 0)
		return 1;
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "write"))
			return -dlazy_trace_write(argv[i + 1]);
		if (!strcmp(argv[i], "fork") && fork() == 0)
			exit(touch(dlazy_registry_find(r, "p3"), "f3") != 4);
		if (!strcmp(argv[i], "abort"))
			abort();
		if (!strcmp(argv[i], "p1"))
			touch(dlazy_registry_find(r, "p1"), "f1");
		if (!strcmp(argv[i], "bad"))
			touch(dlazy_registry_find(r, "bad"), "f");
	}
	return 0;
}
END
"${cc[@]}" -rdynamic -o "$t/host" "$t/host.c" -I"$root/include" \
	-L"$libdir" -Wl,-rpath,"$libdir" -ldlazy || exit 99

# kept ARGUMENT ...: runs the host with a ledger, which is what json looks at
kept()
{
	rm -f "$t/ledger"
	DLAZY_TRACE=$t/ledger run "$t/host" "$t/p" "$@"
	if [ -f "$t/ledger" ]; then cp "$t/ledger" "$t/out"; else : >"$t/out"; fi
	out=$(<"$t/out")
}

kept p1
is_status 0 "a host with a ledger"
json '.format == "dlazy-ledger" and .version == 1 and .mode == "lazy"' \
	"writes it when it exits"
json ".command[0] == \"$t/host\" and .touched == 1 and .failed == 0" \
	"it says of what"
json ".objects | length == 1 and (.[0] | .name == \"p1\" and
	.path == \"$t/p/p1.so\" and .symbol == \"f1\" and .why == \"touch\")" \
	"a module that was loaded has what was touched"
json ".objects[0] | .by == \"$t/host\" and (.caller | startswith(\"touch+\"))" \
	"by which function of which object"
json '.objects[0] | .load_us > 0 and .private_kib > 0 and .at_us > 0' \
	"when, what it took, and its memory"
json '.objects[0] | .linker_us > 0 and .own_us >= 0 and
	(.linker_us + .own_us - .load_us | fabs < 0.01)' \
	"how much of it in the linker"
json '.objects[0] | .init_us == null and (.unknown.init_us | test("phases"))' \
	"what cannot be told apart is null, and why"
rm "$t/ledger"
DLAZY_TRACE=/no/such/dir/ledger run "$t/host" "$t/p" p1
check_same "a ledger that cannot be written is told of, in a line" \
	"$(grep -c '^dlazy: DLAZY_TRACE=/no/such/dir/ledger: ' "$t/err")" 1
mkdir "$t/gone" && here=$PWD && cd "$t/gone" && rmdir "$t/gone"
DLAZY_TRACE=ledger run "$t/host" "$t/p" p1
cd "$here" || exit 99
check_same "so is one that has no directory to be in" \
	"$(grep -c '^dlazy: DLAZY_TRACE=ledger: there is no current' "$t/err")" 1
DLAZY=of run "$t/host" "$t/p" p1
check_same "a mode that is none, too, once" \
	"$(grep -c '^dlazy: DLAZY=of: it is lazy, eager or off' "$t/err")" 1
DLAZY=off run "$t/host" "$t/p" p1
check_empty "one that is one is not" "$err"
DLAZY_FORBID=$(printf 'x%.0s' {1..300}),y run "$t/host" "$t/p" p1
has "$err" "dlazy: DLAZY_FORBID=xxx" "a pattern that nothing can match is"
(cd "$t" && DLAZY_TRACE=ledger ./host p p1)
cp "$t/ledger" "$t/out"
json ".objects[0].by == \"$t/host\"" \
	"the object has its path if the host was started by a relative name"
kept p1
json '.spent_us == .objects[0].load_us' "what was spent is added up"
json '[.untouched[].name] == ["p2", "p3"]' "what was not touched is named"
json '.saved_us == null and (.unknown.saved_us | test("none")) and
	.saved_unknown == 2 and (.untouched | all(
	.recorded_us == null and (.unknown.recorded_us | test("never"))))' \
	"what it would have cost is not known yet, and why"
DLAZY=eager kept
json '.mode == "eager" and (.objects | length) == 3 and .untouched == []' \
	"eagerly, all is loaded"
kept p1
json '.saved_unknown == 0 and .saved_us > 0' "then the cost of all is known"
json '(.saved_us - ([.untouched[].recorded_us] | add)) | fabs < 0.01' \
	"and what was saved is their sum"
touch "$t/p/p2.so"
kept p1
json '.untouched[] | select(.name == "p2") | .recorded_us == null' \
	"of a file that has changed nothing is known"
kept
json '.objects == [] and .spent_us == 0 and .touched == 0' \
	"nothing touched, nothing spent"
kept fork p1
json '[.objects[].name] == ["p1"]' "a forked child leaves its parent's alone"
kept write "$t/other"
is_status 0 "it is written when asked for"
check "where it is to be" test -s "$t/other"
run "$t/host" "$t/p" write "$t/none"
is_status 3 "but not if none is kept"
check "and nothing is written then" test ! -e "$t/none"
run "$t/host" "$t/p" p1
check "nor at exit" test ! -e "$t/none"
DLAZY_TRACE=$t/%p.json run "$t/host" "$t/p" p1
check "%p is the process's number" \
	bash -c "ls '$t' | grep -Eqx '[0-9]+\.json'"

kept p1 abort
is_status 134 "a host that aborts by itself"
json '[.objects[].name] == ["p1"]' "has its ledger, too"
build "$t/p/bad.so" -Wl,-z,undefs <<'END'
	int nowhere(void);
	int f(int x) { return nowhere() + x; }
END
kept p1 bad
is_status 134 "a host that aborts in a stub"
json '(.objects | length) == 2 and .failed == 1' "has its ledger all the same"
json '.objects[1] | .name == "bad" and .error != null and .private_kib == null' \
	"with what failed"
ln -s real "$t/link"
DLAZY_TRACE=$t/link run "$t/host" "$t/p" p1
check "what is a link stays one" test -L "$t/link" -a -s "$t/real"
mkfifo "$t/pipe"
cat "$t/pipe" >"$t/piped" &
DLAZY_TRACE=$t/pipe run "$t/host" "$t/p" p1
wait
check "and a pipe a pipe" test -p "$t/pipe" -a -s "$t/piped"
if "$dlazy" stub "$t/p/p1.so" -o "$t/stub.o" 2>/dev/null; then
	"${cc[@]}" -o "$t/linked" -x c - -x none "$t/stub.o" -L"$libdir" \
		-Wl,-rpath,"$libdir":"$t/p" -ldlazy \
		<<<'int f1(int); int main(void) { return f1(1) != 2; }' || exit 99
	rm -f "$t/ledger"
	DLAZY_TRACE=$t/ledger LD_LIBRARY_PATH=$t/p run "$t/linked"
	is_status 0 "a program linked with a stub"
	cp "$t/ledger" "$t/out"
	json '.objects[0].name == "p1" and .saved_us == null and
		(.unknown.saved_us | test("stub file"))' \
		"does not know what it saved"
else
	skip "a program linked with a stub" "no stub files for this CPU"
fi
DLAZY_TRACE=/nonexistent/file run "$t/host" "$t/p" p1
is_status 0 "a file that cannot be written does not end the host"
finish
