/* SPDX-License-Identifier: MIT */
/*
 * What loading late can save is what was spent on libraries that did nothing
 * since main began and that may be lazy. Those that did something are loaded
 * later, at the same cost.
 */
#include "cli/trace/advice.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "cli/run/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Less is not felt, nor sure to be measured. */
#define SHARE_LEAST 0.01

double trace_cost(const struct trace_object *o)
{
	return trace_or_zero(o->map_us) + trace_or_zero(o->relocate_us) +
	       trace_or_zero(o->init_us);
}

int trace_compare_cost(const void *a, const void *b)
{
	const struct trace_object *x = *(struct trace_object *const *)a;
	const struct trace_object *y = *(struct trace_object *const *)b;
	double m = trace_cost(x), n = trace_cost(y);

	if (m != n)
		return (m < n) - (m > n);
	return strcmp(x->path, y->path);
}

/* Is that much of the program's time? If that is not known, it may be. */
static bool is_worthwhile(const struct trace *t, double us)
{
	double whole = trace_wall(t);

	return us > 0 && (whole <= 0 || us >= SHARE_LEAST * whole);
}

static int judge(const struct trace *t, struct judgement *ret)
{
	_cleanup_judge_ struct judge judge = {.cache = NULL};
	char *path = strdup(t->objects[0].path);
	const struct program program = {.command = path, .executable = path};
	int status = path ? judge_begin(&judge) : status_no_memory(NULL);

	if (status == 0)
		status = judge_program(&judge, &program, NULL, ret);
	free(path);
	return status;
}

/* The program's own share, or that nothing of its start can be spared. */
static void explain_no_gain(const struct trace *t, struct trace_advice *a)
{
	double whole = trace_wall(t), own = trace_or_zero(t->program_us);

	if (t->program_us.unknown || whole <= 0 || own < 0.5 * whole)
		snprintf(a->why, sizeof(a->why),
			 "what could be loaded later takes %.1f ms: there is "
			 "nothing to gain",
			 a->saving_us / 1e3);
	else
		snprintf(a->why, sizeof(a->why),
			 "%.0f %% is the program's own work: loading late "
			 "cannot help",
			 100 * (own < whole ? own / whole : 1));
}

static bool is_spared_at_start(const struct trace_object *o)
{
	return o->did_nothing && o->raw->load == 0;
}

static void find_savings(const struct trace *t, const struct judgement *j,
			 struct trace_advice *a)
{
	for (size_t i = 0; i < t->object_count; i++) {
		const struct trace_object *o = &t->objects[i];

		if (!is_spared_at_start(o) || !judgement_is_lazy(j, o->path))
			continue;
		a->saving_us += trace_cost(o);
		if (!trace_is_stubbable(t, o))
			continue;
		a->stubs[a->stub_count++] = o;
		a->stub_saving_us += trace_cost(o);
	}
	if (!is_worthwhile(t, a->stub_saving_us))
		a->stub_count = 0;
	if (a->stub_count > 1)
		qsort(a->stubs, a->stub_count, sizeof(*a->stubs),
		      trace_compare_cost);
}

/* If all of it could be spared, would that be worthwhile? What run would say
 * takes a moment to find out. */
static bool is_hopeless(const struct trace *t, struct trace_advice *a)
{
	double all = 0;

	for (size_t i = 0; i < t->object_count; i++)
		if (is_spared_at_start(&t->objects[i]))
			all += trace_cost(&t->objects[i]);
	if (is_worthwhile(t, all))
		return false;
	a->saving_us = all;
	explain_no_gain(t, a);
	return true;
}

void trace_advise(const struct trace *t, struct trace_advice *ret)
{
	_cleanup_judgement_ struct judgement j = {.plain = NULL};

	*ret = (struct trace_advice){.is_known = true};
	if (is_hopeless(t, ret))
		return;
	ret->stubs = calloc(t->object_count, sizeof(*ret->stubs));
	if (!ret->stubs || judge(t, &j) < 0) {
		ret->is_known = false;
		snprintf(ret->why, sizeof(ret->why), "%s", status_message());
		status_clear();
		return;
	}
	find_savings(t, &j, ret);
	if (j.plain)
		snprintf(ret->why, sizeof(ret->why), "%s", j.plain);
	else if (is_worthwhile(t, ret->saving_us))
		ret->run = true;
	else
		explain_no_gain(t, ret);
}

void trace_advice_clear(struct trace_advice *advice)
{
	free(advice->stubs);
	advice->stubs = NULL;
}
