# SPDX-License-Identifier: MIT
# The commands about plugins: scan, list, info, call.

dlazy_SOURCES += \
	%D%/asking.c %D%/asking.h \
	%D%/call.c \
	%D%/directory.c %D%/directory.h \
	%D%/info.c %D%/info.h \
	%D%/list.c \
	%D%/reasons.c %D%/reasons.h \
	%D%/scan.c
