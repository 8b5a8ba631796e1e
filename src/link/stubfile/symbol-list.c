/* SPDX-License-Identifier: MIT */
/*
 * A library that is not there, from a list of what it exports: one of three
 * formats, told by the first line that says anything. The text is cut up in
 * place; every name is a piece of it.
 *
 * A list may give a name with several versions and not tell the default (a
 * Debian symbols file never does): the highest is taken, as it is the newest.
 */
#include "link/stubfile/library.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest library's list is far below. */
#define LIST_MAX (64u << 20)

#define BLANKS " \t\r"

struct list {
	const char *path;
	unsigned line; /* 1 is the first */
	struct library *library;
	size_t room;
	int (*parse)(struct list *list, char *line);
	bool ours; /* Debian: below our SONAME; .def: below EXPORTS */
	bool seen; /* Debian: our SONAME was met */
};

__attribute__((format(printf, 2, 3))) static int expected(struct list *list,
							  const char *format,
							  ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return status_fail(DLAZY_EFORMAT, "%s:%u: expected %s", list->path,
			   list->line, what);
}

/* Cuts off the next word; NULL: there is none. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, BLANKS);

	if (!*word)
		return NULL;
	*at = word + strcspn(word, BLANKS);
	if (**at)
		*(*at)++ = '\0';
	return word;
}

static bool is_name(const char *name)
{
	if (!*name || strchr(name, '@'))
		return false;
	for (; *name; name++)
		if ((uint8_t)*name <= ' ' || *name == '\x7f')
			return false;
	return true;
}

static int list_add_symbol(struct list *list, struct library_symbol symbol)
{
	struct library *library = list->library;

	if (!array_reserve(&library->symbols, library->symbol_count,
			   &list->room, sizeof(symbol)))
		return status_no_memory(list->path);
	library->symbols[library->symbol_count++] = symbol;
	return 0;
}

/* NAME, NAME@VERSION or NAME@@VERSION; cuts it up. false: none of them. */
static bool split_version(char *word, struct library_symbol *symbol)
{
	char *at = strchr(word, '@');

	symbol->name = word;
	symbol->version = "";
	symbol->is_default = true;
	if (at) {
		*at++ = '\0';
		symbol->is_default = *at == '@';
		symbol->version = at + symbol->is_default;
		if (!is_name(symbol->version))
			return false;
	}
	return is_name(word);
}

/* Plain lists: NAME[@[@]VERSION] [data SIZE] */

#define PLAIN "NAME, NAME@VERSION or NAME@@VERSION, and perhaps \"data SIZE\""

static bool parse_size(const char *word, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(word, &end, 0);
	return *word >= '0' && *word <= '9' && !*end && errno == 0;
}

static int parse_plain(struct list *list, char *line)
{
	struct library_symbol symbol = {.name = NULL};

	line[strcspn(line, "#")] = '\0';
	char *name = next_word(&line), *data = next_word(&line);
	char *size = next_word(&line);
	if (!name)
		return 0;
	if (!split_version(name, &symbol) || next_word(&line))
		return expected(list, PLAIN);
	if (data && (strcmp(data, "data") != 0 || !size ||
		     !parse_size(size, &symbol.size)))
		return expected(list, PLAIN);
	symbol.data = data != NULL;
	return list_add_symbol(list, symbol);
}

/* Debian symbols files, deb-symbols(5) and deb-src-symbols(5):
 *   SONAME PACKAGE ...
 *    [(TAG|...)]NAME@VERSION MINIMAL-PACKAGE-VERSION ...
 * "Base" is no version. */

#define DEBIAN_ENTRY "\" NAME@VERSION PACKAGE-VERSION\""

/* Whether the tags say that what follows is more than one name. */
static bool is_pattern(const char *tags)
{
	static const char *const patterns[] = {"c++", "regex", "symver"};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (strstr(tags, patterns[i]))
			return true;
	return false;
}

/* The text of an entry up to its package version, unquoted; cut off. NULL: it
 * does not end. */
static char *debian_symbol(char **at)
{
	char quote = **at;

	if (quote != '"' && quote != '\'')
		return next_word(at);
	char *text = ++*at, *end = strchr(text, quote);
	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return text;
}

static int parse_debian_entry(struct list *list, char *line)
{
	struct library_symbol symbol = {.is_default = true};
	const char *tags = "";

	line += strspn(line, BLANKS);
	if (*line == '(') {
		tags = line + 1;
		line += strcspn(line, ")");
		if (!*line)
			return expected(list, "\")\" behind the tags");
		*line++ = '\0';
	}
	char *text = debian_symbol(&line);
	char *at = text ? strrchr(text, '@') : NULL;
	if (!at || !next_word(&line))
		return expected(list, DEBIAN_ENTRY);
	*at = '\0';
	symbol.name = text;
	symbol.version = strcmp(at + 1, "Base") == 0 ? "" : at + 1;
	if (is_pattern(tags))
		symbol.why_not = "a pattern, not a name";
	else if (!is_name(text) || (*symbol.version && !is_name(at + 1)))
		return expected(list, DEBIAN_ENTRY);
	else if (strcmp(text, symbol.version) == 0)
		symbol.why_not = "the name of a version";
	return list_add_symbol(list, symbol);
}

static int parse_debian(struct list *list, char *line)
{
	if (strncmp(line, "#include", 8) == 0)
		return expected(list, "a file without #include, as "
				      "dpkg-gensymbols writes it");
	switch (*line) {
	case '#': /* also what was there once: "#MISSING: ..." */
	case '|': /* another dependency */
	case '*': /* a field */
	case '\r':
	case '\0':
		return 0;
	case ' ':
	case '\t':
		return list->ours ? parse_debian_entry(list, line) : 0;
	default:
		list->ours =
			strcmp(next_word(&line), list->library->soname) == 0;
		list->seen |= list->ours;
		return 0;
	}
}

/* Module-definition files:
 *   EXPORTS
 *     NAME[=INTERNAL] [@ORDINAL [NONAME]] [PRIVATE] [DATA] */

static bool is_statement(const char *word)
{
	static const char *const statements[] = {
		"LIBRARY",  "NAME",	 "DESCRIPTION", "VERSION",
		"BASE",	    "STACKSIZE", "HEAPSIZE",	"SECTIONS",
		"SEGMENTS", "STUB",	 "EXPORTS",	"IMPORTS",
	};

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (strcmp(word, statements[i]) == 0)
			return true;
	return false;
}

static int parse_def(struct list *list, char *line)
{
	struct library_symbol symbol = {.version = "", .is_default = true};
	char *word;

	line[strcspn(line, ";#")] = '\0';
	char *name = next_word(&line);
	if (name && is_statement(name)) {
		list->ours = strcmp(name, "EXPORTS") == 0;
		name = list->ours ? next_word(&line) : NULL;
	}
	if (!name || !list->ours)
		return 0;
	name[strcspn(name, "=")] = '\0';
	if (!is_name(name))
		return expected(list, "NAME[=INTERNAL] [@ORDINAL] [DATA]");
	symbol.name = name;
	while ((word = next_word(&line))) {
		if (strcmp(word, "DATA") == 0 || strcmp(word, "CONSTANT") == 0)
			symbol.data = true;
		if (strcmp(word, "PRIVATE") == 0 || strcmp(word, "NONAME") == 0)
			symbol.why_not = "not exported by its name";
	}
	return list_add_symbol(list, symbol);
}

/* The first line that says anything decides. */
static void choose_format(struct list *list, const char *line)
{
	size_t length = strcspn(line, BLANKS);
	const char *second = line + length + strspn(line + length, BLANKS);
	char word[16] = "";

	if (length < sizeof(word))
		memcpy(word, line, length);
	if (is_statement(word))
		list->parse = parse_def;
	else if (length && *second && *second != '#' &&
		 strncmp(second, "data", 4) != 0)
		list->parse = parse_debian;
	else
		list->parse = parse_plain;
}

static bool says_nothing(const char *line)
{
	line += strspn(line, BLANKS);
	return !*line || *line == '#' || *line == ';';
}

static int parse(struct list *list, char *text)
{
	char *next = text;
	int r = 0;

	while (r == 0 && (text = strsep(&next, "\n"))) {
		list->line++;
		if (!list->parse && !says_nothing(text))
			choose_format(list, text);
		if (list->parse)
			r = list->parse(list, text);
	}
	return r;
}

/* One of each name and version; one default of each name. */

static int compare(const void *a, const void *b)
{
	const struct library_symbol *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	/* What has a reason is no symbol: it stands behind those. */
	if (order == 0)
		order = (x->why_not != NULL) - (y->why_not != NULL);
	if (order == 0)
		order = strverscmp(y->version, x->version);
	return order ? order : y->is_default - x->is_default;
}

static void settle(struct library *library)
{
	struct library_symbol *s = library->symbols;
	bool has_default = false;
	size_t kept = 0;

	if (library->symbol_count)
		qsort(s, library->symbol_count, sizeof(*s), compare);
	for (size_t i = 0; i < library->symbol_count; i++) {
		const struct library_symbol *last = kept ? &s[kept - 1] : NULL;
		bool same_name = last && strcmp(last->name, s[i].name) == 0;

		if (same_name && strcmp(last->version, s[i].version) == 0)
			continue;
		/* The first of a name is its newest. */
		has_default &= same_name;
		s[i].is_default &= !has_default;
		has_default |= s[i].is_default;
		s[kept++] = s[i];
	}
	library->symbol_count = kept;
}

/* The text, ended by NUL; behind it the SONAME. */
static int read_text(const char *path, const char *soname,
		     struct library *library)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;

	int r = file_open(AT_FDCWD, path, &fd, &identity);
	if (r < 0)
		return r;
	if (identity.size > LIST_MAX)
		return status_fail(DLAZY_EFORMAT,
				   "%s: not a list of symbols: it has more "
				   "than %u bytes",
				   path, LIST_MAX);
	library->text = calloc(1, identity.size + 1 + strlen(soname) + 1);
	if (!library->text)
		return status_no_memory(path);
	if (!file_read_at(fd, 0, library->text, identity.size))
		return status_fail(DLAZY_EIO, "%s: cannot be read", path);
	if (memchr(library->text, '\0', identity.size))
		return status_fail(DLAZY_EFORMAT,
				   "%s: not a list of symbols: no text", path);
	library->soname = strcpy(library->text + identity.size + 1, soname);
	return 0;
}

static int read_list(const char *path, const char *soname,
		     struct library *library)
{
	struct list list = {.path = path, .library = library};

	int r = read_text(path, soname, library);
	if (r == 0)
		r = parse(&list, library->text);
	if (r < 0)
		return r;
	if (list.parse == parse_debian && !list.seen)
		return status_fail(DLAZY_EFORMAT,
				   "%s: has no line \"%s PACKAGE ...\": its "
				   "symbols are of other libraries",
				   path, soname);
	if (library->symbol_count == 0)
		return status_fail(DLAZY_EFORMAT, "%s: has no symbols", path);
	settle(library);
	library->files = calloc(1, sizeof(*library->files));
	if (library->files)
		library->files[0] = strdup(soname);
	if (!library->files || !library->files[0])
		return status_no_memory(path);
	library->file_count = 1;
	return 0;
}

int library_read_list(const char *path, const char *soname, struct library *ret)
{
	struct library library = {.feature = "", .package = ""};

	int r = read_list(path, soname, &library);
	if (r < 0)
		library_clear(&library);
	else
		*ret = library;
	return r;
}
