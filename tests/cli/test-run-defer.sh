#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy run: libraries that are deferred. Somebody on the machine takes data from
# them, so they are loaded right before the program first opens anything. TAP.
set -u
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/run.bash"

case ${CC:-cc} in
*-fsanitize*) skip_all "the sanitizer has a dlopen of its own" ;;
esac
"$dlazy" run --help >/dev/null 2>&1 || skip_all "no dlazy run"

mkdir -p "$t/lib" "$t/runpath"
# What lies in PATH is of the machine.
export PATH=$t/lib:$t/runpath:$PATH

# Its constructor says when it is loaded.
build "$t/lib/libdata.so.1" -Wl,-soname,libdata.so.1 <<-'END' ||
	#include <unistd.h>
	int datum = 1;
	int *where(void) { return &datum; }
	__attribute__((constructor)) static void say(void)
	{
		write(1, "libdata\n", 8);
	}
END
	skip_all "cannot build libraries"

# The plugin takes its data; found by the opener's RUNPATH alone.
build "$t/runpath/plugin-of-data.so" -w <<-'END'
	#include <unistd.h>
	extern int datum;
	int *mine = &datum;
	__attribute__((constructor)) static void say(void)
	{
		write(1, "plugin\n", 7);
	}
END
for i in {1..16}; do many_library "$i"; done

# opener NAME [ARGUMENT...]: a program that calls where() only if it has opened
opener()
{
	${CC:-cc} -D_GNU_SOURCE -w -o "$t/$1" -x c - -x none \
		-Wl,--no-as-needed "${@:2}" "$t/lib/libdata.so.1" \
		"$t"/lib/libmany-*.so.1 -Wl,--enable-new-dtags \
		"-Wl,-rpath,$t/lib:$t/runpath" -pthread
}
opener open <<-'END'
	#include <dlfcn.h>
	#include <pthread.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	int *where(void);
	const char *many_1(void);
	static void *open_it(void *unused)
	{
		void *plugin = dlopen("plugin-of-data.so", RTLD_NOW);
		int **mine = plugin ? dlsym(plugin, "mine") : NULL;
		if (!mine)
			puts(dlerror());
		return mine ? *mine : NULL;
	}
	int main(int argc, char **argv)
	{
		int threads = argc > 1 ? atoi(argv[1]) : 0;
		pthread_t thread[16];
		setvbuf(stdout, NULL, _IONBF, 0);
		puts("main");
		if (threads < 0)
			puts(many_1());
		for (int i = 0; i < threads; i++)
			pthread_create(&thread[i], NULL, open_it, NULL);
		for (int i = 0; i < threads; i++) {
			void *mine;
			pthread_join(thread[i], &mine);
			puts(mine && mine == where() ? "same" : "different");
		}
		if (argc > 2)
			printf("%d\n", dlopen("no-such.so", RTLD_LAZY) != NULL);
		return 0;
	}
END

# deferred NAME: with libdata.so.1 deferred, as --stats says
deferred()
{
	run "$dlazy" run --stats -- "$t/$1" "${@:2}"
	grep -q '^libdata.so.1 *deferred .*loaded before the first dlopen: .* takes datum' \
		"$t/err"
}

if deferred open; then
	pass "a library whose data a plugin of the machine takes is deferred"
else
	fail "a library whose data a plugin of the machine takes is deferred" \
		"$err"
fi
check_same "who opens nothing never loads it" "$out" main

run "$dlazy" run -- "$t/open" 1
check_same "it is loaded before what is opened, which finds its data" \
	"$status:$out" $'0:main\nlibdata\nplugin\nsame'
run "$dlazy" run -- "$t/open" 0 more
check_same "what cannot be opened is libc's to say" "$out" \
	$'main\nlibdata\n0'
for i in 1 2 3; do
	run "$dlazy" run -- "$t/open" 16
	check_same "threads may open at once ($i)" \
		"$(grep -c same "$t/out"):$(head -n 2 "$t/out" | xargs)" \
		"16:main libdata"
done

run "$dlazy" run -- "$t/open" -1
check_same "a lazy library's load does not need it" "$out" \
	$'main\nlibrary 1'

run "$dlazy" run --eager 'libdata*' -- "$t/open" 1
check_same "--eager has it there at the start" "$out" \
	$'libdata\nmain\nplugin\nsame'
run "$dlazy" run --lazy 'libdata*' --stats -- "$t/open"
if grep -q '^libdata.so.1 *lazy ' "$t/err"; then
	pass "--lazy overrules the machine"
else
	fail "--lazy overrules the machine" "$err"
fi
run "$dlazy" run --stats --json -- "$t/open"
stats '.lazy == 17 and ([.eager[].path | select(test("libdata"))] == [])' \
	"in JSON it is one of the lazy"

# ------------------------------------------------------- learning, the order

run "$dlazy" run -- "$t/open" 1
for i in 1 2 3 4; do "$dlazy" run -- "$t/open" >/dev/null; done
if deferred open; then
	pass "it is not taken for needed"
else
	fail "it is not taken for needed" "$err"
fi

opener behind -lc <<-'END'
	#include <stdio.h>
	int *where(void);
	int main(void) { puts("main"); return 0; }
END
run "$dlazy" run -- "$t/behind"
check_same "behind libc it stays eager" "$out" $'libdata\nmain'

# ----------------------------------------------------------- at the start

build "$t/lib/libearly.so.1" -Wl,-soname,libearly.so.1 -w <<-'END'
	#include <dlfcn.h>
	#include <stdio.h>
	int early = 1, *mine;
	__attribute__((constructor)) static void open_it(void)
	{
		setvbuf(stdout, NULL, _IONBF, 0);
		puts("early");
		void *plugin = dlopen("plugin-of-data.so", RTLD_NOW);
		mine = plugin ? *(int **)dlsym(plugin, "mine") : NULL;
	}
END
opener atstart "$t/lib/libearly.so.1" <<-'END'
	#include <stdio.h>
	extern int early, *mine;
	int *where(void);
	int main(void)
	{
		puts("main");
		puts(early && mine == where() ? "same" : "different");
		return 0;
	}
END
# A RUNPATH is for its own object: the library has none.
LD_LIBRARY_PATH=$t/runpath run "$dlazy" run -- "$t/atstart"
check_same "a constructor of the start may open" "$status:$out" \
	$'0:early\nlibdata\nplugin\nmain\nsame'

finish
