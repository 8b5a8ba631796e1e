/* SPDX-License-Identifier: MIT */
/*
 * Making a generation, in this order: may the program be run lazily at all; its
 * closure and the verdicts; the stub file; the directory; the entry last, as only
 * the entry makes the generation known to others.
 *
 * What is read may be changing meanwhile. A change that falls into the clock tick in
 * which we read would leave no trace in the file's identity: so files that are as
 * young as that are waited for, and read again.
 *
 * If a state (status_is_state()) kept anything from being read, nothing is made,
 * neither a stub file nor a "no": it would outlast its cause.
 */
#include "link/cache/generation.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/hwcaps.h"
#include "elf/places.h"
#include "link/resolve/closure.h"
#include "link/stubfile/library.h"
#include "link/copy/copy.h"
#include "link/cache/runs.h"
#include "link/stubfile/stubfile.h"
#include "link/decide/verdict.h"
#include "stub/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>

/*
 * Fewer lazy libraries save less time than `dlazy run` itself costs: see the
 * programs of `make bench BENCH_FLAGS=--programs` on either side.
 */
#define LAZY_MIN 10

/* One that is younger may be in the making. */
#define SWEEP_SECONDS 60

struct making {
	const struct place *place;
	const struct program *program;
	const struct program_options *options;
	char *const *learned;
	char file[PATH_MAX]; /* the executable, links followed */
	struct closure closure;
	struct verdicts verdicts;
	char plain[STATUS_MESSAGE_MAX]; /* why plainly; "" */
	bool confined;			/* as it confines itself */
	uint32_t lazy;
	char generation[NAME_MAX]; /* the directory's name; "" */
	int fd;			   /* the directory; -1 until it is there */
	struct index *index;	   /* its own; or NULL */
	unsigned states; /* status_state_count() before all that counts */
	struct entry_draft draft;
};

static void making_end(struct making *m)
{
	verdicts_clear(&m->verdicts);
	closure_clear(&m->closure);
	entry_draft_clear(&m->draft);
	index_close(m->index);
	cleanup_close(&m->fd);
}
#define _cleanup_making_ _cleanup_(making_end)

/* ------------------------------------------------------------------ */
/* May it be lazy at all?                                             */

__attribute__((format(printf, 2, 3))) static void run_plainly(
	struct making *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(m->plain, sizeof(m->plain), format, args);
	va_end(args);
}

static int look_failed(const char *path)
{
	return status_fail(status_from_errno(errno), "%s: %s", path,
			   strerror(errno));
}

/* Such programs ignore LD_LIBRARY_PATH (AT_SECURE). *ret: how; or NULL. */
static int find_privilege(const char *path, const char **ret)
{
	struct stat st;

	*ret = NULL;
	if (stat(path, &st) < 0)
		return look_failed(path);
	ssize_t size = getxattr(path, "security.capability", NULL, 0);
	if (size < 0 && errno != ENODATA && errno != ENOTSUP && errno != ENOSYS)
		return look_failed(path);
	if (size > 0)
		*ret = "it has file capabilities";
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		*ret = "it is setgid";
	if (st.st_mode & S_ISUID)
		*ret = "it is setuid";
	return 0;
}

/* 0 or 1, of what may not be there; or a state. */
static int identify(const char *path, struct file_identity *ret)
{
	int status = file_identify(AT_FDCWD, path, ret);

	if (status_is_state(status))
		return status;
	status_clear();
	return status == 0;
}

/* The dynamic linker that runs us: libdlazy needs its libc. 0 or 1; where we
 * cannot look at ourselves (no /proc), that is a failure, and no fact. */
static int is_own_interpreter(const char *interpreter)
{
	struct file_identity theirs, ours;
	_cleanup_elf_view_ struct elf_view *own = NULL;
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, "/proc/self/exe", &fd, NULL);

	if (status == 0)
		status = elf_view_open_needs(fd, "/proc/self/exe", &own);
	if (status == 0 && *elf_view_interpreter(own) == '\0')
		status = status_fail(DLAZY_EFORMAT,
				     "/proc/self/exe is not dlazy");
	if (status == 0)
		status = file_identify(AT_FDCWD, elf_view_interpreter(own),
				       &ours);
	if (status < 0)
		return status;
	status = identify(interpreter, &theirs);
	return status > 0 ? file_identity_equal(&theirs, &ours) : status;
}

static int check_interpreter(struct making *m, const char *interpreter)
{
	int own = is_own_interpreter(interpreter);

	if (own != 0)
		return own < 0 ? own : 0;
	entry_draft_path(&m->draft, interpreter);
	run_plainly(m,
		    "its dynamic linker is %s, which libdlazy was not built "
		    "for",
		    interpreter);
	return 0;
}

static int check_view(struct making *m, const struct elf_view *view)
{
	const char *interpreter = elf_view_interpreter(view);

	if (*interpreter == '\0' && *elf_view_soname(view))
		run_plainly(m, "it is no program, but a shared object that can "
			       "be started (the dynamic linker?): name the "
			       "program itself");
	else if (*interpreter == '\0')
		run_plainly(m, "it is statically linked");
	else if (!stub_available() || stubfile_native() == ELF_CPU_NONE)
		run_plainly(m, "this dlazy has no stubs for this CPU");
	else
		return check_interpreter(m, interpreter);
	return 0;
}

static int check_program(struct making *m)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	const char *path = m->program->executable, *privilege;

	if (!realpath(path, m->file))
		return look_failed(path);
	int status = find_privilege(m->file, &privilege);
	if (status < 0)
		return status;
	if (privilege) {
		run_plainly(m, "%s: the dynamic linker would not listen",
			    privilege);
		return 0;
	}
	status = file_open(AT_FDCWD, m->file, &fd, NULL);
	if (status == 0)
		status = elf_view_open_needs(fd, m->file, &view);
	if (status == 0)
		return check_view(m, view);
	if (status_is_state(status))
		return status;
	run_plainly(m, "%s", status_message());
	status_clear();
	return 0;
}

/* A program that confines itself could not open a library afterwards, or would
 * open another in a changed root. What it asks for by its own system calls, or
 * by a library, is not seen. */
static void check_confinement(struct making *m)
{
	static const char *const names[] = {"chroot", "setns", "unshare",
					    "seccomp_init", "seccomp_load"};
	const struct elf_view *view = m->closure.objects[0].view;
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (elf_view_symbol(view, i, &symbol) &&
			    !symbol.defined &&
			    strcmp(symbol.name, names[k]) == 0) {
				m->confined = true;
				run_plainly(m,
					    "it calls %s: a library might not "
					    "be found afterwards",
					    names[k]);
				return;
			}
}

/* ------------------------------------------------------------------ */
/* The verdicts                                                       */

static int open_index(struct making *m)
{
	_cleanup_free_ char *cache = NULL;

	if (asprintf(&cache, "%s/" INDEX_CACHE_NAME,
		     m->options->system ? PROGRAM_SYSTEM_CACHE
					: m->options->cache) < 0) {
		cache = NULL;
		return status_no_memory(NULL);
	}
	return index_open(
		&(struct index_options){.cache_path = cache,
					.progress = m->options->progress,
					.data = m->options->data},
		&m->index);
}

static int decide(struct making *m)
{
	const struct index *index = m->options->index;

	return verdict_decide(&m->closure,
			      &(struct verdict_rules){
				      .index = index ? index : m->index,
				      .eager = m->options->eager,
				      .lazy = m->options->lazy,
				      .learned = m->learned,
			      },
			      &m->verdicts);
}

/* Has a failure to read had a part in what was found? */
static int check_states(const struct making *m)
{
	if (status_state_count() == m->states)
		return 0;
	return status_fail(DLAZY_EIO,
			   "not all of its libraries could be read just now");
}

static bool is_lazy(const struct making *m, size_t i)
{
	return m->verdicts.list[i].why == VERDICT_LAZY;
}

/* A user who names libraries to be lazy has decided that it is worth it. */
static bool is_asked_lazy(const struct making *m)
{
	return m->options->lazy && m->options->lazy[0];
}

/* Why most of those that are not lazy are not, by an example: "; LIBRARY and N
 * more: why"; "" if all are. What is of the runtime is always eager: that is
 * told if there is nothing else. */
static void describe_most(const struct making *m, char *buffer, size_t size)
{
	size_t most = 0, which = 0;
	bool other = false;
	char why[STATUS_MESSAGE_MAX / 2];

	for (size_t i = 1; i < m->verdicts.count; i++) {
		enum verdict_why reason = m->verdicts.list[i].why;
		bool is_other = reason != VERDICT_RUNTIME;
		size_t n = 0;

		for (size_t k = i; k < m->verdicts.count; k++)
			n += m->verdicts.list[k].why == reason;
		if (reason == VERDICT_LAZY || (other && !is_other) ||
		    (n <= most && other == is_other))
			continue;
		most = n;
		which = i;
		other = is_other;
	}
	buffer[0] = '\0';
	if (most == 0)
		return;
	char more[32] = "";
	if (most > 1)
		snprintf(more, sizeof(more), " and %zu more", most - 1);
	verdict_describe(&m->verdicts.list[which], why, sizeof(why));
	snprintf(buffer, size, "; %.80s%s: %.300s",
		 file_base_name(m->closure.objects[which].name), more, why);
}

/* Does laziness gain anything? Decides m->lazy. */
static void weigh(struct making *m)
{
	size_t libraries = 0;

	m->lazy = 0;
	for (size_t i = 1; i < m->closure.count; i++) {
		libraries += m->closure.objects[i].path != NULL;
		m->lazy += is_lazy(m, i);
	}
	if (m->lazy >= LAZY_MIN || (m->lazy > 0 && is_asked_lazy(m)))
		return;
	char most[STATUS_MESSAGE_MAX / 2];
	describe_most(m, most, sizeof(most));
	if (m->lazy == 0)
		run_plainly(m, "none of its %zu libraries can be lazy%s",
			    libraries, most);
	else
		run_plainly(m,
			    "only %u of its %zu libraries could be lazy: "
			    "nothing to gain%s",
			    m->lazy, libraries, most);
}

static bool is_own_name(const char *name)
{
	return strcmp(name, GENERATION_STUB) == 0 ||
	       strcmp(name, GENERATION_TOUCHED) == 0;
}

/* A lazy library has one name, which a link beside our own files has to have:
 * a longer one than files can have would not have been found. */
static void check_names(struct making *m)
{
	for (size_t i = 1; i < m->closure.count; i++) {
		const struct closure_object *object = &m->closure.objects[i];

		if (is_lazy(m, i) && is_own_name(object->name))
			run_plainly(m,
				    "%s: a stub file's directory has a %s "
				    "of its own",
				    object->path, object->name);
	}
}

/* ------------------------------------------------------------------ */
/* The stub file                                                      */

/* Marks what is not to be exported, as others have it first. */
static void select_exports(const struct making *m, size_t i,
			   struct library *library)
{
	const struct elf_view *view = m->closure.objects[i].view;

	for (size_t k = 0; k < library->symbol_count; k++) {
		struct library_symbol *s = &library->symbols[k];
		struct elf_symbol symbol;

		if (s->why_not)
			continue;
		if (!elf_view_find(view, s->name,
				   *s->version ? s->version : NULL, &symbol) ||
		    !verdict_exports(&m->verdicts, i, &symbol)) {
			s->why_not = "another object has it first";
			continue;
		}
		s->is_default &= verdict_defaults(&m->verdicts, i, &symbol);
		/* In a damaged file, another of that name may be found. */
		s->copied = s->data && s->address == symbol.value &&
			    s->size == symbol.size &&
			    verdict_has_copy(&m->verdicts, i, &symbol);
	}
}

struct libraries {
	struct library *list;
	size_t count;
};

static void cleanup_libraries(struct libraries *all)
{
	for (size_t i = 0; i < all->count; i++) {
		/* The view is the closure's. */
		all->list[i].view = NULL;
		library_clear(&all->list[i]);
	}
	free(all->list);
}

static int read_libraries(const struct making *m, struct libraries *all)
{
	all->list = calloc(m->lazy, sizeof(*all->list));
	if (!all->list)
		return status_no_memory(NULL);
	for (size_t i = 1; i < m->closure.count; i++) {
		const struct closure_object *object = &m->closure.objects[i];
		struct library *library = &all->list[all->count];

		if (!is_lazy(m, i))
			continue;
		int status =
			library_of_view(object->view, object->path, library);
		if (status < 0)
			return status;
		all->count++;
		library->copy = &m->verdicts.copies[i];
		library->identity = object->identity;
		select_exports(m, i, library);
	}
	return 0;
}

/*
 * The libraries that only lazy ones need, and that have to be mapped at the
 * start all the same.
 */
static const char **kept_edges(const struct making *m)
{
	const char **edges = calloc(m->closure.count + 1, sizeof(*edges));
	size_t n = 0;

	for (size_t i = 1; edges && i < m->closure.count; i++)
		if (m->verdicts.list[i].kept_edge)
			edges[n++] = m->closure.objects[i].path;
	return edges;
}

static int write_stub(const struct making *m, int dirfd, const char *directory,
		      const char *touched)
{
	_cleanup_(cleanup_libraries) struct libraries all = {NULL, 0};
	_cleanup_free_ const char **edges = kept_edges(m);
	_cleanup_(stubfile_clear) struct stubfile file = {NULL, 0};
	int status = edges ? read_libraries(m, &all) : status_no_memory(NULL);

	if (status == 0)
		status = stubfile_combined(
			all.list, all.count,
			&(struct stubfile_run){directory, touched},
			&(struct stubfile_options){.cpu = stubfile_native(),
						   .libdlazy =
							   m->options->libdlazy,
						   .needed = edges},
			&file);
	if (status < 0)
		return status;
	return file_replace(dirfd, GENERATION_STUB, file.data, file.size,
			    m->place->system ? 0755 : 0700);
}

/* ------------------------------------------------------------------ */
/* The directory                                                      */

static int cannot_write(const char *path)
{
	return status_fail(DLAZY_EIO, "%s: cannot write: %s", path,
			   strerror(errno));
}

static int link_name(int dirfd, const char *name)
{
	if (*name == '\0' || strchr(name, '/'))
		return 0;
	if (symlinkat(GENERATION_STUB, dirfd, name) < 0 && errno != EEXIST)
		return cannot_write(name);
	return 0;
}

/* By the name that its SONAME is, and by the one that it is needed by. */
static int link_names(const struct making *m, int dirfd)
{
	int status = 0;

	for (size_t i = 1; i < m->closure.count && status == 0; i++) {
		const struct closure_object *object = &m->closure.objects[i];

		if (!is_lazy(m, i))
			continue;
		status = link_name(dirfd, elf_view_soname(object->view));
		if (status == 0)
			status = link_name(dirfd, object->name);
	}
	return status;
}

void generation_remove(int parent, const char *name)
{
	_cleanup_closedir_ DIR *dir = file_list(parent, name);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* Removes the directory, with what we can have put there: also where there is no
 * memory, or no descriptor, for reading it. */
static void drop_directory(struct making *m)
{
	for (size_t i = 1; m->fd >= 0 && i < m->closure.count; i++) {
		const struct closure_object *object = &m->closure.objects[i];

		if (!is_lazy(m, i))
			continue;
		unlinkat(m->fd, elf_view_soname(object->view), 0);
		unlinkat(m->fd, object->name, 0);
	}
	if (m->fd >= 0) {
		unlinkat(m->fd, GENERATION_STUB, 0);
		unlinkat(m->fd, GENERATION_TOUCHED, 0);
	}
	unlinkat(m->place->fd, m->generation, AT_REMOVEDIR);
}

static int fill_directory(struct making *m, const char *path)
{
	_cleanup_free_ char *touched = NULL, *stub = NULL;
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	m->fd = fd;
	if (fd < 0)
		return cannot_write(path);
	if (asprintf(&touched, "%s/" GENERATION_TOUCHED, path) < 0 ||
	    asprintf(&stub, "%s/" GENERATION_STUB, path) < 0)
		return status_no_memory(NULL);
	int status = write_stub(m, fd, path, touched);
	if (status == 0)
		status = link_names(m, fd);
	if (status == 0)
		status = runs_create(touched, m->lazy, 0);
	if (status == 0)
		entry_draft_path(&m->draft, stub);
	return status;
}

static int make_directory(struct making *m)
{
	_cleanup_free_ char *path = NULL;

	/* In LD_LIBRARY_PATH these would be something else. */
	if (strpbrk(m->place->path, ":;$"))
		return status_fail(DLAZY_EINVAL,
				   "%s: the cache's path has one of \":;$\" in "
				   "it, which LD_LIBRARY_PATH cannot have",
				   m->place->path);
	if (asprintf(&path, "%s/g-XXXXXX", m->place->path) < 0) {
		path = NULL;
		return status_no_memory(NULL);
	}
	if (!mkdtemp(path) || (m->place->system && chmod(path, 0755) < 0))
		return cannot_write(path);
	snprintf(m->generation, sizeof(m->generation), "%s",
		 file_base_name(path));
	return fill_directory(m, path);
}

static bool is_old(int parent, const char *name)
{
	struct stat st;

	return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtim.tv_sec + SWEEP_SECONDS < time(NULL);
}

void generation_sweep(const struct place *place, const char *current)
{
	_cleanup_closedir_ DIR *dir = file_list(place->fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "g-", 2) == 0 &&
		    strcmp(entry->d_name, current) != 0 &&
		    is_old(place->fd, entry->d_name))
			generation_remove(place->fd, entry->d_name);
}

/* ------------------------------------------------------------------ */
/* The entry                                                          */

/* And those in it that the dynamic linker searches first. */
static void draft_directory(struct making *m, const char *path)
{
	char hwcaps[PATH_MAX], below[PATH_MAX];
	struct stat st;
	int n = snprintf(hwcaps, sizeof(hwcaps), "%s/glibc-hwcaps", path);

	entry_draft_path(&m->draft, path);
	if (n < 0 || n >= PATH_MAX)
		return;
	entry_draft_path(&m->draft, hwcaps);
	if (stat(hwcaps, &st) < 0)
		return;
	for (const char *const *name = hwcaps_active(); *name; name++) {
		n = snprintf(below, sizeof(below), "%s/%s", hwcaps, *name);
		if (n > 0 && n < PATH_MAX)
			entry_draft_path(&m->draft, below);
	}
}

/* The directories of a search path, which separators end. */
static void draft_search_path(struct making *m, const struct places *places,
			      const char *path, const char *separators,
			      const char *origin)
{
	char directory[PATH_MAX];

	while (*path) {
		size_t n = strcspn(path, separators);

		if (n == 0)
			draft_directory(m, ".");
		else if (places_expand(places, path, n, origin, directory))
			draft_directory(m, directory);
		path += n;
		path += *path != '\0';
	}
}

/* A library that is missing may turn up. */
static void draft_missing(struct making *m, const struct places *places,
			  const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < places->directory_count; i++)
		if (snprintf(path, sizeof(path), "%s/%s",
			     places->directories[i], name) < PATH_MAX)
			entry_draft_path(&m->draft, path);
}

static void draft_object(struct making *m, const struct places *places,
			 const struct closure_object *object)
{
	if (!object->path) {
		draft_missing(m, places, object->name);
		return;
	}
	entry_draft_input(&m->draft, ENTRY_FILE, object->path,
			  &object->identity);
	if (!object->view)
		return;
	draft_search_path(m, places, elf_view_rpath(object->view), ":",
			  object->path);
	draft_search_path(m, places, elf_view_runpath(object->view), ":",
			  object->path);
}

static int draft_inputs(struct making *m)
{
	struct places places;
	int status = places_open(&places);

	entry_draft_path(&m->draft, m->program->executable);
	entry_draft_path(&m->draft, m->options->libdlazy);
	entry_draft_path(&m->draft, "/etc/ld.so.cache");
	entry_draft_path(&m->draft, "/etc/ld.so.preload");
	for (size_t i = 0; i < m->closure.count; i++)
		draft_object(m, &places, &m->closure.objects[i]);
	if (m->closure.count > 0 && places.library_path)
		draft_search_path(m, &places, places.library_path, ":;",
				  m->file);
	places_close(&places);
	return status < 0 ? status : m->draft.status;
}

static void draft_libraries(struct making *m)
{
	uint32_t number = 0;

	for (size_t i = 1; i < m->verdicts.count; i++) {
		const struct closure_object *object = &m->closure.objects[i];
		const struct verdict *verdict = &m->verdicts.list[i];
		char detail[STATUS_MESSAGE_MAX] = "";
		bool lazy = is_lazy(m, i);

		if (!lazy)
			verdict_describe(verdict, detail, sizeof(detail));
		entry_draft_library(&m->draft,
				    object->path ? object->path : object->name,
				    lazy ? "" : verdict_word(verdict->why),
				    detail, lazy ? number : 0);
		if (verdict->learned)
			entry_draft_learned(&m->draft);
		number += lazy;
	}
}

static int write_entry(struct making *m, struct entry *ret)
{
	const struct entry_facts facts = {
		.key = m->place->key,
		.generation = m->generation,
		.plain = m->plain,
		.lazy = *m->generation ? m->lazy : 0,
		.tls = m->confined ? 0 : closure_static_tls(&m->closure),
	};
	_cleanup_entry_ struct entry entry = {NULL, 0};
	int status = entry_draft_finish(&m->draft, &facts, &entry);

	if (status == 0)
		status = file_replace(m->place->fd, "current", entry.data,
				      entry.size,
				      m->place->system ? 0644 : 0600);
	if (status == 0) {
		*ret = entry;
		entry.data = NULL;
	}
	return status;
}

/* ------------------------------------------------------------------ */

static int analyse(struct making *m)
{
	int status = check_program(m);
	if (status < 0 || *m->plain)
		return status;
	status = closure_read(m->file, &m->closure);
	if (status == 0)
		check_confinement(m);
	if (*m->plain)
		return 0;
	if (status == 0 && !m->options->index)
		status = open_index(m);
	/* What the index may not read it has taken account of. */
	m->states = status_state_count();
	if (status == 0)
		status = decide(m);
	if (status < 0)
		return status;
	weigh(m);
	if (!*m->plain)
		check_names(m);
	return check_states(m);
}

static void wait_ns(uint64_t ns)
{
	nanosleep(&(struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
				     .tv_nsec = (long)(ns % 1000000000u)},
		  NULL);
}

static int put_in_place(struct making *m, struct entry *ret)
{
	int status = *m->plain ? 0 : make_directory(m);

	if (status == 0 && !*m->plain)
		status = check_states(m);
	if (status == 0)
		status = write_entry(m, ret);
	if (status < 0 && *m->generation)
		drop_directory(m);
	return status < 0 ? status_prefix("%s", m->place->path) : 0;
}

/* -DLAZY_EBUSY: to be tried again, in so many nanoseconds. */
static int make(struct making *m, struct entry *ret, uint64_t *ret_again)
{
	uint64_t begun = clock_ns(CLOCK_REALTIME);
	int status = analyse(m);

	if (status == 0)
		status = draft_inputs(m);
	if (status < 0)
		return status;
	draft_libraries(m);
	*ret_again = entry_draft_youth(&m->draft, begun);
	return *ret_again ? -DLAZY_EBUSY : put_in_place(m, ret);
}

int generation_make(const struct place *place, const struct program *program,
		    const struct program_options *options, char *const *learned,
		    struct entry *ret)
{
	int status = -DLAZY_EBUSY;
	uint64_t again = 0;

	for (int tries = 0; tries < 5 && status == -DLAZY_EBUSY; tries++) {
		_cleanup_making_ struct making m = {
			.place = place,
			.program = program,
			.options = options,
			.learned = learned,
			.fd = -1,
		};

		wait_ns(again);
		status = make(&m, ret, &again);
	}
	if (status == -DLAZY_EBUSY)
		return status_fail(DLAZY_EBUSY,
				   "%s: its files are being changed just now",
				   program->executable);
	return status;
}

int generation_judge(const struct program *program,
		     const struct program_options *options, struct entry *ret)
{
	_cleanup_making_ struct making m = {
		.program = program,
		.options = options,
		.fd = -1,
	};
	int status = analyse(&m);

	if (status < 0)
		return status;
	draft_libraries(&m);
	const struct entry_facts facts = {
		.key = "",
		.generation = "",
		.plain = m.plain,
	};
	return entry_draft_finish(&m.draft, &facts, ret);
}
