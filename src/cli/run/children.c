/* SPDX-License-Identifier: MIT */
/*
 * Setting the environment for children. One variable holds all that a child's
 * run needs to know (hook/follow.h). It is set anew for each run, with this
 * process's number, as a process keeps its number when it is executed again.
 * The audit object (hook/follow.c) and child.c read it.
 */
#include "cli/run/children.h"

#include "base/cleanup.h"
#include "base/memstream.h"
#include "cli/cli.h"
#include "cli/frame/beside.h"
#include "hook/follow.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLLOW "follow.so"

/* NULL: out of memory. */
static char *variable_of(const struct request *request, const char *own)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, FOLLOW_VARIABLE "=%ld%c%s%c", (long)getpid(),
		FOLLOW_SEPARATOR, own, FOLLOW_SEPARATOR);
	request_write(request, out);
	if (request->wait)
		fputs("wait\n", out);
	memstream_end(out, &text);
	return text;
}

/* Why they cannot be followed, or NULL; what is found is written. */
static const char *find_follow(const struct request *request,
			       char follow[PATH_MAX], char own[PATH_MAX])
{
	const char *audit = getenv("LD_AUDIT");

	beside_own(own);
	if (audit && *audit)
		return "LD_AUDIT is in use";
	if (beside_find(FOLLOW, DLAZY_BIN_TO_PKGLIB, DLAZY_PKGLIBDIR, follow) <=
	    0)
		return FOLLOW " is not there: dlazy is not installed whole, "
			      "or cannot do that on this CPU";
	if (strpbrk(follow, ":;") || !*own)
		return "dlazy lies where LD_AUDIT cannot name it";
	return request_has_newline(request) ? "a GLOB has a line break" : NULL;
}

void children_prepare(const struct request *request, uint32_t tls,
		      struct children *ret)
{
	char follow[PATH_MAX], own[PATH_MAX];

	*ret = (struct children){.audit = NULL};
	if (!request->children || tls == 0)
		return;
	const char *why = find_follow(request, follow, own);
	if (why) {
		cli_say("children run without laziness: %s", why);
		return;
	}
	if (!tunables_make(tls, ret->tunables))
		return;
	ret->variable = variable_of(request, own);
	if (asprintf(&ret->audit, "LD_AUDIT=%s", follow) < 0)
		ret->audit = NULL;
}
