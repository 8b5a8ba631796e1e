# SPDX-License-Identifier: MIT
# The tool: one file per subcommand. It links the convenience library.

bin_PROGRAMS += dlazy
dlazy_LDADD = libdlazy-link.la libdlazy-internal.la
dlazy_SOURCES = \
	%D%/cli.h \
	%D%/main.c

# The page of dlazy report is in the tool, where nothing else touches it.
REPORT_FILES = %D%/report/assemble %D%/report/page.html \
	%D%/report/script.js %D%/report/style.css
EXTRA_DIST += $(REPORT_FILES)
nodist_dlazy_SOURCES = %D%/report-page.c
CLEANFILES += %D%/report-page.c
%D%/report-page.c: $(REPORT_FILES)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SHELL) $(srcdir)/%D%/report/assemble $(srcdir)/%D%/report >$@.new && \
	mv $@.new $@

dist_bashcompletion_DATA += %D%/completion/dlazy.bash

include %D%/bench/local.mk
include %D%/check/local.mk
include %D%/frame/local.mk
include %D%/plugins/local.mk
include %D%/report/local.mk
include %D%/run/local.mk
include %D%/stub/local.mk
include %D%/trace/local.mk
