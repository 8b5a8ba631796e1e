# SPDX-License-Identifier: MIT
# The plugins of one host: directories, files, built-ins; prefetching.

libdlazy_internal_la_SOURCES += \
	%D%/changes.c %D%/changes.h \
	%D%/job.c %D%/job.h \
	%D%/pages.c %D%/pages.h \
	%D%/prefetch.c %D%/prefetch.h \
	%D%/query.c %D%/query.h \
	%D%/provider.c %D%/provider.h \
	%D%/refresh.c %D%/refresh.h \
	%D%/registry.c %D%/registry.h \
	%D%/residency.c %D%/residency.h \
	%D%/source.h \
	%D%/watch.c %D%/watch.h \
	%D%/worker.c %D%/worker.h
