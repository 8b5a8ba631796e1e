#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy list: every plugin, nothing loaded, and why one is not there. TAP.
set -u
. "$(dirname "$0")/cli.bash"

plugins "$t/p"
run "$dlazy" list "$t/p"
is_status 0 "a directory is listed"
check_same "a heading, and one line for each plugin" "$(wc -l <"$t/out")" 4
has "$out" "$t/p/p2.so" "with its path"
hasnt "$out" $'\033' "without colours: it is no terminal"
check "the scan was left in the cache" test -n "$(ls "$t/cache")"

run "$dlazy" list "$t/p" --json
json '.plugins | map(.name) == ["p1", "p2", "p3"]' "names in order"
json ".plugins[0] | .path == \"$t/p/p1.so\" and .exports == 2" \
	"path and exports"
json '.plugins[0].needs | type == "array"' "needs is an array"
json '.bad == []' "nothing is bad"

echo "int f(void) { return 1; }" | build "$t/id.so" -Wl,--build-id=0xabcd
mkdir "$t/i" && mv "$t/id.so" "$t/i"
run "$dlazy" list "$t/i" --json
json '.plugins[0].build_id == "abcd"' "the build-id, in hexadecimal"
echo "int f(void) { return 1; }" | build "$t/i/id.so" -Wl,--build-id=none
run "$dlazy" list "$t/i" --json
json '.plugins[0].build_id == null' "null without a build-id"

mkdir "$t/side"
build "$t/side/side.so" <<-END
	#include <stdlib.h>
	__attribute__((constructor)) static void loaded(void) { abort(); }
	int f(void) { return 1; }
END
run "$dlazy" list "$t/side"
is_status 0 "listing loads nothing"

# A host's quarantine, as it is left by one that died of a plugin.
cat >"$t/host.c" <<-END
	#include <dlazy/lifecycle.h>
	int main(int argc, char **argv)
	{
		struct dlazy_registry *r = dlazy_registry_new();
		(void)argc;
		dlazy_registry_add_dir(r, argv[1], 0);
		dlazy_registry_quarantine(r, argv[2]);
		return dlazy_load(dlazy_registry_find(r, "side")) ? 1 : 0;
	}
END
run "$dlazy" list "$t/side" --quarantine="$t/marks"
is_status 0 "a quarantine that no host has made yet is no failure"
has "$err" "nothing is in quarantine" "it is said"
if pkg-config --exists dlazy 2>/dev/null; then
	read -ra flags <<<"$(pkg-config --cflags --libs dlazy)"
	$CC "$t/host.c" -o "$t/host" "${flags[@]}"
	(
		export LD_LIBRARY_PATH=${DLAZY_STAGE_LIBDIR-}
		"$t/host" "$t/side" "$t/marks"
		true
	) >"$t/died" 2>&1
	run "$dlazy" list "$t/side" "$t/p" --quarantine="$t/marks" --json
	is_status 0 "what is in quarantine is listed"
	json '.plugins | map(.problem != null and (.problem |
		test("in quarantine by"))) == [true, false, false, false]' \
		"with its problem, and no other has one"
	run "$dlazy" list "$t/side" --quarantine="$t/marks"
	has "$err" "$t/side/side.so: in quarantine" "in words, too"
	touch -d 2020-01-01 "$t/side/side.so"
	run "$dlazy" list "$t/side" --quarantine="$t/marks" --json
	json '.plugins[0].problem == null' "until its file changes"
fi

run "$dlazy" list /nonexistent
is_status 1 "a directory that does not exist is a problem"
has "$err" "/nonexistent" "it is named"
run "$dlazy" list /nonexistent "$t/p" --json
is_status 1 "also beside one that does"
json '.plugins | length == 3' "which is listed"

mkdir "$t/empty"
run "$dlazy" list "$t/empty"
is_status 0 "an empty directory is no problem"
check_same "it has nothing to print" "$out" ""
has "$err" "$t/empty: no plugins there" "and says so"
run "$dlazy" list "$t/empty" --json
json '.plugins == []' "in JSON it is an empty array"

plugins "$t/bad"
echo "no plugin" >"$t/bad/text.so"
machine "$t/bad/p2.so" 183
head -c 100 "$t/bad/p1.so" >"$t/bad/short.so"
run "$dlazy" list "$t/bad"
is_status 0 "bad files are no failure of the list"
check_same "the good ones are listed" "$(tail -n +2 <<<"$out" | wc -l)" 2
has "$err" "$t/bad/text.so: not a plugin: not an ELF" "a text file is named"
check "so is one of another machine" \
	grep -q "$t/bad/p2.so: .*AArch64" "$t/err"
has "$err" "$t/bad/short.so" "so is a truncated one"
run "$dlazy" list "$t/bad" --json
json '.plugins | map(.name) == ["p1", "p3"]' "the same in JSON"
json '.bad | length == 3 and all(.[]; .name and .path and .reason)' \
	"bad files have reasons in JSON"

(cd "$t" && DLAZY_CACHE_DIR=/proc/nowhere "$dlazy" list p >"$t/out" 2>"$t/err")
check_same "a cache that cannot be written does not matter" \
	"$(wc -l <"$t/out")" 4

# An odd name must neither break JSON nor write to the terminal.
mkdir "$t/odd"
cp "$t/p/p1.so" "$t/odd/$(printf 'a"b\033[31m\377').so"
run "$dlazy" list "$t/odd"
hasnt "$out" $'\033' "control characters of names are not printed"
cp "$t/p/p1.so" "$t/odd/$(printf '\302\233').so"
run "$dlazy" list "$t/odd"
hasnt "$out" $'\302\233' "nor those of eight bits"
rm "$t/odd/$(printf '\302\233').so"
cp "$t/p/p1.so" "$t/odd/$(printf 'a\2332Jb\342\200\256c').so"
run "$dlazy" list "$t/odd"
hasnt "$out" $'\233' "nor a byte that is one alone"
hasnt "$out" $'\342\200\256' "nor what turns the writing around"
run "$dlazy" info "$t/odd/$(printf 'a\2332Jb\342\200\256c').so"
check_empty "in one file's description neither" \
	"$(LC_ALL=C grep -e $'\233' -e $'\342\200\256' "$t/out")"
run "$dlazy" info "$t/odd/$(printf 'absent\342\200\256').so"
hasnt "$err" $'\342\200\256' "nor in a message"
run "$dlazy" list "$t/odd" --json
check_empty "in JSON they stand as escapes" \
	"$(LC_ALL=C grep -e $'\233' -e $'\342\200\256' "$t/out")"
json 'any(.plugins[]; .name | endswith("b\u202ec"))' "of the same characters"
rm "$t/odd/$(printf 'a\2332Jb\342\200\256c').so"
run "$dlazy" list "$t/odd" --json
json '.plugins[0].name | startswith("a\"b\u001b[31m")' "in JSON they are escaped"

run bash -c "set -o pipefail; '$dlazy' list '$t/p' '$t/p' | head -1"
check_same "a reader that stops early is no news" "$err" ""

# What a damaged catalog says, or one that does not know a file as it is now, is
# read again from the files.
mkdir "$t/damaged"
for i in 1 2 3; do cp "$t/p/p1.so" "$t/damaged/d$i.so"; done
echo "no ELF" >"$t/damaged/d4.so"
sleep 0.1
run "$dlazy" list "$t/damaged" --json
whole=$out
catalog=$(ls "$DLAZY_CACHE_DIR"/damaged-*.catalog)
size=$(stat -c %s "$catalog")
lost=
for ((at = 5; at < size; at += size / 12)); do
	printf '\377' | dd of="$catalog" bs=1 seek="$at" conv=notrunc status=none
	run "$dlazy" list "$t/damaged" --json
	[ "$out" = "$whole" ] || lost+=" $at"
done
check_same "a damaged catalog loses no plugin" "$lost" ""
cat "$t/p/p1.so" >"$t/damaged/d4.so"
run "$dlazy" list "$t/damaged" --json
json '.plugins | length == 4' "a file that was mended in place is listed"
echo "no ELF" >"$t/damaged/d1.so"
run "$dlazy" list "$t/damaged" --json
json '(.plugins | length == 3) and (.bad | length == 1)' \
	"a file that was broken in place is listed as bad"

# 10 000 plugins; few blocks, as each is a link to one of the few files.
mkdir "$t/many"
build "$t/one.so" -s -nostdlib <<<"int f(void) { return 1; }"
(cd "$t/many" && for i in {0..9999}; do printf 'n%04d.so\0' "$i"; done |
	xargs -0 -n 500 bash -c 'tee "$@" <../one.so >/dev/null' tee)
SECONDS=0
run "$dlazy" scan "$t/many" --json
json '.directories[0].total == 10000' "10 000 plugins are scanned"
run "$dlazy" list "$t/many" --json
json '.plugins | length == 10000 and .[9999].name == "n9999"' \
	"10 000 plugins are listed"
run bash -c "set -o pipefail; '$dlazy' list '$t/many' | head -1"
check_same "head stops them quietly" "$err" ""
check "it takes less than 20 s" test "$SECONDS" -lt 20
# What plugins say of themselves.
if [ -z "${DLAZY_STAGE_LIBDIR:-}" ] ||
	[ ! -e "$DLAZY_STAGE_LIBDIR/dlazy/json.so" ]; then
	echo "ok - metadata # SKIP built without jansson"
else
	plugins "$t/said/in"
	cat >"$t/said/in/p1.dlazy.json" <<-END
		{"version": "2.1", "description": "PNG", "provides": [{
			"id": "codec/png", "rank": 700, "mime": ["image/png"],
			"glob": ["*.png"], "magic": [{"hex": "89504e47"}]}]}
	END
	cat >"$t/said/in/p2.dlazy.json" <<-END
		{"provides": [{"id": "codec/any", "glob": ["*"]},
			{"id": "codec/best", "rank": 900, "mime": ["image/png"]}]}
	END
	echo '{"version": 7}' >"$t/said/in/p3.dlazy.json"
	printf '\211PNG' >"$t/picture"
	run "$dlazy" list "$t/said/in" --json
	json '.plugins[0] | .provides == ["codec/png"] and .version == "2.1" and
		.description == "PNG" and .problem == null and .probe == null' \
		"what is provided, version and description are told"
	json '.plugins[2].problem | test("version")' "so is what is not usable"
	run "$dlazy" list "$t/said/in"
	has "$err" "p3.so: metadata: sidecar" "in words, too"
	run "$dlazy" list "$t/said/in" --provides='codec/[bp]*' --json
	json '.plugins | map(.name) == ["p1", "p2"]' "a glob over ids"
	run "$dlazy" list "$t/said/in" --opens="$t/picture" --json
	json '.plugins | map(.name) == ["p1", "p2"]' \
		"who can open a file, the best first"
	run "$dlazy" list "$t/said/in" --mime=image/png --json
	json '.plugins | map(.name) == ["p2", "p1"]' "or a type"
	run "$dlazy" list "$t/said/in" --mime=image/gif
	is_status 0 "nobody can open it: no failure"
	check_same "and nothing to print" "$out" ""
	run "$dlazy" list "$t/said/in" --opens="$t/absent"
	is_status 1 "a file that is not there is a problem"
	run "$dlazy" list -r "$t/said" --json
	json '.plugins | map(.name) == ["in/p1", "in/p2", "in/p3"]' \
		"names of directories below are paths"
	mkdir "$t/over" && cp "$t/said/in/p1".* "$t/over"
	run "$dlazy" list "$t/over" "$t/said/in" --provides=codec/png --json
	json '.plugins | map(.path) == ["'"$t/over/p1.so"'"]' \
		"what is shadowed is not told"
	run "$dlazy" list "$t/over" "$t/said/in" --provides=codec/png --all \
		--json
	json '.plugins | length == 2 and (.[1].problem | test("shadowed"))' \
		"but with --all"
fi
finish
