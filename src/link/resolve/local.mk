# SPDX-License-Identifier: MIT
# Which definition each symbol reference binds to, as ld.so would find it.

libdlazy_link_la_SOURCES += \
	%D%/closure.c %D%/closure.h \
	%D%/references.c %D%/references.h \
	%D%/symtab.c %D%/symtab.h
