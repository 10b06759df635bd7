// The screen that asks for a token, where the service wants one.
import { ask } from "./service.js";

export class Token {
  constructor(form) {
    this.form = form;
    this.field = form.querySelector("[type=password]");
    this.told = form.querySelector("[role=alert]");
    this.asking = null;
    form.addEventListener("submit", (event) => { event.preventDefault(); this.give(); });
  }

  // Resolves once the service has taken a token; all who wait are asked once.
  wanted() {
    if (!this.asking) {
      this.asking = new Promise((done) => { this.done = done; });
      this.form.hidden = false;
      document.body.classList.add("locked");
      this.field.focus();
    }
    return this.asking;
  }

  async give() {
    this.told.textContent = "";
    try {
      await ask("session", { method: "POST", json: { token: this.field.value.trim() } });
    } catch (problem) {
      this.told.textContent = problem.message;
      this.field.select();
      return;
    }
    this.field.value = "";
    this.form.hidden = true;
    document.body.classList.remove("locked");
    document.getElementById("main").focus({ preventScroll: true }); // what had it is gone
    this.asking = null;
    this.done();
  }
}
