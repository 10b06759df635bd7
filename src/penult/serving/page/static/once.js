// One press is one decision: a key that is held down, and the second click of a double click, decide nothing more.
const AGAIN = ".steps, .back, .on, .row-map"; // steps and views, which may be pressed as fast as one likes
const TEXT = "input:not([type=checkbox]), textarea, select";

document.addEventListener("keydown", (event) => {
  const on = (selector) => event.target.closest?.(selector), { key } = event;
  if (!event.repeat || on(AGAIN)) return;
  const presses = key === "Enter" || (key === " " && on("button, [type=checkbox]"));
  if (!presses && (on(TEXT) || !/^[a-z0-9]$/i.test(key))) return;
  if (presses) event.preventDefault(); // also of what got the focus meanwhile
  event.stopPropagation();
}, true);

// What is below the pointer by then may be another button, or what lies around a window that has opened.
document.addEventListener("click", (event) => {
  if (event.detail < 2 || event.target.closest(AGAIN) || !(event.target.closest("button") || event.target.matches("dialog"))) return;
  event.preventDefault();
  event.stopPropagation();
}, true);
