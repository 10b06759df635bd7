// What is known of one row with its neighbours, or of a selection.
const STEP = 120; // pictures of a selection that are shown at once

class Details {
  constructor(map, root) {
    this.map = map;
    this.root = root;
    this.picture = root.querySelector(".picture");
    this.selection = root.querySelector(".selection");
    this.most = STEP;
    root.addEventListener("click", (event) => {
      const open = event.target.closest("[data-open]");
      if (open) map.open(Number(open.dataset.open));
    });
    for (const kind of ["pointerover", "focusin"]) {
      root.addEventListener(kind, (event) => {
        const open = event.target.closest("[data-open]");
        map.hover(open ? Number(open.dataset.open) : -1, { card: false });
      });
    }
    root.addEventListener("pointerleave", () => map.hover(-1));
  }

  // A picture that opens its row when it is clicked.
  thumb(i, ...lines) {
    const { map } = this, id = map.data.ids[i];
    const open = button("", { class: "thumb", "data-open": i, title: printable(id) });
    open.append(map.pictures.element(i, printable(id)), ...lines);
    return open;
  }

  // What columns say of a row, the one that colours with its colour.
  facts(i, columns) {
    const { data, drawing, column: by } = this.map, list = element("dl");
    for (const column of columns) {
      const value = element("dd", {}, element("bdi", {}, data.word(column, i)));
      if (column === by) {
        const swatch = element("span", { class: "swatch" });
        swatch.style.setProperty("--color", css(drawing.colorOf(i)));
        value.prepend(swatch);
      }
      list.append(element("dt", {}, named(column.name)), value);
    }
    return list;
  }

  // The columns that have a value of a row, the first one, and the one that colours.
  told(i) {
    const { data, column } = this.map;
    return data.columns.filter((one, k) => k === 0 || one === column || data.value(one, i) !== "");
  }

  // A card's worth of them: the first column, which is the label where there are labels, and the one
  // that colours.
  brief(i) {
    const { data, column } = this.map;
    return this.facts(i, data.columns.filter((one, k) => k === 0 || one === column));
  }

  update() {
    const { map, root } = this, held = root.contains(document.activeElement);
    this.showPicture(map.pinned);
    this.showSelection(map.selection);
    root.hidden = map.pinned < 0 && !map.selection.length;
    // Keys go on being heard where what had the focus is gone.
    const has = document.activeElement;
    if (held && (!root.contains(has) || has.closest("[hidden]"))) {
      (root.querySelector("section:not([hidden]) .close") ?? map.canvas).focus({ preventScroll: true });
    }
  }

  showPicture(i) {
    const { map, picture } = this, { data } = map;
    picture.hidden = i < 0;
    if (i < 0 || this.shown === i) { this.shown = i; return; }
    this.shown = i;
    const near = data.neighborsOf(i);
    const grid = element("div", { class: "thumbs near" });
    for (const { place, value } of near) {
      grid.append(this.thumb(place, element("span", { class: "n" }, value.toFixed(3)), this.word(place)));
    }
    const title = data.metric === "cosine" ? "by cosine" : "by distance";
    picture.replaceChildren(
      element("div", { class: "head" }, element("h2", {}, idElement(data.ids[i])), button("×", { class: "close", "aria-label": "Close the picture", onclick: () => map.open(-1) })),
      map.pictures.element(i, printable(data.ids[i])), this.facts(i, this.told(i)),
      element("h3", {}, "Nearest ", element("span", { class: "soft" }, title)),
      near.length
        ? element("p", { class: "soft" }, "In the full space, not on the map.")
        : element("p", { class: "soft" }, "None: its row is all zeros, or the only one."),
      grid);
  }

  // Below a neighbour: the category that colours, or its label.
  word(i) {
    const { data } = this.map;
    const column = this.map.column?.kind === "categorical" ? this.map.column : data.columns[0];
    return element("span", { class: "word" }, column ? element("bdi", {}, data.word(column, i)) : "");
  }

  showSelection(rows) {
    const { map, selection } = this;
    selection.hidden = !rows.length;
    if (this.rows === rows && this.drawnMost === this.most && this.colored === map.column) return;
    if (this.rows !== rows) this.most = STEP;
    Object.assign(this, { rows, drawnMost: this.most, colored: map.column });
    if (!rows.length) { selection.replaceChildren(); return; }
    const grid = element("div", { class: "thumbs" });
    for (const i of rows.slice(0, this.most)) grid.append(this.thumb(i));
    const copied = element("span", { role: "status", class: "soft" });
    selection.replaceChildren(
      element("div", { class: "head" }, element("h2", {}, `${count(rows.length, "image")} selected`), button("×", { class: "close", "aria-label": "Clear the selection", onclick: () => map.select([]) })),
      this.shares(rows),
      element("p", { class: "export" },
        button("Copy ids", { onclick: async () => { copied.textContent = (await copy(this.ids())) ? "copied" : "not allowed here"; } }),
        button("Ids", { "aria-label": "Save the ids as a text file", onclick: () => save(`${map.data.name}-selection.txt`, "text/plain", this.ids()) }),
        button("CSV", { "aria-label": "Save the selection as a CSV file", onclick: () => save(`${map.data.name}-selection.csv`, "text/csv", this.csv()) }),
        copied),
      grid);
    if (rows.length > this.most) {
      selection.append(button(`Show ${Math.min(STEP, rows.length - this.most).toLocaleString("en")} more`, {
        class: "more", onclick: () => { this.most += STEP; this.showSelection(rows); } }));
    }
  }

  // How the selection divides among the values of the column that colours.
  shares(rows) {
    const { column, data, drawing } = this.map;
    if (!column || column.kind === "numeric") return null;
    const counts = new Map();
    for (const i of rows)
      for (const code of data.codes(column, i)) counts.set(code, (counts.get(code) ?? 0) + 1);
    const order = [...counts].sort((a, b) => b[1] - a[1]);
    const list = element("p", { class: "shares" });
    for (const [code, size] of order.slice(0, 6)) {
      const swatch = element("span", { class: "swatch" });
      paint(swatch, column, data.palettes, drawing.dark, code);
      list.append(element("span", { class: "share" }, swatch, code < 0 ? "none" : named(column.names[code]), ` ${size.toLocaleString("en")}`));
    }
    if (order.length > 6) list.append(element("span", { class: "share soft" }, `and ${order.length - 6} more`));
    return list;
  }

  ids() { return this.rows.map((i) => this.map.data.ids[i] + "\n").join(""); }

  csv() {
    const { data } = this.map;
    const named = (text) => csvCell(text, data.escapesFormulas);
    const lines = [["id", "x", "y", ...data.columns.map((column) => csvCell(column.name))]];
    for (const i of this.rows) {
      const texts = data.columns.map((column) => (column.kind === "numeric" ? csvCell(data.value(column, i)) : named(data.value(column, i))));
      lines.push([named(data.ids[i]), shortest(data.xy[2 * i]), shortest(data.xy[2 * i + 1]), ...texts]);
    }
    return lines.map((line) => line.join(",") + "\n").join("");
  }
}

// The fewest digits that give a float32 back, as penult writes it.
function shortest(number) {
  let digits = 1;
  while (Math.fround(Number(number.toPrecision(digits))) !== number) digits++;
  return String(Number(number.toPrecision(digits)));
}
