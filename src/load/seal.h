/* SPDX-License-Identifier: MIT */
/*
 * dlazy_seal(): what is loaded stays, nothing else comes, and the tables through which
 * stubs go cannot be written to any more.
 */
#ifndef LOAD_SEAL_H
#define LOAD_SEAL_H

/* As dlazy_seal(), called from `caller`. */
int seal_process(const void *caller);

#endif
