/* SPDX-License-Identifier: MIT */
/*
 * Making the entries. A value that the user has given is added to.
 */
#include "cli/run/tunables.h"

#include "hook/tunables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* glibc's, where nobody says another. */
#define DEFAULT_TLS 512

static unsigned long value_of(const char *tunables)
{
	const char *at = tunables ? strstr(tunables, TUNABLES_NAME "=") : NULL;

	return at ? strtoul(at + sizeof(TUNABLES_NAME), NULL, 0) : DEFAULT_TLS;
}

bool tunables_make(uint32_t tls, char *ret[TUNABLES_ENTRIES])
{
	const char *theirs = getenv(TUNABLES_VARIABLE);
	unsigned long value = value_of(theirs) + tls;

	if (asprintf(&ret[0], TUNABLES_VARIABLE "=%s%s" TUNABLES_NAME "=%lu",
		     theirs ? theirs : "", theirs && *theirs ? ":" : "",
		     value) < 0)
		ret[0] = NULL;
	ret[1] = strdup(TUNABLES_MARK "=");
	ret[2] = NULL;
	if (theirs && asprintf(&ret[2], TUNABLES_SAVED "=%s", theirs) < 0)
		ret[2] = NULL;
	if (ret[0] && ret[1] && (ret[2] || !theirs))
		return true;
	for (int i = 0; i < TUNABLES_ENTRIES; i++)
		free(ret[i]);
	return false;
}

bool tunables_set(uint32_t tls)
{
	char *entries[TUNABLES_ENTRIES];

	if (!tunables_make(tls, entries))
		return false;
	for (int i = 0; i < TUNABLES_ENTRIES; i++)
		if (entries[i] && putenv(entries[i]) != 0)
			return false;
	return true;
}
