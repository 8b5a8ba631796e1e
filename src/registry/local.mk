# SPDX-License-Identifier: MIT
# The plugins of one host: directories, files, built-ins; prefetching.

libdlazy_internal_la_SOURCES += \
	%D%/add.c %D%/add.h \
	%D%/changes.c %D%/changes.h \
	%D%/early.c %D%/early.h \
	%D%/find.c \
	%D%/interface.c %D%/interface.h \
	%D%/job.c %D%/job.h \
	%D%/metadata.c \
	%D%/openers.c %D%/openers.h \
	%D%/pages.c %D%/pages.h \
	%D%/place.c %D%/place.h \
	%D%/prefetch.c %D%/prefetch.h \
	%D%/query.c %D%/query.h \
	%D%/provider.c %D%/provider.h \
	%D%/refresh.c %D%/refresh.h \
	%D%/registry.c %D%/registry.h \
	%D%/rescan.c %D%/rescan.h \
	%D%/residency.c %D%/residency.h \
	%D%/source.c %D%/source.h \
	%D%/walk.c \
	%D%/watch.c %D%/watch.h \
	%D%/worker.c %D%/worker.h
