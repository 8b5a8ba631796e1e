#!/bin/bash
# SPDX-License-Identifier: MIT
# The library's probes (USDT): they are there, and tell who watches: gdb, and
# bpftrace where the kernel has it. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}
command -v readelf >/dev/null || skip_all "readelf (binutils) is missing"
notes=$(readelf -nW "$libdir/libdlazy.so")
[[ $notes = *stapsdt* ]] || skip_all "built without <sys/sdt.h>"
read -ra cc <<<"${CC:-cc}"

# compiled ARGUMENT ...: how many probes the file has, compiled so
compiled()
{
	"${cc[@]}" -std=gnu11 -O2 -D_GNU_SOURCE -I"$root/src" \
		-I"$root/include" -c -o "$t/probe.o" "$@" \
		"$root/src/ledger/usdt.c" || return
	readelf -nW "$t/probe.o" | grep -c '^ *Name:'
}
check_same "a build without sys/sdt.h has none" "$(compiled)" 0
check_same "one with it has six" "$(compiled -DENABLE_PROBES)" 6

manual=$root/doc/man/dlazy-probes.7
probes=$(sed -n 's/^ *Name: //p' <<<"$notes" | sort -u)
check_same "the manual tells of each probe" \
	"$(sed -n 's/^\.It Fn \([a-z_]*\) .*/\1/p' "$manual" | sort)" "$probes"
# "probe arguments"
counts=$(awk '/^ *Name:/ { name = $2 }
	/^ *Arguments:/ { print name, NF - 1 }' <<<"$notes" | sort -u)
check_same "and of each argument" "$(sed -n '
	s/^\.It Fn \([a-z_]*\) \(.*\)/\1 \2/p' "$manual" |
	awk '{ print $1, NF - 1 }' | sort)" "$counts"
check_same "those that doc and users know are there" \
	"$(tr '\n' ' ' <<<"$probes")" \
	"bind failed first__touch module__loaded module__loading module__unloaded "
check_empty "each has a counter, so that it costs nothing unwatched" \
	"$(grep 'Semaphore: 0x0*$' <<<"$notes")"

plugins "$t/p"
build "$t/bad.so" -Wl,-z,undefs <<<'int nowhere(void); int g(void) { return nowhere(); }'
cat >"$t/host.c" <<'END'
#include <dlazy/dlazy.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (argc < 3 || dlazy_registry_add_dir(r, argv[1], 0) < 0)
		return 1;
	struct dlazy_module *m = dlazy_registry_find(r, "p2");
	struct dlazy_module *bad = dlazy_open(argv[2], 0);
	void *f2 = dlazy_sym(m, "f2");

	if (((int (*)(int))f2)(1) != 3 || dlazy_load(bad) != -DLAZY_ELOAD)
		return 1;
	printf("bound %p\n", dlazy_resolve(m, "f2"));
	return 0;
}
END
"${cc[@]}" -o "$t/host" "$t/host.c" -I"$root/include" -L"$libdir" \
	-Wl,-rpath,"$libdir" -ldlazy || exit 99

# Where a debugger may debug.
told_to_gdb()
{
	cat >"$t/commands" <<'END'
set breakpoint pending on
set debuginfod enabled off
set width 0
break -probe-stap dlazy:first__touch
commands
silent
printf "touch %s %s %s\n", (char *)$_probe_arg0, (char *)$_probe_arg1, (char *)$_probe_arg2
info symbol $_probe_arg3
continue
end
break -probe-stap dlazy:module__loaded
commands
silent
printf "loaded %s %s %d\n", (char *)$_probe_arg1, (char *)$_probe_arg2, $_probe_arg4 > 1000 && $_probe_arg4 < 60000000000
continue
end
break -probe-stap dlazy:bind
commands
silent
printf "bind %s %p\n", (char *)$_probe_arg2, $_probe_arg4
continue
end
break -probe-stap dlazy:failed
commands
silent
printf "failed %s %s %d\n", (char *)$_probe_arg0, (char *)$_probe_arg1, $_probe_arg5
continue
end
run
END
	run timeout 60 gdb -q -nx -batch -x "$t/commands" --args "$t/host" \
		"$t/p" "$t/bad.so"
	if [[ $out$err = *ptrace* ]]; then
		skip "gdb is told" "nothing may be debugged here"
		return
	fi
	has "$out" "touch p2 $t/p/p2.so f2"$'\n'"main + " \
		"gdb is told of a first touch, with module, symbol and caller"
	has "$out" "loaded $t/p/p2.so f2 1" "of a load, with file and time"
	has "$out" "$(sed -n 's/^bound/bind f2/p' <<<"$out")" \
		"of what is bound, with its address"
	check "which is the one that the host has" \
		grep -q '^bind f2 0x' <<<"$out"
	has "$out" "failed bad $t/bad.so -8" "of a failure, with its status"
	has "$out" "exited normally" "and the program goes on"
}
if ! command -v gdb >/dev/null; then
	skip "gdb is told" "gdb is missing"
elif [[ ${cc[*]} = *-fsanitize* ]]; then
	skip "gdb is told" "a sanitizer and a debugger do not go together"
else
	told_to_gdb
fi

# The manual's own line, with our library, and another that says when it is
# there.
told_to_bpftrace()
{
	local watcher line
	line=$(sed -n "/^# bpftrace -e '/,/'\$/p" "$manual" |
		sed "s/^# bpftrace -e '//; s/'\$//; s/\\\\e/\\\\/g")
	line=${line//\/usr\/local\/lib\/libdlazy.so/$(realpath "$libdir/libdlazy.so")}
	timeout 30 bpftrace -e "BEGIN { printf(\"watching\\n\"); } $line" \
		>"$t/told" 2>&1 &
	watcher=$!
	for ((i = 0; i < 100; i++)); do
		grep -q watching "$t/told" && break
		kill -0 $watcher 2>/dev/null || break
		sleep 0.1
	done
	"$t/host" "$t/p" "$t/bad.so" >/dev/null
	for ((i = 0; i < 30; i++)); do
		grep -q p2.so "$t/told" && break
		sleep 0.1
	done
	kill -INT $watcher 2>/dev/null
	wait $watcher
	if ! grep -q watching "$t/told"; then
		skip "bpftrace is told" "it cannot watch here"
		return
	fi
	check "bpftrace is told, by the manual's own line" \
		grep -Eq "^host: $t/p/p2.so for f2, [0-9]+ us" "$t/told"
}
if ! command -v bpftrace >/dev/null; then
	skip "bpftrace is told" "bpftrace is missing"
elif [ "$(id -u)" != 0 ]; then
	skip "bpftrace is told" "not root"
else
	told_to_bpftrace
fi
finish
