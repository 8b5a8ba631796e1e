# SPDX-License-Identifier: MIT
# `make fuzz`, FUZZ_SECONDS for each parser of hostile bytes.

fuzz: stage.stamp
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/run
PHONY += fuzz
EXTRA_DIST += %D%/run %D%/fuzz-catalog.c %D%/fuzz-ldcache.c \
	%D%/fuzz-list.c %D%/fuzz-machine.c %D%/fuzz-stubfile.c \
	%D%/fuzz-view.c
