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
	%D%/check-symbols \
	%D%/check-abi
TESTS += $(check_PROGRAMS) $(TREE_CHECKS)
EXTRA_DIST += $(TREE_CHECKS) %D%/abi/0.1.0.names %D%/abi/0.1.0.abi \
	%D%/abi/grown.suppr %D%/tap.bash %D%/cross.bash %D%/same-code \
	%D%/layers %D%/layers.bash
check_DATA += stage.stamp

check-layers:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/check-layers
mutants:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/mutants/run
mutants-share:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/mutants/run \
		$$(cd $(srcdir) && %D%/mutants/select)

# What decides which libraries may be lazy, and of it.
VERDICT_TESTS = %/test-binding %/test-constants %/test-copies %/test-effects \
	%/test-verdict
# Unit tests under valgrind, but for those that read the whole machine, or read
# code for long (AddressSanitizer looks at these), and what valgrind is not: long
# doubles of 80 bits, the real CPUID, single steps.
VALGRIND = valgrind -q --error-exitcode=99 \
	--suppressions=$(abs_top_srcdir)/%D%/valgrind.supp
NOT_VALGRIND = %/test-libelf %/test-view-mutations %/test-json %/test-search \
	%/test-facts $(VERDICT_TESTS) \
	%/test-stub-unwind %/test-stubfile-unwind %/test-run-faults
check-valgrind:
	TEST_SLOW=20 $(MAKE) check LOG_COMPILER='$(VALGRIND)' \
		TESTS='$(filter-out $(NOT_VALGRIND),$(check_PROGRAMS))'
check-helgrind:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/%D%/check-helgrind

# Of builds with a sanitizer or without stubs: all but what comes out as in the
# plain build, as it looks at the tree, builds for other CPUs or whole projects,
# or asks programs that have nothing of this build in them.
PLAIN_ALONE = $(TREE_CHECKS) %-qemu.sh %/test-linked-files.sh \
	%/test-builders.sh %/test-completion.sh %/test-example.sh \
	%/test-forbid.sh %/test-manual.sh %/test-migrating.sh %/test-musl.sh \
	%/test-page.sh %/test-probes.sh %/test-readme.sh %/test-real.sh \
	%/test-situations.sh %D%/cli/test-run% %/test-terminal.sh
check-build:
	$(MAKE) check TESTS='$(filter-out $(PLAIN_ALONE),$(TESTS))'

# ThreadSanitizer looks at threads. Lazy linking, which is the tool's, has none.
ONE_THREAD = %/test-closure %/test-code %/test-entry %/test-facts %/test-libelf \
	%/test-library %/test-machine %/test-program %/test-search \
	%/test-stubfile %/test-stubfile-unwind $(VERDICT_TESTS) %/test-view \
	%/test-view-mutations
THREAD_TESTS = $(filter-out $(ONE_THREAD),$(check_PROGRAMS))
check-threads:
	$(MAKE) check-TESTS TESTS='$(THREAD_TESTS)' \
		check_PROGRAMS='$(THREAD_TESTS)' \
		check_DATA='$(FIXTURE_PLUGINS) $(pkglib_LTLIBRARIES)'

# `make distcheck TESTS='$(DIST_TESTS)'`: is the tarball whole, and can its tests
# be built and run? What they say of the code was asked before.
DIST_TESTS = %D%/unit/test-bind %D%/unit/test-catalog %D%/cli/test-usage.sh \
	%D%/cli/test-scan.sh
EXTRA_DIST += %D%/valgrind.supp %D%/check-helgrind %D%/helgrind.supp
PHONY += check-build check-helgrind check-layers check-threads check-valgrind \
	mutants mutants-share

include %D%/unit/local.mk
include %D%/report/local.mk
include %D%/real/local.mk
include %D%/fixtures/local.mk
include %D%/faults/local.mk
include %D%/cli/local.mk
include %D%/mutants/local.mk
include %D%/fuzz/local.mk
