# SPDX-License-Identifier: MIT
# One CPU's assembly, or none.

libdlazy_internal_la_SOURCES += \
	%D%/slot.h \
	%D%/stub.h
