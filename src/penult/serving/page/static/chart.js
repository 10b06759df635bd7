// The most probable classes as bars.
import { element, named, titled } from "./elements.js";

// As penult.wording.probability has it: tenths near 0 and 1, and 100% for nothing less.
export function percent(share) {
  const digits = share >= 0.01 && share < 0.99 ? 0 : 1;
  const most = share < 1 ? 100 - 10 ** -digits : 100;
  return `${Math.min(most, 100 * share).toFixed(share === 1 ? 0 : digits)}%`;
}

export function chart(top, title) {
  const list = element("ol", { class: "bars", "aria-label": title });
  for (const { label, probability } of top) {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", Math.max(0, Math.min(1, probability)));
    list.append(element("li", {}, element("span", { class: "name", title: titled(label) }, named(label)), bar, element("span", { class: "n" }, percent(probability))));
  }
  return list;
}
