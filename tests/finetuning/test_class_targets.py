"""What a program gives as labels, and groups, without a network."""

from __future__ import annotations

import numpy as np
import pytest

from penult.errors import UsageError
from penult.finetuning.class_targets import ClassTargets
from penult.finetuning.estimator import _as_groups


class NAType:
    """As pandas' NA, of which nothing is true or false."""

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    def __repr__(self):
        return "<NA>"

    __hash__ = None


class Frame:
    """As a DataFrame with named columns."""

    iloc = None

    def __init__(self, columns, rows):
        self.columns, self._rows = columns, rows

    def __array__(self, dtype=None, copy=None):
        return np.array(self._rows, dtype)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        pytest.param(np.array(["a", NAType()], object), r"y\[1\] is <NA>; give", id="NA"),
        pytest.param([["a"], ["b", NAType()]], r"y\[1\] is <NA>; give", id="NA in a list"),
        pytest.param(np.array(["a", 1], object), "mixes labels of several types", id="mixed"),
        pytest.param(np.array([1, "a"], object), "mixes labels of several types", id="numbers first"),
        pytest.param([["a", 1], ["b"]], "mixes labels of several types", id="mixed lists"),
        pytest.param(Frame([1, "1"], [[0, 1], [1, 0]]), "are written '1'; name them", id="twice"),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_sorted_or_told_apart_are_refused(y, said):
    with pytest.raises(UsageError, match=said):
        ClassTargets.of(y)


def test_a_label_that_fit_was_not_given_has_no_place_in_a_score():
    targets = ClassTargets.of([["a"], ["b", "c"]])
    assert targets.encoded([["c"], ["a", "b"]]).tolist() == [[0, 0, 1], [1, 1, 0]]
    with pytest.raises(UsageError, match="the label 'd' is none of those that fit was given"):
        targets.encoded([["d"]])


@pytest.mark.parametrize("gap", [None, float("nan"), NAType()])
def test_a_photo_without_a_group_is_named(gap):
    assert _as_groups(["a", 1]) == ["a", "1"]
    with pytest.raises(UsageError, match=r"groups\[1\] is .*; give each image a group"):
        _as_groups(["a", gap])
