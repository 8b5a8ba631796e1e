# SPDX-License-Identifier: MIT
# Reads tests/layers for the checks: layers_read sets the arrays `below`, what a
# layer may use besides itself, and `against`, what it uses all the same and must
# not for long. layer_of PATH is the layer of a file of src/.
# shellcheck shell=bash

declare -A below against layer_words

# The words given, abbreviations in full; what no line before this has is said.
layer_expand()
{
	local word words=
	for word; do
		if [ -n "${layer_words[$word]+set}" ]; then
			words+=" ${layer_words[$word]}"
		elif [ -n "${below[$word]+set}" ]; then
			words+=" $word"
		else
			echo "tests/layers: $word stands above, or nowhere" >&2
		fi
	done
	echo "$words"
}

layers_read()
{
	local line name words
	while read -r line; do
		name=${line%%[:=]*} words=()
		read -ra words <<<"${line#*[:=]}"
		case $line in
		'' | '#'*) ;;
		*=*) layer_words[${name% }]=$(layer_expand "${words[@]}") ;;
		+*) against[${name#+ }]=${words[*]} ;;
		*) below[$name]=$(layer_expand "${words[@]}") ;;
		esac
	done <tests/layers
}

# layer_of PATH: sets `layer` to that of a file of src/.
layer_of()
{
	layer=${1%.*}
	# shellcheck disable=SC2034 # the caller reads it
	[ -n "${below[$layer]+set}" ] || layer=${1%/*}
}

# layer_allows FROM TO
layer_allows()
{
	case " $1 ${below[$1]-} ${against[$1]-} " in
	*" $2 "*) ;;
	*) return 1 ;;
	esac
}
