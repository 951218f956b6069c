// ---- exposure or timing: the variants over the line of constant mixes, and what the selected one's difference is made of
const ENDS = { 0: "growth", 100: "small" };
function frontierChart() {
  const rest = others(), front = inFront(), sel = V[state.sel], percent = x => 100 * x;
  const points = (list, extra) => ({
    x: list.map(i => percent(V[i].share)), y: list.map(i => percent(V[i].growth)), mode: "markers", hoverinfo: "none",
    customdata: list.map(i => [i, `${V[i].name}: ${fixed(percent(V[i].growth), 1)} % a year, ${fixed(percent(V[i].share), 0)} % small` + (V[i].timing ? `, timing ${signed(percent(V[i].timing[0]))}` : "")]), ...extra,
  });
  const known = D.frontier.share.map((s, k) => [percent(s), D.frontier.growth[k]]).filter(p => p[1] !== null);
  const mix = sel.timing ? percent(sel.growth - sel.timing[0]) : null, x = percent(sel.share), y = percent(sel.growth);
  const reach = sel.timing ? [percent(sel.growth + sel.timing[1] - sel.timing[0]), percent(sel.growth + sel.timing[2] - sel.timing[0])] : [];
  const ys = [...V.map(v => percent(v.growth)), ...known.map(p => percent(p[1])), ...reach].sort((p, q) => p - q);
  const pad = (ys[ys.length - 1] - ys[0] || 1) * .06, half = Math.floor(known.length / 2);
  const leg = (part, tone) => ({ x: part.map(p => p[0]), y: part.map(p => percent(p[1])), mode: "lines", hoverinfo: "skip", line: { color: token(tone), width: 2.4 } });
  const mark = (y0, y1, width) => ({ type: "line", x0: x, x1: x, y0, y1, line: { color: token("sel"), width } });
  return {
    data: [
      leg(known.slice(0, half + 1), "growth"), leg(known.slice(half), "small"),
      points(rest, { marker: { size: N > 40 ? 5 : 8, color: token("muted"), opacity: .6 } }),
      ...(mix === null ? [] : [{ x: [x], y: [mix], mode: "markers", hoverinfo: "skip", marker: { symbol: "circle-open", size: 9, color: token("sel"), line: { width: 2 } } }]),
      ...front.map(i => points([i], { marker: { size: i === state.sel ? 13 : 10, color: token(role(i)), line: { color: token("paper"), width: 1.5 } } })),
    ],
    layout: frame({
      margin: { l: LEFT, r: 26, t: TOP, b: 42 },
      xaxis: across([-3, 103], t => ENDS[t] ? `<span style="color:${token(ENDS[t])}">all ${ENDS[t]}</span>` : t + " %", "average share of small caps", { ticks: "outside" }, [0, 20, 40, 60, 80, 100]),
      yaxis: valueAxis([0, 1], [ys[0] - pad, ys[ys.length - 1] + pad], t => plain(t) + " %", {}, 6),
      shapes: mix === null ? [] : [mark(reach[0], reach[1], 1), mark(mix, y, 2.6)],
    }),
  };
}
function partsChart(el) {
  const rows = V[state.sel].parts, tones = { "choice of growth leg": "growth", "holding small caps": "small", "timing, before costs": "sel", costs: "quiet", together: "ink" };
  let sum = 0;
  const bars = rows.map(([what, text, value]) => { const from = what === "together" ? 0 : sum; sum = what === "together" ? sum : sum + value; return { what, text, from: 100 * from, size: 100 * value }; });
  const ends = bars.flatMap(b => [b.from, b.from + b.size, 0]), low = Math.min(...ends), high = Math.max(...ends), isTight = width(el) < 420, pad = (high - low || 1) * (isTight ? .26 : .16);
  return {
    still: true,
    data: [{
      type: "bar", orientation: "h", y: bars.map(b => b.what), x: bars.map(b => b.size), base: bars.map(b => b.from), hoverinfo: "skip",
      marker: { color: bars.map(b => token(tones[b.what])) }, text: bars.map(b => b.text), textposition: "outside", cliponaxis: false,
      textfont: { size: 12, color: token("ink") },
    }],
    layout: frame({
      margin: { l: isTight ? 124 : 140, r: 12, t: TOP, b: 42 }, bargap: .4,
      xaxis: across([low - pad, high + pad], plain, "points a year", { zeroline: true, zerolinecolor: token("faint") }),
      yaxis: axis({ autorange: "reversed", showgrid: false, tickfont: { size: isTight ? 11 : 12 } }),
    }),
  };
}
