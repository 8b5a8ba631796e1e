# SPDX-License-Identifier: MIT
# Every plugin of the directories of this machine, lazily and eagerly: the same
# bytes must come out. Not part of `make check`, as it takes what is installed.

noinst_PROGRAMS += %D%/gstreamer-host
%C%_gstreamer_host_SOURCES = %D%/gstreamer-host.c \
	plugins/hosts/compare.c plugins/hosts/compare.h
%C%_gstreamer_host_LDADD = libdlazy.la
%C%_gstreamer_host_LDFLAGS = $(AM_LDFLAGS) -no-install

check-real: all stage
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/run
PHONY += check-real
EXTRA_DIST += %D%/run
