#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy policy: a policy file out of ledgers, which the library obeys; dlazy list
# says who decided. TAP.
set -u
. "$(dirname "$0")/cli.bash"

# ledger FILE PARENT [NAME AT LOAD INHERITED ERROR]...: one that says so
ledger()
{
	local file=$1 comma=
	printf '{"format":"dlazy-ledger","version":1,"program":"/bin/%s",
		"command":["x"],"pid":7,"parent":%s,"mode":"lazy",
		"objects":[' "${program:-app}" "$2" >"$file"
	shift 2
	while [ $# -gt 0 ]; do
		printf '%s{"name":"%s","at_us":%s,"load_us":%s,
			"private_kib":10,"inherited":%s,"error":%s}' \
			"$comma" "$1" "$2" "$3" "$4" "$5" >>"$file"
		comma=,
		shift 5
	done
	echo ']}' >>"$file"
}

ledger "$t/1" null soon 10 500 false null late 2e6 500 false null \
	later 9000 500 false null once 10 5 false null bad 1 5 false '"no"'
ledger "$t/2" null later 8000.5 700 false null soon 20 400 false null \
	late 3e6 500 false null bad 1 5 false '"no"'
run "$dlazy" policy "$t/1" "$t/2"
is_status 0 "two runs"
same=$(grep -v '^#' <<<"$out")
check_same "what both touched early is loaded early, and no other" "$same" \
	$'\n[app]\nsoon = eager\nlater = prefetch'
has "$out" "first touch 700 us sooner" "the expected gain is a comment"
has "$out" "each of 2 runs" "so is the reason"
run "$dlazy" policy "$t/1" "$t/2" --json
json '.output == null and (.programs | length == 1) and (.programs[0] |
	.program == "app" and .runs == 2 and .children == 0)' "in JSON"
json '.programs[0].plugins | map(select(.policy != "lazy")) | map([.name,
	.policy, .runs, .gain_us]) == [["soon", "eager", 2, 500],
	["later", "prefetch", 2, 700]]' "each plugin with its policy"

ledger "$t/c1" 7 was 5 100 true null both 9e6 300 false null \
	one 5 100 false null
ledger "$t/c2" 7 was 5 100 true null both 9e6 300 false null
run "$dlazy" policy "$t/1" "$t/c1" "$t/c2" -o "$t/conf"
is_status 0 "forked children"
check_empty "with -o the answer goes to the file" "$out"
check "what two children loaded is eager" grep -qx 'both = eager' "$t/conf"
check "with the gain" grep -q '2 of 2 forked .* 300 us .* 10 KiB' "$t/conf"
check_same "what one loaded, or the parent, is not" \
	"$(grep -cE '^(one|was) ' "$t/conf")" 0

program=other ledger "$t/o" null x 1 5 false null
run "$dlazy" policy "$t/1" "$t/o"
check_same "a section for each program" "$(grep '^\[' <<<"$out" | xargs)" \
	"[app] [other]"
run "$dlazy" policy
is_status 2 "a ledger is needed"
echo '{"format":"dlazy-trace","version":1}' >"$t/trace"
run "$dlazy" policy "$t/trace"
is_status 1 "a trace is none"
has "$err" "expected a ledger" "as is said"
sed 's/"lazy"/"eager"/' "$t/1" >"$t/all"
run "$dlazy" policy "$t/all" -o "$t/none"
is_status 1 "nor is that of a run that loaded all"
check "nothing is written then" test ! -e "$t/none"

# The library reads it again.
plugins "$t/p"
cp "$t/p/p1.so" "$t/p/odd [*] = name.so"
cp "$t/p/p1.so" "$t/p/#odd.so"
program='[a] b' ledger "$t/odd" null p2 10 500 false null \
	'odd [*] = name' 10 5 false null '#odd' 10 5 false null
"$dlazy" policy "$t/odd" -o "$t/odd.conf"
export DLAZY_POLICY=$t/odd.conf
run "$dlazy" list "$t/p" --program='[a] b' --json
is_status 0 "a policy file is read again"
check_empty "every line of it" "$err"
json '.plugins | map([.name, .policy]) == [["#odd", "prefetch"],
	["odd [*] = name", "prefetch"], ["p1", "lazy"], ["p2", "eager"],
	["p3", "lazy"]]' "names with odd characters, too"
json '.plugins[3].policy_by | test("/odd.conf:[0-9]+$")' "with who decided"
json '.plugins[2].policy_by == "default"' "or that nobody did"
run "$dlazy" list "$t/p" --program='[a] b'
has "$out" "POLICY" "the table has a column of policies then"
check "with the same" grep -q 'p2.so  *eager (.*/odd.conf:[0-9]*)$' "$t/out"
run "$dlazy" list "$t/p" --json
json 'all(.plugins[]; .policy == "lazy")' "other programs have no part in it"
run "$dlazy" list "$t/p"
hasnt "$out" "POLICY" "nor a column"
unset DLAZY_POLICY

if [ "${STUBS-}" = none ] || [ -z "${DLAZY_STAGE_LIBDIR:-}" ]; then
	skip "a host's own ledgers" "no stubs, or no stage"
	finish
	exit
fi
cat >"$t/host.c" <<'END'
#include <dlazy/dlazy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int function(int);

static void touch(struct dlazy_registry *r, const char *plugin, const char *f)
{
	struct dlazy_module *m = dlazy_registry_find(r, plugin);

	if (!m)
		exit(1);
	((function *)dlazy_sym(m, f))(1);
}

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (dlazy_registry_add_dir(r, argv[1], 0) < 0)
		return 1;
	if (argc > 2)
		return dlazy_module_state(dlazy_registry_find(r, argv[2])) !=
		       DLAZY_LOADED;
	touch(r, "p1", "f1");
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			touch(r, "p3", "f3");
			exit(0);
		}
		wait(NULL);
	}
	return access(getenv("DLAZY_TRACE"), F_OK) == 0;
}
END
read -ra cc <<<"${CC:-cc}"
export ASAN_OPTIONS=detect_leaks=0 # a host may end as it likes
"${cc[@]}" -o "$t/host" "$t/host.c" -I"$root/include" \
	-L"$DLAZY_STAGE_LIBDIR" -Wl,-rpath,"$DLAZY_STAGE_LIBDIR" -ldlazy ||
	exit 99
mkdir "$t/ledgers"
DLAZY_TRACE=$t/ledgers/%p.json run "$t/host" "$t/p"
is_status 0 "a host that forks"
check_same "has a ledger, and so has each child, with %p" \
	"$(find "$t/ledgers" -type f | wc -l)" 3
run "$dlazy" policy "$t/ledgers"/*.json --json -o "$t/host.conf"
json '.programs[0] | .program == "host" and .runs == 1 and .children == 2' \
	"which is which is known"
json '.programs[0].plugins | map(select(.name == "p3"))[0] |
	.policy == "eager" and .children == 2 and .runs == 0' \
	"what they loaded"
json '.programs[0].plugins | map(select(.name == "p1"))[0] |
	.policy != "lazy" and .children == 0' "and what they inherited"
run "$t/host" "$t/p" p3
is_status 1 "without a policy nothing is loaded by finding it"
DLAZY_POLICY=$t/host.conf run "$t/host" "$t/p" p3
is_status 0 "with it, what the children loaded is"
DLAZY_TRACE=$t/one.json run "$t/host" "$t/p"
is_status 0 "without %p a child writes none"
cp "$t/one.json" "$t/out"
json '.parent == null and (.objects | map(.name) == ["p1"])' \
	"and its parent does, of what itself loaded"
finish
