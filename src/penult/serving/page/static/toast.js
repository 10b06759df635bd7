// What has just happened, in a sentence that is also read aloud, with a way back.
const SECONDS = 8;

class Toast {
  constructor(root) {
    this.root = root;
    this.words = root.querySelector("[role=status]");
    this.back = root.querySelector("button");
    this.back.addEventListener("click", () => { this.hide(); this.undo?.(); });
    document.addEventListener("close", () => this.move(), true); // of a dialog
  }

  // All but an open dialog can neither be seen nor heard.
  move() {
    const place = document.querySelector("dialog[open]") ?? document.body;
    if (this.root.parentNode !== place) place.append(this.root);
  }

  say(sentence, { undo = null, wrong = false } = {}) {
    this.undo = undo;
    this.move();
    this.back.hidden = !undo;
    this.root.classList.toggle("wrong", wrong);
    this.root.hidden = false;
    this.words.textContent = sentence;
    clearTimeout(this.ending);
    this.ending = setTimeout(() => this.hide(), 1000 * SECONDS);
  }

  hide() {
    this.root.hidden = true;
    this.words.textContent = "";
  }

  // Whatever went wrong, as its sentence; what was only broken off is nothing.
  problem(error) {
    if (error.name !== "AbortError") this.say(error.message, { wrong: true });
  }
}

export const toast = new Toast(document.getElementById("toast"));
