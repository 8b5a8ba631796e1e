#!/bin/bash
# SPDX-License-Identifier: MIT
# The page of dlazy report in Chromium: it draws, sorts, filters, obeys the
# keyboard, fits a phone, is legible in light and dark, and stays quiet. With
# REPORT_SCREENSHOTS=DIR it leaves pictures there to look at. TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "${top_srcdir:-$here/../..}/tests/cli/cli.bash"

for needed in chromium chromedriver python3; do
	command -v "$needed" >/dev/null || skip_all "$needed is missing"
done
cd "$t" || exit 99
python3 "$here/data.py" || exit 99
pages=()
for json in many hostile opened sparse ledger bench command; do
	"$dlazy" report "$json.json" -o "$json.html" || exit 99
	pages+=("$json.html")
done
"$dlazy" report many.json hostile.json ledger.json bench.json -o several.html ||
	exit 99
python3 -B "$here/page.py" "${pages[@]}" several.html
