# SPDX-License-Identifier: MIT
# Completion of dlazy(1) for bash: commands, then each one's options, and
# directories or files as it takes them. Needs bash alone: no function of the
# bash-completion package is called.
# shellcheck shell=bash

# What a command takes: its options, then "dirs", "files" or nothing.
_dlazy_options()
{
	case $1 in
	scan)
		echo "--output --system --recursive --probe --deadline --isolate"
		;;
	list) echo "--provides --opens --mime --all --recursive --program --quarantine" ;;
	info) echo "--symbols" ;;
	check) echo "--host --load --timeout" ;;
	stub)
		echo "--output --feature --package --description --priority" \
			"--soname --standalone --twin --symbols --only --used-by --prefix" \
			"--export --no-needed --machine"
		;;
	run)
		echo "--wait --prepare --system --eager --lazy --children --learn --stats" \
			"--install --uninstall --list --dir"
		;;
	trace) echo "--all --dlopened --children --format --output --runs" ;;
	advise) echo "--measure" ;;
	policy | report) echo "--output" ;;
	bench) echo "--touch --runs --cold --env --baseline --fail-over" \
		"--instructions" ;;
	esac
	echo "--json --help"
}

_dlazy_operands()
{
	case $1 in
	scan | list) echo dirs ;;
	info | check | call | stub | policy | report) echo files ;;
	run | trace | advise) echo programs ;;
	bench) echo dirs ;;
	esac
}

# _dlazy_files COMPGEN-OPTION WORD: names that keep their spaces; a slash
# follows a directory.
_dlazy_files()
{
	local name
	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		COMPREPLY+=("$name")
	done < <(compgen "$1" -- "$2")
}

_dlazy_words()
{
	local word
	while IFS= read -r word; do
		COMPREPLY+=("$word")
	done < <(compgen -W "$1" -- "$2")
}

_dlazy()
{
	local IFS=$' \t\n'
	local commands="scan list info check call stub run trace advise policy report bench help"
	local word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		case $word in
		-*) _dlazy_words "--help --version" "$word" ;;
		*) _dlazy_words "$commands" "$word" ;;
		esac
		return
	fi
	case $command,$before in
	list,--quarantine | scan,-o | scan,--output | check,--host | stub,-o | stub,--output | \
		trace,-o | trace,--output | report,-o | report,--output | \
		policy,-o | policy,--output | \
		stub,--symbols | stub,--used-by)
		_dlazy_files -f "$word"
		return
		;;
	stub,-L)
		_dlazy_files -d "$word"
		return
		;;
	run,--dir)
		_dlazy_files -d "$word"
		return
		;;
	trace,--format)
		_dlazy_words "json perfetto folded" "$word"
		return
		;;
	stub,--priority)
		_dlazy_words "required recommended suggested" "$word"
		return
		;;
	stub,--machine)
		_dlazy_words "x86_64 aarch64" "$word"
		return
		;;
	list,--program | bench,--runs | trace,--runs | bench,--fail-over | run,--eager | run,--lazy | bench,--touch | check,--timeout | stub,--feature | \
		stub,--package | stub,--description | stub,--soname | \
		stub,--only | stub,--prefix) return ;;
	esac
	case $command,$word in
	help,*) _dlazy_words "${commands% help}" "$word" ;;
	*,-*) _dlazy_words "$(_dlazy_options "$command")" "$word" ;;
	*)
		case $(_dlazy_operands "$command") in
		dirs) _dlazy_files -d "$word" ;;
		files) _dlazy_files -f "$word" ;;
		programs)
			_dlazy_files -f "$word"
			_dlazy_files -c "$word"
			;;
		esac
		;;
	esac
}

complete -F _dlazy dlazy
