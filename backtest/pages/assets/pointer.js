// ---- one crosshair and one readout for all charts: pointer, touch and keyboard. The readout is the legend, too.
function point(i) {
  state.at = i;
  const k = i === null ? state.b : i;
  writeValues(k);
  writeDifference(k);
  writeEvidence(k);
  for (const el of charts) {
    const cross = $(".cross", el) || el.appendChild(Object.assign(document.createElement("div"), { className: "cross" }));
    cross.style.display = i === null || i < state.a || i > state.b ? "none" : "block";
    if (i !== null) cross.style.left = LEFT + (T[i] - T[state.a]) / (T[state.b] - T[state.a]) * (el.clientWidth - LEFT - el.right) + "px";
  }
}
function writeValues(k) {
  const h = heldAt(k), cut = D.cuts.find(c => c[0] === k);
  const dates = `<span>${isZoomed() ? day(state.a) + " to " : ""}<b>${day(k)}</b></span> `;
  const values = D.series.map(s => `<span><i class="${s.tone}"></i>${esc(s.name)} <b>${usd(shown(s)[k])}</b></span> `).join("");
  const event = cut ? `<span><b>▼ Fed cut ${-cut[1]} bps to ${esc(cut[2])}</b></span> ` : `<span>Drawdown <b>${signed(falls[0][k])}%</b></span> `;
  const since = `${h.isChange ? " since" : ", rebalanced"} ${day(h.row)}: ${esc(uncapital(h.why))}`;
  $("#readout").innerHTML = `${dates}${values}<span class="line">${event}<span class="reason"><i class="${h.tone}"></i>Holds <b>${esc(h.label)}</b>${since}</span></span>`;
  reserve($("#readout"));
}
// It grows with its longest text and never shrinks under the pointer, which would move the chart away from it.
let reserved = { width: 0, height: 0 };
function reserve(readout) {
  if (state.paper || readout.clientWidth !== reserved.width) {
    reserved = { width: readout.clientWidth, height: 0 };
    readout.style.minHeight = "";
  }
  if (readout.offsetHeight > reserved.height) reserved.height = readout.offsetHeight;
  if (!state.paper) readout.style.minHeight = reserved.height + "px";
}
function writeDifference(k) {
  const readout = $("#readout-active");
  if (!readout) return;
  const x = ahead[state.bench][k], name = esc(D.series[state.bench + 1].name);
  readout.innerHTML = `<span><b>${day(k)}</b></span> <span>one year, strategy minus ${name}: <b>${x === null ? "not yet known" : signed(x) + " points"}</b></span>`;
}
function writeEvidence(k) {
  const readout = $("#readout-why");
  if (!readout) return;
  const told = e => e.v[k] === null ? "not known" : `${(e.signed ? signed : fixed)(e.v[k], e.digits)} ${esc(e.unit)}`;
  const h = heldAt(k);
  readout.innerHTML = `<span><b>${day(k)}</b></span> ` + D.evidence.map(e => `<span>${esc(uncapital(e.label.split(",")[0]))} <b>${told(e)}</b></span> `).join("") +
    `<span><i class="${h.tone}"></i>holds <b>${esc(h.label)}</b></span>`;
}

const SHORTEST = 5;                          // sessions that a zoomed view has at least
const DRAGGED = 8;                           // px from which a press is a brush and not a click
function setRange(a, b) {
  state.a = Math.max(0, Math.min(a, LAST - SHORTEST));
  state.b = Math.min(LAST, Math.max(b, state.a + SHORTEST));
  state.at = null;
  draw();
}
function listen(el) {
  const brush = el.appendChild(Object.assign(document.createElement("div"), { className: "brush" }));
  let from = null;                           // where a mouse went down; a finger never zooms, it only moves the crosshair
  const where = e => {
    const share = (e.clientX - el.getBoundingClientRect().left - LEFT) / (el.clientWidth - LEFT - el.right);
    return nearest(T[state.a] + Math.min(1, Math.max(0, share)) * (T[state.b] - T[state.a]));
  };
  const move = e => {
    point(where(e));
    if (!from) return;
    const left = Math.min(from.x, e.clientX) - el.getBoundingClientRect().left;
    Object.assign(brush.style, { display: "block", left: left + "px", width: Math.abs(e.clientX - from.x) + "px" });
  };
  const drop = e => {
    const start = from;
    from = null;
    brush.style.display = "none";
    if (start && Math.abs(e.clientX - start.x) > DRAGGED) { const to = where(e); setRange(Math.min(start.i, to), Math.max(start.i, to)); }
  };
  el.addEventListener("pointermove", move);
  el.addEventListener("pointerdown", e => {
    if (e.pointerType === "mouse" && e.button === 0) { from = { x: e.clientX, i: where(e) }; el.setPointerCapture(e.pointerId); }
    move(e);
  });
  el.addEventListener("pointerup", drop);
  el.addEventListener("pointercancel", () => { from = null; brush.style.display = "none"; });
  el.addEventListener("pointerleave", e => { if (e.pointerType === "mouse" && !from) point(null); });
  el.addEventListener("dblclick", () => setRange(0, LAST));
  el.addEventListener("focusout", () => point(null));
  el.addEventListener("keydown", e => {
    const now = state.at ?? state.b, n = e.shiftKey ? 21 : 1;
    const to = { ArrowLeft: now - n, ArrowRight: now + n, Home: state.a, End: state.b }[e.key];
    if (e.key === "Escape") setRange(0, LAST);
    else if (to !== undefined) { e.preventDefault(); point(Math.min(state.b, Math.max(state.a, to))); }
  });
}
charts.forEach(listen);
