# SPDX-License-Identifier: MIT
# Lazy linking: for the tool and its tests, not in libdlazy itself.

noinst_LTLIBRARIES += libdlazy-link.la
libdlazy_link_la_LIBADD = libdlazy-internal.la
libdlazy_link_la_SOURCES = $(ELF_LINK_FILES) $(STUB_TEMPLATE_FILES) \
	%D%/closure.c %D%/closure.h \
	%D%/library.c %D%/library.h \
	%D%/library-list.c \
	%D%/machine.c %D%/machine.h \
	%D%/machine-draft.c %D%/machine-draft.h \
	%D%/machine-facts.c %D%/machine-facts.h \
	%D%/machine-file.c %D%/machine-file.h \
	%D%/machine-listing.c %D%/machine-listing.h \
	%D%/machine-places.c \
	%D%/machine-scan.c %D%/machine-scan.h \
	%D%/machine-survey.c %D%/machine-survey.h \
	%D%/machine-takers.c %D%/machine-takers.h \
	%D%/names.c %D%/names.h \
	%D%/stubfile.c %D%/stubfile.h \
	%D%/stubfile-archive.c \
	%D%/stubfile-note.c %D%/stubfile-note.h \
	%D%/stubfile-object.c %D%/stubfile-object.h \
	%D%/stubfile-plan.c %D%/stubfile-plan.h \
	%D%/stubfile-shared.c \
	%D%/takes.c %D%/takes.h

include %D%/write/local.mk
include %D%/code/local.mk
include %D%/cache/local.mk
include %D%/copy/local.mk
include %D%/decide/local.mk
