/* SPDX-License-Identifier: MIT */
/*
 * Plugins of WeeChat: what they are is in arrays that are initialised in the file
 * (WEECHAT_PLUGIN_NAME() and its like), which WeeChat reads when it has loaded
 * them. They could be written, but are not meant to be.
 */
#include "link/facts/sources.h"

#include "base/array.h"
#include "base/status.h"
#include "elf/constant.h"
#include "probe/text.h"

#include <string.h>

#define TEXT_MOST 4096

/* A text that ends in its array; false: there is none. */
static bool read_text(const struct facts_file *f, const char *symbol,
		      char text[TEXT_MOST])
{
	struct constant_request request = {.symbol = symbol, .initial = true};
	uint64_t size;

	if (elf_constant_read(f->fd, f->path, &request, text, TEXT_MOST,
			      &size) < 0) {
		status_clear();
		return false;
	}
	return size > 0 && size <= TEXT_MOST && memchr(text, 0, size);
}

static void write_texts(struct json *j, const struct facts_file *f, bool family)
{
	static const struct {
		const char *symbol, *key;
		bool family; /* of its key alone */
	} texts[] = {
		{"weechat_plugin_name", "name", false},
		{"weechat_plugin_version", "version", false},
		{"weechat_plugin_description", "description", false},
		{"weechat_plugin_license", "license", false},
		{"weechat_plugin_author", "author", true},
		{"weechat_plugin_api_version", "api_version", true},
	};
	char text[TEXT_MOST];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if ((family || !texts[i].family) &&
		    read_text(f, texts[i].symbol, text))
			probe_text_member(j, texts[i].key, text);
}

static void write_priority(struct json *j, const struct facts_file *f)
{
	struct constant_request request = {.symbol = "weechat_plugin_priority",
					   .initial = true};
	int32_t priority;
	uint64_t size;

	if (elf_constant_read(f->fd, f->path, &request, &priority,
			      sizeof(priority), &size) < 0) {
		status_clear();
		return;
	}
	if (size != sizeof(priority))
		return;
	json_integer_at(j, "priority", priority);
}

char *facts_weechat(const struct facts_file *f)
{
	struct probe_text text;
	char name[TEXT_MOST];

	if (!read_text(f, "weechat_plugin_name", name) ||
	    !probe_text_begin(&text))
		return NULL;
	write_texts(&text.json, f, false);
	json_begin_object_at(&text.json, "weechat");
	write_texts(&text.json, f, true);
	write_priority(&text.json, f);
	json_end_object(&text.json);
	return probe_text_end(&text);
}
