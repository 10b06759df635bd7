// The pictures: squares on sheets, of which only those in view are decoded, and larger ones.
const SHEETS = 24; // that are held decoded, at most: a phone has little memory

class Pictures {
  constructor(stored, changed) {
    this.stored = stored;
    this.changed = changed; // called when a sheet has been decoded
    this.sheets = new Map();
    this.large = new Map(stored ? stored.large.places.map((place, k) => [place, stored.large.addresses[k]]) : []);
  }

  // Whether there is any.
  get any() { return !!this.stored?.sheets.length; }

  has(i) { return !!this.stored && this.stored.tiles[i] >= 0; }

  // A sheet, or null as long as it is being decoded; `then` is called once it is.
  sheet(number, then) {
    let sheet = this.sheets.get(number);
    if (sheet) this.sheets.delete(number); // the last used is the last in the map
    else {
      const image = new Image();
      sheet = { image, ready: false, waiting: [] };
      image.src = this.stored.sheets[number];
      image.decode().then(() => {
        sheet.ready = true;
        sheet.waiting.forEach((one) => one());
        this.changed();
      }, () => {}); // a broken picture is no picture
    }
    this.sheets.set(number, sheet);
    if (this.sheets.size > SHEETS) this.sheets.delete(this.sheets.keys().next().value);
    if (sheet.ready) return sheet.image;
    if (then) sheet.waiting.push(then);
    return null;
  }

  // Draw a row's square; false where it has none, or none yet.
  draw(context, i, left, top, side, then) {
    const { side: size, across, tiles } = this.stored, each = across * across;
    const sheet = this.sheet(Math.floor(tiles[i] / each), then);
    if (!sheet) return false;
    const tile = tiles[i] % each;
    context.drawImage(sheet, (tile % across) * size, Math.floor(tile / across) * size, size, size, left, top, side, side);
    return true;
  }

  // The picture of a row as an element: all of it where there is a larger one, its square, or a frame.
  element(i, name) {
    const known = { class: "photo", role: "img", "aria-label": name };
    const large = this.large.get(i);
    if (large) return element("img", { class: "photo", src: large, alt: name });
    if (!this.has(i)) return element("span", { ...known, class: "photo missing", "aria-label": `${name} (no picture)` });
    const canvas = element("canvas", { ...known, width: this.stored.side, height: this.stored.side });
    const draw = () => this.draw(canvas.getContext("2d"), i, 0, 0, canvas.width, draw);
    draw();
    return canvas;
  }
}
