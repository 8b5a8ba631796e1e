# SPDX-License-Identifier: MIT
# Lazy against eager on what this machine has: every plugin of its directories
# (run), what probes say of them and others say (said), real programs with real work (programs, *.jobs), every program of
# /usr/bin. The same bytes must come out. Not part of `make check`, as it takes
# what is installed.

noinst_PROGRAMS += %D%/gstreamer-host
%C%_gstreamer_host_SOURCES = %D%/gstreamer-host.c \
	plugins/hosts/compare.c plugins/hosts/compare.h
%C%_gstreamer_host_LDADD = libdlazy.la
%C%_gstreamer_host_LDFLAGS = $(AM_LDFLAGS) -no-install

noinst_PROGRAMS += %D%/frei0r-loader
%C%_frei0r_loader_SOURCES = %D%/frei0r-loader.c plugins/frei0r.h
%C%_frei0r_loader_LDFLAGS = $(AM_LDFLAGS) -no-install

REAL_JOBS = %D%/ffmpeg.jobs %D%/media.jobs %D%/pictures.jobs %D%/others.jobs \
	%D%/work.jobs %D%/daemons.jobs %D%/desktop.jobs %D%/languages.jobs
PLAIN_AND_LAZY = $(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/programs
check-real-plugins: all stage
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/run
check-real-said: all stage
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/said
check-real-programs: stage
	$(PLAIN_AND_LAZY) $(REAL_JOBS:%=$(srcdir)/%)
check-real-short: stage
	$(PLAIN_AND_LAZY) --short $(REAL_JOBS:%=$(srcdir)/%)
check-real-every: stage
	$(PLAIN_AND_LAZY) --every
# kmod from Debian's source, with standalone stubs: fetches it, builds it twice.
check-real-kmod: stage
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/kmod
check-real:
	$(MAKE) check-real-plugins
	$(MAKE) check-real-said
	$(MAKE) check-real-programs
	$(MAKE) check-real-every
PHONY += check-real check-real-plugins check-real-said check-real-programs check-real-short \
	check-real-every check-real-kmod
EXTRA_DIST += %D%/kmod %D%/run %D%/said %D%/programs %D%/inputs %D%/not-run \
	%D%/on-screen %D%/packages %D%/served $(REAL_JOBS)
