// ---- the table of variants: sort, filter; the years: all or the best few. Without this script every row is there.
const table = $("#variants"), body = table.tBodies[0], rows = [...body.rows];
const headCells = [...table.tHead.rows[0].cells];
function sortBy(head) {
  const k = headCells.indexOf(head), key = head.dataset.key, isName = key === "name", now = head.getAttribute("aria-sort");
  const isUp = now ? now === "descending" : isName || "rising" in head.dataset;
  headCells.forEach(h => h.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const value = row => isName ? V[+row.dataset.i].name : row.cells[k].dataset.v === undefined ? null : +row.cells[k].dataset.v;
  const order = (p, q) => {
    const a = value(p), b = value(q);
    if (a === null || b === null) return (a === null) - (b === null);      // what is not defined stays at the end
    return (isName ? a.localeCompare(b, "en", { numeric: true }) : a - b) * (isUp ? 1 : -1);
  };
  body.append(...[...rows].sort(order));
}
for (const head of headCells.filter(h => h.dataset.key)) {
  const button = Object.assign(document.createElement("button"), { type: "button", onclick: () => sortBy(head) });
  button.append(...head.childNodes);
  head.replaceChildren(button);
}
function filter() {
  const wanted = $("#filter").value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) { row.hidden = !V[+row.dataset.i].name.toLowerCase().includes(wanted); shown += !row.hidden; }
  $("#count").textContent = wanted ? `${shown} of ${rows.length} shown` : `${rows.length} variant${rows.length > 1 ? "s" : ""}`;
}
$("#filter").oninput = filter;
const more = $("#more-years");
if (more) {
  more.hidden = !narrow.matches && rows.length <= 30;
  more.onclick = () => { $("#years").classList.add("whole"); more.hidden = true; };
  narrow.addEventListener("change", () => { more.hidden = $("#years").classList.contains("whole") || !narrow.matches && rows.length <= 30; });
}

$$(".keep, .tools, .picked").forEach(el => { el.hidden = false; });
filter();
addPeriods();
listenTime(element("time"));
setTheme(stored());
paint();
$$(".chart").forEach(el => watch.observe(el));
document.documentElement.dataset.ready = "1";
