# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/search.h \
	%D%/view.h
