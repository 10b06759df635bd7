// Photos that come in: dropped anywhere, pasted, taken, or chosen.
export class Intake {
  constructor(drop, take) {
    this.take = take;
    for (const field of drop.querySelectorAll("input[type=file]")) {
      field.addEventListener("change", () => { this.give(field.files); field.value = ""; });
    }
    let deep = 0; // dragenter and dragleave come for each element on the way
    const over = (on) => document.body.classList.toggle("dragging", on);
    const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    addEventListener("dragenter", (event) => { if (holds(event)) over(++deep > 0); });
    addEventListener("dragleave", (event) => { if (holds(event)) over(--deep > 0); });
    addEventListener("dragover", (event) => { if (holds(event)) event.preventDefault(); });
    addEventListener("drop", (event) => {
      deep = 0;
      over(false);
      if (!holds(event)) return;
      event.preventDefault();
      this.give(event.dataTransfer.files);
    });
    addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return; // words, for a field
      event.preventDefault();
      this.give(files);
    });
  }

  give(files) { if (files.length) this.take([...files]); }
}
