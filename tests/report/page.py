# SPDX-License-Identifier: MIT
"""page.py PAGE...: looks at pages of dlazy report in headless Chromium, through
chromedriver (https://www.w3.org/TR/webdriver2/), and prints TAP. One browser for
all. What is asked of each page is in CHECKS, of single ones below it."""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--disable-dev-shm-usage"]
PHONE, DESK = 360, 1280
QUICK_MS = 2000  # ten times what it needs on a quick machine
ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"


class Browser:
    """A chromedriver of our own, and one session of it."""

    def __init__(self, profile):
        self.log = open(os.path.join(profile, "log"), "w+")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=self.log,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        self.base = f"http://127.0.0.1:{self.port()}"
        options = {"args": FLAGS + [f"--user-data-dir={profile}/profile"]}
        try:
            answer = self.begin(options)
        except RuntimeError as e:
            self.stop()
            sys.exit(print(f"1..0 # SKIP Chromium does not start: {str(e)[:300]!r}"))
        self.base += f"/session/{answer['sessionId']}"

    def begin(self, options):
        return self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}}}})

    def port(self):
        for _ in range(200):
            self.log.seek(0)
            said = self.log.read()
            if "successfully on port " in said:
                return int(said.rsplit("on port ", 1)[1].split(".")[0])
            time.sleep(0.05)
        self.driver.kill()
        sys.exit("Bail out! chromedriver does not start: " + said)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, method=method,
            data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise RuntimeError(e.read().decode()[:600]) from None

    def run(self, script, *args):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def cdp(self, command, **params):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def open(self, page):
        self.ask("POST", "/url", {"url": "file://" + os.path.abspath(page)})

    def look(self, width, scheme="light", height=900):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width == PHONE)
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])

    def keys(self, *keys):
        actions = [{"type": kind, "value": k} for k in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [
            {"type": "key", "id": "k", "actions": actions}]})

    def find(self, css):
        return list(self.ask("POST", "/element", {"using": "css selector",
                                                  "value": css}).values())[0]

    def click(self, css):
        self.ask("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css, text):
        self.ask("POST", f"/element/{self.find(css)}/value", {"text": text})

    def console(self):
        return [e["message"] for e in self.ask("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, name):
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(os.path.join(os.environ["REPORT_SCREENSHOTS"], name), "wb") as out:
            out.write(base64.b64decode(shot))

    def close(self):
        try:
            self.ask("DELETE", "")
        finally:
            self.stop()

    def stop(self):
        self.driver.terminate()
        self.driver.wait(10)


class Tap:
    count = failed = 0

    def ok(self, good, sentence, said=None):
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {sentence}", flush=True)
        if not good:
            print("# " + repr(said)[:1500].replace("\n", "\n# "))

    def same(self, got, wanted, sentence):
        self.ok(got == wanted, sentence, {"got": got, "wanted": wanted})

    def none(self, complaints, sentence):
        self.ok(not complaints, sentence, complaints)


# What is wider than the page, or shows less of its text than it should: names in
# tables, bars and the icicle are shortened on purpose.
CLIPPED = """
const wide = [], root = document.documentElement;
if (root.scrollWidth > root.clientWidth)
    wide.push(`page: ${root.scrollWidth} > ${root.clientWidth}`);
for (const e of document.querySelectorAll("body *")) {
    if (e.closest(".scroll, .icicle, .track, svg, script, .label") || !e.offsetParent)
        continue;
    const box = e.getBoundingClientRect();
    if (box.right > root.clientWidth + 1 || box.left < -1 ||
        (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" &&
         !e.querySelector(".scroll")))
        wide.push(`${e.tagName}.${e.className} ${box.left}-${box.right} ` + e.textContent.slice(0, 60));
}
return wide;
"""

# Text whose contrast with what lies behind it is under WCAG's 4.5 (3 if large).
FAINT = """
const rgb = (s) => { const m = s.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
const lum = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => {
    v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const over = (a, b) => a.slice(0, 3).map((v, i) => v * a[3] + b[i] * (1 - a[3])).concat(1);
const behind = (e) => { const layers = [];
    for (; e; e = e.parentElement) {
        const c = rgb(getComputedStyle(e).backgroundColor);
        layers.push(c);
        if (c[3] === 1) break;
    }
    return layers.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1]); };
const faint = new Map();
for (const e of document.querySelectorAll("body *")) {
    const shows = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(e), ink = rgb(style.color);
    if (!shows || !e.getClientRects().length || e.closest("script, noscript") || ink[3] === 0)
        continue;
    const back = behind(e), a = lum(over(ink, back)), b = lum(back);
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
    if (contrast < (size >= 24 || (bold && size >= 18.66) ? 3 : 4.5))
        faint.set(`${e.tagName}.${e.className}`, contrast.toFixed(2) + " " + e.textContent.slice(0, 30));
}
return [...faint];
"""

# What a screen reader would stumble over.
UNNAMED = """
const bad = [], name = (e) => e.getAttribute("aria-label") || e.textContent.trim() ||
    (e.labels && [...e.labels].map((l) => l.textContent.trim()).join(""));
if (document.documentElement.lang !== "en") bad.push("lang");
if (document.querySelectorAll("h1").length !== 1) bad.push("h1");
if (document.querySelectorAll("main").length !== 1) bad.push("main");
if (!document.title) bad.push("title");
for (const e of document.querySelectorAll("button, input, select, [role=img], [role=tree], [role=region]"))
    if (!name(e)) bad.push(e.outerHTML.slice(0, 100));
for (const e of document.querySelectorAll("[role=treeitem]"))
    if (!e.getAttribute("aria-label") || !e.getAttribute("aria-level")) bad.push(e.outerHTML.slice(0, 100));
for (const t of document.querySelectorAll("table")) {
    if (!t.caption || !t.caption.textContent.trim()) bad.push("caption");
    if ([...t.tHead.querySelectorAll("th")].some((h) => h.scope !== "col")) bad.push("scope of a head");
    if (t.querySelectorAll("[aria-sort]").length !== 1) bad.push("aria-sort");
    for (const r of t.tBodies[0].rows)
        if (r.cells[0].scope !== "row" && !r.classList.contains("more")) { bad.push("scope of a row"); break; }
}
for (const f of document.querySelectorAll("figure")) {
    const by = document.getElementById(f.getAttribute("aria-labelledby"));
    if (!by || !by.textContent) bad.push("figure without a name");
}
for (const svg of document.querySelectorAll("svg"))
    if (!svg.getAttribute("aria-label") && !svg.getAttribute("aria-hidden")) bad.push("svg");
return bad;
"""

WORDS = """
const seen = document.body.innerText;
return ["undefined", "NaN", "[object", "Infinity"].filter((w) => seen.includes(w));
"""

OUTSIDE = """
return performance.getEntriesByType("resource").map((r) => r.name)
    .concat([...document.querySelectorAll("[src], link[href]:not([rel=icon]), img, iframe")].map((e) => e.outerHTML))
    .concat(document.scripts.length === 2 ? [] : ["scripts: " + document.scripts.length])
    .concat(window.pwned ? ["pwned"] : []);
"""


def check_page(browser, tap, page):
    browser.look(DESK)
    browser.open(page)
    tap.ok(browser.run("return !!document.querySelector('main h2')"), f"{page} is drawn")
    tap.none(browser.console(), "without a word on the console")
    tap.none(browser.run(OUTSIDE), "it takes nothing from outside, and runs nothing from the data")
    tap.none(browser.run(UNNAMED), "everything in it has a name")
    tap.none(browser.run(WORDS), "and no value shows as the script's own words")
    for width, scheme in ((DESK, "light"), (PHONE, "light"), (DESK, "dark"), (PHONE, "dark")):
        browser.look(width, scheme)
        if scheme == "light":
            tap.none(browser.run(CLIPPED), f"nothing is cut off at {width} pixels")
        if width == DESK:
            tap.none(browser.run(FAINT), f"all can be read when it is {scheme}")
        if "REPORT_SCREENSHOTS" in os.environ:
            browser.screenshot(f"{page[:-5]}-{width}-{scheme}.png")


COLUMN = """
const i = [...document.querySelectorAll("thead th")].findIndex((h) => h.textContent === arguments[0]);
return [...document.querySelectorAll("tbody tr")].map((r) => r.cells[i].textContent);
"""
SORTED = """
return [...document.querySelectorAll("thead th")].filter((h) => h.hasAttribute("aria-sort"))
    .map((h) => [h.textContent, h.getAttribute("aria-sort")]);
"""
HEAD = "thead th:nth-child({}) button"
STATUS = "return document.querySelector('section [role=status]').textContent"


def numbers(cells):
    return [None if c == "not known" else float(c.replace("≥ ", "").replace(",", "")) for c in cells]


def is_in_order(values, down):
    known = [v for v in values if v is not None]
    return values[:len(known)] == sorted(known, reverse=down) and len(known) < len(values)


def check_table(browser, tap):
    browser.look(DESK)
    browser.open("many.html")
    heads = browser.run("return [...document.querySelectorAll('thead th')].map((h) => h.textContent)")
    relocate = heads.index("Relocate µs") + 1
    tap.same(browser.run(SORTED), [["Cost µs", "descending"]], "the costliest come first")
    browser.click(HEAD.format(relocate))
    tap.same(browser.run(SORTED), [["Relocate µs", "descending"]], "a head sorts by its column")
    tap.ok(is_in_order(numbers(browser.run(COLUMN, "Relocate µs")), True),
           "the largest first, what is not known last")
    browser.click(HEAD.format(relocate))
    tap.same(browser.run(SORTED), [["Relocate µs", "ascending"]], "once more turns it round")
    tap.ok(is_in_order(numbers(browser.run(COLUMN, "Relocate µs")), False),
           "the smallest first, what is not known still last")
    browser.click(HEAD.format(1))
    names = browser.run(COLUMN, "Object")
    tap.same([len(names), names], [500, sorted(names)], "names sort as words")

    browser.type("input[type=search]", "lib12")
    left = list(zip(browser.run(COLUMN, "Object"), browser.run(COLUMN, "Needed by")))
    tap.same([n for n, _ in left if n.startswith("lib12")], [n for n in names if n.startswith("lib12")],
             "a filter leaves what holds its text")
    tap.none([row for row in left if "lib12" not in row[0] + row[1]], "and nothing else")
    tap.same(browser.run(STATUS), f"{len(left)} of 500 rows shown", "and says how many")
    browser.click("select option:nth-child(2)")
    idle = browser.run(COLUMN, "Used")
    tap.ok(idle and set(idle) == {"did nothing"} and len(idle) < len(left), "a use narrows it further", idle)
    browser.run("document.querySelector('input').value = 'no such name';"
                "document.querySelector('input').dispatchEvent(new Event('input'))")
    tap.same(browser.run(STATUS), "0 of 500 rows shown", "nothing may be left")

    browser.open("many.html")
    browser.click(HEAD.format(1))
    browser.type("input[type=search]", "lib007")
    browser.click("tbody th button")
    said = browser.run("return document.querySelector('tr.more').innerText")
    tap.ok("one of 13 objects that took 312.4 us together" in said,
           "a row opens to the reason of what is not known", said)
    tap.ok("/usr/lib/x86_64-linux-gnu/lib007.so.7" in said, "and to the whole path", said)
    browser.look(PHONE)
    tap.none(browser.run(CLIPPED), "which fits a phone")
    tap.ok(browser.run("const e = document.querySelector('tr.more dd'); const b = e.getBoundingClientRect();"
                       "return b.left >= 0 && b.right <= innerWidth"), "in whole")
    browser.look(DESK)
    browser.click("tbody th button")
    tap.same(browser.run("return document.querySelectorAll('tr.more').length"), 0, "and closes again")


QUICK = """
const [what] = arguments, took = [], e = document.querySelector(what);
for (let i = 0; i < 5; i++) {
    const from = performance.now();
    if (e.tagName === "INPUT") {
        e.value = ["lib1", "", "9", "so", ""][i];
        e.dispatchEvent(new Event("input"));
    } else {
        e.click();
    }
    document.body.getBoundingClientRect();
    took.push(performance.now() - from);
}
return took.sort((a, b) => a - b); // noise only adds
"""


def check_speed(browser, tap):
    browser.open("many.html")
    for what, sentence in ((HEAD.format(5), "500 rows are sorted"), ("input[type=search]", "and filtered"),
                           (".choice button:nth-child(2)", "and the icicle drawn anew")):
        took = browser.run(QUICK, what)
        tap.ok(took[0] < QUICK_MS, f"{sentence} in less than {QUICK_MS} ms", took)
        print(f"# {took[0]:.0f} to {took[-1]:.0f} ms")


ACTIVE = """
const e = document.activeElement, style = getComputedStyle(e);
return {role: e.getAttribute("role"), level: +e.getAttribute("aria-level"), text: e.textContent,
    tag: e.tagName, outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2};
"""


def check_keyboard(browser, tap):
    browser.open("many.html")
    browser.run("document.querySelector('.choice button').focus()")
    browser.keys(TAB, TAB, TAB, TAB)
    at = browser.run(ACTIVE)
    tap.same([at["role"], at["level"]], ["treeitem", 1], "Tab reaches the icicle, once")
    tap.ok(at["outline"], "where one is can be seen", at)
    browser.keys(DOWN)
    below = browser.run(ACTIVE)
    tap.same([below["level"], below["outline"]], [2, True], "down goes to what it pulled in")
    browser.keys(RIGHT)
    right = browser.run(ACTIVE)
    tap.ok(right["level"] == 2 and right["text"] != below["text"], "right to the next", right)
    browser.keys(LEFT)
    tap.same(browser.run(ACTIVE)["text"], below["text"], "left comes back")
    tap.ok(below["text"] in browser.run("return document.querySelector('.about').textContent"),
           "it is told of in words")
    browser.keys(ENTER)
    width = "return document.activeElement.getBoundingClientRect().width"
    wide = browser.run(width)
    tap.ok(wide > 0.95 * browser.run("return document.querySelector('.icicle').clientWidth"),
           "Enter makes it the widest", wide)
    tap.same(browser.run(ACTIVE)["text"], below["text"], "and stays there")
    browser.keys(ESCAPE)
    tap.same(browser.run(ACTIVE)["level"], 1, "Escape goes back")
    browser.keys(UP)
    tap.same(browser.run(ACTIVE)["level"], 1, "there is nothing above the program")
    browser.keys(TAB)
    tap.ok(browser.run(ACTIVE)["tag"] == "INPUT", "Tab leaves it", browser.run(ACTIVE))
    browser.keys(TAB, TAB, TAB, ENTER)
    at = browser.run(ACTIVE)
    tap.ok(at["tag"] == "BUTTON" and at["outline"], "a head has the focus, visibly", at)
    tap.same(browser.run(SORTED), [["Object", "ascending"]], "Enter sorts by it")
    browser.run("document.querySelectorAll('.choice button')[3].click()")
    tap.same(browser.run("return document.querySelectorAll('.choice [aria-pressed=true]').length"), 1,
             "one width is chosen")
    tap.ok("500 objects" in browser.run("return document.querySelector('.icicle div').ariaLabel"),
           "the icicle can count objects")


BEYOND = """
return [...document.querySelectorAll("caption .hint")].map((e) => e.getBoundingClientRect())
    .filter((r) => !r.width || r.right > innerWidth).map((r) => `ends at ${r.right}`);
"""


def check_words(browser, tap):
    """What single pages must say."""
    def says(page, text, sentence):
        browser.open(page)
        seen = browser.run("return document.body.innerText")
        tap.ok(text in seen, sentence, seen)

    says("hostile.html", "</script><script>window.pwned = 1</script>", "markup is shown as text")
    says("hostile.html", "\\u202egnp.exe\\u2066", "what turns the writing round is spelt out")
    says("hostile.html", "\\u0000b\\u001b[31m", "so are control characters")
    says("sparse.html", "it ended by a signal", "what is not known has its reason")
    says("sparse.html", "ended by signal 11", "how a program ended is told")
    tap.same(set(browser.run(COLUMN, "Private KiB")), {"not known"}, "and is no 0")
    says("opened.html", "a host that declares its plugins", "what was opened for nothing has its advice")
    tap.ok("dlazy run" not in browser.run("return document.body.innerText"), "and none that would not help")
    says("killed.html", "not told apart", "of a program without exit() the bar has all of its time")
    says("killed.html", "dlazy run is of no use here: 96 % is the program's own work", "why not to use run is told")
    says("runs.html", "Two runs of one program", "two runs of one program are compared")
    says("runs.html", "Difference by object", "object by object")
    says("runs.html", "after.json", "with the files' names")
    browser.click("#files button:nth-child(2)")
    seen = browser.run("return document.body.innerText")
    tap.ok("which can save up to 4.00 ms" in seen, "what run can save is told", seen)
    says("command.html", "No sure difference: plain takes 0.90 to 1.20 times as long as dlazy run",
         "a ratio in the noise is none")
    says("bench.html", "Lazy is 198 times as fast", "a sure one is told")
    says("ledger.html", "17.4 ms saved", "a ledger tells what was saved")
    says("ledger.html", "of 2 it was never measured", "and of how many that is not known")
    says("ledger.html", "3 of 43 modules were loaded", "and what it is part of")
    browser.look(PHONE)
    browser.open("ledger.html")
    tap.none(browser.run(BEYOND), "on a phone the tables' hints are read without scrolling")
    browser.look(DESK)
    browser.open("several.html")
    browser.click("#files button:nth-child(4)")
    tap.same(browser.run("return document.querySelector('main h2').textContent"), "/usr/lib/frei0r-1",
             "each file has its view")
    tap.ok("Compared" in browser.run("return document.body.innerText"), "traces are compared")


def main(pages):
    tap = Tap()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not without the browser
    profile = tempfile.mkdtemp(prefix="dlazy-chromium.")
    try:
        look(pages, tap, profile)
    finally:
        shutil.rmtree(profile, ignore_errors=True)
    print(f"1..{tap.count}")
    return tap.failed > 0


def look(pages, tap, profile):
    browser = Browser(profile)
    try:
        for page in pages:
            check_page(browser, tap, page)
        check_table(browser, tap)
        check_speed(browser, tap)
        check_keyboard(browser, tap)
        check_words(browser, tap)
        tap.none(browser.console(), "and all the while the console stayed quiet")
    finally:
        browser.close()


sys.exit(main(sys.argv[1:]))
