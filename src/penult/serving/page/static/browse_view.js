// The whole gallery: by class, by cluster, by name.
import { count, element, printable } from "./elements.js";
import { Grid } from "./grid.js";
import { here, replace } from "./route.js";
import { ask } from "./service.js";

const PAUSE = 250; // milliseconds without a key, after which a name is looked for

export class BrowseView {
  constructor(page, root) {
    this.page = page;
    this.form = root.querySelector("form");
    this.place = root.querySelector(".found");
    this.field = this.form.elements.q;
    this.clusters();
    page.corrections.addEventListener("changed", () => this.classes());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.look(); });
    this.form.addEventListener("input", () => {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.look(), PAUSE);
    });
  }

  // They are worked out after the start, so that they may not be known yet; an address may name one that is not there.
  clusters(chosen = "") {
    const choice = this.form.elements.cluster, known = this.page.facts.gallery.clusters ?? [];
    const named = ({ cluster, name, images }) => { // of a name such as "tulip (83.3%)", the brackets go
      const words = name ? `: ${printable(name).replace(/ \(([\d.]+%)\)$/, " $1")}` : "";
      return element("option", { value: cluster }, `${cluster}${words}, ${count(images, "picture")}`);
    };
    choice.replaceChildren(element("option", { value: "" }, "All"), ...known.map(named));
    this.stray = chosen && !known.some((one) => String(one.cluster) === chosen) ? chosen : null;
    if (this.stray) choice.append(element("option", { value: chosen }, printable(chosen)));
    choice.value = chosen;
    choice.closest("p").hidden = choice.length < 2;
  }

  // There may be the first one since.
  classes(chosen = this.form.elements.label.value) {
    const choice = this.form.elements.label, { classes } = this.page;
    choice.replaceChildren(...classes.options(chosen));
    choice.value = chosen;
    choice.closest("p").hidden = !classes.names.length;
  }

  show({ q = "", label = "", cluster = "" }) {
    this.field.value = q;
    this.classes(label);
    this.clusters(cluster);
    if (!this.page.facts.gallery.clusters) this.learn(cluster);
    this.look();
  }

  async learn(cluster) {
    try {
      const gallery = await ask("gallery");
      if (!gallery.clusters) return;
      this.page.facts.gallery = gallery;
      this.clusters(this.form.elements.cluster.value);
    } catch { return; } // all else works without
    if (!cluster) return;
    this.asked = null; // it may have been refused for as long as there were none
    this.look();
  }

  look() {
    clearTimeout(this.pause);
    const { q, label, cluster } = Object.fromEntries(new FormData(this.form));
    const asked = JSON.stringify([q.trim(), label, cluster]);
    if (this.asked === asked && this.place.childElementCount) return;
    this.asked = asked;
    const values = { q: q.trim(), label, cluster };
    if (here().view === "browse") replace("browse", values);
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const grid = new Grid(this.page, (offset, limit) => ask("gallery/rows", { query: { ...values, offset, limit }, signal }),
      { empty: cluster && cluster === this.stray && this.page.facts.gallery.clusters ? `There is no cluster ${printable(cluster)}.` : "No picture fits." });
    this.place.replaceChildren(grid.root);
    grid.next();
  }
}
