/* SPDX-License-Identifier: MIT */
/*
 * Modules of PostgreSQL: Pg_magic_func() returns the address of a constant
 * structure, which says for which server the module was made, and how that was
 * built. The server refuses a module that says otherwise.
 */
#include "link/facts/sources.h"

#include "base/array.h"
#include "link/facts/machine.h"
#include "probe/text.h"

#include <string.h>

/* Its first member is its size; up to PostgreSQL 12 it ends before `extra`. */
struct magic {
	int32_t size, version, arguments_max, index_keys_max, name_max;
	int32_t passes_float8;
	char extra[32];
};
#define MAGIC_LEAST offsetof(struct magic, extra)

/* *ret: as far as it goes, the rest 0. */
static bool read_magic(struct machine *m, struct magic *ret)
{
	uint64_t address;

	memset(ret, 0, sizeof(*ret));
	if (!machine_call(m, machine_function(m, "Pg_magic_func"), 0, 0,
			  &address))
		return false;
	const void *at = machine_at(m, address, MAGIC_LEAST, false);
	if (!at)
		return false;
	memcpy(ret, at, MAGIC_LEAST);
	if (ret->size < (int32_t)MAGIC_LEAST || ret->size > 4096)
		return false;
	if ((size_t)ret->size < sizeof(*ret))
		return true;
	at = machine_at(m, address, sizeof(*ret), false);
	if (at)
		memcpy(ret, at, sizeof(*ret));
	return at && !ret->extra[sizeof(ret->extra) - 1];
}

static char *write_magic(const struct magic *magic)
{
	const struct {
		const char *key;
		int32_t value;
	} numbers[] = {
		{"version", magic->version},
		{"funcmaxargs", magic->arguments_max},
		{"indexmaxkeys", magic->index_keys_max},
		{"namedatalen", magic->name_max},
	};
	struct probe_text text;
	char interface[64];

	if (!probe_text_begin(&text))
		return NULL;
	struct json *j = &text.json;
	snprintf(interface, sizeof(interface), "postgresql/%d.%d",
		 magic->version / 100, magic->version % 100);
	probe_text_member(j, "interface", interface);
	json_begin_object_at(j, "postgresql");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_integer_at(j, numbers[i].key, numbers[i].value);
	}
	json_bool_at(j, "float8byval", magic->passes_float8 != 0);
	probe_text_member(j, "abi_extra", magic->extra);
	json_end_object(j);
	return probe_text_end(&text);
}

char *facts_postgresql(const struct facts_file *f)
{
	_cleanup_machine_ struct machine m;
	struct magic magic;

	if (machine_begin(&m, f->fd, f->path, f->view, f->data) < 0 ||
	    !read_magic(&m, &magic) || magic.version <= 0)
		return NULL;
	return write_magic(&magic);
}
