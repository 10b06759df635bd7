"""Mistakes as a browser shows them: filtered by a class, a pair or a cell, and opened large."""

import dataclasses

import pytest
from browser import CHROMIUM, browser
from reports import FLOWERS, GARDEN, report_of

from penult.classify.diagnosis.label_errors import LabelIssue
from penult.reporting import write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

PHONE = 390  # CSS pixels
MISTAKES = ["iris/3.jpg", "tulip/2.jpg", "iris/2.jpg", "iris/4.jpg"]  # the most confident first
SEEN = (
    "[...document.querySelectorAll('#mistakes figure img.photo')]"
    ".filter(one => one.getClientRects().length).map(one => one.alt)"
)
SAID = "document.querySelector('#mistakes [role=status]').textContent"
PRESSED = (
    "[...document.querySelectorAll('#mistakes [aria-pressed=true]')].map(one => one.dataset.filter)"
)
FOCUSED = "document.activeElement.alt ?? document.activeElement.textContent"
DIALOG = "document.querySelector('dialog.lightbox')"
LARGE = f"{DIALOG}.querySelector('.large img').alt"
LOOKED = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    issues = (LabelIssue("iris/3.jpg", "iris", "tulip", 0.014, 0.97),)
    report = report_of(GARDEN, FLOWERS, looked={"iris/3.jpg": LOOKED}, label_issues=issues)
    return write_report(tmp_path_factory.mktemp("gallery") / "report", report)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A report of 40 classes, of which neighbours are confused: number 7 for number 3, twice."""
    labels = [f"species {k:02}" for k in range(40)]
    outcomes = [(f"{a}/{k}.jpg", a, a, 0.9) for a in labels for k in range(3)]
    outcomes += [(f"wrong/{k}.jpg", labels[7], labels[3], 0.8 - k / 10) for k in range(2)]
    outcomes += [("other.jpg", labels[20], labels[21], 0.5)]
    return write_report(tmp_path_factory.mktemp("large") / "report", report_of(outcomes, labels))


def clicked(tab, element):
    """Click in the middle of what an expression gives."""
    x, y = tab.run(
        f"(() => {{ const one = {element}; one.scrollIntoView({{ block: 'center' }});"
        " const at = one.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2] })()"
    )
    tab.drag((x, y))


def element(selector):
    return f'document.querySelector("{selector}")'


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (PHONE, True)])
def test_a_click_on_a_cell_shows_exactly_its_mistakes(tab, page, width, dark):
    tab.open(page, width=width, dark=dark)
    assert tab.run(SEEN) == MISTAKES
    clicked(tab, element("td[data-filter='is=1&called=2']"))
    assert tab.run(SEEN) == ["iris/3.jpg", "iris/2.jpg"]
    assert tab.run(SAID) == "2 of 4: iris called tulip. Esc shows all."
    assert tab.run(PRESSED) == ["is=1&called=2"]
    assert tab.run(f"{element('td[aria-selected=true]')}.textContent") == "2"
    assert 0 <= tab.run(f"{element('#mistakes')}.getBoundingClientRect().top") < 900
    assert tab.run("document.documentElement.scrollWidth") <= width
    tab.press("Escape")
    assert tab.run(SEEN) == MISTAKES
    assert tab.run(PRESSED) == [""]
    assert tab.run("document.activeElement.dataset.filter") == "is=1&called=2"  # the cell again
    assert tab.complaints == []
    assert [one for one in tab.requests if not one.startswith(("file:", "data:"))] == []


def test_a_cell_of_right_answers_does_nothing(tab, page):
    tab.open(page)
    clicked(tab, element("table.matrix td.hit"))
    assert tab.run(SEEN) == MISTAKES
    assert tab.run("location.hash") == ""


def test_a_class_and_a_pair_filter_and_the_address_remembers_it(tab, page):
    tab.open(page)
    clicked(tab, element("table.classes a[data-filter='class=2']"))  # is a tulip, or was called so
    assert tab.run(SEEN) == ["iris/3.jpg", "tulip/2.jpg", "iris/2.jpg"]
    assert tab.run("location.hash") == "#mistakes?class=2"
    clicked(tab, element("button[data-filter='pair=0-1']"))
    assert tab.run(SEEN) == ["iris/4.jpg"]
    assert tab.run(PRESSED) == ["pair=0-1"]
    clicked(tab, element("button[data-filter='pair=0-1']"))  # once more: off
    assert tab.run(PRESSED) == [""]
    tab.run("location.hash = '#mistakes?is=2&called=1'; dispatchEvent(new Event('hashchange'))")
    assert tab.run(SEEN) == ["tulip/2.jpg"]
    tab.run("location.hash = '#mistakes?is=99&called=<b>'; dispatchEvent(new Event('hashchange'))")
    assert tab.run(SEEN) == ["tulip/2.jpg"]  # there is no such class
    assert tab.complaints == []


def test_the_arrows_and_enter_reach_a_cell_and_a_photo(tab, page):
    tab.open(page)
    tab.run(f"{element('table.matrix td[tabindex]')}.focus()")
    tab.press("ArrowDown")
    tab.press("Enter")  # on iris called daisy
    assert tab.run(SEEN) == ["iris/4.jpg"]
    assert tab.run(FOCUSED) == "iris/4.jpg"


def test_a_photo_opens_large_and_the_arrows_go_through_those_that_are_seen(tab, page):
    tab.open(page)
    clicked(tab, element("td[data-filter='is=1&called=2']"))
    tab.press("Enter")  # on the first of them
    assert tab.run(f"{DIALOG}.open") is True
    assert tab.run(LARGE) == "iris/3.jpg"
    assert tab.run(f"{DIALOG}.querySelector('.place').textContent") == "1 of 2"
    words = tab.run(f"{DIALOG}.querySelector('.large figcaption').textContent").split()
    assert words == ["iris", "→", "tulip", "92%", "iris/3.jpg"]
    shown = tab.run(
        f"[...{DIALOG}.querySelectorAll('.examples figure')].map(one => one.textContent)"
    )
    assert shown == [
        "iris, rightly called so", "tulip, rightly called so", "violet speaks for tulip, orange against it",
    ]  # fmt: skip
    for key, now in (
        ("ArrowRight", "iris/2.jpg"),
        ("ArrowRight", "iris/3.jpg"),
        ("ArrowLeft", "iris/2.jpg"),
    ):
        tab.press(key)
        assert tab.run(LARGE) == now
    assert len(tab.run(f"[...{DIALOG}.querySelectorAll('.examples figure')].map(() => 1)")) == 2
    tab.press("Escape")
    assert tab.run(f"{DIALOG}.open") is False
    assert tab.run(FOCUSED) == "iris/2.jpg"  # the photo that was seen last
    assert tab.run(SEEN) == ["iris/3.jpg", "iris/2.jpg"]  # Esc has closed it, and no more
    assert tab.complaints == []


def test_a_large_photo_is_whole(tab, page):
    tab.open(page)
    clicked(tab, element("#mistakes img.photo"))
    width, height = tab.run(
        f"(() => {{ const one = {DIALOG}.querySelector('.large img');"
        " return [one.naturalWidth, one.naturalHeight] })()"
    )
    assert (width, height) == (300, 200)
    assert tab.run(f"getComputedStyle({DIALOG}.querySelector('.large img')).objectFit") == "contain"


def test_photos_of_other_sections_open_as_well(tab, page):
    tab.open(page)
    clicked(tab, element("#labels img.photo"))
    assert tab.run(LARGE) == "iris/3.jpg"
    assert "likely tulip" in " ".join(
        tab.run(f"{DIALOG}.querySelector('.large figcaption').textContent").split()
    )
    # Beside a label that looks wrong stand photos of both classes.
    beside = f"[...{DIALOG}.querySelectorAll('.examples figure')].map(one => one.textContent)"
    assert tab.run(beside) == ["iris, rightly called so", "tulip, rightly called so"]


def test_on_a_phone_a_finger_turns_to_the_next_photo(tab, page):
    tab.open(page, width=PHONE, dark=True)
    columns = tab.run(
        "new Set([...document.querySelectorAll('#mistakes figure')]"
        ".map(one => one.getBoundingClientRect().left)).size"
    )
    assert columns == 2
    clicked(tab, element("#mistakes img.photo"))
    tab.touch([(300, 300)], [(200, 300)], [(100, 305)])
    assert tab.run(LARGE) == MISTAKES[1]
    tab.touch([(100, 300)], [(300, 300)])
    assert tab.run(LARGE) == MISTAKES[0]
    right = f"[...{DIALOG}.querySelectorAll('img, button')].map(one => one.getBoundingClientRect().right)"
    assert max(tab.run(right)) <= PHONE
    below = tab.run(
        f"[{DIALOG}.querySelector('.large figcaption').getBoundingClientRect().bottom,"
        f" {DIALOG}.querySelector('.back').getBoundingClientRect().top]"
    )
    assert below[0] <= below[1]  # the buttons cover no words
    assert tab.complaints == []


def test_of_the_photos_of_a_section_one_is_a_stop_of_the_tabulator(tab, page):
    tab.open(page)
    stops = "[...document.querySelectorAll('#mistakes img.photo')].filter(one => one.tabIndex === 0).map(one => one.alt)"
    assert tab.run(stops) == ["iris/3.jpg"]
    tab.run(f"{element('#mistakes img.photo')}.focus()")
    tab.press("ArrowRight")
    assert tab.run(FOCUSED) == "tulip/2.jpg"
    assert tab.run(stops) == ["tulip/2.jpg"]
    clicked(tab, element("button[data-filter='pair=0-1']"))
    assert tab.run(stops) == ["iris/4.jpg"]


def test_a_large_matrix_names_its_cells_and_shows_their_photos(tab, large):
    tab.open(large, width=1200, dark=True)
    svg = element("svg.drawn")
    said = f"{element('#confusion-said')}.textContent"
    tab.press("Tab")
    tab.run(f"{svg}.focus()")
    seen = set()
    for _ in range(45):  # down the diagonal, and through what is beside it
        tab.press("ArrowDown")
        seen.add(tab.run(said))
    assert "3 images of species 20 called species 20" in seen
    place = tab.run(
        f"(() => {{ const svg = {svg}; svg.scrollIntoView({{ block: 'center' }});"
        " const order = svg.dataset.order.split(',').map(Number), box = svg.getBoundingClientRect();"
        " const at = k => (order.indexOf(k) + .5) / order.length;"
        " return [box.x + at(3) * box.width, box.y + at(7) * box.height] })()"
    )
    tab.point(*place)
    assert tab.run(said) == "2 images of species 07 called species 03"
    tab.drag(place)
    assert tab.run(SEEN) == ["wrong/0.jpg", "wrong/1.jpg"]
    assert tab.run(SAID) == "2 of 3: species 07 called species 03. Esc shows all."
    assert tab.complaints == []


def test_a_large_matrix_scrolls_by_itself_on_a_phone_and_says_so(tab, large):
    tab.open(large, width=PHONE)
    assert tab.run("document.documentElement.scrollWidth") <= PHONE
    hint = f"getComputedStyle({element('#confusion .hint')}).display"
    assert tab.run(hint) == "block"
    tab.open(large, width=1400)
    assert tab.run(hint) == "none"


def test_the_table_of_classes_says_how_it_is_sorted_before_any_click(tab, page):
    tab.open(page)
    arrow = "getComputedStyle(document.querySelector('table.classes th[aria-sort] button'), '::after').content"
    assert tab.run(arrow) == '" ↑"'
    other = (
        "getComputedStyle(document.querySelector('table.classes th.n button'), '::after').content"
    )
    assert tab.run(other) == '" ↕"'


def test_without_scripts_every_mistake_is_there(tab, page):
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(page)
        assert tab.run(SEEN) == MISTAKES
        assert tab.run(f"getComputedStyle({element('.filters')}).display") == "none"
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)


def test_more_mistakes_than_photos_are_said_to_be_elsewhere(tab, tmp_path, monkeypatch):
    from penult.reporting.sections import mistakes

    monkeypatch.setattr(mistakes, "MOST_MISTAKES", 3)
    report = report_of(GARDEN, FLOWERS)
    tab.open(write_report(tmp_path, dataclasses.replace(report, title="few")))
    clicked(tab, element("td[data-filter='is=1&called=0']"))  # the least confident
    assert tab.run(SEEN) == []
    assert tab.run(SAID).startswith("iris called daisy: no photo of them is among the 3 here.")
