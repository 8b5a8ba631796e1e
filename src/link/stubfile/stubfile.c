/* SPDX-License-Identifier: MIT */
/*
 * What all kinds of stub files share.
 */
#include "link/stubfile/stubfile.h"

#include "link/write/cpu.h"

#include <stdlib.h>

enum elf_cpu stubfile_native(void)
{
	return build_cpu_native();
}

void stubfile_clear(struct stubfile *file)
{
	free(file->data);
	*file = (struct stubfile){NULL, 0};
}
