// ---- parallel coordinates on a canvas: a line per point, through its value of every key and all its figures. plotly's own
// need WebGL and are neither drawn on every machine nor printed; these stand upright where an axis needs its room.
const MOST_LINES = 3000, REST_LINES = 600, REACH = 22;
const AXES = [...SHOWN.map(k => ({ k, name: P.keys[k].name })), ...P.figures.map((f, i) => ({ i, name: f.name + (f.unit ? ", " + f.unit : "") }))];
const brushes = AXES.map(() => null);        // [low, high] as shares of the axis
let held_ = null, geometry = null, current = 0;

// Where a point stands on an axis, 0 to 1; NaN where undefined. Within a name or number the points spread by their rank.
function shares(own, rank) {
  const { k, i } = own;
  if (i !== undefined) {
    const { values, low, high } = figure(i), width = high - low;
    return Float32Array.from(values, v => width ? (v - low) / width : Number.isNaN(v) ? NaN : .5);
  }
  const n = LENGTHS[k], band = Math.min(.7 / n, .06);
  return Float32Array.from(DIGITS[k], (d, p) => (d + .5) / n + (rank[p] - .5) * band);
}
let places = null, placesOf = -1;
function placed() {
  if (placesOf === sweep.figure) return places;
  const order = ranked(), rank = new Float32Array(POINTS);
  order.forEach((p, j) => { rank[p] = POINTS > 1 ? j / (POINTS - 1) : .5; });
  placesOf = sweep.figure;
  return places = AXES.map(own => shares(own, rank));
}
// Points inside all brushes, from worst to best; those without the figure are left out.
function chosen() {
  const at = placed(), active = brushes.flatMap((b, j) => b ? [j] : []), { values } = figure();
  return ranked().filter(p => !Number.isNaN(values[p]) && active.every(j => {
    const own = AXES[j], share = own.k === undefined ? at[j][p] : (DIGITS[own.k][p] + .5) / LENGTHS[own.k];
    return share >= brushes[j][0] && share <= brushes[j][1];
  }));
}
const evenly = (list, most) => {                // the last one, the best, always among them
  if (list.length <= most) return list;
  return Uint32Array.from({ length: most }, (_, j) => list[list.length - 1 - Math.floor(j * list.length / most)]).reverse();
};

function drawLines() {
  const el = element("lines"), wide = widthOf(el), isUpright = (wide - 80) / (AXES.length - 1 || 1) >= 92 && !thumb.matches;
  const height = isUpright ? 420 : 30 + AXES.length * 54, canvas = $("canvas", el), ratio = devicePixelRatio || 1, pen = canvas.getContext("2d");
  el.style.height = canvas.style.height = height + "px";
  canvas.style.width = wide + "px";
  [canvas.width, canvas.height] = [wide * ratio, height * ratio];
  pen.scale(ratio, ratio);
  const long = isUpright ? [34, height - 20] : [14, wide - 14], step = isUpright ? (wide - 120) / (AXES.length - 1 || 1) : 54;
  const line = j => isUpright ? 60 + j * step : 34 + j * step, along = share => isUpright ? long[1] - share * (long[1] - long[0]) : long[0] + share * (long[1] - long[0]);
  geometry = { isUpright, long, line, along };
  const f = figure(), at = placed(), points = chosen(), drawn = evenly(points, MOST_LINES), { low, high, isSigned } = shades(f);
  const stroke = (p, j, to) => { const a = along(at[j][p]), b = line(j); if (Number.isNaN(a)) return false; pen[to](...(isUpright ? [b, a] : [a, b])); return true; };
  const path = p => { pen.beginPath(); let to = "moveTo"; for (let j = 0; j < AXES.length; j++) to = stroke(p, j, to) ? "lineTo" : "moveTo"; pen.stroke(); };
  pen.lineWidth = 1;
  if (brushes.some(Boolean)) { pen.strokeStyle = token("faint"); pen.globalAlpha = .12; evenly(ranked(), REST_LINES).forEach(path); }
  const colour = Array.from({ length: 33 }, (_, n) => isSigned ? mixed(n < 16 ? "loss" : "gain", "faint", Math.abs(n - 16) / 16) : mixed(f.better < 0 ? "ink" : "gain", "faint", n / 32));
  pen.globalAlpha = Math.max(.12, Math.min(.9, 12 / Math.sqrt(drawn.length || 1)));
  for (const p of drawn) { pen.strokeStyle = colour[Math.max(0, Math.min(32, Math.round(32 * (f.values[p] - low) / (high - low))))]; path(p); }
  pen.globalAlpha = 1;
  if (drawn.length) { pen.strokeStyle = token("ink"); pen.lineWidth = 2.2; path(drawn[drawn.length - 1]); }
  rulers(pen, el.contains(document.activeElement) || document.activeElement === el);
  Object.assign(el.dataset, { drawn: drawn.length, chosen: points.length, upright: isUpright });
  tellLines(points, drawn);
}
function rulers(pen, isFocused) {
  const { isUpright, long, line, along } = geometry, font = px => `${px}px ${token("sans")}`;
  AXES.forEach((own, j) => {
    const at = line(j), levels = own.k === undefined ? null : P.keys[own.k].levels, f = own.i === undefined ? null : figure(own.i);
    pen.strokeStyle = pen.fillStyle = token(isFocused && j === current ? "sel" : "ink");
    pen.lineWidth = isFocused && j === current ? 2 : 1;
    pen.beginPath(); pen.moveTo(...(isUpright ? [at, long[0]] : [long[0], at])); pen.lineTo(...(isUpright ? [at, long[1]] : [long[1], at])); pen.stroke();
    if (brushes[j]) {
      const [a, b] = brushes[j].map(along);
      pen.fillStyle = colour("@sel/.28");
      if (isUpright) pen.fillRect(at - 7, Math.min(a, b), 14, Math.abs(a - b)); else pen.fillRect(Math.min(a, b), at - 7, Math.abs(a - b), 14);
    }
    pen.fillStyle = token("ink"); pen.font = `600 ${font(11.5)}`; pen.textAlign = isUpright ? "center" : "left"; pen.textBaseline = "alphabetic";
    const most = Math.floor((isUpright ? line(1) - line(0) - 16 || 200 : 300) / 6.6);
    pen.lineJoin = "round";
    haloed(pen, short(own.name, Math.max(8, most)), isUpright ? at : long[0], isUpright ? 16 : at - 9, "ink");
    const marks = levels ? levels.map((text, n) => [(n + .5) / levels.length, short(text, isUpright ? 13 : 9)]) : !f.known.length ? [] : ends(f);
    const room = isUpright ? 20 : 56, every = Math.max(1, Math.ceil(marks.length * room / (long[1] - long[0])));
    pen.font = font(10.5);
    marks.forEach(([share, text], n) => {
      if (n % every) return;
      const place = along(share), width = pen.measureText(text).width;
      const [x, y] = isUpright ? [j ? at + 6 : at - 6 - width, place + 3.5] : [Math.max(long[0], Math.min(long[1] - width, place - width / 2)), at + 15];
      pen.textAlign = "left";
      haloed(pen, text, x, y, "muted");
    });
  });
}
const haloed = (pen, text, x, y, color) => { pen.lineWidth = 4; pen.strokeStyle = token("paper"); pen.strokeText(text, x, y); pen.fillStyle = token(color); pen.fillText(text, x, y); };
// Some round numbers between the ends of a figure, as (share of the axis, text).
function ends({ low, high }) {
  if (!(high > low)) return [[.5, told(low)]];
  const raw = (high - low) / 4, ten = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 2.5, 5, 10].find(m => m * ten >= raw * .999) * ten, ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push([(k * step - low) / (high - low), (k * step < 0 ? "−" : "") + Math.abs(+(k * step).toPrecision(8))]);
  return ticks;
}
function tellLines(points, drawn) {
  const f = figure(), all = f.known.length, is = brushes.some(Boolean);
  $("#clear").hidden = !is;
  if (!points.length) { read("lines", "No variant is inside all marks."); return; }
  let sum = 0;
  for (const p of points) sum += f.values[p];
  const best = points[points.length - 1], ends_ = [f.values[points[0]], f.values[best]].sort((a, b) => a - b);
  read("lines", `${is ? `${count(points.length)} of ${count(all)} variants inside the marks` : `All ${count(all)} variants`}: ${f.name} ${worded(sum / points.length)} on average, from ${worded(ends_[0])} to ${worded(ends_[1])}; the best, in bold: ${named(best)} (point ${numberOf(best)}).`
    + (drawn.length < points.length ? ` ${count(drawn.length)} lines are drawn, at equal distances from the worst to the best.` : ""));
}

// Marks: drag along an axis, click to take one away; by keyboard left and right choose an axis, up and down move its mark.
function shareAt(e) {
  const box = element("lines").getBoundingClientRect(), { isUpright, long } = geometry, x = e.clientX - box.left, y = e.clientY - box.top;
  const share = isUpright ? (long[1] - y) / (long[1] - long[0]) : (x - long[0]) / (long[1] - long[0]);
  return { across: isUpright ? x : y, share: Math.max(0, Math.min(1, share)) };
}
{
  const el = element("lines");
  el.addEventListener("pointerdown", e => {
    const { across, share } = shareAt(e), near = AXES.map((_, j) => Math.abs(geometry.line(j) - across)), j = near.indexOf(Math.min(...near));
    if (near[j] > REACH) return;
    held_ = { j, from: share };
    current = j;
    el.setPointerCapture(e.pointerId);
  });
  el.addEventListener("pointermove", e => {
    if (!held_) return;
    const { share } = shareAt(e);
    brushes[held_.j] = [Math.min(share, held_.from), Math.max(share, held_.from)];
    requestAnimationFrame(drawLines);
  });
  const end = () => {
    if (!held_) return;
    const own = brushes[held_.j];
    if (!own || own[1] - own[0] < .015) brushes[held_.j] = null;
    held_ = null;
    drawLines();
  };
  el.addEventListener("pointerup", end);
  el.addEventListener("pointercancel", end);
  el.addEventListener("keydown", e => {
    const steps = { ArrowUp: 1, ArrowDown: -1 }[e.key], move = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (e.key === "Escape") brushes.fill(null);
    else if (move) current = Math.max(0, Math.min(AXES.length - 1, current + move));
    else if (steps) {
      const n = AXES[current].k === undefined ? 10 : LENGTHS[AXES[current].k], own = brushes[current], at = own ? Math.round(own[0] * n) + steps : steps > 0 ? 0 : n - 1;
      brushes[current] = at < 0 || at >= n ? null : [at / n, (at + 1) / n];
    } else return;
    e.preventDefault();
    drawLines();
  });
  el.addEventListener("focus", drawLines);
  el.addEventListener("blur", drawLines);
  $("#clear").onclick = () => { brushes.fill(null); drawLines(); };
}
