# SPDX-License-Identifier: MIT
# dlazy trace: what a start-up cost, from what the audit object left.

dlazy_SOURCES += \
	%D%/advice.c %D%/advice.h \
	%D%/command.c \
	%D%/dlopened.c %D%/dlopened.h \
	%D%/export.c %D%/export.h \
	%D%/json.c %D%/json.h \
	%D%/medians.c %D%/medians.h \
	%D%/memory.c \
	%D%/start.c %D%/start.h \
	%D%/text.c %D%/text.h \
	%D%/trace.c %D%/trace.h \
	%D%/uses.c
