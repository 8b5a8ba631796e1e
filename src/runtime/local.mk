# SPDX-License-Identifier: MIT
# Stub files at run time.

libdlazy_internal_la_SOURCES += \
	%D%/data.c \
	%D%/file.c %D%/file.h \
	%D%/module.c %D%/module.h \
	%D%/root.c %D%/root.h \
	%D%/touched.c %D%/touched.h
