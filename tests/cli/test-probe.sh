#!/bin/bash
# SPDX-License-Identifier: MIT
# dlazy scan --probe: what plugins say when they are run, in a child process; and
# what becomes of those that crash, hang, end it, write without end or fork. TAP.
set -u
. "$(dirname "$0")/cli.bash"

has_json=$(compgen -G "${DLAZY_STAGE_LIBDIR:-/nonexistent}/dlazy/json.so")
[ "$has_json" ] || skip_all "built without jansson"

# ladspa FILE LABEL [CODE]: a LADSPA plugin; CODE is its constructor's.
ladspa()
{
	build "$1" -I"$root" <<-END
		#include "plugins/ladspa.h"
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/stat.h>
		#include <unistd.h>
		__attribute__((constructor)) static void construct(void)
		{
			${3-}
		}
		static const struct ladspa_descriptor plugin = {
			.id = 7, .label = "$2", .name = "N \"\\xc3\\xa4\"",
			.maker = "bad \\xff UTF-8", .copyright = "C",
			.ports_count = 2,
			.ports = (const int[]){LADSPA_INPUT | LADSPA_CONTROL,
					       LADSPA_OUTPUT | LADSPA_AUDIO},
			.port_names = (const char *const[]){"in", "out"},
			.ranges = (const struct ladspa_range[]){
				{LADSPA_BELOW | LADSPA_ABOVE | LADSPA_INTEGER |
				 LADSPA_DEFAULT_MIDDLE, 0.1f, 0.3f}, {0}},
		};
		const struct ladspa_descriptor *ladspa_descriptor(unsigned long i)
		{
			return i ? NULL : &plugin;
		}
	END
}

# counts FILTER SENTENCE: of the last run's only directory
counts() { json ".directories[0] | $1" "$2"; }

# said FILTER SENTENCE: is it true of something that a catalog keeps?
said()
{
	cat "$DLAZY_CACHE_DIR"/*.catalog | tr '\0' '\n' |
		grep -a '^{"' >"$t/said"
	if ! command -v jq >/dev/null; then
		skip "$2" "jq is missing"
	elif jq -es "any($1)" "$t/said" >/dev/null; then
		pass "$2"
	else
		fail "$2" "not so: $1"$'\n'"$(cat "$t/said")"
	fi
}

mkdir "$t/p"
ladspa "$t/p/one.so" one/two
echo 'int f(void) { return 1; }' | build "$t/p/other.so"
run "$dlazy" scan --json "$t/p"
counts '.probed == 0 and .static == 0 and .due == 0 and .crashed == 0 and
	.timed_out == 0' "without --probe nothing is"
run "$dlazy" scan --json --probe "$t/p"
is_status 0 "plugins are probed"
counts '.probed == 1 and .due == 0 and .crashed == 0' \
	"one of a family has answered; of others nobody asks"
said '.provides[0]? | .id == "ladspa/one%2Ftwo" and
	.description == "N \"ä\""' "what it provides has an id, percent-encoded"
said '.ladspa[0]? | .id == 7 and .label == "one/two" and
	.maker == "bad \ufffd UTF-8" and .hard_rt == false' \
	"its family's key has what it says, in UTF-8"
said '.ladspa[0]?.ports[0] == {name: "in", kind: "control",
	direction: "input", min: 0.1, max: 0.3, default: 0.2, sample_rate: false,
	logarithmic: false, integer: true, toggled: false}' "and its ports"
said '.ladspa[0]?.ports[1] | .min == null and .default == null' \
	"what is not given is null"
said '.ladspa == "probe" and .provides == "probe"' \
	"the source of that is named"

# What goes wrong, each in a plugin between others.
mkdir "$t/bad"
ladspa "$t/bad/a.so" a
ladspa "$t/bad/crash.so" crash 'puts("last words"); fflush(stdout); abort();'
ladspa "$t/bad/d.so" d "close(open(\"$t/ran-d\", O_CREAT | O_APPEND, 0600));
	puts(\"hello from d\");"
ladspa "$t/bad/exit.so" exit 'exit(0);'
ladspa "$t/bad/fork.so" fork "if (fork() == 0) { sleep(1000); }
	else { printf(\"pid %d\\n\", getpid()); }"
ladspa "$t/bad/daemon.so" daemon "if (fork()) _exit(0); setsid();
	if (fork()) _exit(0); FILE *f = fopen(\"$t/daemon\", \"w\");
	fprintf(f, \"%d\", getpid()); fclose(f); sleep(1000);"
ladspa "$t/bad/z.so" z
run "$dlazy" scan --json --probe --deadline 60 "$t/bad"
is_status 0 "plugins that crash are no failure of the scan"
counts '.total == 7 and .probed == 4 and .crashed == 3 and .timed_out == 0' \
	"each is counted, and those between them have answered"
has "$err" "$t/bad/crash.so: killed by" "the cause is told"
has "$err" "last words" "with what it said last"
has "$err" "$t/bad/d.so: it wrote: hello from d" "output is shown, whose it is"
has "$err" "$t/bad/exit.so: ended the process with status" \
	"who ends the process has crashed"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -s "$t/daemon" ] && ! kill -0 "$(cat "$t/daemon")" 2>/dev/null && break
	sleep 0.1
done
if [ -s "$t/daemon" ]; then
	check "a daemon does not outlive its child" \
		sh -c "! kill -0 $(cat "$t/daemon") 2>/dev/null"
else
	pass "a daemon does not outlive its child"
fi

rm -f "$t/ran-d"
run "$dlazy" scan --json --probe "$t/bad"
counts '.probed == 4 and .crashed == 3' "all that is kept"
check "and nothing is run again" test ! -e "$t/ran-d"
check_same "nor said" "$err" ""
ladspa "$t/bad/crash.so" mended
run "$dlazy" scan --json "$t/bad"
counts '.due == 1 and .probed == 4 and .crashed == 2' "a changed file is due"
run "$dlazy" scan --json --probe "$t/bad"
counts '.due == 0 and .probed == 5 and .crashed == 2' "and is probed anew"
ladspa "$t/bad/new.so" new
run "$dlazy" scan --json "$t/bad"
counts '.due == 1 and .added == 1' "so is a new one, where others were probed"

mkdir "$t/slow"
ladspa "$t/slow/a.so" a
ladspa "$t/slow/endless.so" endless 'for (;;) puts("and so on, and on");'
ladspa "$t/slow/hang.so" hang 'puts("now"); fflush(stdout); for (;;) pause();'
ladspa "$t/slow/z.so" z
run "$dlazy" scan --json --probe --deadline=1 "$t/slow"
counts '.timed_out == 2 and .probed == 2 and .crashed == 0' \
	"who hangs, or writes without end, has not answered in time"
has "$err" "$t/slow/hang.so: no answer after 1 s while it was probed; it said: now" \
	"that is said"

# What a daemon does first, without becoming one.
mkdir "$t/closed"
ladspa "$t/closed/a.so" a
ladspa "$t/closed/close.so" close 'for (int i = 0; i < 1024; i++) close(i);'
ladspa "$t/closed/z.so" z
run "$dlazy" scan --json --probe "$t/closed"
counts '.crashed == 1 and .probed == 2' \
	"who closes all descriptors does not cost the others their answers"
has "$err" "$t/closed/close.so: closed the way to its answer" "and that is said"

# A plugin that answers for itself, by the child's pipe, and perhaps for others:
# if that were taken, it would be of no family.
mkdir "$t/forged"
ladspa "$t/forged/a.so" a
ladspa "$t/forged/forge.so" forge 'const unsigned words[4] = {2, 0, 2, 0};
	if (write(3, words, sizeof(words)) > 0) usleep(300000);'
ladspa "$t/forged/z.so" z
run "$dlazy" scan --json --probe "$t/forged"
counts '.crashed == 1 and .probed == 2' "who forges an answer has given none"
has "$err" "$t/forged/forge.so: broke the way to its answer" "and that is said"

# One whose thread ends the process while the next one is asked.
mkdir "$t/left"
build "$t/left/a.so" -I"$root" -pthread <<-END
	#include "plugins/ladspa.h"
	#include <pthread.h>
	#include <stdlib.h>
	#include <unistd.h>
	static void *wait_for_next(void *arg)
	{
		while (access("$t/asked", F_OK) != 0)
			usleep(1000);
		abort();
	}
	__attribute__((constructor)) static void construct(void)
	{
		pthread_t thread;
		setenv("A_IS_HERE", "1", 1);
		pthread_create(&thread, NULL, wait_for_next, NULL);
	}
	const struct ladspa_descriptor *ladspa_descriptor(unsigned long i)
	{
		static const struct ladspa_descriptor a = {.label = "a"};
		return i ? NULL : &a;
	}
END
ladspa "$t/left/b.so" b "if (getenv(\"A_IS_HERE\")) {
	close(open(\"$t/asked\", O_CREAT, 0600)); pause(); }"
run "$dlazy" scan --json --probe "$t/left"
counts '.crashed == 0 and .probed == 2' \
	"what another plugin has left does not count as this one's crash"

if env --ignore-signal=CHLD true 2>/dev/null; then
	rm -r "$DLAZY_CACHE_DIR"
	cp "$t/bad/exit.so" "$t/p"
	run env --ignore-signal=CHLD "$dlazy" scan --json --probe "$t/p"
	counts '.crashed == 1 and .timed_out == 0' \
		"how a child ended is told where SIGCHLD was ignored"
else
	skip "how a child ended is told" "env has no --ignore-signal"
fi

mkdir "$t/each"
for i in 1 2 3; do
	ladspa "$t/each/p$i.so" "p$i" "FILE *f = fopen(\"$t/pids\", \"a\");
		fprintf(f, \"%d\\n\", getpid()); fclose(f);"
done
run "$dlazy" scan --probe "$t/each"
check_same "one child serves them all" "$(sort -u "$t/pids" | wc -l)" 1
# What the dynamic linker keeps for static TLS is used up by some of these.
mkdir "$t/tls"
for i in {1..6}; do
	ladspa "$t/tls/p$i.so" "p$i" "static __thread
		__attribute__((tls_model(\"initial-exec\"))) char own[700];
		__asm__ volatile(\"\" : : \"r\"(own));"
done
run "$dlazy" scan --json --probe --isolate "$t/tls"
alone=$("$dlazy" list --json "$t/tls" | grep -o '"probe":[^,]*')
rm -r "$DLAZY_CACHE_DIR"
run "$dlazy" scan --json --probe "$t/tls"
check_same "what one was loaded after is no fact about it" \
	"$("$dlazy" list --json "$t/tls" | grep -o '"probe":[^,]*')" \
	"$alone"

rm "$t/pids"
rm -r "$DLAZY_CACHE_DIR"
run "$dlazy" scan --probe --isolate "$t/each"
check_same "--isolate: a child each" "$(sort -u "$t/pids" | wc -l)" 3

mkdir "$t/fds"
ladspa "$t/fds/p.so" p "FILE *f = fopen(\"$t/open\", \"w\");
	for (int i = 0; i < 100; i++) if (i != fileno(f) && fcntl(i, F_GETFD) >= 0)
		fprintf(f, \"%d \", i);
	fclose(f);"
run "$dlazy" scan --probe "$t/fds" 7</dev/null
check_same "no descriptors but its pipe" "$(cat "$t/open")" "0 1 2 3 "

# A host's own probe.
cat >"$t/x.c" <<-'END'
	#include <dlfcn.h>
	#include <stdio.h>
	#include <stdlib.h>
	char *dlazy_probe(void *handle)
	{
		int (*f)(int) = (int (*)(int))dlsym(handle, "f1");
		char *text = NULL;

		if (f && asprintf(&text, "{\"name\": \"own\", \"sum\": %d}", f(1)) < 0)
			return NULL;
		return text;
	}
END
build "$t/x.so" -D_GNU_SOURCE <"$t/x.c"
plugins "$t/own"
(cd "$t" && "$dlazy" scan --json --probe=./x.so own >out 2>err)
counts '.probed == 3' "a host's own probe asks every plugin"
said '.name == "own" and .sum == 2' "and says what it likes"
sed -i 's/own/new/' "$t/x.c"
build "$t/x.so" -D_GNU_SOURCE <"$t/x.c"
run "$dlazy" scan --probe="$t/x.so" "$t/own"
said '.name == "new"' "another probe asks again"
ladspa "$t/own/p9.so" p9
run "$dlazy" scan --probe=ladspa,./x.so "$t/own" # there is no such file here
is_status 2 "a path is the caller's"
build "$t/both.so" <<-'END'
	#include <string.h>
	char *dlazy_probe(void *handle)
	{
		return strdup("{\"schema\": 1, \"mine\": {\"a\": [1, \"}\"]}, \"ladspa\": 1}");
	}
END
run "$dlazy" scan --probe=ladspa,"$t/both.so" "$t/own"
said '.mine == {a: [1, "}"]} and .ladspa[0]?.label == "p9"' \
	"of several probes' answers, the first that has a key counts"
build "$t/y.so" -D_GNU_SOURCE <<-'END'
	#include <string.h>
	char *dlazy_probe(void *handle) { return strdup("{\"name\":"); }
END
run "$dlazy" scan --json --probe="$t/y.so" "$t/own"
counts '.probed == 0 and .crashed == 0' "what is no JSON is no answer"
has "$err" "no JSON object" "and that is said"

# The other families.
mkdir "$t/gio" "$t/f.lv2"
build "$t/gio/libgio-thing.so" <<-'END'
	#include <stdlib.h>
	#include <string.h>
	char **g_io__thing_query(void)
	{
		char **points = calloc(2, sizeof(*points));
		points[0] = strdup("gio-proxy-resolver");
		return points;
	}
END
run "$dlazy" scan --json --probe=gio "$t/gio"
said '.provides[0]?.id == "gio/gio-proxy-resolver"' \
	"a GIO module says which points it extends"
# It would crash.
build "$t/f.lv2/f.so" <<-'END'
	#include <stdlib.h>
	__attribute__((constructor)) static void crash(void) { abort(); }
	const void *lv2_descriptor(unsigned i) { return NULL; }
END
cat >"$t/f.lv2/manifest.ttl" <<-'END'
	@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
	@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
	<urn:x:a/b> a lv2:Plugin ; lv2:binary <f.so> ; rdfs:seeAlso <more.ttl> .
	<urn:x:other> a lv2:Plugin ; lv2:binary <g.so> ; rdfs:seeAlso <more.ttl> .
END
cat >"$t/f.lv2/more.ttl" <<-'END'
	@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
	@prefix doap: <http://usefulinc.com/ns/doap#> .
	<urn:x:a/b> a lv2:Plugin, lv2:DelayPlugin ; doap:name "Verzug"@de , "Delay" ;
		lv2:port [ a lv2:InputPort, lv2:ControlPort ; lv2:index 1 ;
			lv2:symbol "time" ; lv2:name "Time" ;
			lv2:minimum 0.1 ; lv2:maximum 2 ; lv2:default 1.5e0 ] .
END
if compgen -G "$DLAZY_STAGE_LIBDIR/dlazy/probe-lv2.so" >/dev/null; then
	run "$dlazy" scan --json --probe=lv2 "$t/f.lv2"
	counts '.probed == 1 and .crashed == 0' "no code of an LV2 plugin is run"
	said '.provides? == [{id: "lv2/urn%3Ax%3Aa%2Fb", description: "Delay"}]' \
		"it provides what its manifest says that its binary is of"
	said '.lv2[0]?.ports == [{index: 1, symbol: "time", name: "Time",
		direction: "input", types: [
			"http://lv2plug.in/ns/lv2core#InputPort",
			"http://lv2plug.in/ns/lv2core#ControlPort"],
		min: 0.1, max: 2, default: 1.5}]' "with its ports"
	printf '<urn:x:a/b> a [[[ "' >>"$t/f.lv2/more.ttl"
	rm -rf "$DLAZY_CACHE_DIR"
	run "$dlazy" scan --json --probe=lv2 "$t/f.lv2"
	counts '.probed == 1 and .crashed == 0' "damaged Turtle is no crash"
else
	skip "LV2 plugins" "built without serd"
fi
gstreamer=$(compgen -G '/usr/lib/*/gstreamer-1.0/libgstcoreelements.so')
if ! compgen -G "$DLAZY_STAGE_LIBDIR/dlazy/probe-gstreamer.so" >/dev/null; then
	skip "GStreamer plugins" "built without GStreamer"
elif [ ! "$gstreamer" ]; then
	skip "GStreamer plugins" "there are none here"
else
	mkdir "$t/gst"
	cp "$gstreamer" "$t/gst"
	run "$dlazy" scan --json --probe=gstreamer "$t/gst"
	said '.name == "coreelements" and any(.provides[]?;
		.id == "gst/element/identity" and .rank == 0)' \
		"a GStreamer plugin says which elements it has"
fi
run "$dlazy" scan --probe=ladpsa "$t/p"
is_status 2 "a family that does not exist makes no sense"
has "$err" "did you mean ladspa" "the one that was meant is named"
run "$dlazy" scan --probe=./nothing.so "$t/p"
is_status 2 "nor does a probe that does not exist"
run "$dlazy" scan --deadline=0 "$t/p"
is_status 2 "nor does no time at all"

mkdir -p "$t/tree/b/c" "$t/tree/empty"
ladspa "$t/tree/a.so" a
ladspa "$t/tree/b/c/d.so" d
ln -s .. "$t/tree/b/up"
run "$dlazy" scan --json --probe -r "$t/tree"
json '[.directories[].path] == ["'"$t/tree"'", "'"$t/tree/b/c"'"]' \
	"-r goes below, and through no symbolic link"
json '[.directories[].probed] == [1, 1]' "and probes there"

# The linker has no memory for a plugin: that is nothing to be kept of it.
if [[ ${CC-} != *-fsanitize=* ]]; then
	mkdir "$t/lacking"
	ladspa "$t/lacking/starved.so" s
	build "$t/starve.so" -ldl <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <string.h>
		static char *said;
		void *dlopen(const char *path, int flags)
		{
			if (!path || !strstr(path, "starved"))
				return ((void *(*)(const char *, int))dlsym(
					RTLD_NEXT, "dlopen"))(path, flags);
			said = "starved.so: cannot allocate symbol search list: "
			       "Cannot allocate memory";
			return NULL;
		}
		char *dlerror(void)
		{
			char *words = said;
			said = NULL;
			return words ? words : ((char *(*)(void))dlsym(
				RTLD_NEXT, "dlerror"))();
		}
	END
	run env LD_PRELOAD="$t/starve.so" "$dlazy" scan --probe "$t/lacking"
	is_status 3 "a scan in which a plugin had no memory to load fails"
	has "$err" "Cannot allocate memory" "with words"
	run "$dlazy" scan --json --probe "$t/lacking"
	json '.directories[0] | .probed == 1 and .crashed == 0' \
		"and the next one asks it"
	run "$dlazy" list --provides ladspa/s "$t/lacking"
	has "$out" "starved" "which is what is kept"
else
	skip "a plugin that had no memory to load" "sanitizers have their own"
fi
finish
