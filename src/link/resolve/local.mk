# SPDX-License-Identifier: MIT

libdlazy_link_la_SOURCES += \
	%D%/closure.c %D%/closure.h \
	%D%/references.c %D%/references.h \
	%D%/symtab.c %D%/symtab.h
