#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy call: arguments by signature, results, refusals. TAP.
set -u
. "$(dirname "$0")/cli.bash"

build "$t/f.so" <<-'END'
	#include <stdint.h>
	#include <stdio.h>
	int8_t b(int8_t x) { return x; }
	uint8_t B(uint8_t x) { return x; }
	int16_t h(int16_t x) { return x; }
	uint16_t H(uint16_t x) { return x; }
	int32_t i(int32_t x) { return x; }
	uint32_t I(uint32_t x) { return x; }
	long l(long x) { return x; }
	unsigned long L(unsigned long x) { return x; }
	int64_t q(int64_t x) { return x; }
	uint64_t Q(uint64_t x) { return x; }
	float f(float x) { return x / 2; }
	double d(double x) { return x / 2; }
	long double D(long double x) { return x / 2; }
	void *p(void *x) { return x; }
	const char *s(const char *x) { return x; }
	const char *none(void) { return 0; }
	void v(void) { puts("called"); }
	int minus(int a, int b) { return a - b; }
	int data = 1;
END
run "$dlazy" call "$t/f.so" i 'i(i)' 41
[ "$status" != 3 ] || skip_all "$err"
check_same "a function is called" "$status $out" "0 41"

# same LETTER ARGUMENT RESULT: a function that returns its argument
same()
{
	run "$dlazy" call "$t/f.so" "$1" "$1($1)" "$2"
	check_same "$1: $2 gives $3" "$status $out" "0 $3"
}

same b -128 -128; same b 127 127; same B 255 255; same h -32768 -32768
same H 65535 65535; same i -2147483648 -2147483648; same I 4294967295 4294967295
same l -1 -1; same L 7 7; same q -9223372036854775808 -9223372036854775808
same Q 18446744073709551615 18446744073709551615; same i 0x2A 42; same i -0x10 -16
same i 010 10; same i +5 5; same f 0.1 0.05; same d 0.2 0.1; same d -1e300 -5e+299
same d 0x1p4 8; same d inf inf; same d nan nan; same D 0.2 0.1; same p 0x10 0x10
same s "a b" "a b"; same s "" ""; same s --json --json; same s -x -x

# refused LETTER ARGUMENT WORDS
refused()
{
	run "$dlazy" call "$t/f.so" "$1" "$1($1)" "$2"
	is_status 2 "$1: $2 is refused"
	has "$err" "$3" "because it is $3"
}

refused b 128 "out of range"; refused b -129 "out of range"
refused B 256 "out of range"; refused B -1 "out of range"
refused h 32768 "out of range"; refused I 4294967296 "out of range"
refused i 2147483648 "out of range"; refused Q 18446744073709551616 "out of range"
refused q -9223372036854775809 "out of range"; refused d 1e999 "out of range"
refused i 1x "not an integer"; refused i "" "not an integer"
refused d 1,5 "not a number"; refused i " 1" "space"

run "$dlazy" call "$t/f.so" v 'v()'
check_same "no result prints nothing more" "$status $out" "0 called"
run "$dlazy" call "$t/f.so" none 's()'
check_same "a null string is said" "$out" "(null)"
run "$dlazy" call "$t/f.so" minus 'i(ii)' -5 -7
check_same "arguments keep their order and their dashes" "$out" 2
run "$dlazy" call libc.so.6 snprintf 'i(pLs.sid)' 0 0 '%s %d %.1f' ab 7 0.5
check_same "variadic functions work" "$status $out" "0 8"
run "$dlazy" call libm.so.6 pow 'd(dd)' 2 10
check_same "a bare soname works" "$status $out" "0 1024"

run "$dlazy" call "$t/f.so" i 'i(i)' 41 --json
json '.result == 41' "--json behind"
run "$dlazy" call --json "$t/f.so" i 'i(i)' 41
json '.result == 41' "--json before"
run "$dlazy" call --json "$t/f.so" s 's(s)' 'a"b'
json '.result == "a\"b"' "strings in JSON"
run "$dlazy" call --json "$t/f.so" none 's()'
json 'has("result") and .result == null' "a null string in JSON"
run "$dlazy" call --json "$t/f.so" d 'd(d)' nan
json 'has("result") and .result == null' "NaN in JSON is null"

for wrong in 'bad signature' 'i' 'i(' 'i(i' 'x()' 'i(v)' 'i(.i)' 'i(i.f)' ''; do
	run "$dlazy" call "$t/f.so" i "$wrong" 1
	is_status 2 "signature '$wrong' is refused"
done
run "$dlazy" call "$t/f.so" i 'i(iz)' 1 2
has "$err" "character 4 ('z')" "the message points at the wrong character"
run "$dlazy" call "$t/f.so" i 'i(i)'
is_status 2 "an argument is missing"
run "$dlazy" call "$t/f.so" i 'i(i)' 1 2
is_status 2 "an argument is too many"
run "$dlazy" call "$t/f.so" nosuch 'i(i)' 1
is_status 1 "a symbol that is not there is a problem"
has "$err" "nosuch" "and is named"
has "$err" "f.so" "with the file"
run "$dlazy" call "$t/f.so" nosuch 'i(i)' 1 --json
json '.error and .status == "no such symbol"' "in JSON, too"
run "$dlazy" call "$t/f.so" data 'i(i)' 1
is_status 1 "data cannot be called"
run "$dlazy" call /nonexistent.so f 'i(i)' 1
is_status 1 "a file that is not there is a problem"
echo "no plugin" >"$t/text.so"
run "$dlazy" call "$t/text.so" f 'i(i)' 1
is_status 1 "a text file is a problem"
has "$err" "text.so" "and is named"
(cd "$t" && "$dlazy" call f.so i 'i(i)' 1) >"$t/out" 2>"$t/err"
check_same "a file here is not found without a slash" $? 1
has "$(<"$t/err")" "./f.so" "which the message offers"

# A plugin whose library has gone.
mkdir "$t/lib"
build "$t/lib/libgone.so" <<<"int gone(void) { return 5; }"
build "$t/needs.so" -L"$t/lib" -lgone -Wl,-rpath,"$t/lib" <<-'END'
	int gone(void);
	int f(void) { return gone(); }
END
run "$dlazy" call "$t/needs.so" f 'i()'
check_same "a library it needs is found" "$out" 5
mv "$t/lib/libgone.so" "$t/lib/away"
run "$dlazy" call "$t/needs.so" f 'i()'
is_status 1 "a missing library is a problem"
has "$err" "libgone.so" "and is named"
has "$err" "needs.so" "with who needs it"
mv "$t/lib/away" "$t/lib/libgone.so"
run "$dlazy" call "$t/needs.so" f 'i()'
is_status 0 "and is none when it is back"
finish
