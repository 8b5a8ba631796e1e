# SPDX-License-Identifier: MIT
# What `dlazy run` keeps for each program.

libdlazy_link_la_SOURCES += \
	%D%/command.c \
	%D%/entry.c %D%/entry.h \
	%D%/generation.c %D%/generation.h \
	%D%/program.c %D%/program.h \
	%D%/prune.c %D%/prune.h \
	%D%/runs.c %D%/runs.h
