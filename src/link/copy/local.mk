# SPDX-License-Identifier: MIT

libdlazy_link_la_SOURCES += \
	%D%/addrtaken.c %D%/addrtaken.h \
	%D%/constant.c %D%/constant.h \
	%D%/copy.c %D%/copy.h \
	%D%/make.c
