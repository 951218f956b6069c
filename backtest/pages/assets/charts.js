// ---- charts: plotly's layouts come from Python as data; this resolves what only a browser knows. In them "@ink" is a colour
// of the page ("@ink/.3" thinned by transparency, "@ink*.3" mixed with paper), "#name" one of the page's arrays, and `per` a
// trace of every variant, drawn by the one selection of the page. Margins and ranges are explicit, so that x <-> date is arithmetic.
const DAY = 864e5, YEAR = 365.25 * DAY, MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const T = P.first ? [Date.parse(P.first)] : [];
for (const gap of P.gaps || []) T.push(T[T.length - 1] + gap * DAY);
const X = T.map(t => new Date(t).toISOString().slice(0, 10)), LAST = T.length - 1, FROM = P.from || 0;
const N = (P.names || []).length;
const state = { a: FROM, b: LAST, at: null, paper: false, sel: 0, kept: [], views: {} };
const thumb = matchMedia("(pointer: coarse)");              // a finger scrolls and never zooms
const element = id => document.getElementById("chart-" + id);
const isSeen = i => i === state.sel || state.kept.includes(i);
const role = i => i === state.sel ? "sel" : state.kept.includes(i) ? "kept-" + state.kept.indexOf(i) : "quiet";
const inFront = () => N ? [...state.kept.filter(i => i !== state.sel), state.sel] : [];
// Rows in view: those of the page, or of a chart that always begins at its own row.
let A = FROM, B = LAST;
const look = spec => { [A, B] = spec.begin === undefined ? [state.a, state.b] : [spec.begin, LAST]; };
const isZoomed = () => A > FROM;
const day = k => { const d = new Date(T[k]); return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`; };
const nearest = t => {
  let low = 0, high = LAST;
  while (low < high) { const mid = (low + high) >> 1; if (T[mid] < t) low = mid + 1; else high = mid; }
  return low && t - T[low - 1] < T[low] - t ? low - 1 : low;
};

// ---- colours: plotly needs hex or rgba; tokens are hex, or light-dark() of two
function token(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const [, light, night] = text.match(/^light-dark\(\s*(\S+),\s*(\S+?)\s*\)$/) || [], theme = document.documentElement.dataset.theme;
  return !light ? text : !state.paper && (theme === "dark" || !theme && dark.matches) ? night : light;
}
const parts = hex => [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16));
const mixed = (one, other, share) => {
  const [a, b] = [one, other].map(name => parts(token(name)));
  return `rgb(${a.map((x, k) => Math.round(share * x + (1 - share) * b[k])).join(",")})`;
};
function colour(text) {
  const [, name, how, share] = text.match(/^@([a-z][a-z0-9-]*)(?:([/*])([\d.]+))?$/) || [];
  return !name ? text : how === "*" ? mixed(name, "paper", +share) : how ? `rgba(${parts(token(name)).join(",")},${share})` : token(name);
}
const RAW = new Set(["x", "y", "z", "customdata"]);
function coloured(node) {
  if (typeof node === "string") return node[0] === "@" ? colour(node) : node.replace(/@@([a-z0-9-]+)/g, (_, name) => token(name));
  if (Array.isArray(node)) return typeof node[0] === "number" && node.length > 3 ? node : node.map(coloured);
  return node && typeof node === "object" ? Object.fromEntries(Object.entries(node).map(([k, v]) => [k, RAW.has(k) ? v : coloured(v)])) : node;
}
const JOINED = new Set(["data", "shapes", "annotations"]);
function merged(base, patch) {
  const out = { ...base };
  for (const [key, value] of Object.entries(patch || {})) {
    const own = out[key];
    out[key] = Array.isArray(value) ? JOINED.has(key) && own ? [...own, ...value] : value
      : value && typeof value === "object" && own && typeof own === "object" ? merged(own, value) : value;
  }
  return out;
}

// ---- series: arrays by name; a curve is coded as differences of whole 1e-4 of log growth
const decoded = new Map(), derived = new Map();
function array(name) {
  if (decoded.has(name)) return decoded.get(name);
  const own = P.arrays[name];
  let sum = 0;
  const values = Array.isArray(own) ? own : own.log.map(step => Math.exp((sum += step) / 1e4));
  return decoded.set(name, values).get(name);
}
function values(name, { over, fall } = {}) {
  const key = `${name} ${over || ""} ${fall ? 1 : 0}`;
  if (derived.has(key)) return derived.get(key);
  let v = array(name), peak = -Infinity;
  if (over) { const other = array(over); v = v.map((x, k) => x === null ? null : x / other[k]); }
  if (fall) v = v.map(x => x === null ? null : 100 * (x / (peak = Math.max(peak, x)) - 1));
  return derived.set(key, v).get(key);
}
// A zoomed view starts every series at the same money: the question inside an easing cycle is who won from there.
const shown = (name, meta = {}) => {
  const v = values(name, meta), start = v[A];
  return meta.rebase ? k => v[k] === null ? null : v[k] / start * meta.rebase : k => v[k];
};
function windowed(trace) {
  const { meta = {}, ...own } = trace;
  if (own.x !== "#days") return typeof own.x === "string" ? { ...own, x: array(own.x.slice(1)) } : own;
  const rows = [];
  for (let k = A; k <= B; k += meta.step || 1) rows.push(k);
  const at = typeof own.y === "string" ? shown(own.y.slice(1), meta) : k => own.y[k];
  const y = meta.cone ? rows.map(k => cone(meta.cone, k)) : rows.map(at);
  const half = meta.only ? y.map(x => x === null ? null : x * meta.only > 0 ? x : 0) : y;
  return { ...own, x: rows.map(k => X[k]), y: half, label: meta.label };
}
// Where a variant with the selected one's tracking error and no skill stays 95 % of the time.
const cone = (side, k) => Math.exp(side * 1.96 * P.errors[state.sel] * Math.sqrt(Math.max(0, T[k] - T[A]) / YEAR));

function expanded({ per, cells, rest, front, sel, ...trace }) {
  if (cells) return expandedCells(trace, cells, front);
  if (!per) return [windowed(trace)];
  const piece = i => windowed(merged(trace, per.series ? { x: "#days", y: `#${per.series}${i}` } : Object.fromEntries(Object.entries(per).map(([k, v]) => [k, v[i]]))));
  const result = [], quiet = P.names.map((_, i) => i).filter(i => !isSeen(i));
  if (rest && quiet.length) {                     // one trace with gaps: two hundred would take seconds
    const all = quiet.map(piece), glue = key => all.flatMap(t => [...t[key], ...(t.mode === "markers" ? [] : [null])]);
    result.push(merged({ ...all[0], x: glue("x"), y: glue("y"), ...(per.customdata ? { customdata: glue("customdata") } : {}) }, rest));
  }
  for (const i of front ? inFront() : []) {
    const own = merged(merged(piece(i), front), i === state.sel ? sel : {});
    result.push(JSON.parse(JSON.stringify(own).replaceAll("@role", "@" + role(i))));
    if (own.dashes && i !== state.sel) result[result.length - 1].line.dash = own.dashes[state.kept.indexOf(i)];
  }
  return result;
}

// Where the variants of the selection stand on a grid, if they are in view.
const expandedCells = (trace, cells, front) => inFront().filter(i => cells.x[i]?.length).map(i =>
  JSON.parse(JSON.stringify(merged({ ...trace, x: cells.x[i], y: cells.y[i] }, front)).replaceAll("@role", "@" + role(i))));

// ---- a chart as it is to be drawn now: its own layout, then what view, selection, width and paper change
function built(id, patch) {
  const spec = P.charts[id], isNarrow = narrow.matches && !state.paper;
  const key = state.views[id] ? state.views[id].join("|") : spec.view;
  return [spec.views?.[key], spec.sel?.[state.sel], isNarrow && spec.narrow, state.paper && spec.paper, patch].reduce((all, each) => each ? merged(all, each) : all, spec);
}
const PAPER_WIDTH = 688;                          // fits A4 and Letter; before print an element's size is still the screen's
const widthOf = (el, spec = {}) => Math.min(spec.width || Infinity, state.paper ? PAPER_WIDTH : el.clientWidth);
const axisOf = trace => "yaxis" + (trace.yaxis || "y").slice(1);

function fit(layout, traces, name, { pad = .05, include = [], clip = 0 }) {
  const isLog = layout[name].type === "log", own = traces.filter(t => axisOf(t) === name && !t.loose);
  let low = Infinity, high = -Infinity;
  for (const t of [...own, { y: include }]) {
    let v = t.y.filter(x => x !== null && Number.isFinite(x));
    if (t.clip && v.length) v = [...v].sort((p, q) => p - q).slice(Math.floor((v.length - 1) * t.clip));   // the worst few do not flatten the rest
    for (const x of v) { if (x < low) low = x; if (x > high) high = x; }
  }
  if (low > high) [low, high] = [isLog ? 1 : 0, isLog ? 2 : 1];
  if (isLog) [low, high] = [Math.log10(low), Math.log10(high)];
  const margin = (high - low || Math.abs(high) * .01 || .01) * pad;
  layout[name].range = [low - margin, include.includes(0) && high <= 0 ? 0 : high + margin];
}
// Names at the right end of the lines, pushed apart so that none covers another.
function endLabels(layout, traces, name, inner) {
  const { range: [low, high], domain: [from, to] = [0, 1], type } = layout[name], height = inner * (to - from);
  const last = t => t.y.findLast(x => x !== null), place = v => ((type === "log" ? Math.log10(v) : v) - low) / (high - low) * height;
  const labels = traces.filter(t => t.label && axisOf(t) === name).map(t => ({ t, y: place(last(t)) })).sort((p, q) => p.y - q.y);
  labels.forEach((label, k) => { label.y = Math.max(label.y, k ? labels[k - 1].y + 14 : 6); });
  let room = height;
  for (const label of labels.toReversed()) { label.y = Math.min(label.y, room); room = label.y - 14; }
  return labels.map(({ t, y }) => ({
    text: t.label, x: 1, y: from + y / inner, xref: "paper", yref: "paper", xanchor: "left", yanchor: "middle", xshift: 6, showarrow: false,
    font: { size: 12, color: t.labelColor || t.line.color },
  }));
}

const drawn = new Map();                          // id -> what it was last drawn with
function draw(id, patch) {
  const el = element(id);
  if (!el || !P.charts[id]) return;
  if (!state.paper && el.closest("details:not([open])")) return;
  const spec = built(id, patch);
  el.parentElement.classList.toggle("empty", !!spec.isEmpty);
  if (spec.isEmpty) { drawn.set(id, { spec }); return; }
  look(spec);
  const traces = coloured(spec.data.flatMap(t => t === null ? [] : expanded(t))), layout = coloured({ ...P.base, ...spec.layout });
  const canZoom = !!spec.readout && spec.begin === undefined && !thumb.matches && !state.paper, { l, r, t, b } = layout.margin;
  const width = widthOf(el, spec), height = spec.height;
  el.style.height = height + "px";
  if (spec.readout) {
    layout.xaxis = { ...layout.xaxis, range: [X[A], X[B]], fixedrange: !canZoom };
    layout.dragmode = canZoom ? "zoom" : false;
  }
  for (const [name, how] of Object.entries(spec.fit || {})) if (how) fit(layout, traces, name, how);
  for (const [name, of] of Object.entries(spec.named || {}))
    layout[name].ticktext = layout[name].ticktext?.map((text, k) => isSeen(of[k]) ? `<b><span style="color:${token(role(of[k]))}">${text}</span></b>` : text);
  const ends = spec.ends ? endLabels(layout, traces, spec.ends, height - t - b) : [];
  const cuts = spec.readout && T[B] - T[A] < 8 * YEAR ? layout.cuts || [] : [];     // beyond, the lines of a cycle merge into a tint
  const size = { width, height, shapes: [...cuts, ...(layout.shapes || [])], annotations: [...(layout.annotations || []), ...ends] };
  delete layout.cuts;
  // Where nothing is to be zoomed no layer of plotly's may catch a finger.
  const isStill = spec.readout ? !canZoom : !spec.says && !spec.isHeard;
  Plotly.react(el, traces, { ...layout, ...size }, { staticPlot: isStill, displayModeBar: false, responsive: false, doubleClick: false, showTips: false });
  drawn.set(id, { spec, l, r, width, height, layout });
  if (!el.dataset.heard) listen(el, id);
  if (spec.readout) point(state.at, [id]); else read(id, spec.says);
}
const read = (id, text) => { const line = $("#read-" + id); if (line && text !== undefined) line.textContent = text; };

// ---- the readout is the legend and the hover: it covers nothing, works under a thumb and from the keyboard, and prints
const swatch = (tone, text, value) => make("span", {}, ...(tone ? [make("i", { className: tone })] : []), text ? text + " " : "", make("b", { textContent: value }));
function entries(part, k) {
  if (part.date) return [make("span", {}, isZoomed() ? day(A) + " to " : "", make("b", { textContent: day(k) }))];
  if (part.line) return [make("span", { className: "line" }, ...part.line.flatMap(each => entries(each, k)).flatMap(e => [e, " "]))];
  if (part.runs) {                                // what held from one row to the next
    const own = P.runs[part.runs], at = own.rows.findLastIndex(row => row <= k);
    return [make("span", { className: "reason" }, make("i", { className: own.tones[at] }), part.before || "", make("b", { textContent: own.labels[at] }), part.isShort ? "" : own.notes[at])];
  }
  if (part.events && part.events[k] !== undefined) return [make("span", {}, make("b", { textContent: part.events[k] }))];
  if (part.front) return inFront().toReversed().map(i => swatch("stroke " + role(i), P.names[i], told(shown(part.front + i, part.meta)(k), part.format)));
  const x = shown(part.value, part.meta)(k);
  return [swatch(part.tone, part.name, x === null || x === undefined ? part.none || "–" : told(x, part.format))];
}
function point(k, ids = [...drawn.keys()]) {
  state.at = k;
  for (const id of ids) {
    const { spec, l, r, width } = drawn.get(id), el = element(id), out = $("#read-" + id);
    if (!spec.readout) continue;
    look(spec);
    const row = k === null ? B : k;
    out.replaceChildren(...spec.readout.flatMap(part => entries(part, row)).flatMap(e => [e, " "]));
    // It grows with its longest text and never shrinks under the pointer, which would move the chart away from it.
    if (out.dataset.width !== String(out.clientWidth) || state.paper) { out.style.minHeight = ""; out.dataset.width = out.clientWidth; }
    if (!state.paper && out.offsetHeight > (parseFloat(out.style.minHeight) || 0)) out.style.minHeight = out.offsetHeight + "px";
    const cross = $(".cross", el) || el.appendChild(make("div", { className: "cross" }));
    cross.style.display = k === null || k < A || k > B ? "none" : "block";
    cross.style.left = l + (T[row] - T[A]) / (T[B] - T[A]) * (width - l - r) + "px";
  }
}
const SHORTEST = 5;                               // rows that a zoomed view has at least
function setRange(a, b) {
  state.a = Math.max(FROM, Math.min(a, LAST - SHORTEST));
  state.b = Math.min(LAST, Math.max(b, state.a + SHORTEST));
  state.at = null;
  $$(".ranges button").forEach(one => one.setAttribute("aria-pressed", +one.dataset.a === state.a && +one.dataset.b === state.b));
  redraw([...drawn.keys()].filter(id => drawn.get(id).spec.readout));
}
function nearestVariant(e, el, id, k) {
  const { spec, layout, height } = drawn.get(id), trace = spec.data.find(t => t?.per?.series);
  if (!trace) return null;
  const { range: [low, high], type } = layout.yaxis, { t, b } = layout.margin, y = e.clientY - el.getBoundingClientRect().top;
  const at = v => t + (high - (type === "log" ? Math.log10(v) : v)) / (high - low) * (height - t - b);
  const gaps = P.names.map((_, i) => Math.abs(at(shown(trace.per.series + i, trace.meta)(k)) - y)), best = gaps.indexOf(Math.min(...gaps));
  return gaps[best] < 28 ? best : null;           // px from which a click is at no curve
}
function listen(el, id) {
  el.dataset.heard = "1";
  const own = () => drawn.get(id), isSeries = !!own().spec.readout;
  const where = e => {
    const { l, r, width } = own(), share = (e.clientX - el.getBoundingClientRect().left - l) / (width - l - r);
    look(own().spec);
    return Math.min(B, Math.max(A, nearest(T[A] + Math.min(1, Math.max(0, share)) * (T[B] - T[A]))));
  };
  el.addEventListener("keydown", e => {
    const to = { ArrowUp: state.sel - 1, ArrowDown: state.sel + 1 }[e.key];
    if (!N || to === undefined || own().spec.isFixed) return;
    e.preventDefault();
    hooks.select(Math.min(N - 1, Math.max(0, to)));
  });
  if (!isSeries) {
    if (!own().spec.says && !own().spec.isHeard) return;
    const pair = ({ x, y, z }, order) => [order[y], `${P.names[order[y]]} and ${P.names[order[x]]}: ${told(z)}`];
    const about = ({ points: [one] }) => one && (one.customdata || (own().spec.pairs ? pair(one, own().spec.pairs) : own().spec.tell?.(one)));
    el.on("plotly_hover", e => { const data = about(e); if (data) read(id, data[1]); });
    el.on("plotly_unhover", () => read(id, own().spec.says));
    el.on("plotly_click", e => { const data = about(e); if (data) read(id, data[1]); if (data && N && data[0] >= 0) hooks.select(data[0]); });
    return;
  }
  for (const event of ["pointermove", "pointerdown"]) el.addEventListener(event, e => point(where(e)));
  el.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") point(null); });
  el.addEventListener("focusout", () => point(null));
  el.addEventListener("click", e => { const i = N ? nearestVariant(e, el, id, where(e)) : null; if (i !== null) hooks.select(i); });
  el.on("plotly_relayout", e => {
    const ends = [0, 1].map(k => Date.parse(String(e[`xaxis.range[${k}]`]).replace(" ", "T").slice(0, 19) + (String(e["xaxis.range[0]"]).length > 10 ? "Z" : "")));
    if (ends.every(Number.isFinite)) setRange(...ends.map(nearest));
  });
  el.addEventListener("dblclick", () => setRange(FROM, LAST));
  el.on("plotly_doubleclick", () => setRange(FROM, LAST));
  el.addEventListener("keydown", e => {
    look(own().spec);
    const now = state.at ?? B, n = e.shiftKey ? own().spec.stride || 21 : 1, to = { ArrowLeft: now - n, ArrowRight: now + n, Home: A, End: B }[e.key];
    if (e.key === "Escape") setRange(FROM, LAST);
    else if (to !== undefined) { e.preventDefault(); point(Math.min(B, Math.max(A, to))); }
  });
}

// ---- when: at once, or near the screen; again when view, selection, colours, width or paper change
const NEAR_SCREEN = 500;
const watch = new IntersectionObserver(seen => {
  for (const { isIntersecting, target } of seen) if (isIntersecting && !drawn.has(target.id.slice(6))) draw(target.id.slice(6));
}, { rootMargin: NEAR_SCREEN + "px" });
function redraw(ids = [...drawn.keys()]) {
  for (const id of ids.filter(one => drawn.has(one))) {
    const box = element(id).getBoundingClientRect();
    if (P.isLazy && (box.bottom < -NEAR_SCREEN || box.top > innerHeight + NEAR_SCREEN)) { drawn.delete(id); watch.unobserve(element(id)); watch.observe(element(id)); } else draw(id);
  }
}
$$("details").forEach(fold => fold.addEventListener("toggle", () => $$(".chart", fold).forEach(el => { if (fold.open) draw(el.id.slice(6)); })));
hooks.select = () => {};
hooks.redraw = () => redraw();
let kept;
hooks.paper = isPaper => {
  if (isPaper) kept = { ...state };
  Object.assign(state, isPaper ? { a: FROM, b: LAST, at: null, paper: true } : kept);
  for (const id of Object.keys(P.charts)) if (isPaper || drawn.has(id)) draw(id);
};
for (const id of Object.keys(P.charts)) {
  const el = element(id);
  if (!el || !P.charts[id].layout) continue;
  el.style.height = built(id).height + "px";
  if (P.isLazy) watch.observe(el); else drawn.set(id, { spec: {} });
}
for (const group of $$(".ranges")) {
  const add = (text, a, b) => {
    const one = make("button", { type: "button", textContent: text, onclick: () => setRange(a, b) });
    Object.assign(one.dataset, { a, b });
    one.setAttribute("aria-pressed", a === state.a && b === state.b);
    group.append(one);
  };
  add("All", FROM, LAST);
  for (const years of [10, 5, 1]) if (nearest(T[LAST] - years * YEAR) > FROM) add(years + "y", nearest(T[LAST] - years * YEAR), LAST);
  if (P.cycles?.length) group.append(make("span", { className: "gap" }));
  for (const [name, a, b] of P.cycles || []) add(name, a, b);
}
$$("[data-view]").forEach(b => {
  b.onclick = () => {
    const { view, dimension, value } = b.dataset;
    state.views[view] ??= P.charts[view].view.split("|");
    state.views[view][+dimension] = value;
    press($$("button", b.parentElement), b);
    $$(`[data-of="${view}"]`).forEach(el => { el.hidden = el.dataset.when !== value && state.views[view].every(v => v !== el.dataset.when); });
    redraw([view]);
  };
});
