# SPDX-License-Identifier: MIT

# The rows of doc/design.md's budgets beside their baselines.
bench: stage
	$(TEST_ENVIRONMENT) $(srcdir)/bench/run
PHONY += bench
