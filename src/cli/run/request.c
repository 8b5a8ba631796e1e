/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing requests as text. The words are "eager GLOB", "lazy
 * GLOB", "children" and "wait"; "scope WORD" is in launchers of dlazy 0.1.0, and
 * is passed over.
 */
#include "cli/run/request.h"

#include <string.h>

bool request_add_glob(struct request_globs *globs, char *glob)
{
	if (globs->count == REQUEST_GLOBS_MAX)
		return false;
	globs->list[globs->count++] = glob;
	return true;
}

static bool globs_have_newline(const struct request_globs *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		if (strchr(globs->list[i], '\n'))
			return true;
	return false;
}

bool request_has_newline(const struct request *request)
{
	return globs_have_newline(&request->eager) ||
	       globs_have_newline(&request->lazy);
}

static void write_globs(FILE *out, const char *word,
			const struct request_globs *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		fprintf(out, "%s %s\n", word, globs->list[i]);
}

void request_write(const struct request *request, FILE *out)
{
	if (request->children)
		fputs("children\n", out);
	write_globs(out, "eager", &request->eager);
	write_globs(out, "lazy", &request->lazy);
}

bool request_read_line(char *line, struct request *request)
{
	char *value = line + strcspn(line, " ");

	if (*value == ' ')
		*value++ = '\0';
	if (strcmp(line, "children") == 0)
		request->children = true;
	else if (strcmp(line, "wait") == 0)
		request->wait = true;
	else if (strcmp(line, "eager") == 0)
		return request_add_glob(&request->eager, value);
	else if (strcmp(line, "lazy") == 0)
		return request_add_glob(&request->lazy, value);
	else
		return strcmp(line, "scope") == 0;
	return true;
}
