// ---- luck: fifty lucky bests above what happened, every variant with its interval
const PHONE_ROWS = 14;
function luckRows() {
  const most = narrow.matches && !state.paper ? PHONE_ROWS : N;
  return V.map((_, i) => i).filter(i => i < most || isSeen(i));
}
// Bins start at the selected variant's line: every filled dot stands right of it, and they are as many as its text says.
function lifted(dots, filled, line, step) {
  const stack = new Map();
  return dots.map((x, k) => {
    const isFull = k >= dots.length - filled, away = Math.floor((x - line) / step);
    const bin = isFull ? Math.max(away, 0) : Math.min(away, -1), height = stack.get(bin) || 0;
    stack.set(bin, height + 1);
    return { x: line + (bin + .5) * step, y: height + .5, isFull };
  });
}
function luckChart(el) {
  const phone = narrow.matches && !state.paper, rows = luckRows(), thin = rows.length > 40, count = rows.length;
  const pitch = thin ? 4 : phone ? 32 : 18, left = thin || phone ? 10 : Math.min(260, 12 + widest(rows));
  const row = new Map(rows.map((i, k) => [i, count - 1 - k])), at = V[state.sel].sharpe[0], plot = width(el) - left - 10;
  const ends = rows.map(i => V[i].sharpe), lows = ends.map(s => s[1]).sort((p, q) => p - q);
  const low = Math.min(lows[thin ? Math.floor(count * .02) : 0], D.dots[0], at) - .05;
  const high = Math.max(...ends.map(s => s[2]), D.dots[D.dots.length - 1], D.upper) + .06;
  const size = phone ? 8 : 10, pixel = (high - low) / plot, dots = lifted(D.dots, V[state.sel].filled, at, (size + 1.5) * pixel);
  const tallest = Math.max(...dots.map(d => d.y)) + .5, above = (tallest + 1) * (size + 1.5) + 26, below = (count + 1) * pitch;
  const total = above + below + TOP + 40, cut = below / (above + below), top = above / (size + 1.5);
  const segments = (list, name, thickness) => ({
    x: list.flatMap(i => [V[i].sharpe[1], V[i].sharpe[2], null]), y: list.flatMap(i => [row.get(i), row.get(i), null]),
    mode: "lines", hoverinfo: "skip", line: { color: token(name), width: thickness },
  });
  const points = (list, name, diameter) => ({
    x: list.map(i => V[i].sharpe[0]), y: list.map(i => row.get(i)), mode: "markers", hoverinfo: "none",
    customdata: list.map(i => [i, V[i].words.luck]), marker: { color: token(name), size: diameter },
  });
  const front = inFront(), rest = rows.filter(i => !isSeen(i));
  const name = i => isSeen(i) ? `<b><span style="color:${token(role(i))}">${esc(V[i].label)}</span></b>` : esc(V[i].label);
  const reached = `<b>${V[state.sel].filled} of ${D.dots.length}</b> lucky bests (filled) reach ${phone ? "the selected" : esc(V[state.sel].label)}`;
  const named = phone ? rows : thin ? front : [];
  return {
    height: total,
    data: [
      {
        x: dots.map(d => d.x), y: dots.map(d => d.y), yaxis: "y2", mode: "markers", hoverinfo: "skip",
        marker: { size, color: dots.map(d => d.isFull ? token("ink") : "rgba(0,0,0,0)"), line: { color: token("ink"), width: 1.1 } },
      },
      segments(rest, "faint", thin ? .9 : 2), points(rest, "muted", thin ? 3 : 6),
      ...front.flatMap(i => [segments([i], role(i), thin ? 2.4 : 3.2), points([i], role(i), thin ? 7 : 9)]),
    ],
    layout: frame({
      margin: { l: left, r: 10, t: TOP, b: 40 },
      xaxis: across([low, high], plain, "active Sharpe ratio against " + esc(D.benchmark) + ", a year", { anchor: "y" }),
      yaxis: axis({
        domain: [0, cut], range: [-1, count], showgrid: false, tickmode: "array",
        tickvals: thin || phone ? [] : rows.map(i => row.get(i)), ticktext: thin || phone ? [] : rows.map(name),
      }),
      yaxis2: axis({ domain: [cut, 1], range: [0, top], visible: false }),
      shapes: [
        upright(0, "faint", "solid"), upright(D.upper, "muted", "4px,3px"), upright(at, "sel", "2px,2px"),
        rule(0, 0, 1, 0, "faint", { xref: "paper", yref: "y2" }),
      ],
      annotations: [
        title(reached, 1, { yanchor: "top", font: { size: phone ? 11 : 13, color: token("ink") } }),
        label(D.upper, -1, "5% line", { xanchor: "right", xshift: -4 }),
        ...named.map(i => label(low, row.get(i) + (phone ? .16 : 0), name(i), { yanchor: phone ? "bottom" : "middle", xanchor: "left", xshift: 2 })),
      ],
    }),
  };
}
