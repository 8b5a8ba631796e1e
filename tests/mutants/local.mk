# SPDX-License-Identifier: MIT
# Patches that take one guard away each; see run.

MUTANTS = \
	catalog-arrays \
	catalog-build-id \
	catalog-content \
	catalog-directory \
	catalog-entry-checksum \
	catalog-fresh-system \
	catalog-fresh-user \
	catalog-header-checksum \
	catalog-layout \
	catalog-link \
	catalog-name \
	catalog-owner \
	catalog-portable \
	catalog-race \
	catalog-record-checksum \
	catalog-strings \
	catalog-version \
	catalog-writable \
	elf-chain \
	elf-hidden \
	elf-library-cache \
	elf-machine \
	elf-notes \
	elf-old-version \
	elf-sections \
	elf-strings \
	elf-table-limit \
	elf-versions \
	file-ctime \
	file-in-place \
	file-link \
	file-owner \
	load-absent \
	load-again \
	load-arm \
	load-closed \
	load-data \
	load-foreign \
	load-fork \
	load-fork-inside \
	load-fork-locks \
	load-heal \
	load-heal-file \
	load-hook \
	load-identity \
	load-inversion \
	load-joined \
	load-local \
	load-lock \
	load-offset \
	load-one-module \
	load-own-constructor \
	load-own-dependency \
	load-record \
	load-remember \
	load-replaced \
	load-secure \
	load-thrown \
	load-told \
	prefetch-fork \
	prefetch-signals \
	registry-catalog \
	registry-damage \
	registry-heal \
	registry-shadow \
	registry-walk \
	scan-again \
	scan-identity \
	scan-settle \
	scan-stale \
	scan-touch \
	stub-al \
	stub-cfi \
	stub-endbr \
	stub-errno \
	stub-fork \
	stub-lock \
	stub-mxcsr \
	stub-own-file \
	stub-r10 \
	stub-replaced-file \
	stub-shorter-file \
	stub-sse \
	stub-upper-vectors \
	stub-vectors \
	stub-writable
EXTRA_DIST += %D%/run $(MUTANTS:%=%D%/%.patch)

# What the tests need besides their programs.
fixtures: $(FIXTURE_PLUGINS)
PHONY += fixtures
