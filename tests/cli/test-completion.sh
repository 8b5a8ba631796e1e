#!/bin/bash
# SPDX-License-Identifier: MIT
# The completions for bash and zsh: what is offered where. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$root/src/cli/completion/dlazy.bash"

mkdir -p "$t/d/dir one" "$t/d/dir2"
: >"$t/d/file.so"
mkdir "$t/bin"
printf '#!/bin/sh\n' >"$t/bin/only-here"
chmod +x "$t/bin/only-here"
cd "$t/d" || exit 99

# offers SENTENCE WANTED WORD ...: completing the last word
offers()
{
	local sentence=$1 wanted=$2
	shift 2
	COMP_WORDS=(dlazy "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_dlazy
	check_same "$sentence" \
		"$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd "|")" "$wanted"
}

check "it is registered for dlazy" complete -p dlazy
offers "a command" "scan|stub" s
offers "report takes files" "file.so" report f
offers "policy takes files" "file.so" policy f
offers "all commands" "advise|bench|call|check|help|info|list|policy|report|run|scan|stub|trace" ""
offers "options without a command" "--help|--version" --
offers "help takes a command" "info" help i
offers "list takes directories" "dir one|dir2" list d
offers "list does not take files" "" list f
offers "info takes files" "file.so" info f
offers "scan -o takes a file" "file.so" scan -o f
offers "check --host takes a file" "file.so" check --host f
offers "scan's options" \
	"--deadline|--help|--isolate|--json|--output|--probe|--recursive|--system" \
	scan --
offers "info's options" "--symbols" info --s
PATH=$t/bin:$PATH offers "run takes a program" "only-here" run only
PATH=$t/bin:$PATH offers "trace takes a program" "only-here" trace only
offers "trace -o takes a file" "file.so" trace -o f
offers "bench --runs takes a number, which nobody can guess" "" bench --runs ""
for command in $("$dlazy" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	offers "$command is offered" "$command" "$command"
	for option in $("$dlazy" "$command" --help | grep -o -- '--[a-z-]*[a-z]' | sort -u); do
		offers "$command $option is offered" "$option" "$command" "$option"
	done
done

# zsh's: its own functions print what they are given.
cat >"$t/zsh" <<'END'
_describe() { print -l -- ${(P)4} }
compadd() { print -l -- "$@" }
_files() { print a file }
file=$1
shift
words=("$@") CURRENT=$#
source $file
END
zsh_offers()
{
	PATH=$(dirname "$dlazy"):$PATH zsh -f "$t/zsh" \
		"$root/src/cli/completion/_dlazy" dlazy "$@"
}
if command -v zsh >/dev/null; then
	has "$(zsh_offers "")" "stub:a lazy stub to link" \
		"zsh: a command, and what it does"
	has "$(zsh_offers stub --)" $'\n--standalone\n' "zsh: an option"
	check_same "zsh: else a file" "$(zsh_offers info x)" "a file"
else
	skip "zsh: a command, and what it does" "zsh is missing"
fi
finish
