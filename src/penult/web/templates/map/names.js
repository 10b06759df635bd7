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
