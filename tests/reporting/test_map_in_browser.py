"""The page of a row map as a browser shows it, with WebGL and without: by mouse, fingers and keys."""

import base64
import csv
import io
import json
from contextlib import contextmanager

import numpy as np
import pytest
from browser import CHROMIUM, browser
from PIL import Image
from reports import colour_of, picture_of
from row_maps import grid_ids, grid_map, write_grid_page

from penult.reporting import map_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

IDS = grid_ids(60)
STRAY = [11, 25, 49]  # of another class than those around
HOSTILE = '</script><img src=x onerror="window.hurt = 1">\x1b\u202e{{ 7 * 7 }}'

# The page takes WebGL where there is a GPU; a machine for tests computes it in software.
SOFTWARE_WEBGL = """
const asked = WebGLRenderingContext.prototype.getExtension;
WebGLRenderingContext.prototype.getExtension = function (name) {
  return name === "WEBGL_debug_renderer_info" ? null : asked.call(this, name);
};
const given = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, options) {
  return given.call(this, kind, { ...options, failIfMajorPerformanceCaveat: false });
};"""

WITHOUT_WEBGL = """
const given = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...options) {
  return kind.startsWith("webgl") ? null : given.call(this, kind, ...options);
};"""

# What a browser would save or copy is kept instead.
KEPT = """
window.saved = {}; window.copied = [];
URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved[blob.type] = text; }); return "#"; };
HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; };
Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.copied.push(text); } } });
"""


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=KEPT)
        yield tab


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(map_page, "image_opener", lambda *_, **__: picture_of)
        columns = {
            "split": ["train" if k < 40 else "test" for k in range(60)],
            "confidence": [k / 59 for k in range(60)],
            "mistake": [k % 7 == 0 for k in range(60)],
            "group": [f"{k % 3}" if k % 2 else None for k in range(60)],
        }
        write_grid_page(folder / "grid.html", columns=columns)
        hostile = grid_map(
            ids=[f"{HOSTILE}{k}" for k in range(60)],
            columns={HOSTILE: [f"{HOSTILE}{k % 2}" for k in range(60)]},
        )
        write_grid_page(folder / "hostile.html", hostile)
        one_in_twenty = ["rose" if k in STRAY else "iris" for k in range(60)]
        strays = grid_map(columns={"label": one_in_twenty})
        write_grid_page(folder / "strays.html", strays)
        write_grid_page(folder / "one.html", grid_map(1, columns={}))
        # The first row of the grid is of two classes, the second of the first, the third of none.
        several = {"label": ["cat|dog", "cat", None, *["cat"] * 57]}
        several = grid_map(columns=several, joined=frozenset({"label"}))
        clusters = [k % 2 - 1 for k in range(60)]
        page = {"columns": {"cluster": clusters}, "color_by": "cluster"}
        write_grid_page(folder / "several.html", several, **page)
    return folder


@pytest.fixture(params=["WebGL", "2D"])
def drawn(request, tab):
    """Have pages drawn with WebGL, or without."""
    with running_first(tab, SOFTWARE_WEBGL if request.param == "WebGL" else WITHOUT_WEBGL):
        yield request.param


@contextmanager
def running_first(tab, source):
    """Have pages that are opened in the block run a script before their own."""
    (script,) = tab.call("Page.addScriptToEvaluateOnNewDocument", source=source).values()
    yield
    tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


@pytest.fixture
def grid(tab, pages, drawn):
    """The map of sixty points, fitted into a window of 1200 × 900."""
    tab.open(pages / "grid.html")
    assert tab.run("rowMap.drawing.isWebGL") == (drawn == "WebGL")
    return tab


@pytest.fixture
def plain(tab, pages):
    """The same for what does not depend on how dots are drawn."""
    tab.open(pages / "grid.html")
    return tab


def place_of(tab, k):
    """Where a row is in the window, in CSS pixels."""
    return tab.run(
        "(() => { rowMap.drawing.draw(); const box = rowMap.canvas.getBoundingClientRect();"
        f" return [box.left + rowMap.view.x({k}), box.top + rowMap.view.y({k})]; }})()"
    )


def pixel_of(tab, k, canvas="dots"):
    """The colour of a canvas where a row is."""
    return tab.run(
        "(() => { rowMap.drawing.draw(); const copy = document.createElement('canvas').getContext('2d');"
        f" const from = document.querySelector('canvas.{canvas}');"
        f" const x = Math.round(rowMap.view.x({k})), y = Math.round(rowMap.view.y({k}));"
        " copy.drawImage(from, x, y, 1, 1, 0, 0, 1, 1);"
        " return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3); })()"
    )


def selected(tab):
    return tab.run("rowMap.selection.map(i => rowMap.data.ids[i])")


def wait_for(tab, expression):
    """Evaluate it until it is true: pictures are decoded aside."""
    done = tab.call(
        "Runtime.evaluate",
        expression=f"new Promise(done => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 5); look(); }})",
        awaitPromise=True,
        returnByValue=True,
    )
    assert done["result"]["value"] is True


def press_button(tab, selector):
    tab.run(f"document.querySelector({json.dumps(selector)}).click()")


@pytest.mark.parametrize(
    ("width", "dark"), [(390, True), (390, False), (1200, True), (1200, False)]
)
def test_nothing_is_asked_for_or_complained_of_and_nothing_is_wider_than_the_window(
    tab, pages, drawn, width, dark
):
    tab.open(pages / "grid.html", width=width, dark=dark)
    assert tab.run("document.documentElement.scrollWidth") <= width
    box = tab.run("(({ width, height }) => [width, height])(rowMap.stage.getBoundingClientRect())")
    assert box[0] > 0.6 * width
    assert box[1] > 300
    background = (20, 20, 24) if dark else (255, 255, 255)
    assert tuple(tab.run("rowMap.drawing.background")) == background
    assert [address.split(":")[0] for address in tab.requests if "data:" not in address] == ["file"]
    assert tab.complaints == []


def test_a_dot_has_the_colour_of_its_class_and_there_is_paper_beside_it(grid):
    palette = grid.run("rowMap.data.palettes.light.slice(0, 5)")
    for k in (0, 7, 59):
        expected = np.array([int(palette[k % 5][n : n + 2], 16) for n in (1, 3, 5)])
        expected = 0.88 * expected + 0.12 * 255
        assert np.abs(pixel_of(grid, k) - expected).max() < 6
    grid.run("rowMap.view.pan(0, 30)")
    grid.run("rowMap.data.points[0] += 0.05")  # beside its dot
    assert pixel_of(grid, 0) == [255, 255, 255]


def test_without_webgl_the_picture_is_the_same(tab, pages):
    pictures = []
    for script in (SOFTWARE_WEBGL, WITHOUT_WEBGL):
        with running_first(tab, script):
            tab.open(pages / "grid.html")
            assert tab.run("rowMap.drawing.isWebGL") == (script == SOFTWARE_WEBGL)
            address = tab.run("(rowMap.drawing.draw(), rowMap.drawing.dots.canvas.toDataURL())")
            picture = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
            pictures.append(np.asarray(picture.convert("RGB"), int))
    dots = (pictures[0] < 250).any(axis=2)
    assert dots.sum() > 60 * 30
    # Dots of the second lie within an eighth of a pixel of the first ones: their edges differ.
    assert np.abs(pictures[0] - pictures[1])[dots].mean() < 12
    assert np.array_equal(pictures[0][~dots] > 200, pictures[1][~dots] > 200)


def test_what_lies_among_another_class_is_drawn_last_and_gets_a_picture_first(tab, pages):
    tab.open(pages / "strays.html")
    assert tab.run("[...rowMap.drawing.out.keys()].filter(i => rowMap.drawing.out[i])") == STRAY
    assert sorted(tab.run("[...rowMap.drawing.ordered(rowMap.column).slice(-3)]")) == STRAY
    tab.run("rowMap.drawing.draw()")
    # A picture covers those around it, so that few of the sixty have one.
    assert tab.run("rowMap.drawing.tiles.length") < 20
    assert set(STRAY) <= set(tab.run("rowMap.drawing.tiles"))


def test_names_cover_neither_dots_nor_each_other(tab, pages):
    tab.open(pages / "grid.html")
    tab.run("rowMap.withPictures = false; rowMap.drawing.draw()")
    covered = (
        "rowMap.drawing.named.map(one => [...Array(60).keys()].filter(i =>"
        " Math.abs(rowMap.view.x(i) - one.x) < one.half + rowMap.drawing.radius &&"
        " Math.abs(rowMap.view.y(i) - one.y) < 8.5 + rowMap.drawing.radius).length)"
    )
    assert tab.run(covered) == [0] * 5


def test_where_webgl_is_taken_away_the_map_is_drawn_without(tab, pages):
    with running_first(tab, SOFTWARE_WEBGL):
        tab.open(pages / "grid.html")
    before = pixel_of(tab, 7)
    tab.run("rowMap.drawing.dots.gl.getExtension('WEBGL_lose_context').loseContext()")
    wait_for(tab, "!rowMap.drawing.isWebGL")
    assert np.abs(np.subtract(pixel_of(tab, 7), before)).max() < 6
    assert tab.run("rowMap.drawing.dots.canvas.isConnected") is True


def test_what_is_pointed_at_shows_its_own_picture_id_and_label(grid):
    for k in (0, 33, 59):
        grid.point(*place_of(grid, k))
        card = "document.querySelector('.card')"
        assert grid.run(f"{card}.hidden") is False
        assert IDS[k] in grid.run(f"{card}.textContent")
        assert IDS[k].split("/")[0] in grid.run(f"{card}.querySelector('dl').textContent")
        wait_for(grid, f"{card}.querySelector('img').complete")
        pixel = grid.run(
            "(() => { const copy = document.createElement('canvas').getContext('2d');"
            f" copy.drawImage({card}.querySelector('img'), 0, 0, 9, 9);"
            " return [...copy.getImageData(4, 4, 1, 1).data].slice(0, 3); })()"
        )
        assert np.abs(np.subtract(pixel, colour_of(IDS[k]))).max() < 16
    grid.point(600, 3)  # the header
    assert grid.run("document.querySelector('.card').hidden") is True


def test_near_enough_dots_become_their_thumbnails(grid):
    grid.run("rowMap.withPictures = false")
    assert pixel_of(grid, 7, "over") == [0, 0, 0]  # nothing above the dot
    grid.run("rowMap.withPictures = true; rowMap.withNames = false; rowMap.drawing.draw()")
    assert grid.run("rowMap.drawing.side") > 28
    crowded = grid.run("rowMap.drawing.tiles.length")
    assert 5 < crowded < 60  # no two overlap
    grid.run("rowMap.view.zoom(1.6); rowMap.drawing.draw()")
    wait_for(grid, "[...rowMap.pictures.sheets.values()].every(sheet => sheet.ready)")
    seen = grid.run(
        "rowMap.data.ids.map((_, i) => i).filter(i => { const { view } = rowMap; return"
        " view.x(i) > 0 && view.y(i) > 0 && view.x(i) < view.width && view.y(i) < view.height; })"
    )
    assert set(seen) <= set(grid.run("rowMap.drawing.tiles"))
    assert len(seen) > 20
    for k in (seen[0], seen[7], seen[-1]):
        assert np.abs(np.subtract(pixel_of(grid, k, "over"), colour_of(IDS[k]))).max() < 16


@pytest.mark.parametrize("height", [900, 500])
def test_all_of_the_map_is_fitted_whole_pictures_above_the_buttons(tab, pages, height):
    tab.open(pages / "grid.html", width=1200, height=height)
    rows = "rowMap.data.ids.map((_, i) => rowMap.view.y(i))"
    lower_edge = f"Math.max(...{rows}) + rowMap.drawing.side / 2"
    top = "({}).getBoundingClientRect().top".format
    tools, stage = (top(f"document.querySelector('{one}')") for one in (".tools", ".stage"))
    assert tab.run("rowMap.drawing.side") > 28  # pictures, in place of dots
    assert tab.run(lower_edge) <= tab.run(f"{tools} - {stage}")


def test_a_lasso_selects_and_exports_exactly_what_is_inside(grid):
    # Around the points of the first three columns of the two lower rows, but, by a dent, not (1, 1).
    corners = [(-0.4, -0.4), (2.4, -0.4), (2.4, 1.4), (1.3, 1.4), (1, 0.5), (0.7, 1.4), (-0.4, 1.4)]
    (left, low), (right, _), (_, up) = (place_of(grid, k) for k in (0, 1, 10))
    press_button(grid, "[data-tool=lasso]")
    places = [(left + x * (right - left), low + y * (up - low)) for x, y in [*corners, corners[0]]]
    grid.drag(*places)
    inside = [IDS[k] for k in (0, 1, 2, 10, 12)]
    assert selected(grid) == inside
    shown = "[...document.querySelectorAll('.selection .thumb')].map(one => one.title)"
    assert grid.run(shown) == inside
    press_button(grid, ".export button:nth-child(1)")
    press_button(grid, ".export button:nth-child(2)")
    press_button(grid, ".export button:nth-child(3)")
    wait_for(grid, "window.saved['text/csv'] && window.saved['text/plain']")
    assert grid.run("copied") == ["".join(f"{one}\n" for one in inside)]
    assert grid.run("saved['text/plain']") == "".join(f"{one}\n" for one in inside)
    assert grid.run("savedAs") == "grid-selection.csv"
    rows = list(csv.DictReader(io.StringIO(grid.run("saved['text/csv']"))))
    assert [row["id"] for row in rows] == inside
    assert [(row["x"], row["y"]) for row in rows][-1] == ("2", "1")
    assert list(rows[0]) == ["id", "x", "y", "label", "split", "confidence", "mistake", "group"]
    assert rows[1]["group"] == "1"
    assert rows[0]["group"] == ""
    assert grid.run("document.querySelector('.selection h2').textContent") == "5 images selected"


def test_a_box_selects_adds_with_shift_and_escape_clears(plain):
    press_button(plain, "[data-tool=box]")
    (x, y), (right, _) = place_of(plain, 0), place_of(plain, 1)
    half = (right - x) / 3
    plain.drag((x - half, y - half), (x, y), (right + half, y + half))
    assert selected(plain) == IDS[:2]
    x, y = place_of(plain, 25)
    plain.drag((x - half, y - half), (x, y), (x + half, y + half), modifiers=8)
    assert selected(plain) == [IDS[0], IDS[1], IDS[25]]
    plain.run("rowMap.canvas.focus()")
    plain.press("Escape")
    assert selected(plain) == []


def test_what_is_switched_off_in_the_legend_is_neither_seen_nor_hit_nor_selected(grid):
    grid.run("rowMap.withPictures = rowMap.withNames = false; rowMap.schedule()")
    press_button(grid, ".legend .value[data-code='2']")  # iris: every fifth from the third
    assert pixel_of(grid, 2) == [255, 255, 255]
    assert pixel_of(grid, 3) != [255, 255, 255]
    place = place_of(grid, 2)
    grid.point(*place)
    assert grid.run("rowMap.hovered") == -1
    grid.run("rowMap.selectView()")
    assert selected(grid) == [one for one in IDS if not one.startswith("iris")]
    assert grid.run("document.querySelector('.hidden-rows').textContent").startswith("12 hidden by")


def test_an_image_of_several_labels_stays_while_one_is_on_in_the_colour_of_the_rarest(tab, pages):
    tab.open(pages / "several.html")
    tab.run("rowMap.colorBy(0)")
    names = "[...document.querySelectorAll('.legend .value')].map(one => one.textContent)"
    assert tab.run(names) == ["cat59", "dog1", "none1"]
    cat, dog = (tab.run(f"rowMap.data.palettes.light[{k}]") for k in (0, 1))
    color = (
        "'#' + rowMap.drawing.colorOf({}).map(one => one.toString(16).padStart(2, '0')).join('')"
    )
    shown = "[0, 1, 2].map(k => rowMap.filters.shown[k])"
    assert [tab.run(color.format(k)) for k in (0, 1)] == [dog, cat]
    press_button(tab, ".legend .value[data-code='1']")  # dog off
    assert tab.run(shown) == [1, 1, 1]
    assert tab.run(color.format(0)) == cat
    press_button(tab, ".legend .value[data-code='0']")  # and cat
    assert tab.run(shown) == [0, 0, 1]
    press_button(tab, ".legend .value[data-code='1']")  # dog on again
    assert tab.run(shown) == [1, 0, 1]
    tab.run("rowMap.open(1)")  # what is opened is shown, whatever hides it
    assert tab.run(shown) == [1, 1, 1]
    tab.run("rowMap.select([0, 1])")
    shares = "[...document.querySelectorAll('.shares .share')].map(one => one.textContent)"
    assert tab.run(shares) == ["cat 2", "dog 1"]
    assert tab.run("rowMap.drawing.places.map(one => one.count)") == [59, 1]
    assert tab.complaints == []


def test_a_page_opens_in_the_column_asked_for_and_noise_is_grey(tab, pages):
    tab.open(pages / "several.html")
    assert tab.run("document.querySelector('#map-column').selectedOptions[0].text") == "cluster"
    names = "[...document.querySelectorAll('.legend .value')].map(one => one.textContent)"
    assert tab.run(names) == ["030", "noise30"]
    assert tab.run("rowMap.drawing.colorOf(0)") == [180, 181, 192]
    assert tab.run("rowMap.data.word(rowMap.column, 0)") == "noise"
    assert tab.run("rowMap.data.value(rowMap.column, 0)") == "-1"


def test_a_class_is_isolated_by_a_double_click_and_by_the_keyboard(plain):
    shown = "rowMap.data.ids.filter((_, i) => rowMap.filters.shown[i])"
    box = plain.run(
        "(({ left, top, height }) => [left + 30, top + height / 2])"
        "(document.querySelector(\".legend [data-code='1']\").getBoundingClientRect())"
    )
    for count in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            plain.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=count)  # fmt: skip
    assert plain.run(shown) == [one for one in IDS if one.startswith("daisy")]
    plain.run("document.querySelector(\".legend [data-code='3']\").focus()")
    plain.press("Enter")
    assert plain.run(shown) == [one for one in IDS if one.startswith(("daisy", "rose"))]
    plain.press("Tab")  # to the button beside it
    plain.press("Enter")
    assert plain.run(shown) == [one for one in IDS if one.startswith("rose")]
    # Filters of two columns hold together, until all is shown again.
    plain.run("rowMap.colorBy(1)")
    press_button(plain, ".legend .value[data-code='1']")
    assert plain.run(shown) == [one for one in IDS[:40] if one.startswith("rose")]
    press_button(plain, ".hidden-rows button")
    assert plain.run(shown) == IDS


def test_numbers_have_a_colour_bar_and_rows_without_a_value_a_row_of_their_own(plain):
    plain.run("rowMap.colorBy(2)")
    ends = "[...document.querySelectorAll('.ends span')].map(one => one.textContent)"
    assert plain.run(ends) == ["≤ 0.01", "0.5", "≥ 0.99"]  # quantiles of 0 to 1 in 59 steps
    assert plain.run("document.querySelector('.legend')") is None
    low, high = np.array(pixel_of(plain, 0)), np.array(pixel_of(plain, 59))
    assert low.sum() < 350 < high.sum()  # from viridis' dark end to its light one
    plain.run("rowMap.colorBy(4)")
    names = "[...document.querySelectorAll('.legend .value')].map(one => one.textContent)"
    assert plain.run(names) == ["010", "110", "210", "none30"]
    plain.run("rowMap.colorBy(3)")
    assert plain.run(names) == ["no51", "yes9"]


def test_search_finds_by_a_part_of_the_id_and_enter_opens_the_first(plain):
    plain.run("rowMap.search.field.focus()")
    for key in "ROSE/01":
        plain.press(key)
    assert plain.run("rowMap.matches.map(i => rowMap.data.ids[i])") == [
        "rose/013.jpg",
        "rose/018.jpg",
    ]
    assert plain.run("document.querySelector('.found').textContent").startswith("2 images")
    press_button(plain, ".legend .value[data-code='3']")  # even where it is switched off
    plain.press("Enter")
    assert plain.run("rowMap.pinned") == 13
    assert plain.run("rowMap.filters.shown[13]") == 1
    x, y = plain.run(
        "[rowMap.view.x(13) / rowMap.view.width, rowMap.view.y(13) / rowMap.view.height]"
    )
    assert (x, y) == pytest.approx((0.5, 0.5), abs=0.01)
    press_button(plain, ".found button")
    assert selected(plain) == ["rose/013.jpg", "rose/018.jpg"]
    plain.press("Escape")
    assert plain.run("rowMap.matches") == []


def test_a_click_shows_the_nearest_in_the_full_space_with_their_cosines(grid):
    grid.drag(place_of(grid, 30))
    assert grid.run("rowMap.pinned") == 30
    near = "[...document.querySelectorAll('.near .thumb')]"
    # Rows are turned by a degree each: five on either side are the ten nearest.
    places = grid.run(f"{near}.map(one => Number(one.dataset.open))")
    assert sorted(places) == [25, 26, 27, 28, 29, 31, 32, 33, 34, 35]
    cosines = grid.run(f"{near}.map(one => Number(one.querySelector('.n').textContent))")
    assert cosines == pytest.approx([np.cos(np.deg2rad(abs(one - 30))) for one in places], abs=5e-4)
    press_button(grid, ".near .thumb")
    assert grid.run("rowMap.pinned") == places[0]
    press_button(grid, ".picture .close")
    assert grid.run("document.querySelector('.details').hidden") is True


def test_the_keyboard_moves_zooms_opens_selects_and_closes(plain):
    plain.run("rowMap.canvas.focus()")
    fitted = plain.run("rowMap.view.scale")
    for _ in range(6):
        plain.press("+")
    assert plain.run("rowMap.view.scale") == pytest.approx(fitted * 1.3**6)
    left = plain.run("rowMap.view.left")
    plain.press("ArrowLeft")
    assert plain.run("rowMap.view.left") == pytest.approx(left + 60)
    pointed = plain.run("rowMap.hovered")
    middle = plain.run(
        "rowMap.grid.nearest(...rowMap.view.box(rowMap.view.width / 2, rowMap.view.height / 2, 0, 0).slice(0, 2), 9, () => true)"
    )
    assert pointed == middle >= 0
    assert IDS[pointed] in plain.run("rowMap.status.textContent")
    plain.press("Enter")
    assert plain.run("rowMap.pinned") == pointed
    plain.press("Escape")
    assert plain.run("rowMap.pinned") == -1
    plain.press("0")
    assert plain.run("rowMap.view.magnification") == pytest.approx(1)
    plain.press("a")
    assert selected(plain) == IDS
    plain.press("l")
    assert plain.run("rowMap.pointer.tool") == "lasso"


def test_the_wheel_zooms_about_the_pointer_and_dragging_moves(plain):
    x, y = place_of(plain, 33)
    plain.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-300)
    wait_for(plain, "rowMap.view.magnification > 1.5")
    assert place_of(plain, 33) == pytest.approx([x, y], abs=1)
    plain.drag((600, 500), (620, 510), (650, 530))
    assert place_of(plain, 33) == pytest.approx([x + 50, y + 30], abs=1)
    assert selected(plain) == []


def test_fingers_tap_pan_and_pinch(tab, pages):
    tab.open(pages / "grid.html", width=390, height=844)
    x, y = place_of(tab, 33)
    tab.touch([(x, y)])
    assert tab.run("rowMap.pinned") == 33
    assert tab.run("document.querySelector('.card').hidden") is False
    before, (x, y) = tab.run("rowMap.view.scale"), place_of(tab, 33)
    tab.touch([(x - 20, y), (x + 20, y)], [(x - 30, y), (x + 20, y)], [(x - 30, y), (x + 50, y)])
    assert tab.run("rowMap.view.scale") == pytest.approx(2 * before, rel=0.02)
    assert place_of(tab, 33) == pytest.approx([x + 10, y], abs=4)
    (x, y) = place_of(tab, 33)
    tab.touch([(x, y)], [(x + 15, y)], [(x + 25, y + 15)])
    assert place_of(tab, 33) == pytest.approx([x + 25, y + 15], abs=1)


def test_paper_shows_the_whole_map_on_white(tab, pages):
    tab.open(pages / "grid.html", dark=True)
    swatch = "getComputedStyle(document.querySelector('.legend .swatch')).backgroundColor"
    assert tab.run(swatch) == "rgb(63, 154, 221)"
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    tab.call("Emulation.setEmulatedMedia", media="print", features=dark)
    assert tab.run(swatch) == "rgb(0, 114, 178)"
    tab.call("Emulation.setEmulatedMedia", media="", features=dark)
    assert tab.run(swatch) == "rgb(63, 154, 221)"
    tab.call("Page.printToPDF")
    corner, ink = tab.run(
        "(() => { const canvas = document.querySelector('.printed canvas');"
        " const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        " let marked = 0; for (let k = 0; k < data.length; k += 4) marked += data[k + 1] < 200;"
        " return [[...data.slice(0, 3)], marked / (canvas.width * canvas.height)]; })()"
    )
    assert corner == [255, 255, 255]
    assert ink > 0.02
    assert tab.run("rowMap.drawing.background") == [20, 20, 24]  # and the screen stays dark


def test_names_of_others_are_shown_and_never_run_and_exported_as_they_are(tab, pages):
    tab.open(pages / "hostile.html")
    tab.run(
        "rowMap.open(7); rowMap.selectView(); rowMap.search.field.value = 'onerror'; rowMap.search.find()"
    )
    tab.point(*place_of(tab, 30))
    text = tab.run("document.querySelector('.details').textContent")
    assert '</script><img src=x onerror="window.hurt = 1">\\x1b\\u202e{{ 7 * 7 }}7' in text
    assert "\u202e" not in tab.run("document.body.innerText")
    assert tab.run("window.hurt === undefined && !document.querySelector('img[src=x]')")
    press_button(tab, ".export button:nth-child(2)")
    wait_for(tab, "window.saved['text/plain']")
    assert tab.run("saved['text/plain']").startswith(f"{HOSTILE}0\n{HOSTILE}1\n")
    assert tab.complaints == []


def test_formulas_and_quotes_in_saved_csv_are_names_and_numbers_are_as_penult_writes_them(
    tab, pages
):
    names = ["=1+1", "@x,y", '-"', "a\r\nb", "-1"]
    given = grid_map(5, ids=names, columns={"label": names, "score": [-0.5] * 5})
    given.xy[0] = 0.1, -3e-7
    for escape in (False, True):
        write_grid_page(pages / "csv.html", given, escape_formulas=escape, overwrite=True)
        tab.open(pages / "csv.html")
        tab.run("rowMap.select([0, 1, 2, 3, 4])")
        press_button(tab, ".export button:nth-child(3)")
        wait_for(tab, "window.saved['text/csv']")
        rows = list(csv.DictReader(io.StringIO(tab.run("saved['text/csv']"), newline="")))
        sign = "'" if escape else ""
        escaped = [f"{sign}{one}" if one[0] in "=@-" else one for one in names]
        assert [row["id"] for row in rows] == [row["label"] for row in rows] == escaped
        assert (rows[0]["x"], rows[0]["y"], rows[0]["score"]) == ("0.1", "-3e-7", "-0.5")


def test_keys_are_heard_after_what_was_pressed_is_gone(plain):
    plain.run("rowMap.select([1, 2, 30]); document.querySelector('.selection .thumb').focus()")
    plain.press("Enter")
    plain.run("document.querySelector('.near .thumb').focus()")
    plain.press("Enter")  # of which the list is another now
    assert plain.run("rowMap.pinned") == 0
    plain.press("Escape")
    assert plain.run("rowMap.pinned") == -1
    plain.press("Escape")
    assert selected(plain) == []
    assert plain.run("document.activeElement === rowMap.canvas") is True


def test_escape_leaves_off_a_lasso_that_is_being_drawn(plain):
    press_button(plain, "[data-tool=lasso]")
    plain.run("rowMap.canvas.focus()")
    held = {"button": "left", "buttons": 1, "clickCount": 1}
    moves = [("mousePressed", 400, 200), ("mouseMoved", 900, 200), ("mouseMoved", 900, 800)]
    for kind, x, y in moves:
        plain.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)
    assert plain.run("rowMap.shape.length") == 3
    plain.press("Escape")
    moves = [("mouseMoved", x, y) for x, y in [(900, 800), (400, 800), (400, 300)]]
    for kind, x, y in [*moves, ("mouseReleased", 400, 300)]:
        plain.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)
    assert plain.run("rowMap.shape") is None
    assert selected(plain) == []


def test_a_map_of_one_image_without_any_columns_is_whole(tab, pages):
    tab.open(pages / "one.html")
    tab.drag(place_of(tab, 0))
    assert tab.run("rowMap.pinned") == 0
    assert "the only one" in tab.run("document.querySelector('.picture').textContent")
    assert tab.run("document.querySelector('.colors').hidden") is True
    assert tab.complaints == []


def test_all_that_can_be_clicked_is_reached_by_the_keyboard(plain):
    plain.run("rowMap.open(30)")
    plain.run(
        "window.clickable = [...document.querySelectorAll('button, select, input, summary, canvas.over')]"
        ".filter(one => one.checkVisibility()); window.reached = new Set();"
        "addEventListener('focusin', ({ target }) => reached.add(target)); document.activeElement.blur();"
    )
    for _ in range(2 * plain.run("clickable.length")):
        plain.press("Tab")
        if plain.run("clickable.every(one => reached.has(one))"):
            break
    assert plain.run("clickable.filter(one => !reached.has(one)).map(one => one.outerHTML)") == []
