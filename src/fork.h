/* SPDX-License-Identifier: MIT */
/* What happens around fork(2); see fork.c. */
#ifndef FORK_H
#define FORK_H

/* Installs the handlers, once: before the first lock of any layer is taken. */
void fork_install(void);

#endif
