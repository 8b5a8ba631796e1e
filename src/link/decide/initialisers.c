/* SPDX-License-Identifier: MIT */
/*
 * Whatever of another library the initialisers refer to counts as an effect on
 * it: registering is a call like any. Of the C and C++ runtime they may use what
 * nobody else can notice (memory, texts, locks), which is nearly all; what
 * changes the process (its environment, its signals, its threads) is listed.
 * Where the lines stand that they print is not kept.
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
		"system",	  "_ZNSt6thread15_M_start_threadE*"};

	return is_among(name, globs, ARRAY_SIZE(globs));
}

static bool changes_process(const char *name)
{
	static const char *const globs[] = {"setenv",
					    "putenv",
					    "unsetenv",
					    "clearenv",
					    "signal",
					    "*sigaction",
					    "__sysv_signal",
					    "bsd_signal",
					    "sigset",
					    "sigprocmask",
					    "pthread_sigmask",
					    "pthread_setcancel*",
					    "sigblock",
					    "sigsetmask",
					    "sighold",
					    "sigrelse",
					    "sigignore",
					    "setlocale",
					    "pthread_atfork",
					    "__register_atfork",
					    "setrlimit*",
					    "umask",
					    "chdir",
					    "fchdir",
					    "dup2",
					    "dup3",
					    "prctl",
					    "srand",
					    "srandom",
					    "on_exit",
					    "_ZSt13set_terminatePFvvE",
					    "_ZSt15set_new_handlerPFvvE",
					    "_ZNSt6locale6globalERKS_"};

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

	if (!found || found->object == search->object ||
	    is_instrumentation(symbol->name))
		return true;
	bool runtime =
		is_of_runtime(search->closure->objects[found->object].view);
	if (runtime && starts(symbol->name))
		search->why = VERDICT_THREADS;
	else if (runtime && !changes_process(symbol->name))
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
	return !code_constructs(data, view) || !elf_data_is_x86_64(data) ||
	       initialisers_reach(data, view, look_at, search);
}

int initialisers_judge(const struct closure *closure,
		       const struct symtab *symtab, size_t i,
		       enum verdict_why *ret, const char **ret_symbol)
{
	const struct closure_object *object = &closure->objects[i];
	struct search search = {closure, symtab, i, VERDICT_LAZY, NULL};
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
