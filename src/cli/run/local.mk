# SPDX-License-Identifier: MIT
# dlazy run: unmodified programs with lazy libraries.

dlazy_SOURCES += \
	%D%/account.c %D%/account.h \
	%D%/children.c %D%/children.h \
	%D%/child.c %D%/child.h \
	%D%/judge.c %D%/judge.h \
	%D%/launcher.c %D%/launcher.h \
	%D%/list.c %D%/list.h \
	%D%/maker.c %D%/maker.h \
	%D%/plain.c %D%/plain.h \
	%D%/request.c %D%/request.h \
	%D%/run.c \
	%D%/start.c %D%/start.h \
	%D%/startup.c %D%/startup.h \
	%D%/tunables.c %D%/tunables.h
