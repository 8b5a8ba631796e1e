/* SPDX-License-Identifier: MIT
 *
 * The page of dlazy report: draws each measurement that stands in #data, an
 * array of {file, data}; data are as doc/trace-format.md has them. All that
 * comes from there is untrusted: it reaches the document as text alone, never
 * as markup, and may have any type. There is no animation.
 */
"use strict";
(() => {

/* ---------------------------------------------------------------- reading */

const list = (v) => Array.isArray(v) ? v.filter((o) => o && typeof o === "object") : [];
const words = (v) => Array.isArray(v) ? v.map(String) : [];
const object = (v) => v && typeof v === "object" && !Array.isArray(v) ? v : {};
const number = (v) => typeof v === "number" && isFinite(v) ? v : null;
const text = (v) => typeof v === "string" ? v : null;
const reason = (o, key) =>
	number(o[key]) === null ? text(object(o.unknown)[key]) || "not measured" : null;
const isKnown = (v) => v !== null;
const sum = (values) => values.reduce((a, v) => a + (v || 0), 0);

/* Characters that cannot be seen, or turn the writing around, are spelt out. */
const show = (s) => String(s).replace(
	/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
	(c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
const base = (path) => show(path.replace(/^.*\/(?=.)/s, "")).replace(/^\s*$/, "“$&”");
const name = (o) => base(text(o.path) || text(o.name) || "?");

/* ---------------------------------------------------------------- figures */

const digits = (v, d) => v.toLocaleString("en", {minimumFractionDigits: d, maximumFractionDigits: d});
const three = (v) => v === 0 ? "0" : Math.abs(v) >= 1e12 ? v.toExponential(2) :
	digits(v, Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? 1 : 2);
const plain = (v) => Number.isInteger(v) && Math.abs(v) < 1e12 ? digits(v, 0) : three(v);
const time = (us) => us >= 1e6 ? three(us / 1e6) + " s" :
	us >= 1e3 ? three(us / 1e3) + " ms" : three(us) + " µs";
const size = (kib) => kib >= 1024 ? three(kib / 1024) + " MiB" : plain(kib) + " KiB";
const count = (n, one, many = one + "s") => `${digits(n, 0)} ${n === 1 ? one : many}`;
const percent = (part, whole) => whole > 0 ? `${plain(Math.round(1000 * part / whole) / 10)} %` : "0 %";
const or = (v, format) => v === null ? "not known" : format(v);

/* ---------------------------------------------------------------- drawing */

/* An element: attributes, on* as listeners, style as properties. */
function h(tag, attributes, ...children) {
	const svg = /^(svg|polyline|polygon|line)$/.test(tag);
	const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
	for (const [key, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			e.addEventListener(key.slice(2), value);
		else if (key === "style")
			Object.assign(e.style, value);
		else
			e.setAttribute(key, value === true ? "" : value);
	}
	e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined));
	return e;
}

const code = (s, attributes) => h("bdi", {class: "name", ...attributes}, show(s));
const unknown = (why) => h("span", {class: "unknown", title: show(why)}, "not known");

function figure(title, caption, ...children) {
	const id = `f${++figure.count}`;
	return h("figure", {role: "group", "aria-labelledby": id},
		h("h3", {id}, title), h("figcaption", null, caption), children);
}
figure.count = 0;

/* tiles([[name, value, remark], ...]) */
const tiles = (rows) => h("dl", {class: "tiles"}, rows.map(([key, value, remark]) =>
	h("div", null, h("dt", null, key), h("dd", null, value, remark ? h("small", null, remark) : null))));

/* One bar in parts of [class, name, value]; the legend is its text. */
function stack(parts, format) {
	const known = parts.filter((p) => p[2] !== null);
	const whole = sum(known.map((p) => p[2]));
	return [
		h("div", {class: "stack", "aria-hidden": "true"}, known.map(([kind, , v]) =>
			h("i", {class: kind, style: {width: `${100 * v / (whole || 1)}%`}}))),
		h("ul", {class: "legend"}, parts.map(([kind, label, v, why]) => h("li", null,
			h("span", {class: `swatch ${kind}`, "aria-hidden": "true"}), label, " ",
			v === null ? unknown(why) : h("b", null, format(v)),
			v === null ? h("span", {class: "soft small"}, show(why)) : null))),
	];
}

const legend = (entries) => h("ul", {class: "legend"}, entries.map(([kind, label]) =>
	h("li", null, h("span", {class: `swatch ${kind}`, "aria-hidden": "true"}), label)));

/* Bars under one scale: [{label, title, parts: [[class, from, to]], value}] */
function bars(rows, most) {
	const at = (v) => `${Math.min(100, Math.max(0, 100 * v / (most || 1)))}%`;
	return h("ul", {class: "rows"}, rows.map((r) => h("li", null,
		h("span", {class: "label", title: r.title}, r.label),
		h("span", {class: "track", "aria-hidden": "true"}, r.parts.map(([kind, from, to]) =>
			h("i", {class: kind, style: {left: at(from), width: `calc(${at(to)} - ${at(from)})`}}))),
		h("span", {class: "value"}, r.value))));
}

const ranked = (items, value, n) => items.filter((o) => value(o) > 0)
	.sort((a, b) => value(b) - value(a)).slice(0, n);

/* ---------------------------------------------------------------- table */

/*
 * A table that sorts by its heads, filters by a text, and opens a row to all
 * that is known of it. columns: {head, value(o) (number, string or null),
 * show(o) (a node, if not the value), text: not a number}; the first names the
 * row. select: {label, all, kinds: [[name, holds(o)], ...]}.
 */
function table(title, items, columns, facts, select) {
	const rows = items.map((item, index) => row(item, index));
	const body = h("tbody");
	const status = h("p", {role: "status", class: "soft small"});
	const filter = h("input", {type: "search", autocomplete: "off", spellcheck: "false", oninput: narrow});
	const kind = select ? h("select", {onchange: narrow}, h("option", {value: "-1"}, select.all),
		select.kinds.map(([label], i) => h("option", {value: i}, label))) : null;
	const heads = columns.map((c, i) => h("th", {scope: "col", class: c.text ? null : "number"},
		h("button", {type: "button", onclick: () => order(i)}, c.head)));
	let by = -1, down = false;

	function row(item, index) {
		const head = h("button", {type: "button", "aria-expanded": "false", onclick: open}, columns[0].show(item));
		const tr = h("tr", null, h("th", {scope: "row"}, head), columns.slice(1).map((c) => {
			const v = c.value(item);
			return h("td", {class: c.text ? "name" : "number"},
				c.show ? c.show(item) : v === null ? unknown(c.why(item)) : c.text ? show(v) : plain(v));
		}));
		const search = ["path", "name", "by", "symbol"].map((k) => text(item[k]) || "").join("\n").toLowerCase();
		let more = null;

		function open() {
			more = more || h("tr", {class: "more"}, h("td", {colspan: columns.length},
				h("div", {class: "inner"}, facts(item))));
			const opened = head.getAttribute("aria-expanded") !== "true";
			head.setAttribute("aria-expanded", opened);
			if (opened)
				tr.after(more);
			else
				more.remove();
		}
		return {item, index, tr, search, more: () => more && more.isConnected ? more : null, shown: true};
	}

	/* What is not known stays last, whichever way it goes. */
	function compare(a, b) {
		const x = columns[by].value(a.item), y = columns[by].value(b.item);
		if (x === null || y === null)
			return (x === null) - (y === null) || a.index - b.index;
		const less = typeof x === "number" && typeof y === "number" ? x - y :
			String(x) < String(y) ? -1 : String(x) > String(y) ? 1 : 0;
		return (down ? -less : less) || a.index - b.index;
	}

	function order(i) {
		down = by === i ? !down : !columns[i].text && !columns[i].up;
		by = i;
		heads.forEach((th, k) => k === i ? th.setAttribute("aria-sort", down ? "descending" : "ascending") :
			th.removeAttribute("aria-sort"));
		rows.sort(compare);
		place();
	}

	function place() {
		body.replaceChildren(...rows.filter((r) => r.shown).flatMap((r) => r.more() ? [r.tr, r.more()] : [r.tr]));
	}

	function narrow() {
		const wanted = filter.value.trim().toLowerCase();
		const holds = kind && kind.value >= 0 ? select.kinds[kind.value][1] : () => true;
		for (const r of rows)
			r.shown = r.search.includes(wanted) && holds(r.item);
		place();
		tell();
	}

	function tell() {
		status.textContent = `${digits(rows.filter((r) => r.shown).length, 0)} of ${count(rows.length, "row")} shown`;
	}

	/* Fixed: a column does not jump when rows go, and 500 are laid out soon. */
	const width = (c) => c.wide || (c.text ? 12 : 6);
	const start = columns.findIndex((c) => c.start);
	order(start < 0 ? 0 : start);
	tell();
	return h("section", {"aria-label": title}, h("h3", null, title),
		h("div", {class: "controls"}, h("label", null, "Filter ", filter),
			kind ? h("label", null, select.label + " ", kind) : null),
		h("div", {class: "scroll", role: "region", tabindex: "0", "aria-label": `${title}, scrolls`},
			h("table", {style: {width: `${sum(columns.map(width))}rem`}},
				h("colgroup", null, columns.map((c) => h("col", {style: {width: `${width(c)}rem`}}))), h("caption", null,
					h("span", {class: "hint"}, "Sort by the heads; open a row by its name.")),
				h("thead", null, h("tr", null, heads)), body)),
		status);
}

const facts = (pairs) => h("dl", {class: "facts"}, pairs.filter((p) => p).flatMap(([key, ...values]) =>
	[h("dt", null, key), h("dd", null, values)]));

/* key: value, or "not known" with the reason in words */
const fact = (o, key, label, format) => [label, number(o[key]) === null ?
	[unknown(reason(o, key)), `: ${show(reason(o, key))}`] : format(o[key])];

/* ---------------------------------------------------------------- icicle */

/*
 * Who pulled in whom: a node for each object, below who needs it, as wide as
 * what it and all below it cost. Only what can be seen is drawn. One node is in
 * the tab order; arrows go to kin, Enter makes a node the widest, Escape goes
 * back.
 */
const LEAST = 0.0025;

function tree(objects, cost) {
	const nodes = new Map();
	const all = objects.map((o) => ({o, own: cost(o), children: [], parent: null}));
	for (const n of all)
		if (!nodes.has(n.o.path))
			nodes.set(n.o.path, n);
	for (const n of all) {
		const parent = nodes.get(n.o.by);
		let up = parent;
		while (up && up !== n)
			up = up.parent;
		if (parent && !up) { /* no cycle */
			n.parent = parent;
			parent.children.push(n);
		}
	}
	let tops = all.filter((n) => !n.parent);
	if (tops.length > 1) {
		const root = {o: {path: "all"}, own: null, children: tops, parent: null, isAll: true};
		for (const n of tops)
			n.parent = root;
		tops = [root];
	}
	/* Children before parents, without recursion: a chain may be long. */
	const line = [...tops];
	for (let i = 0; i < line.length; i++)
		line.push(...line[i].children);
	for (const n of line.reverse()) {
		const parts = [n.own, ...n.children.map((c) => c.total)].filter(isKnown);
		n.total = parts.length ? sum(parts) : null;
		n.children.sort((a, b) => b.total - a.total);
	}
	return tops[0];
}

const USE = {
	called: "called: a call of it was seen",
	bound: "bound: symbols are bound, calls were not seen",
	none: "none: nothing bound to it",
	idle: "did nothing since main began",
};
const useOf = (o) => o.did_nothing === true ? "idle" : ["called", "bound"].includes(o.used) ? o.used : "none";

function icicle(objects) {
	const measures = [
		["Time", "map, relocate and constructors", costOf, time],
		["Memory", "private pages", (o) => number(o.private_kib), size],
		["Relocations", "of every kind", relocationsOf, (v) => count(v, "relocation")],
		["Objects", "their number", () => 1, (v) => count(v, "object")],
	];
	const chart = h("div", {class: "icicle", role: "tree", "aria-label": "Who pulled in whom", onkeydown: key});
	const about = h("p", {class: "about", "aria-live": "polite"});
	const buttons = measures.map(([label], i) => h("button", {type: "button", onclick: () => measure(i)}, label));
	let top, format, drawn, at;

	function measure(i) {
		buttons.forEach((b, k) => b.setAttribute("aria-pressed", k === i));
		format = measures[i][3];
		const path = top ? top.o.path : null;
		top = tree(objects, measures[i][2]);
		const line = top ? [top] : [];
		for (let k = 0; path && k < line.length; k++) {
			if (line[k].o.path === path)
				top = line[k];
			line.push(...line[k].children);
		}
		draw(top);
	}

	function describe(n) {
		const o = n.o;
		about.replaceChildren(h("strong", {class: "name"}, n.isAll ? "All" : name(o)),
			n.total === null ? " What it cost is not known. " : n.own === null ?
				` ${format(n.total)} of what it pulled in; of its own, not known. ` :
				` ${format(n.own)} of its own, ${format(n.total)} with what it pulled in. `,
			n.isAll ? "" : text(o.by) ? `${o.why === "dlopen" ? "Opened" : "Needed"} by ${base(o.by)}. ` : "",
			n.isAll ? "" : `Use: ${USE[useOf(o)]}.`);
	}

	function block(n, left, width, depth, above) {
		const e = h("div", {
			role: "treeitem", tabindex: "-1", class: `${n.isAll ? "none" : useOf(n.o)}${width < 0.02 ? " thin" : ""}`,
			"aria-level": depth + 1, "aria-expanded": n.children.length ? "true" : null,
			"aria-label": `${n.isAll ? "all" : name(n.o)}, ${or(n.total, format)}, ${n.isAll ? "" : USE[useOf(n.o)]}`,
			style: {left: `${100 * left}%`, width: `${100 * width}%`, top: `${1.75 * depth}rem`},
			onclick: () => { draw(above && n.parent ? n : n === top && n.parent ? n.parent : n); focus(); },
			onmouseenter: () => describe(n), onmouseleave: () => at && describe(at), onfocus: () => go(n),
		}, n.isAll ? "all" : name(n.o));
		drawn.set(n, e);
		chart.append(e);
	}

	function draw(node) {
		top = node;
		drawn = new Map();
		chart.replaceChildren();
		if (!top)
			return;
		const line = [];
		for (let n = top.parent; n; n = n.parent)
			line.unshift(n);
		line.forEach((n, depth) => block(n, 0, 1, depth, true));
		let deepest = line.length, hidden = 0;
		const queue = [[top, 0, 1, line.length]];
		while (queue.length) {
			const [n, left, width, depth] = queue.pop();
			if (width < LEAST) {
				hidden++;
				continue;
			}
			block(n, left, width, depth, false);
			deepest = Math.max(deepest, depth);
			let x = left;
			for (const c of n.children) {
				const w = top.total > 0 ? (c.total || 0) / top.total : 0;
				queue.push([c, x, w, depth + 1]);
				x += w;
			}
		}
		chart.style.height = `${1.75 * (deepest + 1)}rem`;
		note.textContent = hidden ? `${count(hidden, "branch", "branches")} too small to draw: make a part of it wider, or see the table.` : "";
		go(top);
	}

	function go(n) {
		if (at && drawn.has(at))
			drawn.get(at).tabIndex = -1;
		at = n;
		drawn.get(n).tabIndex = 0;
		describe(n);
	}
	const focus = () => drawn.get(at).focus();

	function key(event) {
		const kin = at.parent ? at.parent.children.filter((n) => drawn.has(n)) : [at];
		const next = {
			ArrowDown: at.children.find((n) => drawn.has(n)), ArrowUp: at.parent,
			ArrowRight: kin[kin.indexOf(at) + 1], ArrowLeft: kin[kin.indexOf(at) - 1],
			Home: [...drawn.keys()][0], End: kin[kin.length - 1],
		};
		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.key in next) {
			if (next[event.key])
				go(next[event.key]);
		} else if (event.key === "Enter" || event.key === " ") {
			draw(at);
		} else if (event.key === "Escape" && top.parent) {
			draw(top.parent);
		} else {
			return;
		}
		event.preventDefault();
		focus();
	}

	const note = h("p", {class: "soft small"});
	measure(0);
	return figure("Who pulled in whom",
		"Each object stands below the one that needs or opens it, as wide as what it and all it pulled in cost. " +
		"Click, or arrow keys and Enter, to make one the widest; Escape to go back.",
		h("div", {class: "controls"}, h("div", {class: "choice", role: "group", "aria-label": "Width is"}, buttons)),
		chart, about, legend(Object.entries(USE)), note);
}

/* ---------------------------------------------------------------- a trace */

const COSTS = ["map_us", "relocate_us", "init_us"];
const costOf = (o) => COSTS.some((k) => number(o[k]) !== null) ? sum(COSTS.map((k) => number(o[k]))) : null;
const relocationsOf = (o) => sum(["relative", "symbolic", "calls"].map((k) => number(object(o.relocations)[k])));
const sumOf = (objects, value) => objects.map(value).some(isKnown) ? sum(objects.map(value)) : null;
const isPartial = (o) => COSTS.some((k) => number(o[k]) === null);

/* From start to end without the tracer's own time; null: not known. */
const wallOf = (t) => number(t.wall_us) === null ? null : Math.max(0, t.wall_us - (number(object(t.tracer).us) || 0));

const PHASES = [["exec", "exec, until ld.so", "exec_us"], ["map", "linker: mapping", "map_us"],
	["relocate", "linker: relocating", "relocate_us"], ["init", "constructors", "constructors_us"],
	["program", "the program itself", "program_us"], ["exit", "exit", "exit_us"]];

/* What is left of the whole where a part of it is not known, as of a program
 * that does not end by exit(). */
function restOf(t) {
	const known = PHASES.map(([, , key]) => number(t[key]));
	const rest = (wallOf(t) || 0) - sum(known);
	return known.some((v) => v === null) && rest > 0 ? rest : 0;
}

/* As long as what is told of it first. */
const totalOf = (t) => wallOf(t) === null ? sum(PHASES.map(([, , key]) => number(t[key]))) : wallOf(t);

function phases(t) {
	const parts = PHASES.map(([kind, label, key]) => [kind, label, number(t[key]), reason(t, key)]);
	if (restOf(t) > 0)
		parts.push(["none", "not told apart", restOf(t)]);
	return figure("Where the time went", `From execve to the end of the process; the tracer's own ${
		or(number(object(t.tracer).us), time)} are taken out.`, stack(parts, time));
}

const LOADS_MOST = 40;

/* loads in the order of time, the costliest if there are too many */
function timeline(t) {
	const objects = list(t.objects).filter((o) => number(o.at_us) !== null).sort((a, b) => a.at_us - b.at_us);
	const length = (l) => sum(COSTS.map((k) => number(l[k])));
	const known = list(t.loads).filter((l) => number(l.at_us) !== null);
	const loads = known.slice().sort((a, b) => length(b) - length(a)).slice(0, LOADS_MOST).sort((a, b) => a.at_us - b.at_us);
	const end = Math.max(1, ...loads.map((l) => l.at_us + length(l)), ...objects.map((o) => o.at_us),
		(number(t.wall_us) || 0) - (number(object(t.tracer).us) || 0));
	if (!loads.length && !objects.length)
		return figure("Timeline", "When what was loaded is not known.");
	const rows = loads.map((l) => {
		let from = l.at_us;
		const label = text(l.requested) ? base(l.requested) : "the start";
		return {
			label: code(label), value: time(length(l)),
			title: `${label}: ${count(number(l.objects) || 0, "object")}, at ${time(l.at_us)}${text(l.by) ? `, by ${base(l.by)}` : ""}`,
			parts: COSTS.filter((k) => number(l[k]) !== null).map((k) => [k.replace("_us", ""), from, from += l[k]]),
		};
	});
	const points = objects.map((o, i) => `${100 * o.at_us / end},${40 - 38 * (i + 1) / objects.length}`);
	const step = points.flatMap((p, i) => i ? [`${p.split(",")[0]},${points[i - 1].split(",")[1]}`, p] : [`${p.split(",")[0]},40`, p]);
	if (step.length)
		step.push(`100,${points[points.length - 1].split(",")[1]}`);
	const half = objects.length ? objects[objects.length >> 1].at_us : 0;
	const curve = objects.length ? h("li", null, h("span", {class: "label"}, "objects mapped"),
		h("svg", {class: "curve", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label":
			`How many objects were mapped when: half of them after ${time(half)}, the last after ${time(objects[objects.length - 1].at_us)}`},
		h("polygon", {points: ["0,40", ...step, "100,40"].join(" ")}), h("polyline", {points: ["0,40", ...step].join(" ")})),
		h("span", {class: "value"}, digits(objects.length, 0))) : null;
	const chart = bars(rows, end);
	if (curve)
		chart.append(curve);
	return figure("Timeline", known.length !== 1 ? `The start, then each dlopen that brought objects; from execve on.${
		known.length > loads.length ? ` The ${loads.length} longest of ${known.length}.` : ""}` :
		"From execve to the end of the process. Everything was loaded at the start.",
		chart, h("div", {class: "axis", "aria-hidden": "true"}, h("div", null,
			[0, 0.5, 1].map((f) => h("span", null, f ? time(f * end) : "0")))),
		legend([["map", "mapping"], ["relocate", "relocating"], ["init", "constructors"]]));
}

function memory(objects, byUse = true) {
	const kib = (o) => number(o.private_kib);
	const known = objects.filter((o) => kib(o) !== null);
	const codes = objects.filter((o) => number(o.text_kib) !== null && number(o.touched_kib) !== null);
	const of = (use) => sum(known.filter((o) => useOf(o) === use).map(kib));
	const top = ranked(known, kib, 12);
	const parts = Object.keys(USE).map((u) => [u, USE[u].split(":")[0], of(u)]);
	const rest = objects.length - known.length;
	const whys = [...new Set(objects.filter((o) => kib(o) === null).map((o) => reason(o, "private_kib")))];
	return figure("Memory", `Private pages of each object${byUse ? ", by its use" : ""}.${rest ?
		` Of ${count(rest, "object")} they are not known: ${show(whys.slice(0, 3).join("; or "))}.` : ""}`,
		known.length && byUse ? stack(parts, size) : null,
		known.length && byUse ? h("h4", null, "The largest") : null,
		bars(top.map((o) => ({label: code(name(o)), title: show(o.path), value: size(kib(o)),
			parts: [[useOf(o), 0, kib(o)]]})), top.length ? kib(top[0]) : 1),
		codes.length ? h("p", null, `Of ${size(sum(codes.map((o) => o.text_kib)))} of code that was mapped, ${
			size(sum(codes.map((o) => o.touched_kib)))} were touched since main began.`) : null);
}

function useCell(o) {
	const use = useOf(o);
	return h("span", {class: `pill ${use}`}, use === "idle" ? "did nothing" : use);
}

function traceTable(objects) {
	const column = (head, key) => ({head, value: (o) => number(o[key]), why: (o) => reason(o, key)});
	return table("Objects", objects, [
		{head: "Object", text: true, wide: 14, value: name, show: name},
		{head: "Used", text: true, wide: 7, value: useOf, show: useCell},
		{head: "Needed by", text: true, value: (o) => text(o.by) ? base(o.by) : "",
			show: (o) => text(o.by) ? h("bdi", {title: show(o.by)}, (o.why === "dlopen" ? "› " : "") + base(o.by)) : show(o.why || "")},
		{head: "Cost µs", value: costOf, start: true, why: () => "none of its parts is",
			show: (o) => costOf(o) === null ? unknown("none of its parts is known") :
				h("span", null, isPartial(o) ? h("span", {title: "at least: a part is not known"}, "≥ ") : "", plain(costOf(o)))},
		column("Map µs", "map_us"), column("Relocate µs", "relocate_us"), column("Init µs", "init_us"),
		column("Private KiB", "private_kib"), column("Code KiB", "text_kib"), column("Touched KiB", "touched_kib"),
		{head: "Relocations", wide: 7, value: relocationsOf},
		column("Symbols", "symbols_bound"),
		{...column("At µs", "at_us"), up: true},
	], (o) => facts([
		["File", code(text(o.path) || "?")],
		["Why", show(o.why || "?"), text(o.by) ? [" by ", code(o.by)] : "", text(o.requested) ? [" as ", code(o.requested)] : ""],
		fact(o, "at_us", "Mapped at", time), fact(o, "map_us", "Map", time),
		fact(o, "relocate_us", "Relocate", time), fact(o, "init_us", "Constructors", time),
		fact(o, "private_kib", "Private pages", size), fact(o, "text_kib", "Code", size),
		fact(o, "touched_kib", "Code touched", size),
		["Relocations", `${count(number(object(o.relocations).relative) || 0, "relative", "relative")}, ${
			digits(number(object(o.relocations).symbolic) || 0, 0)} symbolic, ${digits(number(object(o.relocations).calls) || 0, 0)} calls`],
		["Use", USE[useOf(o)]],
		list(o.bound_by).length ? ["Bound by", list(o.bound_by).flatMap((b, i) => [i ? ", " : "", code(name(b)),
			` (${count(number(b.symbols) || 0, "symbol")}${number(b.called) ? `, ${digits(b.called, 0)} called` : ""})`])] : null,
	]), {label: "Used", all: "all", kinds: [
		["did nothing", (o) => useOf(o) === "idle"], ["called", (o) => useOf(o) === "called"],
		["bound", (o) => useOf(o) === "bound"], ["none", (o) => useOf(o) === "none"],
		["opened by dlopen", (o) => o.why === "dlopen"],
	]});
}

function ending(t) {
	if (number(t.signal) !== null)
		return `It was ended by signal ${t.signal}; this is what was seen until then.`;
	return number(t.status) ? `It exited with status ${t.status}.` : null;
}

/* As a shell takes it for one word. */
const quote = (s) => /^[\w@%+=:,.\/-]+$/.test(s) ? s : `'${show(s).replaceAll("'", "'\\''")}'`;
const command = (t) => words(t.command).map(show).join(" ") || "a program";

/* What dlazy run would do with it, where the trace tells. */
function advice(t) {
	const a = object(t.advice), saving = number(a.saving_us);
	if (a.run === true)
		return h("p", null, `To load libraries only when they are called${saving === null ? "" :
			`, which can save up to ${time(saving)}${wallOf(t) ? ` (${percent(saving, wallOf(t))})` : ""}`}: `,
			code(`dlazy run -- ${words(t.command).map(quote).join(" ")}`));
	return text(a.why) ? h("p", null, `dlazy run is of no use here: ${show(a.why)}.`) : null;
}

function trace(t) {
	const objects = list(t.objects).filter((o) => text(o.path) !== null);
	const libraries = objects.filter((o) => o.why !== "exe" && !/^ld(-linux.*|64|-[\d.]+)?\.so/.test(name(o)));
	const idle = libraries.filter((o) => o.did_nothing === true);
	const wall = wallOf(t);
	const saved = sumOf(idle, costOf), kib = (o) => number(o.private_kib);
	const total = sum(objects.map(relocationsOf));
	const lost = Object.entries(object(t.lost)).filter(([, n]) => number(n) > 0);
	const linker = number(t.linker_us);
	return [
		h("h2", null, code(command(t))),
		h("p", {class: "lead"}, `${count(libraries.length, "library was", "libraries were")} loaded. `, idle.length ?
			h("strong", null, `${digits(idle.length, 0)} of them did nothing since main began`) : "None is known to have done nothing.",
			idle.length ? `: ${saved === null ? "" : `${idle.some(isPartial) ? "at least " : ""}${time(saved)} and `}${
				percent(sum(idle.map(relocationsOf)), total)} of all relocations, for nothing.` : ""),
		advice(t),
		idle.some((o) => o.load !== 0) ? h("p", null, `${digits(idle.filter((o) => o.load !== 0).length, 0)} of them came by dlopen: ` +
			"a host that declares its plugins with libdlazy loads those that it uses.") : null,
		ending(t) ? h("p", {class: "warn"}, ending(t)) : null,
		lost.length ? h("p", {class: "warn"}, `Did not fit into the trace: ${lost.map(([k, n]) => `${digits(n, 0)} ${show(k)}`).join(", ")}.`) : null,
		tiles([
			["Start to end", wall === null ? unknown(reason(t, "wall_us")) : time(wall), "without the tracer's own"],
			["In the dynamic linker", linker === null ? unknown(reason(t, "linker_us")) : time(linker),
				linker !== null && wall ? percent(linker, wall) : linker === null ? show(reason(t, "linker_us")) : null],
			["Libraries", digits(libraries.length, 0), `${digits(objects.filter((o) => o.why === "dlopen").length, 0)} by dlopen`],
			["Did nothing", digits(idle.length, 0), percent(idle.length, libraries.length)],
			["Private memory", sumOf(objects, kib) === null ? unknown(reason(objects[0] || {}, "private_kib")) : size(sumOf(objects, kib)),
				sumOf(idle, kib) === null ? null : `${size(sumOf(idle, kib))} of what did nothing`],
		]),
		phases(t), timeline(t), icicle(objects), traceTable(objects), memory(objects),
	];
}

/* ---------------------------------------------------------------- a bench */

/* [class, key, name, name if a command was measured by "run", by "env"] */
const WAYS = [["exit", "empty", "empty process"], ["relocate", "eager", "eager", "plain", "DLAZY=off"],
	["program", "lazy", "lazy", "dlazy run", "DLAZY=lazy"], ["map", "all_touched", "lazy, all touched"]];
const wayName = (b, w) => (b.by === "run" ? w[3] : b.by === "env" ? w[4] : null) || w[2];

function sideValue(side, key) {
	const v = object(side)[key];
	return number(v) !== null ? {median: v} : {median: number(object(v).median), min: number(object(v).min), max: number(object(v).max)};
}

function benchBars(b, key, title, caption, format) {
	const sides = WAYS.filter((w) => b[w[1]]).map((w) => ({kind: w[0], label: wayName(b, w), v: sideValue(b[w[1]], key), side: object(b[w[1]])}));
	if (!sides.some((s) => s.v.median !== null))
		return null;
	const most = Math.max(1e-9, ...sides.map((s) => Math.max(s.v.median || 0, s.v.max || 0)));
	return figure(title, caption, bars(sides.map(({kind, label, v, side}) => ({
		label, title: v.min !== undefined && v.min !== null ? `${format(v.min)} to ${format(v.max)}` : null,
		value: v.median === null ? unknown(reason(side, key)) : format(v.median),
		parts: v.median === null ? [] : [[kind, 0, v.median], ...(number(v.min) !== null ? [["spread", v.min, v.max]] : [])],
	})), most));
}

function bench(b) {
	const speed = number(b.speedup);
	const [low, high] = Array.isArray(b.speedup_interval) ? b.speedup_interval.map(number) : [null, null];
	const few = speed === null && (low > 1 || (high !== null && high < 1));
	const failed = number(object(b.lazy).failed) > 0;
	const doubt = failed ? "what was to be touched could not be loaded" : few ? "too few rounds for an interval" : "the noise swallows it";
	const interval = low !== null && high !== null ? `${plain(low)} to ${plain(high)}` : "not known";
	const plainly = wayName(b, WAYS[1]), lazily = b.by ? wayName(b, WAYS[2]) : "Lazy";
	const takes = `${plainly} takes ${interval} times ${b.by ? `as long as ${lazily}` : "lazy's time"}`;
	const eager = sideValue(b.eager, "wall_us").median, lazy = sideValue(b.lazy, "wall_us").median;
	const title = text(b.subject) || words(b.command).join(" ") || "A bench";
	return [
		h("h2", null, code(title)),
		h("p", {class: "lead"}, speed === null ?
			failed ? `Nothing to compare: ${doubt}.` : `${few ? "In each of these few rounds" : "No sure difference:"} ${takes}.` :
			[h("strong", null, speed >= 1 ? `${lazily} is ${plain(speed)} times as fast` : `${lazily} is ${plain(1 / speed)} times slower`),
				` (95 % sure: ${takes}).`]),
		tiles([
			[wayName(b, WAYS[1]), or(eager, time), "eager, median"], [wayName(b, WAYS[2]), or(lazy, time), "lazy, median"],
			["Ratio", speed === null ? unknown(doubt) : `${plain(speed)} ×`, speed === null ? doubt : `95 %: ${interval}`],
			number(b.declared) !== null ? ["Plugins", digits(b.declared, 0), `${digits(number(b.touched) || 0, 0)} touched${
				words(b.touched_names).length ? `: ${words(b.touched_names).slice(0, 3).map(show).join(", ")}` : ""}`] : null,
			["Rounds", or(number(b.runs), (n) => digits(n, 0)), b.cold === true ? "of fresh processes, with an empty page cache" : "of fresh processes"],
		].filter((x) => x)),
		benchBars(b, "wall_us", b.by ? "From fork to the end" : "Start-up, wall clock", "Median; the thin line goes from the fastest round to the slowest.", time),
		benchBars(b, "cpu_us", "CPU", "Median of user and system time.", time),
		benchBars(b, "pss_kib", "Memory", "Proportional set size, median.", size),
		benchBars(b, "maps", "Mappings", "Entries in the process's memory map, median.", plain),
		benchBars(b, "faults", "Page faults", "Median.", plain),
	];
}

/* ---------------------------------------------------------------- a ledger */

function ledger(l) {
	const loads = list(l.objects), rest = list(l.untouched);
	const column = (head, key) => ({head, value: (o) => number(o[key]), why: (o) => reason(o, key)});
	const shown = ranked(loads, (o) => number(o.load_us), LOADS_MOST).sort((a, b) => number(a.at_us) - number(b.at_us));
	const end = Math.max(1, ...shown.map((o) => (number(o.at_us) || 0) + number(o.load_us)));
	const saved = number(l.saved_us);
	const costly = ranked(rest, (o) => number(o.recorded_us), 15);
	const isFailed = (o) => text(o.error) !== null;
	return [
		h("h2", null, code(command(l))),
		h("p", {class: "lead"}, h("strong", null, `${digits(number(l.touched) || 0, 0)} of ${
			count((number(l.touched) || 0) + rest.length, "module was", "modules were")} loaded`), `, in ${or(number(l.spent_us), time)}. `,
			rest.length ? `${digits(rest.length, 0)} were never touched: ${saved === null ? "what they would have cost is not known" : `${time(saved)} saved`}${
				number(l.saved_unknown) ? ` (of ${digits(l.saved_unknown, 0)} it was never measured)` : ""}.` : ""),
		number(l.failed) ? h("p", {class: "warn"}, `${count(l.failed, "load")} failed.`) : null,
		number(l.lost) ? h("p", {class: "warn"}, `${count(l.lost, "load")} did not fit into the ledger.`) : null,
		tiles([
			["Mode", show(text(l.mode) || "not known"), "DLAZY"],
			["Spent", or(number(l.spent_us), time), "loading"],
			["Saved", saved === null ? unknown(reason(l, "saved_us")) : time(saved), saved === null ? show(reason(l, "saved_us")) : "not loading"],
			["Loaded", or(number(l.touched), plain), number(l.failed) ? `and ${digits(l.failed, 0)} failed` : null], ["Untouched", digits(rest.length, 0)],
		]),
		shown.length ? figure("Timeline", `Loads since the library's first use${loads.length > shown.length ? `; the ${shown.length} longest of ${loads.length}` : ""}.`,
			bars(shown.map((o) => ({label: code(name(o)), title: `at ${time(number(o.at_us) || 0)}`, value: time(o.load_us),
				parts: [["relocate", number(o.at_us) || 0, (number(o.at_us) || 0) + o.load_us]]})), end),
			h("div", {class: "axis", "aria-hidden": "true"}, h("div", null, [0, 0.5, 1].map((f) => h("span", null, f ? time(f * end) : "0"))))) : null,
		loads.length ? table("Loads", loads, [
			{head: "Module", text: true, value: name, show: name},
			{head: "Touched", text: true, value: (o) => text(o.symbol) || "", show: (o) => text(o.symbol) ? code(o.symbol) : "as such"},
			{head: "By", text: true, value: (o) => text(o.by) ? base(o.by) : null, why: (o) => text(object(o.unknown).by) || "not told"},
			column("Load µs", "load_us"), {...column("At µs", "at_us"), start: true, up: true}, column("Private KiB", "private_kib"),
			{head: "Result", text: true, wide: 7, value: (o) => isFailed(o) ? "failed" : "loaded",
				show: (o) => h("span", {class: `pill ${isFailed(o) ? "idle" : "called"}`}, isFailed(o) ? "failed" : "loaded")},
		], (o) => facts([
			["File", code(text(o.path) || "?")], text(o.symbol) ? ["Symbol", code(o.symbol)] : null,
			text(o.by) ? ["By", code(o.by)] : null, text(o.caller) ? ["Caller", code(o.caller)] : null,
			fact(o, "at_us", "At", time), fact(o, "load_us", "Load", time), fact(o, "linker_us", "In the linker", time),
			fact(o, "own_us", "Checking, binding", time), fact(o, "init_us", "Constructors", time), fact(o, "private_kib", "Private pages", size),
			isFailed(o) ? ["Error", show(o.error)] : null,
		]), {label: "Result", all: "all", kinds: [["loaded", (o) => !isFailed(o)], ["failed", isFailed]]}) : null,
		costly.length ? figure("Saved, by module", "What loading each untouched module took when it was last measured; the costliest.",
			bars(costly.map((o) => ({label: code(name(o)), title: show(text(o.path) || ""), value: time(o.recorded_us),
				parts: [["program", 0, o.recorded_us]]})), costly[0].recorded_us)) : null,
		rest.length ? table("Untouched modules", rest, [
			{head: "Module", text: true, value: name, show: name}, {...column("Recorded µs", "recorded_us"), start: true},
		], (o) => facts([["File", code(text(o.path) || "?")], fact(o, "recorded_us", "Loading took", time)])) : null,
		memory(loads.map((o) => ({...o, used: "called"})), false),
	];
}

/* ---------------------------------------------------------------- the page */

/* A trace's children are measurements, too. */
function flatten(entry) {
	const d = object(entry.data);
	return [{file: entry.file, data: d}, ...list(d.children).flatMap((c) => flatten({file: entry.file, data: c}))];
}

const main = document.getElementById("main");
const entries = list(JSON.parse(document.getElementById("data").textContent)).flatMap(flatten);
const isTrace = (d) => d.format === "dlazy-trace";
const isLedger = (d) => d.format === "dlazy-ledger";
const kindOf = (d) => isTrace(d) ? "Trace" : isLedger(d) ? "Ledger" : "Bench";

/* Traces beside each other: the same program before and after, say. */
function comparison() {
	const traces = entries.filter((e) => isTrace(e.data) && totalOf(e.data) > 0);
	if (traces.length < 2)
		return null;
	return figure("Compared", "Each program's time from start to end, on one scale.", bars(traces.map((e) => {
		let from = 0;
		return {label: [code(command(e.data)), h("small", null, " ", base(String(e.file)))], title: show(e.file), value: time(totalOf(e.data)),
			parts: [...PHASES.map(([kind, , key]) => [kind, from, from += number(e.data[key]) || 0]), ["none", from, from + restOf(e.data)]]};
	}), Math.max(...traces.map((e) => totalOf(e.data)))),
	legend([["exec", "exec"], ["map", "mapping"], ["relocate", "relocating"], ["init", "constructors"], ["program", "program"], ["exit", "exit"],
		["none", "not told apart"]]));
}

/* Two runs of one program: the first two that are. */
function twoRuns() {
	const program = (e) => text(object(list(e.data.objects).find((o) => o.why === "exe")).path);
	const traces = entries.filter((e) => isTrace(e.data) && program(e) !== null);
	const a = traces.find((e, i) => traces.some((f, k) => k > i && program(f) === program(e)));
	return a ? [a, traces.find((e) => e !== a && program(e) === program(a))] : null;
}

/* What each object cost in the one and in the other. */
function difference([a, b]) {
	const costs = (e) => new Map(list(e.data.objects).filter((o) => text(o.path) !== null).map((o) => [o.path, costOf(o)]));
	const x = costs(a), y = costs(b);
	const items = [...new Set([...x.keys(), ...y.keys()])].map((path) => {
		const was = x.has(path) ? x.get(path) : 0, is = y.has(path) ? y.get(path) : 0;
		return {path, was, is, change: was === null || is === null ? null : is - was, in: x.has(path) ? y.has(path) ? "both" : "the first" : "the second"};
	});
	const change = totalOf(b.data) - totalOf(a.data), signed = (v, f) => `${v > 0 ? "+" : v < 0 ? "−" : ""}${f(Math.abs(v))}`;
	const column = (head, key) => ({head, value: (o) => o[key], why: () => "none of its parts is known"});
	return [
		figure("Two runs of one program", [code(a.file), ", then ", code(b.file), "."], tiles([
			[code(a.file), time(totalOf(a.data)), "from start to end"], [code(b.file), time(totalOf(b.data)), "from start to end"],
			["Difference", signed(change, time), percent(Math.abs(change), totalOf(a.data))],
		])),
		table("Difference by object", items, [
			{head: "Object", text: true, wide: 14, value: name, show: name},
			column("First µs", "was"), column("Second µs", "is"),
			{...column("Difference µs", "change"), start: true, wide: 8, show: (o) => o.change === null ? unknown("not known in both") : signed(o.change, plain)},
			{head: "In", text: true, wide: 7, value: (o) => o.in},
		], (o) => facts([["File", code(o.path)], ["First", o.was === null ? "not known" : time(o.was)], ["Second", o.is === null ? "not known" : time(o.is)]])),
	];
}

function page(i) {
	const {file, data} = entries[i];
	const draw = isTrace(data) ? trace : isLedger(data) ? ledger : bench;
	main.replaceChildren(h("p", {class: "soft small"}, `${kindOf(data)} · `, code(file)), ...draw(data).filter((e) => e));
	const compared = comparison(), runs = twoRuns();
	if (compared)
		main.append(compared);
	if (runs)
		main.append(...difference(runs));
	for (const [k, b] of [...document.querySelectorAll("#files button")].entries())
		b.setAttribute("aria-current", k === i);
}

if (entries.length > 1)
	document.getElementById("files").append(...entries.map((e, i) => h("button", {type: "button",
		onclick: () => { page(i); main.focus(); }}, `${kindOf(e.data)}: `,
		h("bdi", null, show(text(e.data.subject) || command(e.data)).slice(0, 60)),
		entries.length > 1 ? h("small", null, " ", h("bdi", null, base(String(e.file)))) : null)));
if (entries.length)
	page(0);
document.title = entries.length === 1 ? `Start-up: ${show(text(entries[0].data.subject) || command(entries[0].data))}` : document.title;
})();
