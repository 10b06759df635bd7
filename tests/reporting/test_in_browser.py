"""The pages as a browser shows them: on a phone and a desk, by keyboard, without a network."""

import dataclasses
from collections import Counter

import comparisons
import numpy as np
import pytest
from browser import CHROMIUM, browser
from duplicate_records import FOUND, SEARCHED, duplicates_of, group
from reports import FLOWERS, GARDEN, finetuning_of, picture_of, report_of

from penult.classify.diagnosis.learning_curve import CurvePoint
from penult.records import Failure, Outliers, PictureIssue
from penult.reporting import duplicates_page, write_report
from penult.reporting.comparison_figures import comparison_figures
from penult.reporting.comparison_page import write_comparison_page
from penult.reporting.duplicates_page import write_duplicates_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LONG = "a_folder_with_a_long_name_and_no_blank_anywhere_in_it" * 3
PHONE = 390  # CSS pixels


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    report = write_report(
        folder / "report",
        report_of(
            [*GARDEN, (f"{LONG}/1.jpg", LONG, "iris", 0.9)],
            [*FLOWERS, LONG],
            curve=(CurvePoint(1, 3, (0.4, 0.6)), CurvePoint(5, 15, (0.7, 0.8))),
            failures=(Failure(f"{LONG}/2.jpg", "is empty (0 bytes)"),),
            commands=(f"penult train {LONG}.h5 -o classifier.skops",),
            retrieval=SEARCHED,
            duplicates=FOUND,
            finetuning=finetuning_of(unfrozen=(LONG, "conv_head")),
        ),
    )
    long = group(f"{LONG}/1.jpg", f"{LONG}/2.jpg", f"{LONG}/3.jpg", label=LONG)
    found = dataclasses.replace(FOUND, groups=(long, *FOUND.groups))
    compared = [
        comparisons.model(name, *numbers)
        for name, numbers in (
            (f"{LONG}+{LONG}", (0.95, 10.7, 2.6, 41, ((224, 224), (260, 260)), 2560)),
            ("small", (0.947, 4.7, 0.8, 115, ((224, 224),), 1280)),
            (LONG, (0.93, 1.2, 1.8, 58, ((224, 224),), 1280)),
        )
    ]
    shown = comparisons.comparison(compared, skipped=comparisons.flowers().skipped)
    return {
        "report": report,
        "duplicates": _page(folder / "duplicates.html", found),
        "comparison": write_comparison_page(
            shown, comparison_figures(shown), folder / "comparison.html"
        ),
    }


def _page(path, found):
    features = duplicates_page.Features(
        features=None, ids=[], labels=None, label_names=(), recipe=None, name="rows"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates_page, "image_opener", lambda *_, **__: picture_of)
        return write_duplicates_page(found, features, path)


@pytest.mark.parametrize("name", ["report", "duplicates", "comparison"])
@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (PHONE, False), (1200, False)])
def test_nothing_is_wider_than_the_window_and_nothing_is_asked_for(tab, pages, name, width, dark):
    tab.open(pages[name], width=width, dark=dark)
    assert tab.run("document.documentElement.scrollWidth") <= width
    # What is wide scrolls by itself; all else ends where the window does.
    assert (
        tab.run(
            "[...document.querySelectorAll('main section, main p, main figure, main h3, main pre')]"
            ".filter(one => !one.closest('.scroll') && one.getBoundingClientRect().right > innerWidth)"
            ".map(one => one.outerHTML.slice(0, 200))"
        )
        == []
    )
    colours = tab.run("getComputedStyle(document.body).backgroundColor")
    assert colours == ("rgb(20, 20, 24)" if dark else "rgb(255, 255, 255)")
    hosts = Counter(address.split(":")[0] for address in tab.requests)
    assert hosts.keys() <= {"file", "data"}
    assert hosts["file"] == 1  # the page itself
    assert tab.complaints == []


@pytest.mark.parametrize("name", ["report", "duplicates", "comparison"])
def test_all_that_can_be_clicked_is_reached_by_the_keyboard_and_can_be_seen_to_be(tab, pages, name):
    tab.open(pages[name], width=PHONE)
    tab.run(
        "window.clickable = [...document.querySelectorAll('a[href], button, summary')];"
        "window.reached = new Set(); window.unmarked = [];"
        "addEventListener('focusin', ({ target }) => {"
        "  reached.add(target); const style = getComputedStyle(target);"
        "  const marked = style.outlineStyle !== 'none' || style.textDecorationLine === 'underline';"
        "  if (!marked) unmarked.push(target.outerHTML.slice(0, 200)); })"
    )
    number = tab.run("clickable.length")
    assert number > 5
    for _ in range(2 * number):  # what scrolls is reached as well
        tab.press("Tab")
        if tab.run("clickable.every(one => reached.has(one))"):
            break
    assert tab.run("clickable.filter(one => !reached.has(one)).map(one => one.outerHTML)") == []
    assert tab.run("unmarked") == []


def test_enter_goes_to_a_section_sorts_a_table_and_opens_what_is_folded(tab, pages):
    tab.open(pages["report"])
    tab.run("document.querySelector('nav a[href=\"#retrieval\"]').focus()")
    tab.press("Enter")
    top = "document.querySelector('#retrieval').getBoundingClientRect().top"
    assert 0 <= tab.run(top) < 100  # below the navigation, which stays
    tab.run("document.querySelector('table.classes th:nth-child(4) button').focus()")
    tab.press("Enter")
    recalls = tab.run(
        "[...document.querySelectorAll('table.classes tbody tr')]"
        ".map(row => Number(row.cells[3].dataset.value))"
    )
    assert recalls == sorted(recalls)
    tab.open(pages["duplicates"])
    tab.run("document.querySelector('summary').focus()")
    tab.press("Enter")
    assert tab.run("document.querySelector('details').open") is True


def test_a_page_without_any_duplicates_is_whole(tab, tmp_path):
    tab.open(_page(tmp_path / "none.html", duplicates_of()), width=PHONE)
    assert tab.run("[...document.querySelectorAll('main section')].map(one => one.id)") == [
        "groups",
        "next",
    ]
    assert tab.complaints == []


def test_on_a_phone_no_column_of_scores_is_out_of_sight(tab, pages):
    tab.open(pages["report"], width=PHONE)
    for table in (".searched", "#curve table"):
        right = f"document.querySelector('{table}').getBoundingClientRect().right"
        assert tab.run(right) <= PHONE
        assert tab.run(f"document.querySelector('{table}').parentElement.scrollWidth") <= PHONE


def test_odd_pictures_are_squares_above_their_captions(tab, tmp_path):
    zeros = np.zeros(4)
    found = Outliers(
        ids=tuple(f"{k}.jpg" for k in range(4)),
        labels=np.zeros(4, int),
        label_names=("iris",),
        reference="class",
        k=1,
        layer="penultimate",
        distances=zeros,
        lof=zeros + 1,
        distance_percentiles=zeros,
        lof_percentiles=zeros,
        neighbors=np.array([[1], [0], [1], [2]]),
        reasons=((),) * 4,
        issues=(PictureIssue(reason="dark", ids=("0.jpg",), values=(0.1,), threshold=0.32),),
        measures={},
        measured=4,
    )
    page = write_report(tmp_path, report_of(GARDEN, FLOWERS, outliers=found, duplicates=FOUND))
    for width in (PHONE, 1200):
        tab.open(page, width=width)
        beside = (
            "[...document.querySelectorAll('.odd figure')].map(one => [one, one.querySelector('img'),"
            " one.querySelector('figcaption')].map(part => part.getBoundingClientRect()))"
            ".map(([figure, img, said]) => [Math.round(img.width - img.height), figure.bottom >= said.bottom])"
        )
        assert tab.run(beside) == [[0, True]]


def test_on_a_desk_three_groups_of_two_are_abreast(tab, tmp_path):
    near = [group(f"{k}/1.jpg", f"{k}/2.jpg") for k in range(3)]
    exact = [group(f"{k}/1.jpg", f"{k}/2.jpg", exact=True) for k in range(3, 6)]
    tab.open(_page(tmp_path / "six.html", duplicates_of(*near, *exact)), width=1200)
    tops = "[...document.querySelectorAll('.group')].map(one => one.getBoundingClientRect().top)"
    assert sorted(Counter(tab.run(tops)).values()) == [3, 3]


NAMES = "[...document.querySelectorAll('table.models tbody .name')].map(one => one.textContent)"
SAID = "document.querySelector('#differences-said').textContent"


def test_a_click_or_enter_sorts_the_models_by_what_is_better_first(tab, pages):
    tab.open(pages["comparison"])
    joined, small, long = best_first = tab.run(NAMES)
    sort = "document.querySelector('table.models th:nth-child({}) button').click()"
    tab.run(sort.format(2))  # the score, by which they are sorted already
    assert tab.run(NAMES) == best_first[::-1]
    states = "[...document.querySelectorAll('table.models th[aria-sort]')].map(one => [one.cellIndex, one.ariaSort])"
    assert tab.run(states) == [[1, "ascending"]]
    tab.run(sort.format(7))  # images a second: the fastest first
    assert tab.run(NAMES) == [small, long, joined]
    tab.run("document.querySelector('table.models th:nth-child(8) button').focus()")
    tab.press("Enter")  # parameters: the fewest first
    assert tab.run(NAMES) == [long, small, joined]
    assert tab.run(states) == [[7, "ascending"]]
    tab.press("Enter")
    assert tab.run(NAMES) == [joined, small, long]
    assert tab.complaints == []


def test_what_is_not_known_is_sorted_last_whichever_way(tab, tmp_path):
    found = comparisons.two_models(cka=None, rsa=None)
    first = dataclasses.replace(found.rows[0], cost=comparisons.ModelCost())
    path = write_comparison_page(
        dataclasses.replace(found, rows=(first, found.rows[1])), {}, tmp_path / "page.html"
    )
    tab.open(path)
    for _ in range(2):
        tab.run("document.querySelector('table.models th:nth-child(7) button').click()")
        assert tab.run(NAMES) == [found.rows[1].name, first.name]


def test_a_cell_of_the_matrix_says_its_interval_where_it_is_pointed_at_tapped_or_reached(
    tab, pages
):
    tab.open(pages["comparison"])
    cells = "document.querySelectorAll('table.explained td[data-words]')"
    assert tab.run(f"[...{cells}].filter(one => one.tabIndex === 0).length") == 1
    tab.run("document.querySelector('#differences .scroll').focus()")
    tab.press("Tab")
    assert tab.run(SAID).endswith("+0.3 points, 95% interval −0.8 to +1.4, p 0.4: not separable")
    tab.press("ArrowRight")
    assert tab.run(SAID).endswith("+2.0 points, 95% interval +0.9 to +3.1, p 0.01: separable")
    tab.press("ArrowDown")
    tab.press("ArrowDown")  # there the two are one: nothing is below
    assert tab.run(SAID).startswith("small less")
    tab.press("ArrowLeft")  # over the middle, where the two are one
    assert tab.run(SAID).startswith("small less")
    assert tab.run("document.activeElement.tabIndex") == 0
    assert tab.run(f"[...{cells}].filter(one => one.tabIndex === 0).length") == 1
    place = tab.run(
        f"(() => {{ const cell = {cells}[5]; cell.scrollIntoView({{block: 'center'}});"
        " const at = cell.getBoundingClientRect(); return [at.x + 5, at.y + 5] })()"
    )
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        tab.call(
            "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1],
            button="none" if kind == "mouseMoved" else "left", clickCount=1,
        )  # fmt: skip
        assert tab.run(SAID) == tab.run(f"{cells}[5].dataset.words")


def test_on_a_phone_a_wide_table_scrolls_by_itself_under_its_names_and_says_so(tab, pages):
    tab.open(pages["comparison"], width=PHONE)
    box = "document.querySelector('#models .scroll')"
    assert tab.run(f"getComputedStyle({box}.previousElementSibling).display") == "block"
    left = f"{box}.querySelector('tbody th').getBoundingClientRect().left"
    before = tab.run(left)
    assert tab.run(f"{box}.scrollLeft = 400, {box}.scrollLeft") == 400
    assert tab.run(left) == before
    assert tab.run(f"{box}.querySelector('tbody th').getBoundingClientRect().width") < PHONE / 2
    tab.open(pages["comparison"], width=1400)
    assert tab.run(f"getComputedStyle({box}.previousElementSibling).display") == "none"


def test_no_two_charts_of_a_page_share_an_id(tab, pages):
    tab.open(pages["comparison"])
    ids = Counter(tab.run("[...document.querySelectorAll('[id]')].map(one => one.id)"))
    assert [name for name, times in ids.items() if times > 1] == []


def test_a_copy_opens_large_and_the_arrows_go_on_to_the_next(tab, pages):
    tab.open(pages["duplicates"])
    tab.run("document.querySelector('#groups figure img').focus()")
    first, second = tab.run(
        "[...document.querySelectorAll('#groups figure img')].slice(0, 2).map(one => one.alt)"
    )
    large = "document.querySelector('dialog[open] .large img')?.alt"
    tab.press("Enter")
    assert tab.run(large) == first
    tab.press("ArrowRight")
    assert tab.run(large) == second
    tab.press("Escape")
    assert tab.run(f"[{large}, document.activeElement.alt]") == [None, second]
    assert tab.complaints == []
