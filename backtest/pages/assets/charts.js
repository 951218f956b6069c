// ---- the charts: value with what was held and drawdowns, rolling difference, evidence
const DASHES = { growth: ["solid", "1px,2px", "6px,2px"], small: ["solid", "1px,2px", "6px,2px"], mix: ["4px,2px", "1px,2px", "8px,3px", "2px,4px"] };
const dash = s => (DASHES[s.tone] || ["solid"])[s.nth % (DASHES[s.tone] || [0]).length];
const shorten = name => name.length > 14 ? name.slice(0, 13) + "…" : name;

// Names at the right end of the lines, pushed apart so that none covers another.
function endLabels(values, low, high, height) {
  const place = v => ((state.log ? Math.log10(v) : v) - low) / (high - low) * height;
  const labels = D.series.map((s, k) => ({ s, y: place(values[k][state.b]) })).sort((p, q) => p.y - q.y);
  labels.forEach((label, k) => { label.y = Math.max(label.y, k ? labels[k - 1].y + 14 : 6); });
  let room = height;
  for (const label of labels.toReversed()) { label.y = Math.min(label.y, room); room = label.y - 14; }
  return labels;
}
function equityChart(el) {
  const labelled = !narrow.matches || state.paper;
  const right = labelled ? Math.max(...D.series.map(s => shorten(s.name).length)) * 7 + 16 : 12;
  const L = base(right), H = height(el) - TOP - BOTTOM;
  const low = [0, .25], ribbon = [.25 + 22 / H, .25 + 36 / H], top = [.25 + 58 / H, 1 - 16 / H];
  const values = D.series.map(shown);
  const [from, to] = state.log ? span(values.map(v => v.map(Math.log10)), .03) : span(values, .04);
  const at = state.log ? logTicks(from, to) : linearTicks(from, to);
  const box = (tone, word) => `<span style="color:${token(tone)}">■</span> ${word}`;
  const legend = ["Held:", box("growth", "growth"), box("small", D.tinted ? "small, tinted above" : "small"), D.cash_held ? box("cash", "cash") : "", D.cuts.length ? "   ▼ Fed cut" : ""];
  const layout = {
    ...L, shapes: cutLines(low[0], .97),
    xaxis: { ...L.xaxis, anchor: "y4" },
    yaxis: unseen(top),
    yaxis2: axis({ domain: top, overlaying: "y", type: state.log ? "log" : "linear", range: [from, to], tickmode: "array", tickvals: at, ticktext: at.map(brief) }),
    yaxis3: unseen(ribbon),
    yaxis4: valueAxis(low, [Math.min(span(falls, 0, [0])[0] * 1.04, -.1), 0], x => plain(x) + "%"),
    yaxis5: markAxis(),
    annotations: [
      title(legend.filter(Boolean).join(" "), ribbon[1] + .004),
      title("Drawdown" + (D.series[1] ? ", with " + esc(D.series[1].name) : ""), low[1] + .004),
      ...(labelled ? endLabels(values, from, to, (top[1] - top[0]) * H) : []).map(({ s, y }) => title(esc(shorten(s.name)), top[0] + y / H, {
        x: 1, yanchor: "middle", xshift: 6, font: { size: 12, color: token(s.tone), weight: s.tone === "ink" ? 600 : 400 },
      })),
    ],
  };
  const curve = s => line(values[D.series.indexOf(s)], token(s.tone), { yaxis: "y2", line: { width: s.tone === "ink" ? narrow.matches ? 1.7 : 2 : 1.1, dash: dash(s) } });
  const data = [
    ...tint("y"), cutMarks("y5"), ...D.series.slice(1).map(curve), curve(D.series[0]),
    area(() => 1, token("cash"), "y3"), area(h => 1 - h.cash, token("growth"), "y3"), area(h => h.small, token("small"), "y3"),
    ...(falls[1] ? [line(falls[1], token(D.series[1].tone), { yaxis: "y4", line: { width: 1 } })] : []),
    line(falls[0], token("ink"), { yaxis: "y4", fill: "tozeroy", fillcolor: token("grid"), line: { width: 1.4 } }),
  ];
  return { data, layout, right };
}
function activeChart() {
  const L = base(12), v = ahead[state.bench], part = pick => v.map(x => x === null ? null : pick(x, 0));
  return {
    right: 12,
    data: [
      line(part(Math.max), "rgba(0,0,0,0)", { fill: "tozeroy", fillcolor: faded("gain", .3), line: { width: 0 } }),
      line(part(Math.min), "rgba(0,0,0,0)", { fill: "tozeroy", fillcolor: faded("loss", .3), line: { width: 0 } }),
      line(v, token("ink"), { line: { width: 1.4 } }), cutMarks("y2"),
    ],
    layout: {
      ...L, shapes: [...cutLines(0, .97), level("y", 0)],
      yaxis: valueAxis([0, .97], span([v], .05, [0]), plain, {}, 7), yaxis2: markAxis(),
    },
  };
}
function whyChart(el) {
  const L = base(12), n = D.evidence.length, H = height(el) - TOP - BOTTOM, step = (1 - 12 / H) / n;
  const layout = { ...L, yaxis90: markAxis(), shapes: cutLines(0, .97), annotations: [] }, data = [cutMarks("y90")];
  D.evidence.forEach((e, k) => {
    const id = k ? k + 1 : "", below = 40 + k, domain = [(n - 1 - k) * step + (k < n - 1 ? 10 / H : 0), (n - k) * step - 20 / H];
    layout["yaxis" + below] = unseen(domain);
    layout["yaxis" + id] = valueAxis(domain, span([e.v], .05, e.steps ? [...e.lines, 5] : e.lines), plain, { overlaying: "y" + below });
    data.push(...tint("y" + below), line(e.v, token("ink"), { yaxis: "y" + id, line: { width: 1.2, shape: e.steps ? "hv" : "linear" } }));
    for (const y of e.lines) layout.shapes.push(level("y" + id, y));
    const unit = e.unit && !e.label.toLowerCase().includes(e.unit.toLowerCase()) ? ", " + e.unit : "";
    layout.annotations.push(title(esc(e.label + unit), domain[1] + 2 / H));
  });
  layout.xaxis = { ...L.xaxis, anchor: n > 1 ? "y" + n : "y" };
  return { data, layout, right: 12 };
}

const PANEL = 115;
// Before print an element's size is still the screen's: these are the sizes on paper, in px.
const PAPER = { "chart-equity": 350, "chart-active": 230, "chart-why": 60 + PANEL * D.evidence.length };
const PAPER_WIDTH = 688;
const width = el => state.paper ? PAPER_WIDTH : el.clientWidth;
const height = el => state.paper ? PAPER[el.id] : el.clientHeight;
const figures = { "chart-equity": equityChart, "chart-active": activeChart, "chart-why": whyChart };
const charts = Object.keys(figures).map(id => document.getElementById(id)).filter(Boolean);

function draw() {
  for (const el of charts) {
    const { data, layout, right } = figures[el.id](el);
    el.right = right;
    // staticPlot: no drag layers, nothing of plotly's may catch a finger.
    Plotly.react(el, data, { ...layout, width: width(el), height: height(el) }, { staticPlot: true, responsive: false });
  }
  $$(".ranges button").forEach(b => b.setAttribute("aria-pressed", +b.dataset.a === state.a && +b.dataset.b === state.b));
  point(state.at);
}
