// ---- a sweep's points: which value of each key a point has, and its figures. Loops and typed arrays: a page may hold a
// hundred thousand points. What the charts show is computed here, since sliders choose among more planes than a page can hold.
function unpacked([kind, text]) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return kind === "h" ? new Int16Array(bytes.buffer) : new Int32Array(bytes.buffer);
}
const POINTS = P.points, LENGTHS = P.keys.map(key => key.levels.length);
const DIGITS = P.keys.map((_, k) => {
  if (P.digits) return unpacked(P.digits[k]);
  const stride = LENGTHS.slice(k + 1).reduce((a, b) => a * b, 1);
  return Int32Array.from({ length: POINTS }, (_, p) => Math.floor(p / stride) % LENGTHS[k]);
});
const NUMBERS = P.numbers && unpacked(P.numbers), numberOf = p => NUMBERS ? NUMBERS[p] : p;
const SWEPT = LENGTHS.map((_, k) => k).filter(k => LENGTHS[k] > 1), SHOWN = SWEPT.length ? SWEPT : [0];
const BY_SIZE = LENGTHS.map((_, k) => k).sort((a, b) => LENGTHS[b] - LENGTHS[a] || a - b);
const ALL = -1;                                  // of a slider: all values of its key together
const sweep = { figure: 0, surface: "cell", across: BY_SIZE[0], up: LENGTHS[BY_SIZE[1]] > 1 ? BY_SIZE[1] : -1, at: LENGTHS.map(() => ALL), cursor: null };
if (!P.digits && P.best >= 0) sweep.at = LENGTHS.map((_, k) => DIGITS[k][P.best]);

const esc = text => text.replace(/[&<>"'@]/g, c => `&#${c.charCodeAt(0)};`);
const count = n => told(n, ["", 0]);
const worded = (v, f = figure()) => v === null || Number.isNaN(v) ? "undefined" : told(v, ["", 2, f.unit]);
const named = (p, keys = SHOWN) => keys.map(k => `${P.keys[k].name} ${P.keys[k].levels[DIGITS[k][p]]}`).join(", ");
const short = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;
const isBest = p => p === P.best;

// A figure as it is printed (percent for fractions), NaN where undefined; unpacked when first asked for.
const ready = [];
function figure(i = sweep.figure) {
  if (ready[i]) return ready[i];
  const { scale, values, lines, unit, ...rest } = P.figures[i], whole = unpacked(values), factor = unit === "%" ? 100 : 1;
  const none = whole instanceof Int16Array ? -32768 : -2147483648, shown = Float64Array.from(whole, v => v === none ? NaN : v * factor / scale);
  const known = shown.filter(v => !Number.isNaN(v)).sort(), own = { ...rest, unit, values: shown, known, lines: lines.map(([text, kind, v]) => [text, kind, v * factor]) };
  return ready[i] = { ...own, at: q => known[Math.round(q * (known.length - 1))], low: known[0], high: known[known.length - 1] };
}
// Points from worst to best by the figure; those without it first. Of equal ones at the page's digits the true best wins.
function ranked(f = figure()) {
  if (f.order) return f.order;
  const key = Float64Array.from(f.values, (v, p) => isBest(p) && !sweep.figure ? Infinity : Number.isNaN(v) ? -Infinity : v * f.better);
  return f.order = Uint32Array.from({ length: POINTS }, (_, p) => p).sort((a, b) => key[a] - key[b]);
}

// The plane in view. A cell joins the points with its two values whose other values are where the sliders stand; its
// neighbourhood those at most one step away along every key of numbers, as the plateau of the study has it.
function plane(surface = sweep.surface) {
  const { across, up, at } = sweep, rows = up < 0 ? 1 : LENGTHS[up], columns = LENGTHS[across], size = rows * columns, f = figure();
  const others = P.keys.map((_, k) => k).filter(k => k !== across && k !== up && at[k] !== ALL), isNear = surface !== "cell";
  const points = new Int32Array(size), first = new Int32Array(size).fill(-1), known = new Int32Array(size), sum = new Float64Array(size);
  let total = new Float64Array(size), many = new Float64Array(size), worst = new Float64Array(size).fill(Infinity);
  for (let p = 0; p < POINTS; p++) {
    let isOwn = true, isIn = true;
    for (const k of others) {
      const apart = Math.abs(DIGITS[k][p] - at[k]);
      if (apart) { isOwn = false; if (!isNear || apart > 1 || !P.keys[k].isOrdered) { isIn = false; break; } }
    }
    if (!isIn) continue;
    const c = (up < 0 ? 0 : DIGITS[up][p] * columns) + DIGITS[across][p], v = f.values[p], isKnown = !Number.isNaN(v);
    if (isOwn) { points[c]++; first[c] = p; if (isKnown) { known[c]++; sum[c] += v; } }
    if (isKnown) { total[c] += v; many[c]++; worst[c] = Math.min(worst[c], v * f.better); }
  }
  if (isNear) for (const [key, step, length] of [[across, 1, columns], [up, columns, rows]]) if (key >= 0 && P.keys[key].isOrdered) {
    [total, many] = [total, many].map(own => boxed(own, step, length, (a, b) => a + b, 0));
    worst = boxed(worst, step, length, Math.min, Infinity);
  }
  const own = c => known[c] ? sum[c] / known[c] : null;
  const value = c => !known[c] || surface === "cell" ? own(c) : surface === "mean" ? total[c] / many[c] : worst[c] * f.better;
  const grid = pick => Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => pick(r * columns + c)));
  return { z: grid(value), own: grid(own), points: grid(c => points[c]), first: grid(c => first[c]), rows, columns };
}
// Each cell joined with the one before and the one after it along an axis of the plane.
const boxed = (values, step, length, join, beyond) => values.map((own, c) => {
  const place = Math.floor(c / step) % length;
  return join(join(place ? values[c - step] : beyond, own), place < length - 1 ? values[c + step] : beyond);
});
// Over all points: for each value of a key mean, tenth and ninetieth percentile, best.
function slice(k) {
  const f = figure(), groups = Array.from({ length: LENGTHS[k] }, () => []);
  for (const p of ranked(f)) if (!Number.isNaN(f.values[p])) groups[DIGITS[k][p]].push(f.values[p]);      // from worst to best
  return groups.map(g => {
    if (!g.length) return null;
    const [low, high] = [.1, .9].map(q => g[Math.round(q * (g.length - 1))]).sort((a, b) => a - b);
    return { mean: g.reduce((a, b) => a + b, 0) / g.length, low, high, best: g[g.length - 1], count: g.length };
  });
}

// One scale for all positions of the sliders and all surfaces, so that neither moving nor smoothing stretches it.
function shades(f) {
  if (!f.known.length) return { low: 0, high: 1, scale: [[0, "@paper"], [1, "@paper"]] };
  const low = f.at(.05), high = f.at(.95), ends = Math.max(Math.abs(low), Math.abs(high)) || 1, top = high > low ? high : low + 1;
  if (f.better < 0) return { low, high: top, scale: [[0, "@ink*.05"], [1, "@ink*.62"]] };
  if (f.low < 0 && f.high > 0) return { low: -ends, high: ends, isSigned: true, scale: [[0, "@loss*.65"], [.5, "@paper"], [1, "@gain*.65"]] };
  return { low, high: top, scale: [[0, "@gain*.05"], [1, "@gain*.7"]] };
}
const LETTER = 7;                                // px, about
function ticked(levels, room, longest, isTurned) {
  const each = isTurned ? 18 : 14 + LETTER * Math.min(longest, Math.max(...levels.map(text => text.length)));
  const every = Math.ceil(levels.length / Math.max(1, Math.floor(room / each))), at = levels.map((_, k) => k).filter(k => k % every === 0);
  return { ...P.axis, tickmode: "array", tickvals: at, ticktext: at.map(k => esc(short(levels[k], longest))) };
}
const heading = text => ({ text: esc(text), font: { size: 12 }, standoff: 6 });
const marks = (list, marker) => ({ type: "scatter", x: list.map(p => p[0]), y: list.map(p => p[1]), mode: "markers", hoverinfo: "skip", marker });

function drawPlane() {
  const f = figure(), { z, own, points, first, rows, columns } = plane(), across = P.keys[sweep.across], up = sweep.up < 0 ? { name: "", levels: [""] } : P.keys[sweep.up];
  const { low, high, scale, isSigned } = shades(f), wide = widthOf(element("plane")), right = narrow.matches ? 58 : 70;
  const longest = narrow.matches ? 11 : 24, left = 18 + LETTER * Math.max(3, ...up.levels.map(text => Math.min(longest, text.length)));
  const width = Math.min(wide, Math.max(340, columns * 120 + left + right)), cell = (width - left - right) / columns;
  let peak = null;
  const centre = [], failed = [];
  z.forEach((row, r) => row.forEach((v, c) => {
    if (v !== null && (!peak || v * f.better > z[peak[1]][peak[0]] * f.better || v === z[peak[1]][peak[0]] && isBest(first[r][c]))) peak = [c, r];
    if (v === null && points[r][c]) failed.push([c, r]);
  }));
  const isInView = k => k === sweep.across || k === sweep.up || sweep.at[k] === ALL || sweep.at[k] === DIGITS[k][P.centre];
  if (P.centre >= 0 && P.keys.every((_, k) => isInView(k))) centre.push([DIGITS[sweep.across][P.centre], sweep.up < 0 ? 0 : DIGITS[sweep.up][P.centre]]);
  const words = (c, r) => {
    const n = points[r][c], where = `${across.name} ${across.levels[c]}${up.name ? `, ${up.name} ${up.levels[r]}` : ""}`, one = n === 1 ? ` (point ${numberOf(first[r][c])})` : "";
    if (!n) return `${where}: no point here`;
    if (z[r][c] === null) return `${where}: no ${f.name}${one}`;
    const what = { cell: "", mean: "mean of the neighbourhood ", worst: "worst of the neighbourhood " }[sweep.surface], alone = sweep.surface === "cell" ? "" : `; here ${worded(own[r][c])}`;
    return `${where}: ${what}${worded(z[r][c])}${alone}${one || ` (mean of ${count(n)} points)`}`;
  };
  sweep.words = words;
  const isText = cell >= 40 && rows * columns <= 400, height = Math.min(narrow.matches ? 300 : 450, Math.max(170, rows * (isText ? 30 : 22) + 90));
  const at = sweep.cursor && sweep.cursor[0] < columns && sweep.cursor[1] < rows ? [sweep.cursor] : [];
  const square = peak && cell >= 8 ? [{ type: "rect", x0: peak[0] - .5, x1: peak[0] + .5, y0: peak[1] - .5, y1: peak[1] + .5, line: { color: "@ink", width: 2 } }] : [];
  const what = { cell: "Best in view", mean: "Best neighbourhood in view", worst: "Best worst case in view" }[sweep.surface];
  draw("plane", {
    height, width, tell: point => [-1, words(point.x, point.y)], says: peak ? `${what}: ${words(...peak)}` : "Nothing is defined here.",
    data: [
      { type: "heatmap", z, zmin: low, zmax: high, colorscale: scale, xgap: cell > 5 ? 1 : 0, ygap: (height - 90) / rows > 5 ? 1 : 0, hoverinfo: "none",
        ...(isText ? { text: z.map(row => row.map(v => v === null ? "" : told(v, ["", f.unit ? 1 : 2]))), texttemplate: "%{text}", textfont: { size: 11, color: "@ink" } } : {}),
        colorbar: { thickness: 8, len: Math.min(.95, 140 / height + .5), outlinewidth: 0, tickfont: { size: 10 }, xpad: 6, ticksuffix: f.unit } },
      marks(failed.length < 2000 ? failed : [], { symbol: "x-thin", size: Math.max(4, Math.min(8, cell * .5)), color: "@muted", line: { width: 1.2, color: "@muted" } }),
      marks(isText ? centre.map(([c, r]) => [c + .5 - 9 / cell, r + .2]) : centre, { symbol: "diamond", size: isText ? 9 : 12, color: "@ink", line: { color: "@paper", width: 1.5 } }),
      marks(peak && cell < 8 ? [peak] : [], { symbol: "square-open", size: 10, color: "@ink", line: { width: 2 } }),
      marks(at, { symbol: "circle-open", size: 16, color: "@sel", line: { width: 2.4 } }),
    ],
    layout: {
      margin: { l: left, r: right, t: up.name ? 26 : 8, b: 46 }, shapes: square,
      annotations: up.name ? [{ x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", xshift: 12 - left, yshift: 6, showarrow: false, text: esc(up.name), font: { size: 12 } }] : [],
      xaxis: { ...ticked(across.levels, width - left - right, narrow.matches ? 10 : 18), range: [-.5, columns - .5], showgrid: false, title: heading(across.name) },
      yaxis: { ...ticked(up.levels, height - 70, longest, true), range: [-.5, rows - .5], showgrid: false, ticks: up.name ? "outside" : "" },
    },
  });
  if (at.length) read("plane", words(...sweep.cursor));
  $("#key-plane").textContent = [peak && "square: best in view", centre.length && "diamond: centre of the best plateau", failed.length && `×: could not be run or has no ${f.name}`,
    points.flat().includes(0) && "blank: no point there", isSigned && "colours: above and below zero"].filter(Boolean).join(" · ");
}

function drawSlices() {
  const f = figure(), n = SHOWN.length, each = narrow.matches && !state.paper ? 1 : Math.min(n, n === 4 ? 2 : 3), lines = Math.ceil(n / each), data = [], layout = {};
  const slices = SHOWN.map(slice), every = slices.flat().filter(Boolean), ends = every.flatMap(s => [s.low, s.best, s.high]);
  const low = ends.length ? Math.min(...ends) : 0, high = ends.length ? Math.max(...ends) : 1, pad = (high - low || 1) * .06, height = lines * 260;
  SHOWN.forEach((key, k) => {
    const { name, levels, isOrdered } = P.keys[key], id = k ? k + 1 : "", column = k % each, row = Math.floor(k / each), s = slices[k], x = levels.map((_, j) => j);
    const trace = (y, extra) => ({ type: "scatter", x, y, xaxis: "x" + id, yaxis: "y" + id, mode: "lines", hoverinfo: "skip", ...extra });
    const of = part => s.map(v => v && v[part]), inner = widthOf(element("slices")) / each - 60;
    const words = s.map((v, j) => v && [-1, `${name} ${levels[j]}: mean ${worded(v.mean)}, eight in ten from ${worded(v.low)} to ${worded(v.high)}, best ${worded(v.best)}, of ${count(v.count)} points`]);
    if (isOrdered && levels.length > 1 && s.every(Boolean)) {
      data.push(trace(of("low"), { line: { width: 0 } }), trace(of("high"), { line: { width: 0 }, fill: "tonexty", fillcolor: "@faint/.25" }));
      data.push(trace(of("best"), { line: { width: 1, color: "@muted", dash: "2px,2px" } }));
      data.push(trace(of("mean"), { mode: "lines+markers", line: { width: 2, color: "@ink" }, marker: { size: levels.length < 30 ? 5 : 2, color: "@ink" }, hoverinfo: "none", customdata: words }));
    } else {                                     // names, or values without any point: nothing lies between them
      const bars = s.flatMap((v, j) => v ? [[j, v.low], [j, v.high], [j, null]] : []);
      data.push({ ...trace(bars.map(b => b[1]), { line: { width: Math.max(2, Math.min(18, .6 * inner / levels.length)), color: "@faint/.3" } }), x: bars.map(b => b[0]) });
      data.push(trace(of("best"), { mode: "markers", marker: { symbol: "line-ew", size: 12, line: { width: 1.4, color: "@muted" } } }));
      data.push(trace(of("mean"), { mode: "markers", marker: { size: 9, color: "@ink" }, hoverinfo: "none", customdata: words }));
    }
    const wide = 1 / each, tall = 1 / lines, domain = [column * wide + (column ? .035 : 0), (column + 1) * wide - (column < each - 1 ? .035 : 0)];
    layout["xaxis" + id] = { ...ticked(levels, inner, 14), range: [-.5, levels.length - .5], anchor: "y" + id, domain, showgrid: false, ticklabelstandoff: 6, title: heading(name) };
    layout["yaxis" + id] = { ...P.axis, domain: [1 - (row + 1) * tall + (row < lines - 1 ? 60 / height : 0), 1 - row * tall], range: [low - pad, high + pad], anchor: "x" + id };
  });
  draw("slices", { height, data, layout, says: every.length ? `${f.name[0].toUpperCase()}${f.name.slice(1)}${f.unit ? `, ${f.unit}` : ""}. Point at a value to read it.` : "Nothing is defined here." });
}

function drawDistribution() {
  const f = figure(), values = f.known, lines = f.lines;
  if (!values.length) { draw("distribution", { height: 120, data: [], says: "Nothing is defined here." }); return; }
  const ends = [f.low, f.high, ...lines.map(l => l[2])], low = Math.min(...ends), high = Math.max(...ends);
  const bins = narrow.matches ? 40 : 80, width = (high - low || 1) / bins, counts = new Array(bins).fill(0), edge = k => low + k * width;
  for (const v of values) counts[Math.min(bins - 1, Math.floor((v - low) / width))]++;
  const benchmarks = lines.filter(l => l[1] === "benchmark").sort((a, b) => a[2] - b[2]), mixes = lines.filter(l => l[1] === "mix");
  const better = v => values.reduce((n, own) => n + (f.better > 0 ? own > v : own <= v), 0), word = f.better > 0 ? "above" : "at or below";
  const rows = Math.min(4, benchmarks.length), strip = mixes.length ? 30 : 0, height = 300 + 15 * rows + strip, top = 8 + 15 * rows, foot = strip / (height - top - 46);
  const upright = (v, line) => ({ type: "line", x0: v, x1: v, yref: "paper", y0: 0, y1: 1, line });
  const ahead = ([text, , v]) => `${text} ${worded(v)}: ${count(better(v))} of ${count(values.length)} ${word} it`;
  const highest = mixes.reduce((a, b) => !a || b[2] * f.better > a[2] * f.better ? b : a, null);
  draw("distribution", {
    height, says: [...benchmarks, ...(highest ? [[`best static mix (${highest[0]})`, , highest[2]]] : [])].map(ahead).join("; "),
    data: [
      { type: "bar", x: counts.map((_, k) => edge(k + .5)), y: counts, width, hoverinfo: "none", yaxis: "y", marker: { color: "@ink*.35", line: { width: 0 } },
        customdata: counts.map((n, k) => [-1, `${count(n)} variants from ${worded(edge(k))} to ${worded(edge(k + 1))}`]) },
      { type: "scatter", mode: "markers", x: mixes.map(m => m[2]), y: mixes.map(() => .5), yaxis: "y2", hoverinfo: "none", marker: { symbol: "diamond", size: 8, color: "@mix" },
        customdata: mixes.map(m => [-1, `Static mix, ${ahead(m)}`]) },
    ],
    layout: {
      margin: { l: 46, r: 16, t: top, b: 46 },
      xaxis: { ...P.axis, range: [low - width, high + width], title: heading(f.name + (f.unit ? ", " + f.unit : "")), showgrid: false, anchor: strip ? "y2" : "y" },
      yaxis: { ...P.axis, range: [0, Math.max(...counts) * 1.05], domain: [foot, 1], tickformat: ",d", tickmode: "linear", tick0: 0, dtick: Math.ceil(Math.max(...counts) / 4) }, yaxis2: { visible: false, fixedrange: true, range: [0, 1], domain: [0, Math.max(.001, foot)] },
      shapes: [...mixes.map(m => upright(m[2], { color: "@faint", width: 1, dash: "2px,2px" })), ...benchmarks.map(b => upright(b[2], { color: "@sel", width: 1.8 }))],
      annotations: benchmarks.map(([text, , v], k) => ({
        x: v, y: 1, yref: "paper", xanchor: v > low + .7 * (high - low) ? "right" : v < low + .3 * (high - low) ? "left" : "center", yanchor: "bottom",
        yshift: 15 * (rows - 1 - k % 4), showarrow: false, text: esc(text), font: { size: 11, color: "@sel" },
      })),
    },
  });
}

// ---- controls: figure and surface, axes, and for every other key a slider, or a list of names
hooks.redraw = () => { drawPlane(); drawSlices(); drawLines(); drawDistribution(); draw("curves"); };
hooks.paper = isPaper => { state.paper = isPaper; hooks.redraw(); };
function sliders() {
  $("#sliders").replaceChildren(...SWEPT.filter(k => k !== sweep.across && k !== sweep.up).map(k => {
    const { name, levels, isOrdered } = P.keys[k], word = at => at === ALL ? "all" : levels[at], value = make("output", { textContent: isOrdered ? word(sweep.at[k]) : "" });
    const control = isOrdered ? make("input", { type: "range", min: ALL, max: levels.length - 1 }) : make("select", {}, ...[ALL, ...levels.keys()].map(at => new Option(word(at), at)));
    control.value = sweep.at[k];
    control.dataset.key = name;
    control.oninput = () => { sweep.at[k] = +control.value; if (isOrdered) value.textContent = word(sweep.at[k]); drawPlane(); };
    return make("label", {}, name, control, value);
  }));
}
$$(".pick-figure").forEach(pick => pick.addEventListener("change", () => {
  sweep.figure = +pick.value;
  $$(".pick-figure").forEach(other => { other.value = pick.value; });
  hooks.redraw();
}));
$("#surface").addEventListener("change", e => { sweep.surface = e.target.value; drawPlane(); });
for (const changed of ["across", "up"]) $("#" + changed)?.addEventListener("change", e => {
  const other = changed === "across" ? "up" : "across", was = sweep[changed];
  sweep[changed] = +e.target.value;
  sweep.cursor = null;
  if (sweep[other] === sweep[changed]) { sweep[other] = was; $("#" + other).value = was; }
  sliders();
  drawPlane();
});
element("plane").addEventListener("keydown", e => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
  if (!move) return;
  e.preventDefault();
  const most = [LENGTHS[sweep.across], sweep.up < 0 ? 1 : LENGTHS[sweep.up]], from = sweep.cursor || [0, 0];
  sweep.cursor = from.map((x, i) => Math.max(0, Math.min(most[i] - 1, x + (sweep.cursor ? move[i] : 0))));
  drawPlane();
});
if ($("#across")) $("#across").value = sweep.across;
if ($("#up") && sweep.up >= 0) $("#up").value = sweep.up;
sliders();
