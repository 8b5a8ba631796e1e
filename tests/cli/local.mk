# SPDX-License-Identifier: MIT
# Tests of the tool, as installed in the stage.

CLI_TESTS =

TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS)
