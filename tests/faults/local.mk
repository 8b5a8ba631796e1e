# SPDX-License-Identifier: MIT
# The fault sweep: calls of the C library made to fail, one by one. `make check`
# does some of them (with TEST_DEEP all), `make check-faults` all.

EXTRA_DIST += %D%/run %D%/kill %D%/machine.bash %D%/test-sweep.sh \
	%D%/test-kill.sh %D%/test-states.sh %D%/inject.c %D%/inject.h \
	%D%/host.c %D%/live.c
TESTS += %D%/test-sweep.sh %D%/test-kill.sh %D%/test-states.sh

FAULT_FILES = %D%/inject.so %D%/host %D%/live
CLEANFILES += $(FAULT_FILES)
if !SANITIZER
check_DATA += $(FAULT_FILES)
endif

%D%/inject.so: %D%/inject.c %D%/inject.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g \
		-fPIC -shared -I$(top_srcdir) -o $@ $(srcdir)/%D%/inject.c -ldl
%D%/host: %D%/host.c stage.stamp
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -O2 -g \
		-I$(top_srcdir)/include -o $@ $(srcdir)/%D%/host.c \
		-L'$(STAGE)$(libdir)' -ldlazy
%D%/live: %D%/live.c stage.stamp
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g \
		-I$(top_srcdir)/include -o $@ $(srcdir)/%D%/live.c \
		-L'$(STAGE)$(libdir)' -ldlazy

check-faults: $(FAULT_FILES) stage.stamp
	$(AM_TESTS_ENVIRONMENT) DLAZY='$(STAGE)$(bindir)/dlazy' \
		bash $(srcdir)/%D%/run --jobs $$(nproc)
	$(AM_TESTS_ENVIRONMENT) DLAZY='$(STAGE)$(bindir)/dlazy' \
		bash $(srcdir)/%D%/kill
PHONY += check-faults
