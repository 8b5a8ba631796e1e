# SPDX-License-Identifier: MIT
# Writing ELF files.

libdlazy_link_la_SOURCES += \
	%D%/build.c %D%/build.h \
	%D%/cpu.c %D%/cpu.h \
	%D%/dynamic.c %D%/dynamic.h \
	%D%/frame.c %D%/frame.h \
	%D%/note.c %D%/note.h \
	%D%/object.c %D%/object.h \
	%D%/twin.c %D%/twin.h
