// ---- exposure or timing: the variants over the line of constant mixes, and what the selected one's difference is made of
const ENDS = { 0: "growth", 100: "small" };
const end = t => ENDS[t] ? `<span style="color:${token(ENDS[t])}">all ${ENDS[t]}</span>` : t + " %";
const PART_TONES = {
  "choice of growth leg": "growth", "holding small caps": "small", "timing, before costs": "sel", costs: "quiet", together: "ink",
};
function frontierChart() {
  const rest = others(), front = inFront(), sel = V[state.sel], percent = x => 100 * x;
  const points = (list, extra) => ({
    x: list.map(i => percent(V[i].share)), y: list.map(i => percent(V[i].growth)), mode: "markers", hoverinfo: "none",
    customdata: list.map(i => [i, V[i].words.frontier]), ...extra,
  });
  const known = D.frontier.share.map((s, k) => [percent(s), D.frontier.growth[k]]).filter(p => p[1] !== null);
  const mix = sel.timing ? percent(sel.growth - sel.timing[0]) : null, x = percent(sel.share), y = percent(sel.growth);
  const reach = sel.timing ? [1, 2].map(k => percent(sel.growth + sel.timing[k] - sel.timing[0])) : [];
  const range = padded([...V.map(v => percent(v.growth)), ...known.map(p => percent(p[1])), ...reach], .06);
  const half = Math.floor(known.length / 2), mark = (y0, y1, width) => rule(x, y0, x, y1, "sel", { line: { width } });
  const leg = (part, tone) => ({
    x: part.map(p => p[0]), y: part.map(p => percent(p[1])), mode: "lines", hoverinfo: "skip", line: { color: token(tone), width: 2.4 },
  });
  const ring = { symbol: "circle-open", size: 9, color: token("sel"), line: { width: 2 } };
  return {
    data: [
      leg(known.slice(0, half + 1), "growth"), leg(known.slice(half), "small"),
      points(rest, { marker: { size: N > 40 ? 5 : 8, color: token("muted"), opacity: .6 } }),
      ...(mix === null ? [] : [{ x: [x], y: [mix], mode: "markers", hoverinfo: "skip", marker: ring }]),
      ...front.map(i => points([i], { marker: { size: i === state.sel ? 13 : 10, color: token(role(i)), line: { color: token("paper"), width: 1.5 } } })),
    ],
    layout: frame({
      margin: { l: LEFT, r: 26, t: TOP, b: 42 },
      xaxis: across([-3, 103], end, "average share of small caps", { ticks: "outside" }, [0, 20, 40, 60, 80, 100]),
      yaxis: valueAxis([0, 1], range, t => plain(t) + " %", {}, 6),
      shapes: mix === null ? [] : [mark(reach[0], reach[1], 1), mark(mix, y, 2.6)],
    }),
  };
}
function partsChart(el) {
  let sum = 0;
  const bars = V[state.sel].parts.map(([what, text, value]) => {
    const from = what === "together" ? 0 : sum;
    sum += value;
    return { what, text, from: 100 * from, size: 100 * value };
  });
  const isTight = width(el) < 420, range = padded(bars.flatMap(b => [b.from, b.from + b.size, 0]), isTight ? .26 : .16);
  return {
    still: true,
    data: [{
      type: "bar", orientation: "h", y: bars.map(b => b.what), x: bars.map(b => b.size), base: bars.map(b => b.from), hoverinfo: "skip",
      marker: { color: bars.map(b => token(PART_TONES[b.what])) }, text: bars.map(b => b.text), textposition: "outside", cliponaxis: false,
      textfont: { size: 12, color: token("ink") },
    }],
    layout: frame({
      margin: { l: isTight ? 124 : 140, r: 12, t: TOP, b: 42 }, bargap: .4,
      xaxis: across(range, plain, "points a year", { zeroline: true, zerolinecolor: token("faint") }),
      yaxis: axis({ autorange: "reversed", showgrid: false, tickfont: { size: isTight ? 11 : 12 } }),
    }),
  };
}
