# SPDX-License-Identifier: MIT
"""programs.py [FIRST [COUNT]]: makes random programs of a few libraries and plugins each, one of
each number from FIRST (1) on, and runs them plainly and by dlazy run, bound at once
and late, before and after it has learned. What they print, and their exit status, has to be the same.

Environment: DLAZY_TOOL (dlazy); TMPDIR; KEEP=1: the directories of those that differ are left there.
Exit status: 0 all alike, 1 not. A program that fails plainly says nothing, and is counted."""
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile

FUNCTIONS = 3  # of each library
HEADER = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
typedef int function(int);
struct table { const char *name; function *f, *local; const int *numbers; };
int twin0(int), twin1(int);
extern int twin_data;
"""
OF_EACH = """function {functions};
extern int d{i}; extern const char *n{i}; extern __thread int t{i};
extern const struct table table{i};
function *address{i}(void); int callback{i}(function *, int); int keep{i}(function *);
int number{i}(void); long large{i}(void); const char *text{i}(void); void nothing{i}(int);
int is_text{i}(const char *);
"""


class Library:
    def __init__(self, world, i):
        r = world.random
        self.i = i
        self.depends = [j for j in range(i) if r.random() < .5]
        # Underlinked, and now and then on one that comes later.
        self.needs = [j for j in self.depends if r.random() < .85]
        self.takes = self.depends + ([r.randrange(world.count)] if r.random() < .1 else [])
        self.tls = r.random() < .15
        self.ifunc = r.random() < .2
        self.symbolic = self.protected = False
        self.flags = ["-O" + r.choice("0112")]
        for chance, flag in ((.15, "-Wl,-Bsymbolic"), (.15, "-Wl,-Bsymbolic-functions"),
                             (.2, "-fno-plt"), (.3, "-Wl,-z,now"), (.2, "-Wl,--hash-style=sysv"),
                             (.2, "-fstack-protector-all"), (.2, "-fno-omit-frame-pointer"),
                             (.2, "-fcf-protection"), (.1, "-Wl,-z,norelro")):
            if r.random() < chance:
                self.flags.append(flag)
                self.symbolic |= flag.startswith("-Wl,-Bsymbolic")
        self.versioned = r.random() < .25

    def function_name(self, r):
        return f"f{self.i}_{r.randrange(FUNCTIONS)}"


class World:
    """One random program: its sources, compiled in a directory of its own."""

    def __init__(self, seed, directory):
        self.random = random.Random(seed)
        self.directory = directory
        r = self.random
        self.count = r.randint(3, 9)
        self.cross_data = r.random() < .6
        self.sources = {}
        self.libraries = [Library(self, i) for i in range(self.count)]
        header = HEADER + "".join(OF_EACH.format(
            i=i, functions=", ".join(f"f{i}_{k}" for k in range(FUNCTIONS)))
            for i in range(self.count))
        self.write("world.h", header)
        for library in self.libraries:
            self.sources[library.i] = self.library_source(library)
        for library in self.libraries:
            self.make_library(library)
        # What the program does not need itself may be away (dlazy-run(1), BUGS), and then is
        # found by who needs it alone.
        self.needed = self.linked()
        self.plugins = [self.make_plugin(p) for p in range(r.randint(0, 2))]
        self.make_program()

    def chance(self, p):
        return self.random.random() < p

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def compile(self, output, source, *options):
        self.write(output + ".c", source)
        subprocess.run(["cc", "-w", "-o", output, output + ".c", "-Wl,--no-as-needed", *options],
                       cwd=self.directory, check=True, capture_output=True)

    # ---------------------------------------------------------------- libraries

    def statement(self, library, table, pointer):
        """What a function adds to its result."""
        r = self.random
        own = library.i
        some = [f" r += d{own}++;", " own++;", f" r += twin{r.randrange(2)}(x);",
                " r += twin_data;", " if (kept) r += kept(x - 2);", f" r += number{own}();"]
        if library.tls:
            some.append(f" r += t{own}++;")
        if table:
            some.append(f" r += pointers[{r.randrange(2)}](x - 1);")
        if pointer:
            some.append(" r += *pointer;")
        if not library.takes:
            return r.choice(some)
        other = self.libraries[r.choice(library.takes)]
        j = other.i
        some += 3 * [f" r += {other.function_name(r)}(x - 1);"]
        some += [f" r += callback{j}(f{own}_0, x - 2);", f" r += address{j}() != 0;",
                 f" r += number{j}() + (int)large{j}();", f" r += (int)strlen(text{j}());",
                 f" nothing{j}(x); r += is_text{j}(text{j}());"]
        if j in library.needs:
            some.append(f' {{ function *q = (function *)dlsym(RTLD_DEFAULT, "f{j}_0");'
                        " r += q ? q(x - 1) : -1; }")
        if self.cross_data:
            some += [f" r += d{j};", f" r += (int)strlen(n{j});",
                     f" r += table{j}.f(x - 1) + table{j}.local(x) + table{j}.numbers[1];"]
        return r.choice(some)

    def library_source(self, library):
        r, i = self.random, library.i
        number = r.randint(1, 99)
        text = [f'#include "world.h"\nint d{i} = {number}; const char *n{i} = "library {i}";\n'
                f"static int own = {r.randint(1, 9)}; static function *kept;\n"
                f"static const int numbers[] = {{1, {number}, 3}};\n"
                f"static int local(int x) {{ return x + own + {number}; }}\n"
                f'const struct table table{i} = {{"table {i}", f{i}_0, local, numbers}};\n'
                f"int number{i}(void) {{ return {r.choice([0, 1, -1, number])}; }}\n"
                f"long large{i}(void) {{ return 0x7fffffff{number:08x}; }}\n"
                f'const char *text{i}(void) {{ return "text of {i}"; }}\n'
                f"void nothing{i}(int x) {{ {r.choice(['', 'own++;'])} }}\n"]
        compared = r.choice([f'(const char *)"text of {i}"', f"text{i}()"])
        text.append(f"int is_text{i}(const char *t) {{ return t == {compared}; }}\n")
        if library.tls:
            text.append(f"__thread int t{i} = {number};\n")
        for twin in range(2):
            if self.chance(.25):
                text.append(f"int twin{twin}(int x) {{ return x * {number} + own; }}\n")
        if self.chance(.2):
            text.append(f"int twin_data = {i + 100};\n")
        table = library.takes and self.chance(.4)
        if table:
            a, b = (self.libraries[r.choice(library.takes)] for _ in range(2))
            text.append(f"function *pointers[] = {{ {a.function_name(r)}, "
                        f"{b.function_name(r)} }};\n")
        pointer = library.takes and self.cross_data and self.chance(.25)
        if pointer:
            text.append(f"int *pointer = &d{r.choice(library.takes)};\n")
        if self.chance(.3):
            more = f"d{i} += 1000;" if self.chance(.4) else ""
            how = r.choice(["own +=", "own ="])
            text.append("__attribute__((constructor)) static void begin(void) "
                        f"{{ {how} {number}; {more} }}\n")
        for k in range(FUNCTIONS):
            if library.ifunc and k == 1:
                text.append(f"static int chosen(int x) {{ return x * 3 + {i}; }}\n"
                            "static function *choose(void) { return chosen; }\n"
                            f'int f{i}_1(int) __attribute__((ifunc("choose")));\n')
                continue
            weak = "__attribute__((weak)) " if self.chance(.1) else ""
            if self.chance(.05):
                weak = '__attribute__((visibility("protected"))) '
                library.protected = True
            body = "".join(self.statement(library, table, pointer)
                           for _ in range(r.randint(1, 4)))
            text.append(f"{weak}int f{i}_{k}(int x) {{ int r = x + own * {r.randint(1, 5)};"
                        f" if (x <= 0) return r;{body} return r % 1000003; }}\n")
        text.append(f"function *address{i}(void) {{ return f{i}_0; }}\n"
                    f"int callback{i}(function *f, int x) {{ return f(x) + own; }}\n"
                    f"int keep{i}(function *f) {{ kept = f; return own; }}\n")
        return "".join(text)

    def make_library(self, library):
        i, options = library.i, list(library.flags)
        if library.versioned:
            self.write(f"map{i}", f"V{i} {{ global: f{i}_*; d{i}; n{i}; t{i}; table{i};"
                       f" address{i}; callback{i}; keep{i}; number{i}; large{i}; text{i};"
                       f" nothing{i}; is_text{i}; }};")
            options.append(f"-Wl,--version-script=map{i}")
        self.compile(f"librandom{i}.so", self.sources[i], "-shared", "-fPIC", *options,
                     f"-Wl,-soname,librandom{i}.so",
                     *(f"librandom{j}.so" for j in library.needs))

    # ---------------------------------------------------------------- plugins

    def make_plugin(self, p):
        r = self.random
        depends = [j for j in range(self.count) if self.chance(.5)]
        data = depends and self.chance(.5)
        deep = self.chance(.25)
        text = ['#include "world.h"\n']
        if self.chance(.2):
            text.append("int twin0(int x) { return x + 77; }\n")
        if data:
            text.append(f"int *pointer = &d{r.choice(depends)};\n")
        text.append("int plugin(int x) { int r = x;")
        for j in depends:
            text.append(f" r += {self.libraries[j].function_name(r)}(x) + number{j}();")
            if data and self.chance(.6):
                text.append(f" r += d{j}; d{j} += 3; r += n{j}[0] + table{j}.local(x);")
        # Of twins it would find the one of the stub file, which is the program's first.
        twin = "" if deep else " r += twin0(x);"
        text.append((" r += *pointer;" if data else "") + twin + " return r % 1000003; }\n")
        now = ["-Wl,-z,now"] if self.chance(.3) else []
        self.compile(f"plugin{p}.so", "".join(text), "-shared", "-fPIC", "-O1", *now,
                     *(f"librandom{j}.so" for j in depends
                       if j not in self.needed or self.chance(.7)))
        return "RTLD_LAZY | RTLD_DEEPBIND" if deep else r.choice(
            ["RTLD_NOW", "RTLD_LAZY", "RTLD_NOW | RTLD_GLOBAL"])

    # ---------------------------------------------------------------- the program

    def operation(self, data):
        """Something that the program does, and prints."""
        r = self.random
        library = self.libraries[r.randrange(self.count)]
        i, function = library.i, library.function_name(r)
        other = f"f{r.randrange(self.count)}_0"
        some = 4 * [f'printf("{function} %d\\n", {function}({r.randint(0, 5)}));']
        some += 2 * [f'nothing{i}(1); printf("answers %d %ld %s\\n", number{i}(), large{i}(), '
                     f"text{i}());"]
        some += [
            f'printf("text %d %d\\n", text{i}() == text{i}(), is_text{i}(text{i}()));',
            f'printf("callback %d\\n", callback{i}({r.choice(["mine", other])}, 2));',
            f'printf("keep %d\\n", keep{i}({r.choice(["mine", other])}) > 0);',
            f'if (!(x = setjmp(jump))) printf("%d\\n", callback{i}(hop, 5));'
            ' else printf("hop %d\\n", x);',
            f'fflush(0); if (!fork()) {{ printf("child %d\\n", f{i}_0(2)); _exit(0); }}'
            ' wait(&x); printf("ended %d\\n", x);',
            "pthread_create(&thread, 0, threaded, (void *)5L); pthread_join(thread, &result);"
            ' printf("thread %ld\\n", (long)result);',
            f'found = dlopen("librandom{i}.so", '
            f'{r.choice(["RTLD_NOW", "RTLD_LAZY | RTLD_NOLOAD", "RTLD_NOW | RTLD_GLOBAL"])});'
            f' if (found) printf("opened %d %d\\n", ((function *)dlsym(found, "f{i}_0"))(2),'
            f' *(int *)dlsym(found, "d{i}")); {r.choice(["if (found) dlclose(found);", ""])}',
            'printf("twins %d %d\\n", twin0(2), twin1(3));']
        if not library.symbolic and not library.protected:
            some.append(f'printf("same %d\\n", address{i}() == f{i}_0);')
        if i in self.needed:
            some += [
                f'found = dlsym(RTLD_DEFAULT, "{function}");'
                ' printf("found %d\\n", found ? ((function *)found)(3) : -1);',
                f'found = dlsym(RTLD_DEFAULT, "d{i}");'
                ' printf("datum %d\\n", found ? *(int *)found : -1);',
                f'printf("%d\\n", dladdr(dlsym(RTLD_DEFAULT, "d{i}"), &info) != 0);']
        if data:
            some += [f'printf("d{i} %d\\n", d{i}); d{i} += 7;', f'printf("%s\\n", n{i});',
                     'printf("%d\\n", twin_data);',
                     f'printf("%s %d %d\\n", table{i}.name, table{i}.f(1), table{i}.local(2));']
        return r.choice(some)

    def linked(self):
        """The libraries that the program needs itself: some, and what no other brings."""
        r = self.random
        needed = [i for i in range(self.count) if self.chance(.8)]
        reached = set()
        for i in needed + list(range(self.count)):
            if i not in reached and i not in needed:
                needed.append(i)
            queue = [i]
            while queue:
                j = queue.pop()
                if j not in reached:
                    reached.add(j)
                    queue += self.libraries[j].needs
        r.shuffle(needed)
        return needed

    def make_program(self):
        r = self.random
        mode = r.choice([["-pie", "-fPIE"], ["-no-pie", "-fno-pie"], ["-pie", "-fPIC", "-fno-plt"]])
        text = ['#include "world.h"\nstatic jmp_buf jump;\n'
                "static int mine(int x) { return x * 7; }\n"
                "static int hop(int x) { if (x > 2) longjmp(jump, x); return x * 2; }\n"
                f"static void *threaded(void *x) {{ return (void *)(long)f{r.randrange(self.count)}"
                "_0((long)x % 3); }\n"]
        everything = "".join(self.sources.values())
        for twin in range(2):
            if f"int twin{twin}(int x) {{" not in everything or self.chance(.2):
                text.append(f"int twin{twin}(int x) {{ return x + {500 + twin}; }}\n")
        if "int twin_data =" not in everything:
            text.append("int twin_data = 9;\n")
        data = self.chance(.4)
        operations = [self.operation(data) for _ in range(r.randint(4, 14))]
        for p, flags in enumerate(self.plugins):
            operations.insert(
                r.randint(0, len(operations)),
                f'found = dlopen("./plugin{p}.so", {flags}); if (!found) printf("none\\n"); else'
                f' {{ function *f = (function *)dlsym(found, "plugin"); printf("{p} %d\\n", f(2));'
                f' printf("{p} %d\\n", f(3)); }}')
        text.append("int main(void) { int x; void *found, *result; pthread_t thread; Dl_info info;"
                    " setvbuf(stdout, 0, _IONBF, 0);\n" + "\n".join(operations) +
                    "\nreturn 0; }\n")
        options = mode + [r.choice(["-Wl,-z,now", "-Wl,-z,lazy"]), "-O" + r.choice("02")]
        if self.chance(.4):
            options.append("-Wl,-E")
        self.compile("program", "".join(text), *options,
                     *(f"librandom{i}.so" for i in self.needed), "-Wl,--allow-shlib-undefined",
                     "-Wl,--unresolved-symbols=ignore-all", "-Wl,-rpath-link,.", "-lpthread",
                     "-ldl")


# -------------------------------------------------------------------- running

def run(command, directory, environment):
    try:
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True,
                              timeout=20)
    except subprocess.TimeoutExpired:
        return "no end", b"", b""
    return done.returncode, done.stdout, done.stderr


def difference(plain, lazy):
    lines = itertools.zip_longest(plain[1].splitlines(), lazy[1].splitlines())
    for a, b in lines:
        if a != b:
            return f"plainly {a!r}, lazily {b!r}"
    return f"status {plain[0]}, lazily {lazy[0]}: {lazy[2][-400:].decode(errors='replace')}"


def ways():
    """How a program is run: extra environment, options."""
    for bound in {}, {"LD_BIND_NOW": "1"}:
        for learn in [], ["--learn"]:
            # --lazy: however few its libraries are.
            yield bound, ["run", "--wait", "--lazy", "none*", *learn, "--"]


def compare(seed, directory, tool):
    """Differences, as words; None: the program is none."""
    try:
        World(seed, directory)
    except subprocess.CalledProcessError:
        return None
    environment = dict(os.environ, LD_LIBRARY_PATH=directory,
                       DLAZY_CACHE_DIR=os.path.join(directory, "..", "cache"))
    found = []
    for bound, options in ways():
        environment.pop("LD_BIND_NOW", None)
        environment.update(bound)
        plain = run(["./program"], directory, environment)
        if plain[0] != 0:
            return None
        lazy = run([tool, *options, "./program"], directory, environment)
        # glibc says so of an IFUNC of an object that is not relocated yet.
        if lazy != plain and b"IFUNC" not in plain[2] + lazy[2]:
            found.append(f"{' '.join([*bound, *options])}: {difference(plain, lazy)}")
    return found


def main(first=1, count=20):
    tool = os.environ.get("DLAZY_TOOL", "dlazy")
    root = tempfile.mkdtemp(prefix="dlazy-programs.")
    different = none = 0
    for seed in range(int(first), int(first) + int(count)):
        directory = os.path.join(root, str(seed))
        os.mkdir(directory)
        found = compare(seed, directory, tool)
        none += found is None
        different += bool(found)
        for words in found or []:
            print(f"program {seed}: {words}", flush=True)
        if not found or not os.environ.get("KEEP"):
            shutil.rmtree(directory)
    if not different or not os.environ.get("KEEP"):
        shutil.rmtree(root)
    print(f"{count} programs: {different} differ, {none} are none"
          + (f"; in {root}" if os.path.exists(root) else ""))
    return different > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
