# SPDX-License-Identifier: MIT
"""Measurements for page.py, into the current directory: 500 objects, hostile
names, next to nothing known, a ledger, benches."""
import json
import random

random.seed(4)
LIB = "/usr/lib/x86_64-linux-gnu/"


def trace_object(n, path, by, **more):
    use = random.choice(["called", "bound", "none", "none"])
    o = {
        "path": path, "why": "needed" if by else "exe", "by": by,
        "requested": path.split("/")[-1], "load": 0, "opens": 1,
        "at_us": 2400.5 + 12 * n, "map_us": 20 + random.random() * 30,
        "relocate_us": random.expovariate(1 / 200),
        "init_us": random.expovariate(1 / 20),
        "private_kib": random.randrange(4, 900, 4),
        "text_kib": random.randrange(4, 9000, 4), "touched_kib": 4 * (use == "called"),
        "relocations": {"relative": random.randrange(5000),
                        "symbolic": random.randrange(300), "calls": n},
        "symbols_bound": 1 if use == "bound" else 0, "symbols_called": 0,
        "bound_by": [{"path": by, "symbols": 3, "called": 0, "data": 0}] if by else [],
        "used": use, "did_nothing": use == "none" and bool(by), "unknown": {},
    }
    o.update(more)
    return o


def trace(command, objects, loads=(), **more):
    t = {
        "format": "dlazy-trace", "version": 1, "command": command, "pid": 1,
        "parent": 2, "status": 0, "signal": None, "exited": True,
        "wall_us": 66979.5, "exec_us": 861.5, "map_us": 6483.4,
        "relocate_us": 36059.3, "linker_us": 42542.7,
        "constructors_us": 5340.2, "program_us": 134.9, "exit_us": 2674.4,
        "tracer": {"us": 13965.9, "memory_us": 1, "scan_us": 1, "bindings": 1},
        "objects": objects, "loads": list(loads),
        "unused": [o["path"] for o in objects if o["did_nothing"]],
        "lost": {"objects": 0}, "children": [], "unknown": {},
    }
    t.update(more)
    return t


def load(n, at, by=None, requested=None):
    return {"by": by, "requested": requested, "objects": n, "thread": 1,
            "at_us": at, "map_us": 300.0, "relocate_us": 900.0,
            "init_us": 250.0, "unknown": {}}


def many():
    paths = ["/usr/bin/program"]
    objects = [trace_object(0, paths[0], None)]
    for n in range(1, 500):
        by = paths[random.randrange(max(0, n - 60), n)] if n > 8 else paths[0]
        paths.append(f"{LIB}lib{n:03d}.so.{n % 9}")
        objects.append(trace_object(n, paths[-1], by))
    for o in objects[7::11]:
        o["relocate_us"] = None
        o["unknown"] = {"relocate_us": "one of 13 objects that took 312.4 us together"}
    for o in objects[400:]:
        o["why"] = "dlopen"
    loads = [load(400, 2411.3)] + [
        load(10, 8000 + 3000 * i, paths[0], f"lib{400 + 10 * i}.so") for i in range(10)]
    return trace(["program", "--with", "500 libraries"], objects, loads)


def hostile():
    evil = [
        "</script><script>window.pwned = 1</script>",
        "<img src=x onerror='window.pwned = 1'>", "\u202egnp.exe\u2066", "__proto__",
        "constructor", "a\u0000b\u001b[31m\n\t", "&lt;&amp;", "${window.pwned = 1}",
        "\u2028\u2029", "\ud83d\ude00 \u0627\u0644\u0639\u0631\u0628\u064a\u0629", " ",
        "x" * 300, "long " * 60, "",
    ]
    objects = [trace_object(0, "/" + evil[0], None)]
    for n, e in enumerate(evil):
        objects.append(trace_object(n + 1, f"/{'d' * 250}/{e}" if n % 2 else e,
                                    objects[n // 3]["path"], used=e, why=e or "needed"))
    objects[3]["by"] = objects[4]["path"]  # a cycle
    objects[4]["by"] = objects[3]["path"]
    objects.append(trace_object(20, "self", "self"))
    objects.append(trace_object(21, "self", "nobody"))
    objects.append(trace_object(22, "odd", "self", at_us="soon", map_us=-5, init_us=1e300,
                                relocations=7, bound_by={"a": 1}, private_kib=[1],
                                unknown="none of your business", used=5, did_nothing="yes"))
    t = trace(evil, objects + [None, 5, "x", [], {"path": 7, "did_nothing": False}][:0],
              [load(3, 2400, "/" + evil[1], evil[11])])
    t["objects"] += [None, 5, "x", [], {"path": 7}]
    t["lost"] = {evil[1]: 3}
    t["unknown"] = {"wall_us": evil[0]}
    t["wall_us"] = None
    return t


def opened():
    program = trace_object(0, "/usr/bin/host", None)
    plugin = trace_object(1, "/usr/lib/plugin.so", program["path"], why="dlopen", load=1,
                          used="none", did_nothing=True)
    return trace(["host"], [program, plugin], [load(1, 2400), load(1, 3000, program["path"])])


def sparse():
    why = "it ended by a signal"
    keys = ["at_us", "map_us", "relocate_us", "init_us", "private_kib", "text_kib", "touched_kib"]
    objects = [trace_object(n, f"/lib/l{n}.so", "/lib/l0.so" if n else None,
                            unknown={k: why for k in keys}, **{k: None for k in keys})
               for n in range(4)]
    sums = ["wall_us", "exec_us", "map_us", "relocate_us", "linker_us",
            "constructors_us", "program_us", "exit_us"]
    return trace(["crash"], objects, [], status=None, signal=11, lost={"objects": 12},
                 unknown={k: why for k in sums}, **{k: None for k in sums})


def ledger():
    return {
        "format": "dlazy-ledger", "version": 1, "command": ["host", "plugins"], "pid": 7,
        "mode": "lazy", "wall_us": 5000.5, "touched": 3, "failed": 1, "spent_us": 900.25,
        "saved_us": 17370.4, "saved_unknown": 2, "lost": 0,
        "objects": [{
            "path": f"/p/p{n}.so", "name": f"p{n}", "why": "touch",
            "symbol": None if n == 2 else f"f{n}", "by": "/usr/bin/host",
            "caller": "main+0x20 (host)", "thread": 7, "at_us": 400.0 * n + 30,
            "load_us": 225.5 + 30 * n, "linker_us": 220.5 + 30 * n, "own_us": 5,
            "init_us": None, "private_kib": None if n else 16,
            "error": "p3.so: undefined symbol: g" if n == 3 else None,
            "unknown": {"private_kib": "it is not mapped any more"} if n else {},
        } for n in range(4)],
        "untouched": [{
            "path": f"/p/q{n}.so", "name": f"q{n}",
            "recorded_us": None if n < 2 else 100.0 * n,
            "unknown": {"recorded_us": "it was never loaded"} if n < 2 else {},
        } for n in range(40)],
        "unknown": {},
    }


def side(us, kib):
    return {"wall_us": {"median": us, "min": us * 0.9, "max": us * 1.3}, "cpu_us": us * 0.9,
            "pss_kib": kib, "maps": kib / 10, "faults": kib / 7, "failed": 0}


def bench():
    return {"subject": "/usr/lib/frei0r-1", "declared": 136, "touched": 1,
            "touched_names": ["B"], "runs": 21, "empty": side(0.04, 363),
            "eager": side(17370.4, 11777), "lazy": side(85.8, 577),
            "all_touched": side(15267.7, 11785), "speedup": 197.5,
            "speedup_interval": [167.8, 242.1]}


def command():
    return {"subject": "inkscape --version", "command": ["inkscape", "--version"],
            "by": "run", "declared": None, "touched": None, "runs": 5, "cold": True,
            "empty": None, "eager": side(140004, 50843), "lazy": side(136768, 41643),
            "all_touched": None, "speedup": None, "speedup_interval": [0.9, 1.2]}


for make in (many, hostile, opened, sparse, ledger, bench, command):
    with open(make.__name__ + ".json", "w") as out:
        json.dump(make(), out)
