// ---- drawing: plane, slices, distribution; all again when a control, the colours or the width change
const thinned = (name, share) => {
  const [own, paper] = [token(name), token("paper")].map(hex => [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16)));
  return `rgb(${own.map((x, k) => Math.round(share * x + (1 - share) * paper[k])).join(",")})`;
};
const ticked = (levels, most) => {
  const every = Math.ceil(levels.length / most), at = levels.map((_, k) => k).filter(k => k % every === 0);
  return { tickmode: "array", tickvals: at, ticktext: at.map(k => esc(levels[k].length > 24 ? levels[k].slice(0, 23) + "…" : levels[k])) };
};
const named = text => ({ text: esc(text), font: { size: 12 }, standoff: 6 });
const frame = rest => ({ ...base(12), hovermode: "closest", ...rest });
const show = (id, data, layout, height) => {
  const el = $("#chart-" + id);
  if (!el) return;
  if (height) el.style.height = height + "px";
  const size = { width: state.paper ? 688 : el.clientWidth, height: height || el.clientHeight };
  Plotly.react(el, data, { ...layout, ...size }, { displayModeBar: false, responsive: false, doubleClick: false, showTips: false });
  if (el.dataset.heard) return;
  el.dataset.heard = "1";
  el.on("plotly_hover", e => { const about = e.points[0]?.customdata; if (typeof about === "string") read(id, about); });
};

function drawPlane() {
  if (!D.isWhole || !$("#chart-plane")) return;
  const { points, cell } = plane(), z = SURFACES[state.surface](cell), [across, columns] = D.keys[state.across];
  const [up, rows] = state.up < 0 ? ["", [""]] : D.keys[state.up], seen = cell.flat().filter(v => v !== null).map(Math.abs).sort((a, b) => a - b);
  const top = seen[Math.floor((seen.length - 1) * .95)] || 1, isSigned = cell.flat().some(v => v < 0) && cell.flat().some(v => v > 0);
  const values = cell.flat().filter(v => v !== null), low = isSigned ? -top : Math.min(...values), high = isSigned ? top : Math.max(...values);
  const scale = isSigned ? [[0, thinned("loss", .65)], [.5, token("paper")], [1, thinned("gain", .65)]] : [[0, thinned("gain", .04)], [1, thinned("gain", .7)]];
  let peak = null;
  z.forEach((row, r) => row.forEach((v, c) => { if (v !== null && (!peak || v > z[peak[1]][peak[0]])) peak = [c, r]; }));
  const centre = [];
  points.forEach((row, r) => row.forEach((p, c) => { if (D.centre.includes(p)) centre.push([c, r]); }));
  const marks = (list, marker) => ({ x: list.map(p => p[0]), y: list.map(p => p[1]), mode: "markers", hoverinfo: "skip", marker });
  const words = z.map((row, r) => row.map((v, c) => `${across} ${columns[c]}${up ? `, ${up} ${rows[r]}` : ""}: ${told(v)}${state.surface === "cell" ? "" : ` (the point itself ${told(cell[r][c])})`}`));
  show("plane", [
    { type: "heatmap", z, zmin: low, zmax: high === low ? low + 1 : high, colorscale: scale, xgap: columns.length < 60 ? 1 : 0, ygap: rows.length < 60 ? 1 : 0, hoverinfo: "none", customdata: words,
      colorbar: { thickness: 8, len: .9, outlinewidth: 0, tickfont: { size: 10 }, xpad: 4, ticksuffix: figure().unit } },
    marks(centre, { symbol: "diamond", size: 12, color: token("ink"), line: { color: token("paper"), width: 1.5 } }),
    marks(peak ? [peak] : [], { symbol: "square-open", size: 14, color: token("ink"), line: { width: 2.2 } }),
  ], frame({
    margin: { l: narrow.matches ? 56 : 72, r: 76, t: TOP, b: 44 },
    xaxis: { ...axis({ range: [-.5, columns.length - .5], showgrid: false, title: named(across) }), ...ticked(columns, narrow.matches ? 6 : 14) },
    yaxis: { ...axis({ range: [-.5, rows.length - .5], showgrid: false, title: named(up) }), ...ticked(rows, 14) },
  }), Math.min(560, Math.max(170, rows.length * 26 + 80)));
  read("plane", peak ? "Best in view: " + words[peak[1]][peak[0]] : "Nothing is defined here.");
}

function drawSlices() {
  const shown = D.keys.map((_, k) => k).filter(k => LENGTHS[k] > 1 || D.keys.length === 1), n = shown.length, each = narrow.matches ? 1 : Math.min(n, 3), rows = Math.ceil(n / each), data = [], layout = frame({ margin: { l: LEFT, r: 12, t: TOP, b: 44 } });
  delete layout.xaxis;
  const slices = shown.map(slice), every = slices.flat().filter(Boolean), low = Math.min(...every.map(s => s.low)), high = Math.max(...every.map(s => s.best)), pad = (high - low || 1) * .06;
  shown.forEach((key, k) => {
    const [name, levels] = D.keys[key];
    const id = k ? k + 1 : "", column = k % each, row = Math.floor(k / each), s = slices[k], x = levels.map((_, j) => j);
    const line_ = (y, extra) => ({ x, y, xaxis: "x" + id, yaxis: "y" + id, mode: "lines+markers", hoverinfo: "skip", marker: { size: levels.length < 30 ? 5 : 1, color: token("ink") }, ...extra });
    data.push(line_(s.map(v => v && v.low), { mode: "lines", line: { width: 0 } }), line_(s.map(v => v && v.high), { mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: faded("faint", .25) }));
    data.push(line_(s.map(v => v && v.best), { mode: "lines", line: { width: 1, color: token("muted"), dash: "2px,2px" } }));
    data.push(line_(s.map(v => v && v.mean), { line: { width: 2, color: token("ink") }, hoverinfo: "none",
      customdata: s.map((v, j) => v ? `${name} ${levels[j]}: mean ${told(v.mean)}, eight in ten from ${told(v.low)} to ${told(v.high)}, best ${told(v.best)}` : `${name} ${levels[j]}: nothing`) }));
    const gap = .07, wide = 1 / each, tall = 1 / rows;
    layout["xaxis" + id] = { ...axis({ range: [-.5, levels.length - .5], anchor: "y" + id, domain: [column * wide + (column ? gap / 2 : 0), (column + 1) * wide - (column < each - 1 ? gap / 2 : 0)], showgrid: false, title: named(name) }), ...ticked(levels, Math.floor(18 / each)) };
    layout["yaxis" + id] = valueAxis([1 - (row + 1) * tall + (rows > 1 ? .09 : 0), 1 - row * tall], [low - pad, high + pad], plain, { anchor: "x" + id }, 5);
  });
  show("slices", data, layout, rows * 250);
  read("slices", "Point at a line to read it.");
}

function drawDistribution() {
  const f = factor(), values = figure().values.filter(v => v !== null).map(v => v * f), lines = figure().lines.map(([label, kind, v]) => [label, kind, v * f]);
  if (!values.length) return;
  let low = Infinity, high = -Infinity;
  for (const v of [...values, ...lines.map(l => l[2])]) { low = Math.min(low, v); high = Math.max(high, v); }
  const bins = 60, width = (high - low || 1) / bins, counts = new Array(bins).fill(0);
  for (const v of values) counts[Math.min(bins - 1, Math.floor((v - low) / width))]++;
  const most = Math.max(...counts), x = counts.map((_, k) => low + (k + .5) * width), benchmarks = lines.filter(l => l[1] === "benchmark");
  show("distribution", [{ type: "bar", x, y: counts, width, hoverinfo: "none", marker: { color: thinned("ink", .35), line: { width: 0 } },
    customdata: counts.map((n, k) => `${n.toLocaleString("en-US")} variants from ${told(low + k * width)} to ${told(low + (k + 1) * width)}`) }],
  frame({
    margin: { l: LEFT, r: 16, t: 14 + 15 * Math.min(3, benchmarks.length), b: 44 },
    xaxis: axis({ range: [low - width, high + width], title: named(figure().name + (figure().unit ? ", " + figure().unit : "")), showgrid: false }),
    yaxis: axis({ range: [0, most * 1.05], title: named("variants") }),
    shapes: lines.map(([, kind, v]) => ({ type: "line", x0: v, x1: v, yref: "paper", y0: 0, y1: 1, line: { color: token(kind === "mix" ? "faint" : "sel"), width: kind === "mix" ? 1 : 1.8, dash: kind === "mix" ? "2px,2px" : "solid" } })),
    annotations: benchmarks.map(([label, , v], k) => ({ x: v, y: 1, yref: "paper", yanchor: "bottom", yshift: 15 * (k % 3), showarrow: false, text: esc(label), font: { size: 11, color: token("sel") } })),
  }), 320);
  const sorted = values.sort((a, b) => a - b), place = v => { let n = 0; for (const x of sorted) if (x > v) n++; return n; };
  read("distribution", benchmarks.map(([label, , v]) => `${label} ${told(v)}: ${place(v).toLocaleString("en-US")} of ${values.length.toLocaleString("en-US")} above it`).join("; "));
}
const redraw = () => { drawPlane(); drawSlices(); drawDistribution(); };

// ---- controls: a slider for every key that is not an axis of the plane
function sliders() {
  const box = $("#sliders");
  if (!box) return;
  box.replaceChildren(...D.keys.flatMap(([name, levels], k) => {
    if (k === state.across || k === state.up || levels.length < 2) return [];
    const label = document.createElement("label"), range = document.createElement("input"), value = document.createElement("output");
    Object.assign(range, { type: "range", min: 0, max: levels.length - 1, value: state.at[k] });
    value.textContent = levels[state.at[k]];
    range.oninput = () => { state.at[k] = +range.value; value.textContent = levels[state.at[k]]; drawPlane(); };
    label.append(name, range, value);
    return [label];
  }));
}
$("#figure")?.addEventListener("change", e => { state.figure = +e.target.value; redraw(); });
$("#surface")?.addEventListener("change", e => { state.surface = e.target.value; drawPlane(); });
const axes = changed => e => {
  const other = changed === "across" ? "up" : "across", was = state[changed];
  state[changed] = +e.target.value;
  if (state[other] === state[changed]) { state[other] = was; $("#" + other).value = was; }
  sliders();
  drawPlane();
};
$("#across")?.addEventListener("change", axes("across"));
$("#up")?.addEventListener("change", axes("up"));

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
if ($("#across")) $("#across").value = state.across;
if ($("#up") && state.up >= 0) $("#up").value = state.up;
sliders();
redraw();
