#!/bin/bash
# SPDX-License-Identifier: MIT
# A share of the fault sweep, or with TEST_DEEP all of it. TAP.
if [ -n "${TEST_DEEP-}" ]; then
	exec bash "$(dirname "$0")/run"
fi
exec bash "$(dirname "$0")/run" --sample
