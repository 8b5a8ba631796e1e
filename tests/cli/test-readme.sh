#!/bin/bash
# SPDX-License-Identifier: MIT
# The README's host is compiled as it stands there and run; so is each of its
# commands whose files this machine has.
. "$(dirname "$0")/cli.bash"

readme=$root/README.md
ours=${PLUGINS:-$root/build/plugins}/audio
export LD_LIBRARY_PATH=${DLAZY_STAGE_LIBDIR-}

# shellcheck disable=SC2016 # backquotes as such
sed -n '/^```c$/,/^```$/p' "$readme" | sed '/^```/d' >"$t/host.c"
if [ ! -e /usr/lib/ladspa/amp.so ]; then # the same, on plugins of ours
	sed -i "s|/usr/lib/ladspa|$ours|; s|\"amp\"|\"gain-60\"|" "$t/host.c"
fi
lines=$(grep -c . "$t/host.c")
if [ "$lines" -le 14 ]; then
	pass "the example is short"
else
	fail "the example is short" "$lines lines"
fi

if pkg-config --exists dlazy; then
	# shellcheck disable=SC2046,SC2086 # flags are words
	run ${CC:-cc} -Wall -Wextra -Werror "$t/host.c" -o "$t/host" \
		$(pkg-config --cflags --libs dlazy)
	is_status 0 "the example compiles without a warning"
	run "$t/host"
	is_status 0 "the example runs"
	has "$out" "nothing else" "its first call loads the plugin"
else
	skip "the example compiles without a warning" "no dlazy.pc in the stage"
fi

PATH=$(dirname "$dlazy"):$PATH
export HOME=$t # what is installed goes there
cd "$t" || exit 99
while read -r line; do
	command=${line%% #*}
	dir=$(grep -o '/usr/lib/[^ ]*' <<<"$command")
	if [ -n "$dir" ] && [ ! -d "$dir" ]; then
		skip "README: $command" "no $dir here"
		continue
	fi
	case $command in
	*" run "*) [[ ${CC:-} != *-fsanitize* ]] || {
		skip "README: $command" "ffmpeg is not built with a sanitizer"
		continue
	} ;;&
	*libavcodec*) command=${command/libavcodec.so.59/libm.so.6} ;;
	*bench*) command="$command --runs 5" ;;
	*ffmpeg*) command -v ffmpeg >/dev/null || command=${command/ffmpeg/ls} ;;
	*libpng16*) [ -e "$(ldconfig -p | sed -n 's/.*libpng16.so.16 .*=> //p' |
		head -1)" ] || command=${command/libpng16.so.16/libm.so.6} ;;
	esac
	run bash -c "$command"
	is_status 0 "README: $command"
done < <(grep -o '^    dlazy .*' "$readme")

finish
