"""Text from outside is shown as one line that nothing obeys."""

from __future__ import annotations

import json
import logging
import pickle

import pytest

from penult import errors
from penult.errors import ImageError
from penult.messages import escape_json, first_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b]0;owned\x07", r"\x1b]0;owned\x07", id="a title is not set"),
        pytest.param("a\x9b2Jb", r"a\x9b2Jb", id="nor a screen cleared by C1"),
        pytest.param("a.png\npenult: done", r"a.png\npenult: done", id="no line is forged"),
        pytest.param("a\u2028b\x85c", r"a\u2028b\x85c", id="nor by Unicode's separators"),
        pytest.param("a\rb\tc\x7f", r"a\rb\tc\x7f", id="nor written over"),
        pytest.param("gnp.\u202egpj", r"gnp.\u202egpj", id="nor turned around"),
        pytest.param("a\udcffb", r"a\udcffb", id="bytes that are no UTF-8 are seen"),
        pytest.param("花 تيوليب 🌷 [male] a\\b", "花 تيوليب 🌷 [male] a\\b", id="all else stays"),
    ],
)
def test_what_would_be_obeyed_is_escaped(text, shown):
    assert printable(text) == shown


def test_escaped_json_keeps_its_value():
    value = {"id": "a\x1b\x9b\u202e\u2028\udcff.png"}
    escaped = escape_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(escaped) == value
    assert printable(escaped) == escaped


def test_an_error_is_one_line_whatever_the_file_is_called():
    assert str(ImageError("a\n\x1b[2J.png: is empty")) == r"a\n\x1b[2J.png: is empty"


def test_whatever_penult_logs_is_one_line_for_a_program_too(caplog):
    logging.getLogger("penult").warning("penult: %s is damaged", "a\n\x1b[2J.png")
    assert caplog.messages == [r"penult: a\n\x1b[2J.png is damaged"]


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownNameError("model", "cnn", ["cnn1", "knn"], hint="penult models"),
        errors.MissingExtraError("keras:VGG16", "keras"),
        errors.OutputExistsError("there is one"),
    ],
)
def test_an_error_comes_out_of_another_process_as_it_went_in(error):
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


def test_the_places_in_a_librarys_source_are_not_what_went_wrong():
    error = RuntimeError(
        "Exception from src/core.cpp:105:\nException from a.cpp:1:\n no root\nmore"
    )
    assert first_line(error) == "no root"
    assert first_line(RuntimeError("Exception from src/core.cpp:105:")).startswith("Exception from")
