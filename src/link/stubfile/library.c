/* SPDX-License-Identifier: MIT */
/*
 * Which symbols of a library can have a stub. Functions can. Data can only in
 * shared stub files, whose writer decides. All others must be bound to the
 * library itself.
 */
#include "link/stubfile/library.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <fcntl.h>
#include <string.h>

/* Link editors define these in every library; a program has its own. */
static bool is_of_link_editor(const char *name)
{
	static const char *const names[] = {
		"_init", "_fini",	"_start",     "_edata",
		"_end",	 "__bss_start", "__end__",    "_etext",
		"edata", "__bss_end__", "_bss_end__",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const char *why_not(const struct elf_symbol *symbol)
{
	/* To a link editor it would be NAME@VERSION. */
	if (!*symbol->name || strchr(symbol->name, '@'))
		return "not a name that can be linked with";
	if (is_of_link_editor(symbol->name))
		return "every program and library has its own";
	if (symbol->variant)
		return "a calling convention that is bound at load";
	switch (symbol->type) {
	case ELF_TYPE_FUNC:
	case ELF_TYPE_IFUNC:
		return NULL;
	case ELF_TYPE_OBJECT:
		/* Old link editors make one for each version. */
		return symbol->value == 0 || strcmp(symbol->name,
						    symbol->version) == 0
			       ? "a number, not an address"
			       : NULL;
	case ELF_TYPE_TLS:
		return "thread-local data";
	case ELF_TYPE_NOTYPE:
		return "neither function nor data (no type)";
	default:
		return "of a type that is not known";
	}
}

static void read_symbols(struct library *library)
{
	size_t count = elf_view_symbol_count(library->view);
	struct elf_symbol symbol;

	for (size_t i = 0; i < count; i++) {
		if (!elf_view_symbol(library->view, i, &symbol) ||
		    !symbol.defined)
			continue;
		library->symbols[library->symbol_count++] =
			(struct library_symbol){
				.name = symbol.name,
				.version = symbol.version,
				.is_default = symbol.is_default,
				.weak = symbol.binding == ELF_BINDING_WEAK,
				.data = symbol.type == ELF_TYPE_OBJECT,
				.address = symbol.value,
				.size = symbol.size,
				.why_not = why_not(&symbol),
			};
	}
}

static void read_versions(struct library *library)
{
	size_t end = elf_view_version_end(library->view);

	for (size_t i = 0; i < end; i++) {
		const char *version = elf_view_version(library->view, i);

		if (version)
			library->versions[library->version_count++] = version;
	}
}

static bool reserve(struct library *library)
{
	size_t symbols = elf_view_symbol_count(library->view);
	size_t versions = elf_view_version_end(library->view);

	library->symbols = calloc(symbols + 1, sizeof(*library->symbols));
	library->versions = calloc(versions + 1, sizeof(*library->versions));
	library->files = calloc(1, sizeof(*library->files));
	return library->symbols && library->versions && library->files;
}

int library_of_view(struct elf_view *view, const char *path,
		    struct library *ret)
{
	struct library library = {.view = view, .feature = "", .package = ""};

	library.text = strdup(file_base_name(path));
	if (reserve(&library) && library.text)
		library.files[0] = strdup(path);
	if (!library.files || !library.files[0]) {
		library.view = NULL; /* is the caller's still */
		library_clear(&library);
		return status_no_memory(path);
	}
	library.file_count = 1;
	library.soname = elf_view_soname(view);
	if (!*library.soname)
		library.soname = library.text; /* files may be replaced */
	read_symbols(&library);
	read_versions(&library);
	*ret = library;
	return 0;
}

int library_read(const char *path, struct library *ret)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	_cleanup_elf_view_ struct elf_view *view = NULL;

	int r = file_open(AT_FDCWD, path, &fd, &identity);
	if (r == 0)
		r = elf_view_open(fd, path, &view);
	if (r == 0)
		r = library_of_view(view, path, ret);
	if (r == 0)
		view = NULL;
	return r;
}

void library_clear(struct library *library)
{
	for (size_t i = 0; i < library->file_count; i++)
		free(library->files[i]);
	free(library->files);
	free(library->symbols);
	free(library->versions);
	free(library->text);
	elf_view_close(library->view);
	memset(library, 0, sizeof(*library));
}
