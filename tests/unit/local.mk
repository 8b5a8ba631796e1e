# SPDX-License-Identifier: MIT

LDADD = libtest.a libdlazy-internal.la -lm

check_PROGRAMS += \
	%D%/test-bind \
	%D%/test-catalog \
	%D%/test-check \
	%D%/test-constant \
	%D%/test-demand \
	%D%/test-discard \
	%D%/test-dlfcn \
	%D%/test-events \
	%D%/test-file \
	%D%/test-failure \
	%D%/test-forbid \
	%D%/test-job \
	%D%/test-json \
	%D%/test-lifecycle \
	%D%/test-metadata \
	%D%/test-module \
	%D%/test-prefetch \
	%D%/test-quarantine \
	%D%/test-race \
	%D%/test-query \
	%D%/test-record \
	%D%/test-refresh \
	%D%/test-reload \
	%D%/test-residency \
	%D%/test-registry \
	%D%/test-said \
	%D%/test-scan \
	%D%/test-seal \
	%D%/test-search \
	%D%/test-signature \
	%D%/test-view \
	%D%/test-view-mutations
%C%_test_constant_SOURCES = %D%/test-constant.c %D%/elf-file.h
%C%_test_reload_SOURCES = %D%/test-reload.c %D%/world.h
%C%_test_view_SOURCES = %D%/test-view.c %D%/elf-file.h
%C%_test_view_mutations_LDADD = libtest.a libdlazy-link.la
%C%_test_view_mutations_SOURCES = %D%/test-view-mutations.c \
	tests/fuzz/fuzz-view.c

# What fails when one of its calls fails.
check_PROGRAMS += %D%/test-faults
%C%_test_faults_SOURCES = %D%/test-faults.c tests/faults/inject.c \
	tests/faults/inject.h
%C%_test_file_SOURCES = %D%/test-file.c tests/faults/inject.c \
	tests/faults/inject.h

EXTRA_DIST += %D%/opened.h %D%/started-with.h

# Of lazy linking, which the tool has and the library has not.
check_PROGRAMS += %D%/test-code
%C%_test_code_SOURCES = %D%/test-code.c %D%/world.h
%C%_test_code_LDADD = libtest.a libdlazy-link.la
check_PROGRAMS += %D%/test-facts
%C%_test_facts_SOURCES = %D%/test-facts.c %D%/world.h src/probe/frei0r.c
%C%_test_facts_LDADD = libtest.a libdlazy-link.la
check_PROGRAMS += %D%/test-closure %D%/test-index
%C%_test_closure_SOURCES = %D%/test-closure.c %D%/world.h
%C%_test_closure_LDADD = libtest.a libdlazy-link.la
%C%_test_index_SOURCES = %D%/test-index.c %D%/world.h
%C%_test_index_LDADD = libtest.a libdlazy-link.la
LAZY_START = %D%/lazy-start.c %D%/lazy-start.h %D%/world.h
check_PROGRAMS += %D%/test-binding %D%/test-constants %D%/test-copies \
	%D%/test-effects %D%/test-verdict
%C%_test_binding_SOURCES = %D%/test-binding.c $(LAZY_START)
%C%_test_binding_LDADD = libtest.a libdlazy-link.la
%C%_test_constants_SOURCES = %D%/test-constants.c $(LAZY_START)
%C%_test_constants_LDADD = libtest.a libdlazy-link.la
%C%_test_copies_SOURCES = %D%/test-copies.c $(LAZY_START)
%C%_test_copies_LDADD = libtest.a libdlazy-link.la
%C%_test_effects_SOURCES = %D%/test-effects.c $(LAZY_START)
%C%_test_effects_LDADD = libtest.a libdlazy-link.la
%C%_test_verdict_SOURCES = %D%/test-verdict.c $(LAZY_START)
%C%_test_verdict_LDADD = libtest.a libdlazy-link.la
check_PROGRAMS += %D%/test-entry %D%/test-program %D%/test-run-faults
%C%_test_run_faults_SOURCES = %D%/test-run-faults.c %D%/world.h \
	tests/faults/inject.c tests/faults/inject.h
%C%_test_run_faults_LDADD = libtest.a libdlazy-link.la
%C%_test_entry_LDADD = libtest.a libdlazy-link.la
%C%_test_program_LDADD = libtest.a libdlazy-link.la

check_PROGRAMS += %D%/test-library %D%/test-stubfile
%C%_test_library_SOURCES = %D%/test-library.c %D%/stubfile-made.h
%C%_test_library_LDADD = libtest.a libdlazy-link.la
%C%_test_stubfile_SOURCES = %D%/test-stubfile.c %D%/stubfile-made.h
%C%_test_stubfile_LDADD = libtest.a libdlazy-link.la
# The stub files that it opens find the run-time half in it.
%C%_test_stubfile_LDFLAGS = $(AM_LDFLAGS) -export-dynamic

# What the tools say of stub files; make-stub writes them.
noinst_PROGRAMS += %D%/make-stub
%C%_make_stub_LDADD = libdlazy-link.la
STUBFILE_TESTS = %D%/test-stubfile-tools.sh %D%/test-stubfile-qemu.sh
TESTS += $(STUBFILE_TESTS)
EXTRA_DIST += $(STUBFILE_TESTS)

if HAVE_CXX
check_PROGRAMS += %D%/test-hpp
%C%_test_hpp_SOURCES = %D%/test-hpp.cc
check_PROGRAMS += %D%/test-dlfcn-cxx %D%/test-stubfile-unwind %D%/test-throw
%C%_test_stubfile_unwind_SOURCES = %D%/test-stubfile-unwind.cc
%C%_test_stubfile_unwind_LDADD = libtest.a libdlazy-link.la
%C%_test_stubfile_unwind_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_test_dlfcn_cxx_SOURCES = %D%/test-dlfcn-cxx.cc
%C%_test_throw_SOURCES = %D%/test-throw.cc
endif

EXTRA_DIST += %D%/test-linked-names.sh

# What is tested here is a CPU's own code.
STUB_TARGET = %D%/stub-target.c %D%/stub-target.h %D%/stub-linked.S
if !STUB_NONE
check_PROGRAMS += %D%/test-stub
%C%_test_stub_SOURCES = %D%/test-stub.c $(STUB_TARGET)
LINKED_STUBS = %D%/linked-stubs.S %D%/linked-files.c %D%/linked-stubs.h
TESTS += %D%/test-linked-names.sh
check_PROGRAMS += %D%/test-linked %D%/test-linked-run %D%/test-touch \
	%D%/test-linked-search %D%/test-touch-malloc
%C%_test_linked_SOURCES = %D%/test-linked.c $(LINKED_STUBS)
%C%_test_linked_search_SOURCES = %D%/test-linked-search.c $(LINKED_STUBS)
%C%_test_linked_run_SOURCES = %D%/test-linked-run.c $(LINKED_STUBS)
%C%_test_touch_SOURCES = %D%/test-touch.c $(LINKED_STUBS)
%C%_test_touch_malloc_SOURCES = %D%/test-touch-malloc.c $(LINKED_STUBS)
if HAVE_CXX
check_PROGRAMS += %D%/test-linked-throw
%C%_test_linked_throw_SOURCES = %D%/test-linked-throw.cc $(LINKED_STUBS)
check_PROGRAMS += %D%/test-stub-unwind
%C%_test_stub_unwind_SOURCES = %D%/test-stub-unwind.cc $(STUB_TARGET)
endif
endif
if STUB_X86_64
check_PROGRAMS += %D%/test-stub-x86_64
%C%_test_stub_x86_64_SOURCES = %D%/test-stub-x86_64.c $(STUB_TARGET) \
	%D%/stub-registers-x86_64.S %D%/stub-registers-x86_64.h
endif
if STUB_AARCH64
check_PROGRAMS += %D%/test-stub-aarch64
%C%_test_stub_aarch64_SOURCES = %D%/test-stub-aarch64.c $(STUB_TARGET)
endif
# Cross-built, run under qemu-user. Not named as the program is: their logs
# would be one.
TESTS += %D%/test-stub-qemu.sh %D%/test-linked-files.sh \
	%D%/test-linked-qemu.sh
EXTRA_DIST += %D%/test-linked-files.sh %D%/test-linked-qemu.sh \
	%D%/test-stub-qemu.sh %D%/test-stub-aarch64.c $(STUB_TARGET)

if HAVE_FFI
check_PROGRAMS += %D%/test-ffi
%C%_test_ffi_SOURCES = %D%/test-ffi.c src/ffi/ffi.c
%C%_test_ffi_CFLAGS = $(AM_CFLAGS) $(FFI_CFLAGS)
%C%_test_ffi_LDADD = $(LDADD) $(FFI_LIBS)
endif

if HAVE_LIBELF
check_PROGRAMS += %D%/test-libelf
%C%_test_libelf_LDADD = libtest.a libdlazy-link.la $(ELF_LIBS)
endif
