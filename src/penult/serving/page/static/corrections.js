// Labels that are changed here: sent to the service's log, and taken back.
import { confirmed } from "./asking.js";
import { count, printable } from "./elements.js";
import { ask, idPath } from "./service.js";
import { toast } from "./toast.js";

const WHO = "penult.who", UNDO = "penult.undo";
const LONG = 40; // characters of an id
const MOST = 1000; // changes that can be taken back one after the other

const stored = (storage, key, otherwise) => {
  try { return JSON.parse(storage.getItem(key)) ?? otherwise; } catch { return otherwise; }
};
const store = (storage, key, value) => {
  try { storage.setItem(key, JSON.stringify(value)); } catch { /* private windows may refuse */ }
};
// Of a long id its end, so that a sentence of it covers little.
const short = (id) => (id.length > LONG ? id.split("/").at(-1) : id);
const shown = (label) => (label === null ? "no label" : `“${printable(label)}”`);
const whatOf = (ids) => (ids.length === 1 ? printable(short(ids[0])) : count(ids.length, "picture"));

// What is so after changes were taken back, since their own words would read as if they held.
const asBefore = (entries) => {
  const what = whatOf(entries.map((one) => one.id)), labels = new Set(entries.map((one) => one.new));
  if (labels.size > 1) return `${what}: their labels from before again`;
  const kept = entries.every((one) => one.old === one.new);
  return `${what}: ${shown(entries[0].new)} ${kept ? "as before it was confirmed" : "again"}`;
};

export class Corrections extends EventTarget {
  constructor(allowed, undoButton) {
    super();
    this.allowed = allowed;
    this.done = stored(sessionStorage, UNDO, []); // what can be taken back, the last at the end
    this.asked = new Set(); // changes that the service has not answered yet
    this.undone = Promise.resolve(); // once all that were to be taken back are
    this.button = undoButton;
    this.button.addEventListener("click", () => this.undo());
    document.addEventListener("keydown", (event) => {
      const writing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
      if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || writing) return;
      if (!this.undoable) return;
      event.preventDefault();
      this.undo();
    });
    this.show();
  }

  get who() { return stored(localStorage, WHO, ""); }
  set who(name) { store(localStorage, WHO, name.trim()); }

  // The label that is meant by a text, null if none after all: a class that there is, or a new one
  // that somebody has confirmed. `ask` is false where a later question says that it is new.
  async meant(text, { ask = true } = {}) {
    const { classes } = this;
    if (classes.knows(text) || classes.refused(text)) return text; // the service says why
    const label = text.normalize("NFC");
    if (classes.knows(label)) return label;
    const like = classes.like(label);
    if (like !== label && classes.knows(like) && await confirmed(`There is ${shown(like)} already. Take that instead of ${shown(label)}?`, [], `Take ${shown(like)}`)) return like;
    if (!ask) return label;
    return await confirmed(`No picture has the label ${shown(label)} yet. Make it a new class?`, [], "New class") ? label : null;
  }

  get undoable() { return this.allowed && this.done.length > 0; }

  show() { for (const one of [this.button, ...document.querySelectorAll("#review .undo")]) one.hidden = !this.undoable; }

  // Give pictures, {id, label} each, a label (null for none); the same label again confirms it.
  // Where one is called something else by now than is shown here, none is changed. A class that is new is asked about, unless that is `sure`. Whether it was done.
  async change(rows, label, { sure = false } = {}) {
    const ids = rows.map((one) => one.id), same = JSON.stringify([ids, label]);
    if (this.asked.has(same)) return false; // pressed twice
    this.asked.add(same);
    const shown = Object.fromEntries(rows.map((one) => [one.id, one.label])); // at this moment
    try { return await this.send(ids, label, shown, sure); } finally { this.asked.delete(same); }
  }

  async send(ids, given, expected, sure) {
    const label = given === null || sure ? given : await this.meant(given);
    if (label === null && given !== null) return false;
    const who = this.who || undefined;
    let entries, back;
    try {
      if (ids.length === 1) {
        const entry = await ask(`labels/${idPath(ids[0])}`, { method: "PUT", json: { label, who, expected: expected[ids[0]] } });
        entries = [entry];
        back = { entry: entry.entry };
      } else {
        const batch = await ask("labels", { method: "POST", json: { ids, label, who, expected } });
        entries = batch.entries;
        back = { batch: batch.batch };
      }
    } catch (problem) {
      toast.problem(problem);
      if (problem.labels) this.learn(problem.labels);
      return false;
    }
    const kept = entries.every((one) => one.old === one.new);
    const what = whatOf(ids);
    this.done = [...this.done, back].slice(-MOST);
    store(sessionStorage, UNDO, this.done);
    this.show();
    this.tell(entries, false);
    toast.say(`${what}: ${kept ? `${shown(label)} confirmed` : `now ${shown(label)}`}.`, { undo: () => this.undo() });
    return true;
  }

  // Take the last change back that was made in this window; pressed twice, the last two.
  undo() { return (this.undone = this.undone.then(() => this.takeBack())); }

  async takeBack() {
    const back = this.done.at(-1);
    if (!back) return;
    const { entry, batch } = back;
    try {
      const answer = await ask("labels/undo", { method: "POST", json: { entry, batch, who: this.who || undefined } });
      this.tell(answer.entries, true);
      toast.say(`${asBefore(answer.entries)}.`);
    } catch (problem) {
      toast.problem(problem);
      if (problem.status !== 404 && problem.status !== 409) return; // else it has been taken back elsewhere
    }
    this.done = this.done.slice(0, -1);
    store(sessionStorage, UNDO, this.done);
    this.show();
  }

  tell(entries, undone) {
    const labels = new Map(entries.map((one) => [one.id, one.new]));
    this.dispatchEvent(new CustomEvent("changed", { detail: { labels, undone } }));
  }

  // What others have called pictures since they were shown.
  learn(rows) {
    const labels = new Map(rows.map((one) => [one.id, one.label]));
    this.dispatchEvent(new CustomEvent("changed", { detail: { labels, elsewhere: true } }));
  }

  // A field for the name that stands beside each change in the log.
  whoField(element) {
    const field = element("input", { autocomplete: "name", maxlength: 100, placeholder: "not given", value: this.who });
    field.addEventListener("change", () => { this.who = field.value; });
    return element("label", { class: "who" }, "Your name, in the log ", field);
  }
}
