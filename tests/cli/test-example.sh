#!/bin/bash
# SPDX-License-Identifier: MIT
# The example program (examples/convert): it converts, starts without its heavy
# backends, works where they are not installed, and says what to install. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

built=${TEST_BUILD:?run it by make check}/examples/convert
convert=$built/dlazy-convert
[ -x "$convert" ] || skip_all "not built: configure's summary says why"
libdir=${DLAZY_STAGE_LIBDIR:?}
read -ra cc <<<"${CC:-cc}"
cd "$t" || exit 99

cat >drawing.svg <<'END'
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">
<rect width="20" height="20" fill="red"/>
<circle cx="30" cy="10" r="8" fill="#08f"/></svg>
END
printf 'P6\n# a comment\n2 1 255\nabcdef' >dots.ppm

# mapped COMMAND...: which backends it maps
mapped()
{
	LD_DEBUG=files "$@" 2>&1 >/dev/null |
		sed -n 's/.*calling init: .*lib\(rsvg-2\|jxl\|cairo\)\.so.*/\1/p' |
		sort | paste -sd ' '
}

run "$convert" --help
is_status 0 "it helps"
has "$out" "Usage: dlazy-convert" "and says how to use it"
check_same "for that it maps no backend" "$(mapped "$convert" --help)" ""
run "$convert" dots.ppm copy.ppm
is_status 0 "it copies what it can do itself"
check_same "dot by dot" "$(tail -c 6 copy.ppm)" abcdef
check_same "and maps no backend" "$(mapped "$convert" dots.ppm copy.ppm)" ""
check_empty "it needs none" \
	"$(readelf -dW "$convert" | grep -E 'NEEDED.*(rsvg|jxl|cairo|glib)')"

run "$convert" --width=200 drawing.svg drawing.ppm
is_status 0 "it draws"
check_same "in the size asked for" "$(head -n 2 drawing.ppm | tail -n 1)" \
	"200 100"
check_same "in colours" "$(tail -c +16 drawing.ppm | head -c 3 | od -An -tu1)" \
	" 255   0   0"
check_same "with those libraries alone" \
	"$(mapped "$convert" drawing.svg x.ppm)" "cairo rsvg-2"
run "$convert" drawing.ppm drawing.jxl
is_status 0 "it encodes"
check_same "JPEG XL" "$(head -c 2 drawing.jxl | od -An -tx1)" " ff 0a"
check_same "with that library alone" \
	"$(mapped "$convert" drawing.ppm x.jxl)" jxl
if command -v djxl >/dev/null; then
	"$convert" -q 100 drawing.ppm exact.jxl
	djxl exact.jxl exact.ppm 2>/dev/null
	check "which is lossless if asked" cmp drawing.ppm exact.ppm
else
	skip "which is lossless if asked" "djxl is missing"
fi
run "$convert" --formats
is_status 0 "it lists its formats"
hasnt "$out" "not installed" "which are there"
check_same "without mapping any" "$(mapped "$convert" --formats)" ""

"$built/plain-convert" --width=200 drawing.svg plain.ppm
check "the plain twin draws the same" cmp plain.ppm drawing.ppm
"$built/plain-convert" drawing.ppm plain.jxl
check "and encodes the same" cmp plain.jxl drawing.jxl
check "it maps all at its start" \
	grep -q rsvg <<<"$(mapped "$built/plain-convert" --help)"

# refused STATUS WORDS SENTENCE ARGUMENT...
refused()
{
	local status_wanted=$1 words=$2 sentence=$3
	shift 3
	run "$convert" "$@"
	is_status "$status_wanted" "$sentence"
	has "$err" "$words" "and says: $words"
}

refused 2 "IN OUT" "no picture"
refused 2 "--formats" "a format it cannot read" x.gif y.ppm
refused 2 "y.svg" "a format it cannot write" dots.ppm y.svg
refused 2 "number from 1 to 100" "a quality that is none" -q 101 dots.ppm x.jxl
refused 2 "number from 1" "a width that is none" -w -5 drawing.svg x.ppm
refused 1 "nothing.ppm: No such file" "a file that is not there" nothing.ppm x.ppm
refused 1 "nothing.svg" "a drawing that is not there" nothing.svg x.ppm
echo "no drawing" >bad.svg
refused 1 "bad.svg" "a drawing that is none" bad.svg x.ppm
head -c 26 dots.ppm >short.ppm
refused 1 "short.ppm: ends" "a picture cut short" short.ppm x.ppm
printf 'P6 1000000 1000000 255\n' >huge.ppm
refused 1 "huge.ppm" "a picture too large" huge.ppm x.ppm
echo kept >kept.ppm
run "$convert" short.ppm kept.ppm
check_same "a failure leaves what was there" "$(<kept.ppm)" kept
run "$convert" dots.ppm no/such/dir.ppm
is_status 1 "a place that is not there"
has "$err" "no/such/dir.ppm" "is named"

# The same objects, as on a machine where the backends are not installed.
stub()
{
	"$dlazy" stub "-l$1" -o "$1.o" --soname="lib$1-not-here.so.1" \
		--feature="$2" --package="$3" >/dev/null 2>&1
}
svg="SVG input"
stub rsvg-2 "$svg" librsvg2-2 && stub cairo "$svg" librsvg2-2 &&
	stub gobject-2.0 "$svg" librsvg2-2 && stub glib-2.0 "$svg" librsvg2-2 &&
	stub jxl "JPEG XL output" libjxl0.7
# shellcheck disable=SC2054 # commas are the linker's
check "it links with stubs of what is not here" "${cc[@]}" -o without \
	"$built"/*dlazy_convert-*.o ./*.o -L"$libdir" -ldlazy \
	"-Wl,-rpath,$libdir" -lm
convert=./without
run ./without dots.ppm copy2.ppm
is_status 0 "without its backends it works"
check "as with them" cmp copy.ppm copy2.ppm
refused 3 "SVG input is not available" "drawing" drawing.svg x.ppm
has "$err" "install librsvg2-2" "and what to install"
has "$err" "librsvg-2-not-here.so.1" "and what it looked for"
has "$err" "drawing.svg" "and for which file"
refused 3 "install libjxl0.7" "encoding" drawing.ppm none.jxl
check "writes nothing then" test ! -e none.jxl
run ./without --formats
check_same "two formats are not installed" \
	"$(grep -c 'not installed' <<<"$out")" 2

run "$dlazy" info "$built/dlazy-convert" --json
json '[.dlopen_notes[][] | select(.feature == "SVG input") | .soname[]] |
	index("librsvg-2.so.2") != null' "packagers see what it may load"
finish
