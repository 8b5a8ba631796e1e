# SPDX-License-Identifier: MIT

LDADD = libtest.a libdlazy-internal.la

check_PROGRAMS += \
	%D%/test-json \
	%D%/test-signature

if HAVE_FFI
check_PROGRAMS += %D%/test-ffi
%C%_test_ffi_SOURCES = %D%/test-ffi.c src/ffi/ffi.c
%C%_test_ffi_CFLAGS = $(AM_CFLAGS) $(FFI_CFLAGS)
%C%_test_ffi_LDADD = $(LDADD) $(FFI_LIBS)
endif
