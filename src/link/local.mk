# SPDX-License-Identifier: MIT
# Lazy linking: for the tool and its tests, not in libdlazy itself.

noinst_LTLIBRARIES += libdlazy-link.la
libdlazy_link_la_LIBADD = libdlazy-internal.la
libdlazy_link_la_SOURCES = \
	%D%/closure.c %D%/closure.h \
	%D%/library.h \
	%D%/machine.h \
	%D%/program.h \
	%D%/stubfile.h \
	%D%/verdict.h
