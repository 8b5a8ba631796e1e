/* SPDX-License-Identifier: MIT */
/*
 * Which pages of an object's code have been used since main began, whoever
 * called it and however. The kernel is made to forget at main, and tells at
 * exit; it also tells which memory is the process's own. This is a second
 * witness beside the calls that trampolines note.
 */
#include "hook/hook.h"

void memory_keep(struct tracebuf_memory *to)
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

/*
 * The kernel clears its page tables' bits, but lets the CPUs keep translations,
 * which set no bit when they are used again. Taking this many pages away makes
 * it throw them all away: above 33 (x86's tlb_single_page_flush_ceiling) it
 * does not go page by page.
 */
#define FLUSH_PAGES 256
#define PAGE 4096

static void flush_translations(void)
{
	char *pages = kernel_map_private(FLUSH_PAGES * PAGE);

	if (!pages)
		return;
	for (size_t i = 0; i < FLUSH_PAGES; i++)
		((volatile char *)pages)[i * PAGE] = 1;
	kernel_unmap(pages, FLUSH_PAGES * PAGE);
}

/* This function's own page is the reader's test: it is in use before and
 * behind, and must have been seen. */
bool memory_forget_use(void)
{
	long fd = kernel_open("/proc/self/clear_refs", O_WRONLY);

	if (fd < 0)
		return false;
	long n = kernel_write(fd, "1", 1);
	kernel_close(fd);
	flush_translations();
	hook_tracebuf->witness = (uint64_t)&memory_forget_use;
	return n == 1;
}
