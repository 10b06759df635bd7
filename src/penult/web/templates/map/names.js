// Where the names of categories stand: at the densest place of each.
function namePlaces(data, column, shown, hidden) {
  if (!column || column.kind !== "categorical" || column.boolean) return [];
  const sums = new Map(), cells = 24;
  for (let i = 0; i < data.size; i++) {
    if (!shown[i]) continue;
    const u = data.points[2 * i], v = data.points[2 * i + 1];
    const cell = Math.floor(v * cells) * (cells + 1) + Math.floor(u * cells);
    for (const code of data.codes(column, i)) {
      if (code < 0 || code === column.noise || hidden.has(code)) continue;
      if (!sums.has(code)) sums.set(code, { code, count: 0, dense: new Map() });
      const name = sums.get(code);
      name.count++;
      const dense = name.dense.get(cell) ?? [0, 0, 0];
      dense[0]++; dense[1] += u; dense[2] += v;
      name.dense.set(cell, dense);
    }
  }
  const places = [];
  for (const { code, count, dense } of sums.values()) {
    // The cell of which the eight around it hold the most as well.
    let best = [-1, 0, 0, 0];
    for (const cell of dense.keys()) {
      const near = [0, 0, 0];
      for (const down of [-1, 0, 1]) for (const right of [-1, 0, 1])
        dense.get(cell + down * (cells + 1) + right)?.forEach((part, k) => { near[k] += part; });
      const weight = near[0] + dense.get(cell)[0];
      if (weight > best[0]) best = [weight, ...near];
    }
    places.push({ code, count, u: best[2] / best[1], v: best[3] / best[1] });
  }
  return places.sort((a, b) => b.count - a.count);
}

// The rows that stand out: of their nearest ones, by far the most are of other categories. Such a row
// may have a wrong label, so it is drawn above the others and is the first to get a picture.
function standingOut(data, column) {
  const out = new Uint8Array(data.size);
  if (!column || column.kind !== "categorical" || column.boolean) return out;
  for (let i = 0; i < data.size; i++) {
    const codes = data.codes(column, i), near = data.neighborsOf(i);
    if (codes[0] < 0 || codes.includes(column.noise) || near.length < 3) continue;
    const others = near.filter(({ place }) => !data.codes(column, place).some((code) => codes.includes(code)));
    if (others.length > 0.75 * near.length) out[i] = 1;
  }
  return out;
}

const LINE = 17, NAMED = 60, MOST_DOTS = 20000;

// Where a name covers least, at its group or beside it: [x, y] of its middle, or null where others
// have taken the room. Of very many dots or names each stands at its group, for no room is left there.
function roomForName({ code, u, v }, half, taken, drawing) {
  const { view, grid, data, filters, column } = drawing.state, radius = drawing.radius + 1;
  const x = u * view.scale + view.left, y = v * view.scale + view.top, up = LINE / 2;
  if (x < 0 || x > view.width || y < 8 || y > view.height - 8) return null;
  const sides = data.size > MOST_DOTS || taken.length >= NAMED ? [[0, 0]] : drawing.beside;
  const reach = drawing.tiles.length ? drawing.side / 2 : 0;
  let best = null, least = Infinity;
  for (const [right, down] of sides) {
    const at = [x + right * (half + reach + radius), y + down * LINE];
    at[0] = Math.min(view.width - half, Math.max(half, at[0]));
    if (at[1] < 8 || at[1] > view.height - 8) continue;
    if (taken.some((one) => Math.abs(one.x - at[0]) < one.half + half && Math.abs(one.y - at[1]) < LINE)) continue;
    let cost = 0.6 * Math.abs(down) + 1.2 * Math.abs(right);
    if (sides.length > 1) {
      const margin = reach + LINE; // what is near has to be of the same group, or the name is read as another's
      grid.within(view.box(at[0] - half - margin, at[1] - up - margin, at[0] + half + margin, at[1] + up + margin), (i) => {
        if (!filters.shown[i]) return;
        const beside = Math.abs(view.x(i) - at[0]) - half, below = Math.abs(view.y(i) - at[1]) - up;
        if (beside < radius && below < radius) cost += drawing.out[i] ? 8 : 2;
        if (!data.codes(column, i).includes(code)) cost += 0.5;
      });
      for (const i of drawing.tiles)
        if (Math.abs(view.x(i) - at[0]) < half + reach && Math.abs(view.y(i) - at[1]) < up + reach) cost += drawing.out[i] ? 12 : 3;
    }
    if (cost < least) [best, least] = [at, cost];
  }
  return best;
}
