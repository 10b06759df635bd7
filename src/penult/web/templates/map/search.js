// Finding rows by their ids.
const LISTED = 30; // that are listed at once

class Search {
  constructor(map, root) {
    this.map = map;
    this.field = root.querySelector("input");
    this.list = root.querySelector("ul");
    this.told = root.querySelector(".found");
    this.ids = map.data.ids.map((id) => id.toLowerCase());
    this.field.addEventListener("input", () => this.find());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && map.matches.length) map.open(map.matches[0], { center: true });
      else if (event.key === "ArrowDown") this.list.querySelector("button")?.focus();
      else if (event.key === "Escape" && this.field.value) this.clear();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      if (!step) return;
      event.preventDefault();
      (event.target.closest("li")[step]?.querySelector("button") ?? (event.key === "ArrowUp" ? this.field : event.target)).focus();
    });
  }

  clear() { this.field.value = ""; this.find(); }

  find() {
    const text = this.field.value.trim().toLowerCase(), { map } = this;
    const matches = [];
    if (text) this.ids.forEach((id, i) => { if (id.includes(text)) matches.push(i); });
    map.matches = matches;
    this.list.replaceChildren(...matches.slice(0, LISTED).map((i) => {
      const open = button("", { onclick: () => map.open(i, { center: true }) });
      open.append(map.pictures.element(i, ""), idElement(map.data.ids[i]));
      return element("li", {}, open);
    }));
    this.told.replaceChildren();
    if (text) {
      const more = matches.length > LISTED ? `, of which ${LISTED} are listed` : "";
      this.told.append(`${count(matches.length, "image")}${more} `);
      if (matches.length) this.told.append(button("Select", { title: "Select all that were found", onclick: () => map.select(matches) }));
    }
    map.recolor();
  }
}
