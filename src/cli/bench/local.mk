# SPDX-License-Identifier: MIT
# dlazy bench: a host, eagerly and lazily, alternated in fresh processes.

dlazy_SOURCES += \
	%D%/baseline.c %D%/baseline.h \
	%D%/bench.c %D%/bench.h \
	%D%/command.c \
	%D%/host.c %D%/host.h \
	%D%/instructions.c %D%/instructions.h \
	%D%/memory.c %D%/memory.h \
	%D%/print.c
