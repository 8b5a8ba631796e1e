#!/bin/bash
# SPDX-License-Identifier: MIT
# What a first call asks of the kernel besides dlopen's own. TAP.
set -u
. "$(dirname "$0")/cli.bash"

[ "${STUBS:-yes}" = yes ] || skip_all "this CPU has no stubs"
command -v strace >/dev/null || skip_all "strace is missing"
[[ ${CC-} != *-fsanitize* ]] || skip_all "LeakSanitizer cannot be traced"
strace -o "$t/trace" true 2>/dev/null || skip_all "strace may not trace here"
libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}

# With a sidecar, and without.
mkdir "$t/p"
for name in p1 p2 p3 s1 s2 s3; do
	build "$t/p/$name.so" <<<'int g(int x) { return x; }'
done
tee "$t/p/s1.dlazy.json" "$t/p/s2.dlazy.json" >/dev/null <<<'{"title": "one"}'

# host DIR LETTER: the second first call, and dlopen by hand, between marks
${CC:-cc} -o "$t/host" -x c - -I"$root/include" -L"$libdir" \
	-Wl,-rpath,"$libdir" -ldlazy <<-'END' || exit 99
	#include <dlazy/dlazy.h>
	#include <dlfcn.h>
	#include <stdio.h>
	#include <unistd.h>

	typedef int function(int);

	static function *stub(struct dlazy_registry *r, const char *dir, int i)
	{
		char name[16];

		snprintf(name, sizeof(name), "%s%d", dir, i);
		return (function *)dlazy_sym(dlazy_registry_find(r, name), "g");
	}

	int main(int argc, char **argv)
	{
		struct dlazy_registry *r = dlazy_registry_new();
		char path[4096];

		if (argc < 3 || dlazy_registry_add_dir(r, argv[1], 0) < 0)
			return 1;
		function *warm = stub(r, argv[2], 1), *f = stub(r, argv[2], 2);
		snprintf(path, sizeof(path), "%s/%s3.so", argv[1], argv[2]);
		if (!warm || !f || warm(1) == 0)
			return 2;
		(void)!write(-1, "stub", 4);
		f(1);
		(void)!write(-1, "hand", 4);
		void *handle = dlopen(path, RTLD_LAZY);
		((function *)dlsym(handle, "g"))(1);
		(void)!write(-1, "end", 3);
		return 0;
	}
END

# between MARK MARK: system calls
between()
{
	awk -v from="write(-1, \"$1\"" -v to="write(-1, \"$2\"" '
		index($0, to) { on = 0 } on { n++ } index($0, from) { on = 1 }
		END { print n + 0 }' "$t/trace"
}

run "$dlazy" scan "$t/p"
is_status 0 "the plugins are scanned"
for which in p s; do
	run strace -o "$t/trace" "$t/host" "$t/p" "$which"
	is_status 0 "the host calls $which"
	more=$(($(between stub hand) - $(between hand end)))
	if [ "$more" -le 8 ] && [ "$(between hand end)" -gt 4 ]; then
		pass "a first call of $which makes few system calls ($more) more"
	else
		fail "a first call of $which makes few system calls more" \
			"$more more"$'\n'"$(<"$t/trace")"
	fi
done
finish
