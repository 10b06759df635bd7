"""The map inside a report: by wheel, fingers and keys it leaves the page alone until it is asked."""

import dataclasses
import json

import pytest
from browser import CHROMIUM, browser
from reports import FLOWERS, GARDEN, picture_of, report_of
from row_maps import features_of, grid_ids, grid_map

from penult.reporting import write_report
from penult.reporting.map_block import map_block

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

IDS = grid_ids(60)


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    block = map_block(
        grid_map(60),
        features_of(IDS),
        "garden",
        picture_of,
        lambda _: None,
        columns={"cluster": [k % 3 for k in range(60)]},
        most_points=60,
        most_bytes=400_000,
        page="the map",
    )
    report = dataclasses.replace(report_of(GARDEN, FLOWERS), map=block)
    return write_report(tmp_path_factory.mktemp("report"), report)


def shown(tab, page, **window):
    tab.open(page, **window)
    return placed(tab)


def placed(tab):
    """Bring the map to the middle of the window, and say where it is."""
    tab.run("document.getElementById('row-map').scrollIntoView({ block: 'center' })")
    box = tab.run(
        "JSON.stringify(document.querySelector('#row-map .stage').getBoundingClientRect())"
    )
    return json.loads(box)


def wheel(tab, box, *, ctrl=False):
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.call(
        "Input.dispatchMouseEvent",
        type="mouseWheel",
        x=x,
        y=y,
        deltaX=0,
        deltaY=-200,
        modifiers=2 if ctrl else 0,
    )


@pytest.mark.parametrize(("width", "height"), [(1200, 900), (390, 844)])
def test_it_opens_without_a_complaint_or_a_request_and_within_the_window(tab, page, width, height):
    box = shown(tab, page, width=width, height=height)
    asked = [one for one in tab.requests if not one.startswith("data:")]
    assert asked == [page.resolve().as_uri()]
    assert tab.complaints == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert 200 < box["height"] <= 0.7 * height
    assert tab.run("rowMap.data.size") == 60
    assert tab.run("rowMap.column.name") == "cluster"
    # What the map has is no section of the page.
    tabs = tab.run("[...document.querySelectorAll('nav a')].map((one) => one.hash).join()")
    assert "#map" in tabs.split(",")
    tab.run("dispatchEvent(new Event('scroll'))")  # which comes with the next frame
    assert tab.run("document.querySelector('nav a[aria-current]').hash") == "#map"
    # Each tool is as wide as its word: no style of another section reaches it.
    assert tab.run(
        "[...document.querySelectorAll('.tools button')].every((b) => b.scrollWidth <= b.clientWidth + 1)"
    )


def test_the_wheel_scrolls_the_page_until_the_map_is_clicked_or_ctrl_is_held(tab, page):
    box = shown(tab, page)
    scale = "rowMap.view.magnification"
    before = tab.run(scale)
    wheel(tab, box)
    assert tab.run(scale) == before
    assert not tab.run("document.querySelector('.wheel-hint').hidden")
    wheel(tab, box, ctrl=True)
    assert tab.run(scale) > before
    box = placed(tab)  # the page was scrolled
    tab.drag((box["x"] + 5, box["y"] + 5))
    assert tab.run("rowMap.active")
    tab.run("rowMap.view.fit()")
    wheel(tab, box)
    assert tab.run(scale) > before
    tab.press("Escape")
    assert not tab.run("rowMap.active")


def test_by_keyboard_it_is_reached_moved_and_left(tab, page):
    shown(tab, page)
    tab.run("document.querySelector('#row-map .over').focus()")
    before = tab.run("rowMap.view.left")
    tab.press("ArrowRight")
    assert tab.run("rowMap.view.left") != before
    assert tab.run("rowMap.active")
    tab.run("document.querySelector('nav a').focus()")
    assert not tab.run("rowMap.active")


def test_a_finger_scrolls_the_page_until_the_map_is_tapped(tab, page):
    box = shown(tab, page, width=390, height=844)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    left = "[rowMap.view.left, rowMap.view.top].join()"
    before = tab.run(left)
    tab.touch([(x, y)], [(x - 40, y - 10)], [(x - 80, y - 20)])
    assert tab.run(left) == before
    assert not tab.run("rowMap.active")
    corner = (box["x"] + 6, box["y"] + 6)
    tab.touch([corner])
    assert tab.run("rowMap.active")
    tab.touch([(x, y)], [(x - 40, y)], [(x - 80, y)])
    assert tab.run(left) != before
    tab.run("document.querySelector('.leave').click()")
    assert not tab.run("rowMap.active")
