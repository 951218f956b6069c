// ---- the grid: each cell, mean and worst of its neighbourhood, on one colour scale so that smoothing does not stretch it
const G = D.grid;
const UNIT = { growth: 100, sharpe: 1000 };
const told = v => state.figure === "growth" ? signed(v, 1) + " pts" : signed(v, 2);
const place = (row, column) => `${G.keys[0]} ${G.columns[column]}` + (G.keys.length > 1 ? `, ${G.keys[1]} ${G.rows[row]}` : "");
function surface(name) { return G[state.figure][name][state.slice].map(row => row.map(x => x / UNIT[state.figure])); }
function extreme(z) {
  let best = [0, 0];
  z.forEach((row, r) => row.forEach((v, c) => { if (v > z[best[0]][best[1]]) best = [r, c]; }));
  return best;
}
function ticked(levels, most) {
  const every = Math.ceil(levels.length / most);
  return { tickmode: "array", tickvals: levels.map((_, k) => k).filter(k => k % every === 0), ticktext: levels.filter((_, k) => k % every === 0).map(esc) };
}
function planeChart(el) {
  const z = surface(state.surface), each = surface("cell"), peak = extreme(each), plateau = G[state.figure].plateau, isHere = plateau[0] === state.slice;
  const all = G[state.figure].cell.flat(2).map(x => Math.abs(x) / UNIT[state.figure]).sort((p, q) => p - q), top = all[Math.floor((all.length - 1) * .9)] || 1;
  const ringed = [];
  G.apart[state.slice].forEach((row, r) => row.forEach((v, c) => { if (v) ringed.push([c, r]); }));
  const at = G.at[state.slice], chosen = [];
  at.forEach((row, r) => row.forEach((i, c) => { if (i === state.sel) chosen.push([c, r]); }));
  const marks = (list, marker) => ({ x: list.map(p => p[0]), y: list.map(p => p[1]), mode: "markers", hoverinfo: "skip", marker });
  const left = narrow.matches ? 52 : 64, cellHeight = (el.clientHeight - 60) / G.rows.length;
  return {
    height: Math.min(460, Math.max(220, G.rows.length * 40 + 60)),
    data: [
      {
        type: "heatmap", z, zmin: -top, zmax: top, xgap: 1, ygap: 1, hoverinfo: "none",
        colorscale: [[0, thinned("loss", .6)], [.5, token("paper")], [1, thinned("gain", .6)]],
        customdata: z.map((row, r) => row.map((v, c) => [at[r][c], `${place(r, c)}: ${told(v)}`])),
        colorbar: { thickness: 8, len: .9, outlinewidth: 0, tickvals: [-top, 0, top], ticktext: [told(-top), "0", told(top)], tickfont: { size: 10 }, xpad: 4 },
      },
      marks(ringed, { symbol: "circle-open", size: 6, color: token("muted"), line: { width: 1 } }),
      marks(isHere ? [[plateau[2], plateau[1]]] : [], { symbol: "diamond", size: 12, color: token("ink"), line: { color: token("paper"), width: 1.5 } }),
      marks([[peak[1], peak[0]]], { symbol: "square-open", size: Math.min(18, Math.max(10, cellHeight * .6)), color: token("ink"), line: { width: 2.2 } }),
      marks(chosen, { symbol: "x-thin-open", size: 9, color: token("sel"), line: { width: 2.4 } }),
    ],
    layout: frame({
      margin: { l: left, r: 76, t: TOP, b: 42 },
      xaxis: { ...across([-.5, G.columns.length - .5], plain, esc(G.keys[0])), ...ticked(G.columns, narrow.matches ? 6 : 13), showgrid: false },
      yaxis: {
        ...axis({ range: [-.5, G.rows.length - .5], showgrid: false }), ...ticked(G.rows, 12),
        title: { text: esc(G.keys[1]), font: { size: 11 }, standoff: 4 },
      },
    }),
  };
}
function lineChart() {
  const cell = surface("cell")[0], mean = surface("mean")[0], worst = surface("worst")[0], x = cell.map((_, k) => k), at = G.at[0][0];
  const bars = at.map(i => i < 0 ? null : state.figure === "sharpe" ? V[i].sharpe : V[i].difference.map(x => 100 * x));
  const range = padded([...cell, ...worst, 0, ...bars.flatMap(b => b ? [b[1], b[2]] : [])], .06);
  const words = k => `${place(0, k)}: ${told(cell[k])}; mean with its neighbours ${told(mean[k])}, worst ${told(worst[k])}`;
  const tone = i => i < 0 ? "quiet" : role(i) === "quiet" ? "ink" : role(i);
  const curve = (y, name, extra) => ({ x, y, mode: "lines", hoverinfo: "skip", line: { color: token(name), width: 1.4, ...extra } });
  return {
    height: 340,
    data: [
      { ...curve(bars.flatMap(b => b ? [b[1], b[2], null] : [null, null, null]), "rule", { width: 3 }), x: x.flatMap(k => [k, k, null]) },
      curve(worst, "faint", { dash: "2px,2px" }), curve(mean, "muted", { width: 2.4 }),
      {
        x, y: cell, mode: "markers", hoverinfo: "none", customdata: x.map(k => [at[k], words(k)]),
        marker: { size: at.map(i => i === state.sel ? 12 : 8), color: at.map(i => token(tone(i))) },
      },
    ],
    layout: frame({
      margin: { l: LEFT, r: 12, t: 22, b: 42 },
      xaxis: { ...across([-.5, x.length - .5], plain, esc(G.keys[0])), ...ticked(G.columns, narrow.matches ? 6 : 14) },
      yaxis: valueAxis([0, 1], range, plain, {}, 6), shapes: [level("y", 0)],
      annotations: [title("thick: mean of three; dotted: worst of three", 1, { x: 1, xanchor: "right", font: { size: 11, color: token("muted") } })],
    }),
  };
}
function meansChart(el) {
  const stacked = narrow.matches && !state.paper, n = G.means.length, gap = .09, data = [];
  const range = padded([0, ...G.means.flatMap(m => m[2])], .1), layout = frame({ margin: { l: LEFT, r: 12, t: TOP, b: 42 }, shapes: [] });
  G.means.forEach(([name, levels, mean], k) => {
    const id = k ? k + 1 : "", share = [k / n + (k ? gap / 2 : 0), (k + 1) / n - (k < n - 1 ? gap / 2 : 0)], x = levels.map((_, j) => j);
    data.push({
      x, y: mean, xaxis: "x" + id, yaxis: "y" + id, mode: "lines+markers", hoverinfo: "skip",
      line: { color: token("muted"), width: 1.6 }, marker: { size: 6, color: token("ink") },
    });
    layout["xaxis" + id] = {
      ...across([-.5, levels.length - .5], plain, esc(name), { anchor: "y" + id, domain: stacked ? [0, 1] : share, showgrid: false }),
      ...ticked(levels, stacked ? 7 : Math.floor(16 / n)),
    };
    layout["yaxis" + id] = valueAxis(stacked ? [1 - (k + 1) / n + .14, 1 - k / n] : [0, 1], range, plain, { anchor: "x" + id }, 4);
    layout.shapes.push(rule(-.5, 0, levels.length - .5, 0, "ink", { xref: "x" + id, yref: "y" + id }));
  });
  return { still: true, height: stacked ? 190 * n : 220, data, layout };
}
const gridChart = el => G.keys.length > 1 ? planeChart(el) : lineChart();
