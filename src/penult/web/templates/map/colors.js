// Colours of points, as [red, green, blue], on light and on dark paper.
const rgb = (text) => [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16));
const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

// Viridis, of van der Walt and Smith, without the end that the paper would swallow.
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"].map(rgb);
const RAMP = { light: [0, 0.93], dark: [0.18, 1] };
function ramp(share, dark) {
  const [low, high] = dark ? RAMP.dark : RAMP.light;
  const at = (low + Math.min(1, Math.max(0, share)) * (high - low)) * (VIRIDIS.length - 1);
  const k = Math.min(VIRIDIS.length - 2, Math.floor(at));
  return [0, 1, 2].map((part) => Math.round(VIRIDIS[k][part] + (at - k) * (VIRIDIS[k + 1][part] - VIRIDIS[k][part])));
}

const NONE = { light: rgb("#b4b5c0"), dark: rgb("#5f6170") };
const NO_AND_YES = { light: [rgb("#7fa8d6"), rgb("#d4480b")], dark: [rgb("#4f79ad"), rgb("#ff8442")] };

// From a row of a column to its colour; coloring(i) is the code of the name that colours it.
function colorsOf(column, palettes, dark, coloring) {
  const scheme = dark ? "dark" : "light", none = NONE[scheme];
  if (!column) return () => rgb(palettes[scheme][0]);
  if (column.kind === "numeric") {
    const [low, high] = column.range, { values } = column;
    const steps = Array.from({ length: 256 }, (_, k) => ramp(k / 255, dark));
    return (i) => {
      if (Number.isNaN(values[i])) return none;
      const share = high > low ? (values[i] - low) / (high - low) : 0.5;
      return steps[Math.round(255 * Math.min(1, Math.max(0, share)))];
    };
  }
  const codes = codesOf(column, palettes, dark);
  return (i) => codes(coloring(i));
}

// From a category to its colour.
function codesOf(column, palettes, dark) {
  const scheme = dark ? "dark" : "light";
  const colors = column.boolean ? NO_AND_YES[scheme] : palettes[scheme].map(rgb);
  return (code) => (code < 0 || code === column.noise ? NONE[scheme] : colors[code % colors.length]);
}

// Gives a swatch the colour of a category, and in print that on white.
function paint(swatch, column, palettes, dark, code) {
  swatch.style.setProperty("--color", css(codesOf(column, palettes, dark)(code)));
  swatch.style.setProperty("--on-white", css(codesOf(column, palettes, false)(code)));
}
