// ---- one selection for the whole page: a row, a chip, a dot, a curve, a cell or the list in the bar; four may be kept
const MOST_KEPT = 4;
hooks.select = i => {
  if (i === state.sel) return;
  state.sel = i;
  paint();
  redraw();
};
function keep(i, isKept) {
  state.kept = isKept ? [...state.kept.filter(k => k !== i), i].slice(-MOST_KEPT) : state.kept.filter(k => k !== i);
  paint();
  redraw();
}
function paint() {
  for (const el of $$("[data-i]")) {
    const i = +el.dataset.i, box = $(".keep", el);
    el.classList.toggle("sel", i === state.sel);
    el.classList.toggle("seen", isSeen(i));
    if (el.tagName === "BUTTON") el.setAttribute("aria-pressed", i === state.sel);
    if (!box) continue;
    box.checked = state.kept.includes(i);
    box.className = "keep" + (box.checked ? " kept-" + state.kept.indexOf(i) : "");
    box.disabled = !box.checked && state.kept.length >= MOST_KEPT;
    box.nextElementSibling.setAttribute("aria-pressed", i === state.sel);
  }
  $("#pick").value = state.sel;
  const words = P.words[state.sel];
  $$("[data-name]").forEach(el => { el.textContent = P.names[state.sel]; });
  $$("[data-word]").forEach(el => { el.textContent = words[el.dataset.word] || ""; });
  $$("#lines tbody tr").forEach((row, k) => { [...row.cells].slice(1).forEach((cell, c) => { cell.textContent = words.lines[k][c]; }); });
}
document.addEventListener("click", e => {
  if (e.target.matches(".keep")) { keep(+e.target.closest("[data-i]").dataset.i, e.target.checked); return; }
  const at = e.target.closest("[data-i]");
  if (at && !getSelection().toString()) hooks.select(+at.dataset.i);
});
$("#pick").addEventListener("change", e => hooks.select(+e.target.value));
$("#slice")?.addEventListener("change", e => {
  state.views.grid ??= P.charts.grid.view.split("|");
  state.views.grid[2] = e.target.value;
  redraw(["grid"]);
});
$$(".keep, .picked").forEach(el => { el.hidden = false; });
paint();
