#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy advise, and dlazy run --list: what gains, and what does not. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
many
mkdir "$t/bin" "$t/path"
cp "$many" "$t/bin/manycmd"
export PATH=$t/bin:$PATH

run "$dlazy" advise manycmd
is_status 0 "a program is judged"
has "$out" "16 of 18 libraries" "how much may be lazy is told"
has "$out" "dlazy run --install manycmd" "and the command"
check_empty "nothing of it was run" "$err"
run "$dlazy" advise --json manycmd "$t/many" sh
json '.programs | length == 3 and (map(.saving_us) | unique) == [null]' \
	"several are, and no time is known"
json ".programs[0] | .path == \"$t/bin/manycmd\" and .libraries == 18 and
	.lazy == 16 and .advice == \"dlazy run --install manycmd\"" \
	"each has its keys"
json ".programs[1].advice == \"dlazy run --install $t/many\"" \
	"what PATH does not have is named whole"
json '.programs[2] | .lazy == 0 and (.advice | startswith("leave it as it is: "))' \
	"what gains nothing is left, with the reason"
run "$dlazy" advise no-such-program sh --json
is_status 1 "one that is not there is a problem"
has "$err" "no-such-program" "which is named"
json '.programs | length == 1' "and the others are told"

# main() is not run.
cat >"$t/own.c" <<-END
	#include <stdio.h>
	int main(void) { fclose(fopen("$t/ran", "w")); return 0; }
END
# shellcheck disable=SC2086 # CC may hold options
${CC:-cc} -o "$t/own" "$t/own.c"
run "$dlazy" advise --measure --json "$t/own"
if [[ $err = *"not there"* ]]; then
	skip "a start is measured" "there is no audit object for this CPU"
else
	json '.programs[0] | .start_us > 0 and .saving_us == 0' \
		"a start is measured"
	check "without running it" test ! -e "$t/ran"
	run "$dlazy" advise --measure --json manycmd
	json '.programs[0] | (.saving_us | type) == "number" and
		.saving_us < .start_us' "also of one that may be lazy"
	run "$dlazy" advise --measure manycmd
	has "$out" " %" "people get the share"
fi

# Of PATH.
ln -s "$many" "$t/path/many"
cp "$t/own" "$t/path/own"
ln "$t/path/own" "$t/path/own-too"
echo '#!/bin/sh' >"$t/path/script"
chmod 755 "$t/path/script"
PATH=$t/path run "$dlazy" advise --json
json '[.programs[].path | sub(".*/"; "")] == ["many", "own"]' \
	"without a name it is the programs of PATH, each once"
PATH=$t/path run "$dlazy" advise
has "$out" "many  " "people are shown those that gain"
hasnt "$out" "own" "alone"
has "$out" "1 of 2 programs" "with a count"
check "what was found is kept" grep -q "$t/path/many" "$t/cache/advise"
sed -i "s|16 \t$t/path/many|15 \t$t/path/many|" "$t/cache/advise"
PATH=$t/path run "$dlazy" advise --json
json '.programs[0].lazy == 15' "and taken from there"
touch "$many"
PATH=$t/path run "$dlazy" advise --json
json '.programs[0].lazy == 16' "unless the program's file has changed"
printf 'torn' >>"$t/cache/advise"
touch "$t/path/own"
PATH=$t/path run "$dlazy" advise --json
json '.programs | length == 2' "a line that was not finished does not matter"
head -c 3 "$t/cache/advise" >"$t/cut"
cp "$t/cut" "$t/cache/advise"
PATH=$t/path run "$dlazy" advise --json
json '.programs[0].lazy == 16' "a file of something else is begun anew"

# Launchers.
run "$dlazy" run --list --dir "$t/launchers"
is_status 0 "no launchers are none"
"$dlazy" run --install manycmd --dir "$t/launchers" >/dev/null 2>&1
cp "$t/own" "$t/bin/own"
run "$dlazy" run --install own --dir "$t/launchers"
has "$err" "it gains nothing: " "a launcher that gains nothing is said to be one"
run "$dlazy" run --list --dir "$t/launchers"
is_status 0 "launchers are listed"
has "$out" "$t/launchers/manycmd" "by their paths"
has "$out" "nothing: " "with what each gains"
run "$dlazy" run --list --json --dir "$t/launchers"
json ".launchers | map({path, target, lazy}) == [
	{path: \"$t/launchers/manycmd\", target: \"$t/bin/manycmd\", lazy: 16},
	{path: \"$t/launchers/own\", target: \"$t/bin/own\", lazy: 0}]" "in JSON, too"
run "$dlazy" run --list manycmd
is_status 2 "--list takes no command"
run "$dlazy" run --list --dir "$t/bin"
check_empty "what is none is not listed" "$out"
finish
