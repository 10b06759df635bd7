"""`penult.Index` in memory."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from index_rows import by_hand, clustered, gallery, names

import penult
from penult.neighbors.exact import nearest
from penult.retrieve.structures import library

pytestmark = pytest.mark.light

ROWS = np.array([[3, 4], [6, 8], [4, 3], [-3, -4]], np.float32)


def test_rows_are_found_by_their_angle():
    found = penult.Index.of(ROWS, [*"abcd"]).search([[30, 40]], 3)
    assert found.ids == (("a", "b", "c"),)
    # 3·4 + 4·3 of lengths five each.
    assert found.values[0].tolist() == pytest.approx([1, 1, 24 / 25], abs=1e-15)
    assert found.values[0, :2].tolist() == [1, 1]


def test_or_by_their_distance():
    found = penult.Index.of(ROWS, [*"abcd"], metric="euclidean").search([3, 4], 3)
    assert found.ids == (("a", "c", "b"),)
    assert found.values[0].tolist() == [0, np.sqrt(2), 5]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivfpq"])
def test_every_kind_finds_nearly_all_with_exact_values(kind, metric):
    rows = clustered()
    index = penult.Index.of(rows, names(600), metric, kind=kind)
    queries = rows[:60] + np.float32(0.01)
    found, exact = index.search(queries, 5), nearest(rows, queries, 5, metric=metric)
    same = found.places == exact.places
    assert same.mean() >= (1 if kind == "flat" else 0.95)
    assert (found.values[same] == exact.values[same]).all()
    for k in range(10):
        assert exact.places[k].tolist() == by_hand(rows, queries[k], 5, metric)


def test_recall_is_measured_and_said():
    index = penult.Index.of(clustered(), names(600), kind="hnsw")
    assert (index.recall.k, index.recall.queries) == (10, 150)
    assert 0.98 <= index.recall.value <= 1
    assert (
        "of the 10 nearest rows that exact search finds, measured for 150 rows (recall@10)"
        in index.lines[0]
    )
    assert penult.Index.of(clustered(), names(600)).recall is None


def test_more_is_looked_at_until_enough_is_found(monkeypatch):
    from penult.retrieve import recall

    monkeypatch.setattr(recall, "_SOUGHT", 1.1)
    most = penult.Index.of(clustered(), names(600), kind="hnsw").effort
    monkeypatch.setattr(recall, "_SOUGHT", 0)
    least = penult.Index.of(clustered(), names(600), kind="hnsw").effort
    assert (least.visits, most.visits) == (32, 512)


@pytest.mark.parametrize("kind", ["hnsw", "ivfpq"])
@pytest.mark.parametrize("allowed", [2, 50, 1500])
def test_of_rows_that_may_be_found_k_are_found(kind, allowed):
    rows = clustered(3000)
    may = np.zeros(3000, bool)
    may[np.random.default_rng(0).choice(3000, allowed, replace=False)] = True
    found = penult.Index.of(rows, names(3000), kind=kind).search(rows[:20], 5, allowed=may)
    assert ((found.places >= 0).sum(axis=1) == min(5, allowed)).all()
    assert may[found.places[found.places >= 0]].all()
    exact = nearest(rows, rows[:20], 5, allowed=may)
    assert (found.places == exact.places).mean() > 0.95


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivfpq"])
def test_a_row_does_not_find_itself_and_has_k_others(kind):
    rows = clustered(3000)
    own = np.arange(40)
    found = penult.Index.of(rows, names(3000), kind=kind).search(rows[:40], 5, leave_out=own)
    assert not (found.places == own[:, None]).any()
    assert (found.places >= 0).all()


def test_a_query_that_the_graph_leads_nowhere_is_searched_for_exactly(monkeypatch):
    rows = clustered(3000)
    index = penult.Index.of(rows, names(3000), kind="hnsw")
    lost = np.full((2, 33), -1, np.int64)
    monkeypatch.setattr(type(index.structure), "candidates", lambda *_: lost)
    found, exact = index.search(rows[:2], 3), nearest(rows, rows[:2], 3)
    assert (found.places == exact.places).all()


def test_equal_rows_are_in_the_order_of_their_images_digests(tmp_path):
    rows = np.ones((5, 3), np.float32)
    file = gallery(tmp_path / "f.h5", rows)
    features = penult.load(file)
    features = penult.Features(**{**vars(features), "content": [f"{9 - k:032x}" for k in range(5)]})
    assert penult.Index.of(features).search(rows[:1], 3).ids == (("0.jpg", "1.jpg", "2.jpg"),)
    shuffled = penult.Features(**{**vars(features), "content": [f"{one}" * 32 for one in "95713"]})
    assert penult.Index.of(shuffled).search(rows[:1], 3).ids == (("3.jpg", "4.jpg", "1.jpg"),)


def test_without_faiss_search_is_exact(monkeypatch):
    rows = clustered()
    index = penult.Index.of(rows, names(600), kind="hnsw")
    for module in ("index", "building"):
        monkeypatch.setattr(f"penult.retrieve.{module}.has_faiss", lambda: False)
    monkeypatch.setattr(library, "has_faiss", lambda: False)
    monkeypatch.setattr(type(index.structure), "candidates", None)
    assert (index.search(rows[:9], 4).places == nearest(rows, rows[:9], 4).places).all()
    with pytest.raises(penult.UsageError, match="faiss, which is not installed; type: pip install"):
        penult.Index.of(rows, names(600), kind="hnsw")


def test_auto_is_exact_up_to_a_size_and_says_why(monkeypatch):
    from penult.retrieve import building

    index = penult.Index.of(clustered(), names(600), kind="auto")
    assert (index.kind, index.lines) == (
        "flat",
        ("flat: 600 rows of 20 are searched exactly in some hundredths of a second",),
    )
    monkeypatch.setattr(building, "_QUICK", 599 * 20)
    index = penult.Index.of(clustered(), names(600), kind="auto")
    assert index.kind == "hnsw"
    assert index.lines[0].startswith("hnsw: 600 rows of 20 take exact search longer than a graph")
    monkeypatch.setattr(building, "free_memory", lambda: 1000)
    index = penult.Index.of(clustered(), names(600), kind="auto")
    assert index.lines[0].startswith("ivfpq: a graph of 600 rows of 20 may take")


@pytest.mark.parametrize("kind", ["hnsw", "ivfpq"])
def test_long_rows_find_their_way_by_principal_components(kind):
    rows = clustered(600, 300)
    index = penult.Index.of(rows, names(600), kind=kind)
    assert index.structure.space.width == 64
    found, exact = index.search(rows[:50], 5), nearest(rows, rows[:50], 5)
    same = found.places == exact.places
    assert same.mean() > 0.95
    assert (found.values[same] == exact.values[same]).all()


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivfpq"])
def test_it_is_pickled(kind):
    index = penult.Index.of(clustered(), names(600), kind=kind)
    again = pickle.loads(pickle.dumps(index))
    assert again.search(clustered()[:5], 3).ids == index.search(clustered()[:5], 3).ids


@pytest.mark.parametrize(("memory", "times"), [(1 << 30, 1), (0, 2)])
def test_rows_of_a_file_are_read_once_where_they_fit_into_memory(
    memory, times, tmp_path, monkeypatch
):
    from penult.features.rows import RowsOnDisk
    from penult.retrieve import given

    rows, places = clustered(), []
    file = gallery(tmp_path / "f.h5", rows)
    read = RowsOnDisk.__getitem__

    def watched(self, args, new_dtype=None):
        places.extend(np.arange(len(self))[args])
        return read(self, args, new_dtype)

    monkeypatch.setattr(given, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(given, "free_memory", lambda: memory)
    features = penult.load(file)
    monkeypatch.setattr(RowsOnDisk, "__getitem__", watched)
    found = penult.Index.of(features).search(rows[:1], 3)
    assert sorted(places) == sorted([*range(600)] * times)
    assert found.ids == penult.Index.of(rows, names(600)).search(rows[:1], 3).ids


def test_half_precision_stays_as_it_is():
    rows = clustered().astype(np.float16)
    index = penult.Index.of(rows, names(600), kind="hnsw")
    assert index.rows is rows
    assert (index.search(rows[:9], 1, ).values == 1).all()  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rows": ROWS}, "ids are None; give a list of one for each of 4 rows"),
        ({"rows": ROWS, "ids": "abc"}, "ids are 'abc'; give a list"),
        ({"rows": ROWS, "ids": ["a", "b"]}, "give a list of one for each of 4 rows"),
        ({"rows": ROWS, "ids": [*"abca"]}, "twice: a"),
        ({"rows": ROWS[:0], "ids": []}, "there are no rows to search"),
        ({"rows": ROWS[0], "ids": [*"ab"]}, "give an array of numbers, shape (N, D)"),
        ({"rows": [["x"]], "ids": ["a"]}, "give an array of numbers"),
        ({"rows": ROWS * [[1], [0], [1], [0]], "ids": [*"abcd"]}, "2 rows of zeros (b, d), which have no cosine"),
        ({"rows": ROWS * [[1], [np.nan], [1], [1]], "ids": [*"abcd"]}, "1 row with NaN or infinite numbers (b)"),
        ({"rows": ROWS, "ids": [*"abcd"], "kind": "hsnw"}, "did you mean hnsw?"),
        ({"rows": ROWS, "ids": [*"abcd"], "metric": "dot"}, "unknown metric 'dot'"),
        ({"rows": ROWS, "ids": [*"abcd"], "kind": "ivfpq"}, "256 rows or more, and there are 4"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_indexed_are_one_line(given, said):
    with pytest.raises(penult.PenultError) as error:
        penult.Index.of(**given)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"queries": [[1, 2, 3]]}, "the rows of the index have 2 numbers each"),
        ({"queries": [[0, 0]]}, "queries: 1 row of zeros (number 0)"),
        ({"queries": [[np.nan, 0]]}, "1 row with NaN"),
        (
            {"queries": "x"},
            "queries are rows here, an array of numbers; photos are searched for with penult.search(index, photos)",
        ),
        ({"queries": [[1, 2]], "k": 0}, "k is 0; give a whole number, 1 or more"),
        ({"queries": [[1, 2]], "k": True}, "k is True"),
        ({"queries": [[1, 2]], "leave_out": [1, 2]}, "give a place for each query, 1 in all"),
        ({"queries": [[1, 2]], "leave_out": [4]}, "leave_out has places from 4 to 4"),
        ({"queries": [[1, 2]], "allowed": [True]}, "give True or False for each row, 4 in all"),
    ],
)
def test_queries_that_cannot_be_searched_for_are_one_line(given, said):
    with pytest.raises(penult.PenultError) as error:
        penult.Index.of(ROWS, [*"abcd"]).search(**given)
    assert said in str(error.value)


def test_more_than_there_are_leave_places_without_a_row():
    found = penult.Index.of(ROWS, [*"abcd"]).search([[1, 1]], 6)
    assert found.places[0].tolist()[4:] == [-1, -1]
    assert len(found.ids[0]) == 4


@pytest.mark.parametrize("k", [10**9, 10**30])
def test_far_more_than_there_are_cannot_be_asked_for(k):
    index = penult.Index.of(clustered(40), names(40))
    assert index.search(clustered(1), 100).places.shape == (1, 100)
    with pytest.raises(penult.UsageError, match="the index has 40 rows: give no more than that"):
        index.search(clustered(1), k)


@pytest.mark.filterwarnings("error")
def test_a_query_too_large_for_float32_is_a_failure_and_no_warning():
    index = penult.Index.of(clustered(40), names(40))
    found = penult.search(index, np.full((1, 20), 1e300), progress=False)
    assert "infinite" in found.failures[0].reason
