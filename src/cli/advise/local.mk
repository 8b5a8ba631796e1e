# SPDX-License-Identifier: MIT
# dlazy advise: which programs gain from dlazy run.

dlazy_SOURCES += \
	%D%/advise.c \
	%D%/commands.c %D%/commands.h \
	%D%/kept.c %D%/kept.h
