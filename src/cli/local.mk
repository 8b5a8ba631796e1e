# SPDX-License-Identifier: MIT
# The tool: a folder for each group of commands. It links the convenience
# library.

bin_PROGRAMS += dlazy
dlazy_LDADD = libdlazy-link.la libdlazy-internal.la
dlazy_SOURCES = \
	%D%/cli.h \
	%D%/main.c

dist_bashcompletion_DATA += %D%/completion/dlazy.bash
dist_zshcompletion_DATA += %D%/completion/_dlazy

include %D%/frame/local.mk
include %D%/probe/local.mk
include %D%/plugins/local.mk
include %D%/check/local.mk
include %D%/stub/local.mk
include %D%/run/local.mk
include %D%/trace/local.mk
include %D%/bench/local.mk
include %D%/report/local.mk
include %D%/policy/local.mk
include %D%/advise/local.mk
