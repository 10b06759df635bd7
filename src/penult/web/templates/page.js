
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
// The tab of the section that is being read is marked, and kept in view.
const tabs = new Map([...document.querySelectorAll("nav a")].map((tab) => [tab.hash.slice(1), tab]));
const mark = () => {
  const sections = [...document.querySelectorAll("main section")];
  const passed = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3);
  const end = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  const current = tabs.get((end && scrollY > 0 ? sections : passed).at(-1)?.id);
  for (const tab of tabs.values()) {
    if (tab !== current) tab.removeAttribute("aria-current");
    else if (!tab.hasAttribute("aria-current")) {
      tab.setAttribute("aria-current", "true");
      const bar = tab.closest("ul");
      bar.scrollLeft = tab.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
    }
  }
};
addEventListener("scroll", mark, { passive: true });
addEventListener("resize", mark);
mark();
