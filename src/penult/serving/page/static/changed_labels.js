// What becomes of the labels that were changed, by whomever: nothing, until rows are made with them.
import { count, element } from "./elements.js";
import { LABELS_AS_CSV, ask } from "./service.js";

const COMMAND = "penult extract PHOTOS --labels labels.csv -o FEATURES.h5 --update";

export class ChangedLabels {
  constructor(place, corrections) {
    this.place = place;
    this.asked = 0;
    if (!corrections.allowed) return;
    corrections.addEventListener("changed", () => this.show());
    this.show();
  }

  async show() {
    const asked = ++this.asked;
    try {
      const { changed } = await ask("labels", { query: { limit: 1 } });
      if (asked !== this.asked) return;
      this.place.hidden = !changed;
      if (changed) this.place.replaceChildren(...this.words(changed));
    } catch { /* all else works without */ }
  }

  words(changed) {
    return [`${count(changed, "label")} changed. To train with the new labels, `,
      element("a", { href: LABELS_AS_CSV, download: "labels.csv" }, "save them"), ", and type: ",
      element("code", {}, ...COMMAND.split(/(-\S+)/).map((part) => part[0] === "-"
        ? element("span", { class: "option" }, part) : part))];
  }
}
