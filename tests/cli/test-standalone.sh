#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy stub --standalone: programs that need libc alone, with glibc and musl, on
# x86-64 and AArch64; what of a first call's promises they keep, and what they do
# where the process has libdlazy. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"
machine=$(uname -m)
[ "$machine" = x86_64 ] || [ "$machine" = aarch64 ] ||
	skip_all "no stub files for this CPU"
read -ra cc <<<"${PLAIN_CC:-cc}"
[[ ${CC:-} != *-fsanitize* ]] || skip_all "a sanitizer is no libc"
libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}
include=(-I"$root/include")
unset LD_LIBRARY_PATH

cat >"$t/foo.c" <<'END'
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>
int foo_datum = 3;
int foo_made;
__attribute__((constructor)) static void make(void)
{
	volatile char room[6000];	/* more than a small thread has left */
	room[foo_made++] = 1;
	close(-1);			/* where a thread may be cancelled */
	errno = 5;
}
int foo_add(int a, int b) { return a + b; }
double foo_sum(int n, ...)
{
	va_list list;
	double sum = foo_made * 100;
	va_start(list, n);
	while (n-- > 0)
		sum += va_arg(list, double);
	va_end(list);
	return sum;
}
int foo_each(int (*f)(int), int n) { return n ? f(n) + foo_each(f, n - 1) : 0; }
int foo_errno(void) { return errno; }
END
sed 's/foo_/bar_/g' "$t/foo.c" >"$t/bar.c"

cat >"$t/main.c" <<'END'
#include <dlazy/stub.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
DLAZY_STUB(libfoo);
DLAZY_STUB(libbar);
int foo_add(int, int), foo_each(int (*)(int), int), foo_errno(void);
double foo_sum(int, ...);
int bar_add(int, int);
static int twice(int n) { return foo_add(n, n); }
static int minus(int a, int b) { return a - b; }
static int told;
static void *hook(const struct dlazy_failure *f, void *data)
{
	told++;
	return f->message && strcmp(f->symbol, "bar_add") == 0 ? data : NULL;
}
static int loaded(struct dlazy_module *m, void *data)
{
	(void)m;
	*(int *)data += foo_add(1, 1);
	return 0;
}
static void *small(void *data)
{
	char frame[8192];
	memset(frame, *(int *)data, sizeof(frame));
	*(int *)data = bar_add(7, frame[100] ? 2 : 1);
	return NULL;
}
static volatile sig_atomic_t handled;
static void handler(int signal) { (void)signal; handled = foo_add(1, 2); }
int main(void)
{
	int calls = 0, number = 1;
	pthread_attr_t attr;
	pthread_t thread;

	errno = 77;
	printf("on_load %d ", libfoo_on_load(loaded, &calls));
	printf("hook %d ", libbar_on_failure(hook, (void *)minus));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	if (pthread_create(&thread, &attr, small, &number))
		return 1;
	pthread_join(thread, NULL);
	printf("bar %d told %d ", number, told);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	errno = 77;
	printf("sum %.1f ", foo_sum(9, 1., 2., 3., 4., 5., 6., 7., 8., 9.5));
	errno = 78;
	printf("errno %d ", foo_errno());
	printf("each %d handled %d loaded %d ", foo_each(twice, 3), handled,
	       calls);
	printf("has %d%d%d%d ", libfoo_has("foo_add"), libfoo_has("foo_later"),
	       libfoo_has("printf"), libbar_has("bar_add"));
	printf("there %d%d %d%d\n", libfoo_available(), libbar_available(),
	       libfoo_load_now(), libbar_load_now());
	fprintf(stderr, "%s|%s\n", libbar_error(),
		libfoo_error() ? libfoo_error() : "none");
	return 0;
}
END
wanted="on_load 0 hook 0 bar 5 told 1 sum 145.5 errno 78 each 12 handled 3 \
loaded 2 has 1000 there 10 0-3"

# try WHAT DIRECTORY RUN COMPILER...: the whole story, with what was compiled so
try()
{
	local what=$1 dir=$2 runner=$3
	shift 3
	mkdir -p "$dir"
	check "$what: the library is built" "$@" -fPIC -shared -o \
		"$dir/libfoo.so.1" -Wl,-soname,libfoo.so.1 "$t/foo.c"
	check "$what: the program links" "$@" -O1 -pthread "${include[@]}" \
		-o "$dir/main" "$t/main.c" "$t/foo.a" "$t/bar.a" \
		"-Wl,-rpath,$dir"
	# shellcheck disable=SC2086 # words
	run $runner "$dir/main"
	check_same "$what: it does what libdlazy would" "$out" "$wanted"
	has "$err" "bar stories is not available: install libbar1: " \
		"$what: and has the words"
	check_empty "$what: it needs libc alone" "$(readelf -dW "$dir/main" |
		grep NEEDED | grep -v 'libc\.\|libpthread\|ld-linux')"
}

# Archives of two libraries, one of them missing, in one program.
make_stubs()
{
	mkdir -p "$t/native"
	for name in foo bar; do
		"${cc[@]}" -fPIC -shared -o "$t/native/lib$name.so.1" \
			-Wl,-soname,lib$name.so.1 "$t/$name.c"
		run "$dlazy" stub --standalone "$t/native/lib$name.so.1" \
			-o "$t/$name.a" --feature="$name stories" \
			--package=lib${name}1 "$@"
	done
	rm "$t/native/libbar.so.1"
}

make_stubs
is_status 0 "standalone archives are made"
cp "$t/foo.a" "$t/first.a"
make_stubs
check "equal input, equal bytes" cmp "$t/first.a" "$t/foo.a"
check "which say their license" grep -aq MIT-0 "$t/foo.a"
run "$dlazy" stub --standalone "$t/native/libfoo.so.1" -o "$t/foo.o"
is_status 2 "an object cannot be standalone"
try "plainly" "$t/native" "" "${cc[@]}"
try "optimised at link time" "$t/native" "" "${cc[@]}" -flto
try "static-pie not, but no-pie" "$t/native" "" "${cc[@]}" -no-pie
run "$dlazy" info "$t/native/main" --json
json '[.dlopen_notes[][].soname[]] == ["libfoo.so.1", "libbar.so.1"]' \
	"the program has both notes"
run env LD_BIND_NOW=1 "$t/native/main"
check_same "bound at its start, too" "$out" "$wanted"
if command -v musl-gcc >/dev/null; then
	try "musl" "$t/musl" "" musl-gcc
else
	skip "musl: it does what libdlazy would" "musl-gcc is missing"
fi

# What a program takes: at most 12 KiB, and 64 bytes and its name for each
# function. (Not libm's data, which do not link.)
run "$dlazy" stub --standalone libm.so.6 -o "$t/m.a" --only='[a-e]*'
cat >"$t/none.c" <<'END'
int main(void) { return 0; }
END
"${cc[@]}" -o "$t/none" "$t/none.c"
total() { size "$1" | awk 'NR == 2 { print $4 }'; }
if [ "$status" = 0 ] && "${cc[@]}" -o "$t/all" "$t/none.c" \
	-Wl,--whole-archive "$t/m.a" -Wl,--no-whole-archive; then
	room=$(nm "$t/all" | awk '$2 == "W" { n += 64 + length($3) + 1 }
		END { print 12288 + n }')
	check "$(grep -o '[0-9]* functions' <<<"$out") take no more than $room" \
		[ $(($(total "$t/all") - $(total "$t/none"))) -le "$room" ]
else
	skip "functions take no more than they may" "there is no libm.so.6"
fi

# Several threads at once, and a constructor that comes back to its library.
cat >"$t/threads.c" <<'END'
#include <pthread.h>
#include <stdio.h>
int foo_add(int, int);
static void *call(void *data)
{
	volatile char frame[8192];
	frame[0] = (char)*(int *)data;
	return (void *)(long)foo_add(frame[0], 1);
}
int main(void)
{
	pthread_t threads[16];
	pthread_attr_t attr;
	int one = 1;
	long sum = 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (int i = 0; i < 16; i++)
		if (pthread_create(&threads[i], &attr, call, &one))
			return 1;
	for (int i = 0; i < 16; i++) {
		void *result;
		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	return sum != 32;
}
END
"${cc[@]}" -pthread -o "$t/threads" "$t/threads.c" "$t/foo.a" \
	"-Wl,-rpath,$t/native"
check "sixteen threads of 16 KiB make the first call" "$t/threads"

# Cancellation: a first call is no cancellation point.
cat >"$t/cancel.c" <<'END'
#include <pthread.h>
#include <unistd.h>
int foo_add(int, int);
static int reached;
static void *call(void *data)
{
	(void)data;
	pthread_cancel(pthread_self());
	reached = foo_add(1, 2);
	pthread_testcancel();
	reached = 0;
	return NULL;
}
int main(void)
{
	pthread_t thread;
	void *result;
	alarm(10); /* who was cancelled in dlopen() holds its lock for ever */
	if (pthread_create(&thread, NULL, call, NULL))
		return 1;
	pthread_join(thread, &result);
	return reached != 3 || result != PTHREAD_CANCELED;
}
END
"${cc[@]}" -pthread -o "$t/cancel" "$t/cancel.c" "$t/foo.a" \
	"-Wl,-rpath,$t/native"
check "a first call is no cancellation point" "$t/cancel"

# Missing, without a hook.
cat >"$t/bare.c" <<'END'
int bar_add(int, int);
int main(void) { return bar_add(1, 2); }
END
"${cc[@]}" -o "$t/bare" "$t/bare.c" "$t/bar.a"
run "$t/bare"
check_same "without a hook the program ends by abort" "$status" 134
has "$err" "bar_add() of \"libbar.so.1\" cannot be called" "which names both"
has "$err" "install libbar1" "and the package"

# A program that runs for another user looks in the system's directories alone.
mkdir "$t/path"
cp "$t/native/libfoo.so.1" "$t/path"
run "$dlazy" stub --standalone "$t/native/libfoo.so.1" -o "$t/near.a" \
	--soname=./path/libfoo.so.1 --soname=libfoo.so.1 --prefix=libfoo
cat >"$t/secure.c" <<'END'
#include <dlazy/stub.h>
#include <stdio.h>
#include <sys/auxv.h>
DLAZY_STUB(libfoo);
int foo_add(int, int);
int main(int argc, char **argv)
{
	(void)argv;
	printf("%d %d\n", getauxval(AT_SECURE) != 0, libfoo_available());
	return argc > 9 ? foo_add(1, 2) : 0;
}
END
"${cc[@]}" "${include[@]}" -o "$t/secure" "$t/secure.c" "$t/near.a"
cd "$t" || exit 99
run ./secure
check_same "a path is looked at" "$out" "0 1"
chmod 755 "$t"
chown 65534 secure 2>/dev/null && chmod u+s secure
run env LD_LIBRARY_PATH="$t/path" ./secure
if [[ $out = 1* ]]; then
	check_same "but not for another user, and nothing in LD_LIBRARY_PATH" \
		"$out" "1 0"
else
	skip "but not for another user, and nothing in LD_LIBRARY_PATH" \
		"no program can be made that runs for another user"
fi

# Where the process has libdlazy, that is asked.
cat >"$t/with.c" <<'END'
#include <dlazy/stub.h>
#include <stdio.h>
DLAZY_STUB(libfoo);
int foo_add(int, int);
static int minus(int a, int b) { return a - b; }
static void *hook(const struct dlazy_failure *f, void *data)
{
	(void)data;
	printf("%s %d ", f->symbol, f->status == -DLAZY_EPOLICY ||
					    f->status == -DLAZY_EBUSY);
	return (void *)minus;
}
int main(int argc, char **argv)
{
	(void)argv;
	dlazy_on_failure(NULL, hook, NULL);
	if (argc > 1)
		dlazy_forbid_loading("the sandbox");
	int result = foo_add(5, 2);
	printf("%d %d\n", result, libfoo_module() != NULL);
	return 0;
}
END
check "a program with libdlazy links" "${cc[@]}" "${include[@]}" \
	-o "$t/with" "$t/with.c" "$t/foo.a" -L"$libdir" -ldlazy \
	"-Wl,-rpath,$t/native:$libdir"
run "$t/with"
check_same "with libdlazy it is called as without" "$out" "7 1"
run "$t/with" forbid
has "$out" "foo_add" "forbidding holds, and the process's hook is asked"
run env DLAZY_TRACE="$t/ledger.json" "$t/with"
check "and the ledger has the library" grep -q 'libfoo' "$t/ledger.json"

# The other CPU.
read -ra arm_cc <<<"${AARCH64_CC:-aarch64-linux-gnu-gcc}"
if [ "$machine" != aarch64 ] && command -v "${arm_cc[0]}" >/dev/null &&
	command -v qemu-aarch64 >/dev/null; then
	make_stubs --machine=aarch64
	if [ "$status" = 3 ] || [[ $err = *"no compiler for"* ]]; then
		skip "AArch64: it does what libdlazy would" "$err"
	else
		try "AArch64" "$t/arm" "qemu-aarch64 -L /usr/aarch64-linux-gnu" \
			"${arm_cc[@]}"
		check "AArch64: branch protection demanded: links" \
			"${arm_cc[@]}" -mbranch-protection=standard -fPIC \
			-nostartfiles -shared -Wl,-z,force-bti,--fatal-warnings \
			-o "$t/marked.so" "$t/threads.c" "$t/foo.a"
		check "AArch64: and the output has the mark" \
			grep -q BTI <(readelf -nW "$t/marked.so")
	fi
else
	skip "AArch64: it does what libdlazy would" \
		"no cross compiler, no qemu-aarch64, or that is this CPU"
fi
finish
