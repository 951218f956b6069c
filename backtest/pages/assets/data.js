// ---- the page's arrays: dates stand once, everything else is derived from them. Tables never are: Python made those.
const D = JSON.parse(document.getElementById("payload").textContent);
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const narrow = matchMedia("(max-width: 640px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const DAY = 864e5;
const LAST = D.gaps.length;

const T = [Date.parse(D.first)];
for (const gap of D.gaps) T.push(T[T.length - 1] + gap * DAY);
const X = T.map(t => new Date(t).toISOString().slice(0, 10));

const drawdown = v => { let peak = -Infinity; return v.map(x => 100 * (x / (peak = Math.max(peak, x)) - 1)); };
const rolling = (v, n) => v.map((x, i) => i < n ? null : 100 * (x / v[i - n] - 1));
const falls = D.series.slice(0, 2).map(s => drawdown(s.v));
const ahead = D.series.slice(1).map(benchmark => {
  const own = rolling(D.series[0].v, D.year), other = rolling(benchmark.v, D.year);
  return own.map((x, i) => x === null ? null : x - other[i]);
});

// What was held: one entry per rebalance; shares are of the whole account.
const held = D.held.map(([row, small, cash, tone, label, isChange, why]) => ({ row, small, cash, tone, label, isChange, why }));
const heldAt = i => {
  let low = 0, high = held.length - 1;
  while (low < high) { const mid = (low + high + 1) >> 1; if (held[mid].row <= i) low = mid; else high = mid - 1; }
  return held[low];
};
const nearest = t => {
  let low = 0, high = LAST;
  while (low < high) { const mid = (low + high) >> 1; if (T[mid] < t) low = mid + 1; else high = mid; }
  return low && t - T[low - 1] < T[low] - t ? low - 1 : low;
};

// One state drives all charts: rows shown, scale, benchmark, the row under the cursor, and whether it is for paper.
const state = { log: true, a: 0, b: LAST, bench: 0, at: null, paper: false };
const isZoomed = () => state.a > 0;
// A zoomed view starts every series at the same money: the question inside an easing cycle is who won from there.
const shown = series => isZoomed() ? series.v.map(x => x / series.v[state.a] * D.cash) : series.v;
const visible = v => v.slice(state.a, state.b + 1).filter(x => x !== null);

// ---- words
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const day = i => { const d = new Date(T[i]); return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`; };
// Names and reasons come from a config: into innerHTML and plotly's text, which is pseudo-HTML, only through here.
const esc = text => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
const fixed = (x, digits) => { const text = Math.abs(x).toFixed(digits); return (x < 0 && +text ? "−" : "") + text; };
const signed = (x, digits = 1) => (x > 0 && +x.toFixed(digits) ? "+" : "") + fixed(x, digits);
const usd = x => "$" + Math.round(x).toLocaleString("en-US");
const brief = x => x >= 1e9 ? "$" + +(x / 1e9).toFixed(3) + "bn" : x >= 1e6 ? "$" + +(x / 1e6).toFixed(3) + "m"
  : x >= 1e3 ? "$" + +(x / 1e3).toFixed(3) + "k" : "$" + +x.toFixed(2);
const uncapital = text => /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
