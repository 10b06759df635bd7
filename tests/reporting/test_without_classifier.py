"""The report's sections on what rows say without a classifier: retrieval, duplicates and leaks."""

import dataclasses
import json
import re
from types import SimpleNamespace

import pytest
from duplicate_records import FOUND, SEARCHED, duplicates_of, group, pair
from html_pages import Page, section_of
from reports import FLOWERS, GARDEN, report_of, with_scores

from penult.records import Prediction, Predictions, ScoreInterval, SearchResults
from penult.reporting import write_report
from penult.reporting.applied import Applied
from penult.reporting.duplicate_sections import calibration
from penult.reporting.sections import predictions

pytestmark = pytest.mark.light


def written(folder, section, *, multilabel=False, **fields):
    """The HTML of a section of a report."""
    report = report_of(GARDEN, FLOWERS, **fields)
    scored = with_scores(
        report,
        confusion=(),  # which would be drawn
        mean_average_precision=0.5 if multilabel else None,
    )
    path = write_report(folder, scored, overwrite=True)
    return section_of(path, section)


@pytest.fixture
def text_of(tmp_path):
    def write(section, **fields):
        html = written(tmp_path, section, **fields)
        return None if html is None else " ".join(Page(html).text.split())

    return write


def test_scores_of_the_search_stand_beside_those_without_near_duplicates(text_of):
    text = text_of("retrieval", retrieval=SEARCHED)
    assert "each of 32 images searched the others, by cosine" in text
    assert "2 queries could find no relevant image and are not scored" in text
    assert "hit@1 0.500 0.450–0.550 0.375 queries whose nearest image is relevant" in text
    assert "hit@5 0.875 0.825–0.925 0.750 queries with a relevant image among the 5" in text
    assert "precision@1" not in text  # the same as hit@1
    assert "tulip 8 0.125 0.250 iris 16 0.500 0.750" in text
    plain = dataclasses.replace(SEARCHED, duplicates=0)
    assert "near-duplicates" not in text_of("retrieval", retrieval=plain)
    assert "hit@1 0.500 0.450–0.550 queries" in text_of("retrieval", retrieval=plain)


def test_of_several_labels_an_image_any_that_is_shared_makes_a_row_relevant(text_of):
    any_label = {**SEARCHED.scores, "jaccard_ndcg@5": ScoreInterval(0.75, 0.7, 0.8)}
    scores = dataclasses.replace(SEARCHED, any_label=any_label, queries_any_label=31)
    text = text_of("retrieval", retrieval=scores, multilabel=True)
    assert "relevant if it has a label of the query’s" in text
    assert "1 query could find no relevant image and is not scored" in text
    assert "jaccard_ndcg@5 0.750 0.700–0.800 – – the same, an image counting" in text
    assert "hit@1 0.500 0.450–0.550 0.500 0.375 queries" in text


def test_hits_are_marked_right_and_wrong_in_words_and_not_by_colour_alone(tmp_path):
    section = written(tmp_path, "retrieval", retrieval=SEARCHED)
    query, *hits = [
        " ".join(Page(one).text.split())
        for one in re.findall(r"<figure.*?</figure>", section, re.DOTALL)
    ]
    assert query == "query tulip tulip/1.jpg"
    assert hits == [
        "✗ other label 0.912 iris iris/2.jpg",
        "✓ same label 0.881 tulip tulip/2.jpg",
        "0.500 no label odd/1.jpg",
    ]


def test_examples_may_be_missing_and_distances_are_no_similarities(text_of):
    (one,) = SEARCHED.examples
    far = dataclasses.replace(one.hits[0], similarity=None, distance=12.3456)
    examples = SearchResults([dataclasses.replace(one, hits=(far,))], metric="euclidean")
    scores = dataclasses.replace(SEARCHED, metric="euclidean", examples=examples)
    text = text_of("retrieval", retrieval=scores)
    assert "by Euclidean distance" in text
    assert "The number is the distance. Where all of them have one other label, that of" in text
    assert "✗ other label 12.3 iris" in text
    assert "Examples" not in text_of(
        "retrieval", retrieval=dataclasses.replace(SEARCHED, examples=SearchResults())
    )


def test_a_sample_is_said_to_be_one(text_of):
    fields = {"retrieval": SEARCHED, "duplicates": FOUND, "rows": 50_000}
    text = text_of("retrieval", **fields)
    assert "each of 32 images searched the others of a random sample, by cosine" in text
    text = text_of("duplicates", **fields)
    assert "Only a random sample of the 50,000 images was compared; penult duplicates" in text
    for section in ("retrieval", "duplicates"):
        assert "sample" not in text_of(section, retrieval=SEARCHED, duplicates=FOUND)


def test_leaks_come_first_with_what_they_do_to_the_accuracy(text_of):
    text = text_of("duplicates", duplicates=FOUND)
    assert "7 images of 32 are in 3 groups of duplicates (1 set of exact copies)" in text
    leaks, labels, groups = re.split("Different labels|Groups ", text, maxsplit=2)
    assert "1 pair. 1 of 8 held-out images has a near-duplicate among those" in leaks
    assert "the accuracy is 50.0% on all of them, and 42.9% without those" in leaks
    assert "--near-duplicates 0.95 keeps them in one part" in leaks
    stored = dataclasses.replace(FOUND, leaks=dataclasses.replace(FOUND.leaks, drawn=False))
    text = text_of("duplicates", duplicates=stored)
    assert "--near-duplicates" not in text
    assert "--across-splits --repair repaired.h5 writes the rows with splits that keep them" in text
    assert "1 pair of near-duplicates with different labels" in labels
    assert "Cosine 0.955" in labels
    order = re.findall(r"Group (\d): ", groups)
    assert order == ["3", "1", "2"]  # the weakest link first, exact copies last


def test_every_score_of_theirs_is_in_the_file_of_scores(tmp_path):
    written(tmp_path, "retrieval", retrieval=SEARCHED, duplicates=FOUND)
    scores = json.loads((tmp_path / "scores.json").read_text("utf-8"))
    assert scores["accuracy"] == 0.5
    assert scores["retrieval"]["hit@5"] == {"value": 0.875, "low": 0.825, "high": 0.925}
    assert "examples" not in scores["retrieval"]
    assert scores["leaks"]["without"] == 0.4286


def test_no_duplicates_and_no_leaks_are_said_to_be_none_in_a_line(text_of):
    fields = {"duplicates": duplicates_of(), "rows": 32}
    assert text_of("duplicates", **fields) is None
    text = text_of("making", **fields)
    assert "No two of 32 images are the same file, or have rows with a cosine of at least" in text
    assert "No held-out image has a near-duplicate that the classifier was trained on." in text
    sampled = text_of("making", duplicates=duplicates_of(), rows=50_000)
    assert "No two of 32 images, a random sample of 50,000, are the same file" in sampled


def test_many_duplicates_are_cut_short_and_it_says_so(text_of):
    many = [group(f"a{k}.jpg", f"b{k}.jpg", weakest=0.96) for k in range(20)]
    pairs = tuple(pair(f"a{k}.jpg", f"b{k}.jpg", 0.96) for k in range(20))
    text = text_of("duplicates", duplicates=duplicates_of(*many, across_splits=pairs))
    assert "20 pairs, of which the 9 most similar are shown." in text
    assert "The 12 of 20 groups with the weakest links" in text


def test_what_could_not_be_had_leaves_a_line_and_what_was_not_asked_for_nothing(text_of):
    notes = {"retrieval": "no label is on two rows", "duplicates": "a row holds NaN"}
    said = text_of("making", notes=notes)
    assert "The search was not scored: no label is on two rows." in said
    assert "Duplicates were not looked for: a row holds NaN." in said
    assert text_of("retrieval", notes=notes) is text_of("duplicates", notes=notes) is None
    assert text_of("retrieval") is text_of("duplicates") is None
    assert "not looked for" not in text_of("making")


def test_each_image_of_several_labels_stands_under_each_of_them_or_under_none():
    def said(one, labels, **top):
        ranked = tuple(top.items())
        return Prediction(
            id=one, label=ranked[0][0], probability=ranked[0][1], top=ranked, labels=labels
        )

    applied = Applied(
        file="a.skops",
        label_names=("red", "blue"),
        several=True,
        predictions=Predictions(
            [
                said("1.jpg", ("red", "blue"), red=0.9, blue=0.75),
                said("2.jpg", ("red",), red=0.5, blue=0.25),
                said("3.jpg", (), red=0.25, blue=0.125),
            ]
        ),
    )
    found = predictions._by_class(applied)
    assert [(label, [(p, one.id) for p, one in images]) for label, images in found] == [
        ("red", [(0.5, "2.jpg"), (0.9, "1.jpg")]),
        ("blue", [(0.75, "1.jpg")]),
        (None, [(0.25, "3.jpg")]),
    ]


def test_a_threshold_below_which_there_is_nothing_to_look_for_is_not_advised():
    shown = SimpleNamespace(file="rows.h5", page="page.html")
    assert calibration._further(shown, 0.05 + calibration._LESS).split()[3:5] == [
        "--threshold",
        "0.05",
    ]
    assert calibration._further(shown, calibration._LESS) == ""
