"""Labels of a gallery, with what people have said of them over it."""

from __future__ import annotations

import pytest
from serving_gallery import Said, gallery_of

from penult.serving.labels.corrected import CorrectedLabels

pytestmark = pytest.mark.light

ROWS = {
    "1.jpg": ((1, 0), "rose"),
    "2.jpg": ((0, 1), "rose"),
    "3.jpg": ((1, 1), "daisy"),
    "4.jpg": ((2, 1),),
}


def test_without_a_log_they_are_those_of_the_gallery():
    now = CorrectedLabels(gallery_of(ROWS)).now()
    assert now.labels == ("rose", "rose", "daisy", None)
    assert (now.counts, now.unlabelled, now.judged) == ({"daisy": 1, "rose": 2}, 1, frozenset())


def test_what_was_said_last_counts():
    said = Said({"2.jpg": "tulip", "1.jpg": "rose", "3.jpg": None, "other.jpg": "rose"})
    now = CorrectedLabels(gallery_of(ROWS), said).now()
    assert now.labels == ("rose", "tulip", None, None)
    assert (now.counts, now.unlabelled) == ({"rose": 1, "tulip": 1}, 2)
    assert now.judged == {0, 1, 2}


def test_they_follow_the_log_and_are_made_once_while_it_rests():
    said = Said()
    labels = CorrectedLabels(gallery_of(ROWS), said)
    before = labels.now()
    assert labels.now() is before
    said.put("4.jpg", "daisy")
    assert labels.now().labels[3] == "daisy"
    said.forget("4.jpg")
    assert labels.now().labels == before.labels


def test_what_was_taken_back_is_as_it_was_before_whatever_the_file_says_and_nobody_has_judged_it():
    said = Said()
    said.undo("1.jpg", "daisy")
    labels = CorrectedLabels(gallery_of(ROWS), said)
    assert labels.current("1.jpg") == labels.now().labels[0] == "daisy"
    assert labels.now().judged == frozenset()


def test_several_labels_are_told_apart_by_bars():
    rows = {"1.jpg": ((1, 0), "red", "rose"), "2.jpg": ((0, 1), "rose"), "3.jpg": ((1, 1),)}
    now = CorrectedLabels(gallery_of(rows, several=True), Said({"3.jpg": "red|new"})).now()
    assert now.labels == ("red|rose", "rose", "red|new")
    assert now.of(2) == ("red", "new")
    assert now.counts == {"new": 1, "red": 2, "rose": 2}


def test_a_bar_in_the_one_label_of_an_image_is_a_letter():
    now = CorrectedLabels(gallery_of({"1.jpg": ((1, 0), "a|b")})).now()
    assert now.of(0) == ("a|b",)
