# SPDX-License-Identifier: MIT

dlazy_SOURCES += \
	%D%/check.c \
	%D%/inspect.c %D%/inspect.h \
	%D%/subject.c %D%/subject.h \
	%D%/trial.c %D%/trial.h
