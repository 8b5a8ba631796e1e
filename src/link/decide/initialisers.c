/* SPDX-License-Identifier: MIT */
/*
 * If initialisers or terminators refer to anything of another library, that counts
 * as an effect on it: a call that registers something looks like any other. They may
 * use nearly all of the C and C++ runtime, as nobody else can notice that (memory,
 * texts, locks). The exceptions are listed: what changes the process (its
 * environment, its signals, its threads), and what is seen outside of it (files,
 * lines of output).
 */
#include "link/decide/initialisers.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/functions.h"
#include "link/code/initialisers.h"
#include "link/decide/rules.h"

#include <fcntl.h>
#include <fnmatch.h>

struct search {
	const struct closure *closure;
	const struct symtab *symtab;
	size_t object;
	enum verdict_why why;
	const char *symbol;
	bool ending; /* what is looked at are terminators */
};

static bool is_among(const char *name, const char *const *globs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(globs[i], name, 0) == 0)
			return true;
	return false;
}

static bool starts(const char *name)
{
	static const char *const globs[] = {
		"pthread_create", "thrd_create",
		"fork",		  "vfork",
		"_Fork",	  "clone",
		"posix_spawn*",	  "popen",
		"system",	  "_ZNSt6thread15_M_start_threadE*",
		"timer_create",	  "aio_*",
		"lio_listio*",	  "getaddrinfo_a",
		"mq_notify",	  "wordexp",
		"daemon",	  "forkpty"};

	return is_among(name, globs, ARRAY_SIZE(globs));
}

/* Of the process: its environment, signals, modes, descriptors, rights. */
static const char *const process_changers[] = {
	"setenv",
	"putenv",
	"unsetenv",
	"clearenv",
	"signal",
	"ssignal",
	"*sigaction",
	"__sysv_signal",
	"sysv_signal",
	"bsd_signal",
	"sigset",
	"sigvec",
	"sigprocmask",
	"pthread_sigmask",
	"pthread_setcancel*",
	"sigblock",
	"sigsetmask",
	"sighold",
	"sigrelse",
	"sigignore",
	"siginterrupt",
	"sigaltstack",
	"kill",
	"raise",
	"alarm",
	"ualarm",
	"setitimer",
	"timer_settime",
	"setlocale",
	"uselocale",
	"textdomain",
	"pthread_atfork",
	"__register_atfork",
	"setrlimit*",
	"prlimit*",
	"umask",
	"chdir",
	"fchdir",
	"dup",
	"dup2",
	"dup3",
	"close",
	"closefrom",
	"close_range",
	"fclose",
	"freopen*",
	"setvbuf",
	"setbuf",
	"setbuffer",
	"setlinebuf",
	"prctl",
	"personality",
	"nice",
	"setpriority",
	"sched_set*",
	"pthread_setaffinity*",
	"pthread_setsched*",
	"setsid",
	"setpgid",
	"setpgrp",
	"set*uid",
	"set*gid",
	"setgroups",
	"initgroups",
	"mlockall",
	"mallopt",
	"syscall",
	"srand",
	"srandom",
	"rand",
	"random",
	"initstate",
	"setstate",
	"*rand48",
	"seed48",
	"lcong48",
	"fesetround",
	"fesetenv",
	"feupdateenv",
	"feholdexcept",
	"feraiseexcept",
	"feenableexcept",
	"fedisableexcept",
	"register_printf_*",
	"on_exit",
	"at_quick_exit",
	"exit",
	"_exit",
	"_Exit",
	"quick_exit",
	"openlog",
	"_ZSt13set_terminatePFvvE",
	"_ZSt15set_new_handlerPFvvE",
	"_ZNSt6locale6globalERKS_",
};

/*
 * What others see: files, the standard output, what is opened by name. Not
 * what goes to the standard error alone: failures, which nobody meets.
 */
static const char *const seen_outside[] = {
	"puts",
	"putchar*",
	"printf",
	"vprintf",
	"__printf_chk",
	"__vprintf_chk",
	"dprintf",
	"vdprintf",
	"__dprintf_chk",
	"__vdprintf_chk",
	"pwrite*",
	"stdout",
	"_ZSt4cout",
	"_ZSt5wcout",
	"write",
	"open",
	"open64",
	"openat*",
	"creat*",
	"fopen*",
	"mkdir*",
	"mkstemp*",
	"mkostemp*",
	"mkdtemp",
	"tmpfile*",
	"unlink*",
	"rmdir",
	"remove",
	"rename*",
	"link",
	"linkat",
	"symlink*",
	"mkfifo*",
	"mknod*",
	"truncate*",
	"ftruncate*",
	"chmod",
	"fchmod*",
	"chown",
	"lchown",
	"fchown*",
	"socket",
	"connect",
	"bind",
	"sendto",
	"sendmsg",
	"shm_open",
	"shm_unlink",
	"sem_open",
	"sem_unlink",
	"shmget",
	"semget",
	"msgget",
	"mq_open",
	"syslog",
	"vsyslog",
	"__syslog_chk",
	"dlsym",
	"dlvsym",
	"dlopen",
	"dlmopen",
	"writev",
	"__open_2",
	"__open64_2",
	"__openat*",
	"send",
	"sendmmsg",
	"utime*",
	"utimensat",
	"futim*",
	"lutimes",
	"*setxattr",
	"*removexattr",
	"mount",
	"_ZNSt*basic_ofstream*",
	"_ZNSt*basic_fstream*",
	"_ZNSt*basic_filebuf*4open*",
	"_ZNSt10filesystem*",
};

static bool changes_process(const char *name)
{
	return is_among(name, process_changers, ARRAY_SIZE(process_changers));
}

static bool is_seen(const char *name)
{
	return is_among(name, seen_outside, ARRAY_SIZE(seen_outside));
}

/* What terminators do whether or not the library was used. */
static bool is_seen_at_end(const char *name)
{
	static const char *const globs[] = {
		"puts",		 "putchar*",	   "printf",	"vprintf",
		"__printf_chk",	 "__vprintf_chk",  "dprintf",	"vdprintf",
		"__dprintf_chk", "__vdprintf_chk", "_ZSt4cout", "write",
		"unlink*",	 "rename*",	   "creat*"};

	return is_among(name, globs, ARRAY_SIZE(globs));
}

/* What compilers have each library register with a sanitizer is its own. */
static bool is_instrumentation(const char *name)
{
	static const char *const globs[] = {"__asan_*", "__ubsan_*", "__tsan_*",
					    "__lsan_*", "__sanitizer_*"};

	return is_among(name, globs, ARRAY_SIZE(globs));
}

static bool is_of_runtime(const struct elf_view *view)
{
	struct rules_reason reasons[RULES_MAX];

	return rules_of_file(view, reasons) > 0 &&
	       reasons[0].why == VERDICT_RUNTIME;
}

static bool look_at(const struct elf_symbol *symbol, void *arg)
{
	struct search *search = arg;
	const struct symtab_name *name =
		symtab_find(search->symtab, symbol->name);
	const struct definition *found =
		name ? symtab_resolve(name, symbol->version, 0) : NULL;

	if (symbol->name == initialisers_mode) {
		search->why = VERDICT_INITIALISER;
		search->symbol = symbol->name;
		return false;
	}
	if (!found || found->object == search->object ||
	    is_instrumentation(symbol->name))
		return true;
	bool runtime =
		is_of_runtime(search->closure->objects[found->object].view);
	/* A library that was never loaded has nothing to end with others. */
	if (search->ending && !(runtime && is_seen_at_end(symbol->name)))
		return true;
	if (runtime && starts(symbol->name))
		search->why = VERDICT_THREADS;
	else if (runtime && !changes_process(symbol->name) &&
		 !is_seen(symbol->name))
		return true;
	else
		search->why = VERDICT_INITIALISER;
	search->symbol = name->text;
	return false;
}

/* What they do, as far as it is known; of CPUs other than x86-64 nothing is, and
 * they count as harmless. */
static bool is_known(const struct elf_data *data, const struct elf_view *view,
		     struct search *search)
{
	if (!elf_data_is_x86_64(data))
		return true;
	if (code_constructs(data, view) &&
	    !initialisers_reach(data, view, elf_data_constructors(data),
				look_at, search))
		return false;
	if (search->why != VERDICT_LAZY || !code_destructs(data, view))
		return true;
	search->ending = true;
	return initialisers_reach(data, view, elf_data_destructors(data),
				  look_at, search);
}

int initialisers_judge(const struct closure *closure,
		       const struct symtab *symtab, size_t i,
		       enum verdict_why *ret, const char **ret_symbol)
{
	const struct closure_object *object = &closure->objects[i];
	struct search search = {closure, symtab, i, VERDICT_LAZY, NULL, false};
	_cleanup_elf_data_ struct elf_data *data = NULL;
	_cleanup_close_ int fd = -1;
	struct file_identity ignored;
	int r = file_open(AT_FDCWD, object->path, &fd, &ignored);

	if (r == 0)
		r = elf_data_open(fd, object->path, &data);
	if (r == -DLAZY_ENOMEM)
		return r;
	if (r < 0 || (!is_known(data, object->view, &search) &&
		      search.why == VERDICT_LAZY)) {
		search.why = VERDICT_INITIALISER;
		search.symbol = "what cannot be told";
	}
	status_clear();
	*ret = search.why;
	*ret_symbol = search.symbol;
	return 0;
}
