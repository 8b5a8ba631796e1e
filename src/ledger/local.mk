# SPDX-License-Identifier: MIT

libdlazy_internal_la_SOURCES += \
	%D%/cost.c %D%/cost.h \
	%D%/ledger.c %D%/ledger.h \
	%D%/tell.c %D%/tell.h \
	%D%/usdt.c %D%/usdt.h
