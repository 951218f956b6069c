// ---- every page: theme, sorted and filtered tables, print. Text and numbers of tables are Python's; scripts only move them.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const narrow = matchMedia("(max-width: 640px)"), dark = matchMedia("(prefers-color-scheme: dark)");
const P = JSON.parse($("#chart-data").textContent);
const press = (group, on) => group.forEach(b => b.setAttribute("aria-pressed", b === on));
const make = (tag, properties, ...children) => {
  const el = Object.assign(document.createElement(tag), properties);
  el.append(...children);
  return el;
};

// The one formatter of numbers here: [before, digits, after, sign of positive ones, factor].
const told = (x, [before = "", digits = 2, after = "", sign = "", factor = 1] = []) => {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  const size = Math.abs(x * factor).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const isZero = !/[1-9]/.test(size);
  return (isZero ? "" : x < 0 ? "−" : sign) + before + size + after;
};

const hooks = { redraw: () => {}, paper: () => {} };     // what charts do when colours, width or paper change
const THEME = "report-theme";
const stored = () => { try { return localStorage.getItem(THEME); } catch { return null; } };
const store = theme => { try { if (theme) localStorage.setItem(THEME, theme); else localStorage.removeItem(THEME); } catch { /* a private window */ } };
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  $("#theme").textContent = "Theme: " + (theme || "auto");
  $("#theme").setAttribute("aria-label", "Colour theme: " + (theme || "automatic"));
}

// A table is sorted by a click on a head with data-sort ("up": the first click rises), filtered by its tools, cut to few.
function tend(table) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], rows = [...body.rows], few = +table.dataset.few || Infinity;
  const tools = $(`.tools[data-for="${table.id}"]`), more = $(`.more[data-for="${table.id}"]`);
  const input = tools && $("input", tools), sides = tools ? $$("[data-side]", tools) : [];
  let isWhole = false, side = "";
  const list = () => {
    const wanted = input ? input.value.trim().toLowerCase() : "";
    const text = row => (table.dataset.by === "name" ? row.cells[0] : row).textContent.toLowerCase();
    const hits = [...body.rows].filter(row => (!side || row.dataset.side === side) && text(row).includes(wanted));
    const shown = new Set(isWhole ? hits : hits.slice(0, few));
    rows.forEach(row => { row.hidden = !shown.has(row); });
    if (tools) $("[role=status]", tools).textContent = `${shown.size.toLocaleString("en-US")} of ${rows.length.toLocaleString("en-US")} shown`;
    if (more) [more.hidden, more.textContent] = [isWhole || hits.length <= few, `Show all ${hits.length.toLocaleString("en-US")}`];
  };
  const key = (row, k) => {
    const cell = row.cells[k], text = cell.dataset.v ?? cell.textContent.trim();
    return text === "" || text === "–" ? null : Number.isNaN(+text) ? text : +text;
  };
  heads.forEach((head, k) => {
    if (head.dataset.sort === undefined) return;
    const sort = () => {
      const now = head.getAttribute("aria-sort"), isUp = now ? now === "descending" : head.dataset.sort === "up";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      body.append(...[...rows].sort((p, q) => {
        const a = key(p, k), b = key(q, k);
        if (a === null || b === null) return (a === null) - (b === null);      // what is not defined stays at the end
        return (typeof a === "string" ? String(a).localeCompare(b, "en", { numeric: true }) : a - b) * (isUp ? 1 : -1);
      }));
      list();
    };
    head.replaceChildren(make("button", { type: "button", onclick: sort }, ...head.childNodes));
  });
  if (input) input.oninput = list;
  if (more) more.onclick = () => { isWhole = true; list(); };
  sides.forEach(b => { b.onclick = () => { side = b.dataset.side; press(sides, b); list(); }; });
  if (tools) tools.hidden = false;
  list();
}

function start() {
  setTheme(stored());
  $$("table.sorts").forEach(tend);
  $$(".more[data-whole]").forEach(b => { b.hidden = false; b.onclick = () => { $("#" + b.dataset.whole).classList.add("whole"); b.hidden = true; }; });
  $("#theme").onclick = () => {
    const next = { light: "dark", dark: "" }[document.documentElement.dataset.theme] ?? "light";
    setTheme(next);
    store(next);
    hooks.redraw();
  };
  let timer, wide = innerWidth;
  addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => { if (innerWidth !== wide) { wide = innerWidth; hooks.redraw(); } }, 120); });
  dark.addEventListener("change", () => hooks.redraw());
  addEventListener("beforeprint", () => {                 // paper is light, whole and complete
    document.documentElement.dataset.theme = "light";
    $$("details.print").forEach(d => { d.open = true; });
    hooks.paper(true);
  });
  addEventListener("afterprint", () => { setTheme(stored()); hooks.paper(false); });
  hooks.redraw();
  document.documentElement.dataset.ready = "1";
}
