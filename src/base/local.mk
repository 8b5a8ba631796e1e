# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/above.h \
	%D%/array.h \
	%D%/atomic.h \
	%D%/bound.h \
	%D%/cleanup.h \
	%D%/clock.h \
	%D%/event.c %D%/event.h \
	%D%/file.c %D%/file.h \
	%D%/hash.h \
	%D%/interrupt.c %D%/interrupt.h \
	%D%/json.c %D%/json.h \
	%D%/jsonread.c %D%/jsonread.h \
	%D%/lock.c %D%/lock.h \
	%D%/map.c %D%/map.h \
	%D%/memstream.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/setting.c %D%/setting.h \
	%D%/signature.c %D%/signature.h \
	%D%/status.c %D%/status.h \
	%D%/utf8.c %D%/utf8.h
