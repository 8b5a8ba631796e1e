/* SPDX-License-Identifier: MIT */
/* What is loaded before a plugin, and which policy decides about it. */
#include "tests/unit/opened.h"

#include "base/cleanup.h"
#include "catalog/catalog.h"
#include "load/dependents.h"
#include "load/load.h"
#include "load/loading.h"
#include "load/metadata.h"
#include "load/policy.h"
#include "registry/registry.h"

#include <dlazy/lifecycle.h>

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A plugin in the test's directory, with a sidecar. */
static void put(const char *name, const char *metadata)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.so", name);
	own_copy("good-plain", file);
	snprintf(file, sizeof(file), "%s.dlazy.json", name);
	FILE *out = fopen(own_path(file), "w");
	CHECK(out != NULL);
	fprintf(out, "{\"schema\":1, %s}", metadata);
	fclose(out);
}

/* As it is staged. */
static const char *json_module(void)
{
	static char json[4096];
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");

	if (!stage)
		test_skip("the JSON module is looked for in the staged tree");
	snprintf(json, sizeof(json), "%s/dlazy/json.so", stage);
	if (access(json, F_OK) < 0)
		test_skip("built without jansson");
	return json;
}

static struct dlazy_registry *registry(int flags)
{
	struct dlazy_registry *r = dlazy_registry_new();

	metadata_use_module(json_module());
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), flags), 0);
	return r;
}

static struct dlazy_module *found(struct dlazy_registry *r, const char *name)
{
	struct dlazy_module *m = dlazy_registry_find(r, name);

	if (!m)
		test_fail(__FILE__, __LINE__, "%s: %s", name, dlazy_error());
	return m;
}

static char order[256];

static void note_order(const struct dlazy_event *event, void *data)
{
	(void)data;
	if (event->kind == DLAZY_EVENT_LOADED ||
	    event->kind == DLAZY_EVENT_UNLOADED) {
		strcat(order, dlazy_module_name(event->module));
		strcat(order, " ");
	}
}

TEST(what_is_required_by_name_or_id_is_loaded_first)
{
	put("top", "\"requires\":[\"middle\"]");
	put("middle", "\"requires\":[\"codec/png\"]");
	put("base", "\"provides\":[{\"id\":\"codec/png\"}]");
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *top = found(r, "top");

	CHECK_INT(dlazy_observe(note_order, NULL), 0);
	CHECK_INT(dlazy_load(top), 0);
	CHECK_IN(order, "base middle top ");
}

TEST(a_circle_is_an_error_that_names_it)
{
	put("one", "\"requires\":[\"two\"]");
	put("two", "\"requires\":[\"three\"]");
	put("three", "\"requires\":[\"one\"]");
	struct dlazy_registry *r = registry(0);

	CHECK_INT(dlazy_load(found(r, "one")), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "one requires two requires three requires one");
	CHECK_INT(dlazy_module_state(found(r, "one")), DLAZY_FAILED);
}

TEST(a_file_that_requires_what_requires_it_is_no_reload)
{
	put("low", "\"version\":\"1\"");
	put("high", "\"requires\":[\"low\"]");
	struct dlazy_registry *r = registry(DLAZY_DISCARD);
	struct dlazy_module *low = found(r, "low");

	CHECK_INT(dlazy_load(found(r, "high")), 0);
	CHECK_INT(unlink(own_path("low.so")), 0); /* it is mapped */
	put("low", "\"requires\":[\"high\"]");
	CHECK_INT(dlazy_reload(low), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "a circle: low requires high requires low");
	CHECK_INT(dlazy_module_state(low), DLAZY_LOADED);
	CHECK_INT(dlazy_unload(low), 0);
	dlazy_registry_free(r);
}

/* Of what was given out, somebody may still call it, and it what it required. */
TEST(what_an_object_required_that_stays_mapped_stays_too)
{
	put("low", "\"version\":\"1\"");
	put("high", "\"requires\":[\"low\"]");
	struct dlazy_registry *r = registry(DLAZY_DISCARD);
	struct dlazy_module *low = found(r, "low"), *high = found(r, "high");

	CHECK(dlazy_resolve(high, "plain_answer") != NULL);
	CHECK_INT(unlink(own_path("high.so")), 0);
	put("high", "\"version\":\"2\"");
	CHECK_INT(dlazy_reload(high), 0);
	CHECK_INT(dlazy_unload(low), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "high requires it");
	CHECK_INT(dlazy_unload(high), 0);
	CHECK_INT(dlazy_unload(low), -DLAZY_EBUSY);
	CHECK_INT(dlazy_registry_limit(r, 1, 0), 0);
	CHECK_INT(dlazy_load(high), 0);
	CHECK_INT(dlazy_registry_trim(r, 0), 1);
	CHECK_INT(dlazy_module_state(low), DLAZY_LOADED);
	/* The same of its object, if it is reloaded. */
	CHECK_INT(unlink(own_path("low.so")), 0);
	put("low", "\"version\":\"2\"");
	CHECK_INT(dlazy_reload(low), 0);
	CHECK_IN(dlazy_error(), "requires it");
	CHECK_INT(dlazy_unload(low), 0);
	dlazy_registry_free(r);
}

static pthread_t other_loader;

/* As one of a stub that the linker calls while it relocates. */
static void *load_for_the_linker(void *m)
{
	const struct touch touch = {.relocating = true};
	struct load_handle loaded;
	int status = load_module(m, &touch, &loaded);

	load_release(&loaded);
	return (void *)(intptr_t)status;
}

static bool was_linker_asked_twice(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	const struct loading_frame *f = m->loaders;

	return f && f->other && atomic_load(&f->was_asked) &&
	       atomic_load(&f->other->was_asked);
}

static int have_another_load_it(struct dlazy_module *m, void *data)
{
	(void)data;
	CHECK_INT(pthread_create(&other_loader, NULL, load_for_the_linker, m),
		  0);
	while (!was_linker_asked_twice(m))
		usleep(1000);
	return 0;
}

TEST(what_it_requires_is_known_whoever_else_loads_it)
{
	put("low", "\"version\":\"1\"");
	put("high", "\"requires\":[\"low\"]");
	struct dlazy_registry *r = registry(DLAZY_DISCARD);
	struct dlazy_module *low = found(r, "low"), *high = found(r, "high");
	void *status;

	CHECK_INT(dlazy_on_load(high, have_another_load_it, NULL), 0);
	CHECK_INT(dlazy_load(high), 0);
	pthread_join(other_loader, &status);
	CHECK(!status);
	CHECK_INT(dlazy_pin(high), 0);
	CHECK_INT(dlazy_unload(low), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "high requires it");
	CHECK_INT(dlazy_unpin(high), 0);
	dlazy_registry_free(r);
}

/* A load that requires nothing any more knows nothing of the one before. */
TEST(what_it_required_before_it_was_discarded_is_forgotten)
{
	put("low", "\"version\":\"1\"");
	put("high", "\"requires\":[\"low\"]");
	struct dlazy_registry *r = registry(DLAZY_DISCARD);
	struct dlazy_module *low = found(r, "low"), *high = found(r, "high");

	CHECK_INT(dlazy_load(high), 0);
	CHECK_INT(dlazy_unload(high), 0);
	CHECK_INT(unlink(own_path("high.so")), 0);
	put("high", "\"version\":\"2\"");
	CHECK_INT(dlazy_reload(high), 0);
	CHECK_INT(dlazy_load(high), 0);
	CHECK_INT(dlazy_unload(low), 0);
	CHECK_INT(dlazy_module_state(high), DLAZY_LOADED);
	dlazy_registry_free(r);
}

/* What failed in a circle is remembered, and asked about again. */
TEST(a_circle_that_has_failed_fails_again)
{
	put("one", "\"requires\":[\"two\"]");
	put("two", "\"requires\":[\"one\"]");
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *one = found(r, "one"), *two = found(r, "two");

	for (int i = 0; i < 2; i++) {
		CHECK(dlazy_resolve(one, "plain_answer") == NULL);
		CHECK_IN(dlazy_error(), "a circle: ");
		CHECK(dlazy_resolve(two, "plain_answer") == NULL);
		CHECK_IN(dlazy_error(), "a circle: ");
	}
	put("two", "\"name\":\"two\"");
	CHECK(dlazy_resolve(one, "plain_answer") != NULL);
}

TEST(a_failure_at_the_bottom_is_told_at_the_top_with_the_chain_and_heals)
{
	put("top", "\"requires\":[\"middle\"]");
	put("middle", "\"requires\":[\"absent\"], \"hint\":\"install absent\"");
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *top = found(r, "top");

	CHECK_INT(dlazy_load(top), -DLAZY_EDEPEND);
	const char *said = dlazy_error();
	CHECK_IN(said, "top: requires middle: middle: requires absent, which");
	CHECK_IN(said, "hint: install absent");
	put("absent", "\"name\":\"absent\"");
	CHECK(dlazy_resolve(top, "plain_answer") != NULL);
}

static pthread_barrier_t start;

static void *load_end(void *m)
{
	pthread_barrier_wait(&start);
	return (void *)(intptr_t)dlazy_load(m);
}

/* What both ends of a circle or a chain get, from two threads. */
static void load_both(struct dlazy_module *a, struct dlazy_module *b,
		      int wanted)
{
	pthread_t threads[2];
	void *status;

	pthread_barrier_init(&start, NULL, 2);
	CHECK_INT(pthread_create(&threads[0], NULL, load_end, a), 0);
	CHECK_INT(pthread_create(&threads[1], NULL, load_end, b), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &status);
		CHECK_INT((intptr_t)status, wanted);
	}
}

TEST(threads_may_come_from_both_ends)
{
	put("one", "\"requires\":[\"two\"]");
	put("two", "\"requires\":[\"one\"]");
	put("top", "\"requires\":[\"base\"]");
	put("base", "\"name\":\"base\"");
	struct dlazy_registry *r = registry(0);

	for (int i = 0; i < 20; i++)
		load_both(found(r, "one"), found(r, "two"), -DLAZY_EDEPEND);
	load_both(found(r, "top"), found(r, "base"), 0);
}

static atomic_bool ended;
static atomic_int tried;

static void *load_until_the_end(void *m)
{
	while (!atomic_load(&ended)) {
		CHECK_INT(dlazy_load(m), -DLAZY_EDEPEND);
		atomic_fetch_add(&tried, 1);
	}
	return NULL;
}

TEST(a_registry_that_is_held_is_cleared_by_its_last_holder)
{
	mallopt(M_PERTURB, 0x5a); /* what is freed is not there to be read */
	put("top", "\"name\":\"top\"");
	struct dlazy_registry *r = registry(0), *other = registry(0);
	struct dlazy_module *top = opened(own_path("top.so"), 0);

	CHECK(found(r, "top") == top && found(other, "top") == top);
	struct dlazy_registry *held = registry_that_has(top, NULL);
	CHECK(held == other);
	dlazy_registry_free(other);
	CHECK(registry_find_quietly(held, "top") == top);
	dlazy_registry_free(r);
	CHECK(!registry_that_has(top, held));
}

/* The host cannot know of the load: who loads has the module from elsewhere. */
TEST(a_registry_may_be_freed_while_a_load_looks_through_it)
{
	pthread_t thread;

	mallopt(M_PERTURB, 0x5a); /* what is freed is not there to be read */
	put("top", "\"requires\":[\"absent/id\"]");
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *top = opened(own_path("top.so"), 0);

	CHECK(found(r, "top") == top);
	CHECK_INT(pthread_create(&thread, NULL, load_until_the_end, top), 0);
	for (int i = 0; i < 100 || atomic_load(&tried) < 20; i++) {
		struct dlazy_registry *other = registry(0);

		CHECK(found(other, "top") == top);
		usleep(100); /* valgrind lets who spins go on and on */
		dlazy_registry_free(other);
	}
	atomic_store(&ended, true);
	pthread_join(thread, NULL);
	dlazy_registry_free(r);
}

TEST(dependents_that_may_go_go_first)
{
	put("top", "\"requires\":[\"middle\"]");
	put("middle", "\"requires\":[\"base\"]");
	put("base", "\"name\":\"base\"");
	struct dlazy_registry *r = registry(DLAZY_DISCARD);

	CHECK_INT(dlazy_load(found(r, "top")), 0);
	CHECK_INT(dlazy_observe(note_order, NULL), 0);
	CHECK_INT(dlazy_unload(found(r, "base")), 0);
	CHECK_STR(order, "top middle base ");
	CHECK_INT(dlazy_load(found(r, "top")), 0);
	CHECK(dlazy_resolve(found(r, "top"), "plain_answer") != NULL);
	CHECK_INT(dlazy_unload(found(r, "base")), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "top requires it: ");
	CHECK_INT(dlazy_module_state(found(r, "middle")), DLAZY_LOADED);
}

TEST(nothing_goes_where_one_cannot)
{
	put("first", "\"requires\":[\"base\"]");
	put("last", "\"requires\":[\"base\"]");
	put("base", "\"name\":\"base\"");
	struct dlazy_registry *r = registry(DLAZY_DISCARD);
	struct dlazy_module *users[] = {found(r, "first"), found(r, "last")};

	for (int i = 0; i < 2; i++)
		CHECK_INT(dlazy_load(users[i]), 0);
	CHECK_INT(dlazy_observe(note_order, NULL), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(dlazy_pin(users[i]), 0);
		CHECK_INT(dlazy_unload(found(r, "base")), -DLAZY_EBUSY);
		CHECK_IN(dlazy_error(), "pinned");
		CHECK_STR(order, "");
		CHECK_INT(dlazy_unpin(users[i]), 0);
	}
	CHECK_INT(dlazy_pin(found(r, "base")), 0);
	CHECK_INT(dlazy_unload(found(r, "base")), -DLAZY_EBUSY);
	CHECK_STR(order, "");
	CHECK_INT(dlazy_unpin(found(r, "base")), 0);
	CHECK_INT(dlazy_unload(found(r, "base")), 0);
	CHECK_INT(dlazy_module_state(users[0]), DLAZY_DECLARED);
	CHECK_INT(dlazy_module_state(users[1]), DLAZY_DECLARED);
}

static struct dlazy_module *layered(int layer, int i)
{
	char file[32];

	snprintf(file, sizeof(file), "l%d-%d.so", layer, i);
	struct dlazy_module *m = opened(own_copy("good-plain", file), 0);
	CHECK_INT(dlazy_load(m), 0);
	return m;
}

/* There are 2^31 ways from the top to the bottom. */
TEST(dependents_are_found_once_each)
{
	enum { LAYERS = 32 };
	struct dlazy_module *below[2], **dependents;

	for (int i = 0; i < 2; i++)
		below[i] = layered(0, i);
	struct dlazy_module *bottom = below[0];
	for (int layer = 1; layer < LAYERS; layer++) {
		struct dlazy_module *own[2];

		for (int i = 0; i < 2; i++) {
			own[i] = layered(layer, i);
			LOCKED(&load_lock);
			own[i]->required = calloc(2, sizeof(*below));
			CHECK(own[i]->required != NULL);
			memcpy(own[i]->required, below, sizeof(below));
			own[i]->required_count = 2;
		}
		memcpy(below, own, sizeof(below));
	}
	CHECK_INT(dependents_find(bottom, &dependents), 2 * (LAYERS - 1));
	CHECK(dependents[0] != dependents[1]);
	free(dependents);
}

/* base.so, and top.so, which needs it. */
static void put_siblings(void)
{
	char command[8192];

	snprintf(command, sizeof(command),
		 "cd %s && echo 'int base(void){return 1;}' | ${CC:-cc} "
		 "-shared -fPIC -Wl,-soname,libthird.so.3 -x c - -o base.so && "
		 "echo 'int base(void);int top(void){return base();}' | "
		 "${CC:-cc} -shared -fPIC -x c - -x none ./base.so -o top.so",
		 test_directory());
	if (system(command))
		test_skip("no compiler");
}

TEST(a_sibling_that_is_needed_by_its_soname_is_loaded_first)
{
	put_siblings();
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *top = found(r, "top");

	CHECK_INT(dlazy_load(top), 0);
	CHECK_INT(dlazy_module_state(found(r, "base")), DLAZY_LOADED);
}

/* All of it can be written, but not put there. */
TEST(a_sibling_is_found_in_a_catalog_that_could_not_be_kept)
{
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	CHECK_INT(mkdir(own_path("cache"), 0700), 0);
	_cleanup_free_ char *path = catalog_user_path(test_directory());
	put_siblings();
	put("opener", "\"provides\": [{\"id\": \"a\", \"glob\": [\"*.a\", "
		      "\"*.b\", \"*.c\", \"*.d\", \"*.e\", \"*.f\"]}]");
	CHECK(path != NULL);
	if (mkdir(path, 0700) < 0)
		test_fail(__FILE__, __LINE__, "%s: %m", path);
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *top = found(r, "top");

	CHECK_INT(dlazy_load(top), 0);
	CHECK_INT(dlazy_module_state(found(r, "base")), DLAZY_LOADED);
}

/* ------------------------------------------------------------------ */
/* Policy                                                             */

static void write_policy(const char *file, const char *text)
{
	FILE *out = fopen(own_path(file), "w");

	CHECK(out != NULL);
	fputs(text, out);
	fclose(out);
}

/* The files of the system, and the one of DLAZY_POLICY. */
static void policies(const char *system, const char *user)
{
	mkdir(own_path("etc"), 0755);
	if (system)
		write_policy("etc/10-test.conf", system);
	if (user)
		write_policy("user.policy", user);
	setenv("DLAZY_POLICY", user ? own_path("user.policy") : "", 1);
	policy_use_directory(own_path("etc"));
}

static int said;

static int say(struct dlazy_module *m, void *data)
{
	(void)m;
	(void)data;
	return said;
}

static int state_of(struct dlazy_registry *r, const char *name)
{
	return (int)dlazy_module_state(found(r, name));
}

TEST(metadata_and_files_say_what_is_eager)
{
	put("a", "\"load\":\"eager\"");
	put("b", "\"name\":\"b\"");
	put("c", "\"load\":\"eager\"");
	policies("[*]\n# comment\nb = eager\n[no-such-program]\nb = never\n",
		 "c = lazy\n");
	struct dlazy_registry *r = registry(0);

	CHECK_INT(state_of(r, "a"), DLAZY_LOADED);
	CHECK_INT(state_of(r, "b"), DLAZY_LOADED);
	CHECK_INT(state_of(r, "c"), DLAZY_DECLARED);
}

static void wait_until_loaded(struct dlazy_module *m)
{
	for (unsigned i = 0; dlazy_module_state(m) != DLAZY_LOADED; i++) {
		CHECK(i < 1000 * test_seconds(10));
		usleep(1000);
	}
}

TEST(what_its_catalog_lists_as_eager_is_loaded_when_a_directory_is_added)
{
	put("a", "\"load\":\"eager\",\"requires\":[\"b\"]");
	put("b", "\"name\":\"b\"");
	put("c", "\"load\":\"prefetch\"");
	put("d", "\"load\":\"eager\"");
	put("e", "\"load\":\"lazy\"");
	policies("[*]\nd = never\ne = eager\n", NULL);
	CHECK_INT(dlazy_observe(note_order, NULL), 0);
	struct dlazy_registry *r = registry(0);

	CHECK_IN(order, "b a "); /* behind the JSON module */
	wait_until_loaded(opened(own_path("c.so"), 0));
	CHECK_IN(order, "b a c ");
	CHECK(!strchr(order, 'd') && !strchr(order, 'e'));
	CHECK_INT(state_of(r, "e"), DLAZY_LOADED);
}

TEST(files_say_what_is_eager_or_prefetched_when_it_is_opened)
{
	put("a", "\"load\":\"lazy\"");
	put("b", "\"name\":\"b\"");
	put("c", "\"name\":\"c\"");
	policies(NULL, "a = eager\nb = prefetch\n");

	struct dlazy_module *a = opened(own_path("a.so"), 0);
	CHECK_INT(dlazy_module_state(a), DLAZY_LOADED);
	wait_until_loaded(opened(own_path("b.so"), 0));
	struct dlazy_module *c = opened(own_path("c.so"), 0);
	CHECK_INT(dlazy_module_state(c), DLAZY_DECLARED);
}

TEST(what_is_never_to_be_loaded_is_not_whoever_asks)
{
	put("bad", "\"hint\":\"ask your administrator\"");
	put("good", "\"requires\":[\"bad\"]");
	policies("[test-demand]\nb?d = never\n", "bad = eager\n");
	struct dlazy_registry *r = registry(0);

	said = DLAZY_POLICY_EAGER;
	CHECK_INT(dlazy_registry_filter(r, say, NULL), 0);
	CHECK(!dlazy_registry_find(r, "bad"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EPOLICY);
	CHECK_IN(dlazy_error(), "10-test.conf:2");
	struct dlazy_module *m = opened(own_path("bad.so"), 0);
	CHECK_INT(dlazy_load(m), -DLAZY_EPOLICY);
	said = DLAZY_POLICY_LAZY;
	CHECK_INT(dlazy_load(found(r, "good")), -DLAZY_EPOLICY);
}

TEST(the_filter_comes_before_files_and_metadata)
{
	put("a", "\"load\":\"eager\"");
	put("b", "\"name\":\"b\"");
	policies("[*]\na = eager\n", "b = never\na = eager\n");
	metadata_use_module(json_module());
	struct dlazy_registry *r = dlazy_registry_new();

	said = DLAZY_POLICY_LAZY;
	CHECK_INT(dlazy_registry_filter(r, say, NULL), 0);
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), 0), 0);
	CHECK_INT(dlazy_registry_filter(r, NULL, NULL), 0);
	CHECK(!dlazy_registry_find(r, "b"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EPOLICY);
	CHECK_INT(dlazy_registry_filter(r, say, NULL), 0);
	CHECK_INT(state_of(r, "a"), DLAZY_DECLARED);
	CHECK_INT(dlazy_load(found(r, "b")), 0);
	said = DLAZY_POLICY_NEVER;
	CHECK(!dlazy_registry_find(r, "a"));
	CHECK_IN(dlazy_error(), "the host");
	said = DLAZY_POLICY_PREFETCH;
	struct dlazy_module *a = found(r, "a");
	while (dlazy_module_state(a) != DLAZY_LOADED)
		usleep(1000);
}

TEST(a_later_line_and_a_later_file_win)
{
	put("a", "\"name\":\"a\"");
	policies("a = eager\n[*]\n? = lazy\n", NULL);
	write_policy("etc/20-more.conf", "nonsense\na = sometimes\n");
	struct dlazy_registry *r = registry(0);

	CHECK_INT(state_of(r, "a"), DLAZY_DECLARED);
}

/* ------------------------------------------------------------------ */
/* Providers                                                          */

TEST(the_best_provider_that_can_be_used_is_found)
{
	const char *symbol;

	put("slow",
	    "\"provides\":[{\"id\":\"x/y\", \"symbol\":\"plain_answer\"}]");
	put("best", "\"provides\":[{\"id\":\"x/y\", \"rank\":900}], "
		    "\"hint\":\"buy it\"");
	test_copy(test_plugin("bad-missing-library"), own_path("best.so"));
	struct dlazy_registry *r = registry(0);
	struct dlazy_module *m = dlazy_registry_provider(r, "x/y", 0, &symbol);

	CHECK(m == found(r, "slow"));
	CHECK_STR(symbol, "plain_answer");
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK(dlazy_registry_provider(r, "x/y", DLAZY_EAGER, NULL) == m);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);

	CHECK(!dlazy_registry_provider(r, "x/z", 0, NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	CHECK(!dlazy_registry_provider(r, NULL, 0, NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
}

static pthread_barrier_t all_here;

static void *ask_and_set_filters(void *r)
{
	const char *symbol;

	pthread_barrier_wait(&all_here);
	for (int i = 0; i < 50; i++) {
		dlazy_registry_filter(r, i % 2 ? say : NULL, NULL);
		struct dlazy_module *m =
			dlazy_registry_provider(r, "codec/png", 0, &symbol);
		if (!m || strcmp(dlazy_module_name(m), "best") != 0)
			return r;
	}
	return NULL;
}

TEST(threads_ask_for_providers_while_filters_change)
{
	put("best", "\"provides\":[{\"id\":\"codec/png\",\"rank\":900}]");
	put("other", "\"provides\":[{\"id\":\"codec/png\"}]");
	struct dlazy_registry *r = registry(0);
	pthread_t threads[4];
	void *wrong;

	said = DLAZY_POLICY_LAZY;
	pthread_barrier_init(&all_here, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, ask_and_set_filters, r);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		CHECK(!wrong);
	}
	dlazy_registry_free(r);
}

TEST(a_providers_symbol_is_that_of_its_best_rank)
{
	const char *symbol;

	put("twice", "\"provides\":[{\"id\":\"x/y\", \"rank\":100, "
		     "\"symbol\":\"slow\"}, {\"id\":\"x/y\", "
		     "\"rank\":900, \"symbol\":\"fast\"}]");
	struct dlazy_registry *r = registry(0);

	CHECK(dlazy_registry_provider(r, "x/y", 0, &symbol));
	CHECK_STR(symbol, "fast");
	dlazy_registry_free(r);
}

TEST(what_a_catalog_says_needs_no_json_module)
{
	const char *symbol;
	int how;

	json_module(); /* or skip, before there is a child */
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	put("needed", "\"name\":\"N\"");
	put("early", "\"requires\":[\"needed\"], \"load\":\"eager\", "
		     "\"provides\":[{\"id\":\"x/y\", "
		     "\"symbol\":\"plain_answer\"}]");
	/* The catalog is written by who looks first. */
	if (fork() == 0) {
		dlazy_registry_free(registry(0));
		_exit(0);
	}
	CHECK(wait(&how) > 0 && how == 0);
	struct dlazy_registry *r = registry(0);
	metadata_use_module("/nonexistent/json.so");
	CHECK(dlazy_registry_provider(r, "x/y", 0, &symbol));
	CHECK_STR(symbol, "plain_answer");
	CHECK_INT(dlazy_module_state(found(r, "early")), DLAZY_LOADED);
	CHECK_INT(dlazy_module_state(found(r, "needed")), DLAZY_LOADED);
	dlazy_registry_free(r);
}

TEST(why_no_provider_can_be_used_is_told_of_each_with_its_hint)
{
	put("best", "\"provides\":[{\"id\":\"x/y\"}], \"hint\":\"buy it\"");
	test_copy(test_plugin("bad-missing-library"), own_path("best.so"));
	struct dlazy_registry *r = registry(0);

	CHECK(!dlazy_registry_provider(r, "x/y", 0, NULL));
	CHECK_INT(dlazy_last_status(), -DLAZY_EDEPEND);
	const char *words = dlazy_error();
	CHECK_IN(words, "best: ");
	CHECK_IN(words, "libdlazy-absent.so");
	CHECK_IN(words, "hint: buy it");
}
