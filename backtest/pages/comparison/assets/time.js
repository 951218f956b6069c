// ---- through time: relative to the benchmark, growth, drawdown; a shorter period starts everything at the same money
const LIKELY = 1.96;
const MOST_CUT = .03;                         // of the quiet curves' points: the worst few do not flatten the rest
const GRID = [.05, .1, .2, .3, .5, .7, .85, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100];
const DASH = { "kept-0": "6px,3px", "kept-1": "2px,2px", "kept-2": "9px,3px", "kept-3": "1px,3px" };
const MIX_DASH = ["4px,2px", "1px,2px", "8px,3px"];
const benchmarkDash = b => b.tone === "mix" ? MIX_DASH[b.nth % 3] : ["solid", "6px,2px", "1px,2px"][b.nth % 3];

function drawn(log) {
  if (state.view === "fall") { let peak = -Infinity; return log.map(x => 100 * Math.expm1(x - (peak = Math.max(peak, x)))); }
  const other = state.view === "relative" ? benchmarkLogs[0] : null, start = log[state.a] - (other ? other[state.a] : 0);
  return log.map((x, k) => Math.exp(x - (other ? other[k] : 0) - start));
}
// All the quiet curves are one trace with gaps, every second or fourth point of it: 200 traces would take seconds.
function quietCurves(list) {
  const skip = N > 40 ? 4 : 2, x = [], y = [];
  for (const i of list) {
    const v = drawn(logs(i));
    for (let k = state.a; k <= state.b; k += skip) { x.push(X[k]); y.push(v[k]); }
    x.push(null); y.push(null);
  }
  return { ...line([], token("quiet"), { line: { width: N > 40 ? .5 : .8 }, opacity: N > 40 ? .4 : .6 }), x, y };
}
// Where a variant with the selected one's tracking error and no skill stays 95% of the time.
function cone() {
  const half = T.map(t => LIKELY * V[state.sel].error * Math.sqrt(Math.max(0, t - T[state.a]) / YEAR));
  const edge = sign => line(half.map(h => Math.exp(sign * h)), "rgba(0,0,0,0)", { line: { width: 0 } });
  return [edge(-1), { ...edge(1), fill: "tonexty", fillcolor: token("cone") }];
}
function valueRange(front, quiet) {
  const rest = quiet.filter(x => x !== null).sort((p, q) => p - q), values = front.flatMap(visible);
  if (rest.length) values.push(rest[Math.floor((rest.length - 1) * MOST_CUT)], rest[rest.length - 1]);
  return extent(values);
}
function timeChart() {
  const L = base(12), isFall = state.view === "fall", isRelative = state.view === "relative";
  const marks = D.benchmarks.map((b, k) => ({ b, v: drawn(benchmarkLogs[k]) })).slice(isRelative ? 1 : 0);
  const front = inFront().map(i => ({ i, v: drawn(logs(i)) })), quiet = quietCurves(others());
  let [low, high] = valueRange([...marks, ...front].map(c => c.v), quiet.y);
  if (isFall) [low, high] = [low * 1.04, 1]; else { low = Math.log10(low) - .015; high = Math.log10(high) + .015; }
  const at = isFall ? linearTicks(low, 0, 5) : steps(low, high), text = at.map(x => isFall ? plain(x) + " %" : plain(x));
  timeChart.range = [low, high];
  return {
    still: true,
    data: [
      ...(isRelative ? cone() : []), quiet,
      ...marks.map(({ b, v }) => line(v, token(b.tone), { line: { width: 1.2, dash: benchmarkDash(b) } })),
      ...front.map(({ i, v }) => line(v, token(role(i)), { line: { width: i === state.sel ? 2.2 : 1.7, dash: DASH[role(i)] || "solid" } })),
    ],
    layout: {
      ...L, yaxis: axis({ type: isFall ? "linear" : "log", range: [low, high], tickmode: "array", tickvals: at, ticktext: text }),
      shapes: isFall ? [] : [{ ...level("y", 1), line: { color: token(isRelative ? D.benchmarks[0].tone : "faint"), width: isRelative ? 1.4 : 1 } }],
    },
  };
}
function steps(low, high) {
  const inside = GRID.filter(x => Math.log10(x) >= low && Math.log10(x) <= high);
  return inside.length > 2 && inside.length < 11 ? inside : logTicks(low, high);
}
const TIME_NOTES = {
  relative: () => `Above 1: ahead of ${D.benchmark} since the start of the period. Shaded: where a variant with the selected one’s ` +
    "tracking error and no skill stays 95\u00a0% of the time. Lines wander that far by luck alone.",
  growth: () => "Logarithmic: equal steps are equal percentages.",
  fall: () => "Weekly points; the table has the worst fall of all sessions.",
};
