// ---- the account that follows each choice, the choices, and their ranks
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
  Plotly.react(el, data, { ...layout, width: state.paper ? 688 : el.clientWidth, height }, { staticPlot: true, displayModeBar: false, responsive: false });
};
const upright = x => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: token("grid"), width: 1 } });

function drawCurve() {
  const all = D.curves.map(([, , v]) => v), low = Math.log10(Math.min(...all.flat())), high = Math.log10(Math.max(...all.flat())), pad = (high - low) * .05, ticks = logTicks(low, high);
  const layout = base(narrow.matches ? 12 : 130);
  show("curve", [...D.curves].reverse().map(([, tone, v]) => line(v, token(tone), { line: { width: tone === "sel" ? 2.2 : 1.3, dash: tone === "faint" ? "2px,2px" : "solid" } })), {
    ...layout,
    yaxis: axis({ type: "log", range: [low - pad, high + pad], tickmode: "array", tickvals: ticks, ticktext: ticks.map(v => plain(v) + "×") }),
    shapes: D.begins.map(upright),
    annotations: narrow.matches ? [] : D.curves.map(([name, tone, v]) => ({ x: X[LAST], y: Math.log10(v[LAST]), xanchor: "left", xshift: 6, showarrow: false, text: esc(name), font: { size: 12, color: token(tone === "faint" ? "muted" : tone) } })),
  }, 400);
}
function drawDrift() {
  const rows = [...D.drift, ["rank among all", null, D.ranks]], n = rows.length, data = [], layout = { ...base(12), shapes: [], annotations: [] }, tall = 1 / n;
  rows.forEach(([name, levels, v], k) => {
    const id = k ? k + 1 : "", top = 1 - k * tall - .05, low = 1 - (k + 1) * tall + .03;
    const steps = levels ? { x: [...D.begins, X[LAST]], y: [...v, v[v.length - 1]], mode: "lines", line: { shape: "hv", width: 2, color: token("sel") } }
      : { x: D.begins, y: v, mode: "markers", marker: { size: 8, color: v.map(r => token(r > .5 ? "ink" : "faint")) } };
    data.push({ type: "scatter", hoverinfo: "skip", yaxis: "y" + id, ...steps });
    const every = levels ? Math.max(1, Math.ceil(levels.length / 4)) : 1, at = levels ? levels.map((_, j) => j).filter(j => j % every === 0) : [0, .5, 1];
    layout["yaxis" + id] = axis({ domain: [low, top], range: levels ? [-.5, levels.length - .5] : [-.08, 1.08], tickmode: "array", tickvals: at, ticktext: at.map(j => levels ? esc(levels[j]) : j * 100 + "%") });
    layout.annotations.push(title(esc(name), top + .005));
    if (!levels) layout.shapes.push(level("y" + id, .5));
  });
  layout.xaxis = { ...layout.xaxis, anchor: "y" + n };
  show("drift", data, layout, 150 * n);
}
const redraw = () => { drawCurve(); drawDrift(); };
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
