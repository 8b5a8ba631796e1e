/* SPDX-License-Identifier: MIT */
/*
 * Reading one number out of the JSON that `dlazy bench --json` has written. The
 * text is checked whole before.
 */
#include "cli/bench/baseline.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/jsonread.h"
#include "base/status.h"
#include "cli/bench/bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define BASELINE_MAX (1 << 24)

static bool find_number(const char *text, bool instructions, double *ret)
{
	const char *lazy = json_member(text, "lazy");
	const char *value =
		json_member(lazy, instructions ? "instructions" : "wall_us");
	char *end;

	if (!instructions)
		value = json_member(value, "median");
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
		return status_no_memory(NULL);
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
