# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/prefetch.c %D%/prefetch.h \
	%D%/registry.c %D%/registry.h
