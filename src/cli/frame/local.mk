# SPDX-License-Identifier: MIT
# What every command has: options, messages, tables, progress, samples.

dlazy_SOURCES += \
	%D%/beside.c %D%/beside.h \
	%D%/lastwords.c %D%/lastwords.h \
	%D%/message.c \
	%D%/option.c \
	%D%/output.c %D%/output.h \
	%D%/progress.c %D%/progress.h \
	%D%/sample.c %D%/sample.h \
	%D%/standin.c %D%/standin.h \
	%D%/table.c %D%/table.h
