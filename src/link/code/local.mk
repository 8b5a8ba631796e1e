# SPDX-License-Identifier: MIT
# What compiled code is seen to do.

libdlazy_link_la_SOURCES += \
	%D%/functions.c %D%/functions.h \
	%D%/initialisers.c %D%/initialisers.h \
	%D%/insn.c %D%/insn.h \
	%D%/relocations.c %D%/relocations.h \
	%D%/text.c %D%/text.h \
	%D%/undefined.c %D%/undefined.h \
	%D%/uses.c %D%/uses.h
