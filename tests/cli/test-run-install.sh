#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run --install: launchers. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"
many
export HOME=$t/home
mkdir "$t/bin" "$HOME"
cp "$many" "$t/bin/manycmd"
launcher=$HOME/.local/bin/manycmd
export PATH=$HOME/.local/bin:$t/bin:$PATH

run "$dlazy" run --install --wait manycmd
is_status 0 "a launcher is installed"
check "where users have programs" test -x "$launcher"
check_same "in PATH nothing is said of PATH" "$err" ""
has "$out" "$launcher starts $t/bin/manycmd" "it is said what was done"
has "$(<"$launcher")" "remove this file" "it says how to be rid of it"
run manycmd call=3 argv0 exe
check_same "it starts its target, lazily" "$out" \
	"library 3"$'\n'"manycmd"$'\n'"$t/bin/manycmd"
check "of which --wait has made an entry" test -n \
	"$(find "$t/cache/run" -path '*/manycmd-*/g-*/stub.so')"
run manycmd exit=5
is_status 5 "its exit status is the program's"
run manycmd kill=15
is_status 143 "and so is its end"
run manycmd --help "a b" "" x
check_same "arguments are passed on" "$out" $'--help\na b\n\nx'
echo "#!/usr/bin/env manycmd" >"$t/script"
chmod 755 "$t/script"
run "$dlazy" run --wait -- "$t/script" environ
hasnt "$out" "$t/cache/run" "env that comes upon it leaves nothing behind"
run "$dlazy" run --wait --stats --json -- manycmd call=1
stats '.lazy == 16 and .touched == 1' "run goes past it to the program"
run "$dlazy" run --wait -- "$launcher" call=2
check_same "started by its path it does what it does" "$out" "library 2"
run "$dlazy" run --install manycmd
is_status 0 "installed again it is replaced"
check_same "and has not become its own target" \
	"$(grep ^target "$launcher")" "target $t/bin/manycmd"
run "$dlazy" bench --runs 1 --json -- manycmd
has "$err" "launcher of dlazy run: taking $t/bin/manycmd" \
	"bench measures what it starts"
json '.eager.maps > 16 and .command == ["manycmd"]' "which is not lazy"
run "$dlazy" bench --runs 1 --json -- "$launcher"
json '.eager.maps > 16' "so it is by the launcher's path"
run "$dlazy" trace --json -- "$launcher"
json ".objects[0].path == \"$t/bin/manycmd\"" "and trace looks at the same"
run "$dlazy" run --install "$launcher"
is_status 1 "a launcher of a launcher is refused"

# Its options.
run "$dlazy" run --install --wait manycmd --eager 'libmany-1.*' \
	--eager 'libmany-2.*' --lazy 'x*'
is_status 0 "options behind CMD are its own"
has "$(<"$launcher")" $'eager libmany-1.*\neager libmany-2.*\nlazy x*' \
	"and are kept"
manycmd
check_same "and used" "$(grep -al 'eager libmany-2' "$t"/cache/run/*/current |
	xargs grep -ac 'eager libmany-1')" 1
sed -i '/^target/a scope program' "$launcher"
run manycmd call=2
check_same "one of dlazy 0.1.0 that says a scope runs" "$status $out $err" \
	"0 library 2 "
check_same "as if it said none" \
	"$(grep -al 'eager libmany-2' "$t"/cache/run/*/current | wc -l)" 1

# One that gains nothing: dlazy is in the way once, and then no more.
cat >"$t/few.c" <<'END'
#include <stdio.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		puts(argv[i]);
	return 9;
}
END
${PLAIN_CC:-cc} -w -o "$t/bin/few" "$t/few.c"
run "$dlazy" run --install --wait few
has "$err" "it gains nothing" "a launcher that gains nothing is said to"
few=$HOME/.local/bin/few
# started COMMAND...: how many dynamic programs it executes
started()
{
	LD_DEBUG=libs "$@" 2>&1 >/dev/null | grep -c "initialize program: "
}
if grep -q '^#!.*/launch ' "$few"; then
	run few "a b" ""
	check_same "it starts its program" "$status $out" $'9 few\na b'
	check_same "then it does so itself" "$(started few)" 1
	run few "a b" ""
	check_same "in the same way" "$status $out" $'9 few\na b'
	check_same "but where libraries may come from elsewhere" \
		"$(LD_LIBRARY_PATH=/nonexistent started few)" 2
	flock -w 60 "$t/cache/run/making" true
	for change in "touch $t/bin/few" "touch $few" \
		"chmod g+w $t/cache/run/plain-*" \
		"truncate -s 100 $t/cache/run/plain-*"; do
		$change
		check_same "after \"${change%% *}\" dlazy looks again" \
			"$(started few)" 2
		flock -w 60 "$t/cache/run/making" true
		started few >/dev/null
		check_same "and then no more" "$(started few)" 1
	done
	rm "$t/bin/few"
	run few
	check_same "that it is gone, dlazy says" \
		"$status $(grep -c "$t/bin/few" "$t/err")" "127 1"
else
	skip "it starts its program itself" "this CPU has no starter"
fi

# What becomes of the target.
many_library 4 "new 4"
run manycmd call=4
check_same "what is upgraded is noticed" "$out" "new 4"
printf '#!/bin/sh\necho another\n' >"$t/bin/new"
chmod 755 "$t/bin/new"
mv "$t/bin/new" "$t/bin/manycmd"
run manycmd
check_same "so is another program in its place" "$out" "another"
rm "$t/bin/manycmd"
run manycmd
is_status 127 "a target that is gone is not found"
has "$err" "$t/bin/manycmd" "and is named"
has "$err" "$launcher" "with what named it"
cp "$many" "$t/bin/manycmd"

# Removing.
run "$dlazy" run --uninstall manycmd
is_status 0 "it is removed"
check "really" test ! -e "$launcher"
run "$dlazy" run --uninstall manycmd
is_status 1 "once"
echo "mine" >"$launcher"
run "$dlazy" run --uninstall manycmd
is_status 1 "what is none is not removed"
run "$dlazy" run --install manycmd
is_status 1 "nor replaced"
check_same "at all" "$(<"$launcher")" "mine"
rm "$launcher"
ln -s "$t/bin/manycmd" "$launcher"
run "$dlazy" run --install manycmd
is_status 1 "nor is a link"
rm "$launcher"

# Elsewhere.
run "$dlazy" run --install "$t/bin/manycmd" --dir "$t/d/e"
is_status 0 "--dir names another place"
check "which is made" test -x "$t/d/e/manycmd"
has "$err" "not in PATH" "that it is not in PATH is said"
PATH=$PATH:$t/d/e run "$dlazy" run --install manycmd --dir "$t/d/e"
has "$err" "comes behind" "so is that it comes behind the program"
PATH=$t/d/e:$PATH run "$dlazy" run --install manycmd --dir "$t/d/e"
check_same "before it nothing is" "$err" ""
cd "$t" || exit 99
run "$dlazy" run --install ./bin/manycmd --dir f
check_same "a relative target is made absolute" \
	"$(grep ^target "$t/f/manycmd")" "target $t/bin/manycmd"
run "$dlazy" run --install no-such-command
is_status 1 "what is not there cannot be installed"
run "$dlazy" run --install manycmd another
is_status 2 "one at a time"
run "$dlazy" run --install --uninstall manycmd
is_status 2 "one thing at a time"
printf 'nonsense\n' >>"$t/f/manycmd"
run "$t/f/manycmd"
is_status 125 "a launcher that is not understood says so"
has "$err" "nonsense" "and what it does not understand"
finish
