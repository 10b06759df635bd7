"""Three sentences at most, and the most important ones first."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from duplicate_records import FOUND
from reports import FLOWERS, GARDEN, report_of, with_scores

from penult.classify.diagnosis.label_errors import LabelIssue
from penult.classify.diagnosis.learning_curve import CurvePoint
from penult.records import Failure, Predictions
from penult.records.failure import MISSING
from penult.reporting.applied import Applied
from penult.reporting.findings import find
from penult.reporting.findings.contradicted import contradicted

pytestmark = pytest.mark.light

ISSUE = LabelIssue("iris/3.jpg", "iris", "tulip", 0.01, 0.97)
CURVE = (CurvePoint(5, 15, (0.4, 0.5)), CurvePoint(10, 30, (0.5,)))
FAILURE = Failure("iris/9.jpg", "is empty (0 bytes)")


def sections(report):
    return [one.section for one in find(report)]


def labels_said(**fields):
    texts = [one.text for one in find(report_of(GARDEN, FLOWERS, **fields))]
    return next((text for text in texts if "label" in text), None)


def test_of_a_classifier_three_things_are_said_each_with_its_section():
    report = report_of(GARDEN, FLOWERS, label_issues=(ISSUE,), curve=CURVE, failures=(FAILURE,))
    assert sections(report) == ["mistakes", "labels", "curve"]


def test_what_is_missing_leaves_its_place_to_what_was_found_of_the_images():
    report = report_of(GARDEN, FLOWERS, failures=(FAILURE,), duplicates=FOUND)
    assert sections(report) == ["mistakes", "duplicates", "duplicates"]
    _, leaks, copies = find(report)
    of = "1 of 8 held-out images has a near-duplicate among those trained on"
    assert leaks.text == f"{of}; without it the accuracy is 42.9%."
    assert copies.text == "7 of 32 images are in 3 groups of near-duplicates."


def test_leaks_that_take_the_accuracy_out_of_its_interval_come_first():
    report = report_of(GARDEN, FLOWERS, curve=CURVE, duplicates=FOUND)
    inside = with_scores(report, interval=(0.42, 0.9))
    outside = with_scores(report, interval=(0.43, 0.9))  # without them, it is 0.4286
    assert sections(inside) == ["mistakes", "curve", "duplicates"]
    assert sections(outside) == ["duplicates", "mistakes", "curve"]


def test_without_a_classifier_the_images_are_what_there_is_to_say_of():
    report = report_of(GARDEN, FLOWERS, failures=(FAILURE,), duplicates=FOUND)
    found = find(dataclasses.replace(report, trained=None))
    assert [one.section for one in found] == ["duplicates", "duplicates", "failures"]
    assert found[-1].text == "1 of 33 images could not be read."


def test_images_that_only_a_table_names_are_told_from_those_that_could_not_be_read():
    gone = Failure("gone.jpg", f"the table names it, {MISSING}")
    both = find(report_of(GARDEN, FLOWERS, failures=(FAILURE, gone)))[-1]
    of_table = "1 image of the table of labels is not there"
    assert both.text == f"1 of 33 images could not be read; {of_table}."
    assert find(report_of(GARDEN, FLOWERS, failures=(gone,)))[-1].text == f"{of_table}."


def test_labels_that_look_wrong_are_counted_where_they_were_looked_for():
    assert labels_said() is None
    assert labels_said(label_issues=()) == "No label looks wrong."
    assert labels_said(label_issues=(ISSUE,)) == "1 of 32 labels looks wrong: check it first."
    twice = labels_said(label_issues=(ISSUE,) * 2, contradictions=("a is twice",))
    of = "2 of 32 labels look wrong"
    assert twice == f"1 file is there under several labels, and {of}: check them first."
    alone = labels_said(contradictions=("a is twice", "b is twice"))
    assert alone == "2 files are there under several labels: check them first."


def test_held_out_images_that_trained_the_network_come_before_all_else():
    known = {"held-out images that trained the network": 6, "accuracy without these": "50.0%"}
    report = report_of(GARDEN, FLOWERS, settings={"classifier": "knn", **known})
    assert sections(report) == ["making", "mistakes"]
    assert find(report)[0].text == (
        "6 of 8 held-out images trained the network itself, so this is no estimate for new ones; "
        "accuracy on the other 2: 50.0%."
    )
    known["held-out images that trained the network"] = 0
    assert sections(report_of(GARDEN, FLOWERS, settings=known)) == ["mistakes"]


def applied_to(outcomes, trained_on, apart=None):
    """The findings on a given classifier, of which the scored images are known."""
    report = report_of(outcomes, FLOWERS)
    images = report.trained.held_out
    evaluation = SimpleNamespace(trained=len(trained_on), images=images, apart=apart)
    applied = Applied(
        file="flowers.skops",
        label_names=tuple(FLOWERS),
        predictions=Predictions([]),
        seen=frozenset(trained_on),
        evaluation=evaluation,
    )
    return contradicted(dataclasses.replace(report, applied=applied))


def test_images_that_contradict_the_classifier_that_they_trained_are_counted():
    two = applied_to(GARDEN, ["iris/1.jpg", "iris/2.jpg", "tulip/2.jpg"], apart=True)
    assert (two.text, two.section) == (
        "2 of 3 images that trained it are called otherwise than they are labelled: their labels "
        "may be wrong.",
        "contradictions",
    )
    one = applied_to(GARDEN, ["iris/1.jpg", "iris/2.jpg"])
    assert (one.text, one.section) == (
        "1 of 2 images that trained it is called otherwise than it is labelled: its label may be "
        "wrong.",
        "mistakes",
    )
    assert applied_to(GARDEN, ["iris/1.jpg"]) is None
    assert applied_to(GARDEN, []) is None
