// ---- luck meters: one circumstance changed in many ways; the large dot and the dotted line are the variant as run
const C = D.circumstances;
const hundredth = v => v.map(x => x / 100);
const ownGap = () => 100 * V[state.sel].parts[V[state.sel].parts.length - 1][2];
function fanRange() {
  const F = V[state.sel].fans, all = [...F.decision_days, ...F.delays, ...F.costs, ...F.neighbours].map(x => x / 100);
  return padded([0, ownGap(), ...all], .08);
}
function fan(x, y, { isLine = false, at = null, range, xaxis, bottom = 30 }) {
  const own = ownGap();
  return {
    still: true,
    data: [
      {
        x, y, mode: isLine ? "lines+markers" : "markers", hoverinfo: "skip",
        line: { color: token("faint"), width: 1.4 }, marker: { size: 6.5, color: token("muted") },
      },
      ...(at === null ? [] : [{ x: [at], y: [own], mode: "markers", hoverinfo: "skip", cliponaxis: false, marker: { size: 11, color: token("sel") } }]),
    ],
    layout: frame({
      margin: { l: 30, r: 8, t: TOP, b: bottom }, xaxis, yaxis: valueAxis([0, 1], range, plain, {}, 5),
      shapes: [level("y", 0), { ...level("y", own), line: { color: token("sel"), width: 1.4, dash: "2px,2px" } }],
    }),
  };
}
function startsChart() {
  const y = hundredth(V[state.sel].fans.starts), L = frame({});
  const part = pick => y.map(v => pick(v, 0));
  const filled = (v, tone) => ({ x: C.starts, y: v, mode: "lines", hoverinfo: "skip", fill: "tozeroy", fillcolor: faded(tone, .22), line: { width: 0 } });
  return {
    still: true,
    data: [
      filled(part(Math.max), "muted"), filled(part(Math.min), "muted"),
      { x: C.starts, y, mode: "lines", hoverinfo: "skip", line: { color: token("muted"), width: 1.5 } },
      { x: [C.starts[0]], y: [ownGap()], mode: "markers", hoverinfo: "skip", cliponaxis: false, marker: { size: 11, color: token("sel") } },
    ],
    layout: {
      ...L, margin: { l: 30, r: 8, t: TOP, b: 30 },
      xaxis: { ...base(8).xaxis, ...yearTicks(C.starts), range: [C.starts[0], C.starts[C.starts.length - 1]] },
      yaxis: valueAxis([0, 1], padded([0, ...y], .08), plain, {}, 7), shapes: [level("y", 0)],
    },
  };
}
function yearTicks(days) {
  const from = +days[0].slice(0, 4) + 1, to = +days[days.length - 1].slice(0, 4), step = [1, 2, 5, 10, 20].find(n => (to - from) / n <= 5) || 50;
  const years = [];
  for (let y = Math.ceil(from / step) * step; y <= to; y += step) years.push(y);
  return { tickvals: years.map(y => y + "-01-01"), ticktext: years.map(String) };
}
const equal = labels => across([-.5, labels.length - .5], k => labels[k], "", {}, labels.map((_, k) => k));
const daysChart = () => fan(C.decision_days, hundredth(V[state.sel].fans.decision_days), {
  range: fanRange(), xaxis: across([-1, C.decision_days.length], plain, "sessions after the month’s last", {}, [0, 5, 10, 15, 20]), bottom: 42,
});
const ownDelay = () => { const k = C.delays.indexOf(V[state.sel].fans.own.delay); return k < 0 ? null : k; };
const delaysChart = () => fan(C.delays.map((_, k) => k), hundredth(V[state.sel].fans.delays), {
  isLine: true, at: ownDelay(), range: fanRange(), xaxis: equal(C.delays.map(String)),
});
const costsChart = () => fan(C.costs, hundredth(V[state.sel].fans.costs), {
  isLine: true, at: V[state.sel].fans.own.cost, range: fanRange(), xaxis: across(padded(C.costs, .04), plain, "", {}, [0, 10, 20, 30, 40, 50]),
});
function neighboursChart() {
  const F = V[state.sel].fans, y = hundredth(F.neighbours);
  return fan(F.near.map((_, k) => k), y, { range: fanRange(), bottom: 86, xaxis: { ...equal(F.near.map(esc)), tickangle: -60, tickfont: { size: 10 } } });
}
