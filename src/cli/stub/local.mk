# SPDX-License-Identifier: MIT
# dlazy stub: stub files to link with.

dlazy_SOURCES += \
	%D%/selection.c %D%/selection.h \
	%D%/stub.c
