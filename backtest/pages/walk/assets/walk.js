// ---- the account that follows each choice, the choices, their ranks; where asked for, the paths
const $ = selector => document.querySelector(selector);
const D = JSON.parse($("#payload").textContent);
const narrow = matchMedia("(max-width: 640px)"), dark = matchMedia("(prefers-color-scheme: dark)");
const DAY = 864e5, X = D.days, T = X.map(d => Date.parse(d)), LAST = X.length - 1;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const state = { a: 0, b: LAST, paper: false };
const visible = v => v;
const esc = text => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
// ---- axes come here
const show = (id, data, layout, height) => {
  const el = $("#chart-" + id);
  el.style.height = height + "px";
  el.right = layout.margin.r;
  Plotly.react(el, data, { ...layout, width: state.paper ? 688 : el.clientWidth, height }, { staticPlot: true, displayModeBar: false, responsive: false });
};
const upright = x => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: token("grid"), width: 1 } });
const STYLES = { sel: { width: 2.2 }, ink: { width: 1.4 }, mix: { width: 1.3, dash: "5px,3px" } };
const styled = ([, tone, v]) => line(v, token(tone), { line: STYLES[tone] });
const padded = ([name, tone, v]) => [name, tone, Array(X.length - v.length).fill(null).concat(v)];
const CURVES = D.curves.map(padded);
const growthAxis = all => {
  let low = Infinity, high = -Infinity;
  for (const v of all) for (const x of v) if (x !== null) { low = Math.min(low, x); high = Math.max(high, x); }
  [low, high] = [Math.log10(low), Math.log10(high)];
  const pad = (high - low || .1) * .05, ticks = logTicks(low - pad, high + pad);
  return axis({ type: "log", range: [low - pad, high + pad], tickmode: "array", tickvals: ticks, ticktext: ticks.map(v => plain(v) + "×") });
};

function drawCurve() {
  state.a = D.from;
  show("curve", [...CURVES].reverse().map(styled), { ...base(12), yaxis: growthAxis(CURVES.map(c => c[2])), shapes: D.begins.map(upright) }, narrow.matches ? 300 : 400);
}
function drawDrift() {
  const rows = [...D.drift, ["rank among all", null, D.ranks]], n = rows.length, data = [], layout = { ...base(12), shapes: [], annotations: [] }, tall = 1 / n;
  const ends = [...D.begins.slice(1), X[LAST]], middle = D.begins.map((d, k) => new Date((Date.parse(d) + Date.parse(ends[k])) / 2).toISOString().slice(0, 10));
  rows.forEach(([name, levels, v], k) => {
    const id = k ? k + 1 : "", top = 1 - k * tall - .05, low = 1 - (k + 1) * tall + .03;
    const steps = levels ? { x: [...D.begins, X[LAST]], y: [...v, v[v.length - 1]], mode: "lines", line: { shape: "hv", width: 2, color: token("sel") } }
      : { x: middle, y: v, mode: "markers", marker: { size: 8, color: v.map(r => token(r > .5 ? "ink" : "faint")) } };
    data.push({ type: "scatter", hoverinfo: "skip", yaxis: "y" + id, ...steps });
    const every = levels ? Math.max(1, Math.ceil(levels.length / 4)) : 1, at = levels ? levels.map((_, j) => j).filter(j => j % every === 0) : [0, .5, 1];
    const short = text => text.length > 7 ? text.slice(0, 6) + "…" : text;
    layout["yaxis" + id] = axis({ domain: [low, top], range: levels ? [-.5, levels.length - .5] : [-.08, 1.08], tickmode: "array", tickvals: at, ticktext: at.map(j => levels ? esc(short(levels[j])) : j * 100 + "%") });
    layout.annotations.push(title(esc(name), top + .005));
    if (!levels) layout.shapes.push(level("y" + id, .5));
  });
  layout.xaxis = { ...layout.xaxis, anchor: "y" + n };
  show("drift", data, layout, 150 * n);
}
// ---- paths come here
// The readout is the legend and the hover: pointer, finger and keyboard move it, otherwise it stands at the end.
const written = x => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2)) + "×";
const day = k => { const d = new Date(T[k]); return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`; };
const entry = (name, tone, value) => `<span><i class="${tone}"></i>${esc(name)} <b>${value}</b></span> `;
const readCurve = k => CURVES.map(([name, tone, v]) => entry(name, tone, written(v[k]))).join("");
function listen(id, from, read) {
  const el = $("#chart-" + id), out = $("#read-" + id), cross = el.appendChild(Object.assign(document.createElement("div"), { className: "cross" }));
  let at = null;
  const point = k => {
    at = k;
    const row = k ?? LAST;
    out.innerHTML = `<span><b>${day(row)}</b></span> ${read(row)}`;
    cross.style.display = k === null ? "none" : "block";
    cross.style.left = LEFT + (T[row] - T[from]) / (T[LAST] - T[from]) * (el.clientWidth - LEFT - el.right) + "px";
  };
  const move = e => {
    const share = Math.min(1, Math.max(0, (e.clientX - el.getBoundingClientRect().left - LEFT) / (el.clientWidth - LEFT - el.right))), t = T[from] + share * (T[LAST] - T[from]);
    let k = from;
    while (k < LAST && Math.abs(T[k + 1] - t) <= Math.abs(T[k] - t)) k++;
    point(k);
  };
  el.addEventListener("pointermove", move);
  el.addEventListener("pointerdown", move);
  el.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") point(null); });
  el.addEventListener("focusout", () => point(null));
  el.addEventListener("keydown", e => {
    const now = at ?? LAST, n = e.shiftKey ? 13 : 1, to = { ArrowLeft: now - n, ArrowRight: now + n, Home: from, End: LAST }[e.key];
    if (to !== undefined) { e.preventDefault(); point(Math.min(LAST, Math.max(from, to))); }
  });
  point(null);
}
const redraw = () => { drawCurve(); drawDrift(); if (D.paths) drawPaths(); };
const THEME = "report-theme";                 // as on the other pages
const stored = () => { try { return localStorage.getItem(THEME); } catch { return null; } };
const store = theme => { try { if (theme) localStorage.setItem(THEME, theme); else localStorage.removeItem(THEME); } catch { /* a private window */ } };
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  $("#theme").textContent = "Theme: " + (theme || "auto");
  $("#theme").setAttribute("aria-label", "Colour theme: " + (theme || "automatic"));
}
$("#theme").onclick = () => {
  const next = { light: "dark", dark: "" }[document.documentElement.dataset.theme] ?? "light";
  setTheme(next);
  store(next);
  redraw();
};
let timer, wide = innerWidth;
addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => { if (innerWidth !== wide) { wide = innerWidth; redraw(); } }, 120); });
dark.addEventListener("change", redraw);
addEventListener("beforeprint", () => { state.paper = true; document.documentElement.dataset.theme = "light"; redraw(); });
addEventListener("afterprint", () => { state.paper = false; setTheme(stored()); redraw(); });
setTheme(stored());
redraw();
listen("curve", D.from, readCurve);
if (D.paths) listen("paths", 0, readPaths);
document.documentElement.dataset.ready = "1";
