/* SPDX-License-Identifier: MIT */
/*
 * A host with libltdl: ltdl DIR opens every plugin.
 */
#include "bench/host.h"

#include <ltdl.h>

static int open_one(const char *file, void *data)
{
	(void)data;
	lt_dlopenext(file);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t start = now_ns();

	if (argc != 2 || lt_dlinit() != 0)
		return 2;
	lt_dlforeachfile(argv[1], open_one, NULL);
	report(start);
}
