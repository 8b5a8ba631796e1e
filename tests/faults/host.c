/* SPDX-License-Identifier: MIT */
/*
 * A host for the fault sweep: declares directories, finds, walks, calls, discards
 * and prefetches, and prints what came of it. What fails says so on standard error
 * and is not tried again; exit 1 then, so that a right answer is told from none.
 */
#include <dlazy/dlazy.h>

#include <stdio.h>

static int failed;

static void say(const char *what)
{
	const char *why = dlazy_error();

	fprintf(stderr, "%s: %s\n", what, why ? why : "failed without words");
	failed = 1;
}

static int nothing(void)
{
	return -1;
}

static void *replace(const struct dlazy_failure *f, void *data)
{
	(void)data;
	fprintf(stderr, "%s: %s\n", f->symbol, f->message);
	failed = 1;
	return (void *)nothing;
}

static int answer_of(struct dlazy_module *m, const char *symbol)
{
	int (*f)(void) = (int (*)(void))dlazy_sym(m, symbol);

	if (f)
		return f();
	say(symbol);
	return -1;
}

static void ask(struct dlazy_registry *r, const char *name)
{
	struct dlazy_module *m = dlazy_registry_find(r, name);

	if (!m)
		say(name);
	else
		printf("%s %d\n", name, answer_of(m, "answer"));
}

static void discard(const char *path)
{
	struct dlazy_module *m = dlazy_open(path, DLAZY_DISCARD);

	if (!m) {
		say(path);
		return;
	}
	printf("discarded %d\n", answer_of(m, "answer"));
	if (dlazy_unload(m) < 0 || dlazy_close(m) < 0)
		say("unload");
}

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();
	size_t n = 0;

	if (argc < 3 || !r || dlazy_on_failure(NULL, replace, NULL) < 0) {
		say("host");
		return 1;
	}
	if (dlazy_registry_add_dir(r, argv[1], 0) < 0)
		say(argv[1]);
	ask(r, "p1");
	ask(r, "p3");
	for (struct dlazy_module *m = NULL; (m = dlazy_registry_next(r, m));)
		n++;
	const char *why = dlazy_error();
	if (why) {
		fprintf(stderr, "walk: %s\n", why);
		failed = 1;
	}
	printf("%zu walked, %zu counted\n", n, dlazy_registry_count(r));
	struct dlazy_module *m = dlazy_registry_find(r, "p2");
	if (!m || dlazy_prefetch(m) < 0 || dlazy_load(m) < 0)
		say("p2");
	discard(argv[2]);
	dlazy_registry_free(r);
	return failed;
}
