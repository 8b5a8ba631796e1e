/* SPDX-License-Identifier: MIT */
/*
 *   program SITUATION
 *
 * One of the situations that a stub has to serve, in a process of its own, where
 * each begins with a first call. Prints "right", or what is not. The words are
 * those of Implib.so's own tests.
 */
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
int sit_add(int a, int b);
int sit_made(void);
int sit_each(int (*fn)(int, void *), void *data, int n);
int sit_again(int (*fn)(int), int n);
void sit_throw(int n);
int sit_catch(void (*fn)(int), int n);
int sit_version(void);
int wrap_add(int a, int b);
int wrap_made(void);
extern int (*const many[])(void);
extern const int many_count;
}

#define WANT(condition)                                  \
	do {                                             \
		if (!(condition)) {                      \
			std::printf("%s\n", #condition); \
			return 1;                        \
		}                                        \
	} while (0)

static int add_to(int n, void *data)
{
	return sit_add(n, *(int *)data);
}

static int callbacks()
{
	int ten = 10;

	WANT(sit_each(add_to, &ten, 4) == 46);
	/* The stub's own address is a function, too. */
	int (*volatile add)(int, int) = sit_add;
	WANT(add(2, 3) == 5);
	return 0;
}

static void throw_it(int n)
{
	sit_throw(n);
}

static int exceptions()
{
	try {
		sit_throw(7);
		WANT(!"thrown");
	} catch (const std::out_of_range &e) {
		WANT(std::strcmp(e.what(), "7") == 0);
	}
	/* From the library through the program's function to the library. */
	WANT(sit_catch(throw_it, 5) == 5);
	return 0;
}

static int several_dlopens()
{
	void *first = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	void *second = dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL);

	WANT(first && first == second);
	int (*made)(void) = (int (*)(void))dlsym(first, "sit_made");
	WANT(made && made() == 1 && sit_made() == 1 && wrap_made() == 1);
	WANT(dlclose(first) == 0 && dlclose(second) == 0);
	WANT(sit_made() == 1);
	return 0;
}

static int many_functions()
{
	WANT(many_count >= 300);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < many_count; i++)
			WANT(many[i]() == i);
	return 0;
}

static pthread_barrier_t barrier;

static void *call_with_others(void *data)
{
	int *n = (int *)data;

	pthread_barrier_wait(&barrier);
	*n = sit_add(*n, 1000) + sit_made();
	return nullptr;
}

static int threads()
{
	enum { COUNT = 8 };
	pthread_t all[COUNT];
	int numbers[COUNT];

	WANT(pthread_barrier_init(&barrier, nullptr, COUNT) == 0);
	for (int i = 0; i < COUNT; i++) {
		numbers[i] = i;
		WANT(pthread_create(&all[i], nullptr, call_with_others,
				    &numbers[i]) == 0);
	}
	for (int i = 0; i < COUNT; i++) {
		WANT(pthread_join(all[i], nullptr) == 0);
		WANT(numbers[i] == i + 1001);
	}
	return 0;
}

static int child_calls()
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(sit_add(20, 22));
	WANT(child > 0 && waitpid(child, &status, 0) == child);
	WANT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	return 0;
}

static int forks()
{
	WANT(child_calls() == 0); /* neither has loaded it */
	WANT(sit_add(1, 1) == 2);
	return child_calls();
}

static int again(int n)
{
	return sit_again(again, n);
}

static int recursion()
{
	WANT(again(1000) == 1000);
	return 0;
}

static int shared()
{
	WANT(wrap_add(1, 2) == 3); /* loaded by another object's stub */
	WANT(sit_add(3, 4) == 7);
	WANT(wrap_made() == 1);
	return 0;
}

/* Who looks for the library's names finds them only when it is there. */
static int hidden()
{
	WANT(!dlsym(RTLD_DEFAULT, "sit_add"));
	WANT(sit_add(3, 4) == 7);
	WANT(wrap_add(1, 2) == 3);
	return 0;
}

static int versions()
{
	WANT(sit_version() == 2);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(void);
	} all[] = {
		{"callbacks", callbacks},
		{"exceptions", exceptions},
		{"several-dlopens", several_dlopens},
		{"many-functions", many_functions},
		{"threads", threads},
		{"fork", forks},
		{"recursion", recursion},
		{"shared", shared},
		{"hidden", hidden},
		{"versions", versions},
	};

	for (const auto &each : all)
		if (argc == 2 && std::strcmp(argv[1], each.name) == 0) {
			if (each.fn() != 0)
				return 1;
			std::puts("right");
			return 0;
		}
	return 2;
}
