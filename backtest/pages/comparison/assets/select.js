// ---- one selection for the whole page: a row, a chip, a dot, a curve, a cell or the list in the bar; four may be kept
function select(i) {
  if (i === state.sel) return;
  state.sel = i;
  paint();
  redraw(Object.keys(charts).filter(id => !STILL.includes(id)));
}
function keep(i, isKept) {
  state.kept = isKept ? [...state.kept.filter(k => k !== i), i].slice(-MOST_KEPT) : state.kept.filter(k => k !== i);
  paint();
  redraw(["luck", "time", "frontier", "alike", "grid"]);
}
function paint() {
  for (const el of $$("[data-i]")) {
    const i = +el.dataset.i;
    el.classList.toggle("sel", i === state.sel);
    el.classList.toggle("seen", isSeen(i));
    if (el.tagName === "BUTTON") el.setAttribute("aria-pressed", i === state.sel);
    const box = $(".keep", el);
    if (!box) continue;
    box.checked = state.kept.includes(i);
    box.className = "keep" + (box.checked ? " kept-" + state.kept.indexOf(i) : "");
    box.disabled = !box.checked && state.kept.length >= MOST_KEPT;
    box.nextElementSibling.setAttribute("aria-pressed", i === state.sel);
  }
  $("#pick").value = state.sel;
  const { name, words } = V[state.sel];
  $$("[data-name]").forEach(el => { el.textContent = name; });
  $$("[data-word]").forEach(el => { el.textContent = words[el.dataset.word] || ""; });
  $$("#lines tbody tr").forEach((row, k) => { [...row.cells].slice(1).forEach((cell, c) => { cell.textContent = words.lines[k][c]; }); });
  $("#time-note").textContent = TIME_NOTES[state.view]();
}
document.addEventListener("click", e => {
  if (e.target.matches(".keep")) { keep(+e.target.closest("[data-i]").dataset.i, e.target.checked); return; }
  const at = e.target.closest("[data-i]");
  if (at && !getSelection().toString()) select(+at.dataset.i);
});
$("#pick").addEventListener("change", e => select(+e.target.value));
$$(".chart").forEach(el => el.addEventListener("keydown", e => {
  const to = { ArrowUp: state.sel - 1, ArrowDown: state.sel + 1 }[e.key];
  if (to === undefined || el.id === "chart-parts") return;
  e.preventDefault();
  select(Math.min(N - 1, Math.max(0, to)));
}));

// ---- switches
$$("[data-set]").forEach(b => {
  b.onclick = () => {
    state[b.dataset.set] = b.dataset.value;
    $$("button", b.parentElement).forEach(other => other.setAttribute("aria-pressed", other === b));
    $$("[data-figure]").forEach(el => { el.hidden = el.dataset.figure !== state.figure; });
    $("#time-note").textContent = TIME_NOTES[state.view]();
    redraw([b.dataset.set === "view" ? "time" : "grid"]);
  };
});
$("#slice")?.addEventListener("change", e => { state.slice = +e.target.value; redraw(["grid"]); });

// ---- theme, shape of the window, print
const THEME = "report-theme";                 // as on the page of a single run
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
dark.addEventListener("change", () => redraw());
addEventListener("beforeprint", () => {
  state.paper = true;
  document.documentElement.dataset.theme = "light";
  $$("details").forEach(d => { d.open = true; });
  drawAll();
});
addEventListener("afterprint", () => { state.paper = false; setTheme(stored()); redraw(); });
