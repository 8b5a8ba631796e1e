/* SPDX-License-Identifier: MIT */
/*
 * First the directories are gone through: of one that is as it was, the names
 * are known; another is listed. Each name is stat'ed. Then what is new is read,
 * and what was read becomes tables.
 *
 * A change within a tick of the clock after a look leaves a file's times as
 * they were. So the identity of what changed just before the scan is not kept,
 * and the next one looks again.
 *
 * Symbolic links to files are followed, as programs and libraries are found
 * through them; links to directories are not, nor is another file system gone
 * into. What cannot be listed or read is as if it were not there.
 */
#include "link/machine-scan.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "link/machine-facts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Longer than any tick in use (10 ms), with room. */
#define SETTLE_NS 25000000u

#define DEPTH_MAX 40
#define PROGRESS_EACH 64 /* files */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct file_identity directory_identity(const struct stat *st)
{
	struct file_identity identity = file_identity_of(st);

	identity.size = 0;
	return identity;
}

/* A place "DIR/." is DIR without what is below. */
static bool place_is_flat(const char *place)
{
	size_t n = strlen(place);

	return n > 2 && !strcmp(place + n - 2, "/.");
}

/* ------------------------------------------------------------------ */

static bool place_is_current(const struct tables *t, size_t i,
			     const char *place)
{
	struct stat st = {0};
	bool there = stat(place, &st) == 0 && S_ISDIR(st.st_mode);

	return i < t->place_count &&
	       !strcmp(t->strings + t->places[i].path, place) &&
	       t->places[i].dev == (there ? st.st_dev : 0) &&
	       t->places[i].ino == (there ? st.st_ino : 0);
}

static bool places_are_current(const struct tables *t, char *const *places)
{
	size_t n = 0;

	for (; places[n]; n++)
		if (!place_is_current(t, n, places[n]))
			return false;
	return n == t->place_count;
}

static bool directory_is_current(const struct tables *t,
				 const struct table_directory *d)
{
	struct stat st;

	if (fstatat(AT_FDCWD, t->strings + d->path, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	struct file_identity identity = directory_identity(&st);
	return file_identity_equal(&identity, &d->identity);
}

static bool entry_is_current(const struct tables *t,
			     const struct table_entry *e)
{
	const char *dir = t->strings + t->directories[e->directory].path;
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", dir,
			 t->strings + e->name);

	if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &st) < 0)
		return false;
	struct file_identity identity = file_identity_of(&st);
	return file_identity_equal(&identity, &e->identity);
}

bool scan_is_current(const struct tables *t, char *const *places)
{
	if (!places_are_current(t, places))
		return false;
	for (size_t i = 0; i < t->directory_count; i++)
		if (!directory_is_current(t, &t->directories[i]))
			return false;
	for (size_t i = 0; i < t->entry_count; i++)
		if (!entry_is_current(t, &t->entries[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ */

/* A file that some names are of. */
struct job {
	struct file_identity identity;
	uint32_t entry;	     /* the first of its names, as found */
	uint32_t former;     /* its entry in the former tables, or none */
	struct facts *facts; /* read now; NULL: not ours, or known before */
};

struct scan {
	const struct scan_options *options;
	struct scan_tables *to;
	struct map known; /* hash of identity -> entry of former + 1 */
	struct map seen;  /* hash of (dev, ino) -> job or directory + 1 */
	/* As found: with places in `jobs` for `elf`, and all names. */
	struct table_entry *entries;
	size_t entry_count, entry_room;
	struct job *jobs;
	size_t job_count, job_room;
	uint64_t start_ns;
	size_t read;
	bool same_places; /* else what was below a place may be more now */
};

static void cleanup_scan(struct scan *s)
{
	map_clear(&s->known);
	map_clear(&s->seen);
	for (size_t i = 0; i < s->job_count; i++)
		free(s->jobs[i].facts);
	free(s->jobs);
	free(s->entries);
}

void scan_tables_clear(struct scan_tables *t)
{
	free(t->places);
	free(t->directories);
	free(t->entries);
	free(t->elves);
	free(t->keys);
	free(t->strings);
	*t = (struct scan_tables){0};
}

static int out_of_memory(void)
{
	return status_fail(DLAZY_ENOMEM, "machine: out of memory");
}

static void *to_value(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

/* false: there is none. */
static bool from_value(const void *value, uint32_t *ret)
{
	*ret = (uint32_t)(uintptr_t)value - 1;
	return value != NULL;
}

static uint64_t inode_hash(const struct stat *st)
{
	const uint64_t key[2] = {st->st_dev, st->st_ino};

	return hash_bytes(key, sizeof(key));
}

static bool is_known(const struct file_identity *identity)
{
	const struct file_identity none = {0};

	return !file_identity_equal(identity, &none);
}

/* What may still change without a trace is not known. */
static struct file_identity settled(const struct scan *s,
				    const struct file_identity *identity)
{
	uint64_t a = identity->ctime_ns, b = s->start_ns;

	return (a > b ? a - b : b - a) < SETTLE_NS ? (struct file_identity){0}
						   : *identity;
}

/* Adds a string; *ret is its offset. */
static bool add_string(struct scan_tables *t, const char *string, uint32_t *ret)
{
	size_t n = strlen(string) + 1, size = t->tables.strings_size;

	if (n > t->strings_room - size) {
		size_t room = (size + n) * 2;
		char *grown =
			room < TABLES_NONE ? realloc(t->strings, room) : NULL;
		if (!grown)
			return false;
		t->strings = grown;
		t->strings_room = room;
	}
	memcpy(t->strings + size, string, n);
	*ret = (uint32_t)size;
	t->tables.strings_size = size + n;
	return true;
}

static const char *former_string(const struct scan *s, uint32_t offset)
{
	return s->options->former->strings + offset;
}

/* ------------------------------------------------------------------ */

/* The names in a directory. */
struct name {
	char *name;
	unsigned char type; /* DT_... */
};

struct names {
	struct name *list;
	size_t count, room;
};

static void cleanup_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].name);
	free(names->list);
}
#define _cleanup_names_ _cleanup_(cleanup_names)

static bool add_name(struct names *names, const char *name, unsigned char type)
{
	if (!array_reserve(&names->list, names->count, &names->room,
			   sizeof(*names->list)))
		return false;
	char *copy = strdup(name);
	if (!copy)
		return false;
	names->list[names->count++] = (struct name){copy, type};
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* What nobody runs or loads, and what there is most of. */
static bool is_passed_over(const char *name)
{
	static const char *const suffixes[] = {
		".py",	".pyc",	 ".h",	".hpp", ".js", ".json", ".yaml", ".xml",
		".txt", ".html", ".md", ".rst", ".pl", ".pm",	".png",	 ".svg",
		".a",	".o",	 ".ko", ".gz",	".xz", ".debug"};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(suffixes); i++)
		if (!strcmp(dot, suffixes[i]))
			return true;
	return false;
}

static int list_directory(const char *path, struct names *names)
{
	_cleanup_closedir_ DIR *stream = opendir(path);
	struct dirent *d;

	while (stream && (d = readdir(stream)) != NULL) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") ||
		    (d->d_type != DT_DIR && d->d_type != DT_REG &&
		     d->d_type != DT_LNK && d->d_type != DT_UNKNOWN) ||
		    (d->d_type != DT_DIR && is_passed_over(d->d_name)))
			continue;
		if (!add_name(names, d->d_name, d->d_type))
			return out_of_memory();
	}
	if (names->count > 1)
		qsort(names->list, names->count, sizeof(*names->list),
		      compare_names);
	return 0;
}

/* The same from the former tables. */
static int recall_directory(const struct scan *s, uint32_t former,
			    struct names *names)
{
	const struct tables *t = s->options->former;
	const struct table_directory *d = &t->directories[former];

	for (uint32_t i = former + 1; i < d->end; i = t->directories[i].end)
		if (!add_name(names,
			      file_base_name(
				      former_string(s, t->directories[i].path)),
			      DT_DIR))
			return out_of_memory();
	for (uint32_t i = 0; i < d->entries.count; i++)
		if (!add_name(names,
			      former_string(
				      s, t->entries[d->entries.first + i].name),
			      DT_REG))
			return out_of_memory();
	return 0;
}

static bool former_directory_is(const struct scan *s, uint32_t former,
				const struct file_identity *identity)
{
	return former != TABLES_NONE &&
	       file_identity_equal(
		       &s->options->former->directories[former].identity,
		       identity);
}

/* The former directory of that name below a former directory. */
static uint32_t former_below(const struct scan *s, uint32_t former,
			     const char *name)
{
	if (former == TABLES_NONE)
		return TABLES_NONE;
	const struct tables *t = s->options->former;
	for (uint32_t i = former + 1; i < t->directories[former].end;
	     i = t->directories[i].end)
		if (!strcmp(file_base_name(
				    former_string(s, t->directories[i].path)),
			    name))
			return i;
	return TABLES_NONE;
}

static uint32_t former_root(const struct scan *s, const char *path)
{
	const struct tables *t = s->options->former;

	for (uint32_t i = 0; s->same_places && i < t->directory_count;
	     i = t->directories[i].end)
		if (!strcmp(former_string(s, t->directories[i].path), path))
			return i;
	return TABLES_NONE;
}

/* The job of a file; made if it is the first of its names. */
static int find_job(struct scan *s, const struct stat *st, uint32_t *ret)
{
	struct job job = {.identity = file_identity_of(st),
			  .entry = (uint32_t)s->entry_count};
	uint64_t inode = inode_hash(st);

	if (from_value(map_get(&s->seen, inode), ret))
		return 0;
	*ret = (uint32_t)s->job_count;
	if (!from_value(map_get(&s->known, hash_bytes(&job.identity,
						      sizeof(job.identity))),
			&job.former))
		job.former = TABLES_NONE;
	if (!array_reserve(&s->jobs, s->job_count, &s->job_room,
			   sizeof(*s->jobs)) ||
	    !map_put(&s->seen, inode, to_value(s->job_count)))
		return out_of_memory();
	s->jobs[s->job_count++] = job;
	return 0;
}

static int visit_file(struct scan *s, uint32_t directory, const char *name,
		      const struct stat *st)
{
	struct table_entry entry = {.directory = directory};
	int status = find_job(s, st, &entry.elf);

	if (status < 0)
		return status;
	if (!array_reserve(&s->entries, s->entry_count, &s->entry_room,
			   sizeof(*s->entries)) ||
	    !add_string(s->to, name, &entry.name))
		return out_of_memory();
	s->entries[s->entry_count++] = entry;
	s->to->directories[directory].entries.count++;
	return 0;
}

static bool is_left_out(const char *path)
{
	return !strcmp(file_base_name(path), "__pycache__") ||
	       !strcmp(path, "/usr/lib/debug");
}

/* A directory at hand: a path that is built on, and where that ends. */
struct visit {
	char path[PATH_MAX];
	dev_t dev; /* of the place */
	bool flat;
};

static int visit_directory(struct scan *s, struct visit *v, uint32_t former,
			   int depth);

/* One name of a directory. */
static int visit_name(struct scan *s, struct visit *v, uint32_t directory,
		      uint32_t former, const struct name *name, int depth)
{
	size_t n = strlen(v->path);
	struct stat st;
	int status = 0;

	if (n + 1 + strlen(name->name) >= sizeof(v->path))
		return 0;
	snprintf(v->path + n, sizeof(v->path) - n, "%s%s",
		 strcmp(v->path, "/") ? "/" : "", name->name);
	bool is_directory = name->type == DT_DIR;
	if (name->type == DT_UNKNOWN)
		is_directory = lstat(v->path, &st) == 0 && S_ISDIR(st.st_mode);
	if (is_directory && !v->flat)
		status = visit_directory(
			s, v, former_below(s, former, name->name), depth + 1);
	else if (!is_directory && stat(v->path, &st) == 0 &&
		 S_ISREG(st.st_mode))
		status = visit_file(s, directory, name->name, &st);
	v->path[n] = '\0';
	return status;
}

static int add_directory(struct scan *s, const char *path,
			 const struct file_identity *identity)
{
	struct table_directory d = {
		.identity = settled(s, identity),
		.entries = {.first = (uint32_t)s->entry_count}};

	if (!array_reserve(&s->to->directories, s->to->tables.directory_count,
			   &s->to->directory_room, sizeof(d)) ||
	    !add_string(s->to, path, &d.path))
		return out_of_memory();
	s->to->directories[s->to->tables.directory_count++] = d;
	return 0;
}

/* Lists a directory, or recalls what was in it. */
static int know_names(struct scan *s, const struct visit *v, uint32_t former,
		      const struct file_identity *identity, struct names *names)
{
	return former_directory_is(s, former, identity)
		       ? recall_directory(s, former, names)
		       : list_directory(v->path, names);
}

static int visit_names(struct scan *s, struct visit *v, uint32_t former,
		       const struct names *names, int depth)
{
	uint32_t directory = (uint32_t)s->to->tables.directory_count - 1;
	int status = 0;

	/* A directory's own names stand together: those below come later. */
	for (int below = 0; below < 2; below++)
		for (size_t i = 0; status == 0 && i < names->count; i++)
			if ((names->list[i].type == DT_DIR) == below)
				status = visit_name(s, v, directory, former,
						    &names->list[i], depth);
	s->to->directories[directory].end =
		(uint32_t)s->to->tables.directory_count;
	return status;
}

static int visit_directory(struct scan *s, struct visit *v, uint32_t former,
			   int depth)
{
	_cleanup_names_ struct names names = {0};
	struct stat st;
	uint32_t ignored;

	if (depth > DEPTH_MAX || is_left_out(v->path) ||
	    lstat(v->path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    st.st_dev != v->dev)
		return 0;
	uint64_t inode = inode_hash(&st);
	if (from_value(map_get(&s->seen, inode), &ignored))
		return 0;
	if (!map_put(&s->seen, inode, to_value(0)))
		return out_of_memory();
	struct file_identity identity = directory_identity(&st);
	int status = know_names(s, v, former, &identity, &names);
	if (status == 0)
		status = add_directory(s, v->path, &identity);
	return status ? status : visit_names(s, v, former, &names, depth);
}

/* What was at a place, to know whether it is another by now. */
static int add_place(struct scan *s, const char *place)
{
	struct table_place p = {0};
	struct stat st;

	if (stat(place, &st) == 0 && S_ISDIR(st.st_mode)) {
		p.dev = st.st_dev;
		p.ino = st.st_ino;
	}
	if (!array_reserve(&s->to->places, s->to->tables.place_count,
			   &s->to->place_room, sizeof(p)) ||
	    !add_string(s->to, place, &p.path))
		return out_of_memory();
	s->to->places[s->to->tables.place_count++] = p;
	return 0;
}

static int visit_place(struct scan *s, const char *place, bool flat)
{
	struct visit v = {.flat = flat};
	struct stat st;

	if (place_is_flat(place) != flat || !realpath(place, v.path) ||
	    stat(v.path, &st) < 0)
		return 0;
	v.dev = st.st_dev;
	return visit_directory(s, &v, former_root(s, v.path), 0);
}

/* Flat ones last: another place may lead to the same directory and deeper. */
static int visit_places(struct scan *s)
{
	int status = 0;

	for (char *const *p = s->options->places; status == 0 && *p; p++)
		status = add_place(s, *p);
	for (int flat = 0; flat < 2; flat++)
		for (char *const *p = s->options->places; status == 0 && *p;
		     p++)
			status = visit_place(s, *p, flat);
	return status;
}

/* ------------------------------------------------------------------ */

static bool index_former(struct scan *s)
{
	const struct tables *t = s->options->former;

	for (size_t i = 0; t && i < t->entry_count; i++) {
		const struct file_identity *id = &t->entries[i].identity;
		if (is_known(id) &&
		    !map_put(&s->known, hash_bytes(id, sizeof(*id)),
			     to_value(i)))
			return false;
	}
	return true;
}

static char *found_path(const struct scan *s, uint32_t entry)
{
	struct tables t = {.entries = s->entries,
			   .directories = s->to->directories,
			   .strings = s->to->strings};

	return tables_path(&t, entry);
}

static int read_job(struct scan *s, struct job *job)
{
	struct file_identity identity;
	_cleanup_free_ char *path = found_path(s, job->entry);

	if (!path)
		return -DLAZY_ENOMEM;
	int status = facts_read(path, &identity, &job->facts);
	/* What was read is what was opened, should that be another by now. */
	if (status == 0 && is_known(&identity))
		job->identity = identity;
	return status;
}

static int read_jobs(struct scan *s)
{
	const struct scan_options *o = s->options;
	size_t total = 0;

	for (size_t i = 0; i < s->job_count; i++)
		total += s->jobs[i].former == TABLES_NONE;
	for (size_t i = 0; i < s->job_count; i++) {
		if (s->jobs[i].former != TABLES_NONE)
			continue;
		int status = read_job(s, &s->jobs[i]);
		if (status < 0)
			return status;
		s->read++;
		if (o->progress &&
		    (s->read % PROGRESS_EACH == 0 || s->read == total))
			o->progress(s->read, total, o->data);
	}
	return 0;
}

/* ------------------------------------------------------------------ */

/* The ELF file that a job stands for in the former tables, or NULL. */
static const struct table_elf *former_elf(const struct scan *s,
					  const struct job *job)
{
	const struct tables *t = s->options->former;

	if (job->former == TABLES_NONE ||
	    t->entries[job->former].elf == TABLES_NONE)
		return NULL;
	return &t->elves[t->entries[job->former].elf];
}

static bool is_ours(const struct scan *s, const struct job *job)
{
	return job->facts || former_elf(s, job);
}

static bool add_keys(struct scan_tables *t, const uint64_t *keys,
		     uint32_t count, struct table_span *ret)
{
	size_t n = t->tables.key_count;

	if (count > t->key_room - n) {
		size_t room = (n + count) * 2;
		uint64_t *grown =
			room < TABLES_NONE
				? reallocarray(t->keys, room, sizeof(*keys))
				: NULL;
		if (!grown)
			return false;
		t->keys = grown;
		t->key_room = room;
	}
	if (count)
		memcpy(t->keys + n, keys, count * sizeof(*keys));
	*ret = (struct table_span){(uint32_t)n, count};
	t->tables.key_count = n + count;
	return true;
}

/* Makes an ELF file of a job; *ret is its number. */
static int add_elf(struct scan *s, const struct job *job, uint32_t entry,
		   uint32_t *ret)
{
	const struct table_elf *former = former_elf(s, job);
	struct scan_tables *to = s->to;
	struct table_elf elf = {.importer = TABLES_NONE, .entry = entry};
	const uint64_t *keys = job->facts ? job->facts->keys : NULL;

	elf.soname = former ? former->soname : job->facts->soname;
	for (int k = 0; k < TABLE_LISTS; k++) {
		uint32_t n =
			former ? former->lists[k].count : job->facts->counts[k];
		if (former)
			keys = tables_list(s->options->former, former, k);
		if (!add_keys(to, keys, n, &elf.lists[k]))
			return out_of_memory();
		keys += n;
	}
	if (!array_reserve(&to->elves, to->tables.elf_count, &to->elf_room,
			   sizeof(elf)))
		return out_of_memory();
	*ret = (uint32_t)to->tables.elf_count;
	to->elves[to->tables.elf_count++] = elf;
	return 0;
}

static int add_entry(struct scan *s, const struct table_entry *found,
		     uint32_t *elf_of_job)
{
	const struct job *job = &s->jobs[found->elf];
	uint32_t number = (uint32_t)s->to->tables.entry_count;
	struct table_entry entry = *found;

	if (is_ours(s, job) && elf_of_job[found->elf] == TABLES_NONE) {
		int status = add_elf(s, job, number, &elf_of_job[found->elf]);
		if (status < 0)
			return status;
	}
	entry.elf = elf_of_job[found->elf];
	entry.identity = settled(s, &job->identity);
	if (!array_reserve(&s->to->entries, number, &s->to->entry_room,
			   sizeof(entry)))
		return out_of_memory();
	s->to->entries[s->to->tables.entry_count++] = entry;
	return 0;
}

static int add_entries(struct scan *s, struct table_directory *d,
		       uint32_t *elf_of_job)
{
	struct table_span found = d->entries;
	bool any = false;
	int status = 0;

	for (uint32_t i = 0; i < found.count && !any; i++)
		any = is_ours(s, &s->jobs[s->entries[found.first + i].elf]);
	d->entries = (struct table_span){(uint32_t)s->to->tables.entry_count,
					 any ? found.count : 0};
	for (uint32_t i = 0; any && status == 0 && i < found.count; i++)
		status = add_entry(s, &s->entries[found.first + i], elf_of_job);
	return status;
}

static int make_tables(struct scan *s)
{
	_cleanup_free_ uint32_t *elf_of_job =
		malloc((s->job_count + 1) * sizeof(*elf_of_job));
	int status = elf_of_job ? 0 : out_of_memory();

	if (status == 0)
		memset(elf_of_job, 0xff, s->job_count * sizeof(*elf_of_job));
	for (size_t i = 0; status == 0 && i < s->to->tables.directory_count;
	     i++)
		status = add_entries(s, &s->to->directories[i], elf_of_job);
	s->to->tables.places = s->to->places;
	s->to->tables.directories = s->to->directories;
	s->to->tables.entries = s->to->entries;
	s->to->tables.elves = s->to->elves;
	s->to->tables.keys = s->to->keys;
	s->to->tables.strings = s->to->strings;
	return status;
}

int scan_run(const struct scan_options *options, struct scan_tables *ret,
	     size_t *ret_read)
{
	struct scan_tables to = {0};
	_cleanup_(cleanup_scan) struct scan s = {
		.options = options, .to = &to, .start_ns = now_ns()};
	uint32_t empty;

	s.same_places = options->former &&
			places_are_current(options->former, options->places);
	int status = index_former(&s) && add_string(&to, "", &empty)
			     ? visit_places(&s)
			     : out_of_memory();

	if (status == 0)
		status = read_jobs(&s);
	if (status == 0)
		status = make_tables(&s);
	if (status < 0) {
		scan_tables_clear(&to);
		return status;
	}
	*ret = to;
	*ret_read = s.read;
	return 0;
}
