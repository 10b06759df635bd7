// The map of the gallery, whose lasso chooses pictures.
import { element } from "./elements.js";
import { link } from "./route.js";
import { RowMap } from "./row_map.js";
import { address, ask } from "./service.js";
import { picture } from "./tile.js";
import { toast } from "./toast.js";

const NEAREST = 10; // neighbours of a picture that is opened
const SIDE = 96; // pixels of a small picture, that is kept
const KEPT = 1500; // of them, about 55 MB
const AT_ONCE = 6; // that are fetched
const AGAIN = 2; // seconds until a map that is being computed is asked for again

// Small pictures that are fetched as they come into view.
class ServedPictures {
  constructor(facts, ids, changed) {
    Object.assign(this, { facts, ids, changed, any: facts.images });
    this.squares = new Map(); // of each row its square, the last used at the end; null as long as it is fetched
    this.wanted = [];
    this.fetching = 0;
  }

  has() { return this.any; }

  draw(context, i, left, top, side) {
    const square = this.squares.get(i);
    if (square === undefined) {
      this.squares.set(i, null);
      this.wanted.push(i);
      this.next();
    }
    if (!square) return false;
    this.squares.delete(i);
    this.squares.set(i, square);
    context.drawImage(square, left, top, side, side);
    return true;
  }

  // What came into view last is fetched first.
  next() {
    while (this.fetching < AT_ONCE && this.wanted.length) {
      this.fetching++;
      const i = this.wanted.pop();
      this.fetch(i).catch(() => {}).finally(() => { this.fetching--; this.next(); }); // a broken picture is no picture
    }
  }

  async fetch(i) {
    const image = new Image();
    image.src = address("thumbnails", this.ids[i]);
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image, side = Math.min(width, height);
    const square = element("canvas", { width: SIDE, height: SIDE });
    square.getContext("2d").drawImage(image, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    this.squares.set(i, square);
    if (this.squares.size > KEPT) this.squares.delete(this.squares.keys().next().value);
    this.changed();
  }

  element(i, name) { return picture(this.facts, this.ids[i], { alt: name }); }
}

// The map with what can be done on this page: choose, correct, look for the like.
class ServedMap extends RowMap {
  constructor(root, json, page) {
    super(root, json, { pictures: (data, changed) => new ServedPictures(page.facts, data.ids, changed) });
    this.page = page;
    this.labels = this.data.columns.find((column) => column.name === "label");
    this.places = new Map(this.data.ids.map((id, i) => [id, i]));
    // Neighbours are those that a search finds once a picture is opened.
    const { data } = this;
    data.nearest = NEAREST;
    data.neighbors = new Int32Array(NEAREST * data.size).fill(-1);
    data.likeness = new Float32Array(NEAREST * data.size);
    this.searched = new Set();
  }

  rowOf(i) {
    const { labels, data } = this, id = data.ids[i];
    return { id, label: labels && (data.value(labels, i) || null) }; // which the map may not have
  }

  select(rows, adding) {
    super.select(rows, adding);
    if (this.page?.facts.corrections) this.page.selection.set(this.selection.map((i) => this.rowOf(i)));
  }

  open(i, options) {
    super.open(i, options);
    if (i >= 0) {
      this.lead(i);
      this.findNear(i).catch((problem) => toast.problem(problem));
    }
  }

  // What leads on from the picture that is open.
  lead(i) {
    const { picture: part } = this.details;
    part.querySelector(".more-like")?.remove();
    part.querySelector("dl").after(element("p", { class: "more-like" }, element("a", { href: link("similar", { id: this.data.ids[i] }) }, "More like this")));
    if (!this.searched.has(i)) part.querySelector("h3 + p").textContent = "Looking …";
  }

  async findNear(i) {
    if (this.searched.has(i)) return;
    const { data } = this;
    const { hits } = await ask("search", { method: "POST", query: { id: data.ids[i], k: NEAREST } });
    hits.forEach(({ id, similarity }, k) => {
      data.neighbors[NEAREST * i + k] = this.places.get(id) ?? -1; // one that is not on the map
      data.likeness[NEAREST * i + k] = similarity;
    });
    this.searched.add(i);
    if (this.pinned !== i) return;
    this.details.shown = -2;
    this.details.update();
    this.lead(i);
    this.schedule();
  }

  relabel(labels) {
    const { labels: column, data } = this;
    if (!column) return;
    data.ids.forEach((id, i) => { if (labels.has(id)) column.codes[i] = this.code(column, labels.get(id)); });
    this.legend.build();
    this.details.shown = -2;
    this.details.update();
    if (this.pinned >= 0) this.lead(this.pinned);
    this.recolor();
  }

  // The place of a label among those of the column, which takes new ones in.
  code(column, label) {
    if (label === null) return -1;
    const known = column.values.indexOf(label), several = column.names !== column.values;
    if (known >= 0) return known;
    column.values.push(label);
    const name = (one) => (column.names.includes(one) ? column.names.indexOf(one) : column.names.push(one) - 1);
    column.sets.push(several ? label.split("|").map(name) : [column.names.length - 1]);
    return column.values.length - 1;
  }
}

export class MapView {
  constructor(page, root) {
    this.page = page;
    this.root = root.querySelector(".row-map");
    this.waiting = root.querySelector(".waiting");
    this.root.hidden = true;
    page.corrections.addEventListener("changed", ({ detail: { labels } }) => this.map?.relabel(labels));
  }

  async show() {
    if (this.map || this.asking) return;
    this.asking = true;
    this.waiting.hidden = false;
    this.waiting.textContent = "The map is being computed; it will be shown here.";
    for (;;) {
      try {
        const json = await ask("map/page", { patience: 0 });
        this.waiting.hidden = true;
        this.root.hidden = false;
        this.map = new ServedMap(this.root, json, this.page);
        this.page.selection.onClear = () => { if (this.map.selection.length) this.map.select([]); };
        window.rowMap = this.map; // for scripts, and for tests
      } catch (problem) {
        if (problem.status === 503) {
          await new Promise((done) => setTimeout(done, 1000 * AGAIN));
          continue;
        }
        this.waiting.textContent = problem.message;
      }
      break;
    }
    this.asking = false;
  }
}
