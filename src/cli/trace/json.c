/* SPDX-License-Identifier: MIT */
/*
 * A trace as JSON: doc/trace-format.md tells of each key. What is not known is
 * null, and its reason stands under the same key in "unknown" beside it.
 */
#include "cli/trace/json.h"

#include "base/array.h"
#include "base/status.h"
#include "cli/cli.h"

#include <string.h>
#include <sys/wait.h>

/* Values of one object, and then why some of them are not known. */
struct values {
	const char *keys[16];
	struct trace_value list[16];
	size_t count;
};

static void values_add(struct values *v, const char *key,
		       struct trace_value value)
{
	v->keys[v->count] = key;
	v->list[v->count++] = value;
}

static void print_values(struct json *j, const struct values *v)
{
	for (size_t i = 0; i < v->count; i++) {
		json_key(j, v->keys[i]);
		if (v->list[i].unknown)
			json_null(j);
		else
			json_double(j, trace_rounded(v->list[i].value));
	}
}

/* key, why: of one more value, NULL if that is known. */
static void print_reasons(struct json *j, const struct values *v,
			  const char *key, const char *why)
{
	json_begin_object_at(j, "unknown");
	for (size_t i = 0; i < v->count; i++) {
		if (!v->list[i].unknown)
			continue;
		json_string_at(j, v->keys[i], v->list[i].unknown);
	}
	if (why) {
		json_string_at(j, key, why);
	}
	json_end_object(j);
}

static void print_path(struct json *j, const char *key, const struct trace *t,
		       size_t object)
{
	json_string_at(j, key,
		       object == TRACE_NONE ? NULL : t->objects[object].path);
}

static void print_uses(struct json *j, const struct trace *t,
		       const struct trace_object *o)
{
	json_begin_array_at(j, "bound_by");
	for (size_t i = 0; i < o->use_count; i++) {
		json_begin_object(j);
		print_path(j, "path", t, o->uses[i].by);
		json_unsigned_at(j, "symbols", o->uses[i].symbols);
		json_unsigned_at(j, "called", o->uses[i].called);
		json_unsigned_at(j, "data", o->uses[i].data);
		json_end_object(j);
	}
	json_end_array(j);
}

static void print_relocations(struct json *j, const struct tracebuf_object *raw)
{
	json_begin_object_at(j, "relocations");
	json_unsigned_at(j, "relative", raw->relative);
	json_unsigned_at(j, "symbolic", raw->symbolic);
	json_unsigned_at(j, "calls", raw->calls);
	json_end_object(j);
}

static void print_object(struct json *j, const struct trace *t,
			 const struct trace_object *o)
{
	struct values v = {.count = 0};

	json_begin_object(j);
	json_string_at(j, "path", o->path);
	json_string_at(j, "why", trace_why_word(o->why));
	print_path(j, "by", t, o->by);
	json_string_at(j, "requested", o->requested);
	json_key(j, "load");
	if (o->raw->load < t->load_count)
		json_unsigned(j, o->raw->load);
	else
		json_null(j);
	json_unsigned_at(j, "opens", o->opens);
	values_add(&v, "at_us", o->at_us);
	values_add(&v, "map_us", o->map_us);
	values_add(&v, "relocate_us", o->relocate_us);
	values_add(&v, "init_us", o->init_us);
	values_add(&v, "private_kib", o->private_kib);
	values_add(&v, "text_kib", o->text_kib);
	values_add(&v, "touched_kib", o->touched_kib);
	print_values(j, &v);
	print_relocations(j, o->raw);
	json_unsigned_at(j, "symbols_bound", o->symbols_bound);
	json_unsigned_at(j, "symbols_called", o->symbols_called);
	print_uses(j, t, o);
	json_string_at(j, "used", trace_used_word(o->used));
	json_bool_at(j, "did_nothing", o->did_nothing);
	print_reasons(j, &v, "load",
		      o->raw->load < t->load_count
			      ? NULL
			      : "there were more loads than fit");
	json_end_object(j);
}

static void print_load(struct json *j, const struct trace *t,
		       const struct trace_load *l)
{
	struct values v = {.count = 0};

	json_begin_object(j);
	print_path(j, "by", t, l->by);
	json_string_at(j, "requested", l->requested);
	json_unsigned_at(j, "objects", l->raw->objects);
	json_unsigned_at(j, "thread", l->raw->thread);
	values_add(&v, "at_us", l->at_us);
	values_add(&v, "map_us", l->map_us);
	values_add(&v, "relocate_us", l->relocate_us);
	values_add(&v, "init_us", l->init_us);
	print_values(j, &v);
	print_reasons(j, &v, NULL, NULL);
	json_end_object(j);
}

static void print_lost(struct json *j, const struct tracebuf *tracebuf)
{
	const struct {
		const char *key;
		uint32_t count;
	} lost[] = {
		{"objects", tracebuf->objects_lost},
		{"loads", tracebuf->loads_lost},
		{"calls", tracebuf->trampolines_lost},
		{"symbols", tracebuf->bindings_lost},
		{"pairs", tracebuf->edges_lost},
		{"names", tracebuf->strings_lost},
		{"arguments", tracebuf->arguments_missing},
	};

	json_begin_object_at(j, "lost");
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		json_unsigned_at(j, lost[i].key, lost[i].count);
	json_end_object(j);
}

static void print_end(struct json *j, int how)
{
	json_key(j, "status");
	if (how >= 0 && WIFEXITED(how))
		json_integer(j, WEXITSTATUS(how));
	else
		json_null(j);
	json_key(j, "signal");
	if (how >= 0 && WIFSIGNALED(how))
		json_integer(j, WTERMSIG(how));
	else
		json_null(j);
}

static void print_tracer(struct json *j, const struct trace *t)
{
	json_begin_object_at(j, "tracer");
	json_double_at(j, "us", trace_rounded(t->own_us));
	json_double_at(j, "memory_us", trace_rounded(t->own_memory_us));
	json_double_at(j, "scan_us", trace_rounded(t->own_scan_us));
	json_unsigned_at(j, "bindings", t->tracebuf->bind_count);
	json_end_object(j);
}

static void print_sums(struct json *j, const struct trace *t, int how)
{
	struct values v = {.count = 0};
	struct trace_value linker = t->map_us;

	if (!t->relocate_us.unknown)
		linker.value += t->relocate_us.value;
	else
		linker = t->relocate_us;
	values_add(&v, "wall_us", t->wall_us);
	values_add(&v, "exec_us", t->exec_us);
	values_add(&v, "map_us", t->map_us);
	values_add(&v, "relocate_us", t->relocate_us);
	values_add(&v, "linker_us", linker);
	values_add(&v, "constructors_us", t->constructors_us);
	values_add(&v, "program_us", t->program_us);
	values_add(&v, "exit_us", t->exit_us);
	print_values(j, &v);
	print_reasons(j, &v, "status",
		      how >= 0 ? NULL : "who started it was not watched");
}

static void print_arrays(struct json *j, const struct trace *t)
{
	json_begin_array_at(j, "objects");
	for (size_t i = 0; i < t->object_count; i++)
		print_object(j, t, &t->objects[i]);
	json_end_array(j);
	json_begin_array_at(j, "loads");
	for (size_t i = 0; i < t->load_count; i++)
		print_load(j, t, &t->loads[i]);
	json_end_array(j);
	json_begin_array_at(j, "unused");
	for (size_t i = 0; i < t->object_count; i++)
		if (t->objects[i].did_nothing)
			json_string(j, t->objects[i].path);
	json_end_array(j);
}

static void print_advice(struct json *j, const struct trace_advice *advice)
{
	json_key(j, "advice");
	if (!advice || !advice->is_known) {
		json_null(j);
		return;
	}
	json_begin_object(j);
	json_bool_at(j, "run", advice->run);
	json_string_at(j, "why", advice->run ? NULL : advice->why);
	json_double_at(j, "saving_us", trace_rounded(advice->saving_us));
	json_begin_array_at(j, "stubs");
	for (size_t i = 0; i < advice->stub_count; i++)
		json_string(j, advice->stubs[i]->path);
	json_end_array(j);
	json_end_object(j);
}

void trace_print_json(struct json *j, const struct trace *t, int how,
		      const struct trace_advice *advice,
		      const struct trace *children, size_t child_count)
{
	json_begin_object(j);
	json_string_at(j, "format", "dlazy-trace");
	json_unsigned_at(j, "version", 1);
	cli_json_version(j);
	json_begin_array_at(j, "command");
	for (size_t i = 0; i < t->command_count; i++)
		json_string(j, t->command[i]);
	json_end_array(j);
	json_unsigned_at(j, "pid", t->tracebuf->pid);
	json_unsigned_at(j, "parent", t->tracebuf->parent);
	json_unsigned_at(j, "runs", t->runs);
	print_end(j, how);
	json_bool_at(j, "exited", t->has_exited);
	print_sums(j, t, how);
	print_tracer(j, t);
	print_arrays(j, t);
	print_lost(j, t->tracebuf);
	print_advice(j, advice);
	json_begin_array_at(j, "children");
	for (size_t i = 0; i < child_count; i++)
		trace_print_json(j, &children[i], -1, NULL, NULL, 0);
	json_end_array(j);
	json_end_object(j);
}
