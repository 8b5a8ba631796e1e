# SPDX-License-Identifier: MIT
# Patches that take one guard away each; see run.

# What a mutant's test needs besides its program.
fixtures: $(FIXTURE_PLUGINS)
PHONY += fixtures
