// Pictures of the gallery, a page of them at a time, which the arrows go through.
import { button, count, element } from "./elements.js";
import { rowOf, tile } from "./tile.js";
import { toast } from "./toast.js";

export class Grid {
  // `load(offset, limit)` gives {rows, total}; total is null where nobody knows it.
  constructor(page, load, { limit = 48, empty = "No pictures.", noun = "picture" } = {}) {
    Object.assign(this, { page, load, limit, empty, noun });
    this.tiles = element("div", { class: "tiles-of", role: "group", "aria-label": "Pictures" });
    this.told = element("p", { class: "soft told", role: "status" });
    this.more = button("Show more", { class: "button", hidden: true });
    this.all = button("Choose all shown", { class: "plain", hidden: true });
    this.root = element("div", { class: "grid-of" }, element("p", { class: "row above" }, this.told, this.all), this.tiles, element("p", { class: "row below" }, this.more));
    this.more.addEventListener("click", () => this.next(true));
    this.all.addEventListener("click", () => page.selection.add(this.rows));
    this.tiles.addEventListener("click", (event) => this.click(event));
    this.tiles.addEventListener("keydown", (event) => this.key(event));
    this.tiles.addEventListener("focusin", ({ target }) => this.stop(target.closest("figure")));
    this.last = null; // the box that was ticked last, from which Shift ticks all
  }

  get figures() { return [...this.tiles.children]; }
  get rows() { return this.figures.map(rowOf); }

  // The next page; the focus goes to its first picture where it was asked for.
  async next(asked = false) {
    this.more.disabled = true;
    this.root.setAttribute("aria-busy", "true");
    const offset = this.tiles.children.length;
    if (!offset) this.told.textContent = "Looking …";
    try {
      const { rows, total } = await this.load(offset, this.limit);
      const made = rows.map((row) => tile(row, this.page));
      this.tiles.append(...made);
      const shown = offset + rows.length;
      this.more.hidden = total === null ? rows.length < this.limit : shown >= total || !rows.length;
      this.told.textContent = !shown ? this.empty
        : total === null || total === shown ? count(shown, this.noun)
        : `${shown.toLocaleString("en")} of ${count(total, this.noun)}`;
      this.all.hidden = !shown || !this.page.facts.corrections;
      this.stop(asked ? made[0] : this.figures[0]);
      if (asked) made[0]?.querySelector(".open").focus();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (offset) toast.problem(problem);
      else this.told.textContent = problem.message;
    }
    this.more.disabled = false;
    this.root.removeAttribute("aria-busy");
  }

  // Of all pictures, one is a stop of the tabulator, with its box and its link.
  stop(figure) {
    if (!figure || figure === this.stopped) return;
    const set = (one, index) => one.querySelectorAll("button, a, input").forEach((part) => { part.tabIndex = index; });
    for (const one of this.stopped ? [this.stopped, ...this.fresh()] : this.figures) set(one, -1);
    set(figure, 0);
    this.stopped = figure;
  }

  fresh() { return this.figures.slice(-this.limit); }

  click(event) {
    const figure = event.target.closest("figure");
    if (!figure) return;
    if (event.target.closest(".pick")) this.pick(figure, event.target.checked, event.shiftKey);
    else if (event.target.closest(".open")) {
      if (this.page.facts.corrections && (event.ctrlKey || event.metaKey || event.shiftKey)) {
        this.pick(figure, !this.page.selection.has(rowOf(figure).id), event.shiftKey);
      } else this.page.viewer.open(this.figures, figure);
    }
  }

  pick(figure, on, through) {
    const figures = this.figures, from = figures.indexOf(this.last), to = figures.indexOf(figure);
    const some = through && from >= 0 ? figures.slice(Math.min(from, to), Math.max(from, to) + 1) : [figure];
    this.page.selection[on ? "add" : "remove"](some.map(rowOf));
    this.last = figure;
  }

  key(event) {
    const figure = event.target.closest("figure");
    if (!figure || event.altKey || event.ctrlKey || event.metaKey) return;
    const figures = this.figures, at = figures.indexOf(figure);
    const across = Math.max(1, figures.filter((one) => one.offsetTop === figures[0].offsetTop).length);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - across, ArrowDown: at + across, Home: 0, End: figures.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      figures[to]?.querySelector(".open").focus();
    } else if (event.key.toLowerCase() === "x" && this.page.facts.corrections) {
      event.preventDefault();
      this.pick(figure, !this.page.selection.has(rowOf(figure).id), event.shiftKey);
    }
  }
}
