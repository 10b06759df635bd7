// One picture, large, with its label, which can be corrected, and what it was called before.
import { history } from "./answer.js";
import { button, element, idElement, printable } from "./elements.js";
import { go } from "./route.js";
import { labelWords, picture, rowOf, similarity } from "./tile.js";

export class Viewer {
  constructor(page, dialog) {
    this.page = page;
    this.dialog = dialog;
    this.figures = [];
    this.part = (name) => dialog.querySelector(name);
    this.part(".close").addEventListener("click", () => dialog.close());
    this.part(".back").addEventListener("click", () => this.step(-1));
    this.part(".on").addEventListener("click", () => this.step(1));
    dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.target.closest("input") || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.step(step);
    });
    dialog.addEventListener("close", () => this.figure?.querySelector(".open")?.focus());
    page.corrections.addEventListener("changed", ({ detail: { labels } }) => {
      if (dialog.open && labels.has(this.row.id)) this.fill();
    });
  }

  open(figures, figure) {
    this.figures = figures;
    this.figure = figure;
    this.fill();
    this.dialog.showModal();
  }

  get row() { return rowOf(this.figure); }

  step(by) {
    const { figures } = this, at = figures.indexOf(this.figure);
    this.figure = figures[(at + by + figures.length) % figures.length];
    this.fill();
  }

  fill() {
    const { page, row, figures } = this, { facts } = page, name = printable(row.id);
    const large = picture(facts, row.id, { kind: "images", alt: name, lazy: false });
    if (this.seen !== row.id || !this.part(".large .photo")) {
      this.part(".large .photo")?.remove();
      // As large as it is or twice that, no more: a small picture would be a blur.
      large.addEventListener("load", () => large.style.setProperty("--most", `${2 * large.naturalWidth}px`));
      this.part(".large").prepend(large);
    }
    this.seen = row.id;
    const like = row.similarity === undefined ? [] : [element("span", { class: "soft" }, `Similarity ${similarity(row.similarity)}`)];
    this.part("figcaption").replaceChildren(element("strong", {}, element("bdi", {}, labelWords(row.label))), ...like, idElement(row.id));
    this.part(".place").textContent = `${(figures.indexOf(this.figure) + 1).toLocaleString("en")} of ${figures.length.toLocaleString("en")}`;
    for (const one of this.dialog.querySelectorAll(".back, .on")) one.hidden = figures.length < 2;
    const beside = this.part(".beside"), held = beside.contains(document.activeElement);
    beside.replaceChildren(button("More like this", { class: "button", onclick: () => { this.figure = null; this.dialog.close(); go("similar", { id: row.id }); } }));
    if (facts.corrections) beside.append(this.editor(row), page.corrections.whoField(element));
    else beside.append(element("p", { class: "soft" }, facts.why.corrections));
    if (facts.corrections) this.past(row.id, beside);
    if (held) beside.querySelector("button").focus(); // what had it is gone
  }

  editor(row) {
    const { corrections } = this.page;
    const field = element("input", { list: "classes", value: row.label ?? "", autocomplete: "off", maxlength: 200, required: true });
    const form = element("form", { class: "editor" }, element("label", {}, "Label ", field),
      element("p", { class: "row" }, element("button", { class: "button main" }, "Save"),
        row.label ? button("Keep", { class: "button", title: "The label is right: leave it out of the review", onclick: () => corrections.change([row], row.label) }) : "",
        row.label ? button("Remove", { class: "button", title: "Take the label away", onclick: () => corrections.change([row], null) }) : ""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const label = field.value.trim();
      if (label) corrections.change([row], label);
    });
    return form;
  }

  async past(id, beside) {
    try {
      const list = await history(id);
      if (list && this.row?.id === id) {
        beside.querySelector(".past")?.remove();
        list.classList.add("past");
        beside.append(list);
      }
    } catch { /* the label can be corrected without its past */ }
  }
}
