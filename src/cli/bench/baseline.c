/* SPDX-License-Identifier: MIT */
/*
 * Reading one number out of the JSON that `dlazy bench --json` has written. The
 * text is checked whole before; then members are passed over until the wanted one
 * comes.
 */
#include "cli/bench/baseline.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "cli/bench/bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define BASELINE_MAX (1 << 24)

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static const char *skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return *at ? at + 1 : at;
}

/* Behind a value of valid JSON. */
static const char *skip_value(const char *at)
{
	int depth = 0;

	do {
		at = skip_space(at);
		if (*at == '"') {
			at = skip_string(at);
		} else if (*at == '{' || *at == '[') {
			depth++;
			at++;
		} else if (*at == '}' || *at == ']') {
			depth--;
			at++;
		} else if (*at == ',' || *at == ':') {
			at++;
		} else {
			at += strcspn(at, ",:]} \t\r\n");
		}
	} while (depth > 0 && *at);
	return at;
}

/* The value of an object's member; NULL: it has none of that name. */
static const char *find_member(const char *object, const char *name)
{
	const char *at = skip_space(object);
	size_t n = strlen(name);

	if (*at != '{')
		return NULL;
	for (at = skip_space(at + 1); *at == '"';) {
		const char *key = at + 1;
		const char *end = skip_string(at);
		const char *value = skip_space(skip_space(end) + 1);

		if ((size_t)(end - 1 - key) == n && memcmp(key, name, n) == 0)
			return value;
		at = skip_space(skip_value(value));
		if (*at != ',')
			break;
		at = skip_space(at + 1);
	}
	return NULL;
}

static bool find_number(const char *text, bool instructions, double *ret)
{
	const char *lazy = find_member(text, "lazy");
	const char *value =
		lazy ? find_member(lazy,
				   instructions ? "instructions" : "wall_us")
		     : NULL;
	char *end;

	if (value && !instructions)
		value = find_member(value, "median");
	if (!value)
		return false;
	*ret = strtod(value, &end);
	return end != value && *ret > 0;
}

static int read_text(const char *path, char **ret)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	int status = file_open(AT_FDCWD, path, &fd, &identity);

	if (status < 0)
		return status;
	if (identity.size > BASELINE_MAX)
		return status_fail(DLAZY_EFORMAT, "%s: too large", path);
	*ret = calloc(1, identity.size + 1);
	if (!*ret)
		return status_fail(DLAZY_ENOMEM, "out of memory");
	return file_read_at(fd, 0, *ret, identity.size)
		       ? 0
		       : status_fail(DLAZY_EIO, "%s: cannot be read", path);
}

int baseline_read(struct baseline *baseline)
{
	_cleanup_free_ char *text = NULL;
	int status = read_text(baseline->path, &text);

	if (status < 0)
		return status;
	if (json_is_valid(text) &&
	    find_number(text, baseline->instructions, &baseline->value))
		return 0;
	return status_fail(DLAZY_EFORMAT,
			   "%s: no result of \"dlazy bench --json%s\"",
			   baseline->path,
			   baseline->instructions ? " --instructions" : "");
}

double baseline_change(const struct baseline *baseline, const struct bench *b)
{
	const struct bench_side *lazy = &b->sides[HOST_LAZY];
	const struct sample *now =
		baseline->instructions ? &lazy->instructions : &lazy->wall_us;

	return 100 * (sample_median(now) / baseline->value - 1);
}

bool baseline_is_missed(const struct baseline *baseline, const struct bench *b)
{
	return baseline->path && baseline->fail_over >= 0 &&
	       baseline_change(baseline, b) > baseline->fail_over;
}
