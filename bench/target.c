/* SPDX-License-Identifier: MIT */
/*
 * The least plugin there can be: what is called in the rows about calls, and
 * what the directories of 100 and 10,000 plugins consist of.
 */
#ifdef DESCRIBED
#include <dlazy/plugin.h>
DLAZY_PLUGIN("{\"provides\": [{\"id\": \"codec/all\", \"glob\": [\"*.png\"]}]}")
#endif

int f(int x);

int f(int x)
{
	return x + 1;
}
