// ---- drawing: a chart is drawn when it comes near the screen, again when the selection, the colours or the width change
const frame = ({ xaxis, ...rest }) => ({ ...base(12), hovermode: "closest", xaxis: xaxis || {}, ...rest });
const across = (range, text, words, extra = {}, ticks = null) => {
  const at = ticks || linearTicks(range[0], range[1], narrow.matches && !state.paper ? 5 : 8);
  return {
    ...axis({ range, tickmode: "array", tickvals: at, ticktext: at.map(text), linecolor: token("faint"), ticks: "", ...extra }),
    ...(words ? { title: { text: words, font: { size: 12 }, standoff: 6 } } : {}),
  };
};
// A colour thinned with paper: heatmaps need opaque ones, and full strength would shout.
const thinned = (name, share) => {
  const long = hex => hex.length < 7 ? hex.replace(/[^#]/g, "$&$&") : hex;
  const [own, paper] = [token(name), token("paper")].map(hex => [1, 3, 5].map(k => parseInt(long(hex).slice(k, k + 2), 16)));
  return `rgb(${own.map((x, k) => Math.round(share * x + (1 - share) * paper[k])).join(",")})`;
};
const rule = (x0, y0, x1, y1, tone, extra = {}) => ({ type: "line", x0, y0, x1, y1, ...extra, line: { color: token(tone), width: 1, ...extra.line } });
const upright = (x, tone, dash) => rule(x, 0, x, 1, tone, { yref: "paper", layer: "below", line: { width: tone === "sel" ? 1.5 : 1, dash } });
const label = (x, y, text, extra = {}) => ({
  x, y, text, showarrow: false, xanchor: "left", yanchor: "bottom", font: { size: 11, color: token("muted") }, ...extra,
});
const extent = values => values.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
const padded = (values, share) => { const [low, high] = extent(values), pad = (high - low || 1) * share; return [low - pad, high + pad]; };

// Names are measured in the page's own type: left margins are explicit, and nothing may be cut.
const pen = document.createElement("canvas").getContext("2d");
const widest = list => { pen.font = `600 12px ${token("sans")}`; return Math.ceil(Math.max(...list.map(i => pen.measureText(V[i].label).width))); };

// Before print an element's size is still the screen's: on paper a chart has the page or half of it.
const PAPER_WIDTH = 688, HALF_WIDTH = 330;
const HALVES = ["logits", "splits", "starts", "decision-days", "delays", "costs", "neighbours"];
const width = el => !state.paper ? el.clientWidth : HALVES.includes(el.id.slice("chart-".length)) ? HALF_WIDTH : PAPER_WIDTH;
const charts = {
  luck: luckChart, time: timeChart, frontier: frontierChart, parts: partsChart, logits: logitsChart, splits: splitsChart, alike: alikeChart,
  starts: startsChart, "decision-days": daysChart, delays: delaysChart, costs: costsChart, neighbours: neighboursChart, grid: gridChart, means: meansChart,
};
const METERS = ["starts", "decision-days", "delays", "costs", "neighbours"];
const STILL = ["logits", "splits", "means"];           // do not depend on the selection
const element = id => document.getElementById("chart-" + id);
const ready = new Set();
const NEAR_SCREEN = 500;                      // px from which a chart is drawn

function draw(id) {
  const el = element(id);
  if (METERS.includes(id)) {
    const has = V[state.sel].fans && (id !== "neighbours" || V[state.sel].fans.near.length);
    el.parentElement.classList.toggle("empty", !has);
    if (!has) { ready.add(id); return; }
  }
  const { data, layout, height, still, width: own } = charts[id](el);
  if (height) el.style.height = height + "px";
  const size = { width: own || width(el), height: height || el.clientHeight };
  Plotly.react(el, data, { ...layout, ...size }, { staticPlot: !!still, displayModeBar: false, responsive: false, doubleClick: false, showTips: false });
  if (!still && !el.dataset.heard) listen(el, id);
  ready.add(id);
  if (id === "time") point(state.at);
}
function listen(el, id) {
  el.dataset.heard = "1";
  el.on("plotly_hover", e => { const about = e.points[0]?.customdata; if (about) read(id, about[1]); });
  el.on("plotly_unhover", () => read(id, DEFAULT_READ[id]()));
  el.on("plotly_click", e => { const about = e.points[0]?.customdata; if (about && about[0] >= 0) select(about[0]); });
  read(id, DEFAULT_READ[id]());
}
const DEFAULT_READ = {
  luck: () => V[state.sel].words.luck,
  frontier: () => V[state.sel].words.frontier + "; the ring is its own constant mix",
  alike: () => "Point at a cell to read it; a click selects the variant of its row.",
  grid: () => `Point at a ${G.keys.length > 1 ? "cell" : "dot"} to read it; a click selects its variant.`,
};
// What is far from the screen is drawn again when it comes near: a choice answers at once among 200 variants too.
function redraw(ids = Object.keys(charts)) {
  for (const id of ids.filter(one => ready.has(one))) {
    const box = element(id).getBoundingClientRect();
    if (box.bottom < -NEAR_SCREEN || box.top > innerHeight + NEAR_SCREEN) { ready.delete(id); continue; }
    draw(id);
    if (DEFAULT_READ[id] && element(id).dataset.heard) read(id, DEFAULT_READ[id]());
  }
}
const drawAll = () => Object.keys(charts).forEach(id => { if (element(id)) draw(id); });

const watch = new IntersectionObserver(entries => {
  for (const entry of entries.filter(e => e.isIntersecting)) {
    const id = entry.target.id.slice("chart-".length);
    if (!ready.has(id)) draw(id);
  }
}, { rootMargin: NEAR_SCREEN + "px" });
