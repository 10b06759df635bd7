// A photo of one's own: its class and what is nearest; of several, one at a time.
import { classified, Nearest, verdict } from "./answer.js";
import { button, element, printable } from "./elements.js";
import { Intake } from "./intake.js";
import { go, here } from "./route.js";

const AT_ONCE = 3; // photos that are sent at the same time

export class TryView {
  constructor(page, root) {
    this.page = page;
    this.root = root;
    this.photos = []; // {file, address, said, problem, button}
    this.strip = root.querySelector(".strip");
    this.place = root.querySelector(".answer");
    this.sending = 0;
    new Intake(root.querySelector(".drop"), (files) => this.take(files));
    this.heard = root.querySelector(".heard"); // it stays, so that what is written into it is read aloud
    const { why } = page.facts;
    this.note = element("p", { class: "soft", hidden: !why.classes }, why.classes);
    root.querySelector(".drop").after(this.note);
  }

  show() {}

  take(files) {
    if (here().view !== "try") go("try");
    const taken = files.map((file) => ({ file, address: URL.createObjectURL(file) }));
    for (const photo of taken) {
      photo.button = button("", { class: "mine", title: printable(photo.file.name), onclick: () => this.open(photo) });
      photo.button.append(this.preview(photo, ""), element("span", { class: "label soft" }, "…"));
      this.strip.append(photo.button);
    }
    this.photos.push(...taken);
    this.strip.hidden = this.photos.length < 2;
    this.root.classList.add("answering");
    this.note.hidden = true; // it stands beside each photo
    this.open(taken[0]);
    this.send();
  }

  // Not all browsers show what the service can read.
  preview(photo, alt) {
    const made = element("img", { class: "photo", src: photo.address, alt });
    made.addEventListener("error", () => made.replaceWith(element("span", { class: "photo missing", role: "img", "aria-label": "no preview" })), { once: true });
    return made;
  }

  send() {
    for (const photo of this.photos) {
      if (this.sending >= AT_ONCE) return;
      if (photo.begun) continue;
      photo.begun = true;
      this.sending++;
      this.answer(photo).finally(() => { this.sending--; this.send(); });
    }
  }

  async answer(photo) {
    const most = this.page.facts.max_bytes, name = printable(photo.file.name), label = photo.button.querySelector(".label");
    try {
      if (most && photo.file.size > most) {
        throw new Error(`${name} has ${(photo.file.size / 1e6).toFixed(1)} MB; at most ${(most / 1e6).toFixed(0)} MB are taken.`);
      }
      if (!photo.file.size) throw new Error(`${name} is empty.`);
      await photo.file.slice(0, 1).arrayBuffer().catch(() => { throw new Error(`${name} cannot be read. Is it a folder, or has it moved?`); });
      photo.said = this.page.facts.classes ? await classified(photo.file) : {};
      label.textContent = photo.said.unlike ? "unusual" : printable(photo.said.label ?? "");
    } catch (problem) {
      photo.problem = problem.message;
      label.textContent = "not read";
      photo.button.classList.add("wrong");
    }
    if (this.current === photo) this.fill(photo);
  }

  open(photo) {
    this.current = photo;
    for (const one of this.photos) one.button.setAttribute("aria-pressed", String(one === photo));
    if (!this.strip.hidden) photo.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.fill(photo);
  }

  fill(photo) {
    const { page } = this, name = printable(photo.file.name);
    photo.searching?.abort();
    const mine = element("figure", { class: "whole" }, this.preview(photo, `Your photo ${name}`), element("figcaption", { class: "id" }, element("bdi", {}, name)));
    const said = element("div", { class: "words" });
    this.place.replaceChildren(element("div", { class: "beside-it" }, mine, said));
    if (photo.problem) said.append(element("p", { class: "problem", role: "alert" }, photo.problem));
    else if (!photo.said) said.append(element("p", { class: "soft", role: "status" }, "Looking …"));
    else if (photo.said.top) said.append(verdict(photo.said));
    else said.append(element("p", { class: "soft" }, page.facts.why.classes));
    this.heard.textContent = photo.said?.top ? said.innerText.split("\n").filter(Boolean).slice(0, photo.said.unlike ? 3 : 2).join(", ") : "";
    if (!photo.said || !page.facts.gallery) return;
    photo.searching = new AbortController();
    this.place.append(new Nearest(page, { photo: photo.file, signal: photo.searching.signal }).root);
  }
}
