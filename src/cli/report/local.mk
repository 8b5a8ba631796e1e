# SPDX-License-Identifier: MIT
# dlazy report: a trace as a page to look at.

dlazy_SOURCES += \
	%D%/read.c \
	%D%/report.c %D%/report.h

# The page of dlazy report is in the tool, where nothing else touches it.
REPORT_FILES = %D%/assemble %D%/page.html \
	%D%/script.js %D%/style.css
EXTRA_DIST += $(REPORT_FILES)
nodist_dlazy_SOURCES = %D%/page.c
CLEANFILES += %D%/page.c
%D%/page.c: $(REPORT_FILES)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SHELL) $(srcdir)/%D%/assemble $(srcdir)/%D% >$@.new && \
	mv $@.new $@
