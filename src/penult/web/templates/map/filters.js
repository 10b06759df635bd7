// Which rows are shown: those of whose columns no value has been hidden.
class Filters {
  constructor(data) {
    this.data = data;
    this.hidden = data.columns.map(() => new Set()); // codes; -1 are rows without a value
    this.shown = new Uint8Array(data.size).fill(1);
    this.count = data.size;
  }

  code(column, i) {
    return column.kind === "numeric" ? (Number.isNaN(column.values[i]) ? -1 : 0) : column.codes[i];
  }

  toggle(which, code) {
    const hidden = this.hidden[which];
    if (!hidden.delete(code)) hidden.add(code);
    this.apply();
  }

  // Show one value of a column alone, or all of them where it is alone already.
  isolate(which, code, codes) {
    const others = codes.filter((one) => one !== code), hidden = this.hidden[which];
    const alone = others.every((one) => hidden.has(one)) && !hidden.has(code);
    this.hidden[which] = new Set(alone ? [] : others);
    this.apply();
  }

  set(which, codes) { this.hidden[which] = new Set(codes); this.apply(); }

  clear() { this.hidden.forEach((one) => one.clear()); this.apply(); }

  // Have a row shown, whatever hides it.
  reveal(i) {
    if (this.shown[i]) return;
    this.data.columns.forEach((column, which) => this.hidden[which].delete(this.code(column, i)));
    this.apply();
  }

  apply() {
    const { data, shown, hidden } = this;
    shown.fill(1);
    data.columns.forEach((column, which) => {
      if (!hidden[which].size) return;
      for (let i = 0; i < data.size; i++) if (hidden[which].has(this.code(column, i))) shown[i] = 0;
    });
    this.count = shown.reduce((sum, one) => sum + one, 0);
  }

  // The names of the columns that hide rows.
  get by() { return this.data.columns.filter((_, which) => this.hidden[which].size).map((column) => column.name); }
}
