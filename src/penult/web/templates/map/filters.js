// Which rows are shown: those that have in each column a name which is not hidden.
class Filters {
  constructor(data) {
    this.data = data;
    this.hidden = data.columns.map(() => new Set()); // codes; -1 are rows without a value
    this.shown = new Uint8Array(data.size).fill(1);
    this.count = data.size;
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
    this.data.columns.forEach((column, which) => this.hides(which, i) && this.hidden[which].delete(this.data.codes(column, i)[0]));
    this.apply();
  }

  // Whether a column hides a row.
  hides(which, i) {
    const hidden = this.hidden[which];
    return this.data.codes(this.data.columns[which], i).every((code) => hidden.has(code));
  }

  // Which of its names colours a row: the rarest of those that are shown.
  coloring(which, i) {
    const codes = this.data.codes(this.data.columns[which], i);
    return codes.length === 1 ? codes[0] : codes.find((code) => !this.hidden[which].has(code)) ?? codes[0];
  }

  apply() {
    const { data, shown, hidden } = this;
    shown.fill(1);
    data.columns.forEach((_, which) => {
      if (!hidden[which].size) return;
      for (let i = 0; i < data.size; i++) if (this.hides(which, i)) shown[i] = 0;
    });
    this.count = shown.reduce((sum, one) => sum + one, 0);
  }

  // The names of the columns that hide rows.
  get by() { return this.data.columns.filter((_, which) => this.hidden[which].size).map((column) => column.name); }
}
