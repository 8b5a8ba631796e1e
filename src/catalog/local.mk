# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/catalog.h \
	%D%/record.h \
	%D%/scan.h
