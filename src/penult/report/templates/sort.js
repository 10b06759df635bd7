
"use strict";
// A click on a column's heading sorts its table; without scripts the table is simply not sortable.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    if (heading.classList.contains("nosort")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.replaceAll(",", "");
      const order = new Intl.Collator(undefined, { numeric: true });
      const difference = (a, b) => (isNaN(a) || isNaN(b) ? order.compare(a, b) : a - b);
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (up ? 1 : -1) * difference(key(a), key(b)));
      table.tBodies[0].append(...rows);
    });
  });
}
