#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run: what it is given to run. Commands in PATH, scripts, and programs
# that cannot be lazy: those run plainly, and --stats says why. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
many

# plain PATTERN SENTENCE: the last run was, for such a reason
plain()
{
	stats ".lazy == 0 and (.plain | test(\"$1\"))" "$2"
}
stats_of()
{
	run "$dlazy" run --wait --stats --json -- "$@"
}

# Finding.
mkdir "$t/bin" "$t/bin2" "$t/bin3"
ln -s "$many" "$t/bin/manycmd"
export PATH=$t/bin3:$t/bin2:$t/bin:$PATH
stats_of manycmd argv0 call=1
check_same "a command is found in PATH" "$out" $'manycmd\nlibrary 1'
stats '.lazy == 16' "and is lazy"
echo "no program" >"$t/bin2/manycmd"
mkdir "$t/bin3/manycmd"
stats_of manycmd call=1
check_same "past what cannot be executed" "$status:$out" "0:library 1"
run "$dlazy" run --wait -- no-such-command
is_status 127 "what is not in PATH is not found"
has "$err" "no-such-command: command not found" "and is named"
run "$dlazy" run --wait -- ./no-such-file
is_status 127 "nor is a file that is not there"
run "$dlazy" run --wait -- ""
is_status 127 "nor nothing"
run "$dlazy" run --wait -- "$t/bin2/manycmd"
is_status 126 "a file that is no program is not executed"
run "$dlazy" run --wait -- "$t"
is_status 126 "nor is a directory"
rm "$t/bin/manycmd"
rmdir "$t/bin3/manycmd"
run "$dlazy" run --wait -- manycmd
is_status 126 "what is in PATH and cannot be executed is told from what is not"
ln -s "$many" "$t/bin/manycmd"
cd "$t/bin" || exit 99
stats_of ./manycmd exe
check_same "a relative path is one" "$out" "$many"
cd "$t" || exit 99
PATH='' run "$dlazy" run --wait -- many call=2
check_same "an empty PATH is the current directory" "$out" "library 2"

# An environment that the dynamic linker reads in another way than getenv().
cat >"$t/twice.c" <<-'END'
	#include <unistd.h>
	extern char **environ;
	int main(int argc, char **argv)
	{
		char *all[1000] = {"LD_LIBRARY_PATH=/a", "LD_LIBRARY_PATH=/b"};
		for (int i = 0; environ[i] && i < 900; i++)
			all[i + 2] = environ[i];
		return execve(argv[argc > 1], argv + 1, all);
	}
END
# shellcheck disable=SC2086 # CC may hold options
${CC:-cc} -w -o "$t/twice" "$t/twice.c"
run "$t/twice" "$dlazy" run --wait --stats --json -- "$many" call=3 \
	"system=printenv LD_LIBRARY_PATH"
check_same "with LD_LIBRARY_PATH set twice nothing of ours is left" \
	"$(sort -u <<<"$out")" "$("$t/twice" "$many" call=3 \
		"system=printenv LD_LIBRARY_PATH" | sort -u)"
plain "twice" "and it runs plainly"

# Scripts.
script()
{
	cat >"$t/script"
	chmod 755 "$t/script"
	stats_of "$t/script" "$@"
}
script call=4 <<<"#!$many call=3"
check_same "a script is run by its interpreter" "$out" \
	"library 3"$'\n'"$t/script"$'\n'"library 4"
stats '.lazy == 16 and .touched == 2' "which is lazy"
printf '#! \t%s  argv0 two  \t' "$many" >"$t/script"
stats_of "$t/script"
check_same "its line is read as the kernel does" "$out" "$("$t/script")"
stats '.lazy == 16' "and its interpreter found"
for way in "manycmd" "-S manycmd call=5" "-S A=1 B=2 manycmd call=5"; do
	script call=4 <<<"#!/usr/bin/env $way"
	check_same "env $way: is run" "$out" "$("$t/script" call=4)"
	stats '.lazy == 16 and .touched > 0' "and lazy"
done
for way in "-S -i $many" "-S PATH=$t/bin3:$t/bin manycmd" "-S 'manycmd'"; do
	script call=4 <<<"#!/usr/bin/env $way"
	check_same "env $way: is run" "$out" "$("$t/script" call=4)"
	plain "can be lazy|nothing to gain" "and left alone"
done
script call=4 <<<"#!/usr/bin/env --nonsense"
check_same "what env refuses it refuses" "$status" 125
cp "$t/script" "$t/script0"
echo "#!$many" >"$t/script0"
chmod 755 "$t/script0"
for i in 1 2 3 4 5 6; do
	echo "#!$t/script$((i - 1))" >"$t/script$i"
	chmod 755 "$t/script$i"
	"$t/script$i" >"$t/wanted" 2>/dev/null
	wanted=$?
	stats_of "$t/script$i"
	check_same "a chain of $i scripts ends as the kernel has it" \
		"$status:$(<"$t/script$i")" "$wanted:#!$t/script$((i - 1))"
	check_same "with the same words" "$out" \
		"$(<"$t/wanted")"
done
echo 'echo "$0 $1"' >"$t/noline"
chmod 755 "$t/noline"
stats_of "$t/noline" word
check_same "a script without a line is the shell's" "$out" "$t/noline word"
plain "not an ELF file|ELF" "and run plainly"
: >"$t/empty"
chmod 755 "$t/empty"
run "$dlazy" run --wait -- "$t/empty"
check_same "so is an empty one" "$status:$out" "0:"
script <<<"#!/nonexistent/interpreter"
check_same "a missing interpreter is not found" "$status" 127

# Programs that cannot be.
cp "$many" "$t/setuid"
chmod u+s "$t/setuid"
stats_of "$t/setuid" call=1
check_same "a setuid program runs" "$out" "library 1"
plain setuid "plainly"
chmod u-s,g+s "$t/setuid"
stats_of "$t/setuid" call=1
plain setgid "so does a setgid one"
chmod g-s "$t/setuid"
stats_of "$t/setuid" call=1
stats '.lazy == 16' "neither is lazy"
if command -v setcap >/dev/null && setcap cap_chown+ep "$t/setuid" 2>/dev/null
then
	stats_of "$t/setuid" call=1
	plain capabilities "one with file capabilities does"
else
	skip "one with file capabilities does" "no capability can be set here"
fi
# Who confines himself could not open a library afterwards.
confine="chroot setns unshare seccomp_init seccomp_load"
# shellcheck disable=SC2086 # CC may hold options; words
printf 'int %s(void) { return 0; }\n' $confine |
	${CC:-cc} -w -shared -fPIC -o "$t/lib/libconfine.so" -x c -
for name in $confine; do
	# shellcheck disable=SC2046,SC2086 # CC may hold options
	if echo "int $name(); int main(int n, char **v)
	{ return n > 9 ? $name() : 0; }" |
		${CC:-cc} -std=gnu89 -w -o "$t/confined" -x c - \
			-Wl,--no-as-needed,-rpath,"$t/lib" -L"$t/lib" \
			-lconfine \
			$(printf -- '-l:libmany-%s.so.1 ' {1..16})
	then
		stats_of "$t/confined"
		plain "calls $name" "a program that imports $name is left alone"
	else
		fail "a program that imports $name is left alone" "does not build"
	fi
done
# Why none of its libraries can be lazy.
# shellcheck disable=SC2086 # CC may hold options
if echo 'int main(void) { return 0; }' | ${CC:-cc} -o "$t/rpath" -x c - \
	-Wl,--no-as-needed,--disable-new-dtags,-rpath,"$t/lib" -L"$t/lib" \
	-l:libmany-1.so.1 -l:libmany-2.so.1 &&
	LC_ALL=C readelf -d "$t/rpath" 2>/dev/null | grep -q '(RPATH)'
then
	run "$dlazy" run --wait --stats -- "$t/rpath"
	has "$err" "libmany-1.so.1 and 1 more: it is found by a DT_RPATH" \
		"why none can be lazy is told, by an example"
else
	skip "why none can be lazy is told, by an example" \
		"this linker makes no DT_RPATH"
fi
loader=$(LC_ALL=C readelf -l "$many" 2>/dev/null |
	sed -n 's/.*interpreter: \(.*\)\]/\1/p')
if [ -x "$loader" ]; then
	stats_of "$loader" "$many" call=1
	check_same "the dynamic linker runs its program" "$out" "library 1"
	plain "name the program itself" "plainly"
else
	skip "the dynamic linker runs its program" "readelf names none"
fi
echo 'int main(void) { return 7; }' >"$t/seven.c"
if ${CC:-cc} -static -o "$t/static" "$t/seven.c" 2>/dev/null; then
	stats_of "$t/static"
	is_status 7 "a static program runs"
	plain "statically linked" "plainly"
else
	skip "a static program runs" "nothing can be linked statically"
fi
if ${CC:-cc} -static-pie -o "$t/static" "$t/seven.c" 2>/dev/null; then
	stats_of "$t/static"
	is_status 7 "a static PIE runs"
	plain "statically linked" "plainly"
else
	skip "a static PIE runs" "none can be linked"
fi
cp "$many" "$t/foreign"
machine "$t/foreign" 243
"$t/foreign" >/dev/null 2>&1
wanted=$?
stats_of "$t/foreign"
check_same "a program for another machine ends as it does without" \
	"$status" "$wanted"
plain "RISC-V" "and which machine is said"
if command -v musl-gcc >/dev/null; then
	musl-gcc -o "$t/musl" "$t/seven.c"
	stats_of "$t/musl"
	is_status 7 "a program of another libc runs"
	plain "ld-musl" "plainly"
else
	skip "a program of another libc runs" "musl-gcc is missing"
fi
if command -v patchelf >/dev/null; then
	cp "$many" "$t/own-linker"
	cp "$(patchelf --print-interpreter "$many")" "$t/ld.so"
	patchelf --set-interpreter "$t/ld.so" "$t/own-linker"
	stats_of "$t/own-linker" call=1
	check_same "a program with a dynamic linker of its own runs" "$out" \
		"library 1"
	plain "dynamic linker" "plainly"
else
	skip "a program with a dynamic linker of its own runs" \
		"patchelf is missing"
fi
stats_of "$t/static"
rm "$t/static"
run "$dlazy" run --wait -- "$t/static"
is_status 127 "a program that vanished is not found"
cp "$many" "$t/unreadable"
chmod 111 "$t/unreadable"
run "$dlazy" run --wait -- "$t/unreadable" call=1
check_same "a program that cannot be read runs" "$out" "library 1"
stats_of /bin/true
plain "of its" "a program of few libraries is left alone"
run "$dlazy" run --wait --stats /bin/true
has "$err" "run plainly" "and so says the text"
# Libraries that are called as a generation's own files are.
for name in record stub.so; do
	build "$t/lib/$name" "-Wl,-soname,$name" <<<'int own(void) { return 1; }'
	many_program "$t/own" "$t/lib/$name"
	stats_of "$t/own" call=7
	check_same "with a library called $name it runs" "$status:$out" \
		"0:library 7"
	plain "a $name of its own" "plainly"
done

# Through a process that is started on a generation and starts dlazy instead.
echo "#!/usr/bin/env manycmd" >"$t/script"
chmod 755 "$t/script"
printf '#!/bin/sh\nexec "%s" run -- "%s" "$@"\n' "$dlazy" "$many" \
	>"$t/bin2/manycmd"
chmod 755 "$t/bin2/manycmd"
run "$dlazy" run --wait -- "$t/script" environ
hasnt "$out" "$t/cache/run" "no directory of ours is left in the environment"
finish
