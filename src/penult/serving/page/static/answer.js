// What the service says of one picture: its class, whether it knows the like, and what is nearest.
import { chart, percent } from "./chart.js";
import { count, element, idElement, named, printable } from "./elements.js";
import { Grid } from "./grid.js";
import { link } from "./route.js";
import { ask, idPath } from "./service.js";

const NEAREST = 14;

// What class a photo is of.
export const classified = (photo) => ask("classify", { method: "POST", query: { top: 5 }, body: photo, type: typeOf(photo) });

// A type that is no image's is left to the service, which looks at the content.
const typeOf = (photo) => (photo.type.startsWith("image/") ? photo.type : "application/octet-stream");

export function verdict(said) {
  const box = element("div", { class: "verdict" });
  const gallery = said.model?.kind === "gallery", labels = said.labels ?? [said.label];
  const names = labels.flatMap((one, k) => (k ? [", ", named(one)] : [named(one)]));
  const heading = element("h3", {}, ...(names.length ? names : ["No class"]));
  if (said.unlike) {
    box.append(element("p", { class: "unlike" },
      gallery ? "Unusual for this gallery: few of its pictures look like this one. Check the class." : "Unusual for this classifier: few of the photos that it was trained on look like this one. Check the class."));
  }
  const sure = said.probability;
  box.append(heading, element("p", { class: "soft sure" }, gallery ? `${percent(sure)} of the votes of the nearest pictures` : `${percent(sure)} probable`));
  box.append(chart(said.top, gallery ? "Votes of the nearest pictures" : "Most probable classes"));
  return box;
}

// The nearest pictures of the gallery to a photo or to one of its own, of all classes or of one.
export class Nearest {
  constructor(page, { photo = null, id = null, label = "", onLabel = null, signal = null }) {
    Object.assign(this, { page, photo, id, label, signal });
    this.root = element("div", { class: "nearest" });
    const choice = element("select", { class: "choice" }, ...page.classes.options(label, { every: "All" }));
    choice.addEventListener("change", () => { this.label = choice.value; onLabel?.(choice.value); this.begin(); });
    this.copy = element("p", { class: "copy", role: "status" });
    this.place = element("div");
    this.root.append(
      element("div", { class: "heading" }, element("h3", {}, "Nearest pictures"),
        page.classes.names.length ? element("label", { class: "row" }, element("span", { class: "soft" }, "Class"), choice) : ""),
      this.copy, this.place);
    this.begin();
  }

  begin() {
    const grid = new Grid(this.page, (offset, k) => this.search(offset, k), { limit: NEAREST, empty: "Nothing was found." });
    this.place.replaceChildren(grid.root);
    return grid.next();
  }

  async search(offset, k) {
    const query = { k, offset, filter: this.label ? `label=${this.label}` : undefined, id: this.id ?? undefined };
    const sent = this.photo ? { body: this.photo, type: typeOf(this.photo) } : {};
    const { hits, exact_copy: copy } = await ask("search", { method: "POST", query, signal: this.signal, ...sent });
    this.copy.replaceChildren();
    if (copy) {
      this.root.parentElement?.querySelector(".unlike")?.remove(); // it is in the gallery, and so nothing unusual
      this.copy.append("The same file is in the gallery: ", element("a", { href: link("similar", { id: copy }) }, idElement(copy)), ".");
    }
    return { rows: hits, total: null };
  }
}

// One line of a picture's past labels.
export async function history(id) {
  const { history: entries } = await ask(`labels/${idPath(id)}`);
  const list = element("ol", { class: "history", "aria-label": "Changes" });
  const words = (label) => (label === null ? "no label" : named(label));
  for (const { old, new: now, who, when, undoes } of [...entries].reverse()) {
    const time = element("time", { datetime: when, class: "soft" }, new Date(when).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
    const told = old === now ? [undoes ? "undone " : "kept ", words(now)] : [undoes ? "undone: " : "", words(old), " → ", words(now)];
    list.append(element("li", {}, ...told, " ", element("span", { class: "soft" }, who ? `${printable(who)}, ` : "", time)));
  }
  return entries.length ? element("div", {}, element("h3", {}, count(entries.length, "change")), list) : null;
}
