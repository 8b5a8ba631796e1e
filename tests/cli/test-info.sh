#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy info: what is known of one file, and what is not a plugin. TAP.
set -u
. "$(dirname "$0")/cli.bash"

build "$t/full.so" -Wl,-soname,libfull.so.7 -Wl,--build-id=0x1234 \
	-Wl,-rpath,/opt/full <<-END
	__thread int thread;
	int object = 1;
	int f(void) { return object + thread; }
END
run "$dlazy" info "$t/full.so"
is_status 0 "a file is described"
has "$out" "libfull.so.7" "with its soname"
has "$out" "1234" "and build-id"
hasnt "$out" "SYMBOL" "symbols are not listed unasked"
run "$dlazy" info "$t/full.so" --symbols
check "--symbols lists them with their types" grep -Eq '^func .* f$' "$t/out"
check "objects, too" grep -Eq '^object .* object$' "$t/out"

run "$dlazy" info "$t/full.so" --symbols --json
json '.name == "full" and .soname == "libfull.so.7" and .build_id == "1234"' \
	"who it is, in JSON"
json '.exports | map({(.name): .type}) | add |
	.f == "func" and .object == "object" and .thread == "tls"' \
	"what it exports, in JSON"
json '.metadata == null and .dlopen_notes == []' "what it has not, in JSON"
json 'has("needs") and has("machine")' "needs and machine"
json '[.rpath, .runpath] | any(. == "/opt/full")' "its search path"
json '.lazy == false and (.reasons | length == 1) and
	(.reasons[0] | test("thread .tls."))' \
	"no stub stands for a thread-local symbol, which is named"

build "$t/functions.so" -Wl,-soname,libfunctions.so.1 <<<'int f(void) { return 1; }'
run "$dlazy" info "$t/functions.so" --json
json '.lazy == true and .reasons == []' "functions can be lazy"
build "$t/atoi.so" <<<'int atoi(const char *s) { return *s; }'
run "$dlazy" info "$t/atoi.so"
has "$out" "defines atoi" "a name of libc's is a reason not to be"
run "$dlazy" info libc.so.6 --json
json '.lazy == false and (.reasons[0] | test("runtime"))' "nor is the runtime"

build "$t/note.so" <<'END'
__asm__(".pushsection .note.dlopen, \"a\", %note\n .balign 4\n"
	".long 4, 2f - 1f, 0x407c0c0a\n .asciz \"FDO\"\n"
	"1: .asciz \"[{\\\"soname\\\":[\\\"libx.so.1\\\"]}]\"\n2: .balign 4\n"
	".popsection\n");
int f(void) { return 1; }
END
run "$dlazy" info "$t/note.so" --json
json '.dlopen_notes[0][0].soname == ["libx.so.1"]' "notes of dlopen are JSON"

# What a plugin says of itself.
describe()
{
	build "$@" -I"$root/include" <<'END'
#include <dlazy/plugin.h>
DLAZY_PLUGIN("{\"schema\":1,\"name\":\"it\",\"version\":\"2\",\"other\":[1]}")
int f(void) { return 1; }
END
}
if [ -e "${DLAZY_STAGE_LIBDIR-}/dlazy/json.so" ]; then
	describe "$t/said.so"
	run "$dlazy" info "$t/said.so" --json
	json '.metadata == {schema: 1, name: "it", version: "2", other: [1]} and
		.metadata_sources == {schema: "note", name: "note",
			version: "note", other: "note"} and
		.metadata_problems == []' "metadata of a note"
	run "$dlazy" info "$t/said.so"
	has "$out" '"version":"2"' "metadata, for people"
	describe "$t/kept.so" -O2 -flto -ffunction-sections -fdata-sections \
		-Wl,--gc-sections -s
	run "$dlazy" info "$t/kept.so" --json
	json '.metadata.name == "it"' \
		"they stay after strip, --gc-sections and link-time optimisation"
	echo '{"version": "3", "license": "MIT"}' >"$t/said.dlazy.json"
	run "$dlazy" info "$t/said.so" --json
	json '.metadata.version == "3" and .metadata.name == "it" and
		.metadata_sources.version == "sidecar" and
		.metadata_sources.license == "sidecar" and
		.metadata_sources.name == "note"' "a sidecar wins key by key"
	echo '{"version": 3' >"$t/said.dlazy.json"
	run "$dlazy" info "$t/said.so" --json
	json '.metadata.version == "2" and
		(.metadata_problems[0] | test("said.dlazy.json: .*no JSON"))' \
		"one that is no JSON costs itself, in words"
else
	skip "metadata of notes and sidecars" "there is no JSON module"
fi

build "$t/versions.so" -Wl,--version-script=<(echo 'V1 { f; }; V2 { };') <<'END'
__asm__(".symver old, f@V1\n .symver new, f@@V2\n");
int old(void) { return 1; }
int new(void) { return 2; }
END
run "$dlazy" info "$t/versions.so" --json
json '.exports | map(select(.name == "f")) | length == 2 and
	(map(select(.version == "V2"))[0].default) and
	(map(select(.version == "V1"))[0].default | not)' \
	"versions, and which is the default"

if [ "$(uname -m)" = x86_64 ]; then
	build "$t/tls.so" <<-'END'
		static __thread int x[100]
			__attribute__((tls_model("initial-exec")));
		int *f(void) { return x; }
	END
	run "$dlazy" info "$t/tls.so" --json
	json '.lazy == false and (.reasons[0] | test("static TLS"))' \
		"much static TLS is a reason not to be opened late"
else
	skip "much static TLS is a reason not to be opened late" "seen on x86-64 only"
fi

run "$dlazy" info libc.so.6 --json
is_status 0 "a bare name is searched for"
json '.soname == "libc.so.6" and (.path | startswith("/"))' "and found"
(cd "$t" && "$dlazy" info full.so) >"$t/out" 2>"$t/err"
check_same "not in the current directory, as dlopen" $? 1
has "$(<"$t/err")" "./full.so" "which the message offers"
(cd "$t" && "$dlazy" info ./full.so) >"$t/out" 2>"$t/err"
check_same "a path is a path" $? 0

echo "no plugin" >"$t/text.so"
run "$dlazy" info "$t/text.so"
is_status 1 "a text file is a problem"
has "$err" "$t/text.so: not an ELF" "and the message says which and why"
run "$dlazy" info "$t/text.so" --json
json '.error and .lazy == false and (.reasons | length == 1)' "in JSON, too"
echo 'int main(void) { return 0; }' | ${CC:-cc} -o "$t/program" -x c -
run "$dlazy" info "$t/program"
is_status 1 "a program is none to open"
has "$out" "needs     " "but what is known of it is told"
has "$err" "program" "with the reason"
run "$dlazy" info "$t/program" --json
json '.error and .lazy == false and (.needs | index("libc.so.6") != null)' \
	"in JSON, too"
cp "$t/full.so" "$t/arm.so"
machine "$t/arm.so" 183
run "$dlazy" info "$t/arm.so"
is_status 1 "another machine is a problem"
has "$err" "AArch64" "which is named"
run "$dlazy" info "$t/arm.so" --json
json '.machine == "AArch64"' "in JSON, too"
: >"$t/empty.so"
run "$dlazy" info "$t/empty.so"
is_status 1 "an empty file is a problem"
run "$dlazy" info /nonexistent/x.so
is_status 1 "an absent file is a problem"
has "$err" "/nonexistent/x.so" "and is named"
run "$dlazy" info /nonexistent/x.so --json
json '.error and .status' "in JSON, too"
run "$dlazy" info libnothing.so.9
is_status 1 "a library that is nowhere is a problem"
has "$err" "ld.so.cache" "the message says where it was sought"
run "$dlazy" info "$t"
is_status 1 "a directory is no file"
run "$dlazy" info "$t/"
has "$err" "$t/" "also with a slash it is named"
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --clear-groups \
	test -x "$dlazy" 2>/dev/null; then
	mkdir "$t/closed"
	cp "$t/full.so" "$t/closed"
	chmod 711 "$t" "$t/closed"
	run setpriv --reuid 65534 --clear-groups "$dlazy" info \
		"$t/closed/full.so"
	is_status 0 "a file in a directory that cannot be listed is read"
else
	skip "a file in a directory that cannot be listed is read" "not root"
fi
run "$dlazy" info ""
is_status 2 "nothing is no name"
mkfifo "$t/fifo.so"
run timeout 5 "$dlazy" info "$t/fifo.so"
is_status 1 "a FIFO is not waited for"
mkdir -p "$t/some/dir"
run "$dlazy" info "$t/some/dir/nosuch"
has "$err" "$t/some/dir/nosuch: " "of a file that is not there the whole path is told"
finish
