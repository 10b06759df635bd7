// The page: what the service has, and its views, of which the address names one.
import { BrowseView } from "./browse_view.js";
import { ChangedLabels } from "./changed_labels.js";
import { Classes } from "./classes.js";
import { Corrections } from "./corrections.js";
import { count, element, printable } from "./elements.js";
import { MapView } from "./map_view.js";
import "./once.js";
import { ReviewView } from "./review_view.js";
import { here } from "./route.js";
import { Selection } from "./selection.js";
import { ask, askTokenWith } from "./service.js";
import { SimilarView } from "./similar_view.js";
import { relabelTiles } from "./tile.js";
import { Token } from "./token.js";
import { toast } from "./toast.js";
import { TryView } from "./try_view.js";
import { Viewer } from "./viewer.js";

const part = (id) => document.getElementById(id);
const NO_GALLERY = "This service has no gallery, so it shows no pictures that are near to yours.";

// What the service has, and for what it lacks a sentence.
async function offered() {
  const service = await ask("service");
  const gallery = service.gallery ? await ask("gallery") : null;
  const why = {
    gallery: gallery ? "" : NO_GALLERY,
    classes: service.classifies ? "" : "This service has no classifier, and its gallery came without labels, so no class is named.",
    images: !gallery || gallery.has_images ? "" : "The pictures themselves are not served; their names are shown.",
    corrections: service.label_log ? "" : "This service keeps no corrections, so labels can be seen but not changed.",
  };
  return {
    gallery, why, classes: !why.classes, images: !!gallery?.has_images, corrections: !!gallery && service.label_log,
    name: service.title ?? (service.classifier ?? gallery?.name)?.replace(/\.(skops|h5|hdf5|index|onnx)$/, ""), max_bytes: service.max_bytes,
  };
}

class Page {
  constructor(facts) {
    this.facts = facts;
    this.corrections = new Corrections(facts.corrections, part("undo"));
    this.corrections.addEventListener("changed", ({ detail: { labels } }) => relabelTiles(labels)); // before all who read them
    this.classes = new Classes(facts.gallery, this.corrections);
    this.classes.onLearned = () => this.head();
    this.selection = new Selection(part("chosen"), this.corrections);
    new ChangedLabels(part("changed"), this.corrections);
    this.viewer = new Viewer(this, part("viewer"));
    const { gallery } = facts;
    this.views = { try: new TryView(this, part("try")) };
    if (gallery) {
      this.views.similar = new SimilarView(this, part("similar"));
      this.views.browse = new BrowseView(this, part("browse"));
      this.views.map = new MapView(this, part("map"));
      // Labels are what is reviewed: those that are there, or will be given here.
      if (this.classes.names.length || facts.corrections) this.views.review = new ReviewView(this, part("review"));
    }
    for (const tab of part("views").querySelectorAll("a")) tab.closest("li").hidden = !(tab.hash.slice(1) in this.views);
    this.head();
    part("views").hidden = false;
    document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); part("main").focus(); });
    addEventListener("hashchange", () => this.show(true));
    this.show(false);
  }

  head() {
    const { gallery, name, why } = this.facts, classes = this.classes.names.length;
    part("name").replaceChildren(element("bdi", {}, printable(name ?? "Pictures")));
    document.title = `${printable(name ?? "Pictures")} · penult`;
    const known = gallery ? [count(gallery.images, "picture"), classes ? count(classes, "class").replace("classs", "classes") : "no labels"] : [];
    part("facts").textContent = [known.join(" · "), why.gallery, gallery ? why.images : ""].filter(Boolean).join(". ");
  }

  // Show the view that the address names; the focus goes to its heading where it was asked for.
  show(asked) {
    const { view, values } = here(), name = view in this.views ? view : "try";
    for (const one of document.querySelectorAll("main > section")) one.hidden = one.id !== name;
    document.body.dataset.view = name;
    for (const tab of part("views").querySelectorAll("a")) {
      if (tab.hash === `#${name}`) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    if (this.viewer.dialog.open) this.viewer.dialog.close();
    this.views[name].show(values);
    if (!asked) return;
    part(`${name}-title`).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

const token = new Token(part("token"));
askTokenWith(() => token.wanted());
try {
  window.page = new Page(await offered()); // for scripts, and for tests
} catch (problem) {
  part("facts").textContent = problem.message;
  toast.problem(problem);
}
