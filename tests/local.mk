# SPDX-License-Identifier: MIT
# `make check`: everything prints TAP. Unit tests are programs that link the
# convenience library; tests of the tool and of the tree are scripts.

TEST_EXTENSIONS = .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh --ignore-exit
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
# DLAZY is a variable of the library's, so programs are not given it.
SH_LOG_COMPILER = env DLAZY='$(STAGE)$(bindir)/dlazy' bash

# What every test, bench and demo is told. The cache is never the user's. libelf
# is asked about /usr: elsewhere lie files that other tests broke on purpose.
TEST_ENVIRONMENT = \
	DLAZY_TOOL='$(STAGE)$(bindir)/dlazy' \
	DLAZY_STAGE='$(STAGE)' \
	DLAZY_STAGE_LIBDIR='$(STAGE)$(libdir)' \
	DLAZY_CACHE_DIR='$(abs_builddir)/tests/cache' \
	PKG_CONFIG_PATH='$(STAGE)$(pkgconfigdir)' \
	PKG_CONFIG_SYSROOT_DIR='$(STAGE)' \
	TEST_PLUGINS='$(abs_builddir)/tests/fixtures' \
	TEST_BUILD='$(abs_builddir)' \
	TEST_LIBELF_TOP=/usr \
	PLUGINS='$(abs_builddir)/plugins' \
	top_srcdir='$(abs_top_srcdir)' \
	PLAIN_CC='$(CC)' STUBS='$(STUBS)' \
	NM='$(NM)' srcdir='$(srcdir)' CC='$(CC) $(SANITIZE)' CXX='$(CXX) $(SANITIZE)'
if STUB_NONE
STUBS = none
else
STUBS = yes
endif
SANITIZE = $(filter -fsanitize=%,$(OUR_CFLAGS))
# What others could write is trusted by nobody, so no test may make it by the
# way, as it would with the umask of Debian 13's users, 002.
AM_TESTS_ENVIRONMENT = umask 022; export $(TEST_ENVIRONMENT);

# The runner, once.
check_LIBRARIES = libtest.a
libtest_a_SOURCES = %D%/test.c %D%/test.h
libtest_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_PLUGINS_DIR='"$(abs_builddir)/%D%/fixtures"'

TREE_CHECKS = \
	%D%/check-format \
	%D%/check-guards \
	%D%/check-headers \
	%D%/check-layers \
	%D%/check-marks \
	%D%/check-mutants \
	%D%/check-objects \
	%D%/check-symbols
TESTS += $(check_PROGRAMS) $(TREE_CHECKS)
EXTRA_DIST += $(TREE_CHECKS) %D%/tap.bash %D%/same-code \
	%D%/circles %D%/layers %D%/layers.bash
check_DATA += stage.stamp

check-layers:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/check-layers
mutants:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/mutants/run
# Unit tests under valgrind, but for those that read the whole machine, and what
# valgrind is not: long doubles of 80 bits, the real CPUID, single steps.
VALGRIND = valgrind -q --error-exitcode=99 \
	--suppressions=$(abs_top_srcdir)/%D%/valgrind.supp
NOT_VALGRIND = %/test-libelf %/test-view-mutations %/test-json %/test-search \
	%/test-stub-unwind %/test-stubfile-unwind
check-valgrind:
	TEST_SLOW=20 $(MAKE) check LOG_COMPILER='$(VALGRIND)' \
		TESTS='$(filter-out $(NOT_VALGRIND),$(check_PROGRAMS))'
check-helgrind:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/check-helgrind
EXTRA_DIST += %D%/valgrind.supp %D%/check-helgrind %D%/helgrind.supp
PHONY += check-layers check-valgrind check-helgrind mutants

include %D%/unit/local.mk
include %D%/report/local.mk
include %D%/real/local.mk
include %D%/fixtures/local.mk
include %D%/cli/local.mk
include %D%/mutants/local.mk
include %D%/fuzz/local.mk
