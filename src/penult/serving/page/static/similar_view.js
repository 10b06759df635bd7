// Pictures like one of the gallery.
import { Nearest } from "./answer.js";
import { element, idElement } from "./elements.js";
import { replace } from "./route.js";
import { ask, idPath } from "./service.js";
import { relabelTiles, tile } from "./tile.js";

export class SimilarView {
  constructor(page, root) {
    this.page = page;
    this.place = root.querySelector(".answer");
  }

  async show({ id, label = "" }) {
    const { page } = this;
    this.asking?.abort();
    if (!id) { this.place.replaceChildren(element("p", { class: "empty" }, "Choose “More like this” below a picture.")); return; }
    this.asking = new AbortController();
    const { signal } = this.asking, row = { id }; // what it is called is asked below
    const given = tile(row, page);
    given.querySelector(".more-like").remove();
    given.querySelector(".open").addEventListener("click", () => page.viewer.open([given], given));
    given.querySelector(".pick")?.addEventListener("click", ({ target }) => page.selection[target.checked ? "add" : "remove"]([row]));
    const nearest = new Nearest(page, {
      id, label, signal, onLabel: (chosen) => replace("similar", { id, label: chosen }),
    });
    this.place.replaceChildren(element("div", { class: "given" }, given, idElement(id)), nearest.root);
    if (!page.facts.corrections) return;
    try {
      const known = await ask(`labels/${idPath(id)}`, { signal });
      relabelTiles(new Map([[id, known.label]]));
    } catch { /* the search says what is wrong */ }
  }
}
