/* SPDX-License-Identifier: MIT */
/*
 * Settings in the environment that cannot be obeyed. The library does not print;
 * but who sets a variable talks to it and not to the host, which knows nothing
 * of that and has no way to be told: silence would be taken for obedience.
 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

/* One line on standard error: "dlazy: VARIABLE=value: why". errno is kept. */
void setting_refuse(const char *variable, const char *value, const char *why);

#endif
