// ---- controls: periods, benchmark, scale, theme, print
const button = (text, onclick) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick });
const press = (group, on) => group.forEach(b => b.setAttribute("aria-pressed", b === on));

const yearsBack = years => nearest(T[LAST] - years * 365.25 * DAY);
for (const group of $$(".ranges")) {
  const add = (text, a, b) => { const one = button(text, () => setRange(a, b)); one.dataset.a = a; one.dataset.b = b; group.append(one); };
  add("All", 0, LAST);
  for (const years of [10, 5, 1]) if (yearsBack(years) > 0) add(years + "y", yearsBack(years), LAST);
  if (D.cycles.length) group.append(Object.assign(document.createElement("span"), { className: "gap" }));
  for (const [name, a, b] of D.cycles) add(name, a, b);
}
const benches = $("#bench");
if (benches) {
  D.series.slice(1).forEach((s, k) => {
    const one = button(s.name, () => { state.bench = k; press($$("button", benches), one); draw(); });
    one.setAttribute("aria-pressed", k === 0);
    benches.append(one);
  });
}
$$("[data-scale]").forEach(b => { b.onclick = () => { state.log = b.dataset.scale === "log"; press($$("[data-scale]"), b); draw(); }; });

const THEME = "report-theme";
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
  draw();
};

// Redraw when the page's shape or colours change; print is always light, whole and complete.
let timer, kept;
addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(draw, 120); });
dark.addEventListener("change", draw);
narrow.addEventListener("change", draw);
addEventListener("beforeprint", () => {
  kept = { ...state };
  Object.assign(state, { a: 0, b: LAST, at: null, paper: true });
  document.documentElement.dataset.theme = "light";
  $$("details").forEach(d => { d.open = true; });
  draw();
});
addEventListener("afterprint", () => { Object.assign(state, kept); setTheme(stored()); draw(); });
