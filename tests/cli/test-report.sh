#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy report: what is taken, what is refused and how that is told, and that
# nothing in a file can leave its place in the page. Browsers: tests/report. TAP.
set -u
. "$(dirname "$0")/cli.bash"
cd "$t" || exit 99

trace='{"format":"dlazy-trace","version":1,"command":["x"],"objects":[]}'
ledger='{"objects":[],"version":1,"format":"dlazy-ledger","mode":"lazy"}'
bench='{"subject":"/p","eager":{"wall_us":{"median":2}},"lazy":{"wall_us":{"median":1}}}'
echo "$trace" >t.json
echo "$ledger" >l.json
echo "$bench" >b.json

# data PAGE: what its script will read
data()
{
	sed -n '/^<script type="application\/json" id="data">$/,/^<\/script>$/p' \
		"$1" | sed '1d;$d'
}

run "$dlazy" report t.json l.json b.json -o r.html --json
is_status 0 "three files make a page"
json '.output == "r.html" and .size > 10000' "--json tells of it"
json '[.files[].kind] == ["trace", "ledger", "bench"]' "and of each file's kind"
check_same "its size is the page's" \
	"$(sed -n 's/.*"size":\([0-9]*\).*/\1/p' out)" \
	"$(stat -c %s r.html)"
data r.html >out
json '[.[].file] == ["t.json", "l.json", "b.json"]' "the page has their names"
json '.[0].data.command == ["x"]' "and what they hold"
run "$dlazy" report t.json -o r2.html
check_same "it says nothing" "$out$err" ""

# ---------------------------------------------------------------- the page

hash=$(sed -n '/^<script>$/,/^<\/script>$/p' r.html | sed '$d' | sed 1s/.*//)
hash=$(printf '%s\n' "$hash" | sha256sum | cut -c 1-64)
policy=$(sed -n "s/.*script-src 'sha256-\([^']*\)'.*/\1/p" r.html |
	base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
check_same "the policy allows the page's script, by its hash" "$policy" "$hash"
has "$(<r.html)" "default-src 'none'" "and nothing else"
check_empty "the page names no other place" \
	"$(grep -oE '(https?:)?//[a-z0-9.-]+\.[a-z]+' r.html |
	grep -vF http://www.w3.org)"
check_same "it is the same each time" \
	"$("$dlazy" report t.json l.json b.json -o r3.html; cksum <r3.html)" \
	"$(cksum <r.html)"

# ---------------------------------------------------------------- hostile files

# U+2028 and U+2029, in the bytes that they have in any locale.
nasty=$'</script><script>alert(1)</script><!--&amp;\xe2\x80\xa8\xe2\x80\xa9'
jq -c --arg n "$nasty" '.command = [$n] | .[$n] = $n' t.json >n.json 2>/dev/null ||
	printf '{"format":"dlazy-trace","command":["%s"]}' "$nasty" >n.json
name=$'</script><b>&.json'
cp n.json "${name//\//_}"
run "$dlazy" report n.json "${name//\//_}" -o n.html
is_status 0 "hostile names make a page"
check_same "no script but its own begins in it" \
	"$(grep -o '<script' n.html | wc -l)" 2
check_same "nor ends" "$(grep -o '</script' n.html | wc -l)" 2
check_empty "nothing in it is a tag, a reference, or ends a line" \
	"$(data n.html | grep -E $'[<>&]|\xe2\x80\xa8|\xe2\x80\xa9')"
data n.html >out
if command -v jq >/dev/null; then
	check_same "and it is the same text" "$(jq -r '.[0].data.command[0]' out)" \
		"$nasty"
else
	skip "and it is the same text" "jq is missing"
fi

# ---------------------------------------------------------------- refusals

# refused TEXT MESSAGE SENTENCE
refused()
{
	printf '%s' "$1" >bad.json
	run "$dlazy" report bad.json -o bad.html
	is_status 1 "$3"
	has "$err" "$2" "with what was expected"
	check "and nothing is written" test ! -e bad.html
}

refused "" "bad.json:1:1: not JSON: a value expected" "an empty file"
refused $'{\n "a": 1,\n}' "bad.json:3:1: not JSON: a string expected" \
	"a comma too many"
refused '{"a": "\q"}' "bad.json:1:9: not JSON: an escape expected" \
	"an escape that is none"
refused $'{"a": "\xff"}' "bad.json:1:8: not JSON: UTF-8 expected" \
	"a string that is not UTF-8"
refused "$trace$trace" "nothing more expected" "two objects in one file"
refused "$(printf '[%.0s' {1..100})" "no deeper nesting expected" \
	"a hundred arrays in each other"
refused '{"a": 1}' "no measurement of dlazy's" "JSON of somebody else's"
refused "[$trace]" "no measurement of dlazy's" "an array of traces"
refused '{"x":{"format":"dlazy-trace"}}' "no measurement of dlazy's" \
	"a trace further in"
refused '{"format":"dlazy-trace","version":2}' '"version": 1' \
	"a trace of another version"
head -c 40 t.json >cut.json
refused "$(<cut.json)" "not JSON" "a trace that was cut off"
{ echo "$trace"; printf '\0'; } >nul.json
run "$dlazy" report nul.json -o bad.html
is_status 1 "a file with a NUL"
run "$dlazy" report absent.json -o bad.html
is_status 1 "a file that is not there"
has "$err" "absent.json" "is named"
run "$dlazy" report . -o bad.html
is_status 1 "a directory"
run "$dlazy" report absent.json t.json cut.json -o bad.html
has "$err" "absent.json" "each file that is wrong is told of"
has "$err" "cut.json" "the last, too"
run "$dlazy" report absent.json cut.json -o bad.html --json
json '.error | test("absent.json")' "with --json the first is an object, alone"

run "$dlazy" report -o bad.html
is_status 2 "no file at all"
run "$dlazy" report t.json
is_status 2 "no place to write to"
has "$err" "-o OUT.html" "with what is missing"
cp t.json keep.json
ln keep.json link.json
run "$dlazy" report keep.json -o link.json
is_status 2 "a measurement is not written over"
check "and is as it was" cmp keep.json t.json
run "$dlazy" report t.json -o absent/r.html
is_status 1 "a place that cannot be written to"

# ---------------------------------------------------------------- pipes

check_same "a file may be a pipe" "$("$dlazy" report <(echo "$bench") \
	-o p.html --json | tr -d '\n' | grep -c '"kind":"bench"')" 1
check_same "so may the page" "$("$dlazy" report t.json -o /dev/stdout |
	head -1)" "<!doctype html>"
check "which is not replaced" test ! -f /dev/stdout

# ---------------------------------------------------------------- from ours

mkdir p
plugins p
run "$dlazy" bench p --runs 5 --json
cp out bench.json
run "$dlazy" report bench.json -o bench.html
is_status 0 "what dlazy bench writes"
if "$dlazy" trace -o true.json -- true 2>/dev/null; then
	run "$dlazy" report true.json -o true.html
	is_status 0 "what dlazy trace writes"
else
	skip "what dlazy trace writes" "it cannot trace here"
fi
finish
