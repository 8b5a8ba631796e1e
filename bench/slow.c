/* SPDX-License-Identifier: MIT */
/* A plugin whose constructor takes a second. */
#include <unistd.h>

int f(void);

__attribute__((constructor)) static void begin(void)
{
	sleep(1);
}

int f(void)
{
	return 1;
}
