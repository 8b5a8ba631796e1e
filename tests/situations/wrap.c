/* SPDX-License-Identifier: MIT */
/* A shared object that is linked with stubs of the library, as a program is. */
int sit_add(int a, int b);
int sit_made(void);
int wrap_add(int a, int b);
int wrap_made(void);

int wrap_add(int a, int b)
{
	return sit_add(a, b);
}

int wrap_made(void)
{
	return sit_made();
}
