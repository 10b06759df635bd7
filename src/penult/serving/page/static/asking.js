// A question before much is changed at once.
const dialog = document.getElementById("asking");

// Whether the answer was yes. `details` are texts and elements.
export function confirmed(words, details, yes) {
  dialog.querySelector("#asking-words").textContent = words;
  dialog.querySelector(".details-line").replaceChildren(...details);
  dialog.querySelector("[value=yes]").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}
