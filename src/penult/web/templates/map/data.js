// What the block of JSON holds, as typed arrays.
const NUMBERS = { float32: Float32Array, int32: Int32Array, int16: Int16Array };

function unpack(packed) {
  const text = atob(packed.base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return new NUMBERS[packed.dtype](bytes.buffer);
}

// Characters that a browser obeys instead of showing, as penult.messages has them: names are other
// people's. They are exported as they are, and shown escaped.
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;
const printable = (text) =>
  text.replace(UNPRINTABLE, (one) => {
    const code = one.codePointAt(0);
    return code < 256 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
  });

const NO_NAME = [-1], FIRST_NAME = [0];

// A column of categories with the names of its legend, and which of them each of its values is.
const withNames = (column) => ({
  ...column,
  names: column.names ?? column.values,
  sets: column.sets ?? column.values.map((_, k) => [k]),
});

class MapData {
  constructor(json) {
    this.name = json.name;
    this.ids = json.ids;
    this.size = json.ids.length;
    this.palettes = { light: json.palette, dark: json.palette_on_dark };
    this.escapesFormulas = json.escape_formulas;
    this.xy = unpack(json.xy);
    this.columns = json.columns.map((column) =>
      column.kind === "numeric"
        ? { ...column, values: unpack(column.values) }
        : withNames({ ...column, codes: unpack(column.codes) }));
    this.colorBy = json.color_by ?? 0;
    this.metric = json.neighbors.metric;
    this.neighbors = unpack(json.neighbors.places);
    this.likeness = unpack(json.neighbors.values);
    this.nearest = json.neighbors.places.shape[1];
    this.pictures = json.pictures && { ...json.pictures, tiles: unpack(json.pictures.tiles) };
    this.place();
  }

  // Points in [0, width] × [0, height], of which the longer is 1; y points down, as on a screen.
  place() {
    const { xy, size } = this;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < size; i++) {
      left = Math.min(left, xy[2 * i]); right = Math.max(right, xy[2 * i]);
      low = Math.min(low, xy[2 * i + 1]); high = Math.max(high, xy[2 * i + 1]);
    }
    const span = Math.max(right - left, high - low) || 1;
    this.width = size ? (right - left) / span : 0;
    this.height = size ? (high - low) / span : 0;
    this.points = new Float32Array(2 * size);
    for (let i = 0; i < size; i++) {
      this.points[2 * i] = (xy[2 * i] - left) / span;
      this.points[2 * i + 1] = (high - xy[2 * i + 1]) / span;
    }
  }

  // The codes of a row among the names of a column's legend; -1 alone where it has none. Where it
  // has several, the rarest first.
  codes(column, i) {
    if (column.kind === "numeric") return Number.isNaN(column.values[i]) ? NO_NAME : FIRST_NAME;
    return column.codes[i] < 0 ? NO_NAME : column.sets[column.codes[i]];
  }

  // A value of a column as it is written, "" where there is none.
  value(column, i) {
    if (column.kind === "categorical") return column.codes[i] < 0 ? "" : column.values[column.codes[i]];
    return Number.isNaN(column.values[i]) ? "" : String(Number(column.values[i].toPrecision(6)));
  }

  // The same in few digits, to be read.
  word(column, i) {
    if (column.noise !== undefined && this.codes(column, i)[0] === column.noise) return column.names[column.noise];
    const value = this.value(column, i);
    return value === "" ? "none" : column.kind === "numeric" ? String(Number(column.values[i].toPrecision(3))) : printable(value);
  }

  // The neighbours of a row in the full space, nearest first, with their cosines or distances.
  neighborsOf(i) {
    const found = [];
    for (let k = i * this.nearest; k < (i + 1) * this.nearest; k++)
      if (this.neighbors[k] >= 0) found.push({ place: this.neighbors[k], value: this.likeness[k] });
    return found;
  }
}
