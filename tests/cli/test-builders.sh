#!/bin/bash
# SPDX-License-Identifier: MIT
# The projects of tests/builders/, which doc/stub.md shows: each build system
# builds the same program lazily and, with its one switch, plainly. TAP.
set -u
. "$(dirname "$0")/cli.bash"
[ "${STUBS-}" != none ] || skip_all "this build has no stubs"

stage=${DLAZY_STAGE:?run it by make check}
projects=$root/tests/builders
read -ra cc <<<"${CC:-cc}"
[[ ${CC:-} != *-fsanitize* ]] || skip_all "a sanitizer: its library is missing"
pkg-config --exists libpng 2>/dev/null || skip_all "libpng's headers are missing"
run "$dlazy" stub -lpng16 -o "$t/png.o"
[ "$status" = 0 ] || skip_all "$err"

# As installed, though elsewhere: the tool, its package description, no sysroot.
unset PKG_CONFIG_SYSROOT_DIR
mkdir "$t/pkgconfig"
sed "s|^prefix=|prefix=$stage|" "$PKG_CONFIG_PATH/dlazy.pc" \
	>"$t/pkgconfig/dlazy.pc"
export PKG_CONFIG_PATH=$t/pkgconfig
PATH=$(dirname "$dlazy"):$PATH
libdir=${DLAZY_STAGE_LIBDIR:?}
export LDFLAGS="-Wl,-rpath,$libdir"

# project NAME: a directory with it, its program and nothing else
project()
{
	mkdir "$t/$1"
	cp -r "$projects/$1"/* "$projects/program.c" "$t/$1"
	cd "$t/$1" || exit 99
}

# needs_png PROGRAM: does it, at its start?
needs_png() { readelf -dW "$1" | grep -q 'NEEDED.*libpng'; }

# maps_png PROGRAM FILE: does it, writing that file?
maps_png()
{
	rm -f "$2"
	[[ $(LD_DEBUG=files "$1" "$2" 2>&1) = *"calling init: "*libpng* ]]
}

# lazy NAME PROGRAM; plain NAME PROGRAM
lazy()
{
	check "$1: lazily built it does not need the library" \
		eval "! needs_png $2"
	check "$1: nor maps it where it is not called" \
		eval "! maps_png $2 $t/dot.ppm"
	check "$1: but where it is" maps_png "$2" "$t/dot.png"
	check "$1: the picture is that of a plain program" \
		cmp "$t/dot.png" "$t/plain.png"
	run "$dlazy" info "$2" --json
	json '.dlopen_notes[0][0] | .feature == "PNG output" and
		.soname == ["libpng16.so.16"]' "$1: it has the note"
}

plain()
{
	check "$1: plainly built it needs the library" needs_png "$2"
	check_empty "$1: and not libdlazy" \
		"$(readelf -dW "$2" | grep 'NEEDED.*dlazy')"
	check "$1: its picture is the same" \
		eval "$2 $t/again.png && cmp $t/again.png $t/plain.png"
}

# shellcheck disable=SC2046 # they are words
check "without a build system, plainly" "${cc[@]}" -DDLAZY_PLAIN \
	-I"$root/include" -o "$t/plain" "$projects/program.c" \
	$(pkg-config --cflags --libs libpng)
"$t/plain" "$t/plain.png"
# shellcheck disable=SC2046
check "and lazily" "${cc[@]}" -o "$t/lazy" "$projects/program.c" "$t/png.o" \
	$(pkg-config --cflags libpng) $(pkg-config --cflags --libs dlazy) \
	"$LDFLAGS"
check "which does not map the library" eval "! maps_png $t/lazy $t/dot.ppm"
check "before it calls it" maps_png "$t/lazy" "$t/dot.png"

if autoreconf --version >/dev/null 2>&1 &&
	automake --version >/dev/null 2>&1 && command -v libtoolize >/dev/null
then
	project autotools
	ACLOCAL_PATH=$(dirname "$(find "$stage" -name dlazy.m4)")
	export ACLOCAL_PATH
	check "autotools: autoreconf finds the macro" autoreconf -fi
	# By the way, with link-time optimisation; installed.
	check "autotools: configure" ./configure -q -C CFLAGS="-O1 -flto"
	# What was found out of the compiler, whatever the options.
	sed '/ac_cv_env_/d; /ac_cv_host=/d; /pkg_cv/d; /DLAZY/d' config.cache \
		>config.site
	export CONFIG_SITE=$PWD/config.site
	check "autotools: make install" make -s install DESTDIR="$t/root"
	hasnt "$(<program.pc)" dlazy \
		"autotools: a .pc file has the library itself"
	lazy autotools "$t/root/usr/local/bin/program"
	check "autotools: make distclean leaves no stub" \
		eval "make -s distclean && [ -z \"\$(find . -name '*.a')\" ]"
	check "autotools: --disable-lazy-libs" ./configure -q \
		--disable-lazy-libs
	check "autotools: make, plainly" make -s
	plain autotools ./program
	run ./configure --enable-lazy-libs=perhaps
	check_same "autotools: a wrong word is an error" "$status" 1
	run ./configure -q --enable-lazy-libs DLAZY_TOOL=/bin/false
	check_same "autotools: where no stub can be made, configure fails" \
		"$status" 1
	has "$err" "--disable-lazy-libs" "autotools: and says what to do"
	mkdir "$t/elsewhere"
	build "$t/elsewhere/libpng16.so" -Wl,-soname,libelsewhere.so.1 \
		<<<'int elsewhere(void) { return 0; }'
	for how in PNG_LIBS="-L$t/elsewhere -lpng16" \
		LDFLAGS="-L$t/elsewhere"; do
		check "autotools: configure with ${how//$t}" ./configure -q \
			--enable-lazy-libs "$how"
		check "autotools: the stub is that of the library there" \
			grep -q libelsewhere dlazy-stubs/libdlazy-stub-png16.a
	done
	other=aarch64 && [ "$(uname -m)" = x86_64 ] || other=x86_64
	check "autotools: crosswise" ./configure -q CC="${cc[*]}" \
		--host=$other-linux-gnu --enable-lazy-libs
	has "$(readelf -hW dlazy-stubs/*.a | grep Machine: | sort -u |
		tr -d '_-' | tr A-Z a-z)" "${other/_/}" \
		"autotools: the stub is for the host"
	run ./configure CC="${cc[*]}" --host=riscv64-linux-gnu \
		--enable-lazy-libs
	is_status 0 "autotools: for a CPU without stubs"
	has "$out" "no stubs for riscv64" "autotools: it says so"
	check "autotools: and make links plainly" eval "make -s clean && make -s"
	plain autotools ./program
	run ./configure -q PKG_CONFIG_PATH=/nowhere CPPFLAGS="-I$root/include"
	is_status 0 "autotools: where dlazy is not installed"
	check "autotools: make, without dlazy" eval "make -s clean && make -s"
	plain autotools ./program
else
	skip "autotools: configure" "autoconf or automake is missing"
fi
unset CONFIG_SITE

if command -v cmake >/dev/null; then
	project cmake
	prefix=$(dirname "$(dirname "$dlazy")")
	check "cmake: configure" cmake -S . -B lazy \
		-DCMAKE_PREFIX_PATH="$prefix"
	check "cmake: build" cmake --build lazy
	check "cmake: install" cmake --install lazy --prefix "$t/cmake-root"
	lazy cmake "$t/cmake-root/bin/program"
	lazy "cmake, a static library of an interface target" lazy/other
	library=$(sed -n 's/^PNG_LIBRARY_RELEASE:FILEPATH=//p' \
		lazy/CMakeCache.txt)
	cp -L "$library" "$t/libpng16.so"
	check "cmake: configure with a library of one's own, and LTO" \
		cmake -S . -B own -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON \
		-DCMAKE_PREFIX_PATH="$prefix" \
		-DPNG_LIBRARY_RELEASE="$t/libpng16.so"
	check "cmake: build with it" cmake --build own
	check "cmake: with LTO it does not need the library" \
		eval "! needs_png own/program"
	touch "$t/libpng16.so"
	run cmake --build own
	has "$out" "Lazy stub of PNG::PNG" \
		"cmake: when it changes, its stub is made anew"
	check "cmake: -DDLAZY=OFF" cmake -S . -B plain \
		-DCMAKE_PREFIX_PATH="$prefix" -DDLAZY=OFF
	check "cmake: build, plainly" cmake --build plain
	plain cmake plain/program
	mkdir cmake
	cp "$root/builders/dlazy-config.cmake" cmake/Finddlazy.cmake
	check "cmake: -DDLAZY=OFF without dlazy" env PATH=/usr/bin:/bin \
		PKG_CONFIG_PATH= cmake -S . -B without -DDLAZY=OFF \
		-DCMAKE_C_FLAGS="-I$root/include"
	check "cmake: build without dlazy" cmake --build without
	plain "cmake, without dlazy," without/program
	rm -r cmake
	run cmake -S . -B riscv -DCMAKE_PREFIX_PATH="$prefix" \
		-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=riscv64
	has "$out" "no stubs for riscv64" \
		"cmake: for a CPU without stubs it says so"
	check "cmake: and builds" cmake --build riscv
	plain "cmake, for a CPU without stubs," riscv/program
else
	skip "cmake: configure" "cmake is missing"
fi

if command -v meson >/dev/null && command -v ninja >/dev/null; then
	project meson
	mkdir dlazy
	cp "$root/builders/meson/meson.build" dlazy
	check "meson: setup, with LTO" meson setup lazy -Db_lto=true
	check "meson: install" meson install -C lazy --destdir "$t/meson-root"
	lazy meson "$t/meson-root/usr/local/bin/program"
	check "meson: -Dlazy=disabled" \
		env CFLAGS="-I$root/include" meson setup plain -Dlazy=disabled
	check "meson: build, plainly" ninja -C plain
	plain meson plain/program
	cat >cross <<END
[binaries]
c = '${cc[0]}'
pkgconfig = 'pkg-config'
[host_machine]
system = 'linux'
cpu_family = 'riscv64'
cpu = 'riscv64'
endian = 'little'
END
	run meson setup riscv --cross-file=cross
	has "$out" "no stubs for riscv64" \
		"meson: for a CPU without stubs it says so"
	check "meson: and builds" ninja -C riscv
	plain "meson, for a CPU without stubs," riscv/program
else
	skip "meson: setup" "meson or ninja is missing"
fi

# What doc/stub.md shows is what was built here.
missing=$(sed -n 's/^    //p' "$root/doc/stub.md" |
	grep -E 'PKG_CHECK|DLAZY_LAZY_LIB|DISTCLEAN|find_package|add_exec|dlazy_link|dependency\(|link_with|custom_target|command:|get_option|declare_dep|--feature=PNG out.*--package=[^ ]*.\]' |
	while IFS= read -r line; do
		grep -qrF -- "$line" "$projects" || echo "$line"
	done)
check_empty "doc/stub.md shows these projects" "$missing"
finish
