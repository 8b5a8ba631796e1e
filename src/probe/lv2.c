/* SPDX-License-Identifier: MIT */
/*
 * The probe of LV2 plugins (https://lv2plug.in): what manifest.ttl beside the
 * file, and the files that it names for more, say of the plugins whose binary it
 * is. Turtle is read by serd; no code of the plugin runs, and it is not loaded.
 *
 * Statements are kept as they come, in a list that is gone through for each
 * question: a bundle has some thousand at most.
 */
#include "probe/probe.h"
#include "probe/text.h"

#include <serd/serd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LV2 "http://lv2plug.in/ns/lv2core#"
#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define RDFS "http://www.w3.org/2000/01/rdf-schema#"
#define DOAP "http://usefulinc.com/ns/doap#"

#define STATEMENTS_MAX 1000000

struct statement {
	char *subject, *predicate, *object;
	bool has_language;
};

struct reader {
	SerdEnv *env;
	const char *bundle; /* the path of a file in it */
	size_t bundle_size; /* of the directory, with its '/' */
	struct statement *statements;
	size_t count, room;
	bool failed; /* out of memory, too many, or what error says */
	int error;   /* errno of what is no fact about the plugin; or 0 */
};

/* malloc'd, with prefixes written out. */
static char *text_of(const struct reader *r, const SerdNode *node)
{
	SerdNode whole = serd_env_expand_node(r->env, node);
	char *text = strdup((const char *)(whole.buf ? whole.buf : node->buf));

	serd_node_free(&whole);
	return text;
}

static void fail(struct reader *r, int error)
{
	r->failed = true;
	r->error = error;
}

/* Room for one more; false: it has failed. Too many are a fact. */
static bool make_room(struct reader *r)
{
	if (r->count < r->room)
		return true;
	size_t room = r->room ? 2 * r->room : 256;
	void *grown = NULL;

	if (room <= STATEMENTS_MAX)
		grown = realloc(r->statements, room * sizeof(*r->statements));
	if (!grown) {
		fail(r, room <= STATEMENTS_MAX ? ENOMEM : 0);
		return false;
	}
	r->statements = grown;
	r->room = room;
	return true;
}

static void statement_end(struct statement *s)
{
	free(s->subject);
	free(s->predicate);
	free(s->object);
}

/* Takes it over, unless memory was out for a part of it. There is room. */
static bool keep_statement(struct reader *r, struct statement *s)
{
	if (s->subject && s->predicate && s->object) {
		r->statements[r->count++] = *s;
		return true;
	}
	statement_end(s);
	fail(r, ENOMEM);
	return false;
}

static SerdStatus take_statement(void *data, SerdStatementFlags flags,
				 const SerdNode *graph, const SerdNode *subject,
				 const SerdNode *predicate,
				 const SerdNode *object, const SerdNode *type,
				 const SerdNode *language)
{
	struct reader *r = data;

	(void)flags, (void)graph, (void)type;
	if (!make_room(r))
		return SERD_ERR_INTERNAL;
	struct statement s = {text_of(r, subject), text_of(r, predicate),
			      text_of(r, object), language && language->buf};
	return keep_statement(r, &s) ? SERD_SUCCESS : SERD_ERR_INTERNAL;
}

static SerdStatus take_base(void *data, const SerdNode *uri)
{
	return serd_env_set_base_uri(((struct reader *)data)->env, uri);
}

static SerdStatus take_prefix(void *data, const SerdNode *name,
			      const SerdNode *uri)
{
	return serd_env_set_prefix(((struct reader *)data)->env, name, uri);
}

/* A file that is damaged is as good as what could be read of it; said by no
 * message, as the plugin's own host would say it. */
static SerdStatus ignore_error(void *data, const SerdError *error)
{
	(void)data, (void)error;
	return SERD_SUCCESS;
}

/* Whether an error says that there is no such file, for whoever looks. */
static bool is_absent(int error)
{
	static const int absent[] = {ENOENT, ENOTDIR, ELOOP,
				     ENXIO,  ENODEV,  ENAMETOOLONG};

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		if (error == absent[i])
			return true;
	return false;
}

/* Whether it is for want of memory or descriptors. */
static bool lacks_means(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE ||
	       error == EINTR;
}

/* A bundle may name any file. That one outside of it cannot be read costs the
 * bundle what it would have said there. */
static void fail_to_read(struct reader *r, const char *path, int error)
{
	if (lacks_means(error) ||
	    (!is_absent(error) && error != EISDIR &&
	     strncmp(path, r->bundle, r->bundle_size) == 0))
		fail(r, error);
}

static void read_stream(struct reader *r, SerdReader *reader, const char *path)
{
	FILE *in = fopen(path, "re");

	if (!in) {
		fail_to_read(r, path, errno);
		return;
	}
	errno = 0;
	serd_reader_read_file_handle(reader, in, (const uint8_t *)path);
	if (ferror(in))
		fail_to_read(r, path, errno ? errno : EIO);
	fclose(in);
}

/* Reads one more file; n: how many were read before. */
static void read_file(struct reader *r, const char *path, unsigned n)
{
	SerdNode uri =
		serd_node_new_file_uri((const uint8_t *)path, NULL, NULL, true);
	SerdReader *reader = serd_reader_new(SERD_TURTLE, r, NULL, take_base,
					     take_prefix, take_statement, NULL);
	char prefix[16];

	if (!uri.buf || !reader) {
		fail(r, ENOMEM);
		serd_node_free(&uri);
		serd_reader_free(reader);
		return;
	}
	snprintf(prefix, sizeof(prefix), "f%u", n);
	serd_env_set_base_uri(r->env, &uri);
	serd_reader_set_error_sink(reader, ignore_error, NULL);
	/* Two files' blank nodes are different ones. */
	serd_reader_add_blank_prefix(reader, (const uint8_t *)prefix);
	read_stream(r, reader, path);
	serd_reader_free(reader);
	serd_node_free(&uri);
}

static void reader_end(struct reader *r)
{
	for (size_t i = 0; i < r->count; i++)
		statement_end(&r->statements[i]);
	free(r->statements);
	serd_env_free(r->env);
}

/* The next statement from *at on with that subject and predicate, or NULL. */
static const struct statement *find(const struct reader *r, size_t *at,
				    const char *subject, const char *predicate)
{
	for (; *at < r->count; ++*at) {
		const struct statement *s = &r->statements[*at];

		if (!strcmp(s->predicate, predicate) &&
		    !strcmp(s->subject, subject)) {
			++*at;
			return s;
		}
	}
	return NULL;
}

/* Its first value; of texts, one without a language before others. */
static const char *value(const struct reader *r, const char *subject,
			 const char *predicate)
{
	const struct statement *s;
	const char *found = NULL;

	for (size_t at = 0; (s = find(r, &at, subject, predicate));)
		if (!s->has_language)
			return s->object;
		else if (!found)
			found = s->object;
	return found;
}

static bool has(const struct reader *r, const char *subject,
		const char *predicate, const char *object)
{
	const struct statement *s;

	for (size_t at = 0; (s = find(r, &at, subject, predicate));)
		if (!strcmp(s->object, object))
			return true;
	return false;
}

static void write_number(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	if (text)
		probe_text_float(j, strtof(text, NULL));
	else
		json_null(j);
}

/* Whether no statement before it says the same. */
static bool is_first(const struct reader *r, const struct statement *s)
{
	for (const struct statement *t = r->statements; t < s; t++)
		if (!strcmp(t->predicate, s->predicate) &&
		    !strcmp(t->subject, s->subject) &&
		    !strcmp(t->object, s->object))
			return false;
	return true;
}

static void write_types(struct json *j, const struct reader *r,
			const char *subject)
{
	const struct statement *s;

	json_begin_array(j);
	for (size_t at = 0; (s = find(r, &at, subject, RDF "type"));)
		if (is_first(r, s)) /* else the manifest had it */
			json_string(j, s->object);
	json_end_array(j);
}

static void write_port(struct json *j, const struct reader *r, const char *port)
{
	const char *index = value(r, port, LV2 "index");
	bool is_input = has(r, port, RDF "type", LV2 "InputPort");

	json_begin_object(j);
	json_unsigned_at(j, "index", index ? strtoul(index, NULL, 10) : 0);
	json_string_at(j, "symbol", value(r, port, LV2 "symbol"));
	json_string_at(j, "name", value(r, port, LV2 "name"));
	json_string_at(j, "direction", is_input ? "input" : "output");
	json_key(j, "types");
	write_types(j, r, port);
	write_number(j, "min", value(r, port, LV2 "minimum"));
	write_number(j, "max", value(r, port, LV2 "maximum"));
	write_number(j, "default", value(r, port, LV2 "default"));
	json_end_object(j);
}

static void write_plugin(struct json *j, const struct reader *r,
			 const char *uri)
{
	const struct statement *s;

	json_begin_object(j);
	json_string_at(j, "uri", uri);
	json_string_at(j, "name", value(r, uri, DOAP "name"));
	probe_text_member(j, "license", value(r, uri, DOAP "license"));
	json_key(j, "types");
	write_types(j, r, uri);
	json_begin_array_at(j, "ports");
	for (size_t at = 0; (s = find(r, &at, uri, LV2 "port"));)
		write_port(j, r, s->object);
	json_end_array(j);
	json_end_object(j);
}

typedef void write_fn(struct json *j, const struct reader *r, const char *uri);

static void write_provided(struct json *j, const struct reader *r,
			   const char *uri)
{
	probe_text_provide(j, "lv2/", uri, value(r, uri, DOAP "name"));
	json_end_object(j);
}

/* Whether a statement says that a plugin's binary is that file. */
static bool is_of(const struct reader *r, const struct statement *s,
		  const char *binary)
{
	return !strcmp(s->predicate, LV2 "binary") &&
	       !strcmp(s->object, binary) &&
	       has(r, s->subject, RDF "type", LV2 "Plugin");
}

/* Returns how many there are. */
static size_t write_each(struct json *j, const struct reader *r,
			 const char *binary, write_fn *write)
{
	size_t n = 0;

	json_begin_array(j);
	for (size_t i = 0; i < r->count; i++) {
		const struct statement *s = &r->statements[i];

		if (!is_of(r, s, binary))
			continue;
		write(j, r, s->subject);
		n++;
	}
	json_end_array(j);
	return n;
}

/* Reads a file that the manifest names, unless it was read already. Which were is
 * kept as statements of our own. */
static void read_one_more(struct reader *r, const char *path, unsigned *n)
{
	if (has(r, path, "read", "read") || r->failed)
		return;
	read_file(r, path, (*n)++);
	if (!make_room(r))
		return;
	struct statement s = {strdup(path), strdup("read"), strdup("read"),
			      false};
	keep_statement(r, &s);
}

/* Reads what the manifest names for more about the file's plugins, each once. */
static void read_more(struct reader *r, const char *binary)
{
	size_t of_manifest = r->count;
	unsigned n = 1;

	for (size_t i = 0; i < of_manifest; i++) {
		const struct statement *more;

		if (!is_of(r, &r->statements[i], binary))
			continue;
		for (size_t at = 0;
		     (more = find(r, &at, r->statements[i].subject,
				  RDFS "seeAlso")) &&
		     at <= of_manifest;) {
			char *path = (char *)serd_file_uri_parse(
				(const uint8_t *)more->object, NULL);
			if (path)
				read_one_more(r, path, &n);
			serd_free(path);
		}
	}
}

static char *write_text(struct reader *r, const char *binary)
{
	struct probe_text text;

	if (!probe_text_begin(&text)) {
		fail(r, ENOMEM);
		return NULL;
	}
	json_key(&text.json, "provides");
	size_t n = write_each(&text.json, r, binary, write_provided);
	json_key(&text.json, "lv2");
	write_each(&text.json, r, binary, write_plugin);
	char *bytes = probe_text_end(&text);
	if (!bytes)
		fail(r, ENOMEM);
	if (n > 0)
		return bytes;
	free(bytes);
	return NULL;
}

/* What the manifest beside a plugin's file says of it. */
static char *read_bundle(struct reader *r, const char *path, const char *binary)
{
	const char *slash = strrchr(path, '/');
	char *manifest;

	if (!slash)
		return NULL;
	r->bundle = path;
	r->bundle_size = (size_t)(slash + 1 - path);
	if (asprintf(&manifest, "%.*s/manifest.ttl", (int)(slash - path),
		     path) < 0) {
		fail(r, ENOMEM);
		return NULL;
	}
	read_file(r, manifest, 0);
	free(manifest);
	read_more(r, binary);
	return r->failed ? NULL : write_text(r, binary);
}

char *dlazy_probe_family(const struct probe_plugin *plugin)
{
	struct reader r = {.env = serd_env_new(NULL)};
	SerdNode binary = serd_node_new_file_uri((const uint8_t *)plugin->path,
						 NULL, NULL, true);
	char *text = NULL;

	if (!r.env || !binary.buf)
		fail(&r, ENOMEM);
	else
		text = read_bundle(&r, plugin->path, (const char *)binary.buf);
	serd_node_free(&binary);
	reader_end(&r);
	errno = r.error;
	return text;
}
