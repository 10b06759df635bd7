// Labels that look wrong: those that are ticked can be saved as a list for `penult labels apply`.
(() => {
{% include "web/hand_over.js" %}
  const review = document.querySelector("#labels .review");
  if (!review) return;
  const section = document.getElementById("labels");
  for (const one of section.querySelectorAll(".scripted")) one.hidden = false;
  for (const one of section.querySelectorAll(".unscripted")) one.hidden = true;
  const suspects = [...section.querySelectorAll(".suspect")];
  const box = (suspect) => suspect.querySelector("input");
  const cells = (suspect) => JSON.parse(suspect.dataset.cells);
  const ticked = () => suspects.filter((suspect) => box(suspect).checked);
  const chosen = () => (ticked().length ? ticked() : suspects);
  const [save_, names, every, said] = ["save", "copy-names", "every", "said"].map((name) => review.querySelector(`.${name}`));
  const images = (number) => `${number.toLocaleString("en")} ${number === 1 ? "file name" : "file names"}`;

  const show = () => {
    const number = ticked().length;
    suspects.forEach((suspect) => suspect.classList.toggle("ticked", box(suspect).checked));
    save_.disabled = number === 0; // what nobody looked through is no reviewed list
    const all = suspects.length > 1 ? `Copy all ${images(suspects.length)}` : "Copy the file name";
    names.textContent = number ? `Copy ${images(number)}` : all;
    every.textContent = number === suspects.length ? "Tick none" : "Tick all";
    said.textContent = `${number} of ${suspects.length} ticked`;
  };
  section.addEventListener("change", show);
  every.addEventListener("click", () => {
    const all = ticked().length < suspects.length;
    suspects.forEach((suspect) => { box(suspect).checked = all; });
    show();
  });
  save_.addEventListener("click", () => {
    const rows = [JSON.parse(review.dataset.columns), ...ticked().map(cells)];
    const escapes = review.dataset.escapes === "true";
    save("reviewed.csv", "text/csv", rows.map((row) => row.map((cell) => csvCell(cell, escapes)).join(",") + "\n").join(""));
    said.textContent = `reviewed.csv: ${rows.length - 1} of ${suspects.length}`;
  });
  const tell = async (text, what) => { said.textContent = (await copy(text)) ? `${what} copied` : "this browser does not allow it"; };
  names.addEventListener("click", () => tell(chosen().map((suspect) => cells(suspect)[0] + "\n").join(""), images(chosen().length)));
  for (const button of section.querySelectorAll(".command-copy")) {
    button.addEventListener("click", () => tell(button.parentNode.querySelector(".command").textContent, "command"));
  }
  show();
})();
