# SPDX-License-Identifier: MIT
# One CPU's assembly, or none.

libdlazy_internal_la_SOURCES += \
	%D%/pool.h \
	%D%/slot.h \
	%D%/stub.h

if STUB_X86_64
libdlazy_internal_la_SOURCES += \
	%D%/pool.c \
	%D%/slow-x86_64.c \
	%D%/slow-x86_64.h \
	%D%/stub-x86_64.S \
	%D%/stub.c
else
if STUB_AARCH64
libdlazy_internal_la_SOURCES += \
	%D%/pool.c \
	%D%/stub-aarch64.S \
	%D%/stub.c
else
libdlazy_internal_la_SOURCES += %D%/stub-none.c
endif
endif
