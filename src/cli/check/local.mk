# SPDX-License-Identifier: MIT
# dlazy check: what a load would fail on, and trials of it in a child.

dlazy_SOURCES += \
	%D%/check.c \
	%D%/inspect.c %D%/inspect.h \
	%D%/notes.c %D%/notes.h \
	%D%/siblings.c %D%/siblings.h \
	%D%/subject.c %D%/subject.h \
	%D%/trial.c %D%/trial.h
