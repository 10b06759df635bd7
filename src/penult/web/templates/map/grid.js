// Which points lie where: a grid of about four points a cell, in two arrays.
class Grid {
  constructor({ points, size }) {
    this.points = points;
    this.side = Math.max(1, Math.min(1024, Math.round(Math.sqrt(size / 4))));
    const cells = this.side * this.side;
    this.start = new Uint32Array(cells + 1);
    this.items = new Uint32Array(size);
    for (let i = 0; i < size; i++) this.start[this.cell(i) + 1]++;
    for (let k = 0; k < cells; k++) this.start[k + 1] += this.start[k];
    const next = this.start.slice();
    for (let i = 0; i < size; i++) this.items[next[this.cell(i)]++] = i;
  }

  line(u) { return Math.min(this.side - 1, Math.max(0, Math.floor(u * this.side))); }
  cell(i) { return this.line(this.points[2 * i + 1]) * this.side + this.line(this.points[2 * i]); }

  // Call visit(i) for each point of a rectangle.
  within([left, top, right, bottom], visit) {
    const { points, start, items, side } = this;
    const first = this.line(left), last = this.line(right);
    for (let row = this.line(top); row <= this.line(bottom); row++) {
      const end = start[row * side + last + 1];
      for (let k = start[row * side + first]; k < end; k++) {
        const i = items[k], u = points[2 * i], v = points[2 * i + 1];
        if (u >= left && u <= right && v >= top && v <= bottom) visit(i);
      }
    }
  }

  // The nearest point that is accepted within a radius, or -1.
  nearest(u, v, radius, accept) {
    let best = radius * radius, found = -1;
    this.within([u - radius, v - radius, u + radius, v + radius], (i) => {
      const right = this.points[2 * i] - u, down = this.points[2 * i + 1] - v;
      const distance = right * right + down * down;
      if (distance <= best && accept(i)) { best = distance; found = i; }
    });
    return found;
  }

  // The median distance of points to their nearest ones, of some hundred of them.
  gap() {
    const size = this.items.length, gaps = [];
    for (let k = 0; k < size; k += Math.max(1, Math.floor(size / 400))) {
      const i = this.items[k], u = this.points[2 * i], v = this.points[2 * i + 1];
      for (let radius = 0.5 / this.side; radius < 2; radius *= 2) {
        const near = this.nearest(u, v, radius, (j) => j !== i && (this.points[2 * j] !== u || this.points[2 * j + 1] !== v));
        if (near < 0) continue;
        gaps.push(Math.hypot(this.points[2 * near] - u, this.points[2 * near + 1] - v));
        break;
      }
    }
    gaps.sort((a, b) => a - b);
    return gaps.length ? gaps[gaps.length >> 1] : 0.2;
  }
}
