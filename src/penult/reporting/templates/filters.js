// The mistakes of a class, of a pair, or of a cell of the matrix alone. A filter is written as
// "class=3", "pair=3-5" or "is=3&called=5", the classes being counted as scores.json has them; ""
// is all. The page's address ends in "#mistakes?" and the filter.
const mistakes = (() => {
  const section = document.getElementById("mistakes"), bar = section?.querySelector(".filters");
  if (!bar) return { show: () => false };
  const names = JSON.parse(bar.dataset.names), said = section.querySelector("[role=status]");
  const figures = [...section.querySelectorAll("figure[data-is]")], chips = [...bar.children];
  const more = document.createElement("button");
  more.type = "button";
  bar.hidden = false;
  let shown = "", asked = null;

  const parsed = (filter) => {
    const numbers = Object.fromEntries([...new URLSearchParams(filter)].map(([key, value]) => [key, value.split("-").map(Number)]));
    const { class: one, pair, is, called } = numbers;
    const known = [one, pair, is, called].flat().every((k) => k === undefined || k in names);
    if (!known) return null;
    if (pair?.length === 2) return {
      matches: (a, b) => a !== b && pair.includes(a) && pair.includes(b),
      words: `${names[pair[0]]} and ${names[pair[1]]}`, chip: `${names[pair[0]]} ↔ ${names[pair[1]]}`,
    };
    if (is && called) return {
      matches: (a, b) => a === is[0] && b === called[0],
      words: `${names[is[0]]} called ${names[called[0]]}`, chip: `${names[is[0]]} → ${names[called[0]]}`,
    };
    if (one) return {
      matches: (a, b) => a === one[0] || b === one[0],
      words: `${names[one[0]]}, or called ${names[one[0]]}`, chip: names[one[0]],
    };
    return filter ? null : { matches: () => true, words: "", chip: "" };
  };

  // What is asked by a link or a cell is gone back to, once Esc shows all again.
  const show = (filter, from = null) => {
    const wanted = parsed(filter);
    if (!wanted) return false;
    [shown, asked] = [filter, from];
    let number = 0;
    for (const figure of figures) {
      figure.hidden = !wanted.matches(Number(figure.dataset.is), Number(figure.dataset.called));
      number += !figure.hidden;
    }
    const own = chips.find((chip) => chip.dataset.filter === filter);
    more.replaceChildren(wanted.chip);
    if (own) more.remove();
    else bar.append(more);
    more.dataset.filter = filter;
    for (const chip of [...chips, more]) chip.setAttribute("aria-pressed", chip === (own ?? more));
    for (const cell of document.querySelectorAll("[data-filter][aria-selected]")) {
      cell.setAttribute("aria-selected", cell.dataset.filter === filter && filter !== "");
    }
    if (!filter) said.textContent = "";
    else if (number) said.textContent = `${number.toLocaleString("en")} of ${figures.length.toLocaleString("en")}: ${wanted.words}. Esc shows all.`;
    else said.textContent = `${wanted.words}: no photo of them is among the ${figures.length} here. Esc shows all.`;
    gallery.refresh(section);
    try { history.replaceState(null, "", filter ? `#mistakes?${filter}` : "#mistakes"); } catch { /* the address stays */ }
    return true;
  };

  const go = (filter, from) => {
    if (!show(filter, from)) return;
    section.scrollIntoView();
    (figures.find((figure) => !figure.hidden)?.querySelector("img.photo") ?? section.querySelector("[aria-pressed=true]")).focus({ preventScroll: true });
  };

  bar.addEventListener("click", ({ target }) => {
    const chip = target.closest("button");
    if (chip) show(chip.getAttribute("aria-pressed") === "true" ? "" : chip.dataset.filter);
    if (chip && !chip.isConnected) chips[0].focus();
  });
  for (const table of document.querySelectorAll("table.matrix")) {
    table.setAttribute("role", "grid"); // whose cells may be chosen
    for (const cell of table.querySelectorAll("td[data-filter]")) cell.setAttribute("aria-selected", "false");
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("td[data-filter]");
      if (!cell || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      go(cell.dataset.filter, cell);
    });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter], td[data-filter]");
    if (!link) return;
    event.preventDefault();
    go(link.dataset.filter, link);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shown || document.querySelector("dialog[open]")) return;
    const from = asked;
    show("");
    (from ?? chips[0]).focus();
  });
  const follow = () => {
    const filter = location.hash.match(/^#mistakes\?(.+)$/)?.[1];
    if (filter && show(filter)) section.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();
  return { show: go };
})();
