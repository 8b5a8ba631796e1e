# SPDX-License-Identifier: MIT
# The page of dlazy report in a real browser.

TESTS += %D%/test-page.sh
EXTRA_DIST += %D%/test-page.sh %D%/page.py %D%/data.py
