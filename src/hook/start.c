/* SPDX-License-Identifier: MIT */
/*
 * Before the program: the trace buffer is made and mapped, and what started the
 * tracer is taken out of the environment again, so that the program and its
 * children see what the user set.
 */
#include "hook/environment.h"
#include "hook/hook.h"

struct tracebuf *hook_tracebuf;
struct hook_auxiliary hook_auxiliary;

bool hook_is_traced(void)
{
	return hook_tracebuf && kernel_process() == hook_tracebuf->pid;
}

uint64_t hook_worked(uint64_t begin)
{
	uint64_t passed = cpu_ticks() - begin;

	__atomic_fetch_add(&hook_tracebuf->own, passed, __ATOMIC_RELAXED);
	return passed;
}

void hook_synchronize(void)
{
	hook_tracebuf->last_ticks = cpu_ticks();
	hook_tracebuf->last_ns = kernel_now();
}

/* ------------------------------------------------------------------ */
/* Text                                                               */

size_t text_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

const char *text_after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

bool text_equal(const char *a, const char *b)
{
	const char *rest = text_after(a, b);

	return rest && !*rest;
}

uint32_t text_keep(const char *text)
{
	uint32_t at = hook_tracebuf->string_size;

	if (!text)
		return 0;
	size_t size = text_length(text) + 1;
	if (size > TRACEBUF_STRINGS - at) {
		hook_tracebuf->strings_lost++;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		hook_tracebuf->strings[at + i] = text[i];
	hook_tracebuf->string_size = at + (uint32_t)size;
	return at;
}

/* ------------------------------------------------------------------ */
/* The environment                                                    */

static void restore(char **envp)
{
	char **audit = environment_find(envp, "LD_AUDIT");

	if (!audit || !environment_find(envp, TRACEBUF_VARIABLE))
		return;
	environment_put_back(audit, environment_find(envp, TRACEBUF_SAVED),
			     TRACEBUF_SAVED_AT);
	environment_take_out(environment_find(envp, TRACEBUF_VARIABLE));
	environment_close_gap(envp);
	environment_put_back_tunables(envp);
}

static void read_auxiliary(char **envp)
{
	while (*envp)
		envp++;
	for (const ElfW(auxv_t) *a = (void *)(envp + 1); a->a_type; a++) {
		switch (a->a_type) {
		case AT_PHDR:
			hook_auxiliary.headers = a->a_un.a_val;
			break;
		case AT_PHNUM:
			hook_auxiliary.header_count = a->a_un.a_val;
			break;
		case AT_BASE:
			hook_auxiliary.linker = a->a_un.a_val;
			break;
		case AT_SYSINFO_EHDR:
			hook_auxiliary.vdso = a->a_un.a_val;
			break;
		}
	}
}

/* ------------------------------------------------------------------ */
/* The trace buffer                                                   */

#define PATH_SIZE 4096

static size_t put_text(char *buffer, size_t at, const char *text)
{
	while (*text && at < PATH_SIZE - 1)
		buffer[at++] = *text++;
	buffer[at] = '\0';
	return at;
}

static size_t put_number(char *buffer, size_t at, uint64_t number)
{
	char digits[24];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do
		digits[--i] = (char)('0' + number % 10);
	while (number /= 10);
	return put_text(buffer, at, digits + i);
}

/* DIR/PID.TICKS: a process that executes another program leaves two. The file
 * is full of holes, and where they cannot be filled the program would get a
 * signal: it stays empty then. */
static struct tracebuf *make_tracebuf(const char *dir, uint64_t ticks)
{
	static char path[PATH_SIZE];
	struct tracebuf *tracebuf = NULL;
	size_t at = put_text(path, 0, dir);

	at = put_text(path, at, "/");
	at = put_number(path, at, kernel_process());
	at = put_text(path, at, ".");
	put_number(path, at, ticks);
	long fd = kernel_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
	if (fd < 0)
		return NULL;
	if (kernel_has_room(fd, sizeof(struct tracebuf)) &&
	    kernel_resize(fd, sizeof(struct tracebuf)) == 0 &&
	    kernel_map(fd, cpu_called, sizeof(cpu_called)))
		tracebuf = kernel_map(fd, NULL, sizeof(struct tracebuf));
	kernel_close(fd);
	return tracebuf;
}

static void keep_arguments(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		uint32_t kept = text_keep(argv[i]);

		if (!kept) {
			hook_tracebuf->arguments_missing = (uint32_t)(argc - i);
			return;
		}
		if (i == 0)
			hook_tracebuf->arguments = kept;
		hook_tracebuf->argument_count++;
	}
}

static void keep_executable(void)
{
	static char path[PATH_SIZE];
	long n = kernel_read_link("/proc/self/exe", path, sizeof(path) - 1);

	if (n > 0) {
		path[n] = '\0';
		hook_tracebuf->executable = text_keep(path);
	}
}

static void begin_tracebuf(uint64_t ticks)
{
	struct tracebuf *tracebuf = hook_tracebuf;

	tracebuf->magic = TRACEBUF_MAGIC;
	tracebuf->size = sizeof(*tracebuf);
	tracebuf->pid = kernel_process();
	tracebuf->parent = kernel_parent();
	tracebuf->string_size = 1;
	tracebuf->load_count = 1; /* the start */
	tracebuf->loads[0].thread = tracebuf->pid;
	hook_synchronize();
	tracebuf->first_ticks = tracebuf->last_ticks;
	tracebuf->first_ns = tracebuf->last_ns;
	tracebuf->start = (struct tracebuf_moment){ticks, 0};
}

__attribute__((constructor)) static void start(int argc, char **argv,
					       char **envp)
{
	uint64_t begin = cpu_ticks();
	char **variable = environment_find(envp, TRACEBUF_VARIABLE);
	const char *where =
		variable ? text_after(*variable, TRACEBUF_VARIABLE "=") : NULL;

	if (!where || !*where)
		return;
	read_auxiliary(envp);
	hook_tracebuf = make_tracebuf(where + 1, begin);
	if (hook_tracebuf) {
		begin_tracebuf(begin);
		keep_executable();
		keep_arguments(argc, argv);
		hook_worked(begin);
		hook_tracebuf->loads[0].begin = moment_now();
	}
	if (*where != 'c')
		restore(envp);
}
