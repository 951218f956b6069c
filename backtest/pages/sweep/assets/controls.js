// ---- controls: figure and surface, axes, and for every other key a slider, or a list of names
const redraw = () => { drawPlane(); drawSlices(); drawLines(); drawDistribution(); drawCurves(); };
function sliders() {
  $("#sliders").replaceChildren(...SWEPT.filter(k => k !== state.across && k !== state.up).map(k => {
    const { name, levels, isOrdered } = D.keys[k], label = document.createElement("label"), told_ = at => at === ALL ? "all" : levels[at];
    const control = document.createElement(isOrdered ? "input" : "select"), value = document.createElement("output");
    if (isOrdered) Object.assign(control, { type: "range", min: ALL, max: levels.length - 1 });
    else control.append(...[ALL, ...levels.keys()].map(at => new Option(told_(at), at)));
    control.value = state.at[k];
    control.dataset.key = name;
    value.textContent = isOrdered ? told_(state.at[k]) : "";
    control.oninput = () => { state.at[k] = +control.value; if (isOrdered) value.textContent = told_(state.at[k]); drawPlane(); };
    label.append(name, control, value);
    return label;
  }));
}
$$(".pick-figure").forEach(pick => pick.addEventListener("change", () => {
  state.figure = +pick.value;
  $$(".pick-figure").forEach(other => { other.value = pick.value; });
  redraw();
}));
$("#surface").addEventListener("change", e => { state.surface = e.target.value; drawPlane(); });
const turn = changed => e => {
  const other = changed === "across" ? "up" : "across", was = state[changed];
  state[changed] = +e.target.value;
  state.cursor = null;
  if (state[other] === state[changed]) { state[other] = was; $("#" + other).value = was; }
  sliders();
  drawPlane();
};
$("#across")?.addEventListener("change", turn("across"));
$("#up")?.addEventListener("change", turn("up"));
$("#chart-plane").addEventListener("keydown", e => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
  if (!move) return;
  e.preventDefault();
  const most = [LENGTHS[state.across], state.up < 0 ? 1 : LENGTHS[state.up]], from = state.cursor || [0, 0];
  state.cursor = from.map((x, i) => Math.max(0, Math.min(most[i] - 1, x + (state.cursor ? move[i] : 0))));
  drawPlane();
  read("plane", state.words(...state.cursor));
});

const THEME = "report-theme";                 // as on the other pages
const stored = () => { try { return localStorage.getItem(THEME); } catch { return null; } };
const store = theme => { try { if (theme) localStorage.setItem(THEME, theme); else localStorage.removeItem(THEME); } catch { /* a private window */ } };
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  $("#theme").textContent = "Theme: " + (theme || "auto");
  $("#theme").setAttribute("aria-label", "Colour theme: " + (theme || "automatic"));
}
$("#theme").onclick = () => {
  const next = { light: "dark", dark: "" }[document.documentElement.dataset.theme] ?? "light";
  setTheme(next);
  store(next);
  redraw();
};
let timer, wide = innerWidth;
addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => { if (innerWidth !== wide) { wide = innerWidth; redraw(); } }, 120); });
dark.addEventListener("change", redraw);
addEventListener("beforeprint", () => { state.paper = true; document.documentElement.dataset.theme = "light"; redraw(); });
addEventListener("afterprint", () => { state.paper = false; setTheme(stored()); redraw(); });
setTheme(stored());
if ($("#across")) $("#across").value = state.across;
if ($("#up") && state.up >= 0) $("#up").value = state.up;
sliders();
listen();
redraw();
document.documentElement.dataset.ready = "1";
