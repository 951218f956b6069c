// ---- the chart through time under pointer, touch and keyboard: a crosshair, a readout that is the legend, a click that
// selects the nearest curve. Margins and ranges are explicit, so that px <-> value is arithmetic.
const NEAR = 28;                              // px from which a click is at no curve
const swatch = (tone, text, value) => {
  const item = document.createElement("span");
  item.append(Object.assign(document.createElement("i"), { className: "line-swatch " + tone }), text + " ");
  item.append(Object.assign(document.createElement("b"), { textContent: value }), " ");
  return item;
};
const worded = x => state.view === "fall" ? fixed(x, 1) + " %" : fixed(x, 2);
function point(k) {
  state.at = k;
  const el = $("#chart-time"), i = k === null ? state.b : k;
  const cross = $(".cross", el) || el.appendChild(Object.assign(document.createElement("div"), { className: "cross" }));
  cross.style.display = k === null ? "none" : "block";
  cross.style.left = LEFT + (T[i] - T[state.a]) / (T[state.b] - T[state.a]) * (el.clientWidth - LEFT - 12) + "px";
  const line = $("#read-time"), date = document.createElement("span");
  date.append(state.a ? day(state.a) + " to " : "", Object.assign(document.createElement("b"), { textContent: day(i) }), " ");
  const front = [state.sel, ...state.kept.filter(i => i !== state.sel)].map(v => swatch(role(v), V[v].name, worded(drawn(logs(v))[i])));
  const marks = D.benchmarks.map((b, n) => swatch(b.tone, b.label, worded(drawn(benchmarkLogs[n])[i])));
  line.replaceChildren(date, ...[...front, ...marks].flatMap(item => [item, " "]));
}
function nearestCurve(e, el, k) {
  const [low, high] = timeChart.range, plot = el.clientHeight - TOP - BOTTOM, box = el.getBoundingClientRect();
  const y = v => TOP + (high - (state.view === "fall" ? v : Math.log10(v))) / (high - low) * plot;
  let best = null, least = NEAR;
  V.forEach((_, i) => { const gap = Math.abs(y(drawn(logs(i))[k]) - (e.clientY - box.top)); if (gap < least) [best, least] = [i, gap]; });
  return best;
}
function listenTime(el) {
  const where = e => {
    const share = (e.clientX - el.getBoundingClientRect().left - LEFT) / (el.clientWidth - LEFT - 12);
    return Math.min(state.b, Math.max(state.a, nearest(T[state.a] + share * (T[state.b] - T[state.a]))));
  };
  el.addEventListener("pointermove", e => point(where(e)));
  el.addEventListener("pointerdown", e => point(where(e)));
  el.addEventListener("click", e => { const i = nearestCurve(e, el, where(e)); if (i !== null) select(i); });
  el.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") point(null); });
  el.addEventListener("focusout", () => point(null));
  el.addEventListener("keydown", e => {
    const now = state.at ?? state.b, n = e.shiftKey ? 13 : 1, to = { ArrowLeft: now - n, ArrowRight: now + n, Home: state.a, End: state.b }[e.key];
    if (e.key === "Escape") setPeriod(0);
    else if (to !== undefined) { e.preventDefault(); point(Math.min(state.b, Math.max(state.a, to))); }
  });
}
function setPeriod(a) {
  state.a = a;
  state.at = null;
  $$(".ranges button").forEach(b => b.setAttribute("aria-pressed", +b.dataset.a === a));
  redraw(["time"]);
}
function addPeriods() {
  const group = $(".ranges");
  for (const [text, years] of [["All", Infinity], ["10y", 10], ["5y", 5], ["1y", 1]]) {
    const a = years === Infinity ? 0 : nearest(T[LAST] - years * YEAR);
    if (!a && years !== Infinity) continue;
    const one = Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: () => setPeriod(a) });
    one.dataset.a = a;
    one.setAttribute("aria-pressed", a === 0);
    group.append(one);
  }
}
