# SPDX-License-Identifier: MIT

dlazy_SOURCES += \
	%D%/read.c \
	%D%/report.c %D%/report.h
