// ---- the sweep's points: digits say which value of each key a point has; figures are whole numbers of 1 / scale
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const D = JSON.parse($("#payload").textContent);
const narrow = matchMedia("(max-width: 640px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const DAY = 864e5, T = [0, DAY], X = ["1970-01-01", "1970-01-02"], LAST = 1;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const LENGTHS = D.keys.map(([, levels]) => levels.length);
const STRIDES = LENGTHS.map((_, k) => LENGTHS.slice(k + 1).reduce((a, b) => a * b, 1));
const POINTS = D.figures[0].values.length;
const digit = (point, k) => D.isWhole ? Math.floor(point / STRIDES[k]) % LENGTHS[k] : D.digits[k][point];
const BY_SIZE = LENGTHS.map((_, k) => k).sort((a, b) => LENGTHS[b] - LENGTHS[a] || a - b);
const state = { figure: 0, surface: "cell", across: BY_SIZE[0], up: LENGTHS[BY_SIZE[1]] > 1 ? BY_SIZE[1] : -1, at: LENGTHS.map(() => 0), paper: false, a: 0, b: 1 };
if (D.best.length && D.isWhole) state.at = LENGTHS.map((_, k) => digit(D.best[0], k));

const esc = text => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
const fixed = (x, digits) => { const text = Math.abs(x).toFixed(digits); return (x < 0 && +text ? "−" : "") + text; };
const figure = () => D.figures[state.figure];
const factor = () => (figure().unit === "%" ? 100 : 1) / figure().scale;
const told = v => v === null ? "undefined" : fixed(v, 2) + (figure().unit ? " " + figure().unit : "");
const read = (id, text) => { $("#read-" + id).textContent = text; };

// The plane in view: rows up, columns across, all other keys where their sliders stand.
function plane() {
  const rows = state.up < 0 ? 1 : LENGTHS[state.up], columns = LENGTHS[state.across], at = [...state.at], f = factor(), values = figure().values;
  const point = (r, c) => { at[state.across] = c; if (state.up >= 0) at[state.up] = r; return at.reduce((sum, digit, k) => sum + digit * STRIDES[k], 0); };
  const points = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => point(r, c)));
  return { points, cell: points.map(row => row.map(p => values[p] === null ? null : values[p] * f)) };
}
function smoothed(cell, join) {
  return cell.map((row, r) => row.map((own, c) => {
    if (own === null) return null;
    const near = [];
    for (let y = r - 1; y <= r + 1; y++) for (let x = c - 1; x <= c + 1; x++) { const v = cell[y]?.[x]; if (v !== null && v !== undefined) near.push(v); }
    return join(near);
  }));
}
const SURFACES = { cell: z => z, mean: z => smoothed(z, v => v.reduce((a, b) => a + b, 0) / v.length), worst: z => smoothed(z, v => Math.min(...v)) };

// Over all points: for each value of a key mean, tenth and ninetieth percentile, best.
function slice(k) {
  const groups = Array.from({ length: LENGTHS[k] }, () => []), f = factor(), values = figure().values;
  for (let p = 0; p < POINTS; p++) if (values[p] !== null) groups[digit(p, k)].push(values[p] * f);
  return groups.map(g => {
    if (!g.length) return null;
    g.sort((a, b) => a - b);
    const at = q => g[Math.round(q * (g.length - 1))];
    return { mean: g.reduce((a, b) => a + b, 0) / g.length, low: at(.1), high: at(.9), best: g[g.length - 1] };
  });
}
