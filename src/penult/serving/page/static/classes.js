// The classes of the gallery with how many pictures each has, as corrected.
import { element, printable } from "./elements.js";
import { ask } from "./service.js";

const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const folded = (name) => name.normalize("NFKC").toLowerCase();

export class Classes {
  constructor(gallery, corrections) {
    this.take(gallery);
    this.list = document.getElementById("classes");
    this.asked = 0;
    corrections.addEventListener("changed", ({ detail: { labels, undone } }) => {
      const fresh = [...labels.values()].filter((label) => label !== null && !this.counts.has(label));
      for (const label of fresh) this.counts.set(label, 0);
      if (fresh.length) this.fill();
      if (fresh.length || undone) this.learn(); // a class may be new, or have gone again
    });
    corrections.classes = this;
    this.fill();
  }

  take(gallery) {
    this.counts = new Map((gallery?.labels ?? []).map(({ label, images }) => [label, images]));
    this.unlabelled = gallery?.unlabelled ?? 0;
    this.several = gallery?.several_labels ?? false;
  }

  // The labels that a text names: several where pictures may have several.
  parts(text) { return this.several ? text.split("|").map((one) => one.trim()).filter(Boolean) : [text]; }

  knows(text) { return this.parts(text).every((one) => this.counts.has(one)); }

  // The same text with the classes that differ from it by the case of letters alone.
  like(text) {
    const known = new Map(this.names.map((name) => [folded(name), name]));
    return this.parts(text).map((one) => (this.counts.has(one) ? one : known.get(folded(one)) ?? one)).join("|");
  }

  // What the service refuses whatever there is, so that nobody need be asked about it.
  refused(text) { return !this.parts(text).length || (!this.several && text.includes("|")) || UNSHOWN.test(text); }

  async learn() {
    const asked = ++this.asked;
    try {
      const gallery = await ask("gallery");
      if (asked !== this.asked) return;
      this.take(gallery);
    } catch { return; } // all else works without
    this.fill();
    this.onLearned?.();
  }

  get names() { return [...this.counts.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })); }

  fill() { this.list.replaceChildren(...this.names.map((name) => element("option", { value: name }))); }

  // What a choice among classes offers, with the one chosen.
  options(chosen, { every = "All" } = {}) {
    const option = (value, words) => element("option", { value, selected: value === chosen }, words);
    const numbered = (name) => {
      const images = this.counts.get(name);
      return images ? `${printable(name)} (${images.toLocaleString("en")})` : printable(name);
    };
    const names = this.names;
    if (chosen && !this.counts.has(chosen)) names.push(chosen);
    return [option("", every), ...names.map((name) => option(name, numbered(name)))];
  }
}
