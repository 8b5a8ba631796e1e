# SPDX-License-Identifier: MIT
# For what is done to the tool while it works: source this. A directory of
# plugins, and a small machine: a root directory with little more than the C
# library, for what reads every library there is ($small; empty where it cannot be
# had: that needs root and a mount namespace of our own). $t, $dlazy.
# shellcheck shell=bash
if [ -z "${FAULTS_APART-}" ] && unshare -m true 2>/dev/null; then
	FAULTS_APART=yes exec unshare -m "$BASH" "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/../cli/cli.bash"

[ -e "${TEST_BUILD:?run by make}/tests/faults/inject.so" ] ||
	skip_all "no library to preload: sanitizers have their own"
[ "${STUBS-}" != none ] ||
	skip_all "no stubs for this CPU: the host's modules cannot be discarded"
inject=$TEST_BUILD/tests/faults/inject.so
host=$TEST_BUILD/tests/faults/host live=$TEST_BUILD/tests/faults/live
there=/usr/local/bin/dlazy small=
if [ -n "${FAULTS_APART-}" ] && [ "$(id -u)" = 0 ]; then
	small=$t/small
	trap 'umount "$small/proc"; rm -rf --one-file-system "$t"' EXIT
fi
export LD_LIBRARY_PATH=${DLAZY_STAGE_LIBDIR:?} # for the host
ulimit -c 0

prepare()
{
	local i
	mkdir "$t/d" "$t/lib" "$t/keep"
	for i in 1 2 3; do
		build "$t/d/p$i.so" <<<"int answer(void) { return $i; }"
	done
	echo "no ELF" >"$t/d/bad.so"
	build "$t/q.so" <<<"int answer(void) { return 4; }"
	build "$t/probe.so" <<-END
		#include <string.h>
		char *dlazy_probe(void *h) { return strdup("{\"provides\": [{\"id\": \"x/y\"}]}"); }
	END
	mkdir "$t/keep/live" "$t/keep/live/d" &&
		cp "$t/d/p1.so" "$t/d/p2.so" "$t/keep/live/d" &&
		cp "$t/q.so" "$t/keep/live/other.so" || return
	build "$t/keep/live/d/p3.so" -Wl,-z,now \
		<<<"int no(void); int answer(void) { return no(); }"
	build "$t/keep/live/new.so" <<<"int answer(void) { return 9; }"
	echo '{"schema": 1, "provides": [{"id": "x/y", "symbol": "answer"}]}' \
		>"$t/keep/live/d/p2.dlazy.json"
	build "$t/lib/libf1.so" -Wl,-soname,libf1.so <<<"int f1(void) { return 1; }"
	[ -z "$small" ] || prepare_small || return
	sleep 0.1
}

# A machine of few files, as each is read each time: of $dlazy what runs and
# traces, and a program with as many libraries as laziness is worth while for.
prepare_small()
{
	local i file installed=$small/usr/local
	mkdir -p "$small/bin" "$small/lib" "$small/proc" "$small/tmp" \
		"$installed/bin" "$installed/lib/dlazy" &&
		mount -t proc proc "$small/proc" &&
		cp "$inject" "$small" &&
		cp "$dlazy" "$installed/bin" &&
		cp -a "$DLAZY_STAGE_LIBDIR/libdlazy.so"* "$installed/lib" &&
		cp "$DLAZY_STAGE_LIBDIR/dlazy/hook.so" "$installed/lib/dlazy" &&
		strip "$installed/bin/dlazy" "$installed/lib/libdlazy.so" \
			"$installed/lib/dlazy/hook.so" || return
	for i in {1..12}; do
		build "$small/lib/libf$i.so" -Wl,-soname,"libf$i.so" \
			<<<"int f$i(void) { return $i; }"
	done
	# shellcheck disable=SC2086 # CC may hold options
	${CC:-cc} -x c -o "$small/bin/program" - -x none -Wl,--no-as-needed \
		-Wl,-rpath,/lib -L"$small/lib" -lf{1..12} <<-END || return
			#include <stdio.h>
			int f1(void);
			int main(void) { printf("%d\n", f1()); return 0; }
		END
	cp "$(type -P env)" "$small/bin"
	for file in $(ldd "$dlazy" "$small/bin/env" | grep -o ' /[^ ]*\|^\s/[^ ]*' |
		sort -u); do
		mkdir -p "$small${file%/*}" && cp -L "$file" "$small$file"
	done
}

# Nothing is known.
fresh()
{
	rm -rf "$t/cache" "$t"/out.* "$t/live" "${small:-$t}/cache"
}

# What a host and a person are told of the plugins.
answers() { "$host" "$t/d" "$t/q.so" && "$dlazy" list "$t/d"; }

# A run that is right, and how many libraries are lazy in the next one.
lazy()
{
	"${with[@]}" $there run --wait /bin/program || return
	"${with[@]}" $there run --stats --json /bin/program 2>&1 >/dev/null |
		grep -o '"lazy": *[0-9]*'
}

# enter OPERATION: where it is done, and what all of its runs are given. What is
# preloaded is part of what `dlazy run` keeps its entries by, so it always is.
enter()
{
	case $1 in
	run_* | trace)
		top=${small:-none}
		healthy=(chroot "$small" /bin/env LD_LIBRARY_PATH=/usr/local/lib
			LD_PRELOAD=/inject.so DLAZY_CACHE_DIR=/cache)
		;;
	*)
		top=
		healthy=(env LD_PRELOAD="$inject")
		;;
	esac
	# shellcheck disable=SC2034 # it is what sources this that reads it
	hit=${top:-$t}/hit
	with=("${healthy[@]}")
}

