// ---- the paths: all of them thin, the benchmark in front; below, where each one's figures stand
const HELD = D.paths ? [[D.curves[1][0], "ink", D.held[0]], ["best in sample", "mix", D.held[1]]] : [];
function drawPaths() {
  state.a = 0;
  const thin = D.paths.map(v => line(v, faded("sel", D.paths.length > 20 ? .35 : .6), { line: { width: 1 } }));
  show("paths", [...thin, ...[...HELD].reverse().map(styled)], { ...base(12), yaxis: growthAxis([...D.paths, ...D.held]) }, narrow.matches ? 280 : 340);
  drawStrips();
}
// One line for each figure, on a scale of its own: a dot is a path, the stroke the benchmark, the diamond the best in sample.
function drawStrips() {
  const n = D.strips.length, tall = 1 / n, { xaxis, ...layout } = base(12), data = [];
  Object.assign(layout, { shapes: [], annotations: [], margin: { ...layout.margin, l: 12, t: 4 } });
  D.strips.forEach(([name, isShare, v, held, best], k) => {
    const id = k ? k + 1 : "", f = isShare ? 100 : 1, x = v.filter(each => each !== null).map(each => each * f);
    const low = 1 - (k + 1) * tall + .11, [from, to] = span([[...x, held * f, best * f]], .06), ticks = linearTicks(from, to, narrow.matches ? 4 : 8);
    const spread = x.length > 12 ? .5 : 0, y = x.map((_, j) => .5 + spread * ((j * .618034) % 1 - .5));
    const mark = (at, up, marker) => data.push({ type: "scatter", mode: "markers", x: at, y: up, xaxis: "x" + id, yaxis: "y" + id, hoverinfo: "skip", cliponaxis: false, marker });
    if (x.length) mark(x, y, { size: 9, color: faded("sel", .55) });
    if (best !== null) mark([best * f], [.5], { size: 12, symbol: "diamond", color: token("mix"), line: { color: token("paper"), width: 1 } });
    layout["xaxis" + id] = axis({ anchor: "y" + id, range: [from, to], showgrid: false, linecolor: token("faint"), ticks: "outside", tickcolor: token("faint"), ticklen: 4, tickmode: "array", tickvals: ticks, ticktext: ticks.map(t => plain(t) + (isShare ? "%" : "")) });
    layout["yaxis" + id] = axis({ anchor: "x" + id, domain: [low, 1 - k * tall - .08], range: [0, 1], visible: false });
    if (held !== null) layout.shapes.push({ type: "line", xref: "x" + id, yref: "y" + id, x0: held * f, x1: held * f, y0: 0, y1: 1, line: { color: token("ink"), width: 2 } });
    layout.annotations.push(title(esc(name), 1 - k * tall - .08));
  });
  show("strips", data, layout, 100 * n);
}
const readPaths = k => {
  const [lowest, median, highest] = D.range.map(v => written(v[k]));
  return entry("paths", "sel", `${lowest} to ${highest}`) + `<span>median <b>${median}</b></span> ` + HELD.map(([name, tone, v]) => entry(name, tone, written(v[k]))).join("");
};
