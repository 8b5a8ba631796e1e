# SPDX-License-Identifier: MIT
# The first touch of a module: loading it, binding its symbols.

libdlazy_internal_la_SOURCES += \
	%D%/absent.c %D%/absent.h \
	%D%/bind.c %D%/bind.h \
	%D%/binding.c %D%/binding.h \
	%D%/call.c %D%/call.h \
	%D%/check.c %D%/check.h \
	%D%/constant.c %D%/constant.h \
	%D%/dependents.c %D%/dependents.h \
	%D%/dl.c %D%/dl.h \
	%D%/failure.c %D%/failure.h \
	%D%/fallback.c %D%/fallback.h \
	%D%/forbid.c %D%/forbid.h \
	%D%/held.c %D%/held.h \
	%D%/import.c %D%/import.h \
	%D%/load.c %D%/load.h \
	%D%/loading.c %D%/loading.h \
	%D%/metadata.c %D%/metadata.h \
	%D%/module.c %D%/module.h \
	%D%/onload.c %D%/onload.h \
	%D%/open.c %D%/open.h \
	%D%/part.c %D%/part.h \
	%D%/policy.c %D%/policy.h \
	%D%/quarantine.c %D%/quarantine.h \
	%D%/reload.c %D%/reload.h \
	%D%/require.c %D%/require.h \
	%D%/seal.c %D%/seal.h \
	%D%/use.c %D%/use.h \
	%D%/wait.c %D%/wait.h
