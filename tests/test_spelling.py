"""Which name was likely meant."""

from __future__ import annotations

import random

import pytest

from penult import spelling
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


def test_names_are_passed_over_only_where_comparing_with_all_finds_none(monkeypatch):
    draw = random.Random(0)

    def word():
        return "".join(draw.choices("aaAbcde\u0130\u00df 12", k=draw.randrange(14)))

    def mistyped(name):
        place = draw.randrange(len(name) + 1)
        return name[:place] + draw.choice(["x", "", "1"]) + name[place + draw.randrange(2) :]

    cases = [[word() for _ in range(5)] for _ in range(400)]
    cases = [(mistyped(draw.choice(known)), known) for known in cases]
    quick = [likely_meant(name, known) for name, known in cases]
    monkeypatch.setattr(spelling, "_with_such_letters", lambda _, known: known)
    assert quick == [likely_meant(name, known) for name, known in cases]
    assert 100 < sum(one is not None for one in quick) < 300


def test_a_name_that_none_has_the_letters_of_is_not_compared_with_all(monkeypatch):
    compared = []
    monkeypatch.setattr(spelling, "closest", lambda name, *_: compared.append(name) or ["tulip"])
    known = ["cat", "rose", "tulip", "type 1"]
    for name in ("primrose", "bat", "type 2", "tulp"):
        likely_meant(name, known)
    assert compared == ["tulp"]


def test_the_best_is_named_first_wherever_it_is_in_the_list():
    error = UnknownNameError("kind", "logistc", ["logistics1", "logistic"])
    assert error.suggestions[0] == "logistic"
