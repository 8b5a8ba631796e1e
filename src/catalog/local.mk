# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/below.c %D%/below.h \
	%D%/bytes.c %D%/bytes.h \
	%D%/cachedir.c \
	%D%/catalog.c %D%/catalog.h \
	%D%/draft.c \
	%D%/format.h \
	%D%/ids.c %D%/ids.h \
	%D%/inventory.c %D%/inventory.h \
	%D%/keys.c %D%/keys.h \
	%D%/metadata.c %D%/metadata.h \
	%D%/reader.c %D%/reader.h \
	%D%/record.c %D%/record.h \
	%D%/scan.c %D%/scan.h \
	%D%/spool.c %D%/spool.h \
	%D%/table.c %D%/table.h \
	%D%/trust.c %D%/trust.h \
	%D%/write.c %D%/write.h
