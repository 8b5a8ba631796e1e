# SPDX-License-Identifier: MIT
# `make fuzz`, FUZZ_SECONDS for each parser of hostile bytes; `make
# fuzz-programs`, FUZZ_PROGRAMS ("FIRST COUNT") random programs.

fuzz: stage.stamp
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/run
fuzz-programs: stage.stamp
	$(AM_TESTS_ENVIRONMENT) python3 $(srcdir)/%D%/programs.py $(FUZZ_PROGRAMS)
PHONY += fuzz fuzz-programs
EXTRA_DIST += %D%/run %D%/programs.py %D%/fuzz-catalog.c %D%/fuzz-ldcache.c \
	%D%/fuzz-list.c %D%/fuzz-index.c %D%/fuzz-stubfile.c \
	%D%/fuzz-view.c %D%/fuzz-json.c %D%/fuzz-metadata.c
