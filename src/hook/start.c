/* SPDX-License-Identifier: MIT */
/*
 * Before the program: the trail is made and mapped, and what started the tracer
 * is taken out of the environment again, so that the program and its children
 * see what the user set.
 *
 * The environment is changed in place: the dynamic linker has read what it
 * wanted of it, and the C library will take the same array. Two entries go. As
 * some programs find the auxiliary vector behind the environment, the gap is
 * filled with an entry of that vector which says "ignore me".
 */
#include "hook/hook.h"

struct trail *hook_trail;
struct hook_auxiliary hook_auxiliary;

bool hook_is_traced(void)
{
	return hook_trail && kernel_process() == hook_trail->pid;
}

uint64_t hook_worked(uint64_t begin)
{
	uint64_t passed = cpu_ticks() - begin;

	__atomic_fetch_add(&hook_trail->own, passed, __ATOMIC_RELAXED);
	return passed;
}

void hook_synchronize(void)
{
	hook_trail->last_ticks = cpu_ticks();
	hook_trail->last_ns = kernel_now();
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
	uint32_t at = hook_trail->string_size;

	if (!text)
		return 0;
	size_t size = text_length(text) + 1;
	if (size > TRAIL_STRINGS - at) {
		hook_trail->strings_lost++;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		hook_trail->strings[at + i] = text[i];
	hook_trail->string_size = at + (uint32_t)size;
	return at;
}

/* ------------------------------------------------------------------ */
/* The environment                                                    */

static const char *find(char **envp, const char *name, size_t *ret_at)
{
	for (size_t i = 0; envp[i]; i++) {
		const char *rest = text_after(envp[i], name);

		if (rest && *rest == '=') {
			*ret_at = i;
			return rest + 1;
		}
	}
	return NULL;
}

/* Takes one entry out; the array's end moves down by one. */
static void take_out(char **envp, size_t at)
{
	do
		envp[at] = envp[at + 1];
	while (envp[at++]);
}

static void restore(char **envp)
{
	size_t ours, audit, saved, end = 0;

	if (!find(envp, TRAIL_VARIABLE, &ours) ||
	    !find(envp, "LD_AUDIT", &audit))
		return;
	while (envp[end])
		end++;
	if (find(envp, TRAIL_SAVED, &saved)) {
		envp[audit] = envp[saved] + TRAIL_SAVED_AT;
		take_out(envp, saved);
		find(envp, TRAIL_VARIABLE, &ours);
	} else {
		take_out(envp, audit);
		find(envp, TRAIL_VARIABLE, &ours);
	}
	take_out(envp, ours);
	envp[end - 1] = (char *)AT_IGNORE;
	envp[end] = NULL;
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
/* The trail                                                          */

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

/* DIR/PID.TICKS: a process that executes another program leaves two. The file is
 * full of holes, and where they cannot be filled the program would get a signal:
 * it stays empty then. */
static struct trail *make_trail(const char *dir, uint64_t ticks)
{
	static char path[PATH_SIZE];
	struct trail *trail = NULL;
	size_t at = put_text(path, 0, dir);

	at = put_text(path, at, "/");
	at = put_number(path, at, kernel_process());
	at = put_text(path, at, ".");
	put_number(path, at, ticks);
	long fd = kernel_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
	if (fd < 0)
		return NULL;
	if (kernel_has_room(fd, sizeof(struct trail)) &&
	    kernel_resize(fd, sizeof(struct trail)) == 0 &&
	    kernel_map(fd, cpu_called, sizeof(cpu_called)))
		trail = kernel_map(fd, NULL, sizeof(struct trail));
	kernel_close(fd);
	return trail;
}

static void keep_arguments(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		uint32_t kept = text_keep(argv[i]);

		if (!kept) {
			hook_trail->arguments_missing = (uint32_t)(argc - i);
			return;
		}
		if (i == 0)
			hook_trail->arguments = kept;
		hook_trail->argument_count++;
	}
}

static void keep_executable(void)
{
	static char path[PATH_SIZE];
	long n = kernel_read_link("/proc/self/exe", path, sizeof(path) - 1);

	if (n > 0) {
		path[n] = '\0';
		hook_trail->executable = text_keep(path);
	}
}

static void begin_trail(uint64_t ticks)
{
	struct trail *trail = hook_trail;

	trail->magic = TRAIL_MAGIC;
	trail->size = sizeof(*trail);
	trail->pid = kernel_process();
	trail->parent = kernel_parent();
	trail->string_size = 1;
	trail->load_count = 1; /* the start */
	trail->loads[0].thread = trail->pid;
	hook_synchronize();
	trail->first_ticks = trail->last_ticks;
	trail->first_ns = trail->last_ns;
	trail->start = (struct trail_moment){ticks, 0};
}

__attribute__((constructor)) static void start(int argc, char **argv,
					       char **envp)
{
	uint64_t begin = cpu_ticks();
	size_t at;
	const char *where = find(envp, TRAIL_VARIABLE, &at);

	if (!where || !*where)
		return;
	read_auxiliary(envp);
	hook_trail = make_trail(where + 1, begin);
	if (hook_trail) {
		begin_trail(begin);
		keep_executable();
		keep_arguments(argc, argv);
		hook_worked(begin);
		hook_trail->loads[0].begin = moment_now();
	}
	if (*where != 'c')
		restore(envp);
}
