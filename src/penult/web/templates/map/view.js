// Which part of the map is seen: a point at u is drawn at u * scale + left, in CSS pixels.
const BUTTONS = 52; // CSS pixels that they take of the lower edge

class View {
  constructor(data, gap) {
    this.data = data;
    this.gap = gap; // what lies between most points and their nearest one
    this.width = this.height = 1;
    this.scale = 0;
    this.left = this.top = 0;
  }

  get margin() { return Math.min(40, 0.06 * Math.min(this.width, this.height)); }

  // The scale at which all of the map is seen, above the buttons at the lower edge; pictures as wholes.
  get fitted() {
    const scale = this.scaleWithin(this.margin);
    return this.scaleWithin(Math.max(this.margin, this.pictureSide(scale) / 2 + 2));
  }

  scaleWithin(margin) {
    const { width, height } = this.data, across = this.width - 2 * margin, down = this.height - 2 * margin - BUTTONS;
    return Math.max(1, Math.min(across / (width || 1e-9), down / (height || 1e-9), 1e6));
  }

  // The side of a picture in place of a dot, in CSS pixels; 0 where it would be too small to be seen.
  pictureSide(scale = this.scale) {
    const side = 3.2 * this.gap * scale;
    return side < SMALLEST ? 0 : Math.min(LARGEST, side);
  }

  get magnification() { return this.scale / this.fitted; }

  resize(width, height) {
    const untouched = this.scale === 0 || this.isFitted;
    this.width = width; this.height = height;
    if (untouched) this.fit();
  }

  fit() {
    this.scale = this.fitted;
    this.left = (this.width - this.scale * this.data.width) / 2;
    this.top = (this.height - BUTTONS - this.scale * this.data.height) / 2;
    this.isFitted = true;
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const fitted = this.fitted;
    const most = Math.max(8 * fitted, 200 / this.gap);
    const scale = Math.min(most, Math.max(0.6 * fitted, this.scale * factor));
    this.left = x - (x - this.left) * (scale / this.scale);
    this.top = y - (y - this.top) * (scale / this.scale);
    this.scale = scale;
    this.keep();
  }

  pan(right, down) {
    this.left += right; this.top += down;
    this.keep();
  }

  // The middle of the window never leaves the map, so that nobody is lost.
  keep() {
    this.isFitted = false;
    const within = (start, size, middle) => Math.min(middle, Math.max(middle - size, start));
    this.left = within(this.left, this.scale * this.data.width, this.width / 2);
    this.top = within(this.top, this.scale * this.data.height, this.height / 2);
  }

  x(i) { return this.data.points[2 * i] * this.scale + this.left; }
  y(i) { return this.data.points[2 * i + 1] * this.scale + this.top; }

  // A rectangle of the screen as one of the map.
  box(left, top, right, bottom) {
    const { scale } = this;
    return [(left - this.left) / scale, (top - this.top) / scale, (right - this.left) / scale, (bottom - this.top) / scale];
  }

  // Bring a point into view, if it is out of it or near its edge.
  show(i, margin = 60) {
    const x = this.x(i), y = this.y(i);
    if (x >= margin && x <= this.width - margin && y >= margin && y <= this.height - margin) return;
    this.pan(this.width / 2 - x, this.height / 2 - y);
  }
}
