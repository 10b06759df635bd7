
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
      // The first click puts the small ones first, or the large ones where those are better.
      const sorted = heading.getAttribute("aria-sort");
      const up = heading.dataset.first === "descending" ? sorted === "descending" : sorted !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.replaceAll(",", "");
      const order = new Intl.Collator(undefined, { numeric: true });
      const difference = (a, b) => (isNaN(a) || isNaN(b) ? order.compare(a, b) : a - b);
      const rows = [...table.tBodies[0].rows];
      // What is not known comes last, whichever way.
      const last = (a, b) => (key(a) === "") - (key(b) === "");
      rows.sort((a, b) => last(a, b) || (up ? 1 : -1) * difference(key(a), key(b)));
      table.tBodies[0].append(...rows);
    });
  });
}
// A cell of a matrix says more where it is pointed at, tapped, or reached by the arrows; only one of
// them is a stop of the tabulator.
for (const table of document.querySelectorAll("table.explained")) {
  const said = document.getElementById(table.dataset.says);
  const cells = [...table.querySelectorAll("td[title]")];
  for (const cell of cells) {
    cell.dataset.words = cell.title;
    cell.removeAttribute("title");
    cell.tabIndex = cell === cells[0] ? 0 : -1;
  }
  const say = ({ target }) => {
    const cell = target.closest("td[data-words]");
    if (cell) said.textContent = cell.dataset.words;
    return cell;
  };
  table.addEventListener("pointerover", say);
  table.addEventListener("focusin", (event) => {
    const reached = say(event);
    for (const cell of reached ? cells : []) cell.tabIndex = cell === reached ? 0 : -1;
  });
  table.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    let cell = event.target.closest("td[data-words]");
    if (!step || !cell) return;
    event.preventDefault();
    do {
      const row = table.tBodies[0].rows[cell.parentNode.sectionRowIndex + step[0]];
      cell = row?.cells[cell.cellIndex + step[1]];
    } while (cell?.tagName === "TD" && !cell.dataset.words);
    if (cell?.tagName === "TD") cell.focus();
  });
}
// Whether a table goes on to the right is known here; without scripts, a narrow window is told so.
const hint = () => {
  for (const box of document.querySelectorAll(".hint + .scroll")) {
    box.previousElementSibling.dataset.wider = box.scrollWidth > box.clientWidth;
  }
};
addEventListener("resize", hint);
hint();
// The tab of the section that is being read is marked, and kept in view.
const tabs = new Map([...document.querySelectorAll("nav a")].map((tab) => [tab.hash.slice(1), tab]));
const mark = () => {
  const sections = [...document.querySelectorAll("main > section")];
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
