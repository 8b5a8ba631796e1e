# SPDX-License-Identifier: MIT
# Who loaded what, and what it cost; USDT probes.

libdlazy_internal_la_SOURCES += \
	%D%/cost.c %D%/cost.h \
	%D%/ledger.c %D%/ledger.h \
	%D%/tell.c %D%/tell.h \
	%D%/usdt.c %D%/usdt.h
