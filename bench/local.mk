# SPDX-License-Identifier: MIT
# `make bench` prints the rows of doc/performance.md's budgets beside their
# baselines. The measured programs are linked to the staged library.

BENCH_HOSTS = \
	%D%/calls.c %D%/first.c %D%/gmodule.c %D%/lazy.c %D%/ltdl.c \
	%D%/meanwhile.c %D%/plain.c %D%/slow.c %D%/target.c
EXTRA_DIST += %D%/against %D%/run %D%/trace %D%/host.h $(BENCH_HOSTS)

EXTRA_PROGRAMS = %D%/rows %D%/indexer
%C%_indexer_SOURCES = %D%/indexer.c %D%/host.h
%C%_indexer_LDADD = libdlazy-link.la
%C%_rows_SOURCES = %D%/rows.c %D%/demand.c %D%/examples.c \
	%D%/machine.c %D%/many.c \
	%D%/programs.c \
	%D%/row.c %D%/row.h \
	%D%/measure.c %D%/measure.h \
	src/cli/frame/sample.c src/cli/frame/sample.h
%C%_rows_LDADD = libdlazy-internal.la -lm

BENCH_COMPILE = $(CC) -std=gnu11 -O2 -D_GNU_SOURCE -I$(top_srcdir)
BENCH_STAGED = -I$(STAGE)$(includedir) -L$(STAGE)$(libdir) \
	-Wl,-rpath,$(STAGE)$(libdir)

bench-programs: stage %D%/rows$(EXEEXT) %D%/indexer$(EXEEXT)
	@$(MKDIR_P) %D%
	@for name in target libtarget; do \
		$(BENCH_COMPILE) -fPIC -shared -nostdlib -s \
			-Wl,-z,noseparate-code -o %D%/$$name.so \
			$(srcdir)/%D%/target.c || exit; done
	@$(BENCH_COMPILE) $(BENCH_STAGED) -fPIC -shared -nostdlib -s \
		-Wl,-z,noseparate-code -DDESCRIBED -o %D%/described.so \
		$(srcdir)/%D%/target.c
	@$(BENCH_COMPILE) -fPIC -shared -nostdlib -s -Wl,-z,noseparate-code \
		-Df=linked -Wl,-soname,liblinked.so -o %D%/liblinked.so \
		$(srcdir)/%D%/target.c
	@$(STAGE)$(bindir)/dlazy stub %D%/liblinked.so -o %D%/linked.o \
		>/dev/null
	@$(BENCH_COMPILE) -o %D%/plain $(srcdir)/%D%/plain.c
	@$(BENCH_COMPILE) $(BENCH_STAGED) -include dlazy/dlfcn.h \
		-o %D%/dlfcn $(srcdir)/%D%/plain.c -ldlazy
	@$(BENCH_COMPILE) $(BENCH_STAGED) -o %D%/lazy $(srcdir)/%D%/lazy.c \
		-ldlazy
	@$(BENCH_COMPILE) $(BENCH_STAGED) -Wl,-z,lazy -o %D%/calls \
		$(srcdir)/%D%/calls.c %D%/linked.o -ldlazy -L%D% -ltarget \
		-Wl,-rpath,$(abs_builddir)/%D%
	@$(BENCH_COMPILE) $(BENCH_STAGED) -o %D%/meanwhile \
		$(srcdir)/%D%/meanwhile.c -ldlazy
	@$(BENCH_COMPILE) -fPIC -shared -o %D%/slow.so $(srcdir)/%D%/slow.c
	@rm -f %D%/ltdl %D%/gmodule %D%/first %D%/first-alone %D%/alone
	@if $(STAGE)$(bindir)/dlazy stub -lpng16 -o %D%/first.o \
		>/dev/null 2>&1; then \
		$(BENCH_COMPILE) $(BENCH_STAGED) -o %D%/first \
			$(srcdir)/%D%/first.c %D%/first.o -ldlazy; \
	else echo "libpng: not installed"; fi
	@if $(STAGE)$(bindir)/dlazy stub -lpng16 --standalone \
		-o %D%/alone.a >/dev/null 2>&1; then \
		$(BENCH_COMPILE) -o %D%/first-alone $(srcdir)/%D%/first.c \
			%D%/alone.a && \
		$(BENCH_COMPILE) -o %D%/alone $(srcdir)/%D%/plain.c \
			-Wl,--whole-archive %D%/alone.a \
			-Wl,--no-whole-archive || \
		echo "standalone stubs: not linked"; fi
	@$(BENCH_COMPILE) -o %D%/ltdl $(srcdir)/%D%/ltdl.c -lltdl \
		2>/dev/null || echo "libltdl: not installed"
	@$(BENCH_COMPILE) -o %D%/gmodule $(srcdir)/%D%/gmodule.c \
		$$(pkg-config --cflags --libs gmodule-2.0 2>/dev/null) \
		2>/dev/null || echo "GModule: not installed"

# BENCH_FLAGS=--json, --rounds=N, --many, --cold, --discard, --dlfcn,
# --examples, --first, --standalone, --programs
bench: bench-programs
	@$(TEST_ENVIRONMENT) $(srcdir)/%D%/run $(BENCH_FLAGS)
PHONY += bench bench-programs
CLEANFILES += %D%/rows %D%/indexer $(BENCH_HOSTS:.c=) %D%/dlfcn \
	%D%/target.so %D%/libtarget.so %D%/described.so %D%/slow.so \
	%D%/liblinked.so %D%/linked.o %D%/first.o %D%/first-alone \
	%D%/alone.a %D%/alone

# The last part of ./bootstrap demo.
demo-run: all stage
	@$(TEST_ENVIRONMENT) $(srcdir)/%D%/demo
PHONY += demo-run
EXTRA_DIST += %D%/demo
