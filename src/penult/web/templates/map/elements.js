// HTML elements, with texts as texts: what others named is never read as HTML.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const button = (text, attributes) => element("button", { type: "button", ...attributes }, text);
const titled = (name) => printable(name.trim() ? name : "(no name)");
const named = (name) => element("bdi", {}, titled(name));
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// An id, which may break after each folder.
function idElement(id) {
  const shown = element("bdi");
  printable(id).split(/(?<=\/)/).forEach((part) => shown.append(part, element("wbr")));
  return element("span", { class: "id", title: printable(id) }, shown);
}
