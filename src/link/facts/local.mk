# SPDX-License-Identifier: MIT
# Plugins' metadata, read out of their code and data.

libdlazy_link_la_SOURCES += \
	%D%/decode.c \
	%D%/frei0r.c \
	%D%/integer.c \
	%D%/machine.c %D%/machine.h \
	%D%/memory.c \
	%D%/outside.c \
	%D%/plugin.c %D%/plugin.h \
	%D%/postgresql.c %D%/sources.h \
	%D%/vector.c \
	%D%/weechat.c \
	src/probe/frei0r-text.c src/probe/frei0r-text.h \
	src/probe/text.c src/probe/text.h
