# SPDX-License-Identifier: MIT
# TAP for shell tests: source this, then for each behaviour `check "sentence"
# COMMAND ...`; at the end `finish`. What a command prints is shown when it
# fails.
# shellcheck shell=bash

tap_count=0
tap_failed=0

pass()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# fail SENTENCE [DETAILS]
fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	[ -z "${2-}" ] || echo "# ${2//$'\n'/$'\n'# }"
}

# skip SENTENCE REASON
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# check SENTENCE COMMAND [ARGUMENT ...]: passes if it exits 0
check()
{
	local sentence=$1 said
	shift
	if said=$("$@" 2>&1); then
		pass "$sentence"
	else
		fail "$sentence" "exit $?: $*"$'\n'"$said"
	fi
}

# check_status WANTED SENTENCE COMMAND [ARGUMENT ...]
check_status()
{
	local wanted=$1 sentence=$2 said status=0
	shift 2
	said=$("$@" 2>&1) || status=$?
	if [ "$status" = "$wanted" ]; then
		pass "$sentence"
	else
		fail "$sentence" "exit $status, not $wanted: $*"$'\n'"$said"
	fi
}

# check_same SENTENCE GOT WANTED
check_same()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:    $2"$'\n'"wanted: $3"
	fi
}

# check_empty SENTENCE TEXT: passes if there is nothing to complain of
check_empty()
{
	if [ -z "$2" ]; then pass "$1"; else fail "$1" "$2"; fi
}

# skip_all REASON
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

finish()
{
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
}
