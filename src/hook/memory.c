/* SPDX-License-Identifier: MIT */
/*
 * The second witness: which pages of an object's code have been used since main
 * began, whoever called it and however. The kernel forgets at main, and tells
 * at exit; it also tells which memory is the process's own.
 */
#include "hook/hook.h"

void memory_keep(struct trail_memory *to)
{
	long fd = kernel_open("/proc/self/smaps", O_RDONLY);
	uint32_t size = 0;
	long n = 0;

	if (fd < 0)
		return;
	while (size < sizeof(to->text) &&
	       (n = kernel_read(fd, to->text + size, sizeof(to->text) - size)) >
		       0)
		size += (uint32_t)n;
	kernel_close(fd);
	to->is_whole = n == 0 && size < sizeof(to->text);
	to->size = size;
}

bool memory_forget_use(void)
{
	long fd = kernel_open("/proc/self/clear_refs", O_WRONLY);

	if (fd < 0)
		return false;
	long n = kernel_write(fd, "1", 1);
	kernel_close(fd);
	return n == 1;
}
