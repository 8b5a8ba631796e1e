# SPDX-License-Identifier: MIT
# Tests of the tool, as installed in the stage.

CLI_TESTS = \
	%D%/test-advise.sh \
	%D%/test-bench.sh \
	%D%/test-builders.sh \
	%D%/test-call.sh \
	%D%/test-check.sh \
	%D%/test-completion.sh \
	%D%/test-example.sh \
	%D%/test-facts.sh \
	%D%/test-few-calls.sh \
	%D%/test-forbid.sh \
	%D%/test-hosts.sh \
	%D%/test-info.sh \
	%D%/test-ledger.sh \
	%D%/test-list.sh \
	%D%/test-live.sh \
	%D%/test-list-hosts.sh \
	%D%/test-manual.sh \
	%D%/test-migrating.sh \
	%D%/test-musl.sh \
	%D%/test-policy.sh \
	%D%/test-probe.sh \
	%D%/test-probes.sh \
	%D%/test-readme.sh \
	%D%/test-report.sh \
	%D%/test-run.sh \
	%D%/test-run-cache.sh \
	%D%/test-run-children.sh \
	%D%/test-run-first.sh \
	%D%/test-run-install.sh \
	%D%/test-run-plain.sh \
	%D%/test-run-terminal.sh \
	%D%/test-real.sh \
	%D%/test-run-limits.sh \
	%D%/test-scan.sh \
	%D%/test-situations.sh \
	%D%/test-standalone.sh \
	%D%/test-stub.sh \
	%D%/test-terminal.sh \
	%D%/test-trace.sh \
	%D%/test-viewer.sh \
	%D%/test-usage.sh

TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) %D%/cli.bash %D%/run.bash $(BUILDERS_FILES)

# What test-situations.sh and test-stubfile-qemu.sh build.
EXTRA_DIST += \
	tests/situations/library.cc \
	tests/situations/library.map \
	tests/situations/program.cc \
	tests/situations/situations.bash \
	tests/situations/wrap.c

# The projects that test-builders.sh builds.
BUILDERS_FILES = \
	tests/builders/program.c \
	tests/builders/autotools/Makefile.am \
	tests/builders/autotools/configure.ac \
	tests/builders/autotools/program.pc.in \
	tests/builders/cmake/CMakeLists.txt \
	tests/builders/meson/meson.build \
	tests/builders/meson/meson_options.txt
