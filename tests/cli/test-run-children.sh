#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run --children: what a program starts is lazy too. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
many

run "$dlazy" run --wait --children -- env
audit=$(sed -n 's/^LD_AUDIT=//p' <<<"$out")
[ -n "$audit" ] || skip_all "$err"

# children WORD ...: with --children, whatever is left of an earlier entry gone
children()
{
	rm -rf "$t"/cache/run/many-*
	run "$dlazy" run --wait --children "$@"
}
lazy()
{
	check "$1" test -n \
		"$(find "$t/cache/run" -path '*/many-*/g-*/stub.so' 2>/dev/null)"
}

for how in "'$many' call=1" "exec '$many' call=1" "true; sh -c '$many call=1'" \
	"env '$many' call=1 | cat"; do
	children -- sh -c "$how"
	check_same "sh -c \"${how//$t/}\": its output" "$out" "library 1"
	lazy "and its laziness"
done
children --stats --json -- "$many" call=1 "system=$many call=2"
check_same "a program and its child" "$out" $'library 1\nlibrary 2'
check_same "and only the program's own record" \
	"$(tail -n 1 "$t/err" | jq .touched)" 1
children -- sh -c "'$many' exit=7"
is_status 7 "a child's exit status is its own"
children -- sh -c "exec '$many' kill=15"
is_status 143 "and so is its end"
children -- sh -c "'$many' argv0 exe '' 'a b'"
check_same "its arguments and its file are" "$out" "$many"$'\n'"$many"$'\n\na b'
ln -s "$many" "$t/alias"
children -- sh -c "'$t/alias' argv0"
check_same "by another name too" "$out" "$t/alias"
environment()
{
	env -i PATH="$PATH" DLAZY_CACHE_DIR="$DLAZY_CACHE_DIR" A=1 "$@" \
		sh -c "B=2 '$many' environ" | grep -v '^\(_\|/\|children\|$\)'
}
check_same "its environment has two variables more" \
	"$(environment "$dlazy" run --wait --children | sed 's/=0*$/=/' | sort)" \
	"$({
		environment env
		echo "LD_AUDIT=$audit"
		echo "DLAZY_RUN_CHILDREN="
		echo "wait"
	} | sort)"
children --eager 'libmany-1.*' --eager 'libmany-2.*' -- sh -c "'$many' call=1"
check_same "options hold for children" \
	"$(cat "$t"/cache/run/many-*/current | tr '\0' '\n' |
		grep -ac '^eager libmany-[12]\.\*$')" 2
children -- sh -c "chmod 777 '$t/cache/run'; '$many' call=4"
check_same "a child that cannot be lazy says nothing of it" "$out$err" \
	"library 4"
chmod 700 "$t/cache/run"
echo 'int main(void) { return 3; }' >"$t/three.c"
if ${CC:-cc} -static -o "$t/static" "$t/three.c" 2>/dev/null; then
	children -- sh -c "'$t/static'"
	is_status 3 "a static child runs"
else
	skip "a static child runs" "nothing can be linked statically"
fi
if command -v python3 >/dev/null; then
	children -- python3 -c 'if True:
		import os
		fd = os.memfd_create("nameless", 0)
		os.write(fd, open("/bin/sh", "rb").read())
		os.execve(fd, ["sh", "-c", "exit 4"], dict(os.environ))'
	is_status 4 "a child whose file has no name runs"
else
	skip "a child whose file has no name runs" "python3 is not there"
fi
run env LD_AUDIT="$audit" "DLAZY_RUN_CHILDREN=0"$'\n/nonexistent\n' \
	"$many" call=4
check_same "if dlazy is gone they run as ever" "$out" "library 4"
run env LD_AUDIT="$audit" DLAZY_RUN_CHILDREN=x "$many" call=4
check_same "or the variable is damaged" "$out" "library 4"
run env LD_AUDIT=/nonexistent.so "$dlazy" run --wait --children -- "$many" call=5
has "$err" "children run without laziness" "an auditor of the user's is said"
check_same "and stays" "$out" "library 5"

# Thread-local data that has a place from the start: more than is kept free.
for i in 1 2 3 4; do
	build "$t/lib/libtls-$i.so" "-Wl,-soname,libtls-$i.so" <<-END
		static __thread char big[900]
			__attribute__((tls_model("initial-exec")));
		int tls_$i(int i) { return big[i & 511]++ == 0; }
	END
done
${PLAIN_CC:-cc} -w -x c - -x none -o "$t/tls" -Wl,--no-as-needed \
	"$t"/lib/libtls-?.so "$t"/lib/libmany-*.so.1 "-Wl,-rpath,$t/lib" <<-'END'
	#include <stdio.h>
	#include <stdlib.h>
	int tls_1(int), tls_2(int), tls_3(int), tls_4(int);
	extern char **environ;
	int main(void)
	{
		char *t = getenv("GLIBC_TUNABLES");
		int n = 0;
		for (char **e = environ; *e; e++)
			n++;
		printf("%d %s %d\n", tls_1(1) + tls_2(2) + tls_3(3) + tls_4(4),
		       t ? t : "unset", n);
		return 0;
	}
END
environ=$(env "$t/tls")
children "$t/tls"
check_same "who has much thread-local data starts" "$status ${out% *}" \
	"0 ${environ% *}"
check_same "with two variables more" "${out##* }" "$((${environ##* } + 2))"
children sh -c "'$t/tls'"
check_same "so it does as a child" "$status ${out% *}" "0 ${environ% *}"
for value in "" glibc.malloc.arena_max=1; do
	GLIBC_TUNABLES=$value children sh -c "'$t/tls'"
	check_same "its GLIBC_TUNABLES (\"$value\") is the user's" "${out% *}" \
		"4 $value"
done
cat "$t"/cache/run/tls-*/current | tr '\0' '\n' | grep -q 'g-......' ||
	fail "it is lazy" ""
run "$dlazy" trace -o "$t/trace.json" -- "$t/tls"
check_same "a tracer makes room for it, too, and takes it back" "$out" "$environ"

# Who is traced is none of ours to execute again.
if command -v gdb >/dev/null; then
	echo 'int work(void) { return 5; } int main(void) { return work(); }' |
		${PLAIN_CC:-cc} -x c -g -O0 -o "$t/debuggee" -
	run "$dlazy" run --wait --children -- gdb -q -batch -nx -ex "break work" \
		-ex run -ex bt "$t/debuggee"
	has "$out" "#0  work" "a debugger's program stops where it is to"
else
	skip "a debugger's program stops where it is to" "gdb is missing"
fi
run "$dlazy" --child
is_status 2 "the way in is nobody else's"
mkdir "$t/bin"
run "$dlazy" run --install --wait --children "$many" --dir "$t/bin"
check "a launcher remembers" grep -q '^children$' "$t/bin/many"
hasnt "$(<"$t/bin/many")" wait "but whether to wait"
rm -rf "$t"/cache/run/many-*
run "$t/bin/many" "system=$many call=6"
check_same "and does" "$out" "library 6"
finish
