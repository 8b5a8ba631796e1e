# SPDX-License-Identifier: MIT
# Lazy linking: for the tool and its tests, not in libdlazy itself.

noinst_LTLIBRARIES += libdlazy-link.la
libdlazy_link_la_LIBADD = libdlazy-internal.la
libdlazy_link_la_SOURCES = $(ELF_LINK_FILES) $(STUB_TEMPLATE_FILES)

include %D%/write/local.mk
include %D%/code/local.mk
include %D%/cache/local.mk
include %D%/copy/local.mk
include %D%/decide/local.mk
include %D%/index/local.mk
include %D%/resolve/local.mk
include %D%/stubfile/local.mk
