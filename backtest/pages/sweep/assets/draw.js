// ---- drawing: plane, slices, distribution, finalists; all again when a control, the colours or the width change
const mixed = (one, other, share) => {
  const [a, b] = [one, other].map(name => [1, 3, 5].map(k => parseInt(token(name).slice(k, k + 2), 16)));
  return `rgb(${a.map((x, k) => Math.round(share * x + (1 - share) * b[k])).join(",")})`;
};
const thinned = (name, share) => mixed(name, "paper", share);
const short = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;
const LETTER = 7;                            // pixels, about
const ticked = (levels, room, longest, isTurned) => {
  const each = isTurned ? 18 : 14 + LETTER * Math.min(longest, Math.max(...levels.map(text => text.length)));
  const every = Math.ceil(levels.length / Math.max(1, Math.floor(room / each))), at = levels.map((_, k) => k).filter(k => k % every === 0);
  return { tickangle: 0, tickmode: "array", tickvals: at, ticktext: at.map(k => esc(short(levels[k], longest))) };
};
const named = text => ({ text: esc(text), font: { size: 12 }, standoff: 6 });
const frame = rest => ({ ...base(12), hovermode: "closest", ...rest });
const widthOf = el => state.paper ? 688 : el.clientWidth;
const show = (id, data, layout, height, width) => {
  const el = $("#chart-" + id);
  if (height) el.style.height = height + "px";
  const size = { width: width || widthOf(el), height: height || el.clientHeight };
  Plotly.react(el, data, { ...layout, ...size }, { displayModeBar: false, responsive: false, doubleClick: false, showTips: false });
  if (el.dataset.heard) return el;
  el.dataset.heard = "1";
  for (const event of ["plotly_hover", "plotly_click"]) el.on(event, e => {
    const point = e.points[0], about = point?.data.meta?.(point);
    if (about) read(id, about);
  });
  return el;
};
// One scale for all positions of the sliders and all surfaces, so that neither moving nor smoothing stretches it.
function shades(f) {
  if (!f.known.length) return { low: 0, high: 1, scale: [[0, token("paper")], [1, token("paper")]] };
  const low = f.at(.05), high = f.at(.95), ends = Math.max(Math.abs(low), Math.abs(high)) || 1;
  if (f.better < 0) return { low, high: high > low ? high : low + 1, scale: [[0, thinned("ink", .05)], [1, thinned("ink", .62)]] };
  if (f.known[0] < 0 && f.known[f.known.length - 1] > 0) return { low: -ends, high: ends, isSigned: true, scale: [[0, thinned("loss", .65)], [.5, token("paper")], [1, thinned("gain", .65)]] };
  return { low, high: high > low ? high : low + 1, scale: [[0, thinned("gain", .05)], [1, thinned("gain", .7)]] };
}

function drawPlane() {
  const f = figure(), { z, own, points, first, rows, columns } = plane(), across = D.keys[state.across], up = state.up < 0 ? { name: "", levels: [""] } : D.keys[state.up];
  const el = $("#chart-plane"), { low, high, scale, isSigned } = shades(f), wide = widthOf(el), right = narrow.matches ? 58 : 70;
  const longest = narrow.matches ? 11 : 24, left = 18 + LETTER * Math.max(3, ...up.levels.map(text => Math.min(longest, text.length)));
  const width = Math.min(wide, Math.max(340, columns * 120 + left + right)), cell = (width - left - right) / columns;
  let peak = null;
  const centre = [], failed = [];
  z.forEach((row, r) => row.forEach((v, c) => {
    if (v !== null && (!peak || v * f.better > z[peak[1]][peak[0]] * f.better || v === z[peak[1]][peak[0]] && isBest(first[r][c]))) peak = [c, r];
    if (v === null && points[r][c]) failed.push([c, r]);
  }));
  if (D.centre >= 0 && D.keys.every((_, k) => k === state.across || k === state.up || state.at[k] === ALL || state.at[k] === DIGITS[k][D.centre]))
    centre.push([DIGITS[state.across][D.centre], state.up < 0 ? 0 : DIGITS[state.up][D.centre]]);
  const words = (c, r) => {
    const n = points[r][c], where = `${across.name} ${across.levels[c]}${up.name ? `, ${up.name} ${up.levels[r]}` : ""}`;
    if (!n) return `${where}: no point here`;
    if (z[r][c] === null) return `${where}: no ${f.name}${n === 1 ? ` (point ${numberOf(first[r][c])})` : ""}`;
    const what = { cell: "", mean: "mean of the neighbourhood ", worst: "worst of the neighbourhood " }[state.surface], alone = state.surface === "cell" ? "" : `; here ${told(own[r][c])}`;
    return `${where}: ${what}${told(z[r][c])}${alone} ${n === 1 ? `(point ${numberOf(first[r][c])})` : `(mean of ${count(n)} points)`}`;
  };
  state.words = words;
  const marks = (list, marker) => ({ x: list.map(p => p[0]), y: list.map(p => p[1]), mode: "markers", hoverinfo: "skip", marker });
  const isText = cell >= 40 && rows * columns <= 400, height = Math.min(600, Math.max(170, rows * (isText ? 30 : 22) + 90));
  show("plane", [
    { type: "heatmap", z, zmin: low, zmax: high, colorscale: scale, xgap: cell > 5 ? 1 : 0, ygap: (height - 90) / rows > 5 ? 1 : 0, hoverinfo: "none", meta: point => words(point.x, point.y),
      ...(isText ? { text: z.map(row => row.map(v => v === null ? "" : fixed(v, f.unit ? 1 : 2))), texttemplate: "%{text}", textfont: { size: 11, color: token("ink") } } : {}),
      colorbar: { thickness: 8, len: Math.min(.95, 140 / height + .5), outlinewidth: 0, tickfont: { size: 10 }, xpad: 6, ticksuffix: f.unit } },
    marks(failed.length < 2000 ? failed : [], { symbol: "x-thin", size: Math.max(4, Math.min(8, cell * .5)), color: token("muted"), line: { width: 1.2, color: token("muted") } }),
    marks(isText ? centre.map(([c, r]) => [c + .5 - 9 / cell, r + .2]) : centre, { symbol: "diamond", size: isText ? 9 : 12, color: token("ink"), line: { color: token("paper"), width: 1.5 } }),
    marks(peak && cell < 8 ? [peak] : [], { symbol: "square-open", size: 10, color: token("ink"), line: { width: 2 } }),
    marks(state.cursor && state.cursor[0] < columns && state.cursor[1] < rows ? [state.cursor] : [], { symbol: "circle-open", size: 16, color: token("sel"), line: { width: 2.4 } }),
  ], frame({
    plot_bgcolor: token("grid"), margin: { l: left, r: right, t: up.name ? 26 : TOP, b: 46 },
    shapes: peak && cell >= 8 ? [{ type: "rect", x0: peak[0] - .5, x1: peak[0] + .5, y0: peak[1] - .5, y1: peak[1] + .5, line: { color: token("ink"), width: 2 } }] : [],
    annotations: up.name ? [{ x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", xshift: 12 - left, yshift: 6, showarrow: false, text: esc(up.name), font: { size: 12 } }] : [],
    xaxis: { ...axis({ range: [-.5, columns - .5], showgrid: false, title: named(across.name) }), ...ticked(across.levels, width - left - right, narrow.matches ? 10 : 18) },
    yaxis: { ...axis({ range: [-.5, rows - .5], showgrid: false, ticks: up.name ? "outside" : "" }), ...ticked(up.levels, height - 70, longest, true) },
  }), height, width);
  const what = { cell: "Best in view", mean: "Best neighbourhood in view", worst: "Best worst case in view" }[state.surface];
  read("plane", peak ? `${what}: ${words(...peak)}` : "Nothing is defined here.");
  $("#key-plane").textContent = [peak && "square: best in view", centre.length && "diamond: centre of the best plateau", failed.length && `×: could not be run or has no ${f.name}`, points.flat().includes(0) && "blank: no point there",
    isSigned && "colours: above and below zero"].filter(Boolean).join(" · ");
}

function drawSlices() {
  const f = figure(), shown = SWEPT.length ? SWEPT : [0], n = shown.length, each = narrow.matches && !state.paper ? 1 : Math.min(n, n === 4 ? 2 : 3), lines = Math.ceil(n / each), data = [], layout = frame({ margin: { l: LEFT, r: 12, t: TOP, b: 46 } });
  delete layout.xaxis;
  const slices = shown.map(slice), every = slices.flat().filter(Boolean), pick = (join, start) => every.reduce((a, s) => join(a, s.low, s.best, s.high), start);
  const low = every.length ? pick(Math.min, Infinity) : 0, high = every.length ? pick(Math.max, -Infinity) : 1, pad = (high - low || 1) * .06, height = lines * 260;
  shown.forEach((key, k) => {
    const { name, levels, isOrdered } = D.keys[key], id = k ? k + 1 : "", column = k % each, row = Math.floor(k / each), s = slices[k], x = levels.map((_, j) => j);
    const trace = (y, extra) => ({ x, y, xaxis: "x" + id, yaxis: "y" + id, mode: "lines", hoverinfo: "skip", ...extra });
    const of = part => s.map(v => v && v[part]), words = point => { const v = s[point.x]; return `${name} ${levels[point.x]}: mean ${told(v.mean)}, eight in ten from ${told(v.low)} to ${told(v.high)}, best ${told(v.best)}, of ${count(v.count)} points`; };
    const isLine = isOrdered && levels.length > 1 && s.every(Boolean), inner = widthOf($("#chart-slices")) / each - 60;
    if (isLine) {
      data.push(trace(of("low"), { line: { width: 0 } }), trace(of("high"), { line: { width: 0 }, fill: "tonexty", fillcolor: faded("faint", .25) }));
      data.push(trace(of("best"), { line: { width: 1, color: token("muted"), dash: "2px,2px" } }));
      data.push(trace(of("mean"), { mode: "lines+markers", line: { width: 2, color: token("ink") }, marker: { size: levels.length < 30 ? 5 : 2, color: token("ink") }, hoverinfo: "none", meta: words }));
    } else {                                     // names, or values without any point: nothing lies between them
      const bars = s.flatMap((v, j) => v ? [[j, v.low], [j, v.high], [j, null]] : []);
      data.push({ ...trace(bars.map(b => b[1]), { line: { width: Math.max(2, Math.min(18, .6 * inner / levels.length)), color: faded("faint", .3) } }), x: bars.map(b => b[0]) });
      data.push(trace(of("best"), { mode: "markers", marker: { symbol: "line-ew", size: 12, line: { width: 1.4, color: token("muted") } } }));
      data.push(trace(of("mean"), { mode: "markers", marker: { size: 9, color: token("ink") }, hoverinfo: "none", meta: words }));
    }
    const gap = .07, wide = 1 / each, tall = 1 / lines;
    layout["xaxis" + id] = { ...axis({ range: [-.5, levels.length - .5], anchor: "y" + id, domain: [column * wide + (column ? gap / 2 : 0), (column + 1) * wide - (column < each - 1 ? gap / 2 : 0)], showgrid: false, ticklabelstandoff: 6, title: named(name) }), ...ticked(levels, inner, 14) };
    layout["yaxis" + id] = valueAxis([1 - (row + 1) * tall + (row < lines - 1 ? 60 / height : 0), 1 - row * tall], [low - pad, high + pad], plain, { anchor: "x" + id }, 5);
  });
  show("slices", data, layout, height);
  read("slices", every.length ? `${f.name[0].toUpperCase()}${f.name.slice(1)}${f.unit ? `, ${f.unit}` : ""}. Point at a value to read it.` : "Nothing is defined here.");
}

function drawDistribution() {
  const f = figure(), values = f.known, lines = f.lines;
  if (!values.length) { show("distribution", [], frame({}), 120); read("distribution", "Nothing is defined here."); return; }
  const ends = [values[0], values[values.length - 1], ...lines.map(l => l[2])], low = Math.min(...ends), high = Math.max(...ends);
  const bins = narrow.matches ? 40 : 80, width = (high - low || 1) / bins, counts = new Array(bins).fill(0);
  for (const v of values) counts[Math.min(bins - 1, Math.floor((v - low) / width))]++;
  const most = Math.max(...counts), x = counts.map((_, k) => low + (k + .5) * width), benchmarks = lines.filter(l => l[1] === "benchmark").sort((a, b) => a[2] - b[2]), mixes = lines.filter(l => l[1] === "mix");
  const above = v => { let a = 0, b = values.length; while (a < b) { const m = (a + b) >> 1; if (values[m] > v) b = m; else a = m + 1; } return values.length - a; };
  const rows = Math.min(4, benchmarks.length), strip = mixes.length ? 30 : 0, height = 300 + 15 * rows + strip, top = 8 + 15 * rows;
  const better = v => f.better > 0 ? above(v) : values.length - above(v), word = f.better > 0 ? "above" : "at or below";
  const rule = (v, y0, y1, line) => ({ type: "line", x0: v, x1: v, yref: "paper", y0, y1, line });
  const inner = height - top - 46, foot = strip / inner, whole = linearTicks(0, most).filter(Number.isInteger);
  show("distribution", [
    { type: "bar", x, y: counts, width, hoverinfo: "none", yaxis: "y", marker: { color: thinned("ink", .35), line: { width: 0 } },
      meta: point => `${count(counts[point.pointNumber])} variants from ${told(low + point.pointNumber * width)} to ${told(low + (point.pointNumber + 1) * width)}` },
    { type: "scatter", mode: "markers", x: mixes.map(m => m[2]), y: mixes.map(() => .5), yaxis: "y2", hoverinfo: "none", marker: { symbol: "diamond", size: 8, color: token("mix") },
      meta: point => { const [label, , v] = mixes[point.pointNumber]; return `Static mix, ${label}: ${told(v)}; ${count(better(v))} of ${count(values.length)} variants ${word} it`; } },
  ], frame({
    margin: { l: LEFT, r: 16, t: top, b: 46 }, hovermode: "closest",
    xaxis: axis({ range: [low - width, high + width], title: named(titled(f)), showgrid: false, anchor: strip ? "y2" : "y" }),
    yaxis: { ...axis({ range: [0, most * 1.05], domain: [foot, 1] }), tickmode: "array", tickvals: whole, ticktext: whole.map(count) }, yaxis2: unseen([0, Math.max(.001, foot)]),
    shapes: [...mixes.map(m => rule(m[2], 0, 1, { color: token("faint"), width: 1, dash: "2px,2px" })), ...benchmarks.map(b => rule(b[2], 0, 1, { color: token("sel"), width: 1.8 }))],
    annotations: benchmarks.map(([label, , v], k) => ({ x: v, y: 1, yref: "paper", xanchor: v > low + .7 * (high - low) ? "right" : v < low + .3 * (high - low) ? "left" : "center", yanchor: "bottom", yshift: 15 * (rows - 1 - k % 4), showarrow: false, text: esc(label), font: { size: 11, color: token("sel") } })),
  }), height);
  const highest = mixes.reduce((a, b) => !a || b[2] * f.better > a[2] * f.better ? b : a, null);
  const said = [...benchmarks.map(([label, , v]) => [label, v]), ...(highest ? [[`best static mix (${highest[0]})`, highest[2]]] : [])];
  read("distribution", said.map(([label, v]) => `${label} ${told(v)}: ${count(better(v))} of ${count(values.length)} ${word} it`).join("; "));
}

const CURVE = [["sel", "solid", 2], ["ink", "solid", 1.2], ["kept-1", "dash", 1.2], ["kept-3", "dot", 1.8]];
function drawCurves() {
  if (!$("#chart-curves")) return;
  const { over, days, curves } = D.curves, every = curves.flatMap(([, values]) => values.filter(v => v !== null)), low = Math.min(...every, 1), high = Math.max(...every, 1), pad = .06;
  const span_ = [Math.log10(low) - pad * Math.log10(high / low) - .005, Math.log10(high) + pad * Math.log10(high / low) + .005], ticks = logTicks(...span_);
  const words = row => `${days[row]}: ` + curves.map(([name, values]) => `${name} ${values[row] === null ? "not begun" : fixed(values[row], 3)}`).join("; ");
  show("curves", curves.map(([, values], k) => { const [color, dash, width] = CURVE[k % CURVE.length]; return { x: X, y: values, mode: "lines", line: { color: token(color), width, dash }, hoverinfo: "none", meta: point => words(point.pointNumber) }; }),
    { ...frame({}), hovermode: "x", hoverdistance: -1, margin: { l: LEFT, r: 12, t: TOP, b: 30 }, yaxis: axis({ type: "log", range: span_, tickmode: "array", tickvals: ticks, ticktext: ticks.map(t => String(t)), title: { text: "" } }), shapes: [level("y", 1)] }, narrow.matches ? 260 : 320);
  read("curves", `Last: ${words(days.length - 1)}${over ? `. Above 1: ahead of ${over}` : ""}.`);
  $("#key-curves").replaceChildren(...curves.map(([name], k) => { const item = document.createElement("span"); item.className = "stroke"; item.style.setProperty("--c", `var(--${CURVE[k % CURVE.length][0]})`); item.style.setProperty("--line", { solid: "solid", dash: "dashed", dot: "dotted" }[CURVE[k % CURVE.length][1]]); item.textContent = name; return item; }));
}
