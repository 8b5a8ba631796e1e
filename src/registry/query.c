/* SPDX-License-Identifier: MIT */
/*
 * A cursor has a stream for each source of the registry, as it was when the cursor
 * was opened. A stream of a directory reads its catalog through a reader of its own
 * (catalog/reader.h); so what is answered does not change, and takes no memory for
 * each plugin. Streams give candidates, in the order that the question asks for:
 * by rank they are merged, else they follow each other. A candidate is told as it
 * was when the cursor was opened, if it could be used.
 *
 * registry_lock guards which registry a cursor belongs to, and the registry's list
 * of cursors. All else is the cursor's, which one thread uses at a time.
 */
#include "registry/query.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/reader.h"
#include "load/metadata.h"
#include "load/module.h"
#include "meta/matcher.h"
#include "registry/interface.h"
#include "registry/openers.h"
#include "registry/registry.h"
#include "registry/rescan.h"
#include "registry/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What decides in which order a stream is gone through. */
enum question {
	QUESTION_ALL,  /* plugins by name */
	QUESTION_GLOB, /* ids by name */
	QUESTION_ID,   /* one id, by rank */
	QUESTION_OPEN, /* what can open something, by rank */
};

/* A thing that may be a match. */
struct candidate {
	size_t plugin;
	size_t provided; /* SIZE_MAX: the plugin itself */
	int rank;
};

struct stream {
	size_t source;
	char *dir;	   /* NULL: a single module */
	char *prefix;	   /* of its plugins' names; NULL: none */
	char *name, *path; /* of the single module */
	struct catalog_reader *reader;
	struct catalog_metadata *said; /* of the single module, or NULL */
	uint64_t at;		       /* where the next candidate is */
	struct openers *openers;       /* QUESTION_OPEN: those to try */
	size_t provided;	       /* QUESTION_ALL: of that plugin */
	struct candidate next;
	bool has_next, ended;
};

/* Strings of the matches that were given out last. */
struct string {
	struct string *next;
	char text[];
};

struct cursor_match {
	struct dlazy_match match; /* first */
	size_t source;
};

struct dlazy_cursor {
	struct cursor_link link;
	enum question question;
	char *provides, *mime, *file;
	unsigned char *head;
	size_t head_size;
	unsigned flags;
	struct stream *streams;
	size_t count, room;
	struct interface *interfaces;
	size_t interface_count;
	struct cursor_match *matches;
	size_t match_count, match_room;
	struct string *strings;
	int failed; /* behind the matches that were given out last */
	char failure[512];
};

/* ------------------------------------------------------------------ */
/* Candidates                                                         */

static const char *metadata_id(const struct catalog_metadata *m, size_t i)
{
	struct metadata_provided provided;

	return m && metadata_provided(m, i, &provided) ? provided.id : "";
}

static bool is_wanted_id(const struct dlazy_cursor *c, const char *id)
{
	return !c->provides || (*id && matcher_glob(c->provides, id));
}

static struct matcher_subject subject_of(const struct dlazy_cursor *c)
{
	return (struct matcher_subject){c->mime, c->file, c->head,
					c->head_size};
}

/* 1, 0 or negative, as reader.h has it, in all of these. */
static int next_id(const struct dlazy_cursor *c, struct stream *s)
{
	size_t prefix = matcher_prefix(c->provides);
	struct reader_id id;
	int status;

	while ((status = reader_id(s->reader, s->at, &id)) > 0) {
		if (strncmp(id.id, c->provides, prefix) != 0)
			return 0;
		if (c->question == QUESTION_ID &&
		    strcmp(id.id, c->provides) != 0)
			return 0;
		s->at++;
		if (c->question == QUESTION_GLOB &&
		    !matcher_glob(c->provides, id.id))
			continue;
		s->next = (struct candidate){id.plugin, id.provided, id.rank};
		return 1;
	}
	return status;
}

static int next_opener(const struct dlazy_cursor *c, struct stream *s)
{
	struct matcher_subject subject = subject_of(c);
	struct reader_opener opener;
	int status = openers_next(s->openers, &subject, &opener);

	if (status > 0)
		s->next = (struct candidate){opener.plugin, opener.provided,
					     opener.rank};
	return status;
}

static size_t provided_count(const struct catalog_metadata *m)
{
	return m ? metadata_provided_count(m) : 0;
}

/* Each thing that a plugin provides, or itself. */
static int next_plugin(const struct dlazy_cursor *c, struct stream *s)
{
	size_t all = reader_count(s->reader);
	const struct catalog_metadata *m = NULL;

	if (c->flags & DLAZY_QUERY_ALL)
		all += reader_bad_count(s->reader);
	for (; s->at < all; s->at++, s->provided = 0) {
		int status = reader_metadata(s->reader, s->at, &m);
		if (status < 0)
			return status;
		size_t n = provided_count(status ? m : NULL);
		if (s->provided >= n && s->provided > 0)
			continue;
		s->next = (struct candidate){s->at, n ? s->provided : SIZE_MAX,
					     0};
		s->provided++;
		return 1;
	}
	return 0;
}

static bool can_open(const struct dlazy_cursor *c,
		     const struct catalog_metadata *m, size_t i)
{
	struct matcher_subject subject = subject_of(c);
	struct metadata_matcher matcher;

	for (size_t k = 0; m && metadata_matcher(m, i, k, &matcher); k++)
		if (matcher_opens(&matcher, &subject))
			return true;
	return false;
}

/* Whether a thing is asked for, as far as its metadata tell. */
static bool is_asked_for(const struct dlazy_cursor *c,
			 const struct catalog_metadata *m, size_t i)
{
	return is_wanted_id(c, metadata_id(m, i)) &&
	       (c->question != QUESTION_OPEN || can_open(c, m, i));
}

/* The best ranked thing of a single module that is asked for and comes after the
 * one before: by rank, then by number. */
static int next_of_single(const struct dlazy_cursor *c, struct stream *s)
{
	size_t n = provided_count(s->said), best = SIZE_MAX;
	struct candidate before = s->next;
	struct metadata_provided p;

	if (c->question == QUESTION_ALL && n == 0) {
		s->next = (struct candidate){0, SIZE_MAX, 0};
		return s->at++ == 0;
	}
	for (size_t i = 0; i < n; i++) {
		metadata_provided(s->said, i, &p);
		if (!is_asked_for(c, s->said, i) ||
		    (s->at && (p.rank > before.rank || (p.rank == before.rank &&
							i <= before.provided))))
			continue;
		if (best == SIZE_MAX || p.rank > s->next.rank) {
			best = i;
			s->next = (struct candidate){0, i, p.rank};
		}
	}
	s->at = 1;
	return best != SIZE_MAX;
}

static int next_candidate(const struct dlazy_cursor *c, struct stream *s)
{
	if (!s->dir)
		return next_of_single(c, s);
	switch (c->question) {
	case QUESTION_OPEN:
		return next_opener(c, s);
	case QUESTION_ALL:
		return next_plugin(c, s);
	default:
		return next_id(c, s);
	}
}

/* What a stream has is damaged, or has changed: the registry is to look again. */
static void doubt_source(const struct dlazy_cursor *c, const struct stream *s)
{
	LOCKED(&registry_lock);
	if (c->link.registry && s->source < c->link.registry->count)
		c->link.registry->sources[s->source].doubt = true;
}

static int doubt_damaged(const struct dlazy_cursor *c, const struct stream *s,
			 int status)
{
	if (status < 0 && s->dir && !status_is_state(status))
		doubt_source(c, s);
	return status;
}

/* Makes sure that there is a candidate, or that there are no more. */
static int fill_stream(const struct dlazy_cursor *c, struct stream *s)
{
	if (s->has_next || s->ended)
		return 0;
	int status = doubt_damaged(c, s, next_candidate(c, s));
	s->has_next = status > 0;
	s->ended = status <= 0;
	return status < 0 ? status : 0;
}

/* The stream whose candidate is next; NULL: there are no more. */
static int next_stream(const struct dlazy_cursor *c, struct stream **ret)
{
	bool by_rank = c->question >= QUESTION_ID;

	*ret = NULL;
	for (size_t i = 0; i < c->count; i++) {
		struct stream *s = &c->streams[i];
		int status = fill_stream(c, s);

		if (status < 0)
			return status;
		if (s->has_next && (!*ret || s->next.rank > (*ret)->next.rank))
			*ret = s;
		if (*ret && !by_rank)
			return 0;
	}
	return 0;
}

/* ------------------------------------------------------------------ */
/* Matches                                                            */

static const char *keep_string(struct dlazy_cursor *c, const char *text)
{
	size_t size = strlen(text) + 1;
	struct string *s = malloc(sizeof(*s) + size);

	if (!s) {
		status_fail(DLAZY_ENOMEM, "no memory for a match");
		return NULL;
	}
	memcpy(s->text, text, size);
	s->next = c->strings;
	c->strings = s;
	return s->text;
}

static const char *keep_joined(struct dlazy_cursor *c, const char *before,
			       const char *between, const char *after)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s%s%s", before, between, after) >= 0)
		return keep_string(c, text);
	text = NULL;
	status_fail(DLAZY_ENOMEM, "no memory for a match");
	return NULL;
}

static void drop_matches(struct dlazy_cursor *c)
{
	c->match_count = 0;
	while (c->strings) {
		struct string *s = TAKE_PTR(c->strings);
		c->strings = s->next;
		free(s);
	}
}

/* The part of a plugin's name that is in the stream's directory; NULL: none is. */
static const char *name_within(const struct stream *s, const char *name)
{
	size_t n = s->prefix ? strlen(s->prefix) : 0;

	if (n && strncmp(name, s->prefix, n) != 0)
		return NULL;
	return strchr(name + n, '/') ? NULL : name + n;
}

/* Whether an earlier stream has a usable plugin of that name: *ret is where. */
static int find_shadow(const struct dlazy_cursor *c, const struct stream *s,
		       const char *name, const char **ret)
{
	*ret = NULL;
	for (const struct stream *e = c->streams; e < s; e++) {
		if (!e->dir) {
			if (strcmp(e->name, name) != 0)
				continue;
			*ret = e->path;
			return 1;
		}
		const char *within = name_within(e, name);
		int status = within ? reader_has_name(e->reader, within) : 0;
		if (status > 0)
			*ret = e->dir;
		if (status)
			return status;
	}
	return 0;
}

/* Whether a plugin made for that interface can be used. */
static bool is_offered(const struct dlazy_cursor *c, const char *wanted)
{
	return !wanted ||
	       interface_offered(c->interfaces, c->interface_count, wanted);
}

static int judge(struct dlazy_cursor *c, const struct stream *s,
		 const struct record *bad, const struct catalog_metadata *m,
		 struct dlazy_match *match)
{
	const char *wanted = m ? metadata_interface(m) : NULL;
	const char *problem = m ? metadata_problem(m) : NULL, *by;
	int status = find_shadow(c, s, match->plugin, &by);

	if (status < 0)
		return status;
	if (bad) {
		match->status = record_status(bad);
		match->problem = keep_string(c, record_message(bad));
	} else if (!is_offered(c, wanted)) {
		match->status = -DLAZY_EINTERFACE;
		match->problem =
			keep_joined(c, "made for the interface ", wanted, "");
	} else if (status > 0) {
		match->problem = keep_joined(c,
					     "shadowed by the plugin of "
					     "this name in ",
					     by, "");
	} else if (problem) {
		match->problem = keep_string(c, problem);
	} else {
		return 1;
	}
	if (!match->problem)
		return -DLAZY_ENOMEM;
	return (!match->status && status == 0) || c->flags & DLAZY_QUERY_ALL;
}

static int keep_provided(struct dlazy_cursor *c,
			 const struct catalog_metadata *m, size_t i,
			 struct dlazy_match *match)
{
	struct metadata_provided p;

	match->rank = METADATA_RANK_DEFAULT;
	if (!m || !metadata_provided(m, i, &p))
		return 0;
	match->rank = p.rank;
	match->id = keep_string(c, p.id);
	if (p.description)
		match->description = keep_string(c, p.description);
	if (p.symbol)
		match->symbol = keep_string(c, p.symbol);
	return !match->id || (p.description && !match->description) ||
			       (p.symbol && !match->symbol)
		       ? -DLAZY_ENOMEM
		       : 0;
}

/* Adds a match, if it is one. 1, 0, or negative. */
static int add_match(struct dlazy_cursor *c, const struct stream *s,
		     const char *name, const struct record *bad,
		     const struct catalog_metadata *m, size_t provided,
		     const char *path)
{
	struct cursor_match *new = &c->matches[c->match_count];

	*new = (struct cursor_match){.source = s->source};
	new->match.size = sizeof(new->match);
	new->match.plugin =
		keep_joined(c, s->prefix ? s->prefix : "", "", name);
	new->match.path = keep_string(c, path);
	if (!new->match.plugin || !new->match.path)
		return -DLAZY_ENOMEM;
	/* What was kept for one that is no match is freed with the others. */
	int status = judge(c, s, bad, m, &new->match);
	if (status <= 0)
		return status;
	status = keep_provided(c, m, provided, &new->match);
	if (status < 0)
		return status;
	c->match_count++;
	return 1;
}

/* ------------------------------------------------------------------ */
/* Whether metadata are of the files as they are                      */

/* The thing of that id in metadata that were read anew; SIZE_MAX: it is gone. */
static size_t same_thing(const struct dlazy_cursor *c,
			 const struct catalog_metadata *fresh,
			 const struct catalog_metadata *old, size_t provided)
{
	size_t n = provided_count(fresh);
	const char *id = metadata_id(old, provided);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(metadata_id(fresh, i), id) &&
		    is_asked_for(c, fresh, i))
			return i;
	return SIZE_MAX;
}

static int match_anew(struct dlazy_cursor *c, struct stream *s,
		      const struct record *record,
		      const struct catalog_metadata *old, size_t provided,
		      const char *path)
{
	_cleanup_free_ struct catalog_metadata *fresh = NULL;
	int status = metadata_again(s->dir, record_file(record), old, &fresh);

	doubt_source(c, s);
	if (status == -DLAZY_ENOENT) {
		/* It was there when the cursor was opened. */
		status_clear();
		return add_match(c, s, record_name(record), NULL, old, provided,
				 path);
	}
	if (status < 0)
		return status;
	if (provided != SIZE_MAX || !fresh) {
		provided =
			fresh ? same_thing(c, fresh, old, provided) : SIZE_MAX;
		if (provided == SIZE_MAX && c->question != QUESTION_ALL)
			return 0;
	}
	return add_match(c, s, record_name(record), NULL, fresh, provided,
			 path);
}

static int fail_damaged(const struct stream *s)
{
	return status_fail(DLAZY_EFORMAT, "%s: damaged catalog", s->dir);
}

/* A candidate of a directory. */
static int match_in_directory(struct dlazy_cursor *c, struct stream *s,
			      const struct candidate *candidate)
{
	const struct catalog_metadata *m = NULL;
	const struct record *record = NULL;
	bool is_bad = candidate->plugin >= reader_count(s->reader);
	int status = reader_metadata(s->reader, candidate->plugin, &m);

	if (status < 0)
		return status;
	/* Ids and openers are of what has metadata. */
	if (status == 0 && c->question != QUESTION_ALL)
		return fail_damaged(s);
	if (status == 0)
		m = NULL;
	if (is_bad && !(c->flags & DLAZY_QUERY_ALL))
		return 0;
	if (m && !is_asked_for(c, m, candidate->provided))
		return 0;
	bool same = !m ||
		    metadata_is_current(s->dir, m, reader_placed_ns(s->reader));
	if (!m || is_bad || !same)
		status = reader_record(s->reader, candidate->plugin, &record);
	if (status < 0 || (!m && !record))
		return status < 0 ? status : fail_damaged(s);
	const char *file = record ? record_file(record) : metadata_file(m);
	_cleanup_free_ char *path = NULL;
	if (asprintf(&path, "%s/%s", strcmp(s->dir, "/") ? s->dir : "", file) <
	    0) {
		path = NULL;
		return status_fail(DLAZY_ENOMEM, "no memory for a match");
	}
	if (!same && !is_bad)
		return match_anew(c, s, record, m, candidate->provided, path);
	return add_match(c, s, record ? record_name(record) : metadata_name(m),
			 is_bad ? record : NULL, m, candidate->provided, path);
}

/* ------------------------------------------------------------------ */
/* Opening                                                            */

static void stream_clear(struct stream *s)
{
	free(s->dir);
	free(s->prefix);
	free(s->name);
	free(s->path);
	free(s->said);
	openers_end(s->openers);
	reader_close(s->reader);
}

static void clear_streams(struct dlazy_cursor *c)
{
	for (size_t i = 0; i < c->count; i++)
		stream_clear(&c->streams[i]);
	c->count = 0;
}

static void clear_interfaces(struct dlazy_cursor *c)
{
	for (size_t i = 0; i < c->interface_count; i++)
		free(c->interfaces[i].name);
	free(TAKE_PTR(c->interfaces));
	c->interface_count = 0;
}

/* false: out of memory. */
static bool copy_string(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

static bool copy_query(struct dlazy_cursor *c, const struct dlazy_query *q)
{
	c->flags = q->flags;
	if (q->head) {
		c->head = malloc(q->head_size + 1);
		if (!c->head)
			return false;
		memcpy(c->head, q->head, q->head_size);
		c->head_size = q->head_size;
	}
	if (!copy_string(&c->provides, q->provides) ||
	    !copy_string(&c->mime, q->mime) || !copy_string(&c->file, q->file))
		return false;
	if (c->mime || c->file || c->head)
		c->question = QUESTION_OPEN;
	else if (c->provides)
		c->question = matcher_is_literal(c->provides) ? QUESTION_ID
							      : QUESTION_GLOB;
	return true;
}

/* What the host offers now. */
static int copy_interfaces_locked(struct dlazy_cursor *c,
				  const struct dlazy_registry *r)
{
	clear_interfaces(c);
	c->interfaces = calloc(r->interface_count + 1, sizeof(*c->interfaces));
	for (size_t i = 0; c->interfaces && i < r->interface_count; i++) {
		c->interfaces[i] = r->interfaces[i];
		c->interfaces[i].name = strdup(r->interfaces[i].name);
		if (!c->interfaces[i].name)
			return status_no_memory(NULL);
		c->interface_count++;
	}
	return c->interfaces ? 0 : status_no_memory(NULL);
}

static int open_stream_locked(const struct dlazy_cursor *c,
			      const struct source *from, struct stream *s)
{
	if (from->module) {
		if (copy_string(&s->name, from->name) &&
		    copy_string(&s->path, from->module->path))
			return 0;
		return status_no_memory(NULL);
	}
	if (!copy_string(&s->dir, from->dir) ||
	    !copy_string(&s->prefix, from->prefix))
		return status_no_memory(NULL);
	int status = reader_open(from->catalog, &s->reader);
	size_t at = 0;
	if (status == 0 && c->question == QUESTION_ID) {
		status = reader_find_id(s->reader, c->provides, &at);
		s->ended = status == 0;
	} else if (status == 0 && c->question == QUESTION_GLOB) {
		status = reader_seek_id(s->reader, c->provides,
					matcher_prefix(c->provides), &at);
	} else if (status == 0 && c->question == QUESTION_OPEN) {
		struct matcher_subject subject = subject_of(c);

		status = openers_begin(s->reader, &subject, &s->openers);
	}
	s->at = at;
	return status < 0 ? status : 0;
}

/* *ret_doubt: the catalog of a source cannot be read, and is to be made anew. */
static int open_streams(struct dlazy_cursor *c, struct dlazy_registry *r,
			bool *ret_doubt)
{
	LOCKED(&registry_lock);
	int status = copy_interfaces_locked(c, r);

	clear_streams(c);
	*ret_doubt = false;
	for (size_t i = 0; status == 0 && i < r->count; i++) {
		struct source *from = &r->sources[i];

		if (from->gone)
			continue;
		if (!array_reserve(&c->streams, c->count, &c->room,
				   sizeof(*c->streams)))
			return status_no_memory(NULL);
		struct stream *s = &c->streams[c->count++];
		*s = (struct stream){.source = i};
		status = open_stream_locked(c, from, s);
		if (status < 0 && !status_is_state(status))
			from->doubt = *ret_doubt = true;
	}
	if (status == 0) {
		c->link = (struct cursor_link){r, r->cursors};
		r->cursors = &c->link;
	}
	return status;
}

/* Single modules have no catalog: what they say is read now. */
static int read_singles(struct dlazy_cursor *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct stream *s = &c->streams[i];

		if (s->dir || s->path[0] != '/')
			continue;
		int status = metadata_of_file(s->path, s->name, &s->said);
		if (status_is_state(status))
			return status;
		if (status < 0)
			status_clear();
	}
	return 0;
}

static bool has_candidate(const struct dlazy_cursor *c)
{
	struct stream *s;

	if (next_stream(c, &s) == 0)
		return s != NULL;
	status_clear();
	return true;
}

/* A "no" is compared with so many sidecars: to look at more takes too long for a host
 * that asks for what may be absent. */
#define COMPARE_AMONG 1024

/* Whether one of the directory's sidecars is not what was read. */
static bool has_news(const struct stream *s, size_t *left)
{
	size_t all = reader_count(s->reader);
	const struct catalog_metadata *m;

	for (size_t i = 0; i < all && *left; i++) {
		int status = reader_metadata(s->reader, i, &m);

		if (status < 0)
			status_clear();
		if (status <= 0)
			continue;
		--*left;
		if (!metadata_is_current(s->dir, m,
					 reader_placed_ns(s->reader)))
			return true;
	}
	return false;
}

/* Nothing was found: is that so? A sidecar that was written over does not change its
 * directory. */
static bool doubts_no(struct dlazy_cursor *c)
{
	size_t left = COMPARE_AMONG;
	bool doubt = false;

	if (c->question == QUESTION_ALL || has_candidate(c))
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (c->streams[i].dir && has_news(&c->streams[i], &left)) {
			doubt_source(c, &c->streams[i]);
			doubt = true;
		}
	return doubt;
}

static void leave_registry(struct dlazy_cursor *c)
{
	LOCKED(&registry_lock);
	struct dlazy_registry *r = c->link.registry;
	struct cursor_link **at = r ? &r->cursors : NULL;

	while (at && *at && *at != &c->link)
		at = &(*at)->next;
	if (at && *at)
		*at = c->link.next;
	c->link.registry = NULL;
}

/* Opens what there is now. */
static int open_all(struct dlazy_cursor *c, struct dlazy_registry *r)
{
	bool doubt = false;
	int status = 0;

	for (int looks = 0; looks < RESCANS_MAX; looks++) {
		status = open_streams(c, r, &doubt);
		if (!doubt || registry_look_again(r, false) < 0)
			break;
	}
	return status < 0 ? status : read_singles(c);
}

void query_end(struct dlazy_cursor *c)
{
	if (!c)
		return;
	leave_registry(c);
	drop_matches(c);
	clear_streams(c);
	clear_interfaces(c);
	free(c->streams);
	free(c->matches);
	free(c->provides);
	free(c->mime);
	free(c->file);
	free(c->head);
	free(c);
}

struct dlazy_cursor *query_begin(struct dlazy_registry *r,
				 const struct dlazy_query *q)
{
	struct dlazy_cursor *c = calloc(1, sizeof(*c));

	if (!c || !copy_query(c, q)) {
		status_fail(DLAZY_ENOMEM, "no memory for a query");
		query_end(c);
		return NULL;
	}
	/* What cannot be looked at is as it was. */
	if (registry_look_again(r, true) < 0)
		status_clear();
	int status = open_all(c, r);
	if (status == 0 && doubts_no(c) && registry_look_again(r, false) > 0) {
		leave_registry(c);
		status = open_all(c, r);
	}
	if (status == 0)
		return c;
	query_end(c);
	return NULL;
}

/* ------------------------------------------------------------------ */
/* Answering                                                          */

static bool is_over(const struct dlazy_cursor *c)
{
	LOCKED(&registry_lock);
	return !c->link.registry;
}

static int make_room(struct dlazy_cursor *c, size_t n)
{
	if (n <= c->match_room)
		return 0;
	void *matches = n > SIZE_MAX / sizeof(*c->matches)
				? NULL
				: realloc(c->matches, n * sizeof(*c->matches));
	if (!matches)
		return status_fail(DLAZY_ENOMEM, "no memory for matches");
	c->matches = matches;
	c->match_room = n;
	return 0;
}

/* What was kept for candidates that are no matches is not kept on. */
static int next_match(struct dlazy_cursor *c)
{
	struct stream *s;

	for (;;) {
		int status = next_stream(c, &s);

		if (status < 0 || !s)
			return status;
		s->has_next = false;
		struct string *kept = c->strings;
		status = s->dir ? match_in_directory(c, s, &s->next)
				: add_match(c, s, s->name, NULL, s->said,
					    s->next.provided, s->path);
		doubt_damaged(c, s, status);
		while (status <= 0 && c->strings != kept) {
			struct string *lost = c->strings;
			c->strings = lost->next;
			free(lost);
		}
		if (status)
			return status;
	}
}

int query_next(struct dlazy_cursor *c, const struct dlazy_match **ret, size_t n)
{
	drop_matches(c);
	if (is_over(c))
		return 0;
	if (c->failed) {
		int failed = c->failed;

		c->failed = 0;
		return status_fail(-failed, "%s", c->failure);
	}
	/* No more at once than an int counts. */
	n = n < 4096 ? n : 4096;
	int status = make_room(c, n);
	while (status >= 0 && c->match_count < n) {
		status = next_match(c);
		if (status == 0)
			break;
	}
	if (status < 0 && c->match_count == 0)
		return status;
	if (status < 0) {
		c->failed = status;
		snprintf(c->failure, sizeof(c->failure), "%s",
			 status_message());
	}
	for (size_t i = 0; i < c->match_count; i++)
		ret[i] = &c->matches[i].match;
	status_clear();
	return (int)c->match_count;
}

struct dlazy_module *query_module(struct dlazy_cursor *c,
				  const struct dlazy_match *match)
{
	const struct cursor_match *found = NULL;
	struct dlazy_registry *r = NULL;

	for (size_t i = 0; i < c->match_count; i++)
		if (&c->matches[i].match == match)
			found = &c->matches[i];
	if (!found) {
		status_fail(DLAZY_EINVAL, "dlazy_cursor_module: no match of "
					  "the last dlazy_cursor_next()");
		return NULL;
	}
	{
		LOCKED(&registry_lock);
		if (c->link.registry)
			r = registry_hold_locked(c->link.registry);
	}
	if (!r) {
		status_fail(DLAZY_ENOENT,
			    "dlazy_cursor_module: the registry was freed");
		return NULL;
	}
	struct dlazy_module *m =
		registry_find_in(r, found->source, match->plugin);
	registry_release(r);
	return m;
}
