# SPDX-License-Identifier: MIT

dlazy_SOURCES += \
	%D%/bench.c %D%/bench.h \
	%D%/command.c \
	%D%/host.c %D%/host.h \
	%D%/memory.c %D%/memory.h \
	%D%/print.c \
	%D%/sample.c %D%/sample.h
