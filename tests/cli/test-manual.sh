#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages are sound, and name what there is: each command with each of
# its options, each exported function; examples compile and do what they say.
# TAP.
set -u
. "$(dirname "$0")/cli.bash"

tool=$root/doc/man/dlazy.1
library=$root/doc/man/dlazy.3
# Options are written "Fl -json" there.
# words COMMAND: of its own page, too, if it has one.
words()
{
	cat "$tool" "$root/doc/man/dlazy-$1.1" 2>/dev/null |
		sed 's/Fl -/--/g; s/Fl /-/g'
}

for page in "$root"/doc/man/dlazy*.[137]; do
	if command -v mandoc >/dev/null; then
		check_empty "mandoc has nothing to say of $(basename "$page")" \
			"$(mandoc -T lint "$page" 2>/dev/null |
			grep -v -e 'referenced manual not found' \
				-e 'operating system explicitly specified')"
	else
		skip "mandoc has nothing to say" "mandoc is missing"
	fi
done

for command in $("$dlazy" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	check "dlazy.1 tells of $command" \
		grep -q "^\.Ss Nm Cm $command " "$tool"
	missing=
	for option in $("$dlazy" "$command" --help |
		grep -o -- '--[a-z-]*[a-z]' | sort -u); do
		grep -qw -- "$option" <<<"$(words "$command")" || missing+=" $option"
	done
	check_empty "and of its options" "$missing"
done

# Those for stub files are nobody's to call.
functions=$(sed -n 's/^\t\(dlazy_[a-z_]*\);/\1/p' "$root/src/libdlazy.map" |
	grep -v '^dlazy_linked_')
missing=
for function in $functions; do
	grep -q "^\.F[no] $function\b" "$root"/doc/man/dlazy*.3 ||
		missing+=" $function"
done
check_empty "a page tells of each function" "$missing"
check_same "each function has a page" \
	"$(sed -n 's/.*man\/\(dlazy_.*\)\.3.*/\1/p' "$root/doc/local.mk" | sort)" \
	"$(sort <<<"$functions")"

sed -n '/^#include <dlazy/,/^\.Ed/p' "$library" |
	sed '$d; s/\\e/\\/g' >"$t/example.c"
# shellcheck disable=SC2086 # CC may hold options
check "the example of dlazy.3 compiles" ${CC:-cc} -Wall -Wextra -Werror \
	-fsyntax-only -I"$root/include" "$t/example.c"
run bash -c "cd '$t' && '$dlazy' call libc.so.6 printf 'i(s.id)' '%d %.2f ' 7 0.5"
check_same "the example of dlazy.1 prints what it says" "$out" \
	"$(sed -n '/call libc.so.6 printf/{n;p}' "$tool")"
finish
