"""Which name was likely meant."""

from __future__ import annotations

import pytest

from penult.errors import UnknownNameError
from penult.spelling import closest, likely_meant


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        pytest.param("repport", ["export", "report", "train"], ["report"], id="one letter too many"),
        pytest.param("--quite", ["--update", "--quiet"], ["--quiet"], id="two letters swapped"),
        pytest.param("Resnet5", ["resnet152", "ResNet50"], ["ResNet50"], id="case does not count"),
        pytest.param("abcd", ["abce", "abcf"], ["abce", "abcf"], id="both as likely"),
        pytest.param("zzz", ["report"], [], id="nothing like it"),
    ],
)  # fmt: skip
def test_the_likeliest_is_first_and_what_is_much_less_likely_is_left_out(typed, known, meant):
    assert sorted(closest(typed, known)) == sorted(meant)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("tulp", "tulip", id="a letter too few"),
        pytest.param("Tulip", "tulip", id="another case"),
        pytest.param("sunflowre", "sunflower", id="two letters swapped"),
        pytest.param("bat", None, id="a short word of its own"),
        pytest.param("type 2", None, id="another number"),
        pytest.param("primrose", None, id="a longer word"),
    ],
)
def test_a_name_that_may_be_a_new_one_is_meant_otherwise_only_where_it_is_very_close(typed, meant):
    assert likely_meant(typed, ["cat", "rose", "sunflower", "tulip", "type 1"]) == meant


def test_the_best_is_named_first_wherever_it_is_in_the_list():
    error = UnknownNameError("kind", "logistc", ["logistics1", "logistic"])
    assert error.suggestions[0] == "logistic"
