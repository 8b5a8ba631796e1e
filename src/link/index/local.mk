# SPDX-License-Identifier: MIT
# The index of this machine's files that import data.

libdlazy_link_la_SOURCES += \
	%D%/builder.c %D%/builder.h \
	%D%/dirwalk.c %D%/dirwalk.h \
	%D%/facts.c %D%/facts.h \
	%D%/importers.c %D%/importers.h \
	%D%/index.c %D%/index.h \
	%D%/listing.c %D%/listing.h \
	%D%/roots.c \
	%D%/scan.c %D%/scan.h \
	%D%/tables.c %D%/tables.h
