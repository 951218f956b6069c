// ---- axes and traces. Margins, ranges and ticks are all explicit, so that x <-> date is arithmetic and no private
// field of plotly is read; colours come from the CSS tokens at each draw (plotly needs hex or rgba).
const LEFT = 46;
const TOP = 8;
const BOTTOM = 26;
const token = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const faded = (name, alpha) => {
  const hex = token(name);
  return `rgba(${[1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16)).join(",")},${alpha})`;
};

function linearTicks(low, high, count = 5) {
  const raw = (high - low) / count, ten = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find(m => m * ten >= raw * .999) * ten, ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(+(k * step).toPrecision(12));
  return ticks;
}
function logTicks(low, high) {
  const decades = high - low;
  const steps = decades > 1.2 ? [1, 2, 5] : decades > .5 ? [1, 1.5, 2, 3, 5, 7] : [1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9];
  const ticks = [];
  for (let e = Math.floor(low); e <= high; e++) for (const m of steps) ticks.push(+(m * 10 ** e).toPrecision(12));
  const inside = ticks.filter(t => Math.log10(t) >= low && Math.log10(t) <= high);
  return inside.length > 2 ? inside : linearTicks(10 ** low, 10 ** high);
}
// Plotly's own date ticks break into two lines, below the margin; these say year, month or day by what is shown.
function dateTicks(most) {
  const from = T[state.a], to = T[state.b], days = (to - from) / DAY, values = [], texts = [];
  const add = (t, text) => { if (t >= from && t <= to) { values.push(new Date(t).toISOString().slice(0, 10)); texts.push(text); } };
  const step = [1, 2, 3, 6, 12, 24, 60, 120, 240].find(m => days / 30.44 / m <= most);
  if (days / 30.44 < 3) {
    const every = [1, 2, 7, 14, 28].find(n => days / n <= most);
    for (let t = from; t <= to; t += every * DAY) { const d = new Date(t); add(t, `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`); }
    return { values, texts };
  }
  const first = new Date(from), start = first.getUTCFullYear() * 12 + first.getUTCMonth();
  for (let m = Math.ceil(start / step) * step; Date.UTC(0, m) && m / 12 < 4000; m += step) {
    const t = Date.UTC(Math.floor(m / 12), m % 12, 1);
    if (t > to) break;
    add(t, step >= 12 ? `${Math.floor(m / 12)}` : `${MONTHS[m % 12]} ${Math.floor(m / 12)}`);
  }
  return { values, texts };
}
const span = (list, pad, include = []) => {
  let low = Infinity, high = -Infinity;
  for (const x of [...list.map(visible), include].flat()) { low = Math.min(low, x); high = Math.max(high, x); }
  if (low > high) [low, high] = [0, 1];
  const margin = (high - low || Math.abs(high) * .01 || 1) * pad;
  return [low - margin, high + margin];
};

function base(right) {
  const at = dateTicks(narrow.matches && !state.paper ? 5 : 8);
  return {
    font: { family: token("sans"), size: narrow.matches ? 11 : 12, color: token("muted") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: false, dragmode: false,
    margin: { l: LEFT, r: right, t: TOP, b: BOTTOM },
    xaxis: {
      type: "date", range: [X[state.a], X[state.b]], fixedrange: true, showgrid: false, automargin: false,
      linecolor: token("faint"), ticks: "outside", tickcolor: token("faint"), ticklen: 4,
      tickmode: "array", tickvals: at.values, ticktext: at.texts,
    },
  };
}
// tickmode is given since an axis that overlays another takes that one's ticks otherwise.
const axis = extra => ({ fixedrange: true, tickmode: "auto", gridcolor: token("grid"), zeroline: false, automargin: false, ...extra });
const unseen = domain => axis({ domain, range: [0, 1], visible: false });
const valueAxis = (domain, [low, high], text, extra, count = 4) => {
  const at = linearTicks(low, high, count);
  return axis({ domain, range: [low, high], tickmode: "array", tickvals: at, ticktext: at.map(text), ...extra });
};
const plain = x => (x < 0 ? "−" : "") + +Math.abs(x).toPrecision(8);

const line = (v, color, extra = {}) => ({
  type: "scatter", mode: "lines", x: X, y: v, hoverinfo: "skip", connectgaps: false, ...extra, line: { color, width: 1.2, ...extra.line },
});
// A share as a step area: few points, and right for any share between 0 and 1; rectangles are neither.
const area = (pick, fillcolor, yaxis) => ({
  type: "scatter", mode: "lines", yaxis, hoverinfo: "skip", fill: "tozeroy", fillcolor, line: { width: 0, shape: "hv" },
  x: [...held.map(h => X[h.row]), X[LAST]], y: [...held.map(pick), pick(held[held.length - 1])],
});
const tint = yaxis => D.tinted ? [area(h => h.small, token("small-wash"), yaxis)] : [];
// Markers outside an axis are dropped, `cliponaxis` or not: the cuts have an axis of their own above the plot.
const cutMarks = yaxis => ({
  type: "scatter", mode: "markers", x: D.cuts.map(c => X[c[0]]), y: D.cuts.map(() => .5), yaxis, hoverinfo: "skip", cliponaxis: false,
  marker: { symbol: "triangle-down", size: narrow.matches ? 6 : 7, color: token("ink") },
});
const markAxis = () => unseen([.97, 1]);
const EIGHT_YEARS = 8 * 366 * DAY;      // beyond, the lines of a cycle merge into what looks like a tint
const cutLines = (y0, y1) => (T[state.b] - T[state.a] > EIGHT_YEARS ? [] : D.cuts).map(c => ({
  type: "line", xref: "x", yref: "paper", x0: X[c[0]], x1: X[c[0]], y0, y1, layer: "below", line: { color: token("faint"), width: 1, dash: "2px,2px" },
}));
const level = (yref, y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: y, y1: y, line: { color: token("ink"), width: 1 } });
const title = (text, y, extra) => ({
  text, xref: "paper", yref: "paper", x: 0, y, xanchor: "left", yanchor: "bottom", showarrow: false,
  font: { size: narrow.matches ? 11 : 12, color: token("ink") }, ...extra,
});
