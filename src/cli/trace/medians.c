/* SPDX-License-Identifier: MIT */
/*
 * What is measured once may have been disturbed: the median over some runs says what
 * it usually takes. To find the same time in another run, processes are compared by
 * their program, objects by their path, and loads by who asked for what. Runs are
 * mostly alike, so the search begins at the same place. Where several match (a
 * plugin that is opened again and again), the one at the same place is taken.
 */
#include "cli/trace/medians.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "cli/frame/sample.h"

#include <stdlib.h>

_Static_assert(TRACE_RUNS_MAX <= SAMPLE_MAX, "a sample holds all runs");

struct trace_time {
	uint64_t key; /* what it is of */
	double value;
	double *place; /* of it, in a trace that is still there */
	bool is_known;
	bool is_process; /* its wall time, with which its times begin */
};

static bool times_add(struct trace_times *times, uint64_t key, double *value,
		      const char *unknown)
{
	if (!array_reserve(&times->list, times->count, &times->room,
			   sizeof(*times->list)))
		return false;
	times->list[times->count++] = (struct trace_time){
		.key = key,
		.value = *value,
		.place = value,
		.is_known = unknown == NULL,
	};
	return true;
}

/* Another key for each time of what `of` stands for. */
static bool add_values(struct trace_times *times, uint64_t of,
		       struct trace_value *const *values, size_t count)
{
	bool added = true;

	for (size_t i = 0; added && i < count; i++)
		added = times_add(times, of + i, &values[i]->value,
				  values[i]->unknown);
	return added;
}

static uint64_t key_of(const char *text, uint64_t within)
{
	return text ? hash_bytes_seeded(text, strlen(text), within) : within;
}

static bool add_process(struct trace_times *times, uint64_t key,
			struct trace *t)
{
	struct trace_value *const values[] = {
		&t->wall_us,	 &t->exec_us,	      &t->map_us,
		&t->relocate_us, &t->constructors_us, &t->program_us,
		&t->exit_us,
	};
	double *const own[] = {&t->own_us, &t->own_scan_us, &t->own_memory_us};
	const char *unknown = t->tick_us == 0 ? "no clock" : NULL;
	size_t first = times->count;
	bool added = add_values(times, key, values, ARRAY_SIZE(values));

	if (added)
		times->list[first].is_process = true;
	for (size_t i = 0; added && i < ARRAY_SIZE(own); i++)
		added = times_add(times, key + ARRAY_SIZE(values) + i, own[i],
				  unknown);
	return added;
}

static bool add_object(struct trace_times *times, uint64_t process,
		       struct trace_object *o)
{
	struct trace_value *const values[] = {&o->at_us, &o->map_us,
					      &o->relocate_us, &o->init_us};

	return add_values(times, key_of(o->path, process + 1), values,
			  ARRAY_SIZE(values));
}

static bool add_load(struct trace_times *times, uint64_t process,
		     const struct trace *t, struct trace_load *l)
{
	struct trace_value *const values[] = {&l->at_us, &l->map_us,
					      &l->relocate_us, &l->init_us};
	const char *by = l->by == TRACE_NONE ? NULL : t->objects[l->by].path;

	return add_values(times, key_of(l->requested, key_of(by, process + 2)),
			  values, ARRAY_SIZE(values));
}

/* The command's own process is no child, even if one runs the same program. */
static bool add_trace(struct trace_times *times, struct trace *t, bool is_child)
{
	uint64_t key = key_of(t->objects[0].path, is_child);
	bool added = add_process(times, key, t);

	for (size_t i = 0; added && i < t->object_count; i++)
		added = add_object(times, key, &t->objects[i]);
	for (size_t i = 0; added && i < t->load_count; i++)
		added = add_load(times, key, t, &t->loads[i]);
	return added;
}

static int collect(struct trace *all, size_t count, struct trace_times *ret)
{
	for (size_t i = 0; i < count; i++)
		if (!add_trace(ret, &all[i], i > 0))
			return status_no_memory(NULL);
	return 0;
}

static void cleanup_times(struct trace_times *times)
{
	free(times->list);
}

int trace_runs_add(struct trace_runs *runs, struct trace *all, size_t count)
{
	if (!array_reserve(&runs->list, runs->count, &runs->room,
			   sizeof(*runs->list)))
		return status_no_memory(NULL);
	runs->list[runs->count] = (struct trace_times){.list = NULL};
	return collect(all, count, &runs->list[runs->count++]);
}

void trace_runs_free(struct trace_runs *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		cleanup_times(&runs->list[i]);
	free(runs->list);
}

/* The nearest of the same thing; NULL: it was not there. */
static const struct trace_time *find_alike(const struct trace_times *times,
					   size_t place, uint64_t key)
{
	const struct trace_time *list = times->list;
	size_t count = times->count;

	for (size_t i = 0; i < count || i <= place; i++) {
		if (place + i < count && list[place + i].key == key)
			return &list[place + i];
		if (place >= i && place - i < count &&
		    list[place - i].key == key)
			return &list[place - i];
	}
	return NULL;
}

/* Returns in how many runs there is such a thing. */
static size_t sample_alike(const struct trace_runs *runs, size_t place,
			   const struct trace_time *mine, struct sample *ret)
{
	size_t alike = 1;

	ret->count = 0;
	sample_add(ret, mine->value);
	for (size_t i = 0; i < runs->count; i++) {
		const struct trace_time *t =
			find_alike(&runs->list[i], place, mine->key);

		alike += t != NULL;
		if (t && t->is_known)
			sample_add(ret, t->value);
	}
	return alike;
}

int trace_take_medians(struct trace *all, size_t count,
		       const struct trace_runs *runs)
{
	_cleanup_(cleanup_times) struct trace_times times = {.list = NULL};
	size_t process = 0;
	struct sample sample;
	int status = collect(all, count, &times);

	for (size_t i = 0; status == 0 && i < times.count; i++) {
		const struct trace_time *mine = &times.list[i];
		size_t alike = sample_alike(runs, i, mine, &sample);

		if (mine->is_process)
			all[process++].runs = alike;
		if (mine->is_known)
			*mine->place = sample_median(&sample);
	}
	return status;
}
