/* SPDX-License-Identifier: MIT */
/*
 * Each key that the subject may be found by has a run of entries, which say where
 * openers are. These stand by rank, so of all runs the first place is next. What is
 * there is held against the subject: a key says no more than that it may match.
 */
#include "registry/openers.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/keys.h"

#include <stdlib.h>

/* For a MIME type one, for a name two, for first bytes one more than shapes. */
#define RUNS_MAX (3 + KEY_SHAPES_MAX + 1)

struct run {
	size_t i; /* of the entry that is next */
	uint32_t hash, value;
};

struct openers {
	struct catalog_reader *reader;
	size_t count;
	struct run runs[RUNS_MAX];
};

static int add_run(struct openers *o, uint32_t hash)
{
	struct catalog_key key = {0, 0};
	size_t i;
	int status = reader_seek_key(o->reader, hash, &i);

	if (status == 0)
		status = reader_key(o->reader, i, &key);
	if (status > 0 && key.hash == hash)
		o->runs[o->count++] = (struct run){i, hash, key.value};
	return status < 0 ? status : 0;
}

/* The shapes of first bytes that the directory's plugins look for; how many. */
static int read_shapes(struct catalog_reader *reader,
		       uint32_t shapes[KEY_SHAPES_MAX])
{
	uint32_t hash = key_of_kind(KEY_SHAPES);
	struct catalog_key key = {0, 0};
	size_t i;
	int n = 0, status = reader_seek_key(reader, hash, &i);

	while (status >= 0 && n < (int)KEY_SHAPES_MAX) {
		status = reader_key(reader, i++, &key);
		if (status <= 0 || key.hash != hash)
			break;
		shapes[n++] = key.value;
	}
	return status < 0 ? status : n;
}

static int add_head_runs(struct openers *o,
			 const struct matcher_subject *subject)
{
	uint32_t shapes[KEY_SHAPES_MAX];
	int n = read_shapes(o->reader, shapes);
	int status = n < 0 ? n : add_run(o, key_of_kind(KEY_ANY_HEAD));

	for (int i = 0; i < n && status == 0; i++) {
		uint64_t offset = key_shape_offset(shapes[i]);

		if (range_within(offset, key_shape_length(shapes[i]),
				 subject->head_size))
			status =
				add_run(o, key_of_head(shapes[i],
						       subject->head + offset));
	}
	return status;
}

static int add_runs(struct openers *o, const struct matcher_subject *subject)
{
	int status = 0;

	if (subject->mime)
		status = add_run(o, key_of_mime(subject->mime));
	if (status == 0 && subject->file)
		status = add_run(o, key_of_name(subject->file));
	if (status == 0 && subject->file)
		status = add_run(o, key_of_kind(KEY_ANY_NAME));
	if (status == 0 && subject->head)
		status = add_head_runs(o, subject);
	return status;
}

int openers_begin(struct catalog_reader *reader,
		  const struct matcher_subject *subject, struct openers **ret)
{
	_cleanup_free_ struct openers *o = calloc(1, sizeof(*o));

	if (!o)
		return status_no_memory("query");
	o->reader = reader;
	int status = add_runs(o, subject);
	if (status == 0)
		*ret = TAKE_PTR(o);
	return status;
}

void openers_end(struct openers *openers)
{
	free(openers);
}

/* Goes on behind a place. 1; 0: there are no more of this key. */
static int run_on(struct catalog_reader *reader, struct run *run,
		  uint32_t value)
{
	struct catalog_key key = {0, 0};

	while (run->value <= value) {
		int status = reader_key(reader, ++run->i, &key);
		if (status <= 0 || key.hash != run->hash)
			return status < 0 ? status : 0;
		run->value = key.value;
	}
	return 1;
}

/* All runs do; those that have ended are dropped. */
static int runs_on(struct openers *o, uint32_t value)
{
	size_t left = 0;

	for (size_t i = 0; i < o->count; i++) {
		int status = run_on(o->reader, &o->runs[i], value);

		if (status < 0)
			return status;
		if (status > 0)
			o->runs[left++] = o->runs[i];
	}
	o->count = left;
	return 0;
}

static uint32_t first_value(const struct openers *o)
{
	uint32_t first = UINT32_MAX;

	for (size_t i = 0; i < o->count; i++)
		if (o->runs[i].value < first)
			first = o->runs[i].value;
	return first;
}

static bool is_opener(const struct reader_opener *opener,
		      const struct matcher_subject *subject)
{
	struct metadata_matcher matcher;

	for (size_t k = 0; reader_matcher(opener, k, &matcher); k++)
		if (matcher_opens(&matcher, subject))
			return true;
	return false;
}

int openers_next(struct openers *o, const struct matcher_subject *subject,
		 struct reader_opener *ret)
{
	while (o->count) {
		uint32_t value = first_value(o);
		uint64_t at = (uint64_t)value * FORMAT_ALIGN;
		int status = reader_opener(o->reader, &at, ret);

		if (status == 0) /* each key of an opener leads to one */
			return status_fail(DLAZY_EFORMAT, "damaged catalog");
		if (status > 0)
			status = runs_on(o, value);
		if (status < 0)
			return status;
		if (is_opener(ret, subject))
			return 1;
	}
	return 0;
}
