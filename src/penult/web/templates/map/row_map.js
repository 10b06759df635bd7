// The map with all that belongs to it, in an element that holds its parts. Its pictures are those of
// its data, unless `pictures(data, changed)` makes them.
class RowMap {
  constructor(root, json, { pictures = (data, changed) => new Pictures(data.pictures, changed) } = {}) {
    const part = (name) => root.querySelector(name);
    this.root = root;
    this.data = new MapData(json);
    this.grid = new Grid(this.data);
    this.view = new View(this.data, this.grid.gap());
    this.filters = new Filters(this.data);
    this.pictures = pictures(this.data, () => this.schedule());
    this.column = this.data.columns[this.data.colorBy];
    this.selection = []; // rows, in the order of the file
    this.matches = [];
    this.pinned = this.hovered = -1;
    this.shape = null;
    this.withNames = this.withPictures = true;
    this.frames = 0;
    this.stage = part(".stage");
    this.canvas = part(".over");
    this.card = part(".card");
    this.status = part(".status");
    this.drawing = new Drawing(this, part(".dots"), this.canvas);
    this.pointer = new Pointer(this, this.canvas);
    this.legend = new Legend(this, part(".colors"));
    this.legend.choice.value = this.data.colorBy;
    this.search = new Search(this, part(".search"));
    this.details = new Details(this, part(".details"));
    this.tools();
    this.active = true; // whether the wheel and a finger move the map, and not the page
    if (root.classList.contains("embedded")) this.embed();
    root.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.drawing.read(); this.legend.build(); this.recolor(); });
    addEventListener("beforeprint", () => this.print());
    this.drawing.recolor();
    this.legend.build();
    this.resize();
  }

  // In a longer page, the map takes the wheel and fingers from when it is clicked or reached by keys
  // until something else is.
  embed() {
    const { root } = this, set = (on) => { this.active = on; root.classList.toggle("active", on); };
    this.activate = () => set(true);
    this.leave = () => { this.canvas.blur(); this.open(-1); set(false); };
    set(false);
    for (const kind of ["focusin", "pointerdown"]) {
      addEventListener(kind, ({ target, pointerType }) => {
        if (!root.contains(target)) set(false);
        else if (pointerType !== "touch" || target !== this.canvas) set(true); // a finger may scroll
      });
    }
    root.querySelector(".leave").addEventListener("click", this.leave);
  }

  // Say how to zoom to whom only scrolls past.
  hint() {
    const line = this.root.querySelector(".wheel-hint");
    line.hidden = false;
    clearTimeout(this.hinting);
    this.hinting = setTimeout(() => { line.hidden = true; }, 1500);
  }

  // Draw once before the next frame, however much has changed.
  schedule() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.drawing.draw();
      this.frames++;
    });
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    this.view.resize(width, height);
    const sharpness = Math.min(3, devicePixelRatio || 1);
    for (const canvas of [this.drawing.dots.canvas, this.canvas]) {
      canvas.width = Math.round(width * sharpness);
      canvas.height = Math.round(height * sharpness);
    }
    this.drawing.draw(); // at once: a canvas of another size is empty
  }

  // Change the view in a quarter of a second, so that the eye can follow; at once for those who
  // would rather see nothing move.
  glide(change) {
    const { view } = this, parts = ["scale", "left", "top"];
    const from = parts.map((part) => view[part]);
    cancelAnimationFrame(this.gliding);
    change();
    const to = parts.map((part) => view[part]), { isFitted } = view, begun = performance.now();
    const same = parts.every((_, k) => Math.abs(to[k] - from[k]) < 0.5);
    if (same || matchMedia("(prefers-reduced-motion: reduce)").matches) { this.schedule(); return; }
    const step = (now) => {
      const left = 1 - Math.min(1, Math.max(0, now - begun) / 250), eased = 1 - left ** 3;
      parts.forEach((part, k) => { view[part] = from[k] + eased * (to[k] - from[k]); });
      view.isFitted = isFitted;
      this.drawing.draw();
      if (left > 0) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  recolor() { this.drawing.recolor(); this.schedule(); }

  // Rows that stand out while the others are faded: a selection, or what was found; null for none.
  get emphasis() {
    const rows = this.matches.length ? this.matches : this.selection;
    if (!rows.length) return null;
    if (this.emphasized?.rows !== rows) {
      const mask = new Uint8Array(this.data.size);
      for (const i of rows) mask[i] = 1;
      this.emphasized = { rows, mask };
    }
    return this.emphasized.mask;
  }

  colorBy(which) {
    this.column = this.data.columns[which];
    this.legend.choice.value = which;
    this.legend.build();
    this.details.shown = -2; // its neighbours have another word below them
    this.details.update();
    this.recolor();
  }

  filter(change) {
    change();
    this.legend.update();
    this.recolor();
    this.say(`${count(this.filters.count, "image")} shown`);
  }

  // Open a row, with its neighbours; -1 closes.
  open(i, { center = false } = {}) {
    this.pinned = i;
    this.hover(-1);
    if (i >= 0) {
      if (!this.filters.shown[i]) this.filter(() => this.filters.reveal(i));
      this.say(`${printable(this.data.ids[i])}, ${this.described(i)}`);
    }
    this.details.update();
    this.glide(() => {
      this.resize(); // the details take room from the map, or give it back
      if (i < 0) return;
      if (center && this.view.magnification < 3) this.view.zoom(3 / this.view.magnification);
      this.view.show(i, center ? Infinity : undefined);
    });
    if (i >= 0) this.details.root.scrollTop = 0;
  }

  described(i) {
    return this.data.columns.map((column) => `${printable(column.name)} ${this.data.word(column, i)}`).join(", ");
  }

  select(rows, adding = false) {
    const chosen = adding ? [...new Set([...this.selection, ...rows])] : [...rows];
    this.selection = chosen.sort((a, b) => a - b);
    this.details.update();
    this.glide(() => this.resize());
    this.recolor();
    this.say(chosen.length ? `${count(chosen.length, "image")} selected` : "Nothing selected");
  }

  // Select the rows that are shown inside a polygon of the screen, by the even-odd rule.
  selectWithin(shape, adding = false) {
    const { view, data } = this;
    const corners = shape.map(([x, y]) => view.box(x, y, x, y));
    const across = corners.map(([u]) => u), down = corners.map(([, v]) => v), rows = [];
    this.grid.within([Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)], (i) => {
      if (!this.filters.shown[i]) return;
      const u = data.points[2 * i], v = data.points[2 * i + 1];
      let inside = false;
      for (let k = 0, last = corners.length - 1; k < corners.length; last = k++) {
        const [a, b] = corners[k], [c, d] = corners[last];
        if (b > v !== d > v && u < ((c - a) * (v - b)) / (d - b) + a) inside = !inside;
      }
      if (inside) rows.push(i);
    });
    this.select(rows, adding);
  }

  // Point at a row: it is marked, and a card shows it beside a place of the screen.
  hover(i, { at = null, card = true } = {}) {
    if (i < 0 && this.hovered < 0) return;
    if (this.hovered !== i) {
      this.hovered = i;
      this.schedule();
      if (i >= 0 && card) {
        this.card.replaceChildren(this.pictures.element(i, printable(this.data.ids[i])), this.details.brief(i), idElement(this.data.ids[i]));
      }
    }
    this.card.hidden = i < 0 || !card;
    this.canvas.classList.toggle("pointing", i >= 0);
    if (this.card.hidden) return;
    const [x, y] = at ?? [this.view.x(i), this.view.y(i)], gap = 18;
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const left = x + gap + width < this.view.width ? x + gap : x - gap - width;
    this.card.style.left = `${Math.max(6, Math.min(left, this.view.width - width - 6))}px`;
    this.card.style.top = `${Math.max(6, Math.min(y - height / 3, this.view.height - height - 6))}px`;
  }

  say(text) { this.status.textContent = text; }

  tools() {
    const act = {
      in: () => this.view.zoom(1.5), out: () => this.view.zoom(1 / 1.5), fit: () => this.glide(() => this.view.fit()),
      move: () => this.use("move"), lasso: () => this.use("lasso"), box: () => this.use("box"),
      names: (one) => { this.withNames = this.press(one); }, pictures: (one) => { this.withPictures = this.press(one); },
    };
    this.root.querySelectorAll("[data-tool]").forEach((one) => {
      one.addEventListener("click", () => { act[one.dataset.tool](one); this.schedule(); });
    });
    this.root.querySelector("[data-tool=pictures]").hidden = !this.pictures.any;
    this.use("move");
  }

  press(one) {
    const on = one.getAttribute("aria-pressed") !== "true";
    one.setAttribute("aria-pressed", String(on));
    return on;
  }

  use(tool) {
    this.pointer.tool = tool;
    this.canvas.classList.toggle("shaping", tool !== "move");
    for (const name of ["move", "lasso", "box"]) {
      this.root.querySelector(`[data-tool=${name}]`).setAttribute("aria-pressed", String(name === tool));
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (this.shape) this.pointer.stop();
      else if (this.pinned >= 0) this.open(-1);
      else if (this.selection.length) this.select([]);
      else if (this.hovered < 0 && this.leave) this.leave();
      else this.hover(-1);
      this.schedule();
      return;
    }
    if (event.target !== this.canvas) return;
    const far = event.shiftKey ? 200 : 60;
    const act = {
      "+": () => this.view.zoom(1.3), "=": () => this.view.zoom(1.3), "-": () => this.view.zoom(1 / 1.3), 0: () => this.view.fit(),
      ArrowLeft: () => this.view.pan(far, 0), ArrowRight: () => this.view.pan(-far, 0),
      ArrowUp: () => this.view.pan(0, far), ArrowDown: () => this.view.pan(0, -far),
      m: () => this.use("move"), l: () => this.use("lasso"), b: () => this.use("box"),
      a: () => this.selectView(),
      "/": () => this.search.field.focus(),
      Enter: () => { if (this.hovered >= 0) this.open(this.hovered, {}); },
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
    this.schedule();
    // By keyboard, the point nearest to the middle of the window is the one that is pointed at.
    if (event.key.startsWith("Arrow") || "+=-0".includes(event.key)) this.pointAtMiddle();
  }

  pointAtMiddle() {
    const { view } = this, x = view.width / 2, y = view.height / 2;
    this.drawing.draw(); // where pictures lie now
    const i = this.drawing.at(x, y, Math.min(x, y));
    this.hover(i);
    if (i >= 0) this.say(`${printable(this.data.ids[i])}, ${this.described(i)}`);
  }

  selectView() {
    const { width, height } = this.view;
    this.selectWithin([[0, 0], [width, 0], [width, height], [0, height]]);
  }

  // Paper shows what the screen shows, on white.
  print() {
    this.root.querySelector(".printed").replaceChildren(this.drawing.printed());
    this.schedule();
  }
}
