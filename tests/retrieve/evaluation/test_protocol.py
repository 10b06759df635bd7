"""Which rows query, and which are searched."""

from __future__ import annotations

import numpy as np
import pytest

from penult.errors import UsageError
from penult.retrieve.evaluation.labelled_rows import LabelledRows
from penult.retrieve.evaluation.protocol import (
    Trial,
    draw_trials,
    leave_one_out,
    require_k,
    search_apart,
)

pytestmark = pytest.mark.light


def test_each_row_searches_all(make_features):
    (trial,) = leave_one_out(LabelledRows.of(make_features({"a": 3, "b": 2})))
    assert trial.queries.tolist() == trial.gallery.tolist() == [0, 1, 2, 3, 4]


def test_rows_of_one_file_search_those_of_the_other(make_features):
    rows = LabelledRows.of(make_features({"a": 3}), make_features({"a": 2, "b": 2}, seed=1))
    (trial,) = search_apart(rows)
    assert (trial.gallery.tolist(), trial.queries.tolist()) == ([0, 1, 2], [3, 4, 5, 6])


def test_a_part_is_drawn_with_its_share_of_every_label(make_features):
    rows = LabelledRows.of(make_features({"a": 20, "b": 10}))
    trials = draw_trials(rows, 0.2, 3, seed=0)
    for trial in trials:
        assert np.bincount(rows.labels.of[trial.queries]).tolist() == [4, 2]
        assert sorted([*trial.queries, *trial.gallery]) == list(range(30))
    assert len({tuple(trial.queries) for trial in trials}) == 3
    again = draw_trials(rows, 0.2, 1, seed=1)[0]
    assert np.array_equal(again.queries, trials[1].queries)


def test_no_group_is_divided(make_features):
    counts = {"a": 24, "b": 24}
    groups = [f"g{k // 3}" for k in range(48)]
    rows = LabelledRows.of(make_features(counts, groups=groups))
    (trial,) = draw_trials(rows, 0.25, 1, seed=0)
    assert not set(rows.groups[trial.queries]) & set(rows.groups[trial.gallery])
    assert len(trial.queries) == 12


def test_a_label_of_one_row_stays_in_the_gallery(make_features):
    rows = LabelledRows.of(make_features({"a": 10, "b": 10, "once": 1}))
    for trial in draw_trials(rows, 0.3, 4, seed=0):
        once = rows.label_names.index("once")
        assert once in rows.labels.of[trial.gallery]
        assert once not in rows.labels.of[trial.queries]


def test_a_label_of_one_group_stays_in_the_gallery(make_features):
    groups = [f"g{k}" for k in range(20)] + ["burst"] * 4
    rows = LabelledRows.of(make_features({"a": 10, "b": 10, "burst": 4}, groups=groups))
    for trial in draw_trials(rows, 0.3, 4, seed=0):
        assert (rows.labels.of[trial.queries] != rows.label_names.index("burst")).all()


def test_a_part_that_cannot_have_every_label_is_refused(make_features):
    rows = LabelledRows.of(make_features({"a": 4, "b": 4, "c": 4}))
    with pytest.raises(
        UsageError, match=r"10% of 12 rows of 3 labels cannot be drawn .* test_size"
    ):
        draw_trials(rows, 0.1, 1, seed=0)


@pytest.mark.parametrize("part", [0, 1, -0.5, float("nan")])
def test_a_part_is_above_0_and_below_1(make_features, part):
    with pytest.raises(UsageError, match="above 0 and below 1"):
        draw_trials(LabelledRows.of(make_features({"a": 4})), part, 1, seed=0)


def test_k_is_no_more_than_a_query_can_find():
    every, some = np.arange(5), np.arange(5, 7)
    require_k([1, 4], [Trial(every, every)])
    require_k([5], [Trial(some, every)])
    with pytest.raises(UsageError, match=r"k=5 was given, .* no more than 4 rows; give at most 4"):
        require_k([1, 5], [Trial(every, every)])
