// A queue of pictures whose labels deserve a look, worked through by keys.
import { percent } from "./chart.js";
import { button, element, idElement, named, printable, titled } from "./elements.js";
import { address, ask } from "./service.js";
import { labelWords, picture, tile } from "./tile.js";
import { Grid } from "./grid.js";

const LIMIT = 50;
const KEYS = "123456789abcdefghijlmnopqrstvwxyz"; // K keeps and U undoes
const EMPTY = {
  errors: "No likely label errors are left.",
  unsure: "No unsure pictures are left.",
};

export class ReviewView {
  constructor(page, root) {
    this.page = page;
    this.root = root;
    this.moves = 0;
    this.place = root.querySelector(".queue");
    this.switches = [...root.querySelectorAll("[data-kind]")];
    for (const one of this.switches) one.addEventListener("click", () => this.begin(one.dataset.kind));
    document.addEventListener("keydown", (event) => this.key(event));
    page.corrections.addEventListener("changed", ({ detail }) => this.changed(detail));
  }

  // Where none were left, labels that were given since may have made some.
  show() { if (!this.items?.length) this.begin(this.kind ?? "errors"); else this.draw(); }

  async begin(kind) {
    this.kind = kind;
    this.moves += 1;
    for (const one of this.switches) one.setAttribute("aria-pressed", String(one.dataset.kind === kind));
    this.items = [];
    this.at = this.settled = 0;
    this.place.replaceChildren(element("p", { class: "soft", role: "status" }, "Looking …"));
    await this.load();
    if (this.kind === kind) this.draw();
  }

  // The next of the queue: what has been settled is no longer in it, what was passed over is.
  async load() {
    const { kind } = this, open = this.items.filter((one) => !one.done).length;
    try {
      const { total, items } = await ask("review", { query: { kind, offset: open, limit: LIMIT }, patience: 20 });
      if (this.kind !== kind) return;
      const known = new Set(this.items.map((one) => one.id));
      this.items.push(...items.filter((one) => !known.has(one.id)));
      this.left = total;
      this.problem = null;
    } catch (problem) {
      this.problem = problem.message;
    }
  }

  get item() { return this.items[this.at]; }

  draw() {
    const { page, item } = this, held = this.place.contains(document.activeElement);
    if (!item) {
      const open = this.items.filter((one) => !one.done).length;
      const ended = open ? `The end of the list; ${open.toLocaleString("en")} ${open === 1 ? "is" : "are"} not decided; ← goes back.` : EMPTY[this.kind];
      this.place.replaceChildren(element("p", { class: "empty", role: "status" }, this.problem ?? (page.classes.names.length ? ended : "No picture has a label yet. Give some in Browse or on the map first.")));
      if (open) this.place.append(element("p", { class: "empty acts" }, this.steps())); // for those without keys
      return;
    }
    const { facts } = page, name = printable(item.id);
    const figure = element("figure", { class: "whole" }, picture(facts, item.id, { kind: "images", alt: name, lazy: false }), element("figcaption", {}, idElement(item.id)));
    const left = this.items.filter((one) => !one.done).length;
    const place = element("p", { class: "soft place", role: "status" },
      `${(this.at + 1).toLocaleString("en")} of ${Math.max(this.items.length, this.settled + (this.left ?? 0)).toLocaleString("en")}${item.done ? `, ${item.done}` : ""}`);
    const words = element("div", { class: "question" }, place,
      element("p", { class: "now" }, element("span", { class: "soft" }, "Label "), element("strong", {}, item.label === null ? labelWords(null) : named(item.label))),
      item.suggested === null || item.suggested === undefined ? "" : element("p", { class: "suggested" }, element("span", { class: "soft" }, "Looks like "), element("strong", {}, named(item.suggested)),
        item.probability === null || item.probability === undefined ? "" : element("span", { class: "soft" }, ` ${percent(item.probability)}`)),
      item.reason ? element("p", { class: "soft" }, printable(item.reason)) : "");
    if (facts.corrections) words.append(this.acts(item), this.choices(item), page.corrections.whoField(element));
    else words.append(element("p", { class: "soft" }, facts.why.corrections), this.steps());
    const near = element("div", { class: "near" });
    this.place.replaceChildren(element("div", { class: "beside-it", tabindex: -1, role: "group", "aria-label": this.told(item, place) }, figure, words), near);
    if (held) this.place.querySelector(".beside-it").focus({ preventScroll: true }); // what had it is gone
    this.nearest(item, near);
    const next = this.items[this.at + 1];
    if (next && facts.images) new Image().src = address("images", next.id);
    if (left < 5 && this.items.length < this.settled + (this.left ?? 0)) this.load();
  }

  // What is read aloud of a picture once it has the focus.
  told(item, place) {
    const like = item.suggested ? `, looks like ${printable(item.suggested)}` : "";
    return `${place.textContent}: ${printable(item.id)}, label ${labelWords(item.label)}${like}`;
  }

  // What else than its label a picture is likely called, which Enter and the button give.
  offered({ label, suggested }) { return suggested && suggested !== label ? suggested : null; }

  acts(item) {
    const key = (text) => element("kbd", {}, text);
    const act = (words, keys, act, rest) => { const made = button("", { class: "button", onclick: act, ...rest }); made.append(words, " ", key(keys)); return made; };
    return element("p", { class: "row acts" },
      this.offered(item) ? act("Accept", "Enter", () => this.settle(item.suggested), { class: "button main" }) : "",
      item.label !== null ? act("Keep", "K", () => this.settle(item.label)) : "",
      act("Undo", "U", () => this.page.corrections.undo(), { class: "button undo", hidden: !this.page.corrections.undoable }), this.steps());
  }

  steps() {
    return element("span", { class: "steps" },
      button("‹", { class: "button", "aria-label": "Previous picture (left arrow)", onclick: () => this.step(-1) }),
      button("›", { class: "button", "aria-label": "Next picture (right arrow)", onclick: () => this.step(1) }));
  }

  choices(item) {
    const { names } = this.page.classes;
    const list = element("div", { class: "choices", role: "group", "aria-label": "Classes" });
    names.slice(0, KEYS.length).forEach((name, k) => {
      const one = button("", { class: "choice", "aria-pressed": String(name === item.label), "aria-keyshortcuts": KEYS[k], title: titled(name), onclick: () => this.settle(name) });
      one.append(element("kbd", {}, KEYS[k].toUpperCase()), named(name));
      list.append(one);
    });
    const other = element("input", { list: "classes", autocomplete: "off", maxlength: 200, placeholder: "Another class", "aria-label": "Another class" });
    const form = element("form", { class: "row other" }, other, element("button", { class: "button" }, "Save"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (other.value.trim()) this.settle(other.value.trim());
    });
    return element("div", {}, list, form);
  }

  // What lies nearest, which tells more than a number.
  nearest(item, place) {
    const grid = new Grid(this.page, async (offset, k) => {
      const { hits } = await ask("search", { method: "POST", query: { id: item.id, k, offset } });
      return { rows: hits, total: hits.length };
    }, { limit: 7 });
    place.append(element("h3", {}, "Nearest pictures"), grid.root);
    grid.next();
  }

  async settle(label) {
    const { item } = this;
    // While more is loaded, the last picture stays, and a key that is pressed again says the same.
    if (!item || this.busy || (item === this.leaving && item.done && label === item.label)) return;
    this.busy = true;
    try {
      const copies = item.same.map((id, k) => ({ id, label: item.same_labels[k] }));
      if (!(await this.page.corrections.change([item, ...copies], label))) return;
    } finally {
      this.busy = false;
    }
    this.leaving = item;
    await this.step(1);
    if (this.leaving === item) this.leaving = null;
  }

  // A change from anywhere on the page settles a picture; one taken back opens it again.
  changed({ labels, undone, elsewhere }) {
    for (const [at, item] of (this.items ?? []).entries()) {
      item.same_labels = item.same.map((id, k) => (labels.has(id) ? labels.get(id) : item.same_labels[k]));
      const before = item.label;
      if (labels.has(item.id)) item.label = labels.get(item.id);
      if (elsewhere || ![item.id, ...item.same].every((one) => labels.has(one))) continue; // not decided here
      const { label } = item, open = undone && label === item.before;
      if (open) {
        this.at = at;
        this.moves += 1;
      } else item.before ??= before;
      this.settled += !open - !!item.done;
      this.left -= !open - !!item.done;
      item.done = open ? null : label === item.before ? "kept" : "changed";
    }
    if (this.items && !this.root.hidden) this.draw();
  }

  // What was gone to while more was loaded, such as a picture that was opened again, is not left.
  async step(by) {
    const to = this.at + by;
    if (to < 0) return;
    const move = ++this.moves;
    if (to >= this.items.length) await this.load();
    if (this.moves !== move) return;
    this.at = Math.min(to, this.items.length);
    this.draw();
    this.place.querySelector(".beside-it")?.focus({ preventScroll: true });
  }

  key(event) {
    if (this.root.hidden || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, figure.tile")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const { item } = this;
    if (key === "ArrowLeft" || key === "ArrowRight") this.step(key === "ArrowLeft" ? -1 : 1);
    else if (!this.page.facts.corrections) return;
    else if (key === "u") this.page.corrections.undo();
    else if (!item) return;
    else if (key === "k") { if (item.label !== null) this.settle(item.label); }
    else if (key === "Enter") {
      if (event.target.closest?.("button, a") || !this.offered(item)) return; // Enter is theirs
      this.settle(item.suggested);
    } else {
      const at = KEYS.indexOf(key), { names } = this.page.classes;
      if (key.length !== 1 || at < 0 || at >= names.length) return;
      this.settle(names[at]);
    }
    event.preventDefault();
  }
}
