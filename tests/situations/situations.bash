# SPDX-License-Identifier: MIT
# The situations of tests/situations with each kind of stub file, for one CPU.
# shellcheck shell=bash

# situations WHAT DIRECTORY STUB KIND...: a line of TAP for each situation of each
# KIND (o a so standalone). STUB is called as `dlazy stub` with a library, -o and a
# file. $sit_cc, $sit_cxx: compilers, words; $sit_run: what runs a program;
# $sit_flags: where libdlazy is; $sit_native: this machine's library, where that
# of DIRECTORY is another CPU's.
situations()
{
	local what=$1 dir=$2 stub=$3 kind
	shift 3
	mkdir -p "$dir"
	check "$what: the library is built" situations_library "$dir"
	for kind; do
		check "$what, $kind: the program links" \
			situations_program "$dir" "$stub" "$kind"
		situations_run "$what" "$dir" "$kind"
	done
}

situations_library()
{
	local dir=$1 i many=300 here=${top_srcdir:?}/tests/situations
	for ((i = 0; i < many; i++)); do
		echo "int sit_f$i(void) { return $i; }"
	done >"$dir/many.c"
	{
		seq -f 'int sit_f%.0f(void);' 0 $((many - 1))
		echo "int (*const many[])(void) = {"
		seq -f 'sit_f%.0f,' 0 $((many - 1))
		echo "}; const int many_count = $many;"
	} >"$dir/table.c"
	"${sit_cc[@]}" -fPIC -c -o "$dir/many.o" "$dir/many.c" &&
		"${sit_cxx[@]}" -fPIC -shared -o "$dir/libsit.so.1" \
			-Wl,-soname,libsit.so.1 \
			-Wl,--version-script="$here/library.map" \
			"$here/library.cc" "$dir/many.o" &&
		"${sit_cc[@]}" -fPIC -c -o "$dir/wrap.o" "$here/wrap.c" &&
		"${sit_cc[@]}" -fPIC -c -o "$dir/table.o" "$dir/table.c" &&
		"${sit_cxx[@]}" -fPIC -c -o "$dir/program.o" \
			-DLIBRARY="\"$dir/libsit.so.1\"" "$here/program.cc"
}

situations_program()
{
	local dir=$1 stub=$2 kind=$3 file to=$1/$3 with=()
	mkdir -p "$to"
	file=$to/sit.$kind
	[ "$kind" != standalone ] || file=$to/sit.a with=(--standalone)
	[ "$kind" != so ] || file=$to/libsit.so.1
	[ -z "$sit_native" ] || with+=(--soname="$dir/libsit.so.1" --prefix=libsit)
	$stub "${sit_native:-$dir/libsit.so.1}" -o "$file" "${with[@]}" || return
	with=("${sit_flags[@]}")
	[ "$kind" != standalone ] || with=()
	"${sit_cc[@]}" -shared -o "$to/libwrap.so" "$dir/wrap.o" "$file" \
		"${with[@]}" -Wl,-rpath,"$to:$dir" &&
		"${sit_cxx[@]}" -pthread -o "$to/program" "$dir/program.o" \
			"$dir/table.o" "$to/libwrap.so" "$file" "${with[@]}" \
			-ldl -Wl,--disable-new-dtags,-rpath,"$to:$dir"
}

situations_run()
{
	local what=$1 to=$2/$3 kind=$3 each
	for each in callbacks exceptions several-dlopens many-functions threads \
		fork recursion shared hidden versions; do
		# A shared object in the library's place has its names.
		[ "$each-$kind" != hidden-so ] || continue
		# shellcheck disable=SC2086 # words
		check_same "$what, $kind: $each" \
			"$($sit_run "$to/program" "$each" 2>&1)" right
	done
}
