# SPDX-License-Identifier: MIT
# One CPU's assembly behind the pool, or none.

POOL_FILES = %D%/pool.c %D%/stack.c %D%/stack.h %D%/stub.c
X86_64_FILES = %D%/stub-x86_64.S %D%/save-x86_64.c %D%/save-x86_64.h
AARCH64_FILES = %D%/stub-aarch64.S
NONE_FILES = %D%/stub-none.c

libdlazy_internal_la_SOURCES += %D%/linked.h %D%/pool.h %D%/slot.h %D%/stub.h \
	%D%/noted.c %D%/noted.h
if STUB_X86_64
libdlazy_internal_la_SOURCES += $(POOL_FILES) $(X86_64_FILES)
endif
if STUB_AARCH64
libdlazy_internal_la_SOURCES += $(POOL_FILES) $(AARCH64_FILES)
endif
if STUB_NONE
libdlazy_internal_la_SOURCES += $(NONE_FILES)
endif
EXTRA_DIST += $(POOL_FILES) $(X86_64_FILES) %D%/marks-x86_64.S $(AARCH64_FILES) $(NONE_FILES)
