// One picture of the gallery in a grid: it opens, can be chosen, and leads to those like it.
import { element, idElement, printable } from "./elements.js";
import { link } from "./route.js";
import { address } from "./service.js";

const rows = new WeakMap(); // of each figure what the service said of its picture

export const similarity = (value) => value.toFixed(3);
export const labelWords = (label) => (label === null || label === undefined || label === "" ? "no label" : printable(label));

// A small picture; a quiet square where the service cannot give it.
export function picture(facts, id, { kind = "thumbnails", alt = "", lazy = true } = {}) {
  const missing = () => element("span", { class: "photo missing", role: "img", "aria-label": alt ? `${alt} (no picture)` : "no picture" });
  if (!facts.images) return missing();
  const made = element("img", { class: "photo", src: address(kind, id), alt, loading: lazy ? "lazy" : null, decoding: "async" });
  made.addEventListener("error", () => made.replaceWith(missing()), { once: true });
  return made;
}

export function tile(row, page) {
  if (row.labels) row.label = row.labels.join("|") || null; // a hit names one label alone
  const { facts, selection } = page, name = printable(row.id);
  const figure = element("figure", { class: "tile", "data-id": row.id });
  const open = element("button", { type: "button", class: "open", title: name }, picture(facts, row.id));
  const caption = element("figcaption", {}, element("span", { class: "label" }));
  if (!facts.images) open.append(idElement(row.id)); // in the empty square
  if (row.similarity !== undefined) caption.append(element("span", { class: "n", title: "Similarity" }, similarity(row.similarity)));
  if (facts.images) caption.append(element("span", { class: "id", title: name }, element("bdi", {}, printable(row.id.split("/").at(-1)))));
  caption.append(element("a", { class: "more-like", href: link("similar", { id: row.id }), "aria-label": `More like ${name}` }, "More like this"));
  figure.append(open, caption);
  if (facts.corrections) {
    const box = element("input", { type: "checkbox", class: "pick", "aria-label": `Choose ${name}`, checked: selection.has(row.id) });
    box.checked = selection.has(row.id);
    figure.append(element("label", { class: "pick-room" }, box));
  }
  rows.set(figure, row);
  write(figure);
  return figure;
}

export const rowOf = (figure) => rows.get(figure);

function write(figure) {
  const row = rows.get(figure), label = figure.querySelector(".label"), none = labelWords(null);
  const words = labelWords(row.label);
  label.replaceChildren(element("bdi", {}, words));
  label.title = words; // which may be cut off
  label.classList.toggle("none", words === none);
  const like = row.similarity === undefined ? "" : `, similarity ${similarity(row.similarity)}`;
  figure.querySelector(".open").setAttribute("aria-label", `${printable(row.id)}, ${words}${like}`);
}

// Write new labels below all pictures that are shown.
export function relabelTiles(labels) {
  for (const figure of document.querySelectorAll("figure.tile")) {
    const row = rows.get(figure);
    if (!row || !labels.has(row.id)) continue;
    row.label = labels.get(row.id);
    delete row.labels;
    write(figure);
  }
}
