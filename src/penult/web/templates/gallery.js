// Photos open large: every img.photo and img.whole within a figure, whose caption goes with it. The arrows go
// through those of its section that are to be seen. Beside it stand the pictures whose ids its
// figure names in data-beside, each under its own data-caption, and the one in data-looked.
const gallery = (() => {
  const ALL = "figure :is(img.photo, img.whole)";
  const within = (part) => [...part.querySelectorAll(ALL)].filter((one) => one.getClientRects().length);
  const around = (photo) => within(photo.closest("section") ?? document.body);
  const made = (name, properties, ...children) => {
    const one = Object.assign(document.createElement(name), properties);
    one.append(...children);
    return one;
  };
  let dialog = null, current = null;

  // Of all photos of a section, one is a stop of the tabulator.
  const stop = (photos, at) => { for (const one of photos) one.tabIndex = one === at ? 0 : -1; };
  const refresh = (part) => {
    const photos = [...part.querySelectorAll(ALL)], seen = within(part);
    for (const one of photos) {
      one.setAttribute("role", "button");
      one.setAttribute("aria-haspopup", "dialog");
    }
    stop(photos, seen.find((one) => one.tabIndex === 0) ?? seen[0]);
  };

  const part = (name) => dialog.querySelector(name);
  const fill = (photo) => {
    current = photo;
    const figure = photo.closest("figure"), photos = around(photo), large = made("img", { alt: photo.alt });
    // As large as it is or twice that, no more: a small picture would be a blur.
    large.addEventListener("load", () => large.style.setProperty("--most", `${2 * large.naturalWidth}px`));
    large.src = photo.src;
    part(".large img")?.remove();
    part(".large").prepend(large);
    const caption = figure.querySelector("figcaption")?.cloneNode(true) ?? made("figcaption");
    if (!caption.querySelector(".id")) caption.append(made("span", { className: "id" }, made("bdi", {}, photo.alt)));
    part(".large figcaption").replaceWith(caption);
    part(".place").textContent = `${(photos.indexOf(photo) + 1).toLocaleString("en")} of ${photos.length.toLocaleString("en")}`;
    for (const button of dialog.querySelectorAll(".back, .on")) button.hidden = photos.length < 2;
    const beside = (figure.dataset.beside?.split(" ") ?? [])
      .map((id) => document.getElementById(id))
      .filter((one) => one?.dataset.caption)
      .map((one) => [one.src, one.alt, one.dataset.caption]);
    if (figure.dataset.looked) beside.push([figure.dataset.looked, figure.dataset.lookedCaption, figure.dataset.lookedCaption]);
    part(".examples").replaceChildren(...beside.map(([src, alt, words]) =>
      made("figure", {}, made("img", { src, alt }), made("figcaption", {}, made("bdi", {}, words)))));
    part(".stage").scrollTop = 0;
  };
  const go = (to) => {
    const photos = around(current), at = photos.indexOf(current);
    const next = { first: 0, last: photos.length - 1, back: (at - 1 + photos.length) % photos.length, on: (at + 1) % photos.length }[to];
    if (photos[next]) fill(photos[next]);
  };
  const KEYS = { ArrowLeft: "back", ArrowUp: "back", ArrowRight: "on", ArrowDown: "on", Home: "first", End: "last" };

  const make = () => {
    document.body.append(document.getElementById("lightbox").content.cloneNode(true));
    dialog = document.querySelector("dialog.lightbox");
    // The focus goes to the photo that was seen last, which may be another than the one opened.
    const back = () => {
      stop(around(current), current);
      current.focus();
    };
    const shut = () => { dialog.close(); back(); };
    part(".close").addEventListener("click", shut);
    part(".back").addEventListener("click", () => go("back"));
    part(".on").addEventListener("click", () => go("on"));
    dialog.addEventListener("click", ({ target }) => { if (target === dialog) shut(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation(); // it closes the photo, and leaves the page's filters alone
        shut();
      }
      if (!KEYS[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      go(KEYS[event.key]);
    });
    // A finger that goes sideways turns the page; up and down it scrolls, and two enlarge.
    let from = null;
    dialog.addEventListener("touchstart", ({ touches }) => { from = touches.length === 1 ? touches[0] : null; }, { passive: true });
    dialog.addEventListener("touchend", ({ changedTouches: [to], touches }) => {
      if (!from || touches.length) return;
      const across = to.clientX - from.clientX, down = to.clientY - from.clientY;
      if (Math.abs(across) > 40 && Math.abs(across) > 2 * Math.abs(down)) go(across < 0 ? "on" : "back");
      from = null;
    });
    dialog.addEventListener("close", back); // also by a phone's own way of going back
  };
  const open = (photo) => {
    if (!dialog) make();
    fill(photo);
    dialog.showModal();
  };

  document.addEventListener("click", ({ target }) => {
    if (target.matches?.(ALL) && !target.closest("dialog")) open(target);
  });
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches?.(ALL) && !target.closest("dialog")) stop(around(target), target);
  });
  document.addEventListener("keydown", (event) => {
    const photo = event.target;
    if (!photo.matches?.(ALL) || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") open(photo);
    else {
      const photos = around(photo), at = photos.indexOf(photo), to = KEYS[event.key];
      const next = { first: 0, last: photos.length - 1, back: at - 1, on: at + 1 }[to];
      if (next === undefined) return;
      photos[next]?.focus();
    }
    event.preventDefault();
  });
  for (const one of document.querySelectorAll("main section")) refresh(one);
  return { refresh };
})();
