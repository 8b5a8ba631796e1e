# SPDX-License-Identifier: MIT
# What calls jansson is a module of its own, so that libdlazy needs libc alone.

libdlazy_internal_la_SOURCES += \
	%D%/document.c %D%/document.h \
	%D%/json.h \
	%D%/matcher.c %D%/matcher.h \
	%D%/texts.c %D%/texts.h

EXTRA_DIST += %D%/json.c
if HAVE_JANSSON
pkglib_LTLIBRARIES += json.la
json_la_SOURCES = %D%/json.c %D%/json.h
json_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
json_la_LIBADD = $(JANSSON_LIBS)
json_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -Wl,--no-undefined
endif
