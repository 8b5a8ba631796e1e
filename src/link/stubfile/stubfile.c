/* SPDX-License-Identifier: MIT */
/*
 * What does not depend on the kind of stub file.
 */
#include "link/stubfile/stubfile.h"

#include <stdlib.h>

int stubfile_native(void)
{
#if defined(__x86_64__) && defined(__LP64__)
	return STUBFILE_X86_64;
#elif defined(__aarch64__) && defined(__LP64__) && defined(__AARCH64EL__)
	return STUBFILE_AARCH64;
#else
	return -1;
#endif
}

void stubfile_clear(struct stubfile *file)
{
	free(file->data);
	*file = (struct stubfile){NULL, 0};
}
