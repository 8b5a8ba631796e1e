# SPDX-License-Identifier: MIT
# Each mutant takes one guard away; see apply and run.

EXTRA_DIST += %D%/apply %D%/run $(wildcard $(srcdir)/%D%/*.mutant)

# What the tests need besides their programs.
fixtures: $(FIXTURE_PLUGINS)
PHONY += fixtures
