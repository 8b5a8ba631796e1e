#!/bin/bash
# SPDX-License-Identifier: MIT
# doc/hosts.md: its ten steps are one program, and so is what it says of plugins that
# come and go; both are compiled and run. Its example of metadata is of the schema that
# is installed. TAP.
set -u
. "$(dirname "$0")/cli.bash"
libdir=${DLAZY_STAGE_LIBDIR:-}
[ -n "$libdir" ] || skip_all "run it by make check"
[ -e "$libdir/dlazy/json.so" ] || skip_all "built without jansson"
read -ra cc <<<"${CC:-cc}"
page=$root/doc/hosts.md

# blocks LANGUAGE SECTION: those of the page, one after the other
blocks()
{
	sed -n "/^## $2\$/,/^## /p" "$page" |
		sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p}"
}

blocks c "Ten steps" >"$t/host.c"
blocks json "An example for each key" >"$t/example.json"
check_same "there are ten steps" "$(grep -c '^\*\*[0-9]*\. ' "$page")" 10
check "the steps are a program" "${cc[@]}" -std=c11 -D_DEFAULT_SOURCE -Wall \
	-Wextra -Werror -I"$root/include" "$t/host.c" -o "$t/host" -L"$libdir" \
	-ldlazy -Wl,-rpath,"$libdir"

check_same "each function of a host's has its place" "$(
	sed -n 's/^\t\(dlazy_[a-z_]*\);$/\1/p' "$root/src/libdlazy.map" |
		grep -v '^dlazy_linked_' | while read -r name; do
		grep -q "\<$name\>" "$page" || echo "$name"
	done
)" ""

mkdir -p "$t/p" "$t/users/in"
build "$t/p/first.so" <<<"int answer(void) { return 42; }"
cp "$t/example.json" "$t/p/first.dlazy.json"
cp "$t/p/first.so" "$t/p/newer.so"
cp "$t/p/first.so" "$t/p/needed.so" # "requires" names what it provides
echo '{"provides": [{"id": "answer/base"}]}' >"$t/p/needed.dlazy.json"
cp "$t/p/first.so" "$t/users/in/mine.so"
echo '{"interface": "answers/2.4"}' >"$t/p/newer.dlazy.json"
HOST_PLUGIN_PATH=$t/users:/nonexistent run "$t/host" "$t/p"
is_status 0 "the program runs"
has "$out" "first: answers first" "plugins are described"
has "$out" "in/mine: -" "those of directories below, too"
has "$out" "first provides answer/first" "what is provided is told"
has "$out" "x.answer is for first" "and who can open a file"
has "$out" "newer: made for the interface answers/2.4" \
	"another interface is refused"
has "$out" "the answer is 42" "and a plugin is called"

blocks c "Plugins that come and go" >"$t/long.c"
check "so is what is said of plugins that come and go" "${cc[@]}" -std=c11 \
	-D_DEFAULT_SOURCE -Wall -Wextra -Werror -I"$root/include" "$t/long.c" \
	-o "$t/long" -L"$libdir" -ldlazy -Wl,-rpath,"$libdir"
mkdir "$t/q"
cp "$t/p/first.so" "$t/q/first.so"
build "$t/second.so" <<<"int answer(void) { return 43; }"
if [ "${STUBS-yes}" = yes ]; then
	run "$t/long" "$t/q" "$t/marks" "$t/second.so" "$t/q/first.so"
	is_status 0 "it runs"
	check_same "and a plugin is replaced, goes, comes back and stays" \
		"$(tr '\n' ' ' <<<"$out")" \
		"first: 42 then: 43 again: 43 sealed: 43 "
fi

run "$dlazy" info "$t/p/first.so" --json
json '.metadata_problems == []' "the example has each key as it should be"
schema=$root/doc/plugin.schema.json
if command -v jq >/dev/null; then
	check_same "the schema has the keys of the example" \
		"$(jq -r '.properties | keys | .[]' "$schema")" \
		"$(jq -r 'keys | map(select(. != "x-own")) | .[]' \
			"$t/example.json")"
fi
finish
