"""A pattern that takes some layers where all would be too many."""

import pytest

from penult.saliency.layer_pattern import pattern_of_some

pytestmark = pytest.mark.light


def blocks(number, inner=9):
    parts = ["", *(f".{k}" for k in range(inner))]
    return [f"blocks.{k}{part}" for k in range(number) for part in parts]


def test_blocks_come_before_what_is_in_them():
    assert pattern_of_some(blocks(7), blocks(7), 8) == ("blocks.?", 7)


def test_of_too_many_blocks_it_takes_every_other_one():
    assert pattern_of_some(blocks(12), blocks(12), 8) == ("blocks.[02468]", 5)


def test_it_takes_as_many_of_all_layers_as_it_says():
    asked = ["a1", "a2", "a3"]
    assert pattern_of_some(asked, asked, 3) == ("a?", 3)
    assert pattern_of_some(asked, [*asked, "ax"], 3) is None


def test_names_without_a_digit_have_none():
    assert pattern_of_some(["stem", "head", "neck"], ["stem", "head", "neck"], 2) is None
