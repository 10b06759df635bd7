// What colours the map, and which of it is shown.
const ROWS_OF_LEGEND = 400; // values with a row of their own, the most frequent ones

class Legend {
  constructor(map, root) {
    this.map = map;
    this.root = root;
    this.body = root.querySelector(".values");
    this.choice = root.querySelector("select");
    const { columns } = map.data;
    columns.forEach((column, k) => this.choice.append(element("option", { value: k }, printable(column.name))));
    this.choice.addEventListener("change", () => map.colorBy(Number(this.choice.value)));
    root.hidden = columns.length === 0;
  }

  get which() { return Number(this.choice.value || 0); }
  get column() { return this.map.data.columns[this.which]; }

  // Of the column that colours: its codes with how many rows each has, in their order.
  counts() {
    const counts = new Map(), { data } = this.map;
    for (let i = 0; i < data.size; i++)
      for (const code of data.codes(this.column, i)) counts.set(code, (counts.get(code) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => (a < 0) - (b < 0) || a - b);
  }

  build() {
    const { map, column, which } = this;
    this.body.replaceChildren();
    if (!column) return;
    const counts = this.counts(), codes = counts.map(([code]) => code);
    this.codes = codes;
    if (column.kind === "numeric") this.body.append(this.bar(column));
    const rows = column.kind === "numeric" ? counts.filter(([code]) => code < 0) : counts;
    if (column.note) this.body.append(element("p", { class: "note soft" }, column.note));
    if (!rows.length) return;
    const frequent = rows.slice().sort((a, b) => b[1] - a[1]).slice(0, ROWS_OF_LEGEND);
    const listed = new Set(frequent.map(([code]) => code));
    const list = element("ul", { class: "legend" });
    for (const [code, size] of rows.filter(([code]) => listed.has(code))) {
      const name = code < 0 ? "none" : column.names[code];
      const toggle = button("", {
        class: "value", "data-code": code, title: printable(name),
        onclick: () => map.filter(() => map.filters.toggle(which, code)),
        ondblclick: () => map.filter(() => map.filters.isolate(which, code, codes)),
      });
      const swatch = element("span", { class: "swatch" });
      paint(swatch, column, map.data.palettes, map.drawing.dark, code);
      toggle.append(swatch, element("span", { class: "name" }, code < 0 ? "none" : named(name)), element("span", { class: "n" }, size.toLocaleString("en")));
      const only = button("only", {
        class: "only", "aria-label": `Show ${printable(name)} alone`,
        onclick: () => map.filter(() => map.filters.isolate(which, code, codes)),
      });
      list.append(element("li", {}, toggle, only));
    }
    if (rows.length > 1) {
      this.body.append(element("p", { class: "all" },
        button("Show all", { onclick: () => map.filter(() => map.filters.set(which, [])) }),
        button("Hide all", { onclick: () => map.filter(() => map.filters.set(which, codes)) })));
    }
    this.body.append(list);
    const others = rows.filter(([code]) => !listed.has(code));
    if (others.length) {
      this.body.append(element("p", { class: "soft" }, `${count(others.length, "rarer value")} without a row here: search, or select on the map.`));
    }
    this.update();
  }

  bar(column) {
    const steps = Array.from({ length: 12 }, (_, k) => css(ramp(k / 11, this.map.drawing.dark)));
    const strip = element("div", { class: "ramp", role: "img" });
    strip.style.background = `linear-gradient(90deg, ${steps.join(", ")})`;
    const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
    const known = column.values.filter((value) => !Number.isNaN(value));
    const [low, high] = column.range;
    const [least, most] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    const [left, middle, right, start, end] = [low, (low + high) / 2, high, least, most].map(digits.format);
    const ends = [start === left ? left : `≤ ${left}`, middle, end === right ? right : `≥ ${right}`];
    strip.setAttribute("aria-label", `From ${ends[0]} to ${ends[2]}`);
    return element("div", { class: "scale" }, strip, element("p", { class: "ends" }, ...ends.map((one) => element("span", {}, one))));
  }

  update() {
    const { map } = this, hidden = map.filters.hidden[this.which];
    for (const toggle of this.body.querySelectorAll(".value")) {
      toggle.setAttribute("aria-pressed", String(!hidden.has(Number(toggle.dataset.code))));
    }
    const left = map.data.size - map.filters.count, note = this.root.querySelector(".hidden-rows");
    note.replaceChildren();
    if (left) {
      note.append(`${left.toLocaleString("en")} hidden by ${map.filters.by.map(printable).join(", ")} `,
        button("Show all", { onclick: () => map.filter(() => map.filters.clear()) }));
    }
  }
}
