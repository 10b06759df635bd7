"""Rankings in which near-duplicates count as one row."""

from __future__ import annotations

import numpy as np
import pytest

from penult.retrieve.evaluation.collapse import Collapsed
from penult.retrieve.evaluation.near_duplicates import find_near_duplicates
from penult.retrieve.evaluation.ranking import Alike, Ranking

pytestmark = pytest.mark.light


def collapse(places, groups, relevant, *, found=None, query=0):
    places = np.array([places])
    none = np.empty(0, np.int64)
    ranking = Ranking(places, np.array([found or places.shape[1]]), Alike(none, none))
    kept = Collapsed.of(ranking, np.array([query]), np.array(groups))
    return kept.apply(np.array([[letter == "Y" for letter in relevant]])).tolist()[0]


def test_of_each_group_the_first_row_found_counts():
    #                        place:  0  1  2  3  4  5
    groups = [0, 1, 2, 1, 3, 2]
    # Found are 3 (group 1), 1 (group 1 again), 5 (group 2), 4, 2 (group 2 again).
    assert collapse([3, 1, 5, 4, 2], groups, "YNNYY") == [True, False, True, False, False]


def test_a_query_does_not_find_rows_of_its_own_group():
    assert collapse([1, 2, 3], [0, 0, 1, 0], "YYY") == [True, False, False]


def test_what_a_query_may_not_find_is_not_kept():
    assert collapse([1, 2, 0], [5, 1, 2], "NYY", found=2) == [False, True, False]


def test_gains_of_a_ranking_without_duplicates_stay():
    assert collapse([2, 1, 3], [0, 1, 2, 3], "NYY") == [False, True, True]


def test_a_chain_of_near_duplicates_is_one_group():
    turned = np.deg2rad([0, 15, 30, 90])  # cosines 0.966, 0.966, 0.866 and less
    rows = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    assert find_near_duplicates(rows, 0.95).tolist() == [0, 0, 0, 1]
    assert find_near_duplicates(rows, 0.97).tolist() == [0, 1, 2, 3]
