// Mouse, pen and fingers on the map.
const STILL = 5; // CSS pixels that a click may move

class Pointer {
  constructor(map, canvas) {
    this.map = map;
    this.canvas = canvas;
    this.down = new Map(); // pointers that are down: where each was last
    this.tool = "move";
    canvas.addEventListener("pointerdown", (event) => this.start(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.end(event, true));
    canvas.addEventListener("pointercancel", (event) => this.end(event, false));
    canvas.addEventListener("pointerleave", (event) => {
      if (!this.down.size && event.pointerType !== "touch") map.hover(-1); // a finger leaves as it is lifted
    });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    if (!this.map.active && !event.ctrlKey && !event.metaKey) { this.map.hint(); return; }
    event.preventDefault();
    cancelAnimationFrame(this.map.gliding);
    const unit = [1, 16, 400][event.deltaMode]; // pixels, lines, pages
    // A pinch on a touchpad comes as a wheel with Ctrl, in smaller steps.
    const factor = Math.exp(-Math.max(-300, Math.min(300, event.deltaY * unit)) * (event.ctrlKey ? 0.01 : 0.0018));
    this.map.view.zoom(factor, ...this.at(event));
    this.map.schedule();
  }

  start(event) {
    if (event.button) return;
    const at = this.at(event);
    this.tap = null;
    if (event.pointerType === "touch" && !this.map.active) { this.tap = at; return; }
    cancelAnimationFrame(this.map.gliding);
    this.canvas.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, at);
    if (this.down.size === 1) {
      this.begun = at;
      this.moved = false;
      this.adding = event.shiftKey && this.tool !== "move";
      this.shaping = this.tool !== "move" ? this.tool : event.shiftKey ? "lasso" : null;
    } else {
      this.moved = true; // two fingers pinch, and select nothing
      this.shaping = this.map.shape = null;
    }
  }

  move(event) {
    const { map, down } = this, at = this.at(event), last = down.get(event.pointerId);
    if (!last) {
      if (event.pointerType !== "touch") map.hover(map.drawing.at(...at, 6), { at });
      return;
    }
    const reach = event.pointerType === "touch" ? 2 * STILL : STILL;
    if (!this.moved && Math.hypot(at[0] - this.begun[0], at[1] - this.begun[1]) < reach) return;
    if (!this.moved) {
      this.moved = true;
      map.hover(-1);
      this.canvas.classList.add("dragging");
    }
    if (down.size > 1) this.pinch(event.pointerId, at);
    else if (this.shaping) this.draw(at);
    else map.view.pan(at[0] - last[0], at[1] - last[1]);
    down.set(event.pointerId, at);
    map.schedule();
  }

  pinch(id, at) {
    const [other] = [...this.down].filter(([key]) => key !== id).map(([, place]) => place);
    const last = this.down.get(id), between = (a, b) => Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
    const middle = [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2];
    this.map.view.pan((at[0] - last[0]) / 2, (at[1] - last[1]) / 2);
    this.map.view.zoom(between(at, other) / between(last, other), ...middle);
  }

  draw([x, y]) {
    const [left, top] = this.begun, { map } = this;
    if (this.shaping === "box") map.shape = [[left, top], [x, top], [x, y], [left, y]];
    else map.shape = [...(map.shape ?? [this.begun]), [x, y]];
  }

  // Leave off what is being drawn: the button may still be down.
  stop() {
    this.down.clear();
    this.map.shape = null;
    this.canvas.classList.remove("dragging");
  }

  end(event, done) {
    const { map, down } = this;
    if (this.tap) { // a finger that did not scroll the page
      const { tap } = this, at = this.at(event);
      this.tap = null;
      if (!done || Math.hypot(at[0] - tap[0], at[1] - tap[1]) > 2 * STILL) return;
      map.activate();
      map.open(map.drawing.at(...at, 22));
      return;
    }
    if (!down.delete(event.pointerId) || down.size) return;
    this.canvas.classList.remove("dragging");
    const shape = map.shape;
    map.shape = null;
    if (done && !this.moved) {
      const touch = event.pointerType === "touch", at = this.at(event);
      const hit = map.drawing.at(...at, touch ? 22 : 6);
      map.open(hit);
      if (touch) map.hover(hit, { at });
    } else if (done && this.shaping && shape) map.selectWithin(shape, this.adding);
    map.schedule();
  }
}
