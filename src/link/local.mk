# SPDX-License-Identifier: MIT
# Lazy linking: for the tool and its tests, not in libdlazy itself. The folders
# stand in their order: calls and includes go down only.

noinst_LTLIBRARIES += libdlazy-link.la
libdlazy_link_la_LIBADD = libdlazy-internal.la
libdlazy_link_la_SOURCES =

include %D%/cache/local.mk
include %D%/stubfile/local.mk
include %D%/decide/local.mk
include %D%/copy/local.mk
include %D%/index/local.mk
include %D%/facts/local.mk
include %D%/code/local.mk
include %D%/resolve/local.mk
include %D%/write/local.mk
