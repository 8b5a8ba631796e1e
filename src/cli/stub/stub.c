/* SPDX-License-Identifier: MIT */
/*
 * dlazy stub: a stub file for one library, to link with in its place (.o, .a)
 * or to put in its place (.so). Options become fields of what link/stubfile/stubfile.h
 * takes; what cannot be deferred is told with what to do about it.
 */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/frame/beside.h"
#include "cli/stub/selection.h"
#include "link/stubfile/stubfile.h"
#include "link/write/twin.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What a shared stub file needs: libdlazy as installed. */
#define LIBDLAZY_SONAME "libdlazy.so.0"

static const char help[] =
	"Usage: dlazy stub LIB -o OUT [OPTION]...\n"
	"       dlazy stub --symbols LIST --soname NAME -o OUT [OPTION]...\n"
	"\n"
	"Writes a lazy stub of a library. A program linked with OUT instead "
	"of\n"
	"LIB loads the library at its first call. LIB is -lNAME or -l:FILE\n"
	"(found as the linker does, also in -L DIR), a SONAME or a path.\n"
	"OUT's suffix says what is made:\n"
	"\n"
	"  .o .a          to link in place of the library, together with "
	"-ldlazy\n"
	"  .so            the library's name and versions, to be put in its "
	"place\n"
	"\n"
	"  -o, --output=OUT       where to write it; replaced whole or not at "
	"all\n"
	"      --feature=TEXT     what the program lacks without the library\n"
	"      --package=NAME     what to install to have it\n"
	"      --description=TEXT, --priority=required|recommended|suggested\n"
	"                         for .note.dlopen, which packagers' tools "
	"read\n"
	"      --soname=NAME      look for this one at run time; repeated: in\n"
	"                         this order (default: the library's own)\n"
	"      --symbols=LIST     without the library: names, one a line, a\n"
	"                         Debian .symbols or a .def file\n"
	"      --only=GLOB        only these functions; repeatable\n"
	"      --used-by=FILE     only what this object, archive, program or\n"
	"                         library uses; repeatable\n"
	"      --prefix=NAME      of the helpers NAME_available() and so on; "
	"'' for\n"
	"                         none (default: from the SONAME)\n"
	"      --export           .o, .a: symbols that other objects can see\n"
	"      --twin=FILE        also write FILE, which needs the library and "
	"its\n"
	"                         versions, for packagers' tools alone\n"
	"      --standalone       .a: needs libc alone at run time\n"
	"      --no-needed        .so: without the library's own DT_NEEDED\n"
	"      --machine=x86_64|aarch64\n"
	"      --json             one JSON object on standard output\n"
	"  -h, --help             this text\n";

/* What --machine calls them. */
static const char *const machine_words[] = {
#define MACHINE_WORD(name, word) word,
	ELF_CPU_MAP(MACHINE_WORD)
#undef MACHINE_WORD
};

enum format { FORMAT_OBJECT, FORMAT_ARCHIVE, FORMAT_SHARED };

struct stub_request {
	struct selection selection;
	const char *output;
	const char *list; /* --symbols */
	const char **sonames;
	const char *feature, *package;
	struct stubfile_options options;
	enum format format;
	const char *twin; /* NULL: none */
	bool no_needed;
	bool standalone;
	bool json;
};

/* ------------------------------------------------------------------ */
/* The library                                                        */

/* Foreign libraries are not read; their lists of symbols are. */
static int advise_list(int status)
{
	if (status != -DLAZY_EMACHINE)
		return status;
	return status_fail(DLAZY_EMACHINE,
			   "%s; for another machine give a list of symbols "
			   "(--symbols, --soname, --machine) or this machine's "
			   "library",
			   status_message());
}

static int read_library(const struct stub_request *request, char **ret_path,
			struct library *ret)
{
	_cleanup_free_ char *path = NULL;
	int status;

	if (request->list)
		return library_read_list(request->list, request->sonames[0],
					 ret);
	status = selection_find(&request->selection, &path);
	if (status == 0)
		status = library_read(path, ret);
	if (status == 0)
		status = elf_view_check_plugin(ret->view, path);
	if (status == 0)
		*ret_path = TAKE_PTR(path);
	return advise_list(status);
}

/* Where it is looked for at run time, in place of what reading has said. */
static int name_files(const char *const *names, struct library *library)
{
	size_t count = 0;

	while (names[count])
		count++;
	char **files = calloc(count + 1, sizeof(*files));
	if (!files)
		return status_no_memory(NULL);
	for (size_t i = 0; i < library->file_count; i++)
		free(library->files[i]);
	free(library->files);
	library->files = files;
	library->file_count = 0;
	for (size_t i = 0; i < count; i++) {
		files[i] = strdup(names[i]);
		if (!files[i])
			return status_no_memory(NULL);
		library->file_count++;
	}
	return 0;
}

/*
 * A program that is linked with .o or .a looks for the name, as it would if
 * plainly linked. A shared stub has that name itself, so it keeps the path.
 */
static int place(const struct stub_request *request, struct library *library)
{
	const char *const own[] = {library->soname, NULL};

	if (request->sonames[0])
		return name_files((const char *const *)request->sonames,
				  library);
	return request->format == FORMAT_SHARED ? 0 : name_files(own, library);
}

/* What the library needs, NULL-ended, for its shared stub to need. */
static int needed_of(const struct stub_request *request,
		     const struct library *library, const char ***ret)
{
	bool none = !library->view || request->no_needed;
	size_t count = none ? 0 : elf_view_needed_count(library->view);

	*ret = calloc(count + 1, sizeof(**ret));
	if (!*ret)
		return status_no_memory(NULL);
	for (size_t i = 0; i < count; i++)
		(*ret)[i] = elf_view_needed(library->view, i);
	return 0;
}

/* Tools that read notes want a feature and a priority in each. A shared stub
 * is nobody's dependency, unless it is said to be. */
static struct stubfile_note note_of(const struct stub_request *request,
				    const struct library *library)
{
	struct stubfile_note note = request->options.note;

	if (*request->feature)
		note.feature = request->feature;
	else if (request->format != FORMAT_SHARED)
		note.feature = library->soname;
	if (!note.priority)
		note.priority = "recommended";
	return note;
}

/* The object that goes into standalone archives, as installed. */
static int read_alone(enum elf_cpu cpu, struct stubfile *ret)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	char name[64], path[PATH_MAX];

	snprintf(name, sizeof(name), "standalone-%s.o", machine_words[cpu]);
	int status =
		beside_find(name, DLAZY_BIN_TO_PKGLIB, DLAZY_PKGLIBDIR, path);
	if (status < 0)
		return status;
	if (!status)
		return status_fail(DLAZY_ENOENT,
				   "%s: not there: this dlazy was built where "
				   "no compiler for %s was",
				   path, machine_words[cpu]);
	status = file_open(AT_FDCWD, path, &fd, &identity);
	if (status < 0)
		return status;
	ret->data = malloc(identity.size + 1);
	if (!ret->data)
		return status_no_memory(NULL);
	ret->size = identity.size;
	return file_read_at(fd, 0, ret->data, ret->size)
		       ? 0
		       : status_fail(DLAZY_EIO, "%s: cannot be read", path);
}

static int make_archive(const struct stub_request *request,
			const struct library *library,
			struct stubfile_options *options, struct stubfile *ret)
{
	_cleanup_(stubfile_clear) struct stubfile alone = {NULL, 0};

	if (request->standalone) {
		int status = read_alone(options->cpu, &alone);
		if (status < 0)
			return status;
		options->alone = &alone;
	}
	return stubfile_archive(library, options, ret);
}

static int make(const struct stub_request *request,
		const struct library *library, struct stubfile *ret)
{
	struct stubfile_options options = request->options;

	options.note = note_of(request, library);
	if (request->format == FORMAT_OBJECT)
		return stubfile_object(library, &options, ret);
	if (request->format == FORMAT_ARCHIVE)
		return make_archive(request, library, &options, ret);

	_cleanup_free_ const char **needed = NULL;
	int status = needed_of(request, library, &needed);
	options.libdlazy = LIBDLAZY_SONAME;
	options.needed = needed;
	return status < 0 ? status : stubfile_shared(library, &options, ret);
}

/* ------------------------------------------------------------------ */
/* Telling                                                            */

static const char *why_skipped(const struct stub_request *request,
			       const struct library_symbol *s)
{
	if (s->why_not)
		return s->why_not;
	if (request->format == FORMAT_SHARED)
		return NULL;
	if (s->data)
		return "data, which is used without a call";
	return s->is_default ? NULL : "an old version, which links nowhere";
}

static size_t count_functions(const struct stub_request *request,
			      const struct library *library)
{
	size_t count = 0;

	for (size_t i = 0; i < library->symbol_count; i++)
		count += !library->symbols[i].data &&
			 !why_skipped(request, &library->symbols[i]);
	return count;
}

static void print_skipped(struct json *j, const struct stub_request *request,
			  const struct library *library)
{
	json_begin_array(j);
	for (size_t i = 0; i < library->symbol_count; i++) {
		const struct library_symbol *s = &library->symbols[i];
		const char *why = why_skipped(request, s);
		if (!why)
			continue;
		json_begin_object(j);
		json_string_at(j, "name", s->name);
		json_string_at(j, "version", *s->version ? s->version : NULL);
		json_string_at(j, "why", why);
		json_end_object(j);
	}
	json_end_array(j);
}

static void stub_print_json(const struct stub_request *request,
			    const char *path, const struct library *library)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_string_at(&j, "library", library->soname);
	json_string_at(&j, "path", path);
	json_string_at(&j, "output", request->output);
	json_begin_array_at(&j, "files");
	for (size_t i = 0; i < library->file_count; i++)
		json_string(&j, library->files[i]);
	json_end_array(&j);
	json_unsigned_at(&j, "functions", count_functions(request, library));
	json_key(&j, "skipped");
	print_skipped(&j, request, library);
	json_end_object(&j);
	json_finish(&j);
}

/* Names of skipped data that are told before "and N more". */
#define TOLD_MAX 4

/* Only of data, which a program may well use: what of them somebody is known to
 * name, and in a shared stub, where no link editor will tell. */
static void print_data(const struct stub_request *request,
		       const struct library *library)
{
	bool shared = request->format == FORMAT_SHARED;
	size_t count = 0;

	if (!shared && !*request->selection.users)
		return;
	for (size_t i = 0; i < library->symbol_count; i++) {
		const struct library_symbol *s = &library->symbols[i];
		if (!s->data || s->why_not || count++ >= TOLD_MAX)
			continue;
		fputs(count > 1 ? ", " : shared ? "" : "no stub for ", stdout);
		cli_put(s->name, stdout);
	}
	if (count > TOLD_MAX)
		printf(" and %zu more%s", count - TOLD_MAX,
		       shared ? "" : " (--json tells all)");
	if (count)
		printf(": data, which no call announces; a program that %s\n",
		       shared ? "takes it at its start crashes there (dlazy "
				"run knows which)"
			      : "names it does not link, but finds it by "
				"dlazy_resolve()");
}

/* Its own, that is: with a TLS segment. */
static bool has_static_tls(const struct library *library)
{
	unsigned flags = library->view ? elf_view_flags(library->view) : 0;

	return flags & ELF_STATIC_TLS && flags & ELF_TLS;
}

static void stub_print_text(const struct stub_request *request,
			    const struct library *library)
{
	size_t functions = count_functions(request, library);

	cli_put(library->soname, stdout);
	printf(": %zu function%s in ", functions, functions == 1 ? "" : "s");
	cli_put(request->output, stdout);
	putchar('\n');
	print_data(request, library);
	if (has_static_tls(library))
		cli_say("%s needs static TLS: opened late, it may find no "
			"room left",
			library->soname);
}

/* ------------------------------------------------------------------ */
/* Doing it                                                           */

/* A stub in the place of the one file that it is made from helps nobody. */
static int refuse_itself(const struct stub_request *request, const char *path)
{
	struct stat library, output;

	if (!path || stat(path, &library) < 0 ||
	    stat(request->output, &output) < 0 ||
	    library.st_dev != output.st_dev || library.st_ino != output.st_ino)
		return 0;
	return status_fail(DLAZY_EINVAL,
			   "-o %s is the library itself: choose another name",
			   request->output);
}

static int write_stub(const struct stub_request *request,
		      const struct library *library)
{
	struct stubfile file = {NULL, 0};
	mode_t mode = request->format == FORMAT_SHARED ? 0777 : 0666;
	int status = make(request, library, &file);

	if (status == 0)
		status = file_replace(AT_FDCWD, request->output, file.data,
				      file.size, mode);
	stubfile_clear(&file);
	return status;
}

/* Of the functions that have a stub. */
static int write_twin(const struct stub_request *request,
		      const struct library *library)
{
	_cleanup_free_ struct twin_symbol *symbols =
		calloc(library->symbol_count + 1, sizeof(*symbols));
	_cleanup_(stubfile_clear) struct stubfile file = {NULL, 0};
	size_t count = 0;

	if (!symbols)
		return status_no_memory(NULL);
	for (size_t i = 0; i < library->symbol_count; i++) {
		const struct library_symbol *s = &library->symbols[i];

		if (!s->data && !why_skipped(request, s))
			symbols[count++] =
				(struct twin_symbol){s->name, s->version};
	}
	int status = twin_write(request->options.cpu, library->soname, symbols,
				count, &file.data, &file.size);
	if (status == 0)
		status = file_replace(AT_FDCWD, request->twin, file.data,
				      file.size, 0666);
	return status;
}

static int prepare(const struct stub_request *request, const char *path,
		   struct library *library)
{
	int status = refuse_itself(request, path);

	if (status == 0)
		status = selection_apply(&request->selection, library);
	if (status == 0)
		status = place(request, library);
	library->feature = request->feature;
	library->package = request->package;
	return status;
}

static int stub(const struct stub_request *request)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_library_ struct library library = {0};
	int status = read_library(request, &path, &library);

	if (status == 0)
		status = prepare(request, path, &library);
	if (status < 0)
		return cli_fail(status, request->json);
	if (write_stub(request, &library) < 0 ||
	    (request->twin && write_twin(request, &library) < 0)) {
		cli_fail(status_last(), request->json);
		return CLI_FAILED;
	}
	if (request->json)
		stub_print_json(request, path, &library);
	else
		stub_print_text(request, &library);
	return CLI_DONE;
}

/* ------------------------------------------------------------------ */
/* The command line                                                   */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

static bool parse_format(const char *output, enum format *ret)
{
	const char *base = file_base_name(output);

	if (has_suffix(base, ".o"))
		*ret = FORMAT_OBJECT;
	else if (has_suffix(base, ".a"))
		*ret = FORMAT_ARCHIVE;
	else if (has_suffix(base, ".so") || strstr(base, ".so."))
		*ret = FORMAT_SHARED;
	else
		return false;
	return true;
}

static int take_machine(char *name, void *data)
{
	struct stub_request *request = data;

	for (int cpu = 0; cpu < ELF_CPU_COUNT; cpu++) {
		if (strcmp(name, machine_words[cpu]) != 0)
			continue;
		request->options.cpu = (enum elf_cpu)cpu;
		return -1;
	}
	return cli_usage("stub", "stub: --machine=%s: x86_64 or aarch64", name);
}

static int take_priority(char *name, void *data)
{
	static const char *const known[] = {"required", "recommended",
					    "suggested"};
	struct stub_request *request = data;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i]) == 0) {
			request->options.note.priority = name;
			return -1;
		}
	}
	return cli_usage("stub",
			 "stub: --priority=%s: required, recommended or "
			 "suggested",
			 name);
}

/* data: a NULL-ended list with room for all words of the command line. */
static int append_word(char *word, void *data)
{
	const char **list = data;

	while (*list)
		list++;
	*list = word;
	return -1;
}

static int take_flag(char *name, void *data)
{
	struct stub_request *request = data;

	if (request->selection.flag)
		return cli_usage("stub",
				 "stub: one library at a time: -l%s, and then "
				 "-l%s",
				 request->selection.flag, name);
	request->selection.flag = name;
	return -1;
}

static int parse_options(int argc, char **argv, struct stub_request *request)
{
	struct selection *selection = &request->selection;
	struct stubfile_options *stubs = &request->options;
	const struct cli_option options[] = {
		{"description", .text = &stubs->note.description},
		{"export", .flag = &stubs->exported},
		{"feature", .text = &request->feature},
		{"machine", .take = take_machine, .data = request},
		{"no-needed", .flag = &request->no_needed},
		{"only", .take = append_word, .data = selection->globs},
		{"output", 'o', .text = &request->output},
		{"package", .text = &request->package},
		{"prefix", .text = &stubs->prefix},
		{"priority", .take = take_priority, .data = request},
		{"soname", .take = append_word, .data = request->sonames},
		{"standalone", .flag = &request->standalone},
		{"symbols", .text = &request->list},
		{"twin", .text = &request->twin},
		{"used-by", .take = append_word, .data = selection->users},
		{"json", .flag = &request->json},
		{"", 'l', .take = take_flag, .data = request},
		{"", 'L', .take = append_word, .data = selection->directories},
		{.name = NULL},
	};

	return cli_options(argc, argv, help, options);
}

/* Which library: one of LIB, -lNAME and --symbols. */
static int check_library(char **operands, struct stub_request *request)
{
	const struct selection *s = &request->selection;
	bool sources = s->flag || request->list;

	if (operands[0] && (sources || operands[1]))
		return cli_usage("stub", "stub: one library at a time: %s?",
				 operands[sources ? 0 : 1]);
	if (s->flag && request->list)
		return cli_usage("stub", "stub: -l%s or --symbols=%s?", s->flag,
				 request->list);
	if (!operands[0] && !sources)
		return cli_usage("stub", "stub: of which library?");
	if (operands[0] && !*operands[0])
		return cli_usage("stub", "stub: the library's name is empty");
	if (request->list && !request->sonames[0])
		return cli_usage("stub",
				 "stub: --symbols: what is the library's name? "
				 "(--soname=libfoo.so.1)");
	request->selection.name = operands[0];
	return CLI_DONE;
}

static int check_output(struct stub_request *request)
{
	if (!request->output)
		return cli_usage("stub", "stub: where to? (-o OUT.o, OUT.a or "
					 "OUT.so)");
	if (!parse_format(request->output, &request->format))
		return cli_usage("stub",
				 "stub: -o %s: OUT.o, OUT.a or OUT.so; the "
				 "suffix says what is made",
				 request->output);
	if (request->standalone && request->format != FORMAT_ARCHIVE)
		return cli_usage("stub",
				 "stub: --standalone is for archives: -o "
				 "OUT.a");
	if (request->format == FORMAT_SHARED) {
		if (request->options.exported)
			return cli_usage("stub",
					 "stub: --export is for .o and .a: a "
					 "shared object exports all");
		return CLI_DONE;
	}
	if (request->no_needed)
		return cli_usage("stub", "stub: --no-needed is for .so: others "
					 "need nothing");
	return CLI_DONE;
}

/* A shared stub must not find itself. */
static int check_names(const struct stub_request *request)
{
	for (const char **name = request->sonames; *name; name++)
		if (**name == '\0')
			return cli_usage("stub",
					 "stub: --soname: the name is empty");
	if (request->format != FORMAT_SHARED)
		return CLI_DONE;
	for (const char **name = request->sonames; *name; name++)
		if (strchr(*name, '/'))
			return CLI_DONE;
	if (!request->list && !request->sonames[0])
		return CLI_DONE;
	return cli_usage("stub",
			 "stub: %s will itself be found as %s: name the real "
			 "library by its path, too (--soname=/usr/lib/%s)",
			 request->output, request->sonames[0],
			 request->sonames[0]);
}

/* A helper's name is one of C. */
static int check_prefix(const struct stub_request *request)
{
	const char *prefix = request->options.prefix;

	if (!prefix || !*prefix)
		return CLI_DONE;
	for (const char *c = prefix; *c; c++)
		if (!isalpha((unsigned char)*c) && *c != '_' &&
		    (c == prefix || !isdigit((unsigned char)*c)))
			return cli_usage("stub",
					 "stub: --prefix=%s: letters, digits "
					 "and _, as names in C have",
					 prefix);
	return CLI_DONE;
}

static int check_request(char **operands, struct stub_request *request)
{
	int status = check_library(operands, request);

	if (status == CLI_DONE)
		status = check_output(request);
	if (status == CLI_DONE)
		status = check_names(request);
	if (status == CLI_DONE)
		status = check_prefix(request);
	if (status == CLI_DONE && request->options.cpu == ELF_CPU_NONE)
		return cli_usage("stub", "stub: for which machine? "
					 "(--machine=x86_64|aarch64; for this "
					 "one there are no stub files)");
	return status;
}

int cli_stub(int argc, char **argv)
{
	/* One block, cut in lists that hold every word there is. */
	size_t most = (size_t)argc + 1;
	_cleanup_free_ const char **words = calloc(4 * most, sizeof(*words));
	if (!words) {
		status_no_memory(NULL);
		return cli_fail(status_last(), false);
	}
	struct stub_request request = {
		.selection = {.directories = words,
			      .globs = words + most,
			      .users = words + 2 * most},
		.sonames = words + 3 * most,
		.feature = "",
		.package = "",
		.options.cpu = stubfile_native(),
	};
	int status = parse_options(argc, argv, &request);

	if (status < 0)
		status = check_request(argv + optind, &request);
	else
		return status;
	return status == CLI_DONE ? stub(&request) : status;
}
