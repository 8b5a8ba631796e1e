# SPDX-License-Identifier: MIT
# Each mutant takes one guard away; see apply, run and select.

EXTRA_DIST += %D%/apply %D%/run %D%/select \
	$(wildcard $(srcdir)/%D%/*.mutant)

# What the tests need besides their programs.
fixtures: $(FIXTURE_PLUGINS)
PHONY += fixtures
