/* SPDX-License-Identifier: MIT */
/*
 * Writing a ledger as JSON. Values that were not measured are null, with the
 * reason beside them.
 */
#include "ledger/tell.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "ledger/cost.h"
#include "load/module.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One object that was loaded, with what is found out when it is written. */
struct told {
	const struct ledger_entry *entry;
	char *real; /* its path as /proc/self/smaps has it, or NULL */
	double private_kib;
	bool is_mapped;
};

struct untouched {
	char *name;
	char *path;
	uint64_t ns; /* 0: not known */
};

struct telling {
	const struct ledger *ledger;
	pid_t pid; /* of whom */
	uint64_t now_ns;
	struct costs costs;
	struct told *loads;
	size_t load_count;
	struct untouched *untouched;
	size_t untouched_count, untouched_room;
	struct map touched; /* hash of a path -> anything */
};

static void telling_clear(struct telling *t)
{
	for (size_t i = 0; i < t->load_count; i++)
		free(t->loads[i].real);
	for (size_t i = 0; i < t->untouched_count; i++) {
		free(t->untouched[i].name);
		free(t->untouched[i].path);
	}
	free(t->loads);
	free(t->untouched);
	map_clear(&t->touched);
	costs_clear(&t->costs);
}

/* ------------------------------------------------------------------ */
/* What was loaded                                                    */

static uint64_t duration(const struct ledger_entry *e)
{
	return e->end_ns - e->begin_ns;
}

static bool is_within(const struct ledger_entry *inner,
		      const struct ledger_entry *outer)
{
	return inner != outer && inner->thread == outer->thread &&
	       inner->begin_ns >= outer->begin_ns &&
	       inner->end_ns <= outer->end_ns;
}

/* Is there one between the two? */
static bool is_deeper(const struct telling *t, const struct ledger_entry *inner,
		      const struct ledger_entry *outer)
{
	for (size_t i = 0; i < t->load_count; i++)
		if (is_within(inner, t->loads[i].entry) &&
		    is_within(t->loads[i].entry, outer))
			return true;
	return false;
}

/* Without what its constructors touched in turn. */
static uint64_t without_inner(const struct telling *t,
			      const struct ledger_entry *e, uint64_t ns)
{
	for (size_t i = 0; i < t->load_count; i++) {
		const struct ledger_entry *inner = t->loads[i].entry;

		if (is_within(inner, e) && !is_deeper(t, inner, e))
			ns -= duration(inner) < ns ? duration(inner) : ns;
	}
	return ns;
}

static uint64_t own_duration(const struct telling *t,
			     const struct ledger_entry *e)
{
	return without_inner(t, e, duration(e));
}

static bool find_loads(struct telling *t)
{
	uint32_t n = atomic_load(&t->ledger->count);

	n = n < LEDGER_ENTRIES ? n : LEDGER_ENTRIES;
	t->loads = calloc(n + 1, sizeof(*t->loads));
	for (uint32_t i = 0; t->loads && i < n; i++) {
		const struct ledger_entry *e = &t->ledger->entries[i];

		if (!atomic_load_explicit(&e->complete, memory_order_acquire))
			continue;
		const char *path = e->module->path;
		t->loads[t->load_count++] = (struct told){
			.entry = e,
			.real = *path ? realpath(path, NULL) : NULL,
		};
		map_put(&t->touched, hash_string(path), t);
	}
	return t->loads != NULL;
}

/* ------------------------------------------------------------------ */
/* Memory                                                             */

static struct told *find_mapped(struct telling *t, const char *path)
{
	for (size_t i = 0; i < t->load_count; i++)
		if (t->loads[i].real && strcmp(t->loads[i].real, path) == 0)
			return &t->loads[i];
	return NULL;
}

/* One mapping begins; it is the last one's rest (.bss) if it has no name and
 * follows it at once. */
static struct told *take_mapping(struct telling *t, const char *line,
				 struct told *last, uint64_t *end)
{
	uint64_t start, stop;
	char path[4096] = "";

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %4095[^\n]",
		   &start, &stop, path) < 2)
		return last;
	struct told *found = *path	     ? find_mapped(t, path)
			     : start == *end ? last
					     : NULL;
	*end = stop;
	if (found)
		found->is_mapped = true;
	return found;
}

static void find_memory(struct telling *t)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	struct told *current = NULL;
	char line[4352];
	uint64_t end = 0;
	double kib;

	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (line[strcspn(line, ":- ")] == '-')
			current = take_mapping(t, line, current, &end);
		else if (current &&
			 sscanf(line, "Private_Dirty: %lf", &kib) == 1)
			current->private_kib += kib;
	}
	if (smaps)
		fclose(smaps);
}

/* ------------------------------------------------------------------ */
/* What was not                                                       */

static void add_untouched(struct telling *t, const char *name, const char *path,
			  const struct file_identity *file)
{
	if (map_get(&t->touched, hash_string(path)) ||
	    !array_reserve(&t->untouched, t->untouched_count,
			   &t->untouched_room, sizeof(*t->untouched)))
		return;
	map_put(&t->touched, hash_string(path), t);
	t->untouched[t->untouched_count++] = (struct untouched){
		.name = strdup(name),
		.path = strdup(path),
		.ns = costs_get(&t->costs, file),
	};
}

static void add_directory(struct telling *t, const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_free_ char *absolute = file_absolute(dir);

	if (fd < 0 || !absolute || catalog_open(fd, absolute, &catalog) < 0) {
		status_clear();
		return;
	}
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct record *r = catalog_record(catalog, i);
		_cleanup_free_ char *path = NULL;
		struct file_identity file;

		if (r &&
		    asprintf(&path, "%s/%s", absolute, record_file(r)) > 0 &&
		    file_identify(fd, record_file(r), &file) == 0)
			add_untouched(t, record_name(r), path, &file);
	}
	status_clear();
}

static void find_untouched(struct telling *t)
{
	_cleanup_free_ struct module_seen *modules = NULL;
	size_t count = module_list(&modules);
	uint32_t dirs = atomic_load(&t->ledger->dir_count);

	for (size_t i = 0; i < count; i++)
		if (modules[i].state == DLAZY_DECLARED &&
		    *modules[i].module->path)
			add_untouched(t, modules[i].module->name,
				      modules[i].module->path,
				      &modules[i].identity);
	for (uint32_t i = 0; i < dirs && i < LEDGER_DIRS; i++) {
		const char *dir = atomic_load(&t->ledger->dirs[i]);
		if (dir)
			add_directory(t, dir);
	}
}

/* The next ledger uses what was measured now. */
static void keep_costs(struct telling *t)
{
	for (size_t i = 0; i < t->load_count; i++) {
		const struct ledger_entry *e = t->loads[i].entry;
		struct file_identity file;

		if (e->status == 0 && *e->module->path &&
		    file_identify(AT_FDCWD, e->module->path, &file) == 0)
			costs_set(&t->costs, &file, own_duration(t, e));
	}
	costs_write(&t->costs);
	status_clear();
}

/* ------------------------------------------------------------------ */
/* JSON                                                               */

static void print_us(struct json *j, const char *key, uint64_t ns)
{
	json_double_at(j, key, (double)ns / 1e3);
}

static void print_text_or_null(struct json *j, const char *key,
			       const char *text)
{
	json_string_at(j, key, *text ? text : NULL);
}

/*
 * The time that the load took, and of it: in the linker, and the rest, which
 * is ours (checking the file, binding).
 */
static void print_times(struct json *j, const struct telling *t,
			const struct ledger_entry *e)
{
	uint64_t all = own_duration(t, e);
	uint64_t linker = without_inner(t, e, e->linker_ns);

	print_us(j, "load_us", all);
	print_us(j, "linker_us", linker);
	print_us(j, "own_us", all > linker ? all - linker : 0);
	json_null_at(j, "init_us");
}

static void print_reason(struct json *j, bool is_unknown, const char *key,
			 const char *why)
{
	if (!is_unknown)
		return;
	json_string_at(j, key, why);
}

static void print_reasons(struct json *j, const struct told *told)
{
	const struct ledger_entry *e = told->entry;

	json_begin_object_at(j, "unknown");
	print_reason(j, true, "init_us",
		     "in the process the linker does not tell its phases "
		     "apart; dlazy trace does");
	print_reason(j, !e->caller[0], "caller",
		     "it was loaded as it was declared, or ahead");
	print_reason(j, !e->by[0], "by",
		     e->caller[0] ? "the code is in no object"
				  : "it was loaded as it was declared, or "
				    "ahead");
	print_reason(j, !told->is_mapped, "private_kib",
		     e->status < 0 ? "it was not loaded"
				   : "no mapping bears its name");
	json_end_object(j);
}

static void print_memory(struct json *j, const struct told *told)
{
	json_double_at(j, "private_kib",
		       told->is_mapped ? told->private_kib : NAN);
}

static void print_load(struct json *j, const struct telling *t,
		       const struct told *told)
{
	const struct ledger_entry *e = told->entry;

	json_begin_object(j);
	print_text_or_null(j, "path", e->module->path);
	print_text_or_null(j, "name", e->module->name);
	json_string_at(j, "why", "touch");
	print_text_or_null(j, "symbol", e->symbol);
	print_text_or_null(j, "by", e->by);
	print_text_or_null(j, "caller", e->caller);
	json_unsigned_at(j, "thread", e->thread);
	json_bool_at(j, "inherited", e->pid != t->pid);
	print_us(j, "at_us", e->begin_ns - t->ledger->begin_ns);
	print_times(j, t, e);
	json_string_at(j, "error",
		       e->status < 0 ? status_text(e->status) : NULL);
	print_memory(j, told);
	print_reasons(j, told);
	json_end_object(j);
}

static void print_untouched(struct json *j, const struct untouched *u)
{
	json_begin_object(j);
	json_string_at(j, "path", u->path);
	json_string_at(j, "name", u->name);
	json_double_at(j, "recorded_us", u->ns ? (double)u->ns / 1e3 : NAN);
	json_begin_object_at(j, "unknown");
	print_reason(j, !u->ns, "recorded_us",
		     "it was never loaded with DLAZY_TRACE set; with "
		     "DLAZY=eager, too, all are");
	json_end_object(j);
	json_end_object(j);
}

static void print_command(struct json *j)
{
	char text[4096];
	_cleanup_close_ int fd =
		open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	json_begin_array_at(j, "command");
	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; n > 0 && at < text + n;
	     at += strlen(at) + 1)
		json_string(j, at);
	json_end_array(j);
}

/* Why nobody knows what was saved; NULL: that is known, of some at least. */
static const char *why_unsaved(const struct telling *t, size_t unknown)
{
	for (size_t i = 0; i < t->load_count && !t->untouched_count; i++)
		if (t->loads[i].entry->module->kind->is_undeclared)
			return "what a stub file stands for is not declared "
			       "before it is touched; dlazy run --stats counts";
	if (t->untouched_count && unknown == t->untouched_count)
		return "none of the untouched was ever loaded with DLAZY_TRACE "
		       "set; with DLAZY=eager, too, all are";
	return NULL;
}

static void print_sums(struct json *j, const struct telling *t)
{
	uint64_t spent = 0, saved = 0;
	size_t failed = 0, unknown = 0;

	for (size_t i = 0; i < t->load_count; i++) {
		spent += own_duration(t, t->loads[i].entry);
		failed += t->loads[i].entry->status < 0;
	}
	for (size_t i = 0; i < t->untouched_count; i++) {
		saved += t->untouched[i].ns;
		unknown += t->untouched[i].ns == 0;
	}
	json_unsigned_at(j, "touched", t->load_count - failed);
	json_unsigned_at(j, "failed", failed);
	print_us(j, "spent_us", spent);
	/* Of those whose cost is known. */
	const char *why = why_unsaved(t, unknown);
	json_key(j, "saved_us");
	if (why)
		json_null(j);
	else
		json_double(j, (double)saved / 1e3);
	json_unsigned_at(j, "saved_unknown", unknown);
	json_begin_object_at(j, "unknown");
	print_reason(j, why != NULL, "saved_us", why);
	json_end_object(j);
	json_unsigned_at(j, "lost", atomic_load(&t->ledger->lost));
}

static void print_process(struct json *j, const struct telling *t)
{
	char program[4096];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
	print_text_or_null(j, "program", program);
	print_command(j);
	json_unsigned_at(j, "pid", (uint64_t)t->pid);
	json_key(j, "parent");
	if (t->pid != t->ledger->pid)
		json_unsigned(j, (uint64_t)t->ledger->pid);
	else
		json_null(j);
}

static void print(struct json *j, const struct telling *t)
{
	static const char *const modes[] = {"lazy", "eager", "off"};

	json_begin_object(j);
	json_string_at(j, "format", "dlazy-ledger");
	json_unsigned_at(j, "version", 1);
	json_string_at(j, "dlazy", PACKAGE_VERSION);
	print_process(j, t);
	json_string_at(j, "mode", modes[module_mode()]);
	print_us(j, "wall_us", t->now_ns - t->ledger->begin_ns);
	print_sums(j, t);
	json_begin_array_at(j, "objects");
	for (size_t i = 0; i < t->load_count; i++)
		print_load(j, t, &t->loads[i]);
	json_end_array(j);
	json_begin_array_at(j, "untouched");
	for (size_t i = 0; i < t->untouched_count; i++)
		print_untouched(j, &t->untouched[i]);
	json_end_array(j);
	json_end_object(j);
	json_finish(j);
}

int ledger_tell(const struct ledger *l, pid_t pid, FILE *out)
{
	_cleanup_(telling_clear) struct telling t = {
		.ledger = l,
		.pid = pid,
		.now_ns = event_now(),
	};
	struct json j = json_to(out);

	costs_read(&t.costs);
	if (!find_loads(&t))
		return status_no_memory(NULL);
	find_memory(&t);
	find_untouched(&t);
	print(&j, &t);
	keep_costs(&t);
	return 0;
}
