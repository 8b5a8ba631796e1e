# SPDX-License-Identifier: MIT
# Canonical copies of a library's data, address-taken analysis, and functions
# that return a constant.

libdlazy_link_la_SOURCES += \
	%D%/addrtaken.c %D%/addrtaken.h \
	%D%/constant.c %D%/constant.h \
	%D%/copy.c %D%/copy.h \
	%D%/make.c
