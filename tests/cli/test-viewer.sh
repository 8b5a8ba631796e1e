#!/bin/bash
# SPDX-License-Identifier: MIT
# The picture viewer (plugins/hosts/viewer.c) and its codecs (plugins/codec): each
# format is opened by its first bytes, by its codec alone. TAP.
set -u
. "$(dirname "$0")/cli.bash"
viewer=${TEST_BUILD:?run it by make check}/plugins/hosts/viewer
codecs=$TEST_BUILD/plugins/codec
libdir=${DLAZY_STAGE_LIBDIR:-}
[ -x "$viewer" ] || skip_all "the viewer is not built"
[ -e "$libdir/dlazy/json.so" ] || skip_all "built without jansson"
export LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
cd "$t" || exit 99

# Red and blue, beside each other; black and white where there are no colours.
printf 'P6\n# comment\n2 1\n255\n\377\0\0\0\0\377' >colour.ppm
printf 'P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\n\377\0\0\0\0\377' \
	>colour.pam
printf 'farbfeld\0\0\0\2\0\0\0\1\377\377\0\0\0\0\377\377\0\0\0\0\377\377\377\377' \
	>colour.ff
printf 'qoif\0\0\0\2\0\0\0\1\3\0\376\377\0\0\376\0\0\377\0\0\0\0\0\0\0\1' \
	>colour.qoi
{
	printf 'BM\76\0\0\0\0\0\0\0\66\0\0\0\50\0\0\0\2\0\0\0\1\0\0\0\1\0\30\0'
	head -c 24 /dev/zero
	printf '\0\0\377\377\0\0\0\0'
} >colour.bmp
printf '\0\0\2\0\0\0\0\0\0\0\0\0\2\0\1\0\30\0\0\0\377\377\0\0' >colour.tga
{
	printf '\12\5\1\10\0\0\0\0\1\0\0\0\1\0\1\0'
	head -c 48 /dev/zero
	printf '\0\3\2\0'
	head -c 60 /dev/zero
	printf '\301\377\0\0\0\0\301\377'
} >colour.pcx
printf '\131\246\152\225\0\0\0\2\0\0\0\1\0\0\0\30\0\0\0\6\0\0\0\1%b\0\0\377\377\0\0' \
	'\0\0\0\0\0\0\0\0' >colour.ras
printf '\0\0\2\1\100' >grey.wbmp
printf '#define a_width 2\n#define a_height 1\nchar a_bits[] = {\n0x01};\n' \
	>grey.xbm
# shellcheck disable=SC2034 # named after the files, and read by that name
colour=" ff 00 00 00 00 ff" grey=" 00 00 00 ff ff ff"

for picture in colour.* grey.*; do
	cp "$picture" nameless
	run "$viewer" "$codecs" nameless out.image
	is_status 0 "a file is opened by its first bytes: ${picture#*.}"
	expected=${picture%.*}
	check_same "dot by dot" "$(tail -c 6 out.image | od -An -tx1)" \
		"${!expected}"
	for n in $(seq 3 9); do # no cut file takes the viewer down
		head -c $((n * $(stat -c %s "$picture") / 10)) "$picture" >"cut"
		"$viewer" "$codecs" cut out.cut >/dev/null 2>&1
		[ $? -le 1 ] || touch crashed
	done
done
check "files that are cut are refused" test ! -e crashed
echo "no picture" >text
run "$viewer" "$codecs" text out
is_status 1 "what no codec can open is refused"
run "$viewer" "$codecs" --list
check_same "ten codecs are listed" "$(wc -l <<<"$out")" 10
check_same "by reading alone" "$(LD_DEBUG=files "$viewer" "$codecs" --list 2>&1 |
	grep -c 'calling init: .*/codec/')" 0
check_same "one is loaded for one picture" \
	"$(LD_DEBUG=files "$viewer" "$codecs" colour.qoi x 2>&1 |
		grep 'calling init: .*/codec/' | sed 's,.*/,,')" qoi.so
run "$viewer" "$codecs" colour.ppm
has "$out" "38;2;255;0;0" "it shows colours"

# The same start with a hundred times as many: a catalog is looked into.
mkdir many
for i in $(seq 100); do
	for codec in "$codecs"/*.so; do
		name=${codec##*/}
		ln "$codec" "many/${name%.so}-$i.so" 2>/dev/null ||
			cp "$codec" "many/${name%.so}-$i.so"
	done
done
run "$viewer" many colour.qoi x
is_status 0 "a thousand are declared, one is used"
finish
