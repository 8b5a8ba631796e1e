# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/module.c %D%/module.h \
	%D%/touched.c %D%/touched.h
