#!/bin/bash
# SPDX-License-Identifier: MIT
# The library's probes (USDT): they are there, and tell who watches. TAP.
set -u
. "$(dirname "$0")/cli.bash"

libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}
command -v readelf >/dev/null || skip_all "readelf (binutils) is missing"
notes=$(readelf -nW "$libdir/libdlazy.so")
[[ $notes = *stapsdt* ]] || skip_all "built without <sys/sdt.h>"
read -ra cc <<<"${CC:-cc}"

manual=$root/doc/man/dlazy-probes.7
probes=$(sed -n 's/^ *Name: //p' <<<"$notes" | sort -u)
check_same "the manual tells of each probe" \
	"$(sed -n 's/^\.It Fn \([a-z_]*\) .*/\1/p' "$manual" | sort)" "$probes"
for probe in $probes; do
	has "$notes" "Name: $probe" "$probe"
done
check_empty "each has a counter, so that it costs nothing unwatched" \
	"$(grep 'Semaphore: 0x0*$' <<<"$notes")"

command -v gdb >/dev/null || { skip "they tell" "gdb is missing"; finish; exit; }
if [[ ${cc[*]} = *-fsanitize* ]]; then
	skip "they tell" "a sanitizer and a debugger do not go together"
	finish
	exit
fi
plugins "$t/p"
cat >"$t/host.c" <<'END'
#include <dlazy/dlazy.h>

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (argc < 2 || dlazy_registry_add_dir(r, argv[1], 0) < 0)
		return 1;
	struct dlazy_module *m = dlazy_registry_find(r, "p2");
	return ((int (*)(int))dlazy_sym(m, "f2"))(1) != 3;
}
END
"${cc[@]}" -o "$t/host" "$t/host.c" -I"$root/include" -L"$libdir" \
	-Wl,-rpath,"$libdir" -ldlazy || exit 99
cat >"$t/commands" <<'END'
set breakpoint pending on
set debuginfod enabled off
break -probe-stap dlazy:first_touch
commands
silent
printf "touch %s %s\n", (char *)$_probe_arg0, (char *)$_probe_arg1
continue
end
break -probe-stap dlazy:module_loaded
commands
silent
printf "loaded %s %s\n", (char *)$_probe_arg1, (char *)$_probe_arg2
continue
end
run
END
run timeout 60 gdb -q -nx -batch -x "$t/commands" --args "$t/host" "$t/p"
if [[ $out$err = *ptrace* ]]; then
	skip "they tell" "nothing may be debugged here"
else
	has "$out" "touch p2 f2" "a first touch is told, with module and symbol"
	has "$out" "loaded $t/p/p2.so f2" "and a load, with its file"
	has "$out" "exited normally" "the program goes on"
fi
finish
