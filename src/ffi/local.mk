# SPDX-License-Identifier: MIT
# What calls libffi is a module of its own, so that libdlazy needs libc alone.

EXTRA_DIST += %D%/ffi.c %D%/ffi.h
if HAVE_FFI
pkglib_LTLIBRARIES += ffi.la
ffi_la_SOURCES = %D%/ffi.c %D%/ffi.h src/base/signature.c
ffi_la_CFLAGS = $(AM_CFLAGS) $(FFI_CFLAGS)
ffi_la_LIBADD = $(FFI_LIBS)
ffi_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -Wl,--no-undefined
endif
