# SPDX-License-Identifier: MIT
# For tests of dlazy run: source this behind cli.bash. $many is a program that
# needs 16 libraries in $t/lib and calls none of them unless told to.
# shellcheck shell=bash

[ "${STUBS-}" != none ] || skip_all "this build has no stubs"
[[ ${CC:-} != *-fsanitize* ]] ||
	skip_all "programs are not built with libdlazy's sanitizer"
export DLAZY_CACHE_DIR=$t/cache
unset LD_LIBRARY_PATH LD_PRELOAD

# many_library N [BODY]: libmany-N.so.1, whose function says so
many_library()
{
	build "$t/lib/libmany-$1.so.1" "-Wl,-soname,libmany-$1.so.1" <<-END
		static const char *volatile text = "${2:-library $1}";
		const char *many_$1(void) { return text; }
	END
}

# The program: MANY_FLAGS are added.
many_program()
{
	local i
	{
		for i in {1..16}; do echo "const char *many_$i(void);"; done
		echo "static const char *(*const all[])(void) = { 0"
		for i in {1..16}; do echo ", many_$i"; done
		echo "};"
		cat <<-'END'
			#define _GNU_SOURCE
			#include <signal.h>
			#include <stdio.h>
			#include <stdlib.h>
			#include <string.h>
			#include <sys/resource.h>
			#include <unistd.h>
			extern char **environ;
			static void copy(void)
			{
				char buffer[4096];
				ssize_t n;
				while ((n = read(0, buffer, sizeof(buffer))) > 0)
					if (write(1, buffer, n) != n)
						_exit(9);
			}
			static void state(void)
			{
				sigset_t mask;
				struct rlimit limit;
				char cwd[4096];
				sigprocmask(0, 0, &mask);
				for (int i = 1; i < 65; i++) {
					struct sigaction a;
					memset(&a, 0, sizeof(a));
					sigaction(i, 0, &a);
					printf("%d%d%d ", i, sigismember(&mask, i),
					       a.sa_handler == SIG_IGN);
				}
				for (int fd = 0; fd < 64; fd++)
					if (lseek(fd, 0, SEEK_CUR) >= 0)
						printf("fd%d ", fd);
				getrlimit(RLIMIT_NOFILE, &limit);
				printf("%ld %s %d\n", (long)limit.rlim_cur,
				       getcwd(cwd, sizeof(cwd)), getppid());
			}
			int main(int argc, char **argv)
			{
				char path[4096] = "";
				for (int i = 1; i < argc; i++) {
					char *a = argv[i], *b = strchr(a, '=');
					b = b ? b + 1 : "";
					if (!strncmp(a, "call=", 5))
						puts(all[atoi(b)]());
					else if (!strncmp(a, "exit=", 5))
						exit(atoi(b));
					else if (!strncmp(a, "kill=", 5))
						raise(atoi(b));
					else if (!strncmp(a, "sleep=", 6))
						sleep(atoi(b));
					else if (!strncmp(a, "system=", 7))
						fflush(stdout), system(b);
					else if (!strcmp(a, "copy"))
						copy();
					else if (!strcmp(a, "state"))
						state();
					else if (!strcmp(a, "argv0"))
						puts(argv[0]);
					else if (!strcmp(a, "exe"))
						puts((readlink("/proc/self/exe",
						path, 4095), path));
					else if (!strcmp(a, "environ"))
						for (char **e = environ; *e; e++)
							puts(*e);
					else
						puts(a);
					fflush(stdout);
				}
				return 0;
			}
		END
	} | ${CC:-cc} -o "$1" -x c - -x none -w -Wl,--no-as-needed \
		"$t"/lib/libmany-*.so.1 "-Wl,-rpath,$t/lib" \
		-Wl,--enable-new-dtags "${@:2}"
}

many()
{
	local i
	mkdir -p "$t/lib"
	for i in {1..16}; do
		many_library "$i" || skip_all "cannot build libraries"
	done
	many_program "$t/many" || skip_all "cannot build a program"
	many=$t/many
}

# Of the last line of the last run's standard error: --stats --json
stats()
{
	tail -n 1 "$t/err" >"$t/out"
	out=$err
	json "$@"
}
