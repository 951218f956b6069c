// ---- the sweep's points: which value of each key a point has, and its figures. Loops and typed arrays: a page may hold
// a hundred thousand points.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const D = JSON.parse($("#payload").textContent);
const narrow = matchMedia("(max-width: 640px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const DAY = 864e5, MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const X = D.curves.days.length > 1 ? D.curves.days : ["1970-01-01", "1970-01-02"], T = X.map(day => Date.parse(day)), LAST = X.length - 1;

function unpacked([kind, text]) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return kind === "h" ? new Int16Array(bytes.buffer) : new Int32Array(bytes.buffer);
}
const POINTS = D.points, LENGTHS = D.keys.map(key => key.levels.length);
const DIGITS = D.keys.map((_, k) => {
  if (D.digits) return unpacked(D.digits[k]);
  const stride = LENGTHS.slice(k + 1).reduce((a, b) => a * b, 1);
  return Int32Array.from({ length: POINTS }, (_, p) => Math.floor(p / stride) % LENGTHS[k]);
});
const NUMBERS = D.numbers && unpacked(D.numbers), numberOf = p => NUMBERS ? NUMBERS[p] : p;
const SWEPT = LENGTHS.map((_, k) => k).filter(k => LENGTHS[k] > 1);
const BY_SIZE = LENGTHS.map((_, k) => k).sort((a, b) => LENGTHS[b] - LENGTHS[a] || a - b);
const ALL = -1;                              // of a slider: all values of its key together
const state = { figure: 0, surface: "cell", across: BY_SIZE[0], up: LENGTHS[BY_SIZE[1]] > 1 ? BY_SIZE[1] : -1, at: LENGTHS.map(() => ALL), paper: false, a: 0, b: LAST, cursor: null };
if (!D.digits && D.best >= 0) state.at = LENGTHS.map((_, k) => DIGITS[k][D.best]);

const esc = text => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
const fixed = (x, digits) => { const text = Math.abs(x).toFixed(digits); return (x < 0 && +text ? "−" : "") + text; };
const count = n => n.toLocaleString("en-US");
const told = (v, f = figure()) => v === null || Number.isNaN(v) ? "undefined" : fixed(v, 2) + f.unit;
const titled = f => f.name + (f.unit ? ", " + f.unit : "");
const read = (id, text) => { $("#read-" + id).textContent = text; };
const named_ = (p, keys = SWEPT) => (keys.length ? keys : [0]).map(k => `${D.keys[k].name} ${D.keys[k].levels[DIGITS[k][p]]}`).join(", ");

// A figure as it is printed (percent for fractions), NaN where undefined; unpacked when first asked for.
const ready = [];
function figure(i = state.figure) {
  if (ready[i]) return ready[i];
  const { scale, values, lines, unit, ...rest } = D.figures[i], whole = unpacked(values), factor = (unit === "%" ? 100 : 1), none = whole instanceof Int16Array ? -32768 : -2147483648;
  const shown = Float64Array.from(whole, v => v === none ? NaN : v * factor / scale), known = shown.filter(v => !Number.isNaN(v)).sort();
  return ready[i] = { ...rest, unit, values: shown, known, lines: lines.map(([label, kind, v]) => [label, kind, v * factor]), at: q => known[Math.round(q * (known.length - 1))] };
}
// Points from worst to best by the figure; those without it first. Of equal ones at the page's digits the true best wins.
const isBest = p => p === D.best;
function ranked(f = figure()) {
  if (f.order) return f.order;
  const key = Float64Array.from(f.values, (v, p) => isBest(p) && !state.figure ? Infinity : Number.isNaN(v) ? -Infinity : v * f.better);
  return f.order = Uint32Array.from({ length: POINTS }, (_, p) => p).sort((a, b) => key[a] - key[b]);
}

// The plane in view. A cell joins the points with its two values whose other values are where the sliders stand; its
// neighbourhood those at most one step away along every key of numbers, as backtest/study/sweep_plateau.py has it.
function plane(surface = state.surface) {
  const { across, up, at } = state, rows = up < 0 ? 1 : LENGTHS[up], columns = LENGTHS[across], size = rows * columns, f = figure();
  const others = D.keys.map((_, k) => k).filter(k => k !== across && k !== up && at[k] !== ALL), isNear = surface !== "cell";
  const here = { points: new Int32Array(size), first: new Int32Array(size).fill(-1), count: new Int32Array(size), sum: new Float64Array(size) };
  let total = new Float64Array(size), many = new Float64Array(size), worst = new Float64Array(size).fill(Infinity);
  for (let p = 0; p < POINTS; p++) {
    let isOwn = true, isIn = true;
    for (const k of others) {
      const apart = Math.abs(DIGITS[k][p] - at[k]);
      if (apart) { isOwn = false; if (!isNear || apart > 1 || !D.keys[k].isOrdered) { isIn = false; break; } }
    }
    if (!isIn) continue;
    const c = (up < 0 ? 0 : DIGITS[up][p] * columns) + DIGITS[across][p], v = f.values[p], isKnown = !Number.isNaN(v);
    if (isOwn) { here.points[c]++; here.first[c] = p; if (isKnown) { here.count[c]++; here.sum[c] += v; } }
    if (isKnown) { total[c] += v; many[c]++; worst[c] = Math.min(worst[c], v * f.better); }
  }
  if (isNear) for (const [key, step, length] of [[across, 1, columns], [up, columns, rows]]) if (key >= 0 && D.keys[key].isOrdered) {
    [total, many] = [total, many].map(own => boxed(own, step, length, (a, b) => a + b, 0));
    worst = boxed(worst, step, length, Math.min, Infinity);
  }
  const value = c => !here.count[c] ? null : surface === "cell" ? here.sum[c] / here.count[c] : surface === "mean" ? total[c] / many[c] : worst[c] * f.better;
  const grid = pick => Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => pick(r * columns + c)));
  return { z: grid(value), own: grid(c => here.count[c] ? here.sum[c] / here.count[c] : null), points: grid(c => here.points[c]), first: grid(c => here.first[c]), rows, columns };
}
// Each cell joined with the one before and the one after it along an axis of the plane.
function boxed(values, step, length, join, beyond) {
  return values.map((own, c) => {
    const place = Math.floor(c / step) % length;
    return join(join(place ? values[c - step] : beyond, own), place < length - 1 ? values[c + step] : beyond);
  });
}

// Over all points: for each value of a key mean, tenth and ninetieth percentile, best.
function slice(k) {
  const f = figure(), groups = Array.from({ length: LENGTHS[k] }, () => []), order = ranked(f);
  for (const p of order) if (!Number.isNaN(f.values[p])) groups[DIGITS[k][p]].push(f.values[p]);      // from worst to best
  return groups.map(g => {
    if (!g.length) return null;
    const at = q => g[Math.round(q * (g.length - 1))], ends = [at(.1), at(.9)].sort((a, b) => a - b);
    return { mean: g.reduce((a, b) => a + b, 0) / g.length, low: ends[0], high: ends[1], best: g[g.length - 1], count: g.length };
  });
}
