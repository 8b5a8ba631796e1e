# SPDX-License-Identifier: MIT
# All code is in a convenience library, which the tests and the tool link; the
# shared library is that behind the map of what it exports.

noinst_LTLIBRARIES += libdlazy-internal.la
libdlazy_internal_la_SOURCES = %D%/api.c %D%/dlfcn.c \
	%D%/fork.c %D%/fork.h

include %D%/base/local.mk
include %D%/elf/local.mk
include %D%/stub/local.mk
include %D%/alone/local.mk
include %D%/catalog/local.mk
include %D%/link/local.mk
include %D%/meta/local.mk
include %D%/load/local.mk
include %D%/registry/local.mk
include %D%/runtime/local.mk
include %D%/ledger/local.mk
include %D%/ffi/local.mk
include %D%/hook/local.mk
include %D%/probe/local.mk
include %D%/cli/local.mk

lib_LTLIBRARIES += libdlazy.la
libdlazy_la_SOURCES =
libdlazy_la_LIBADD = libdlazy-internal.la
# Start-up is what this library is about: few relocations (-Bsymbolic-functions:
# calls of our own functions need none), bound lazily (libc's functions that a
# host never reaches are never looked up). nodelete: stubs are given out for
# the life of the process.
libdlazy_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/%D%/libdlazy.map \
	-Wl,-Bsymbolic-functions -Wl,-z,lazy -Wl,-z,nodelete -Wl,-O1
if !SANITIZER
libdlazy_la_LDFLAGS += -Wl,--no-undefined
endif
EXTRA_libdlazy_la_DEPENDENCIES = %D%/libdlazy.map
EXTRA_DIST += %D%/libdlazy.map
