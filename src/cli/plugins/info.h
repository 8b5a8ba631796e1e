/* SPDX-License-Identifier: MIT */
/*
 * Parts of what is known of a plugin file, as JSON values.
 */
#ifndef CLI_PLUGINS_INFO_H
#define CLI_PLUGINS_INFO_H

#include "base/json.h"
#include "catalog/record.h"

/* Hexadecimal digits, or null. */
void info_build_id(struct json *j, const struct record *r);

/* An array of the names in DT_NEEDED. */
void info_needs(struct json *j, const struct record *r);

/* Why the file is no plugin, without its name in front. */
const char *info_reason(const struct record *r);

#endif
