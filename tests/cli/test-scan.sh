#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy scan: what it counts, what it writes, what it says. TAP.
set -u
. "$(dirname "$0")/cli.bash"

plugins "$t/p"
run "$dlazy" scan "$t/p" --json
is_status 0 "a directory is scanned"
json '.directories | length == 1' "one directory is one object"
json '.directories[0] | .total == 3 and .added == 3 and .changed == 0 and
	.removed == 0 and .bad == 0' "new plugins are added"
json ".directories[0].path == \"$t/p\"" "the path is absolute"
catalog=$(jq -r '.directories[0].catalog' "$t/out" 2>/dev/null)
check "the catalog is in the user's cache" test -f "$catalog"
check_same "standard error is quiet" "$err" ""

run "$dlazy" scan "$t/p" --json
json '.directories[0] | .total == 3 and .added == 0 and .changed == 0' \
	"a second scan finds nothing new"
echo "int more(void) { return 1; }" | build "$t/p/p2.so"
rm "$t/p/p3.so"
run "$dlazy" scan "$t/p" --json
json '.directories[0] | .total == 2 and .added == 0 and .changed == 1 and
	.removed == 1' "what changed and what went is counted"

echo "no plugin" >"$t/p/text.so"
run "$dlazy" scan "$t/p"
is_status 0 "a bad file is no failure of the scan"
has "$out" "1 bad" "it is counted"
has "$err" "$t/p/text.so" "it is named"
has "$err" "ELF" "and why it is bad"
run "$dlazy" scan "$t/p"
has "$err" "$t/p/text.so" "it is named again though it was not read again"

run "$dlazy" scan --system "$t/p" --json
is_status 0 "--system works"
check "--system writes into the directory" test -f "$t/p/dlazy.catalog"
cp -r "$t/p" "$t/q"
run "$dlazy" scan --system "$t/q"
check "equal directories have equal catalogs" \
	cmp "$t/p/dlazy.catalog" "$t/q/dlazy.catalog"
run "$dlazy" scan "$t/p" -o "$t/elsewhere" --json
is_status 0 "-o works"
check "-o writes where it is told" test -f "$t/elsewhere"
(cd "$t" && "$dlazy" scan p --output=beside >/dev/null 2>&1)
check "a relative -o is beside the caller" test -f "$t/beside"
run "$dlazy" scan "$t/p" "$t/q" -o "$t/both"
is_status 2 "one -o for two directories makes no sense"

run "$dlazy" scan "$t/p" /nonexistent --json
is_status 1 "a directory that does not exist is a problem"
json '.directories | length == 1' "the others are scanned"
has "$err" "/nonexistent" "it is named"
has "$err" "No such file or directory" "with what came back"
run "$dlazy" scan "$t/p/p1.so"
is_status 1 "a file is no directory"
run "$dlazy" scan "$t/p" -o /nonexistent/catalog
is_status 3 "a catalog that cannot be written is dlazy's failure"
has "$err" "/nonexistent/catalog" "it is named"
run "$dlazy" scan ""
is_status 2 "no name is no directory"
run "$dlazy" scan "$t/p" -o ""
is_status 2 "and no file"
mkdir "$t/gone"
(cd "$t/gone" && rmdir "$t/gone" && run "$dlazy" scan "$t/p" -o there)
has "$(<"$t/err")" "no current directory" \
	"a relative -o without a current directory is refused"
rm -rf "$t/p/dlazy.catalog" && mkdir "$t/p/dlazy.catalog"
run "$dlazy" scan --system "$t/p"
has "$err" "$t/p/dlazy.catalog: cannot" "the catalog is named with its place"
rmdir "$t/p/dlazy.catalog"
run env DLAZY_CACHE_DIR=/proc/nowhere "$dlazy" scan "$t/p"
has "$err" "DLAZY_CACHE_DIR" "where else the cache could be is said"

mkdir "$t/empty"
run "$dlazy" scan "$t/empty" --json
is_status 0 "an empty directory is scanned"
json '.directories[0].total == 0' "and has no plugins"
# What a plugin says of itself may be wrong; that costs it that, and nothing else.
if compgen -G "${DLAZY_STAGE_LIBDIR:-/nonexistent}/dlazy/json.so" >/dev/null; then
	mkdir "$t/says"
	for name in broken deep twice key; do
		build "$t/says/$name.so" <<<'int f(void) { return 1; }'
	done
	echo '{"name": ' >"$t/says/broken.dlazy.json"
	printf '%0500d' 0 | tr 0 '[' >"$t/says/deep.dlazy.json"
	echo '{"name": "a", "name": "b"}' >"$t/says/twice.dlazy.json"
	echo '{"name": 7, "version": "1"}' >"$t/says/key.dlazy.json"
	run "$dlazy" scan --json "$t/says"
	is_status 0 "metadata that are wrong are no failure"
	json '.directories[0].total == 4' "nor do they cost the plugin"
	for name in broken deep twice key; do
		has "$err" "$t/says/$name.so: of its metadata not all is usable" \
			"scan names the plugin: $name"
	done
	run "$dlazy" check --json "$t/says"
	is_status 0 "to check they are nothing bad"
	json '[.plugins[].problems | any(.[]; .kind == "metadata" and
		(.detail | startswith("sidecar: ")))] == [true, true, true, true]' \
		"but are told"
else
	skip "metadata that are wrong" "built without jansson"
fi
# Root's files have no owner in a user namespace that does not map root. Without its
# catalog this plugin could not be known there.
inside=(setpriv --reuid=65533 --regid=65533 --clear-groups unshare -U)
if [ "$(id -u)" = 0 ] && chmod 755 "$t" &&
	"${inside[@]}" test -x "$dlazy" 2>/dev/null; then
	plugins "$t/shipped"
	"$dlazy" scan --system "$t/shipped" >/dev/null
	chmod 0 "$t/shipped"/*.so
	for map in --map-root-user --map-user=1000; do
		run env -u DLAZY_CACHE_DIR HOME=/nonexistent "${inside[@]}" "$map" \
			"$dlazy" list --json "$t/shipped"
		json '[.plugins[].name] == ["p1", "p2", "p3"]' \
			"a shipped catalog is used where root is nobody: $map"
	done
	chmod 666 "$t/shipped/dlazy.catalog"
	run env -u DLAZY_CACHE_DIR HOME=/nonexistent "${inside[@]}" -r \
		"$dlazy" list --json "$t/shipped"
	json '.plugins == []' "but none that others can write"
else
	skip "a shipped catalog is used where root is nobody" \
		"no user namespaces, or not root"
fi
finish
