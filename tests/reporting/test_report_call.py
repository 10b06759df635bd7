"""What a report was asked for, as it is typed again."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from penult.reporting.build import has_corrected_labels
from penult.reporting.report_call import ReportCall, recorded_call

pytestmark = pytest.mark.light


def report(
    images, output, *, model="toy", labels="parent", grid=None, join=None, runs=1, map=True,
    refit=False, weights=None, overwrite=False, progress=None,
):  # fmt: skip
    """Some of the arguments of `penult.report`."""


def asked(sources=("photos",), **given):
    every = report.__kwdefaults__
    return ReportCall.of(report, {"images": sources, "output": "r/", **every, **given}, sources)


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({}, ""),
        ({"overwrite": True, "progress": False, "model": ["toy"]}, ""),
        ({"map": False, "refit": True, "join": False}, " --no-join --no-map --refit"),
        ({"model": ["a", "b c"], "runs": 5}, " --model a --model 'b c' --runs 5"),
        ({"grid": {"C": [0.1, 1]}, "weights": Path("w.pt")}, " --grid C=0.1,1 --weights w.pt"),
        ({"labels": ["rose", "tulip"]}, ""),  # one by one they cannot be typed
    ],
)
def test_options_are_typed_that_are_not_the_default(given, typed):
    assert asked(**given).command() == f"penult report photos -o r{typed} --overwrite"


def test_a_leading_dash_is_no_option():
    assert asked(["-my photos", "./-b"]).command() == (
        "penult report './-my photos' ./-b -o r --overwrite"
    )
    assert asked(["-"]).command() == "penult report - -o r --overwrite < LIST"


def test_options_are_changed_and_many_images_have_a_word_in_their_place():
    call = asked([f"{k}.jpg" for k in range(9)], labels="old.csv", runs=2)
    command = call.command(output="s", changed={"labels": "new.csv", "label_pattern": None})
    assert command == "penult report IMAGES -o s --runs 2 --labels new.csv --overwrite"
    assert call.beside_rows == ("--runs", "2")


def test_a_call_is_read_back_and_what_is_none_is_left_alone(tmp_path):
    scores, call = tmp_path / "scores.json", asked(runs=3, grid={"C": [1, 10]})
    scores.write_text(json.dumps({"report": call.to_dict()}))
    assert recorded_call(scores) == call
    spoilt = [{"grid": {"C": 1}}, {"runs": 1, "a b": 2}]
    for options in spoilt:
        scores.write_text(json.dumps({"report": {**call.to_dict(), "options": options}}))
        read = recorded_call(scores)
        assert read is None or read.command() == "penult report photos -o r --runs 1 --overwrite"
    for text in ("{}", "[]", '{"report": 3}', "{"):
        scores.write_text(text)
        assert recorded_call(scores) is None
    assert recorded_call(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("labels", "here"),
    [("corrected.csv", True), ("{here}/corrected.csv", True), ("old/corrected.csv", False), ("parent", False), (None, False)],
)  # fmt: skip
def test_labels_of_the_last_table_are_told_whatever_the_rows_were_made_by(
    tmp_path, monkeypatch, labels, here
):
    monkeypatch.chdir(tmp_path)
    labels = labels and labels.format(here=tmp_path)
    assert has_corrected_labels(SimpleNamespace(origin={"labels": labels})) is here
