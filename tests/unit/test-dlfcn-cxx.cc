/* SPDX-License-Identifier: MIT */
/* test-dlfcn.c as C++: the inline functions of <dlazy/dlfcn.h> must be that,
 * too. */
#include "tests/unit/test-dlfcn.c"
