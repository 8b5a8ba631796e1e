# SPDX-License-Identifier: MIT
# Which library may be lazy, and why not.

libdlazy_link_la_SOURCES += \
	%D%/alone.c \
	%D%/identity.c %D%/identity.h \
	%D%/imported.c %D%/imported.h \
	%D%/initialisers.c %D%/initialisers.h \
	%D%/rules.c %D%/rules.h \
	%D%/startup.c %D%/startup.h \
	%D%/verdict.c %D%/verdict.h \
	%D%/words.c
