/* SPDX-License-Identifier: MIT */
/*
 * make-stub [--exported] [--note FEATURE] [--libdlazy FILE] KIND MACHINE OUT
 * LIBRARY...: a stub file for tests, of any kind and for any machine that there
 * is. KIND: object, archive, shared, combined. MACHINE: x86_64, aarch64.
 */
#include "base/status.h"
#include "link/stubfile/stubfile.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(void)
{
	fprintf(stderr, "make-stub: %s\n", status_message());
	return EXIT_FAILURE;
}

static int make(const char *kind, const struct library *libraries, size_t count,
		const struct stubfile_options *options, struct stubfile *ret)
{
	const struct stubfile_run run = {"/nowhere", "/nowhere/record"};

	if (strcmp(kind, "object") == 0)
		return stubfile_object(libraries, options, ret);
	if (strcmp(kind, "archive") == 0)
		return stubfile_archive(libraries, options, ret);
	if (strcmp(kind, "shared") == 0)
		return stubfile_shared(libraries, options, ret);
	return stubfile_combined(libraries, count, &run, options, ret);
}

static int put(const struct stubfile *file, const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return -1;
	fwrite(file->data, 1, file->size, out);
	return fclose(out);
}

static void parse_options(int argc, char **argv,
			  struct stubfile_options *options)
{
	static const struct option known[] = {
		{"exported", no_argument, NULL, 'e'},
		{"note", required_argument, NULL, 'n'},
		{"libdlazy", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0}};

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
		if (c == 'e')
			options->exported = true;
		else if (c == 'n')
			options->note.feature = optarg;
		else if (c == 'l')
			options->libdlazy = optarg;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct library libraries[64];
	struct stubfile_options options = {.libdlazy = NULL};
	struct stubfile file;
	size_t count = 0;

	parse_options(argc, argv, &options);
	if (argc - optind < 4)
		return 2;
	options.cpu = strcmp(argv[optind + 1], "aarch64") == 0 ? ELF_CPU_AARCH64
							       : ELF_CPU_X86_64;
	for (int i = optind + 3; i < argc && count < 64; i++)
		if (library_read(argv[i], &libraries[count++]) < 0)
			return complain();
	if (make(argv[optind], libraries, count, &options, &file) < 0)
		return complain();
	int r = put(&file, argv[optind + 2]);
	stubfile_clear(&file);
	while (count > 0)
		library_clear(&libraries[--count]);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
