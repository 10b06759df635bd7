// A matrix of many classes: its names where it is pointed at or reached by the arrows, and the photos
// of a mistake on a click or Enter.
for (const drawn of document.querySelectorAll("svg.drawn")) {
  const numbers = (text) => (text ? text.split(",").map(Number) : []);
  const order = numbers(drawn.dataset.order), flat = numbers(drawn.dataset.cells);
  const names = [...document.querySelectorAll("#confusion-names li")].map((one) => one.textContent);
  const said = document.getElementById("confusion-said"), cells = [], at = new Map();
  for (let k = 0; k < flat.length; k += 3) {
    const cell = { row: flat[k], column: flat[k + 1], images: flat[k + 2] };
    cells.push(cell);
    at.set(cell.row * order.length + cell.column, cell);
  }
  const shape = (name) => {
    const one = document.createElementNS("http://www.w3.org/2000/svg", name);
    drawn.append(one);
    return one;
  };
  const cross = shape("path"), mark = shape("rect");
  cross.classList.add("cross");
  mark.classList.add("mark");
  let reached = null;
  const say = (row, column) => {
    reached = { row, column };
    const images = at.get(row * order.length + column)?.images ?? 0;
    said.textContent = `${images ? images.toLocaleString("en") : "no"} image${images === 1 ? "" : "s"} of ${names[row]} called ${names[column]}`;
    cross.setAttribute("d", `M0 ${row + .5}H${column}M${column + .5} 0V${row}`);
    for (const [key, value] of Object.entries({ x: column, y: row, width: 1, height: 1 })) mark.setAttribute(key, value);
  };
  const place = (event) => {
    const box = drawn.getBoundingClientRect(), last = order.length - 1;
    const unit = (from, size) => Math.min(last, Math.max(0, Math.floor((from / size) * order.length)));
    const row = unit(event.clientY - box.top, box.height), column = unit(event.clientX - box.left, box.width);
    // Of cells as small as a pixel, the nearest one with images is meant.
    let nearest = [row, column], distance = Infinity;
    const reach = Math.floor((6 * order.length) / box.width);
    for (let i = row - reach; i <= row + reach; i++) {
      for (let j = column - reach; j <= column + reach; j++) {
        const away = Math.hypot(i - row, j - column);
        if (j >= 0 && j <= last && away < distance && at.has(i * order.length + j)) [nearest, distance] = [[i, j], away];
      }
    }
    return nearest;
  };
  const open = () => {
    if (reached && reached.row !== reached.column && at.has(reached.row * order.length + reached.column)) {
      mistakes.show(`is=${order[reached.row]}&called=${order[reached.column]}`, drawn);
    }
  };
  // The nearest cell with images in that direction: in the same row or column, where there is one.
  const step = (key) => {
    const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
    if (!way) return null;
    const ahead = (cell) => (cell.row - reached.row) * way[0] + (cell.column - reached.column) * way[1];
    const aside = (cell) => Math.abs((cell.row - reached.row) * way[1]) + Math.abs((cell.column - reached.column) * way[0]);
    return cells.filter((cell) => ahead(cell) > 0).sort((a, b) => aside(a) - aside(b) || ahead(a) - ahead(b))[0];
  };
  drawn.tabIndex = 0;
  drawn.setAttribute("role", "application");
  drawn.setAttribute("aria-describedby", "confusion-said");
  drawn.addEventListener("pointermove", (event) => say(...place(event)));
  drawn.addEventListener("click", (event) => { say(...place(event)); open(); });
  drawn.addEventListener("focus", () => { if (!reached && cells.length) say(cells[0].row, cells[0].column); });
  drawn.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") open();
    else {
      if (!reached || !event.key.startsWith("Arrow")) return;
      const next = step(event.key);
      if (next) say(next.row, next.column);
    }
    event.preventDefault();
  });
}
