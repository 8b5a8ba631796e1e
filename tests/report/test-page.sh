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
# The same program again, with some libraries less, and its advice.
python3 - <<'END' || exit 99
import json
t = json.load(open("many.json"))
gone = sum(o.get("map_us") or 0 for o in t["objects"][100:])
t["objects"] = t["objects"][:100]
t["wall_us"] -= gone
t["advice"] = {"run": True, "why": None, "saving_us": 4000, "stubs": []}
json.dump(t, open("after.json", "w"))
t["advice"] = {"run": False, "why": "96 % is the program's own work", "saving_us": 1, "stubs": []}
t["program_us"] = t["exit_us"] = None
t["wall_us"] += gone
json.dump(t, open("killed.json", "w"))
END
"$dlazy" report many.json after.json -o runs.html || exit 99
"$dlazy" report killed.json -o killed.html || exit 99
pages+=(runs.html killed.html)
python3 -B "$here/page.py" "${pages[@]}" several.html
