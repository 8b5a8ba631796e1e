#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy scan: what is read out of plugins' code and data. Nothing of them is run:
# their constructors would end the process. TAP.
set -u
. "$(dirname "$0")/cli.bash"

[ "$(uname -m)" = x86_64 ] || skip_all "code is read of x86-64"
compgen -G "${DLAZY_STAGE_LIBDIR:-/nonexistent}/dlazy/json.so" >/dev/null ||
	skip_all "built without jansson"

# As plugins are compiled, not as we are under a sanitizer.
export CC=${PLAIN_CC:-cc}

# frei0r FILE NAME INFO PARAMETER [CODE]: INFO and PARAMETER are statements of the
# functions, CODE stands before them.
frei0r()
{
	build "$1" -O2 -I"$root" <<-END
		#include "plugins/frei0r.h"
		#include <stdlib.h>
		#include <string.h>
		static const char *name = "$2";
		${5-}
		int f0r_init(void) { return 1; }
		void f0r_get_plugin_info(struct frei0r_info *i)
		{
			i->author = "A";
			i->kind = FREI0R_MIXER2;
			i->model = FREI0R_RGBA;
			i->version = 1;
			i->major = 3;
			i->minor = 14;
			i->params_count = 2;
			i->explanation = "what it does";
			$3;
		}
		void f0r_get_param_info(struct frei0r_param *p, int n) { $4; }
	END
}

# scanned DIR FILTER SENTENCE: is it true of what its catalog keeps?
scanned()
{
	rm -rf "$DLAZY_CACHE_DIR"
	run "$dlazy" scan --json "$1"
	tr '\0' '\n' <"$(jq -r '.directories[0].catalog' "$t/out")" |
		grep -a '^{"' >"$t/said"
	if ! command -v jq >/dev/null; then
		skip "$3" "jq is missing"
	elif jq -es "any($2)" "$t/said" >/dev/null; then
		pass "$3"
	else
		fail "$3" "not so: $2"$'\n'"$(cat "$t/said" "$t/out")"
	fi
}

crash='__attribute__((constructor)) static void crash(void) { abort(); }'
parameters='switch (n) {
	case 0: p->name = "P"; p->type = FREI0R_DOUBLE; p->explanation = "first"; break;
	case 1: p->name = "Q"; p->type = FREI0R_STRING; p->explanation = "second"; break;
	}'

mkdir "$t/crash"
frei0r "$t/crash/p.so" "a name" 'i->name = "a name"' "$parameters" "$crash"
build "$t/crash/pg.so" <<-END
	#include <stdlib.h>
	$crash
	static const struct {
		int size, version, args, keys, name, float8;
		char extra[32];
	} magic = {56, 1604, 100, 32, 64, 1, "PostgreSQL"};
	const void *Pg_magic_func(void) { return &magic; }
END
build "$t/crash/wee.so" <<-END
	#include <stdlib.h>
	$crash
	char weechat_plugin_name[] = "wee", weechat_plugin_author[] = "me";
	char weechat_plugin_version[] = "4.2", weechat_plugin_license[] = "GPL3";
	char weechat_plugin_description[] = "chats";
	char weechat_plugin_api_version[] = "20240101-01";
	int weechat_plugin_priority = 5000;
END
scanned "$t/crash" '.provides[0]?.id == "frei0r/mixer2/a%20name"' \
	"plugins whose constructors crash are known"
json '.directories[0] | .static == 3 and .crashed == 0 and .probed == 0' \
	"all of them, and none has crashed"
scanned "$t/crash" '.name == "a name" and .version == "3.14" and
	.description == "what it does"' "by name, version and description"
scanned "$t/crash" '.frei0r | .author? == "A" and .type == "mixer2" and
	.color_model == "rgba8888" and .version == "3.14" and .parameters == [
	{name: "P", type: "double", explanation: "first"},
	{name: "Q", type: "string", explanation: "second"}]' "and parameters"
scanned "$t/crash" '.frei0r == "static" and .name == "static"' \
	"the source of that is named"
scanned "$t/crash" '.interface == "postgresql/16.4" and .postgresql == {
	version: 1604, funcmaxargs: 100, indexmaxkeys: 32, namedatalen: 64,
	float8byval: true, abi_extra: "PostgreSQL"}' "PostgreSQL's magic block"
scanned "$t/crash" '.name == "wee" and .license == "GPL3" and .weechat == {
	name: "wee", version: "4.2", description: "chats", license: "GPL3",
	author: "me", api_version: "20240101-01", priority: 5000}' \
	"WeeChat's initialised data"

# What is written when the file is loaded counts, as far as it can be followed.
mkdir "$t/set" "$t/unknown" "$t/half" "$t/loop"
frei0r "$t/set/p.so" before 'i->name = name' "$parameters" \
	'__attribute__((constructor)) static void set(void) { name = "after"; }'
scanned "$t/set" '.provides[0]?.id == "frei0r/mixer2/after"' \
	"what a constructor sets is what counts"
frei0r "$t/unknown/p.so" before 'i->name = name' "$parameters" \
	'__attribute__((constructor)) static void set(void)
	{ if (getenv("X")) name = getenv("X"); }'
run "$dlazy" scan --json "$t/unknown"
json '.directories[0].static == 0' "what cannot be followed is not known"
frei0r "$t/half/p.so" half 'i->name = "half"' 'p->name = getenv("X")'
scanned "$t/half" '.name == "half" and .provides[0].id == "frei0r/mixer2/half"
	and .frei0r == null' "a family's key is there whole, or not at all"
frei0r "$t/loop/p.so" x 'for (volatile int n = 1; n;); i->name = "x"' \
	"$parameters"
run "$dlazy" scan --json "$t/loop"
json '.directories[0].static == 0' "nor is what does not end"

# A probe says the rest.
run "$dlazy" scan --json --probe "$t/half"
json '.directories[0] | .static == 1 and .probed == 1' "a probe says the rest"
tr '\0' '\n' <"$(jq -r '.directories[0].catalog' "$t/out")" | grep -a '^{"' >"$t/said"
check "each key has its source" jq -es \
	'any(.frei0r == "probe" and .name == "static")' "$t/said"
finish
