/* SPDX-License-Identifier: MIT */
/*
 * The audit object: what the dynamic linker tells it (rtld-audit(7)) becomes
 * the trace buffer. What the linker does when, as glibc 2.36 has it (and 2.41,
 * where that is another order):
 *
 *   start   objopen of program and ld.so; for each needed object: objsearch,
 *           objopen; relocation (symbind); activity CONSISTENT; constructors;
 *           preinit; the program's constructors; main
 *   dlopen  objsearch, activity ADD, objopen ...; activity CONSISTENT;
 *           relocation (symbind) (2.41: then CONSISTENT); constructors
 *   dlclose destructors, objclose; activity DELETE (2.41: before objclose);
 *           CONSISTENT
 *   exit    atexit's functions; activity DELETE; destructors, objclose, of the
 *           program first
 *
 * So where relocation of a dlopen begins is told by the last objopen, and that
 * a DELETE was the program's exit by whose objclose comes next.
 */
#include "hook/hook.h"

static struct hook_search search; /* what is being looked for */
static uint32_t mapping;	  /* the load that is being mapped */
static bool is_closing;
static struct tracebuf_moment deleting; /* the exit, if the program goes next */

/* ------------------------------------------------------------------ */
/* Loads                                                              */

static bool is_start(void)
{
	return !hook_tracebuf->loads[0].relocated.ticks;
}

/* Other auditors, each in a namespace of its own, are loaded before the program
 * is opened, and told of, too: they are none of its objects. */
static bool is_before_program(void)
{
	return hook_tracebuf->object_count == 0;
}

static bool is_auditors(Lmid_t namespace)
{
	return namespace != LM_ID_BASE && is_before_program();
}

static struct tracebuf_load *load_of(uint32_t n)
{
	return &hook_tracebuf->loads[n];
}

static void begin_load(void)
{
	uint32_t n = hook_tracebuf->load_count;

	mapping = n;
	*load_of(n) = (struct tracebuf_load){
		.begin = search.begin,
		.thread = kernel_thread(),
		.by = (uint16_t)search.by,
	};
	/* The last place is that of all which did not get one. */
	if (n == TRACEBUF_LOADS - 1) {
		hook_tracebuf->loads_lost++;
	} else {
		hook_tracebuf->load_count++;
		load_of(n)->requested = text_keep(search.name);
	}
}

/* No object of the load is relocated any more once a constructor runs. */
static void end_relocation(uint32_t n, struct tracebuf_moment now)
{
	struct tracebuf_load *load = load_of(n);

	if (load->relocated.ticks)
		return;
	load->relocated = load->end = now;
	bound_scan(n);
}

void hook_init(int argc, char **argv, char **envp, unsigned n)
{
	uint64_t begin = cpu_ticks();
	struct tracebuf_object *o = object_of(n + 1);
	bool is_traced = hook_is_traced(), is_first;

	if (!is_traced) {
		object_construct(n + 1, argc, argv, envp);
		return;
	}
	uint32_t load = o->load;
	end_relocation(load, moment_at(begin));
	is_first = !o->init_begin.ticks;
	if (is_first) {
		o->init_thread = kernel_thread();
		o->init_order = ++hook_tracebuf->init_count;
	}
	hook_worked(begin);
	struct tracebuf_moment called = moment_now();
	if (is_first)
		o->init_begin = called;
	object_construct(n + 1, argc, argv, envp);
	struct tracebuf_moment returned = moment_now();
	if (is_first)
		o->init_end = returned;
	o->init_ticks += moment_between(called, returned);
	load_of(load)->end = returned;
}

/* ------------------------------------------------------------------ */
/* Callbacks                                                          */

#define CALLBACK __attribute__((visibility("default")))

CALLBACK unsigned la_version(unsigned version)
{
	if (!hook_tracebuf)
		return 0;
	return version < LAV_CURRENT ? version : LAV_CURRENT;
}

CALLBACK char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag)
{
	uint64_t begin = cpu_ticks();

	if (flag != LA_SER_ORIG || !hook_is_traced())
		return (char *)name;
	uint32_t by = object_reference(cookie);
	search = (struct hook_search){
		.name = name,
		.by = by,
		.is_needed = by && object_needs(by, name),
	};
	hook_worked(begin);
	search.begin = moment_now();
	return (char *)name;
}

CALLBACK unsigned la_objopen(struct link_map *map, Lmid_t namespace,
			     uintptr_t *cookie)
{
	uint64_t begin = cpu_ticks();

	if (!hook_is_traced() || is_auditors(namespace))
		return 0;
	struct tracebuf_moment now = moment_at(begin);
	uint32_t reference = object_open(map, &search, now);
	search = (struct hook_search){.begin = {0, 0}};
	if (reference) {
		*cookie = reference;
		object_of(reference)->load = mapping;
		load_of(mapping)->objects++;
		load_of(mapping)->mapped = now;
	}
	hook_worked(begin);
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

static void consistent(struct tracebuf_moment now)
{
	if (is_start())
		end_relocation(0, now);
	if (!is_closing)
		mapping = 0;
	is_closing = false;
	deleting = (struct tracebuf_moment){0, 0};
}

/* Older linkers do not say before that it began. */
static void exiting(uint64_t begin)
{
	if (hook_tracebuf->exit.ticks)
		return;
	hook_tracebuf->exit = deleting.ticks ? deleting : moment_at(begin);
	memory_keep(&hook_tracebuf->at_exit);
	hook_synchronize();
	uint64_t passed = hook_worked(begin);
	hook_tracebuf->own_memory += passed;
	hook_tracebuf->finished = moment_now();
}

CALLBACK void la_activity(uintptr_t *cookie, unsigned flag)
{
	uint64_t begin = cpu_ticks();

	(void)cookie;
	if (!hook_is_traced() || is_before_program())
		return;
	switch (flag) {
	case LA_ACT_ADD:
		if (!is_start())
			begin_load();
		break;
	case LA_ACT_CONSISTENT:
		consistent(moment_at(begin));
		hook_synchronize();
		break;
	case LA_ACT_DELETE:
		deleting = moment_at(begin);
		break;
	}
	hook_worked(begin);
}

CALLBACK unsigned la_objclose(uintptr_t *cookie)
{
	uint64_t begin = cpu_ticks();
	uint32_t reference = object_reference(cookie);

	if (!hook_is_traced() || !reference)
		return 0;
	if (object_of(reference)->why == TRACEBUF_EXE)
		exiting(begin);
	/* Objects stay as they were then. */
	if (hook_tracebuf->exit.ticks)
		return 0;
	is_closing = true;
	object_close(reference);
	return 0;
}

CALLBACK void la_preinit(uintptr_t *cookie)
{
	uint64_t begin = cpu_ticks();

	(void)cookie;
	if (!hook_is_traced())
		return;
	hook_tracebuf->main = moment_at(begin);
	bound_begin_main();
	uint64_t memory = cpu_ticks();
	memory_keep(&hook_tracebuf->at_main);
	hook_tracebuf->cleared = memory_forget_use();
	hook_tracebuf->own_memory += cpu_ticks() - memory;
	hook_synchronize();
	hook_worked(begin);
	hook_tracebuf->resumed = moment_now();
}

CALLBACK uintptr_t la_symbind64(Elf64_Sym *symbol, unsigned n,
				uintptr_t *from_cookie, uintptr_t *to_cookie,
				unsigned *flags, const char *name)
{
	uint64_t begin = cpu_ticks();
	uint64_t address = symbol->st_value;
	uint32_t from = object_reference(from_cookie);
	uint32_t to = object_reference(to_cookie);

	(void)name;
	if (!from || !to || !address)
		return address;
	__atomic_fetch_add(&hook_tracebuf->bind_count, 1, __ATOMIC_RELAXED);
	if (*flags & LA_SYMB_DLSYM) {
		/* Before the program starts it is the linker that asks. */
		if (!is_start())
			bound_add(from, to, n,
				  object_is_code(to, address)
					  ? TRACEBUF_LOOKUP
					  : TRACEBUF_LOOKUP_DATA);
	} else if (*flags & LA_SYMB_NOPLTENTER) {
		struct tracebuf_object *o = object_of(from);

		address = bound_call(from, to, n, address);
		o->is_bound_now = 1;
		if (o->opens == 1)
			o->bound_at = moment_at(begin);
	} else if (from != to) {
		bound_add(from, to, n,
			  hook_tracebuf->main.ticks ? TRACEBUF_LATE_CALL
						    : TRACEBUF_FIRST_CALL);
	}
	hook_worked(begin);
	return address;
}
