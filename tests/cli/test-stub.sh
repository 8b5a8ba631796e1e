#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy stub: stub files of a library made for it and of real ones, linked by gcc
# and clang, do what the library plainly linked does. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$root/tests/cross.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

libdir=${DLAZY_STAGE_LIBDIR:?run it by make check}
read -ra cc <<<"${CC:-cc}"
read -ra cxx <<<"${CXX:-c++}"
sanitized=
[[ ${CC:-} != *-fsanitize* ]] || sanitized=yes
lazily=(-ldlazy "-L$libdir" "-Wl,-rpath,$libdir")
include=(-I"$root/include")

run "$dlazy" stub libc.so.6 --only=puts -o "$t/puts.o"
[[ $err != *"for which machine"* ]] || skip_all "no stub files for this CPU"

# ------------------------------------------------------------------
# A library with something of everything, libtoy.so.1, and who uses it.

mkdir "$t/lib"
cat >"$t/toy.h" <<'END'
#ifdef __cplusplus
extern "C" {
#endif
int toy_add(int a, int b);
double toy_sum(int n, ...);
const char *toy_name(void);
int toy_old(void);
int toy_each(int (*f)(int, void *), void *data);
int toy_pick(void);
struct toy_big { long a[20]; };
struct toy_big toy_big(struct toy_big in, int by);
int toy_errno(void);
#ifdef __cplusplus
}
#endif
END
cat >"$t/toy.c" <<'END'
#include "toy.h"
#include <errno.h>
#include <stdarg.h>
int toy_data = 7;
__thread int toy_thread = 8;
int toy_add(int a, int b) { return a + b; }
double toy_sum(int n, ...)
{
	double sum = 0;
	va_list args;
	va_start(args, n);
	while (n--)
		sum += va_arg(args, double);
	va_end(args);
	return sum;
}
const char *toy_name(void) { return "toy"; }
int old_1(void) { return 1; }
int old_2(void) { return 2; }
__asm__(".symver old_1, toy_old@TOY_1\n.symver old_2, toy_old@@TOY_2");
int toy_each(int (*f)(int, void *), void *data)
{
	int sum = 0;
	for (int i = 0; i < 3; i++)
		sum += f(i, data);
	return sum;
}
static int picked(void) { return 42; }
static int (*pick(void))(void) { return picked; }
int toy_pick(void) __attribute__((ifunc("pick")));
struct toy_big toy_big(struct toy_big in, int by)
{
	for (int i = 0; i < 20; i++)
		in.a[i] += by;
	return in;
}
int toy_errno(void) { return errno; }
END
cat >"$t/toy.map" <<'END'
TOY_1 { global: toy_old; };
TOY_2 { global: toy_*; local: *; };
END
cat >"$t/user.c" <<'END'
#include "toy.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
static int mapped(void)
{
	char line[4096];
	FILE *maps = fopen("/proc/self/maps", "r");
	int found = 0;
	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, "libtoy") != NULL;
	fclose(maps);
	return found;
}
static int square(int i, void *data) { return i * i + *(int *)data; }
int main(void)
{
	struct toy_big big = {{1, 2, 3}};
	int one = 1;
	fprintf(stderr, "%d", mapped());
	printf("%.2f\n", toy_sum(9, 1., 2., 3., 4., 5., 6., 7., 8., 9.5));
	fprintf(stderr, "%d\n", mapped());
	printf("%d %s %d\n", toy_add(40, 2), toy_name(), toy_old());
	printf("%d\n", toy_each(square, &one));
	big = toy_big(big, 5);
	printf("%ld %ld\n", big.a[2], big.a[19]);
	errno = 77;
	printf("%d\n", toy_errno());
	printf("%d\n", toy_pick());
	printf("%d\n", toy_add(1, 2));
	return 0;
}
END

check "the library is built" "${cc[@]}" -O2 -fPIC -shared -fexceptions \
	-Wl,-soname,libtoy.so.1 -Wl,--version-script="$t/toy.map" \
	-o "$t/lib/libtoy.so.1" "$t/toy.c"
ln -s libtoy.so.1 "$t/lib/libtoy.so"
found=("-Wl,-rpath,$t/lib")
check "plainly linked it is used" "${cc[@]}" -O2 -o "$t/plain" "$t/user.c" \
	-L"$t/lib" -ltoy "${found[@]}"
plain=$("$t/plain" 2>/dev/null)

# stub OUT [OPTION...]: of libtoy
stub()
{
	local file=$1
	shift
	run "$dlazy" stub "$t/lib/libtoy.so.1" -o "$t/$file" "$@"
}

# linked SENTENCE OUT COMMAND...: it links, with that stub file, and does the same
linked()
{
	local sentence=$1 stub=$t/$2
	shift 2
	run "$@" "$t/user.c" -o "$t/lazy" "$stub" "${lazily[@]}" "${found[@]}"
	if [ "$status" != 0 ]; then
		fail "$sentence: links" "$err"
		return
	fi
	run "$t/lazy"
	check_same "$sentence: does what the library does" "$out" "$plain"
	check_same "$sentence: maps it in the first call" "$err" 01
}

stub toy.o
is_status 0 "a stub object is made"
check_same "and said in one line" "${out%%$'\n'*}" \
	"libtoy.so.1: 8 functions in $t/toy.o"
hasnt "$out" toy_data "data that nobody is known to name are not told of"
check_same "which is no message" "$err" ""
stub toy.a
is_status 0 "an archive is made"
for compiler in "${cc[*]}" clang; do
	command -v "${compiler%% *}" >/dev/null || {
		skip "$compiler: links" "it is missing"
		continue
	}
	[ -z "$sanitized" ] || [ "$compiler" != clang ] || continue
	read -ra c <<<"$compiler"
	linked "${c[0]}, .o" toy.o "${c[@]}" -O2
	linked "${c[0]}, .a" toy.a "${c[@]}" -O2
done
linked "not as PIE" toy.o "${cc[@]}" -fno-pie -no-pie
linked "without a PLT" toy.o "${cc[@]}" -O2 -fno-plt
linked "bound now" toy.o "${cc[@]}" -Wl,-z,now -Wl,-z,relro
linked "sections collected" toy.o "${cc[@]}" -ffunction-sections \
	-Wl,--gc-sections
linked "as needed, with no undefined symbols" toy.a "${cc[@]}" \
	-Wl,--as-needed -Wl,-z,defs
linked "optimised at link" toy.o "${cc[@]}" -O2 -flto
check "no executable stack" grep -q 'GNU_STACK.*RW ' \
	<(readelf -lW "$t/lazy")
check_empty "no relocation of code" "$(readelf -dW "$t/lazy" | grep TEXTREL)"
for linker in gold lld; do
	if echo 'int main(void) { return 0; }' | "${cc[@]}" -fuse-ld=$linker \
		-x c - -o "$t/try" 2>/dev/null; then
		linked "$linker" toy.o "${cc[@]}" -fuse-ld=$linker
	else
		skip "$linker: does what the library does" "it is missing"
	fi
done
# Without the C library's start files, which are not marked everywhere.
if [ "$(uname -m)" = x86_64 ] && [ -z "$sanitized" ]; then
	check "control-flow protection demanded: links" "${cc[@]}" -O2 -fPIC \
		-fcf-protection -nostartfiles -shared -Wl,-z,cet-report=error \
		-o "$t/marked.so" "$t/user.c" "$t/toy.o" "${lazily[@]}"
	check "and the output has the mark" \
		grep -q 'IBT, SHSTK' <(readelf -nW "$t/marked.so")
fi

# ------------------------------------------------------------------
# Who sees what.

# shared OUT.o: a shared object linked with it; its exports
shared()
{
	echo 'int toy_add(int, int); int use(void) { return toy_add(1, 2); }' |
		"${cc[@]}" -shared -fPIC -x c - -x none "$t/$1" \
			-o "$t/use.so" "${lazily[@]}" 2>&1
	nm -D --defined-only "$t/use.so" | awk '{ print $3 }'
}

hasnt "$(shared toy.o)" toy_add "symbols are hidden"
hasnt "$(shared toy.o)" libtoy_available "helpers, too"
stub exported.o --export
has "$(shared exported.o)" toy_add "unless exported"
stub small.o --only='toy_a*' --only=toy_name --json
json '.functions == 2 and .library == "libtoy.so.1" and
	(.files == ["libtoy.so.1"])' "--only takes some"
json 'has("skipped") and (.output | endswith("small.o")) and
	(.path | endswith("lib/libtoy.so.1"))' "which JSON tells"
stub used.o --used-by="$t/use.so"
is_status 1 "--used-by of who uses nothing of it is a problem"
"${cc[@]}" -shared -fPIC -x c - -o "$t/taker.so" <<-END
	int toy_add(int, int); int toy_old(void);
	int take(void) { return toy_add(1, 2) + toy_old(); }
END
stub used.o --used-by="$t/taker.so" --json
json '.functions == 2' "--used-by takes what somebody imports"
cat >"$t/first.c" <<'END'
extern int toy_data;
int toy_add(int a, int b);
int first(void) { return toy_add(toy_data, 1); }
END
cat >"$t/second.c" <<'END'
const char *toy_name(void);
int first(void);
int second(void) { return *toy_name() + first(); }
END
for source in first second; do
	"${cc[@]}" -c -o "$t/$source.o" "$t/$source.c"
done
ar cr "$t/both.a" "$t/second.o" "$t/first.o"
stub used.o --used-by="$t/first.o"
check_same "--used-by takes an object" "$(nm "$t/used.o" |
	grep -o ' W toy_.*')" " W toy_add"
has "$out" "no stub for toy_data: data" "data that it names are told of"
has "$out" "dlazy_resolve()" "with what to do"
stub used.o --used-by="$t/both.a"
both=" W toy_add W toy_name"
check_same "and an archive" "$(nm "$t/used.o" | grep -o ' W toy_.*' |
	tr -d '\n')" "$both"
stub used.o --used-by="$t/second.o" --used-by="$t/first.o"
check_same "and several files" "$(nm "$t/used.o" | grep -o ' W toy_.*' |
	tr -d '\n')" "$both"
stub used.o --used-by="$t/toy.c"
is_status 1 "--used-by of a source is a problem"
head -c 300 "$t/first.o" >"$t/cut.o"
stub used.o --used-by="$t/cut.o"
is_status 1 "and of half an object"
if "${cc[@]}" -flto -fno-fat-lto-objects -c -o "$t/slim.o" "$t/first.c" \
	2>"$t/err"; then
	stub used.o --used-by="$t/slim.o"
	is_status 1 "and of an object without machine code"
	has "$err" "-flto" "which says why"
else
	skip "and of an object without machine code" "no -flto here"
fi
stub none.o --only='nothing*'
is_status 1 "nothing to stub is a problem"
has "$err" "--only" "with a word on why"
stub all.o --json
json '[.skipped[] | select(.name == "toy_data")] | length == 1' \
	"skipped data is in JSON"
json '[.skipped[] | select(.name == "toy_old" and .version == "TOY_1")] |
	length == 1' "so is an old version"
json '[.skipped[] | select(.name == "toy_thread")][0].why |
	test("thread")' "and a thread's"
json 'all(.skipped[]; .why | length > 3)' "each with why"

# ------------------------------------------------------------------
# The file itself.

for file in toy.o toy.a; do
	cp "$t/$file" "$t/first"
	stub "$file"
	check "$file: equal input, equal bytes" cmp "$t/first" "$t/$file"
	run readelf -aW "$t/$file"
	check_empty "$file: readelf has no complaint" "$err"
	run objdump -dr "$t/$file"
	check_empty "$file: objdump has no complaint" "$err"
	has "$out" "<toy_add>:" "$file: and names what it takes apart"
	if command -v eu-elflint >/dev/null; then
		check_empty "$file: elflint has no complaint" \
			"$(eu-elflint --gnu-ld "$t/$file" 2>&1 | grep -v \
				"^$\|^No errors\|\.o):$\|owner name 'FDO'")"
	else
		skip "$file: elflint has no complaint" "elfutils is missing"
	fi
done
check "archives have an index" grep -q toy_add <(nm -s "$t/toy.a")
check_same "with a member for each symbol, named after it" \
	"$(ar t "$t/toy.a" | LC_ALL=C sort | tr '\n' ' ')" \
	"dlazy-stub.o toy_add.o toy_big.o toy_data.o toy_each.o toy_errno.o \
toy_name.o toy_old.o toy_pick.o toy_sum.o "
check "files say under which license they are" \
	grep -aq 'SPDX-License-Identifier: MIT-0' "$t/toy.a"
# Of gaps between functions a disassembler makes nothing but nops.
check_empty "between functions are nops" "$(objdump -d "$t/toy.o" |
	grep -E '	(add|\(bad\)|udf)')"
check "the tail of all stubs has a name" grep -q ' t dlazy_stub_tail$' \
	<(nm "$t/toy.o")

cat >"$t/one.c" <<'END'
int toy_add(int a, int b);
int main(void) { return toy_add(1, 2) != 3; }
END
cat >"$t/datum.c" <<'END'
extern int toy_data;
int toy_add(int a, int b);
int use(void) { return toy_add(toy_data, 1); }
END
for ld in bfd lld gold mold; do
	linker=("${cc[@]}" "-fuse-ld=$ld")
	echo 'int main(void) { return 0; }' | "${linker[@]}" -o "$t/none" \
		-x c - 2>/dev/null || {
		skip "$ld: a program has the functions that it calls" \
			"$ld is missing"
		continue
	}
	check "$ld: a program of one call links" "${linker[@]}" -o "$t/one" \
		"$t/one.c" "$t/toy.a" "${lazily[@]}" "${found[@]}"
	check "$ld: and runs" "$t/one"
	check_same "$ld: a program has the functions that it calls" \
		"$(nm "$t/one" | grep -o ' toy_[a-z]*$' | tr -d '\n')" \
		" toy_add"
	run "${linker[@]}" -shared -fPIC -o "$t/datum.so" "$t/datum.c" \
		"$t/toy.a" "${lazily[@]}"
	check "$ld: a shared object that names a datum does not link" \
		[ "$status" != 0 ]
	has "$err" "toy_data is data of libtoy.so.1" "$ld: and is told why"
done
run "${cc[@]}" -fuse-ld=bfd -shared -fPIC -o "$t/datum.so" "$t/datum.c" \
	"$t/toy.o" "${lazily[@]}"
has "$err" "toy_data is data of libtoy.so.1" "of an object GNU ld warns"
check "functions are functions, of a size, with a section" \
	grep -Eq ' [1-9][0-9]* FUNC +WEAK +HIDDEN +[0-9]+ toy_add' \
	<(readelf -sW "$t/toy.o")
echo before >"$t/kept.o"
run "$dlazy" stub "$t/nothing.so" -o "$t/kept.o"
is_status 1 "a library that is not there is a problem"
check_same "and leaves what was" "$(<"$t/kept.o")" before
run "$dlazy" stub "$t/lib/libtoy.so.1" -o "$t/no/such/toy.o"
is_status 3 "a file that cannot be written is dlazy's failure"
has "$err" "no/such/toy.o" "and is named"

# ------------------------------------------------------------------
# The library is missing.

cat >"$t/ask.c" <<'END'
#include "toy.h"
#include <dlazy/stub.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
DLAZY_STUB(libtoy);
static int minus(int a, int b) { return a - b; }
static jmp_buf back;
static void *hook(const struct dlazy_failure *f, void *data)
{
	if (strcmp(f->symbol, "toy_add") == 0)
		return (void *)minus;
	if (strcmp(f->symbol, "toy_name") == 0)
		longjmp(back, 1);
	printf("%s %d %d %s\n", f->symbol, f->status, *(int *)data, f->message);
	fflush(stdout);
	return NULL;
}
int main(int argc, char **argv)
{
	int number = 5;
	(void)argv;
	printf("%d\n", libtoy_available());
	fflush(stdout);
	if (argc > 2)
		rename(argv[1], argv[2]);
	if (argc == 2 || libtoy_available()) {
		int status = libtoy_load_now();
		printf("%d %s\n", status, status ? libtoy_error() : "loaded");
	}
	libtoy_on_failure(hook, &number);
	printf("%d\n", toy_add(40, 2));
	printf("%d\n", toy_add(40, 3));
	printf("%s\n", setjmp(back) ? "jumped" : toy_name());
	fflush(stdout);
	return toy_old();
}
END
# ask OPTION...: makes its stub so and links it
ask()
{
	stub ask.o "$@"
	check "it links" "${cc[@]}" "${include[@]}" -o "$t/ask" "$t/ask.c" \
		"$t/ask.o" "${lazily[@]}" "${found[@]}"
}

ask --feature="toy stories" --package=libtoy1
run "$t/ask" x
check_same "there: asked, loaded, called" "$status ${out//$'\n'/|}" \
	"2 1|0 loaded|42|43|toy"
mv "$t/lib/libtoy.so.1" "$t/lib/away"
run "$t/ask" x
has "$out" "0"$'\n'"-3 " "missing: it says so when asked"
has "$out" "toy stories" "names the feature"
has "$out" "libtoy1" "the package"
has "$out" "libtoy.so.1" "and the library"
has "$out" $'\n38\n37\n' "a hook's replacement is called with the arguments"
has "$out" $'\njumped\n' "a hook may jump away"
has "$out" "toy_old -3 5 " "a hook has symbol, status, its own data, words"
check_same "without a replacement the program ends by abort" "$status" 134
has "$err" "toy_old" "which names the function"
has "$err" "toy stories" "the feature"
has "$err" "libtoy1" "and the package"
run "$t/ask" "$t/lib/away" "$t/lib/libtoy.so.1"
check_same "installed while the program runs, it is found" \
	"$status ${out//$'\n'/|}" "2 0|0 loaded|42|43|toy"
ask --soname=libtoy.so.9 --soname=libtoy.so.1
run "$t/ask"
check_same "of several names one that is there is taken" \
	"${out//$'\n'/|}" "1|0 loaded|42|43|toy"
run "$dlazy" info "$t/ask" --json
json '.dlopen_notes[0][0].soname == ["libtoy.so.9", "libtoy.so.1"]' \
	"the note has them all, in order"
ask --soname=libtoy.so.9 --soname=libtoy.so.8
run "$t/ask" x
has "$out" "libtoy.so.9" "of several that are missing the first is named"
has "$out" "libtoy.so.8" "and the second"
ask --soname="$t/lib/libtoy.so.1"
run "$t/ask"
check_same "a path will do" "${out//$'\n'/|}" "1|0 loaded|42|43|toy"
stub ask.o --prefix=other
is_status 0 "a prefix is taken"
check "which names the helpers" grep -q 'other_available' <(nm "$t/ask.o")
stub ask.o --prefix=
check_empty "an empty one takes them away" \
	"$(nm "$t/ask.o" | grep '_available\|_load_now')"

cat >"$t/has.c" <<'END'
#include <dlazy/stub.h>
#include <stdio.h>
DLAZY_STUB(libtoy);
int toy_add(int a, int b);
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%d", libtoy_has(argv[i]));
	printf("\n");
	return argc == 1 ? toy_add(1, 2) : 0;
}
END
cat >"$t/on-load.c" <<'END'
#include <dlazy/stub.h>
#include <stdio.h>
DLAZY_STUB(libtoy);
int toy_add(int a, int b);
static int on_load(struct dlazy_module *m, void *data)
{
	(void)m;
	printf("load %d ", toy_add(1, *(int *)data));
	return 0;
}
int main(void)
{
	int two = 2;
	int status = libtoy_on_load(on_load, &two);
	printf("set %d ", status);
	printf("called %d\n", toy_add(40, 2));
	return 0;
}
END
for kind in o a; do
	stub toy.$kind
	check "NAME_on_load(): links with .$kind" "${cc[@]}" "${include[@]}" \
		-o "$t/on-load" "$t/on-load.c" "$t/toy.$kind" "${lazily[@]}" \
		"${found[@]}"
	run "$t/on-load"
	check_same "it is called before the first call goes in" "$out" \
		"set 0 load 3 called 42"
done
check "NAME_on_load(): links plainly" "${cc[@]}" -DDLAZY_PLAIN \
	"${include[@]}" -o "$t/on-load" "$t/on-load.c" -L"$t/lib" -ltoy \
	"${found[@]}"
run "$t/on-load"
check_same "and is called at once, plainly" "$out" "load 3 set 0 called 42"
asked=(toy_add toy_old@TOY_1 toy_data toy_later toy_add@TOY_9 printf '' @)
stub toy.o
check "a program that asks for symbols links" "${cc[@]}" "${include[@]}" \
	-o "$t/has" "$t/has.c" "$t/toy.o" "${lazily[@]}" "${found[@]}"
run "$t/has" "${asked[@]}"
check_same "NAME_has() is 1 for what the installed library exports" "$out" \
	11100000
mv "$t/lib/libtoy.so.1" "$t/lib/away"
run "$t/has" "${asked[@]}"
check_same "and 0 if there is none" "$out" 00000000
mv "$t/lib/away" "$t/lib/libtoy.so.1"

stub used.o --used-by="$t/both.a" --twin="$t/toy.twin"
is_status 0 "--twin is taken"
run readelf -aW "$t/toy.twin"
check_empty "the twin: readelf has no complaint" "$err"
has "$out" "Shared library: [libtoy.so.1]" "the twin needs the library"
check "the twin says its license" grep -aq MIT-0 "$t/toy.twin"
check_same "and refers to the functions used, with their versions" \
	"$(sed -n 's/.*FUNC.*UND \([^ ]*\).*/\1/p' <<<"$out" | sort |
	tr '\n' ' ')" "toy_add@TOY_2 toy_name@TOY_2 "
if command -v eu-elflint >/dev/null; then
	check_same "the twin: elflint has no complaint" \
		"$(eu-elflint --gnu-ld "$t/toy.twin")" "No errors"
else
	skip "the twin: elflint has no complaint" "elfutils is missing"
fi
if command -v dpkg-shlibdeps >/dev/null &&
	dpkg -S libz.so.1 >/dev/null 2>&1; then
	mkdir -p "$t/deb/debian"
	printf 'Source: x\n\nPackage: x\nArchitecture: any\n' \
		>"$t/deb/debian/control"
	run "$dlazy" stub libz.so.1 -o "$t/z.a" --twin="$t/z.twin"
	run eval "cd '$t/deb' && dpkg-shlibdeps -dRecommends -O ../z.twin"
	has "$out" "shlibs:Recommends=zlib1g (>= " \
		"dpkg-shlibdeps gives package and version"
else
	skip "dpkg-shlibdeps gives package and version" "no dpkg-dev here"
fi

mkdir -p "$t/alone/dlazy"
cp "$root/include/dlazy/stub.h" "$t/alone/dlazy"
check "with DLAZY_PLAIN the header includes nothing" "${cc[@]}" -DDLAZY_PLAIN \
	-nostdinc -Wall -Wextra -Werror -I"$t/alone" -x c -c -o "$t/hook.o" - <<'END'
#include <dlazy/stub.h>
DLAZY_STUB(libtoy);
static void *hook(const struct dlazy_failure *f, void *data)
{
	return f->symbol ? data : 0;
}
int ask(void)
{
	return libtoy_available() && libtoy_has("x") && !libtoy_load_now() &&
	       !libtoy_error() && !libtoy_on_failure(hook, 0);
}
END

check "the header's plain side needs no dlazy" "${cc[@]}" -DDLAZY_PLAIN \
	"${include[@]}" -o "$t/ask" "$t/ask.c" -L"$t/lib" -ltoy "${found[@]}"
run "$t/ask" x
check_same "and does the same" "$status ${out//$'\n'/|}" \
	"2 1|0 loaded|42|43|toy"

# ------------------------------------------------------------------
# The note.

ask --feature="toy stories" --description='for "children"' \
	--priority=suggested
run "$dlazy" info "$t/ask" --json
json '.dlopen_notes == [[{"feature": "toy stories",
	"description": "for \"children\"", "priority": "suggested",
	"soname": ["libtoy.so.1"]}]]' "a linked program has the note"
has "$(readelf -nW "$t/ask")" "FDO" "readelf sees it"
has "$(readelf -SW "$t/ask")" " .note.dlopen " "under its name"
stub ask.o
"${cc[@]}" "${include[@]}" -o "$t/ask" "$t/ask.c" "$t/ask.o" "${lazily[@]}"
run "$dlazy" info "$t/ask" --json
json '.dlopen_notes[0][0] | .soname == ["libtoy.so.1"] and .feature' \
	"there is one even unasked"
cp "$t/ask" "$t/stripped"
strip "$t/stripped"
run "$dlazy" info "$t/stripped" --json
json '.dlopen_notes | length == 1' "strip leaves it"

# ------------------------------------------------------------------
# Lists of symbols.

cat >"$t/plain.list" <<'END'
# names
toy_add
toy_sum
toy_name@@TOY_2
toy_old@TOY_1
toy_old@@TOY_2
toy_each
toy_big
toy_errno
toy_pick
toy_data data 4
END
cat >"$t/libtoy1.symbols" <<'END'
libtoy.so.1 libtoy1 #MINVER#
* Build-Depends-Package: libtoy-dev
 toy_add@TOY_2 1.0
 toy_big@TOY_2 1.0
 toy_each@TOY_2 1.0
 toy_errno@TOY_2 1.0
 toy_name@TOY_2 1.0
 toy_old@TOY_1 0.9
 toy_old@TOY_2 1.0
 toy_pick@TOY_2 1.0
 (optional)toy_sum@TOY_2 1.0
END
cat >"$t/toy.def" <<'END'
LIBRARY toy
EXPORTS
	toy_add
	toy_big @2
	toy_each
	toy_errno
	toy_name
	toy_old
	toy_pick
	toy_sum
	toy_data DATA
END
for list in plain.list libtoy1.symbols toy.def; do
	run "$dlazy" stub --symbols="$t/$list" --soname=libtoy.so.1 \
		-o "$t/list.o"
	is_status 0 "$list is read"
	linked "of $list" list.o "${cc[@]}"
done
echo 'toy add' >"$t/bad.list"
run "$dlazy" stub --symbols="$t/bad.list" --soname=libtoy.so.1 -o "$t/bad.o"
is_status 1 "a line that is no symbol is a problem"
has "$err" "bad.list" "in a file"
has "$err" "1" "and a line"
check "nothing is written then" test ! -e "$t/bad.o"

# ------------------------------------------------------------------
# How the library is found.

(cd "$t/lib" && "$dlazy" stub libtoy.so.1 -o "$t/x.o") 2>"$t/err"
check_same "a bare name is none of this directory" $? 1
has "$(<"$t/err")" "./libtoy.so.1" "which is offered"
run "$dlazy" stub libtoy -o "$t/x.o"
has "$err" "-ltoy" "half a name is completed"
run "$dlazy" stub -ltoy -L"$t/lib" -o "$t/x.o" --json
json '.library == "libtoy.so.1" and (.path | endswith("lib/libtoy.so"))' \
	"-l and -L are the linker's"
run "$dlazy" stub -l:libtoy.so.1 -L"$t/lib" -o "$t/x.o"
is_status 0 "-l:FILE is found as the linker does"
run "$dlazy" stub -l:libc.so.6 -o "$t/x.o" --only 'puts'
is_status 0 "in the system's directories, too"
run "$dlazy" stub -l:libno.so.1 -o "$t/x.o"
is_status 1 "and is a problem where it is not"
run "$dlazy" stub -lno-such-library -o "$t/x.o"
is_status 1 "-l of what is nowhere is a problem"
has "$err" "libno-such-library.so" "which is named"
echo 'INPUT(libtoy.so.1 -lm)' >"$t/lib/libscript.so"
run "$dlazy" stub -lscript -L"$t/lib" -o "$t/x.o"
is_status 1 "a linker's script is a problem"
has "$err" "INPUT(libtoy.so.1 -lm)" "and is shown"
run "$dlazy" stub /bin/sh -o "$t/x.o"
is_status 1 "a program is no library"
if [ "$(uname -m)" = x86_64 ]; then
	cp "$t/lib/libtoy.so.1" "$t/arm.so"
	machine "$t/arm.so" 183
	run "$dlazy" stub "$t/arm.so" -o "$t/x.o"
	is_status 1 "another machine's library is not read"
	has "$err" "--symbols" "a list is advised"
fi

# usage WORDS SENTENCE ARGUMENT...
usage()
{
	local words=$1 sentence=$2
	shift 2
	run "$dlazy" stub "$@"
	is_status 2 "$sentence"
	has "$err" "$words" "and the message says: $words"
}

usage "which library" "no library" -o "$t/x.o"
usage "-o OUT.o" "no output" libc.so.6
usage "suffix" "an output of no kind" libc.so.6 -o "$t/x"
usage "suffix" "an output without a name" libc.so.6 -o "$t/.o"
usage "one library at a time: b" "two libraries" a b -o "$t/x.o"
usage "the name is empty" "no name to look for" -lm --soname= -o "$t/x.o"
usage "-lm" "two with -l" -lc -lm -o "$t/x.o"
usage "--soname" "a list without a name" --symbols="$t/plain.list" -o "$t/x.o"
usage "required, recommended" "an unknown priority" libc.so.6 -o "$t/x.o" \
	--priority=high
usage "x86_64 or aarch64" "an unknown machine" libc.so.6 -o "$t/x.o" \
	--machine=arm
usage "letters" "a prefix that is no name" libc.so.6 -o "$t/x.o" --prefix=1a
usage "--export" "--export of .so" libc.so.6 -o "$t/x.so" --export
usage "--no-needed" "--no-needed of .o" libc.so.6 -o "$t/x.o" --no-needed
usage "by its path" "a shared stub that would find itself" \
	--symbols="$t/plain.list" --soname=libtoy.so.1 -o "$t/x.so"
cp "$t/lib/libtoy.so.1" "$t/own.so"
usage "the library itself" "an output that is the input" \
	"$t/own.so" -o "$t/own.so"
check "which is left alone" cmp "$t/own.so" "$t/lib/libtoy.so.1"

# ------------------------------------------------------------------
# Shared stubs, for a program as it is.

mkdir "$t/stubs"
stub stubs/libtoy.so.1
is_status 0 "a shared stub is made"
has "$out" "toy_data: data, which no call announces; a program that takes it" \
	"whose data, and who must not take it, is said"
"${cc[@]}" -O2 -o "$t/asis" "$t/user.c" -L"$t/lib" -ltoy
run env LD_LIBRARY_PATH="$t/stubs:$libdir" "$t/asis"
check_same "in the library's place it does the same" "$out" "$plain"
run env LD_LIBRARY_PATH="$t/stubs:$libdir" LD_BIND_NOW=1 "$t/asis"
check_same "bound at once, too" "$out" "$plain"
run readelf -aW "$t/stubs/libtoy.so.1"
check_empty "readelf has no complaint" "$err"
has "$(readelf -dW "$t/stubs/libtoy.so.1")" "soname: [libtoy.so.1]" \
	"it has the name"
check_same "and the versions" \
	"$(nm -D --defined-only "$t/stubs/libtoy.so.1" | awk '{ print $3 }' |
		grep '^toy_old' | sort | paste -sd ' ')" \
	"toy_old@@TOY_2 toy_old@TOY_1"
run "$dlazy" info "$t/stubs/libtoy.so.1" --json
json '.needs | index("libc.so.6")' "it needs what the library needs"
json '.needs | index("libdlazy.so.0")' "and libdlazy, by its name"
check "which is that" test -e "$libdir/libdlazy.so.0"
stub stubs/libtoy.so.1 --no-needed
run "$dlazy" info "$t/stubs/libtoy.so.1" --json
json '.needs == ["libdlazy.so.0"]' "--no-needed: that alone"

# ------------------------------------------------------------------
# A plugin with a stub, in a host that knows nothing of it.

cat >"$t/plugin.c" <<'END'
#include "toy.h"
int use(int x) { return toy_add(x, 1); }
END
cat >"$t/host.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 3; i++) {
		void *handle = dlopen(argv[1], RTLD_NOW);
		int (*use)(int) = handle ? dlsym(handle, "use") : NULL;
		printf("%s\n", handle ? "opened" : dlerror());
		if (argc > 2 || !use)
			return 0;
		printf("%d\n", use(i));
		dlclose(handle);
		printf("%s\n", dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) ?
					"kept" : "gone");
	}
	return 0;
}
END
"${cc[@]}" -o "$t/host" "$t/host.c" -ldl
"${cc[@]}" -shared -fPIC -o "$t/plugin.so" "$t/plugin.c" "$t/toy.o" \
	"${lazily[@]}" "${found[@]}"
if [ -n "$sanitized" ]; then
	skip "a plugin with a stub can be opened late" "with a sanitizer"
else
	run "$t/host" "$t/plugin.so" x
	check_same "a plugin with a stub can be opened late" "$out$err" opened
	run "$t/host" "$t/plugin.so"
	check_same "its RUNPATH finds the library; once used, it is kept" \
		"${out//$'\n'/ }" "opened 1 kept opened 2 kept opened 3 kept"
fi

# ------------------------------------------------------------------
# C++, debuggers.

if [ -n "$sanitized" ]; then
	skip "an exception passes through" "with a sanitizer"
elif "${cxx[@]}" --version >/dev/null 2>&1; then
	cat >"$t/throw.cc" <<-'END'
		#include "toy.h"
		#include <cstdio>
		#include <stdexcept>
		struct Leaves { ~Leaves() { std::puts("left"); } };
		static int thrower(int i, void *)
		{
			if (i == 1)
				throw std::runtime_error("from the callback");
			return i;
		}
		int main()
		{
			for (int i = 0; i < 2; i++)
				try {
					Leaves leaves;
					toy_each(thrower, nullptr);
				} catch (const std::exception &e) {
					std::puts(e.what());
				}
		}
	END
	check "a C++ program links" "${cxx[@]}" -O2 -o "$t/throw" "$t/throw.cc" \
		"$t/toy.o" "${lazily[@]}" "${found[@]}"
	run "$t/throw"
	check_same "an exception passes through, in the first call and later" \
		"$out" $'left\nfrom the callback\nleft\nfrom the callback'
else
	skip "an exception passes through" "no C++ compiler"
fi
# backtrace FUNCTION: what gdb says at a breakpoint in it
backtrace()
{
	"${cc[@]}" -g -o "$t/debug" "$t/user.c" "$t/toy.o" "${lazily[@]}" \
		"${found[@]}"
	gdb -nx -batch -ex 'set breakpoint pending on' -ex 'set debuginfod enabled off' \
		-ex "break $1" -ex run -ex backtrace "$t/debug" 2>/dev/null </dev/null
}
if command -v gdb >/dev/null && [ -z "$sanitized" ]; then
	has "$(backtrace square)" " in toy_each " "gdb sees the library's frame"
	check_same "and main behind it, through the stub" \
		"$(backtrace square | grep -c ' main ()')" 1
	has "$(backtrace dlopen)" " main ()" "also from the loading in a stub"
else
	skip "gdb sees the library's frame" "gdb is missing, or a sanitizer"
fi

# ------------------------------------------------------------------
# AArch64: the same library and user, cross-built, with a libdlazy of that CPU.

arm=$t/arm
arm_cc=(aarch64-linux-gnu-gcc -O2 -std=gnu11 -mbranch-protection=standard)
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)

build_arm()
{
	local sources
	mapfile -t sources < <(library_sources "$root/src" aarch64)
	mkdir "$arm"
	"${arm_cc[@]}" -O1 -fPIC -shared -fexceptions -fvisibility=hidden \
		-include "$TEST_BUILD/config.h" -I"$root" -I"$root/src" \
		-I"$root/include" -DDLAZY_PKGLIBDIR='"/nowhere"' \
		-DDLAZY_BIN_TO_PKGLIB='"."' -o "$arm/libdlazy.so.0" \
		-Wl,-soname,libdlazy.so.0 -Wl,-z,defs \
		-Wl,--version-script="$root/src/libdlazy.map" "${sources[@]}" \
		-pthread &&
	"${arm_cc[@]}" -fPIC -shared -Wl,-soname,libtoy.so.1 \
		-Wl,--version-script="$t/toy.map" -o "$arm/libtoy.so.1" \
		"$t/toy.c"
}

# on_arm STUB: the user linked with that, run; its standard output
on_arm()
{
	"${arm_cc[@]}" -o "$arm/user" "$t/user.c" "$1" "$arm/libdlazy.so.0" \
		"-Wl,-rpath,$arm" &&
		run "$emulator" -L /usr/aarch64-linux-gnu "$arm/user"
}

if [ "$(uname -m)" = aarch64 ] || [ -z "$emulator" ] ||
	! command -v "${arm_cc[0]}" >/dev/null; then
	skip "AArch64: does what the library does" \
		"no cross compiler, no qemu-aarch64, or that is this CPU"
elif check "AArch64: library and libdlazy are cross-built" build_arm &&
	[ -e "$arm/libtoy.so.1" ]; then
	for kind in o a; do
		stub "arm.$kind" --machine=aarch64
		on_arm "$t/arm.$kind"
		check_same "AArch64, .$kind: does what the library does" \
			"$out" "$plain"
		check_same "AArch64, .$kind: maps it in the first call" \
			"$err" 01
		check_empty "AArch64, .$kind: objdump has no complaint" \
			"$(aarch64-linux-gnu-objdump -dr "$t/arm.$kind" 2>&1 \
			>/dev/null)"
	done
	check "AArch64: branch protection demanded: links" "${arm_cc[@]}" \
		-fPIC -nostartfiles -shared -Wl,-z,force-bti,--fatal-warnings \
		-o "$arm/marked.so" "$t/user.c" "$t/arm.o" "$arm/libdlazy.so.0"
	check "AArch64: and the output has the mark" \
		grep -q BTI <(readelf -nW "$arm/marked.so")
	run "$dlazy" stub "$arm/libtoy.so.1" --machine=aarch64 -o "$t/arm.o"
	is_status 1 "AArch64: its own libraries are not read here"
	aarch64-linux-gnu-nm -D --defined-only "$arm/libtoy.so.1" |
		awk '$2 ~ /[TWi]/ { print $3 }' >"$t/arm.list"
	run "$dlazy" stub --symbols="$t/arm.list" --soname=libtoy.so.1 \
		--machine=aarch64 -o "$t/arm.o"
	is_status 0 "AArch64: but lists of their symbols"
	on_arm "$t/arm.o"
	check_same "AArch64, of a list: does what the library does" "$out" \
		"$plain"
fi

# ------------------------------------------------------------------
# Real libraries, without their headers.

# newest LIBRARY: the name of the one that is installed here, whose number is
# another in each release of a distribution
newest()
{
	local names
	names=$(find /usr/lib /usr/lib64 -name "$1.so.[0-9]*" 2>/dev/null |
		sed -E 's,.*/,,; s,(\.so\.[0-9]+).*,\1,' | sort -uV)
	[ "$names" ] && echo "${names##*$'\n'}" || echo "$1.so"
}

# real NAME SENTENCE: main on standard input, linked plainly and lazily
real()
{
	local file kind
	cat >"$t/real.c"
	file=$("$dlazy" info "$1" --json 2>/dev/null | jq -r '.path // empty')
	if [ -z "$file" ]; then
		skip "$1: $2" "it is not installed"
		return
	fi
	"${cc[@]}" -w -o "$t/real" "$t/real.c" "$file"
	run "$t/real"
	local wanted=$out$err
	mkdir -p "$t/real.d"
	for kind in o a so; do
		run "$dlazy" stub "$1" -o "$t/real.$kind"
		if [ "$status" != 0 ]; then
			fail "$1, .$kind: $2" "$err"
		elif [ $kind = so ]; then
			cp "$t/real.so" "$t/real.d/$1"
			run env LD_LIBRARY_PATH="$t/real.d:$libdir" "$t/real"
			check_same "$1, .so: $2" "$out$err" "$wanted"
		else
			"${cc[@]}" -w -o "$t/lazy" "$t/real.c" "$t/real.$kind" \
				"${lazily[@]}"
			run "$t/lazy"
			check_same "$1, .$kind: $2" "$out$err" "$wanted"
		fi
	done
	rm -rf "$t/real.d"
}

if [ -n "$sanitized" ] || ! command -v jq >/dev/null; then
	skip "real libraries do the same" "a sanitizer, or no jq"
	finish
	exit
fi
real libz.so.1 "deflates and inflates" <<'END'
#include <stdio.h>
const char *zlibVersion(void);
unsigned long crc32(unsigned long, const void *, unsigned);
int compress(void *, unsigned long *, const void *, unsigned long);
int uncompress(void *, unsigned long *, const void *, unsigned long);
int main(void)
{
	char in[1000] = "lazy", small[1000], out[1000];
	unsigned long n = sizeof(small), m = sizeof(out);
	compress(small, &n, in, sizeof(in));
	uncompress(out, &m, small, n);
	printf("%s %lx %lu %lu %s\n", zlibVersion(), crc32(0, in, 1000), n, m,
	       out);
}
END
real libpng16.so.16 "makes a reader, which throws by longjmp" <<'END'
#include <setjmp.h>
#include <stdio.h>
void *png_create_read_struct(const char *, void *, void *, void *);
void *png_set_longjmp_fn(void *, void *, unsigned long);
const char *png_get_libpng_ver(void *);
void png_error(void *, const char *);
int main(void)
{
	void *png = png_create_read_struct(png_get_libpng_ver(0), 0, 0, 0);
	if (setjmp(png_set_longjmp_fn(png, longjmp, sizeof(jmp_buf)))) {
		puts("jumped");
		return 0;
	}
	png_error(png, "wrong");
}
END
real "$(newest libxml2)" "parses" <<'END'
#include <stdio.h>
#include <string.h>
void *xmlReadMemory(const char *, int, const char *, const char *, int);
void xmlDocDumpMemory(void *, char **, int *);
int main(void)
{
	const char *xml = "<a><b c='d'>e</b></a>";
	char *out;
	int n;
	xmlDocDumpMemory(xmlReadMemory(xml, strlen(xml), "x", 0, 0), &out, &n);
	printf("%d %s", n, out);
}
END
real libcurl-gnutls.so.4 "tells of itself, and takes variadic options" <<'END'
#include <stdio.h>
char *curl_version(void);
void *curl_easy_init(void);
int curl_easy_setopt(void *, int, ...);
int curl_easy_getinfo(void *, int, ...);
int main(void)
{
	void *curl = curl_easy_init();
	double speed;
	printf("%s %d", curl_version(),
	       curl_easy_setopt(curl, 10002, "http://localhost/"));
	printf("%d %f\n", curl_easy_getinfo(curl, 0x300000 + 9, &speed), speed);
}
END
real librsvg-2.so.2 "reads a drawing" <<'END'
#include <stdio.h>
#include <string.h>
void *rsvg_handle_new_from_data(const char *, unsigned long, void *);
int rsvg_handle_get_intrinsic_size_in_pixels(void *, double *, double *);
int main(void)
{
	const char *svg = "<svg xmlns='http://www.w3.org/2000/svg' "
			  "width='30' height='20'/>";
	double w = 0, h = 0;
	void *handle = rsvg_handle_new_from_data(svg, strlen(svg), 0);
	int known = rsvg_handle_get_intrinsic_size_in_pixels(handle, &w, &h);
	printf("%d %g %g\n", known, w, h);
}
END
real "$(newest libx265)" "has parameters" <<'END'
#include <stdio.h>
void *x265_param_alloc(void);
int x265_param_default_preset(void *, const char *, const char *);
int x265_param_parse(void *, const char *, const char *);
int main(void)
{
	void *p = x265_param_alloc();
	printf("%d %d %d\n", x265_param_default_preset(p, "slow", "grain"),
	       x265_param_parse(p, "bframes", "3"),
	       x265_param_parse(p, "nonsense", "3"));
}
END
finish
