from __future__ import annotations

import json

import pytest

from penult.parsing import DEEPEST, read_json


def test_what_is_well_formed_is_read():
    assert read_json('{"a": [1, 2.5, null, "x"], "b": {"c": []}}') == {
        "a": [1, 2.5, None, "x"],
        "b": {"c": []},
    }
    assert read_json(b'"\xc3\xa9"') == "é"
    assert read_json('"[[["') == "[[["


def test_some_nesting_is_read_and_too_much_is_refused():
    deepest = "[" * DEEPEST + "]" * DEEPEST
    assert json.dumps(read_json(deepest)) == deepest
    with pytest.raises(ValueError, match="it is nested more than 100 levels deep"):
        read_json(f'{{"a": {deepest}}}')


@pytest.mark.parametrize("text", ["[" * 20_000, '{"a":' * 20_000, "[" * 5_000 + "]" * 5_000])
def test_text_that_would_exhaust_the_stack_is_refused(text):
    with pytest.raises(ValueError, match="nested more than 100 levels deep"):
        read_json(text)


@pytest.mark.parametrize("text", ["", "{", b"\xff", b"\xed\xa0\x80", "1" * 5_000])
def test_whatever_is_wrong_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parser's
        read_json(text)
