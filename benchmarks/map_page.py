"""The page of a row map: how long it takes to write, how large it is, and frames while panning.

    python benchmarks/map_page.py                              10,000 and 100,000 points
    python benchmarks/map_page.py --photos photos/flowers      with these pictures, again and again
    python benchmarks/map_page.py --points 10000 --frames 300

Points lie in twenty groups, as those of t-SNE do; rows are random, of 64 numbers, so that the time
is that of the page and not of the neighbours. Chromium (headless, a window of 1200 × 800) pans over
all of the map and over a part in which dots are thumbnails: with WebGL, which is computed in
software where there is no GPU, and as the page chooses, which is without it there. "frame" is from
one frame to the next, of which a screen has 60 a second; "drawing" is what the page's own script
does of it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from browser import browser
from feature_files import recipe
from reports import picture_of

from penult.records import Features, RowMap
from penult.reporting import map_page

PANNING = """
new Promise((done) => {
  const frames = [], drawing = [], radius = 90; let last = 0, turn = 0;
  const step = (now) => {
    if (last) frames.push(now - last);
    last = now;
    const x = Math.cos(turn), y = Math.sin(turn);
    turn += .1;
    rowMap.view.pan(radius * (Math.cos(turn) - x), radius * (Math.sin(turn) - y));
    const begun = performance.now();
    rowMap.drawing.draw();
    drawing.push(performance.now() - begun);
    frames.length < %d ? requestAnimationFrame(step) : done([frames, drawing]);
  };
  requestAnimationFrame(step);
})"""

# The page takes WebGL where there is a GPU; here it is measured in software as well.
SOFTWARE_WEBGL = """
const asked = WebGLRenderingContext.prototype.getExtension;
WebGLRenderingContext.prototype.getExtension = function (name) {
  return name === "WEBGL_debug_renderer_info" ? null : asked.call(this, name);
};
const given = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, options) {
  return given.call(this, kind, { ...options, failIfMajorPerformanceCaveat: false });
};"""


def write_page(points: int, photos: Path | None, path: Path) -> float:
    """Write a page of so many points; the seconds that took."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 20, points)
    xy = 30 * rng.standard_normal((20, 2))[group] + 5 * rng.standard_normal((points, 2))
    ids = [f"class_{group[k]:02}/image_{k:06}.jpg" for k in range(points)]
    features = Features(
        features=rng.standard_normal((points, 64), np.float32),
        ids=ids,
        labels=np.full(points, -1),
        label_names=(),
        recipe=recipe(),
    )
    row_map = RowMap(
        ids=ids,
        xy=xy.astype(np.float32),
        columns={"label": [one.split("/")[0] for one in ids]},
        method="tsne",
        layer="penultimate",
        total=points,
    )
    open_image = picture_of
    if photos is not None:
        files = [one for one in sorted(photos.rglob("*")) if one.suffix.lower() in (".jpg", ".png")]
        opened = dict(zip(ids, cycle(files), strict=False))

        def open_image(image_id: str) -> bytes:
            return opened[image_id].read_bytes()

    map_page.image_opener = lambda *_, **__: open_image
    begun = time.perf_counter()
    columns = {"confidence": rng.random(points).tolist()}
    map_page.write_map_page(row_map, features, path, columns=columns, overwrite=True)
    return time.perf_counter() - begun


def measure(path: Path, frames: int) -> None:
    """Print how frames follow each other while panning."""
    for script in (SOFTWARE_WEBGL, ""):
        with browser() as tab:
            tab.call("Page.addScriptToEvaluateOnNewDocument", source=script)
            begun = time.perf_counter()
            tab.open(path, width=1200, height=800)
            opened = time.perf_counter() - begun
            kind = "WebGL" if tab.run("rowMap.drawing.isWebGL") else "2D"
            print(f"  {kind}: opened in {opened:.1f} s")
            for name, before in (
                ("all dots", "rowMap.withPictures = false"),
                (
                    "thumbnails",
                    "rowMap.withPictures = true;"
                    "rowMap.view.zoom(40 / (3.2 * rowMap.view.gap * rowMap.view.scale));"
                    "rowMap.view.show(0, Infinity)",
                ),
            ):
                tab.run(before)
                if name == "thumbnails":
                    tab.call(
                        "Runtime.evaluate", expression=PANNING % 90, awaitPromise=True
                    )  # decode
                answer = tab.call(
                    "Runtime.evaluate",
                    expression=PANNING % frames,
                    awaitPromise=True,
                    returnByValue=True,
                )
                between, drawing = answer["result"]["value"]
                tiles = tab.run("rowMap.drawing.tiles.length")
                print(
                    f"    {name:10} {1000 / statistics.mean(between):5.1f} frames/s;"
                    f" frame: median {statistics.median(between):.1f} ms,"
                    f" 95% {np.quantile(between, 0.95):.1f} ms;"
                    f" drawing {statistics.median(drawing):.1f} ms; {tiles} thumbnails"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for points in options.points:
            path = Path(folder) / "map.html"
            seconds = write_page(points, options.photos, path)
            size = path.stat().st_size / 1e6
            print(f"{points:,} points: written in {seconds:.1f} s, {size:.1f} MB")
            measure(path, options.frames)


if __name__ == "__main__":
    main()
