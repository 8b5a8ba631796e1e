/* SPDX-License-Identifier: MIT */
/*
 * The audit object of `dlazy advise --measure`: it ends a process when its
 * libraries are mapped, relocated and initialised, before main(). So a start can
 * be timed of any program, whatever it does.
 *
 * As all audit objects it has no C library, and lives in a namespace of its own.
 */
#include "hook/kernel.h"

#include <link.h>

#define CALLBACK __attribute__((visibility("default")))

CALLBACK unsigned la_version(unsigned version)
{
	return version < LAV_CURRENT ? version : LAV_CURRENT;
}

CALLBACK void la_preinit(uintptr_t *cookie)
{
	(void)cookie;
	KERNEL_CALL(exit_group, 0, 0, 0, 0, 0, 0);
}
