import sys

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from penult.errors import SearchError
from penult.neighbors import blocks, exact
from penult.neighbors.candidates import faiss_flat, shortlist
from penult.neighbors.exact import nearest
from penult.neighbors.searchable import require_searchable
from penult.neighbors.verified import verified

pytestmark = pytest.mark.light

# Angles of 0, 60, 90 and 180 degrees from the first.
ROWS = np.array([[2, 0], [1, np.sqrt(3)], [0, 5], [-1, 0]], np.float32)


def slow(rows, queries, k, metric="cosine", leave_out=None, allowed=None, rank=None):
    """All differences in float64, all rows sorted."""
    rows, queries = (
        np.asarray(given[:], np.float32).reshape(len(given), -1).astype(np.float64)
        for given in (rows, queries)
    )
    if metric == "cosine":
        with np.errstate(invalid="ignore"):
            rows, queries = (x / np.sqrt((x**2).sum(axis=1))[:, None] for x in (rows, queries))
    places, values = np.full((len(queries), k), -1), np.full((len(queries), k), np.nan)
    for i, query in enumerate(queries):
        squares = ((rows - query) ** 2).sum(axis=1)
        value = np.maximum(1 - squares / 2, -1) if metric == "cosine" else np.sqrt(squares)
        may = ~np.isnan(value)
        if allowed is not None:
            may &= allowed
        if leave_out is not None and leave_out[i] >= 0:
            may[leave_out[i]] = False
        found = np.flatnonzero(may)
        key = -value[found] if metric == "cosine" else value[found]
        found = found[np.lexsort((found, found if rank is None else rank[found], key))][:k]
        places[i, : len(found)], values[i, : len(found)] = found, value[found]
    return places, values


def assert_same(found, expected):
    places, values = expected
    np.testing.assert_array_equal(found.places, places)
    np.testing.assert_array_equal(found.values, values)  # to the last bit; NaN equals NaN


def test_the_nearest_by_cosine_come_first():
    found = nearest(ROWS, ROWS[:1], 3)
    assert found.places.tolist() == [[0, 1, 2]]
    assert found.values[0] == pytest.approx([1, 0.5, 0], abs=1e-7)
    assert found.values[0, 0] == 1


def test_the_nearest_by_distance_come_first():
    found = nearest(ROWS, np.array([[2, 4]]), 4, metric="euclidean")
    assert found.places.tolist() == [[2, 1, 0, 3]]
    assert found.values[0] == pytest.approx([5**0.5, (1 + (4 - 3**0.5) ** 2) ** 0.5, 4, 5])


def test_a_query_does_not_find_itself_and_loses_no_neighbour_by_it():
    found = nearest(ROWS, ROWS, 3, leave_out=np.array([0, 1, 2, -1]))
    assert found.places.tolist() == [[1, 2, 3], [2, 0, 3], [1, 0, 3], [3, 2, 1]]


def test_only_allowed_rows_are_found_and_places_are_left_empty():
    found = nearest(ROWS, ROWS[:1], 3, allowed=np.array([False, True, False, True]))
    assert found.places.tolist() == [[1, 3, -1]]
    assert found.values[0, :2] == pytest.approx([0.5, -1])
    assert np.isnan(found.values[0, 2])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nothing_is_found_where_nothing_is_allowed_or_there(metric):
    for rows in (ROWS, ROWS[:0]):
        found = nearest(rows, ROWS[:1], 2, metric=metric, allowed=np.zeros(len(rows), bool))
        assert found.places.tolist() == [[-1, -1]]
    assert nearest(ROWS, ROWS[:0], 2, metric=metric).places.shape == (0, 2)


def test_rows_equally_near_come_in_the_order_of_their_rank():
    rows = np.tile(ROWS[:2], (3, 1))
    found = nearest(rows, ROWS[:1], 4, rank=np.array([5, 0, 2, 1, 2, 3]))
    assert found.places.tolist() == [[2, 4, 0, 1]]
    assert found.values[0, :3].tolist() == [1, 1, 1]


def test_multiples_of_a_row_have_a_cosine_of_one_and_opposites_of_minus_one():
    row = np.random.default_rng(0).standard_normal((1, 1280)).astype(np.float32)
    found = nearest(np.concatenate([row, 4 * row, -row]), row, 3)
    assert found.values[0, :2].tolist() == [1, 1]
    assert -1 <= found.values[0, 2] < -1 + 1e-15


def test_a_row_of_zeros_has_no_cosine_but_a_distance():
    rows = np.concatenate([ROWS, np.zeros((1, 2), np.float32)])
    assert 4 not in nearest(rows, ROWS, 5).places
    assert nearest(rows, np.array([[0.1, 0]]), 1, metric="euclidean").places.tolist() == [[4]]
    assert nearest(rows, rows[4:], 1, metric="euclidean").values.tolist() == [[0]]


def test_queries_that_cannot_be_compared_are_refused():
    with pytest.raises(SearchError, match="query number 1 is all zeros, which has no cosine"):
        nearest(ROWS, np.array([[1, 0], [0, 0]]), 1)
    with pytest.raises(SearchError, match="query number 0 holds NaN"):
        nearest(ROWS, np.array([[np.nan, 0]]), 1, metric="euclidean")
    with pytest.raises(SearchError, match="queries have 3 numbers each, the rows 2"):
        nearest(ROWS, np.ones((1, 3)), 1)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_rows_of_feature_maps_are_flattened(metric):
    rows = np.random.default_rng(0).standard_normal((6, 2, 3, 3)).astype(np.float32)
    flat = rows.reshape(6, 18)
    assert_same(nearest(rows, rows, 2, metric=metric), slow(flat, flat, 2, metric))


def small_sizes(monkeypatch, **sizes):
    """Blocks so small that a few rows are many of them."""
    for module, names in (
        (exact, ("_QUERIES", "_SCORES", "_ROWS", "_NUMBERS", "_LEAST", "_FIRST")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, sizes.get(name, 4))
    monkeypatch.setattr(exact, "_PENDING", sizes.get("_PENDING", 4))
    monkeypatch.setattr(blocks, "BLOCK_BYTES", sizes.get("BLOCK_BYTES", 500))


def use_faiss(monkeypatch, use):
    least = 0 if use else sys.maxsize
    for name in ("_LEAST_SINGLE", "_LEAST_HALF"):
        monkeypatch.setattr(faiss_flat, name, least)
    monkeypatch.setattr(faiss_flat, "_QUERIES_SINGLE", 1)
    monkeypatch.setattr(faiss_flat, "_QUERIES_HALF", sys.maxsize)


def kinds_of_rows(kind, rng, n, width):
    rows = rng.standard_normal((n, width)).astype(np.float32)
    match kind:
        case "many duplicates":
            rows = rows[rng.integers(0, max(1, n // 5), n)]
        case "nearly duplicates":  # nearer to each other than float32 products can tell
            rows = rows[:1] + 1e-6 * rows
        case "lengths from 1e-26 to 1e26":
            rows *= np.exp(rng.uniform(-60, 60, (n, 1))).astype(np.float32)
        case "tiny":
            rows *= np.float32(1e-38)
        case "huge":
            rows *= np.float32(1e37)
        case "whole numbers":
            rows = np.round(rows)
        case "far from zero":
            rows += 1000
        case "of length one":
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


KINDS = [
    "usual",
    "many duplicates",
    "nearly duplicates",
    "lengths from 1e-26 to 1e26",
    "tiny",
    "huge",
    "whole numbers",
    "far from zero",
    "of length one",
]


@pytest.mark.parametrize("faiss", [False, True])
@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(KINDS),
    metric=st.sampled_from(["cosine", "euclidean"]),
    n=st.integers(1, 60),
    width=st.integers(1, 40),
    queries=st.integers(1, 7),
    k=st.integers(1, 12),
    half=st.booleans(),
    where=st.sampled_from(["in memory", "transposed"]),
    options=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    size=st.integers(1, 12),
)
def test_it_finds_what_comparing_all_finds(
    faiss, seed, kind, metric, n, width, queries, k, half, where, options, size
):
    rng = np.random.default_rng(seed)
    rows = kinds_of_rows(kind, rng, n, width)
    asked = rows[rng.integers(0, n, queries)] if seed % 2 else rng.standard_normal((queries, width))
    if metric == "cosine":
        asked[~np.float32(asked).any(axis=1)] = 1
    if half and kind not in ("huge", "tiny") and "1e26" not in kind:
        rows = rows.astype(np.float16)
    out, some, order, measured = options
    given = {
        "leave_out": rng.integers(-1, n, queries) if out else None,
        "allowed": rng.random(n) < rng.random() if some else None,
        "rank": rng.permutation(n) // 2 if order else None,
    }
    expected = slow(rows, asked, k, metric, **given)
    if measured:
        given["lengths"] = require_searchable(rows, None, "euclidean")
    if where == "transposed":  # which is not read where it lies
        rows = np.asfortranarray(rows)
    with pytest.MonkeyPatch.context() as patch:
        use_faiss(patch, faiss)
        patch.setattr(shortlist, "_SPREAD", 100)  # so that it is of use
        small_sizes(patch, _FIRST=size, _LEAST=size, _PENDING=size)
        assert_same(nearest(rows, asked, k, metric=metric, **given), expected)


@pytest.fixture(scope="module")
def many():
    """Rows of length one in twenty clusters, some of them twice, and near ones of these."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20, 24))[rng.integers(0, 20, 1500)]
    rows += 0.2 * rng.standard_normal(rows.shape)
    rows[1000:1250] = rows[:250]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    others = rows[::50] + np.float32(0.05) * rng.standard_normal((30, 24), np.float32)
    return rows, np.concatenate([rows[:20], others])


@pytest.mark.parametrize("faiss", [False, True])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_result_is_the_same_bits_however_it_is_found(
    dtype, metric, faiss, many, tmp_path, monkeypatch
):
    use_faiss(monkeypatch, faiss)
    rows, queries = many[0].astype(dtype), many[1]
    places, values = expected = slow(rows, queries, 7, metric)
    rows.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", dtype, "r", shape=rows.shape)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("rows", data=rows, chunks=(100, 24))
        for threads in (1, 2):
            with threadpool_limits(threads):
                for read in (rows, mapped, stored, rows.astype(np.float64)):
                    assert_same(nearest(read, queries, 7, metric=metric), expected)
        asked = file.create_dataset("queries", data=queries)
        monkeypatch.setattr(exact, "_QUERIES", 13)
        monkeypatch.setattr(exact, "_SCORES", 2000)
        monkeypatch.setattr(blocks, "BLOCK_BYTES", 50_000)
        for read in (rows, stored):
            assert_same(nearest(read, asked, 7, metric=metric), expected)
        assert_same(nearest(stored, queries[:1], 7, metric=metric), (places[:1], values[:1]))


@pytest.mark.parametrize("faiss", [False, True])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_rows_whose_lengths_are_known_are_not_measured(metric, faiss, many, monkeypatch):
    use_faiss(monkeypatch, faiss)
    monkeypatch.setattr(exact, "block_lengths", None)
    rows, queries = many
    lengths = require_searchable(rows, None, metric)
    found = nearest(rows, queries, 7, metric=metric, lengths=lengths)
    assert_same(found, slow(rows, queries, 7, metric))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_no_memory_is_taken_by_candidates_that_are_all_equally_near(metric, monkeypatch):
    small_sizes(monkeypatch, _SCORES=64, _ROWS=16)
    rows, queries = np.tile(ROWS[1:2], (500, 1)), ROWS[:2]
    most, held = [], exact.Screening.add

    def watched(self, *given):
        held(self, *given)
        most.append(len(self))

    monkeypatch.setattr(exact.Screening, "add", watched)
    found = nearest(rows, queries, 3, metric=metric, rank=np.arange(500)[::-1])
    assert found.places.tolist() == [[499, 498, 497]] * 2
    assert max(most) < 100


def test_few_rows_are_compared_in_float64(many, monkeypatch):
    compared = []

    def counted(block, rows, *given, pairs=exact.pair_values):
        compared.append(len(rows))
        return pairs(block, rows, *given)

    monkeypatch.setattr(exact, "pair_values", counted)
    nearest(many[0], many[1], 7)
    assert 7 * 50 <= sum(compared) < 8 * 50  # twins of the seventh, too


def test_rows_of_the_file_are_read_a_block_at_a_time(many, monkeypatch):
    class Watched:
        shape, dtype = many[0].shape, many[0].dtype

        def __len__(self):
            return 1500

        def __getitem__(self, rows):
            read.append(rows.stop - rows.start)
            return many[0][rows]

    read = []
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100 * 24 * 4)
    assert_same(nearest(Watched(), many[1], 7), slow(*many, 7))
    assert read == [100] * 15


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_candidates_verified_are_as_exact_search_finds_them(metric, many, tmp_path, monkeypatch):
    rows, queries = many
    rng = np.random.default_rng(1)
    rank, allowed = rng.permutation(1500) // 3, rng.random(1500) < 0.7
    leave_out = np.arange(len(queries))
    given = {"metric": metric, "rank": rank, "allowed": allowed, "leave_out": leave_out}
    expected = nearest(rows, queries, 5, **given)
    # A few too many, some twice, some missing, in no order.
    candidates = np.concatenate(
        [expected.places, expected.places[:, :2], rng.integers(-1, 1500, (len(queries), 9))], axis=1
    )
    candidates = rng.permuted(candidates, axis=1)
    monkeypatch.setattr("penult.neighbors.verified._READ", 50_000)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        for read in (rows, file.create_dataset("rows", data=rows)):
            found = verified(read, queries, candidates, 5, **given)
            assert_same(found, (expected.places, expected.values))


def test_candidates_may_be_fewer_than_wanted():
    candidates = np.array([[3, -1, 0], [-1, -1, -1]])
    found = verified(ROWS, ROWS[:2], candidates, 4)
    assert found.places.tolist() == [[0, 3, -1, -1], [-1] * 4]
    assert found.values[0, :2] == pytest.approx([1, -1])
