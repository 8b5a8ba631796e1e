# SPDX-License-Identifier: MIT

dlazy_SOURCES += \
	%D%/selection.c %D%/selection.h \
	%D%/stub.c
