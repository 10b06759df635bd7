// The pictures that are chosen, wherever on the page, and the bar that relabels them at once.
import { count, element, printable } from "./elements.js";
import { confirmed } from "./asking.js";
import { labelWords } from "./tile.js";
import { toast } from "./toast.js";

const NAMED = 4; // labels of today that a question names

export class Selection {
  constructor(bar, corrections) {
    this.rows = new Map(); // of each id what is known of it
    this.bar = bar;
    this.corrections = corrections;
    this.field = bar.querySelector("input");
    bar.addEventListener("submit", (event) => { event.preventDefault(); this.relabel(); });
    bar.querySelector("[data-act=clear]").addEventListener("click", () => this.clear());
    corrections.addEventListener("changed", ({ detail: { labels } }) => {
      for (const [id, label] of labels) if (this.rows.has(id)) this.rows.set(id, { ...this.rows.get(id), label });
    });
  }

  get size() { return this.rows.size; }
  has(id) { return this.rows.has(id); }
  add(rows) { for (const row of rows) this.rows.set(row.id, row); this.show(); }
  remove(rows) { for (const { id } of rows) this.rows.delete(id); this.show(); }
  clear() { this.rows.clear(); this.onClear?.(); this.show(); }
  set(rows) { this.rows = new Map(rows.map((row) => [row.id, row])); this.show(); }

  show() {
    const { size } = this, before = this.bar.hidden;
    this.bar.hidden = !size;
    document.body.classList.toggle("choosing", size > 0);
    this.bar.querySelector(".count").textContent = size ? `${count(size, "picture")} chosen` : "";
    if (before) this.field.value = "";
    for (const box of document.querySelectorAll("figure.tile .pick")) {
      box.checked = this.rows.has(box.closest("figure").dataset.id);
    }
  }

  // What they are called now, the most frequent first.
  get now() {
    const counts = new Map();
    for (const { label } of this.rows.values()) counts.set(label ?? null, (counts.get(label ?? null) ?? 0) + 1);
    const order = [...counts].sort((a, b) => b[1] - a[1]);
    const words = order.slice(0, NAMED).map(([label, size]) => [element("bdi", {}, labelWords(label)), ` ${size.toLocaleString("en")}`]);
    if (order.length > NAMED) words.push([`${order.length - NAMED} more`]);
    return ["Now: ", ...words.flatMap((one, k) => (k ? [", ", ...one] : one)), "."];
  }

  async relabel() {
    const { corrections } = this, text = this.field.value.trim();
    if (!text) { this.field.focus(); toast.say("Type the new label first.", { wrong: true }); return; }
    const rows = [...this.rows.values()];
    // Of one picture, nobody is asked but for a new class; what is refused anyway says why.
    const sure = rows.length > 1 && !corrections.classes.refused(text), label = sure ? await corrections.meant(text, { ask: false }) : text;
    const fresh = corrections.classes.knows(label) ? "" : " It is a new class.";
    const asked = `Give ${count(rows.length, "picture")} the label “${printable(label)}”?${fresh}`;
    if (sure && !(await confirmed(asked, this.now, `Relabel ${rows.length.toLocaleString("en")}`))) return;
    if (await corrections.change(rows, label, { sure })) this.clear();
  }
}
