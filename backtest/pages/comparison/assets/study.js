// ---- the study's arrays, its one selection, and words. Dates stand once; curves are sums of whole 1e-4 of log growth.
// A variant's number is its place on the page, by active Sharpe ratio; tables never come from here: Python made those.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const D = JSON.parse($("#payload").textContent);
const V = D.variants;
const N = V.length;
const narrow = matchMedia("(max-width: 640px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const DAY = 864e5;
const YEAR = 365.25 * DAY;
const LAST = D.gaps.length;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const T = [Date.parse(D.first)];
for (const gap of D.gaps) T.push(T[T.length - 1] + gap * DAY);
const X = T.map(t => new Date(t).toISOString().slice(0, 10));
const nearest = t => {
  let low = 0, high = LAST;
  while (low < high) { const mid = (low + high) >> 1; if (T[mid] < t) low = mid + 1; else high = mid; }
  return low && t - T[low - 1] < T[low] - t ? low - 1 : low;
};

const summed = steps => { let sum = 0; return steps.map(step => (sum += step) / 1e4); };
const kept = new Map();
const logs = i => kept.get(i) || kept.set(i, summed(V[i].curve)).get(i);
const benchmarkLogs = D.benchmarks.map(b => summed(b.curve));

// One state drives all charts: the selection, those kept in view, what the switches say, the period and the cursor.
const MOST_KEPT = 4;
const state = {
  sel: 0, kept: [], view: "relative", surface: "cell", figure: "growth", slice: 0, a: 0, b: LAST, at: null, paper: false,
};
const isSeen = i => i === state.sel || state.kept.includes(i);
const role = i => i === state.sel ? "sel" : state.kept.includes(i) ? "kept-" + state.kept.indexOf(i) : "quiet";
const others = () => V.map((_, i) => i).filter(i => !isSeen(i));
const inFront = () => [...state.kept.filter(i => i !== state.sel), state.sel];
const visible = v => v.slice(state.a, state.b + 1).filter(x => x !== null);

// ---- words. Names come from a config: into plotly's text, which is pseudo-HTML, only through esc; elsewhere as text.
const esc = text => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
const fixed = (x, digits) => { const text = Math.abs(x).toFixed(digits); return (x < 0 && +text ? "−" : "") + text; };
const signed = (x, digits = 1) => (x > 0 && +x.toFixed(digits) ? "+" : "") + fixed(x, digits);
const day = i => { const d = new Date(T[i]); return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`; };
const read = (id, text) => { const line = $("#read-" + id); if (line) line.textContent = text; };
