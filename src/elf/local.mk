# SPDX-License-Identifier: MIT
# Reading ELF files, as hostile bytes; which file a library's name stands for.

libdlazy_internal_la_SOURCES += \
	%D%/check.c %D%/check.h \
	%D%/constant.c %D%/constant.h \
	%D%/cpu.h \
	%D%/hash.c %D%/hash.h \
	%D%/hwcaps.c %D%/hwcaps.h \
	%D%/image.c %D%/image.h \
	%D%/ldcache.c %D%/ldcache.h \
	%D%/machine.c %D%/machine.h \
	%D%/native.h \
	%D%/note.c %D%/note.h \
	%D%/places.c %D%/places.h \
	%D%/relocated.c %D%/relocated.h \
	%D%/requester.c %D%/requester.h \
	%D%/search.c %D%/search.h \
	%D%/started.c %D%/started.h \
	%D%/strings.h \
	%D%/symbols.c %D%/symbols.h \
	%D%/versions.c %D%/versions.h \
	%D%/view.c %D%/view.h \
	%D%/viewcache.c %D%/viewcache.h \
	%D%/walk.c %D%/walk.h \
	%D%/warm.c %D%/warm.h
