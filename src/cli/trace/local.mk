# SPDX-License-Identifier: MIT
# dlazy trace: what a start-up cost, from what the audit object left.

dlazy_SOURCES += \
	%D%/command.c \
	%D%/export.c \
	%D%/json.c \
	%D%/memory.c \
	%D%/start.c \
	%D%/text.c \
	%D%/trace.c %D%/trace.h \
	%D%/uses.c
