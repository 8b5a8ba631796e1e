# SPDX-License-Identifier: MIT
# Stub files: what stands in a library's place until it is called.

libdlazy_link_la_SOURCES += \
	%D%/archive.c \
	%D%/dlopen-note.c %D%/dlopen-note.h \
	%D%/library.c %D%/library.h \
	%D%/member.c \
	%D%/object.c %D%/object.h \
	%D%/plan.c %D%/plan.h \
	%D%/shared.c \
	%D%/stubfile.c %D%/stubfile.h \
	%D%/symbol-list.c \
	%D%/template.c %D%/template.h
