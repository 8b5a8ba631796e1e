# SPDX-License-Identifier: MIT
# Patches that take one guard away each; see run.

EXTRA_DIST += %D%/run $(wildcard $(srcdir)/%D%/*.patch)

# What the tests need besides their programs.
fixtures: $(FIXTURE_PLUGINS)
PHONY += fixtures
