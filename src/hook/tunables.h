/* SPDX-License-Identifier: MIT */
/*
 * What is done about static TLS. Where there is an auditor, the dynamic linker
 * lays out the program's thread-local data before it has seen the program's
 * libraries, and those that have much of it (allocators) find no room: the program
 * does not start. A tunable of glibc's makes room; an audit object puts back what
 * the program had of it, before anything of the program runs.
 *
 * In the environment there are then: the variable with our value; TUNABLES_MARK;
 * and, if the variable was set, what it was, behind the first bytes of an entry.
 */
#ifndef HOOK_TUNABLES_H
#define HOOK_TUNABLES_H

#define TUNABLES_VARIABLE "GLIBC_TUNABLES"
#define TUNABLES_NAME "glibc.rtld.optional_static_tls"
#define TUNABLES_MARK "DLAZY_HOOK_TUNABLES"
#define TUNABLES_SAVED "DLAZY_HOOK_GLIBC_TUNABLES"
enum { TUNABLES_SAVED_AT = 11 };

#endif
