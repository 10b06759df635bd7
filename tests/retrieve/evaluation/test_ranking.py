"""In which order a query finds the rows of a gallery."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from penult.neighbors.exact import nearest
from penult.retrieve.evaluation import ranking
from penult.retrieve.evaluation.ranking import Ranker

pytestmark = pytest.mark.light


def ranker(rows, *, digests=None, images=None, metric="cosine"):
    every = np.arange(len(rows))
    return Ranker(
        np.asarray(rows, np.float32),
        every if digests is None else np.asarray(digests),
        every if images is None else np.asarray(images),
        metric,
    )


def crowded(seed=0):
    """Rows many of which are the same, or the same but for the last bit, or scaled."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(60, 7)).astype(np.float32)
    rows[10:20] = rows[:10]
    rows[20:30] = np.nextafter(rows[:10], np.float32(9))
    rows[30:40] = 3 * rows[:10]
    return rows, rng.permutation(60)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_order_is_that_of_exact_search(metric):
    rows, digests = crowded()
    every = np.arange(len(rows))
    ranking = ranker(rows, digests=digests, metric=metric).rank(every, every)
    slow = nearest(rows, rows, 59, metric=metric, leave_out=every, rank=digests)
    assert np.array_equal(ranking.places[:, :59], slow.places)
    assert ranking.places[:, 59].tolist() == every.tolist()
    assert (ranking.found == 59).all()


@pytest.mark.parametrize("block", [1, 7, 60])
def test_the_order_does_not_depend_on_how_many_queries_are_ranked_at_a_time(block):
    rows, digests = crowded(1)
    every, one = np.arange(60), ranker(rows, digests=digests)
    whole = one.rank(every, every).places
    parts = [one.rank(every[start : start + block], every).places for start in range(0, 60, block)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_rows_nearer_to_each_other_than_a_product_can_tell_are_told_apart():
    # Around a point far from the origin, where the expansion of the square loses all its digits.
    rows = np.full((4, 2), 4096, np.float32)
    rows[1:, 0] += np.array([0.0015, 0.0005, 0.001], np.float32) * 16
    assert len(set(rows[:, 0].tolist())) == 4
    ranking = ranker(rows, metric="euclidean").rank(np.array([0]), np.array([1, 2, 3]))
    assert ranking.places.tolist() == [[2, 3, 1]]


def test_of_equally_near_rows_the_smaller_digest_comes_first():
    rows = [[1, 0], [0, 1], [0, -1], [0, 1]]
    ranking = ranker(rows, digests=[0, 3, 2, 1]).rank(np.array([0]), np.arange(4))
    assert ranking.places.tolist() == [[3, 2, 1, 0]]
    assert len(ranking.alike.at) == 0


def test_of_one_image_under_two_labels_the_irrelevant_one_comes_first():
    rows = [[1, 0], [1, 1], [1, 1], [1, 1], [0, 1]]
    ranking = ranker(rows, digests=[0, 1, 1, 1, 2]).rank(np.array([0]), np.arange(5))
    assert ranking.places.tolist() == [[1, 2, 3, 4, 0]]
    relevant = np.array([[True, False, True, True, False]])
    ranking.alike.irrelevant_first(relevant)
    assert relevant.tolist() == [[False, True, True, True, False]]


def test_images_as_near_that_have_other_digests_keep_their_order_whatever_their_labels():
    rows = [[1, 0], [1, 1], [1, 1]]
    ranking = ranker(rows, digests=[0, 1, 2]).rank(np.array([0]), np.arange(3))
    relevant = np.array([[True, False, False]])
    ranking.alike.irrelevant_first(relevant)
    assert relevant.tolist() == [[True, False, False]]


def test_a_row_does_not_find_itself_where_it_lies_in_two_files():
    rows = [[1, 0], [0, 1], [1, 0], [1, 1]]
    ranking = ranker(rows, images=[0, 1, 0, 3]).rank(np.array([2, 3]), np.array([0, 1]))
    assert ranking.found.tolist() == [1, 2]
    assert ranking.places[0].tolist() == [1, 0]


def test_values_are_distances_or_cosines():
    rows, found = [[0, 2], [3, 6], [1, 2], [0, 5]], np.array([1, 2, 3])
    assert ranker(rows, metric="euclidean").values(0, found).tolist() == [5, 1, 3]
    assert ranker(rows).values(0, found)[2] == 1


def test_rows_are_never_all_in_float64_at_once(monkeypatch):
    monkeypatch.setattr(ranking, "_COLUMNS", 64)
    rows = np.random.default_rng(0).normal(size=(2000, 512)).astype(np.float32)
    every = np.arange(len(rows))
    tracemalloc.start()
    try:
        made = ranker(rows)
        made.rank(every[:1], every)
        made.values(0, every[1:])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < rows.nbytes  # of which float64 takes twice as much
