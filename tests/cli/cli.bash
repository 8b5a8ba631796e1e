# SPDX-License-Identifier: MIT
# For tests of the tool: source this. $dlazy is the tool, $t a directory of this
# test's own, the cache is in it. `run COMMAND ...` leaves $status, $out, $err.
# shellcheck shell=bash

root=${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}
root=$(cd "$root" && pwd)
. "$root/tests/tap.bash"

dlazy=${DLAZY:-dlazy}
unset DLAZY # the library reads a variable of that name
t=$(mktemp -d "${TMPDIR:-/tmp}/dlazy-cli.XXXXXX")
trap 'rm -rf "$t"' EXIT
export DLAZY_CACHE_DIR=$t/cache
command -v "$dlazy" >/dev/null || skip_all "no dlazy to test: $dlazy"

run()
{
	status=0
	"$@" >"$t/out" 2>"$t/err" </dev/null || status=$?
	out=$(<"$t/out")
	err=$(<"$t/err")
}

# Of the last run: is_status N SENTENCE
is_status()
{
	if [ "$status" = "$1" ]; then
		pass "$2"
	else
		fail "$2" "exit $status, not $1"$'\n'"$out"$'\n'"$err"
	fi
}

# has TEXT PART SENTENCE; hasnt TEXT PART SENTENCE
has()
{
	case $1 in
	*"$2"*) pass "$3" ;;
	*) fail "$3" "\"$2\" is not in: $1" ;;
	esac
}

hasnt()
{
	case $1 in
	*"$2"*) fail "$3" "\"$2\" is in: $1" ;;
	*) pass "$3" ;;
	esac
}

# json FILTER SENTENCE: is it true of the last run's output? (jq 1.6 is content
# with no input at all.)
json()
{
	if ! command -v jq >/dev/null; then
		skip "$2" "jq is missing"
	elif [ -s "$t/out" ] && jq -e "$1" "$t/out" >/dev/null 2>&1; then
		pass "$2"
	else
		fail "$2" "not so: $1"$'\n'"$out"
	fi
}

# build OUT [COMPILER-ARGUMENT ...]: a shared object of the C on stdin
build()
{
	local file=$1
	shift
	# shellcheck disable=SC2086 # CC may hold options
	${CC:-cc} -shared -fPIC -o "$file" -x c - -x none "$@"
}

# plugins DIR: p1, p2, p3, which export fN and g
plugins()
{
	local i
	mkdir -p "$1"
	for i in 1 2 3; do
		build "$1/p$i.so" <<-END
			int f$i(int x) { return x + $i; }
			double g(double a, double b) { return a * b; }
		END
	done
}

# machine FILE NUMBER: makes an ELF file one of another machine
machine()
{
	# shellcheck disable=SC2059 # e_machine, little end first
	printf "\\x$(printf %02x "$2")\\x00" |
		dd of="$1" bs=1 seek=18 conv=notrunc status=none
}
