/* SPDX-License-Identifier: MIT */
/*
 * How a run of a program begins. Nearly always there is an entry and it is
 * fresh: then one file is read, the files that it names are stat'ed, and a
 * counter is bumped. Otherwise the lock of its place is taken, the entry is read
 * again (another run may have made it meanwhile), and a generation is made: by
 * this process, or, so that the program need not wait, by one that the caller
 * starts for it.
 */
#include "link/cache/program.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/memstream.h"
#include "base/status.h"
#include "link/cache/generation.h"
#include "link/cache/prune.h"
#include "link/cache/runs.h"
#include "link/decide/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* How long another process is given to make a generation for us too. */
#define MAKER_MS 10000

/* In CACHE/run, beside the places; no place is called so (place_find()). */
#define MAKING "making"

/* ------------------------------------------------------------------ */
/* The place in the cache                                             */

static void place_end(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	free(place->path);
	free(place->key);
}
#define _cleanup_place_ _cleanup_(place_end)

static void put_value(FILE *out, const char *name, const char *value)
{
	if (value)
		fprintf(out, "%s %s\n", name, value);
}

static void put_globs(FILE *out, const char *name, char *const *globs)
{
	for (; globs && *globs; globs++)
		put_value(out, name, *globs);
}

/* Does a search path have an element that depends on the current directory? */
static bool is_relative(const char *search_path)
{
	for (const char *at = search_path;; at++) {
		size_t n = strcspn(at, ":;");

		if (at[0] != '/' && at[0] != '$')
			return true;
		at += n;
		if (*at == '\0')
			return false;
	}
}

/* All that chooses an entry, as text; NULL: out of memory. */
static char *key_of(const struct program *program,
		    const struct program_options *options, bool system)
{
	const char *path = getenv("LD_LIBRARY_PATH");
	char *text = NULL, *cwd = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (system)
		fputs("system\n", out);
	else
		fprintf(out, "user %u\n", (unsigned)geteuid());
	put_value(out, "program", program->executable);
	put_globs(out, "eager", options->eager);
	put_globs(out, "lazy", options->lazy);
	put_value(out, "libdlazy", options->libdlazy);
	put_value(out, "preload", getenv("LD_PRELOAD"));
	put_value(out, "path", path);
	if (path && *path && is_relative(path))
		put_value(out, "in", cwd = getcwd(NULL, 0));
	free(cwd);
	memstream_end(out, &text);
	return text;
}

static int not_trusted(const char *path)
{
	return status_fail(DLAZY_EUNTRUSTED,
			   "%s: not trusted: must be yours or root's, and not "
			   "writable by others "
			   "(DLAZY_CACHE_DIR can name another place)",
			   path);
}

/* Can nobody else write to the directory? The files in it are run. */
static int check_directory(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return status_fail(DLAZY_EIO, "%s: %s", path, strerror(errno));
	return file_is_trusted(&st) ? 0 : not_trusted(path);
}

static int open_directory(const char *path, int *ret)
{
	*ret = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	return status_fail(status_from_errno(errno), "%s: %s", path,
			   strerror(errno));
}

/* Stub files are mapped to be executed. */
static int check_mount(int fd, const char *path)
{
	struct statvfs mount;

	if (fstatvfs(fd, &mount) < 0 || !(mount.f_flag & ST_NOEXEC))
		return 0;
	return status_fail(DLAZY_EUNTRUSTED,
			   "%s: mounted noexec: libraries cannot be there "
			   "(DLAZY_CACHE_DIR can name another place)",
			   path);
}

/* CACHE/run, which nobody else can exchange entries in; nor it in CACHE. */
static int check_parents(const struct place *place)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *parent =
		strndup(place->path, (size_t)(file_base_name(place->path) -
					      place->path - 1));
	struct stat st;

	if (!parent)
		return status_no_memory(NULL);
	int status = open_directory(parent, &fd);
	if (status == 0)
		status = check_directory(fd, parent);
	if (status < 0)
		return status;
	*strrchr(parent, '/') = '\0';
	if (stat(parent, &st) == 0 && !file_is_trusted(&st) &&
	    !(st.st_mode & S_ISVTX))
		return not_trusted(parent);
	return 0;
}

static int place_open(struct place *place)
{
	int status = open_directory(place->path, &place->fd);

	if (status == 0)
		status = check_directory(place->fd, place->path);
	if (status == 0)
		status = check_mount(place->fd, place->path);
	return status < 0 ? status : check_parents(place);
}

static int place_find(const struct program *program,
		      const struct program_options *options, bool system,
		      struct place *ret)
{
	const char *cache = system ? PROGRAM_SYSTEM_CACHE : options->cache;

	if (!cache)
		return status_fail(DLAZY_ENOENT, "no cache directory: set "
						 "DLAZY_CACHE_DIR or HOME");
	ret->system = system;
	ret->key = key_of(program, options, system);
	if (!ret->key ||
	    asprintf(&ret->path, "%s/run/%.40s-%016llx", cache,
		     file_base_name(program->executable),
		     (unsigned long long)hash_string(ret->key)) < 0) {
		ret->path = NULL;
		return status_no_memory(NULL);
	}
	return 0;
}

/* The place, run/ and the cache, so that all can read what is in them. */
static int open_to_all(const struct place *place)
{
	static const char *const above[] = {".", "..", "../.."};
	_cleanup_close_ int fd =
		open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(above); i++)
		if (fd < 0 || fchmodat(fd, above[i], 0755, 0) < 0)
			return status_fail(DLAZY_EIO, "%s: %s", place->path,
					   strerror(errno));
	return 0;
}

static int place_make(struct place *place)
{
	int status = 0;

	if (place->fd >= 0)
		return 0;
	status = file_make_dirs(place->path);
	if (status == 0 && place->system)
		status = open_to_all(place);
	return status < 0 ? status : place_open(place);
}

/* ------------------------------------------------------------------ */
/* Its entry                                                          */

/* 1; 0: there is none, or it is of no use any more; or the state that kept it
 * from being looked at: to make another would lose what was learned. */
static int read_entry(const struct place *place, struct entry *ret)
{
	_cleanup_entry_ struct entry entry = {NULL, 0};
	int status = entry_read(place->fd, "current", &entry);

	if (status == 0)
		status = strcmp(entry_facts(&entry).key, place->key) == 0
				 ? entry_is_fresh(&entry)
				 : 0;
	if (status_is_state(status))
		return status;
	status_clear();
	if (status <= 0)
		return 0;
	entry_clear(ret);
	*ret = entry;
	entry.data = NULL;
	return 1;
}

/* Held until it is closed; -1: not to be had, which only costs double work. */
static int lock_place(const struct place *place)
{
	_cleanup_close_ int fd = openat(
		place->fd, "lock",
		O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0 || !file_lock(fd, MAKER_MS))
		return -1;
	return TAKE_FD(fd);
}

/* ------------------------------------------------------------------ */
/* Learning                                                           */

/* After so many runs it is looked at what all of them touched. */
static bool is_due(uint32_t runs)
{
	return runs == 3 || runs == 10 || runs == 30 || runs == 100;
}

/* What was learned before, and what each of `count` runs (0: the latest) has
 * touched: start->learned, if that is news. */
static int learn(const struct runs *runs, uint32_t count,
		 struct program_start *start)
{
	size_t all = entry_library_count(&start->entry), n = 0;
	char **paths = calloc(all + 1, sizeof(*paths));
	bool news = false;

	if (!paths)
		return status_no_memory(NULL);
	for (size_t i = 0; i < all; i++) {
		struct entry_library l = entry_library(&start->entry, i);
		const char *why = entry_string(&start->entry, l.why);
		bool touched =
			*why == '\0' &&
			(count ? runs_touched_by_all(runs, l.number, count)
			       : runs_touched_by_last(runs, l.number));

		if (touched || l.learned)
			paths[n++] =
				(char *)entry_string(&start->entry, l.path);
		news |= touched && !l.learned;
	}
	if (!news) {
		free(paths);
		return 0;
	}
	start->learned = paths;
	start->missing = PROGRAM_UNLEARNED;
	return 0;
}

/* Makes a generation in which what was learned is left real. */
static int relearn(const struct place *place, const struct program *program,
		   const struct program_options *options,
		   struct program_start *start)
{
	_cleanup_close_ int lock = lock_place(place);
	struct entry fresh = {NULL, 0};
	int status = generation_make(place, program, options, start->learned,
				     &fresh);

	if (status < 0)
		return status;
	free(start->learned);
	start->learned = NULL;
	entry_clear(&start->entry);
	start->entry = fresh;
	start->made = true;
	start->missing = PROGRAM_WHOLE;
	return 0;
}

/* ------------------------------------------------------------------ */
/* The start                                                          */

/* Fills in what the entry says. */
static int describe_start(const struct place *place,
			  struct program_start *start)
{
	struct entry_facts facts = entry_facts(&start->entry);

	if (*facts.generation == '\0') {
		start->plain = strdup(facts.plain);
		return start->plain ? 0 : status_no_memory(NULL);
	}
	if (asprintf(&start->directory, "%s/%s", place->path,
		     facts.generation) < 0) {
		start->directory = NULL;
		return status_no_memory(NULL);
	}
	if (!place->system &&
	    asprintf(&start->touched, "%s/" GENERATION_TOUCHED,
		     start->directory) < 0) {
		start->touched = NULL;
		return status_no_memory(NULL);
	}
	return 0;
}

static void forget_start(struct program_start *start)
{
	free(start->directory);
	free(start->touched);
	free(start->plain);
	start->directory = start->touched = start->plain = NULL;
}

/* Counts this run, and looks at what those before have touched, if it is time
 * to. If that is news, this run does not count: the next looks again, should
 * nothing come of it. */
static void count_run(const struct program_options *options,
		      struct program_start *start)
{
	_cleanup_runs_ struct runs runs = {NULL, 0};

	if (start->touched &&
	    runs_open(start->touched, entry_facts(&start->entry).lazy, &runs)) {
		uint32_t before = runs_count(&runs);

		if (options->learn || is_due(before))
			learn(&runs, options->learn ? 0 : before, start);
		if (options->count && start->missing == PROGRAM_WHOLE)
			runs_begin(&runs);
	}
	status_clear();
}

/* Removes what no run can be about to start on. On what has been current until
 * now one may be: that goes when the next is made. */
static void sweep(const struct place *place)
{
	_cleanup_entry_ struct entry last = {NULL, 0};

	if (entry_read(place->fd, "current", &last) == 0)
		generation_sweep(place, entry_facts(&last).generation);
	status_clear();
}

static int make_entry(struct place *place, const struct program *program,
		      const struct program_options *options,
		      struct program_start *start)
{
	_cleanup_close_ int lock = -1;
	int status = place_make(place);

	if (status < 0)
		return status;
	lock = lock_place(place);
	status = read_entry(place, &start->entry);
	if (status != 0)
		return status < 0 ? status : 0;
	sweep(place);
	status = generation_make(place, program, options, NULL, &start->entry);
	start->made = status == 0;
	/* What others use does not show when it was used last. */
	if (!place->system)
		prune_entries(place);
	return status;
}

/* The lock of who makes something beside a run: one at a time, whatever the
 * program. *ret: 0: another has it. Above 2, as those are replaced where it is
 * inherited. */
static int lock_making(const struct place *place, int *ret)
{
	_cleanup_close_ int fd = openat(
		place->fd, "../" MAKING,
		O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	_cleanup_close_ int lock = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (lock >= 0 && file_lock(lock, 0))
		*ret = TAKE_FD(lock);
	else if (lock < 0 || errno != EBUSY)
		return status_fail(status_from_errno(errno),
				   "%s/../" MAKING ": %s", place->path,
				   strerror(errno));
	return 0;
}

/* The system's entry serves where there is none of the user's. 1, 0, or a state. */
static int find_system_start(const struct program *program,
			     const struct program_options *options,
			     struct program_start *start)
{
	_cleanup_place_ struct place place = {.fd = -1};
	int status = place_find(program, options, true, &place);

	if (status == 0)
		status = place_open(&place);
	status = status == 0 ? read_entry(&place, &start->entry) : 0;
	status_clear();
	if (status <= 0)
		return 0;
	status = describe_start(&place, start);
	return status < 0 ? status : 1;
}

/* Nothing is there. */
static int begin_entry(struct place *place, const struct program *program,
		       const struct program_options *options,
		       struct program_start *start)
{
	if (options->wait)
		return make_entry(place, program, options, start);
	start->missing = PROGRAM_NO_ENTRY;
	return 0;
}

/* What was learned is of use, but none is harmed without it. */
static int begin_learned(struct place *place, const struct program *program,
			 const struct program_options *options,
			 struct program_start *start)
{
	if (!options->wait || relearn(place, program, options, start) < 0) {
		status_clear();
		return 0;
	}
	forget_start(start);
	return describe_start(place, start);
}

static int find_start(struct place *place, const struct program *program,
		      const struct program_options *options,
		      struct program_start *start)
{
	int status = place_open(place);

	if (status < 0 && status != -DLAZY_ENOENT)
		return status;
	status = status < 0 ? 0 : read_entry(place, &start->entry);
	if (status < 0)
		return status;
	status_clear();
	if (status == 0 && !options->system &&
	    find_system_start(program, options, start) > 0)
		return 0;
	if (status == 0)
		status = begin_entry(place, program, options, start);
	if (status < 0 || start->missing == PROGRAM_NO_ENTRY)
		return status;
	status = describe_start(place, start);
	if (status < 0)
		return status;
	count_run(options, start);
	return start->missing == PROGRAM_UNLEARNED
		       ? begin_learned(place, program, options, start)
		       : 0;
}

int program_prepare(const struct program *program,
		    const struct program_options *options,
		    struct program_start *ret)
{
	_cleanup_place_ struct place place = {.fd = -1};
	_cleanup_program_start_ struct program_start start = {.made = false};
	int status = place_find(program, options, options->system, &place);

	if (status == 0)
		status = find_start(&place, program, options, &start);
	else if (!options->cache &&
		 find_system_start(program, options, &start) > 0)
		status = 0;
	if (status < 0)
		return status;
	*ret = start;
	start = (struct program_start){.made = false};
	return 0;
}

static int find_or_make_place(const struct program *program,
			      const struct program_options *options,
			      struct place *ret)
{
	int status = place_find(program, options, options->system, ret);

	return status < 0 ? status : place_make(ret);
}

int program_reserve(const struct program *program,
		    const struct program_options *options,
		    struct program_start *start)
{
	_cleanup_place_ struct place place = {.fd = -1};
	int status = find_or_make_place(program, options, &place);

	return status < 0 ? status : lock_making(&place, &start->making);
}

int program_make(const struct program *program,
		 const struct program_options *options,
		 struct program_start *start)
{
	_cleanup_place_ struct place place = {.fd = -1};
	int status = find_or_make_place(program, options, &place);

	if (status < 0 || start->missing == PROGRAM_WHOLE)
		return status;
	return start->missing == PROGRAM_NO_ENTRY
		       ? make_entry(&place, program, options, start)
		       : relearn(&place, program, options, start);
}

int program_judge(const struct program *program,
		  const struct program_options *options, struct entry *ret)
{
	_cleanup_place_ struct place place = {.fd = -1};
	int status = place_find(program, options, options->system, &place);

	if (status < 0)
		return status;
	if (place_open(&place) == 0 && read_entry(&place, ret) > 0)
		return 0;
	status_clear();
	return generation_judge(program, options, ret);
}

void program_start_clear(struct program_start *start)
{
	forget_start(start);
	free(start->learned);
	if (start->making > 0)
		close(start->making);
	entry_clear(&start->entry);
}

/* Behind a cache's directory at the beginning of a value; NULL: it is none. */
static const char *behind_cache(const char *cache, const char *value)
{
	size_t n = cache ? strlen(cache) : 0;

	return n && strncmp(value, cache, n) == 0 &&
			       strncmp(value + n, "/run/", 5) == 0
		       ? value + n
		       : NULL;
}

const char *program_own_library_path(const char *cache, const char *value)
{
	if (!value || (!behind_cache(cache, value) &&
		       !behind_cache(PROGRAM_SYSTEM_CACHE, value)))
		return value;
	const char *end = value + strcspn(value, ":");
	if (*end == ':')
		return end + 1;
	return end[-1] == '/' ? "" : NULL;
}
