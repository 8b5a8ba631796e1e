/* SPDX-License-Identifier: MIT */
/*
 * The table of families. A plugin is of one if it exports what hosts of that
 * family look for.
 */
#include "cli/probe/families.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/status.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Raised where a family's probe says more than before, or otherwise. */
#define PROBES_VERSION 1

static bool exports(const struct record *record, const char *symbol)
{
	struct record_symbol ignored;

	return record_find(record, symbol, NULL, &ignored);
}

/* Whether one export begins and ends so. */
static bool exports_like(const struct record *record, const char *begin,
			 const char *end)
{
	size_t n = strlen(begin), m = strlen(end);
	struct record_symbol symbol;

	for (size_t i = 0; record_symbol_at(record, i, &symbol); i++) {
		size_t length = strlen(symbol.name);

		if (length > n + m && !strncmp(symbol.name, begin, n) &&
		    !strcmp(symbol.name + length - m, end))
			return true;
	}
	return false;
}

static bool is_frei0r(const struct record *record)
{
	return exports(record, "f0r_get_plugin_info");
}

static bool is_gio(const struct record *record)
{
	return exports(record, "g_io_module_query") ||
	       exports_like(record, "g_io_", "_query");
}

static bool is_gstreamer(const struct record *record)
{
	return exports(record, "gst_plugin_desc") ||
	       exports_like(record, "gst_plugin_", "_get_desc");
}

static bool is_ladspa(const struct record *record)
{
	return exports(record, "ladspa_descriptor");
}

static bool is_lv2(const struct record *record)
{
	return exports(record, "lv2_descriptor") ||
	       exports(record, "lv2_lib_descriptor");
}

static bool is_any(const struct record *record)
{
	return record_status(record) == 0;
}

static const struct family {
	const char *name, *file;
	enum probe_way way;
	bool (*concerns)(const struct record *record);
} families[] = {
	{"frei0r", "probe-frei0r.so", PROBE_BY_HANDLE, is_frei0r},
	{"gio", "probe-gio.so", PROBE_BY_HANDLE, is_gio},
	{"gstreamer", "probe-gstreamer.so", PROBE_BY_PATH, is_gstreamer},
	{"ladspa", "probe-ladspa.so", PROBE_BY_HANDLE, is_ladspa},
	{"lv2", "probe-lv2.so", PROBE_BY_PATH, is_lv2},
};

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

static uint64_t hash_text(const char *text)
{
	return hash_bytes(UINT64_C(0xcbf29ce484222325), text, strlen(text));
}

static void add_family(struct probes *probes, const struct family *f)
{
	probes->list[probes->count++] = (struct probe){
		.name = f->name,
		.way = f->way,
		.module = {.file = f->file, .for_what = f->name},
		.concerns = f->concerns,
		.identity = hash_text(f->name) + PROBES_VERSION,
	};
}

static bool is_here(const struct family *f)
{
	struct part module = {.file = f->file, .for_what = f->name};
	bool found = part_declare(&module) == 0;

	status_clear();
	return found;
}

static bool add_all(struct probes *probes)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (is_here(&families[i]))
			add_family(probes, &families[i]);
	return true;
}

/* A host's own. */
static bool add_file(struct probes *probes, const char *file)
{
	struct probe *p = &probes->list[probes->count];
	char *path = file_absolute(file);
	struct file_identity identity = {.dev = 0};

	if (!path || file_identify(AT_FDCWD, path, &identity) < 0) {
		cli_usage("scan", "scan: --probe: %s", status_message());
		free(path);
		return false;
	}
	*p = (struct probe){
		.name = path,
		.way = PROBE_OF_HOST,
		.module = {.file = path, .for_what = path, .chosen = path},
		.concerns = is_any,
		.identity = hash_bytes(hash_text(path), &identity,
				       sizeof(identity)),
	};
	probes->count++;
	return true;
}

static bool add_named(struct probes *probes, const char *name)
{
	struct nearest nearest = {NULL, 0};

	if (strchr(name, '/') || strstr(name, ".so"))
		return add_file(probes, name);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		nearest_offer(&nearest, name, families[i].name);
		if (strcmp(families[i].name, name) != 0)
			continue;
		if (!is_here(&families[i])) {
			cli_usage("scan",
				  "scan: --probe=%s: this dlazy was built "
				  "without that family's probe",
				  name);
			return false;
		}
		add_family(probes, &families[i]);
		return true;
	}
	cli_usage("scan", "scan: --probe=%s: no such family%s%s%s", name,
		  nearest.word ? "; did you mean " : "",
		  nearest.word ? nearest.word : "", nearest.word ? "?" : "");
	return false;
}

bool probes_parse(const char *list, struct probes *ret)
{
	*ret = (struct probes){.count = 0};
	if (!list)
		return add_all(ret);
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *name;

	while (rest && (name = strsep(&rest, ",")) != NULL) {
		if (!*name || ret->count == PROBES_MAX) {
			cli_usage("scan", "scan: --probe=%s: %s", list,
				  *name ? "too many" : "a name is empty");
			return false;
		}
		if (!add_named(ret, name))
			return false;
	}
	if (!copy)
		cli_say("scan: --probe: out of memory");
	return copy != NULL;
}

void probes_free(struct probes *probes)
{
	for (size_t i = 0; i < probes->count; i++)
		if (probes->list[i].way == PROBE_OF_HOST)
			free((char *)probes->list[i].name);
	probes->count = 0;
}

uint64_t probes_identity(const struct probes *probes,
			 const struct record *record)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < probes->count; i++)
		if (probes->list[i].concerns(record))
			hash = hash_bytes(hash, &probes->list[i].identity,
					  sizeof(probes->list[i].identity));
	return hash;
}
