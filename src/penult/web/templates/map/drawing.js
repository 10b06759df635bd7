// What is drawn: the dots below, and above them the pictures, names, marks and the lasso.
const SMALLEST = 28, LARGEST = 104; // CSS pixels of a picture on the map
const FADED = 0.13; // of dots that are not among those chosen

class Drawing {
  constructor(state, dots, over) {
    this.state = state; // the map: data, view, grid, filters, and what is chosen
    this.over = over;
    this.paper = over.getContext("2d");
    this.mount(dots);
    this.rank = this.shuffled(state.data.size);
    // Where a name may stand: at its group, then above, below and beside it, in half widths and lines.
    this.beside = [0, -1, 1].flatMap((right) => [0, -1, 1, -2, 2, -3, 3, -4, 4].map((down) => [right, down]));
    this.tiles = []; // the pictures that were drawn last, the upper ones last
    this.read();
  }

  // WebGL where there is, and the canvas's pixels where not, or where the browser takes it away.
  mount(canvas) {
    const instead = () => {
      const next = canvas.cloneNode(); // one of WebGL gives no other context
      canvas.replaceWith(next);
      this.dots = new PixelDots(next);
    };
    try {
      this.dots = new WebGLDots(canvas);
      canvas.addEventListener("webglcontextlost", () => {
        instead();
        this.recolor();
        this.state.resize();
      }, { once: true });
    } catch {
      instead();
    }
  }

  get isWebGL() { return this.dots instanceof WebGLDots; }

  // A fixed order in which points are drawn, so that none is hidden by where it stands in the file.
  shuffled(size) {
    const order = Uint32Array.from({ length: size }, (_, i) => i);
    let seed = 7;
    for (let k = size - 1; k > 0; k--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const other = seed % (k + 1);
      [order[k], order[other]] = [order[other], order[k]];
    }
    this.order = order;
    const rank = new Uint32Array(size);
    order.forEach((i, k) => { rank[i] = k; });
    return rank;
  }

  // The page's colours, which follow the reader's.
  read() {
    const style = getComputedStyle(this.over);
    const color = (name) => style.getPropertyValue(name).trim();
    this.ink = color("--ink"); this.accent = color("--accent"); this.soft = color("--soft");
    this.background = rgb(color("--paper"));
    this.dark = this.background[0] < 128;
  }

  // Of many points, larger values are drawn above smaller ones, "yes" above "no", the rare above all;
  // of categories, what stands out among others lies above them.
  ordered(column) {
    const { data } = this.state;
    const lifted = column && (column.kind === "numeric" || column.boolean);
    if (!lifted) return [...this.order.filter((i) => !this.out[i]), ...this.order.filter((i) => this.out[i])];
    const key = column.kind === "numeric" ? (i) => (Number.isNaN(column.values[i]) ? -Infinity : column.values[i]) : (i) => column.codes[i];
    const keys = Float32Array.from({ length: data.size }, (_, i) => key(i));
    return this.order.slice().sort((a, b) => keys[a] - keys[b] || this.rank[a] - this.rank[b]);
  }

  // Give the dots their colours anew.
  recolor() {
    const { data, filters, column, emphasis } = this.state;
    this.out = standingOut(data, column);
    const order = this.ordered(column);
    const points = new Float32Array(2 * data.size), colors = new Uint8Array(4 * data.size);
    const which = data.columns.indexOf(column);
    this.colorOf = colorsOf(column, data.palettes, this.dark, (i) => filters.coloring(which, i));
    const alpha = Math.round(255 * (data.size > 30000 ? 0.75 : 0.88)), faded = Math.round(255 * FADED);
    let k = 0;
    const place = (i) => {
      points[2 * k] = data.points[2 * i]; points[2 * k + 1] = data.points[2 * i + 1];
      colors.set(this.colorOf(i), 4 * k);
      colors[4 * k + 3] = !filters.shown[i] ? 0 : emphasis && !emphasis[i] ? faded : alpha;
      k++;
    };
    // What is chosen lies above what is not.
    for (const i of order) if (emphasis && !emphasis[i]) place(i);
    for (const i of order) if (!emphasis || emphasis[i]) place(i);
    this.dots.set(points, colors);
    this.places = namePlaces(data, column, filters.shown, filters.hidden[which]);
  }

  get radius() {
    const { data, view } = this.state;
    const base = Math.min(5, Math.max(1.4, 3.6 * (1000 / Math.max(100, data.size)) ** 0.21));
    return Math.min(7, base * Math.max(1, view.magnification) ** 0.3);
  }

  // The side of pictures in place of dots, 0 where they would be too small to be seen.
  get side() {
    const { view, pictures, withPictures } = this.state;
    if (!withPictures || !pictures.any) return 0;
    return view.pictureSide();
  }

  draw() {
    const { view } = this.state;
    const sharpness = this.over.width / view.width;
    this.dots.draw(view, sharpness, this.radius, this.background);
    const paper = this.paper;
    paper.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    paper.clearRect(0, 0, view.width, view.height);
    this.drawPictures(paper);
    this.drawMarks(paper);
    this.drawNames(paper, view);
    this.drawShape(paper);
  }

  // Pictures where there is room for them: no two overlap, and the rest stay dots.
  drawPictures(paper) {
    const { view, grid, filters, pictures, emphasis, pinned, hovered } = this.state;
    const side = this.side, half = side / 2;
    this.tiles = [];
    if (!side) return;
    const found = [];
    grid.within(view.box(-side, -side, view.width + side, view.height + side), (i) => {
      if (filters.shown[i] && pictures.has(i)) found.push(i);
    });
    const first = new Set([pinned, ...(pinned < 0 ? [] : this.state.data.neighborsOf(pinned).map((one) => one.place))]);
    const weight = (i) => (first.has(i) ? -2 : emphasis?.[i] ? -1 : 0);
    found.sort((a, b) => weight(a) - weight(b) || this.out[b] - this.out[a] || this.rank[a] - this.rank[b]);
    const taken = new Map(), key = (column, row) => column * 100003 + row;
    for (const i of found) {
      const x = view.x(i), y = view.y(i);
      const column = Math.floor((x - view.left) / side), row = Math.floor((y - view.top) / side);
      let free = true;
      for (let c = column - 1; free && c <= column + 1; c++)
        for (let r = row - 1; free && r <= row + 1; r++)
          for (const other of taken.get(key(c, r)) ?? [])
            if (Math.abs(view.x(other) - x) < side && Math.abs(view.y(other) - y) < side) { free = false; break; }
      if (!free) continue;
      const cell = key(column, row);
      if (taken.has(cell)) taken.get(cell).push(i); else taken.set(cell, [i]);
      if (x > -half && y > -half && x < view.width + half && y < view.height + half) this.tiles.push(i);
    }
    this.tiles.reverse();
    for (const i of this.tiles) {
      paper.globalAlpha = emphasis && !emphasis[i] && !first.has(i) ? 0.25 : 1;
      this.drawTile(paper, i, side);
    }
    paper.globalAlpha = 1;
    if (hovered >= 0 && this.tiles.includes(hovered)) this.drawTile(paper, hovered, side);
  }

  drawTile(paper, i, side) {
    const { view, pictures } = this.state;
    const left = view.x(i) - side / 2, top = view.y(i) - side / 2, frame = side > 48 ? 3 : 2;
    paper.fillStyle = css(this.colorOf(i));
    paper.fillRect(left + 0.5, top + 0.5, side - 1, side - 1);
    if (!pictures.draw(paper, i, left + frame, top + frame, side - 2 * frame)) {
      paper.fillStyle = css(this.background);
      paper.fillRect(left + frame, top + frame, side - 2 * frame, side - 2 * frame);
    }
  }

  // Rings, or frames of pictures, at what is pointed at, opened, near to that, or found.
  drawMarks(paper) {
    const { data, view, filters, pinned, hovered, matches } = this.state;
    const drawn = new Set(this.tiles), half = this.side / 2;
    const ring = (i, color, width, reach = 3) => {
      const x = view.x(i), y = view.y(i);
      paper.beginPath();
      if (drawn.has(i)) paper.rect(x - half - 1, y - half - 1, 2 * half + 2, 2 * half + 2);
      else paper.arc(x, y, this.radius + reach, 0, 2 * Math.PI);
      paper.lineWidth = width + 2.5; paper.strokeStyle = css(this.background); paper.stroke();
      paper.lineWidth = width; paper.strokeStyle = color; paper.stroke();
    };
    if (matches.length <= 300) for (const i of matches) if (filters.shown[i]) ring(i, this.ink, 1.5);
    if (pinned >= 0) {
      const near = data.neighborsOf(pinned).filter(({ place }) => filters.shown[place]);
      paper.lineWidth = 1.25; paper.strokeStyle = this.accent; paper.globalAlpha = 0.55;
      for (const { place } of near) {
        paper.beginPath();
        paper.moveTo(view.x(pinned), view.y(pinned));
        paper.lineTo(view.x(place), view.y(place));
        paper.stroke();
      }
      paper.globalAlpha = 1;
      // The lines lead to pictures, and not across them.
      for (const { place } of near) {
        if (drawn.has(place)) this.drawTile(paper, place, this.side);
        ring(place, this.accent, 1.75);
      }
      if (drawn.has(pinned)) this.drawTile(paper, pinned, this.side);
      ring(pinned, this.accent, 3, 4);
    }
    if (hovered >= 0 && hovered !== pinned) ring(hovered, this.ink, 2);
  }

  // Names at the groups or beside them, the larger ones first; those without room are left out.
  drawNames(paper, view) {
    const { column, withNames, emphasis } = this.state;
    this.named = []; // where they stand
    if (!withNames || !column || view.magnification > 4 || emphasis) return;
    const taken = this.named = [];
    paper.font = `600 12.5px ${getComputedStyle(this.over).fontFamily}`;
    paper.textAlign = "center"; paper.textBaseline = "middle"; paper.lineJoin = "round";
    for (const place of this.places ?? []) {
      const name = titled(column.names[place.code]);
      const text = name.length > 28 ? name.slice(0, 27) + "…" : name;
      const half = paper.measureText(text).width / 2 + 4;
      const at = roomForName(place, half, taken, this);
      if (!at) continue;
      const [x, y] = at;
      taken.push({ x, y, half });
      paper.lineWidth = 4.5; paper.strokeStyle = css(this.background); paper.globalAlpha = 0.9;
      paper.strokeText(text, x, y);
      paper.globalAlpha = 1; paper.fillStyle = this.ink;
      paper.fillText(text, x, y);
    }
  }

  // The lasso or box that is being drawn.
  drawShape(paper) {
    const { shape } = this.state;
    if (!shape || shape.length < 2) return;
    paper.beginPath();
    shape.forEach(([x, y], k) => (k ? paper.lineTo(x, y) : paper.moveTo(x, y)));
    paper.closePath();
    paper.fillStyle = this.accent; paper.globalAlpha = 0.1; paper.fill();
    paper.globalAlpha = 1;
    paper.setLineDash([5, 4]); paper.lineWidth = 1.5; paper.strokeStyle = this.accent; paper.stroke();
    paper.setLineDash([]);
  }

  // A row at a place of the screen: of pictures the uppermost, else the nearest dot; -1 for none.
  at(x, y, reach) {
    const { view, grid, filters } = this.state, half = this.side / 2;
    for (let k = this.tiles.length - 1; k >= 0; k--) {
      const i = this.tiles[k];
      if (Math.abs(view.x(i) - x) <= half && Math.abs(view.y(i) - y) <= half) return i;
    }
    const radius = Math.max(reach, this.radius + 2) / view.scale;
    const [u, v] = view.box(x, y, x, y);
    return grid.nearest(u, v, radius, (i) => filters.shown[i]);
  }

  // What is seen, on white and sharp enough for a printer.
  printed() {
    const seen = this.state.view, view = Object.assign(Object.create(View.prototype), seen), sharpness = 3;
    if (seen.isFitted) { // without the room that a window has beside it
      const { width, height } = seen.data;
      view.width = 800;
      view.height = Math.min(1000, 800 * (height / (width || 1)) + 60);
      view.fit();
    }
    this.state.view = view;
    const canvas = element("canvas", { width: Math.round(view.width * sharpness), height: Math.round(view.height * sharpness) });
    const screen = { dots: this.dots, background: this.background, ink: this.ink, dark: this.dark, accent: this.accent };
    Object.assign(this, { dots: new PixelDots(canvas), background: [255, 255, 255], ink: "#000000", dark: false, accent: "#4f2d94" });
    this.recolor();
    this.dots.draw(view, sharpness, this.radius, this.background);
    const paper = canvas.getContext("2d");
    paper.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    this.drawPictures(paper);
    this.drawMarks(paper);
    this.drawNames(paper, view);
    Object.assign(this, screen);
    this.state.view = seen;
    this.recolor();
    return canvas;
  }
}
