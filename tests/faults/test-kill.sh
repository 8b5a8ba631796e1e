#!/bin/bash
# SPDX-License-Identifier: MIT
# A share of what kill does, or with TEST_DEEP all of it. TAP.
if [ -n "${TEST_DEEP-}" ]; then
	exec bash "$(dirname "$0")/kill"
fi
exec bash "$(dirname "$0")/kill" --sample
