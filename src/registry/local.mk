# SPDX-License-Identifier: MIT
# The plugins of one host: directories, files, built-ins; prefetching.

libdlazy_internal_la_SOURCES += \
	%D%/prefetch.c %D%/prefetch.h \
	%D%/registry.c %D%/registry.h
