# SPDX-License-Identifier: MIT
# Lazy linking: for the tool and its tests, not in libdlazy itself.

noinst_LTLIBRARIES += libdlazy-link.la
libdlazy_link_la_LIBADD = libdlazy-internal.la
libdlazy_link_la_SOURCES = $(ELF_LINK_FILES) $(STUB_TEMPLATE_FILES) \
	%D%/library.c %D%/library.h \
	%D%/library-list.c \
	%D%/stubfile.c %D%/stubfile.h \
	%D%/stubfile-archive.c \
	%D%/stubfile-note.c %D%/stubfile-note.h \
	%D%/stubfile-object.c %D%/stubfile-object.h \
	%D%/stubfile-plan.c %D%/stubfile-plan.h \
	%D%/stubfile-shared.c

include %D%/write/local.mk
include %D%/code/local.mk
include %D%/cache/local.mk
include %D%/copy/local.mk
include %D%/decide/local.mk
include %D%/index/local.mk
include %D%/resolve/local.mk
