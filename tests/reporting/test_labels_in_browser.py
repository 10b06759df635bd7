"""Labels that look wrong are looked through on the page, and saved as a list that can be applied."""

from __future__ import annotations

import time

import feature_files
import numpy as np
import pytest
from browser import CHROMIUM, browser
from reports import FLOWERS, GARDEN, report_of, with_scores

from penult import apply_labels
from penult.classify.diagnosis.label_errors import LabelIssue
from penult.reporting import write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

ODD = 'tulip, "red"\u202e/1.jpg'  # what a CSV has to quote, and a page does not show as it is
ISSUES = (
    LabelIssue("iris/3.jpg", "iris", "tulip", 0.014, 0.97),
    LabelIssue(ODD, "tulip", "=daisy", 0.2, 0.31),
)
TICKS = "[...document.querySelectorAll('#labels input')].map(one => one.checked)"


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab


@pytest.fixture
def page(tmp_path, tab):
    outcomes = [*GARDEN, ("daisy/3.jpg", "daisy", "tulip", 0.6)]
    made = write_report(tmp_path / "report", report_of(outcomes, FLOWERS, label_issues=ISSUES))
    tab.open(made)
    tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    return made


def text_of(tab, selector):
    return tab.run(f"document.querySelector('#labels {selector}').textContent")


def saved(tab, file):
    """Press the button, and wait for the file."""
    tab.run("document.querySelector('#labels .save').focus()")
    tab.press("Enter")
    end = time.monotonic() + 20
    while not (file.exists() and file.stat().st_size) and time.monotonic() < end:
        time.sleep(0.02)
    return file


def tick(tab, number):
    """Tick a photo by the keyboard."""
    tab.run(f"document.querySelectorAll('#labels input')[{number}].focus()")
    tab.press(" ")


def test_what_is_ticked_is_saved_and_can_be_applied(tab, page, tmp_path):
    assert tab.run(TICKS) == [False, False]
    assert tab.run("document.querySelector('#labels .save').disabled") is True
    tick(tab, 1)
    assert tab.run(TICKS) == [False, True]
    assert text_of(tab, ".said") == "1 of 2 ticked"
    file = saved(tab, tmp_path / "reviewed.csv")
    assert file.read_text("utf-8").splitlines() == [
        "id,label,confidence,suggested,suggested_confidence",
        f'"{ODD.replace(chr(34), chr(34) * 2)}",tulip,0.2000,=daisy,0.3100',
    ]
    photos = [feature_files.record("iris/3.jpg", "iris"), feature_files.record(ODD, "tulip")]
    rows = feature_files.write(tmp_path / "rows.h5", photos, [np.zeros((2, 2))])
    done = apply_labels(file, rows, tmp_path / "corrected.csv", allow_new=True)
    assert done.corrected == {ODD: "=daisy"}
    assert tab.complaints == []


def test_formulas_are_put_out_of_use_where_those_of_the_table_are(tab, tmp_path):
    report = report_of(GARDEN, FLOWERS, label_issues=ISSUES)
    tab.open(write_report(tmp_path / "report", report, escape_formulas=True))
    tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tick(tab, 1)
    assert saved(tab, tmp_path / "reviewed.csv").read_text("utf-8").endswith(",'=daisy,0.3100\n")


def test_file_names_are_copied_of_those_that_are_ticked_or_of_all(tab, page):
    copied = "(window.copied = [], document.execCommand = () => copied.push(document.activeElement.value))"
    tab.run(f"Object.defineProperty(navigator, 'clipboard', {{value: undefined}}), {copied}, 0")
    assert text_of(tab, ".copy-names") == "Copy all 2 file names"
    tab.run("document.querySelector('#labels .copy-names').click()")
    tick(tab, 0)
    assert text_of(tab, ".copy-names") == "Copy 1 file name"
    tab.run("document.querySelector('#labels .copy-names').click()")
    tab.run("document.querySelector('#labels .command-copy').click()")
    command = "penult labels apply reviewed.csv features.h5 -o corrected.csv"
    assert tab.run("copied") == [f"iris/3.jpg\n{ODD}\n", "iris/3.jpg\n", command]


def test_all_can_be_ticked_and_unticked(tab, page):
    tick(tab, 0)
    for told, ticks in (("Tick all", [True, True]), ("Tick none", [False, False])):
        assert text_of(tab, ".every") == told
        tab.run("document.querySelector('#labels .every').click()")
        assert tab.run(TICKS) == ticks


def test_findings_lead_to_their_sections(tab, page):
    places = "[...document.querySelectorAll('.findings a')].map(one => [one.hash.slice(1), !!document.querySelector(one.hash)])"
    assert tab.run(places) == [["mistakes", True], ["labels", True]]


def test_the_interval_is_drawn_to_scale_and_said_in_words(tab, tmp_path):
    report = with_scores(report_of(GARDEN, FLOWERS), interval=(0.25, 0.75))
    for width in (390, 1200):
        tab.open(write_report(tmp_path, report, overwrite=True), width=width)
        box = "document.querySelector('.gauge{}').getBoundingClientRect()"
        whole, band = box.format(""), box.format(" .band")
        share = tab.run(f"({band}.left - {whole}.left) / {whole}.width")
        assert share == pytest.approx(0.25, abs=0.01)
        assert tab.run(f"{band}.width / {whole}.width") == pytest.approx(0.5, abs=0.01)
        tick_place = box.format(" .baseline")
        middle = tab.run(f"({tick_place}.left + 1 - {whole}.left) / {whole}.width")
        assert middle == pytest.approx(0.5, abs=0.01)  # 4 irises of 8
    words = tab.run("document.querySelector('.gauged').innerText")
    assert "95% interval: 25.0% to 75.0%" in words
    assert "always answering the most common class: 50.0%" in words


def test_the_finding_of_a_class_shows_its_mistakes_alone(tab, page):
    tab.run("document.querySelector('.findings a').focus()")
    tab.press("Enter")
    shown = "[...document.querySelectorAll('#mistakes figure:not([hidden])')].map(one => one.title)"
    assert tab.run(shown) == ["iris/3.jpg", "tulip/2.jpg", "iris/2.jpg", "iris/4.jpg"]
    assert tab.run("location.hash") == "#mistakes?class=1"
