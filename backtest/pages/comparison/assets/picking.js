// ---- picking: where the winners of one half ended in the other
function logitsChart() {
  const S = D.overfitting, step = 2 * S.edge / S.shares.length, x = S.shares.map((_, k) => -S.edge + step * (k + .5));
  return {
    still: true,
    data: [{ type: "bar", x, y: S.shares, width: step * .9, hoverinfo: "skip", marker: { color: x.map(v => token(v < 0 ? "ink" : "quiet")) } }],
    layout: frame({
      margin: { l: 40, r: 8, t: 24, b: 42 },
      xaxis: across([-S.edge, S.edge], plain, "rank where not chosen, log odds"),
      yaxis: valueAxis([0, 1], [0, Math.max(...S.shares) * 1.06], v => plain(v) + " %", {}, 4),
      shapes: [rule(0, 0, 0, 1, "ink", { yref: "paper" })],
      annotations: [
        label(-S.edge, 1, "lower half", { yref: "paper", font: { size: 11, color: token("ink") } }),
        label(S.edge, 1, "upper half", { yref: "paper", xanchor: "right", font: { size: 11, color: token("muted") } }),
      ],
    }),
  };
}
function splitsChart() {
  const { inside, outside } = D.overfitting, pad = .06;
  const x = [Math.min(...inside) - pad, Math.max(...inside) + pad], y = [Math.min(...outside, 0) - pad, Math.max(...outside, 0) + pad];
  const from = Math.max(x[0], y[0]), to = Math.min(x[1], y[1]);
  return {
    still: true,
    data: [{ x: inside, y: outside, mode: "markers", hoverinfo: "skip", marker: { size: 4, color: token("ink"), opacity: .22 } }],
    layout: frame({
      margin: { l: 40, r: 8, t: 24, b: 42 },
      xaxis: across(x, v => plain(v), "where chosen"), yaxis: valueAxis([0, 1], y, plain, {}, 5),
      shapes: [
        rule(0, 0, 1, 0, "faint", { xref: "paper" }),
        ...(from < to ? [rule(from, from, to, to, "muted", { line: { dash: "2px,2px" } })] : []),
      ],
      annotations: [label(1, 1, "dotted: as good again", { xref: "paper", yref: "paper", xanchor: "right" })],
    }),
  };
}
// Alike variants stand beside each other; only one triangle was sent.
function alikeChart(el) {
  const { order, percent } = D.alike, n = order.length, many = n > 40 || narrow.matches && !state.paper;
  const z = order.map((_, r) => order.map((_, c) => { const v = r >= c ? percent[r][c] : percent[c][r]; return v === null ? null : v / 100; }));
  const left = many ? 8 : Math.min(260, 12 + widest(order)), side = Math.min(width(el) - left - 60, 620, Math.max(24 * n, 160));
  const name = i => isSeen(i) ? `<b><span style="color:${token(role(i))}">${esc(V[i].label)}</span></b>` : esc(V[i].label);
  return {
    height: side + 20, width: left + side + 60,
    data: [{
      type: "heatmap", z, zmin: -1, zmax: 1, xgap: many ? 0 : 1, ygap: many ? 0 : 1, hoverinfo: "none", hoverongaps: false,
      colorscale: [[0, thinned("loss", .6)], [.5, token("paper")], [.75, thinned("ink", .12)], [.9, thinned("ink", .42)], [1, token("ink")]],
      customdata: order.map((i, r) => order.map((j, c) => [i, `${V[i].name} and ${V[j].name}: ${z[r][c] === null ? "not defined" : fixed(z[r][c], 2)}`])),
      colorbar: {
        thickness: 8, len: .7, outlinewidth: 0, tickvals: [-1, 0, 1], ticktext: ["−1", "0", "1"], tickfont: { size: 11 },
        x: 1, xpad: 8,
      },
    }],
    layout: frame({
      margin: { l: left, r: 60, t: 6, b: 14, autoexpand: false },
      xaxis: axis({ visible: false, range: [-.5, n - .5] }),
      yaxis: axis({
        range: [n - .5, -.5], showgrid: false, tickmode: "array", tickfont: { size: 11 },
        tickvals: many ? [] : order.map((_, k) => k), ticktext: many ? [] : order.map(name),
      }),
    }),
  };
}
