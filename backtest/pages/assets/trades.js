// ---- trades: sort, filter, show more; without this script every row is shown
const FEW = 15;
const table = $("#trade-table");
if (table) {
  const tools = $(".tools"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], rows = [...body.rows];
  const sides = $$("[data-side]", tools);
  let showsAll = false, side = "";
  const list = () => {
    const wanted = $("#filter").value.trim().toLowerCase();
    const hits = [...body.rows].filter(r => (!side || r.dataset.side === side) && r.textContent.toLowerCase().includes(wanted));
    const visibleRows = new Set(showsAll ? hits : hits.slice(0, FEW));
    rows.forEach(r => { r.hidden = !visibleRows.has(r); });
    $("#count").textContent = `${visibleRows.size} of ${rows.length} shown`;
    $("#more").hidden = showsAll || hits.length <= FEW;
    $("#more").textContent = `Show all ${hits.length}`;
  };
  heads.forEach((head, k) => {
    const key = row => { const v = row.cells[k].dataset.v ?? row.cells[k].textContent; return v === "" || Number.isNaN(+v) ? v : +v; };
    const sort = button(head.textContent, () => {
      const up = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
      heads.forEach(h => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
      body.append(...[...rows].sort((p, q) => (key(p) < key(q) ? -1 : key(p) > key(q) ? 1 : 0) * up));
      list();
    });
    head.replaceChildren(sort);
  });
  $("#filter").oninput = list;
  $("#more").onclick = () => { showsAll = true; list(); };
  sides.forEach(b => { b.onclick = () => { side = b.dataset.side; press(sides, b); list(); }; });
  tools.hidden = false;
  list();
}

setTheme(stored());
draw();
document.documentElement.dataset.ready = "1";
