/* SPDX-License-Identifier: MIT */
/*
 * The library of tests/situations: each function is called through a stub by
 * program.cc and wrap.c. Many more (sit_f0 and up) come from situations.bash.
 */
#include <stdexcept>

static int made;
__attribute__((constructor)) static void make()
{
	made++;
}

extern "C" {

int sit_add(int a, int b)
{
	return a + b;
}

int sit_made()
{
	return made;
}

int sit_each(int (*fn)(int, void *), void *data, int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += fn(i, data);
	return sum;
}

/* Calls back to who calls this again, so that stubs lie on the stack n deep. */
int sit_again(int (*fn)(int), int n)
{
	return n == 0 ? 0 : 1 + fn(n - 1);
}

void sit_throw(int n)
{
	throw std::out_of_range(std::to_string(n));
}

int sit_catch(void (*fn)(int), int n)
{
	try {
		fn(n);
	} catch (const std::exception &) {
		return n;
	}
	return -1;
}

int sit_version_1()
{
	return 1;
}
int sit_version_2()
{
	return 2;
}
__asm__(".symver sit_version_1, sit_version@SIT_1\n"
	".symver sit_version_2, sit_version@@SIT_2");
}
