"""All near pairs, beside every pair worked out in float64 one after the other."""

from __future__ import annotations

import tracemalloc
from itertools import islice

import h5py
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from penult.errors import SearchError
from penult.neighbors.distinct import DistinctRows
from penult.neighbors.join import JoinSizes, candidate_limit, near_numbers
from penult.neighbors.pairs import Pairs, least_memory, near_pairs
from penult.progress import following

pytestmark = pytest.mark.light


def slow_pairs(rows, threshold):
    """The cosine of each pair that reaches the threshold."""
    rows = np.asarray(rows, np.float64).reshape(len(rows), -1)
    found = {}
    for i, one in enumerate(rows):
        for j, other in enumerate(rows[i + 1 :], i + 1):
            if one.any() and other.any():
                u, v = (row / np.sqrt((row**2).sum()) for row in (one, other))
                if (cosine := 1 - ((u - v) ** 2).sum() / 2) >= threshold:
                    found[i, j] = cosine
    return found


def together(blocks):
    """All that a stream holds, in its order."""
    blocks = list(blocks)
    parts = ("first", "second", "cosine")
    return tuple(np.concatenate([getattr(b, part) for b in blocks]) for part in parts)


def as_dict(first, second, cosine):
    found = dict(zip(zip(first.tolist(), second.tolist(), strict=True), cosine, strict=True))
    assert len(found) == len(first), "each pair once"
    return found


def equal(found, others):
    return all(np.array_equal(one, other) for one, other in zip(found, others, strict=True))


@pytest.fixture
def rows():
    """Ninety rows of 13 numbers: some copies, some near to others, one of zeros; in any order."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 13))
    near = rows[:20] + rng.normal(0, 0.2, (20, 13))
    rows = np.concatenate([rows, near, rows[10:30]]).astype(np.float32)
    rows[40] = 0
    return rng.permutation(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("threshold", [0.1, 0.6, 0.95, 1.0])
def test_they_are_those_of_every_pair_worked_out_alone(rows, dtype, threshold):
    rows = rows.astype(dtype)
    expected = slow_pairs(rows, threshold)
    found = as_dict(*together(near_pairs(rows, threshold)))
    # The last bit too: search works out the same, so that neither contradicts the other.
    assert found == expected
    assert len(found) >= 20
    assert all(first < second for first, second in found)


def test_equal_rows_have_a_cosine_of_exactly_one_and_are_all_found_there():
    # imagededup 0.3 finds 58% of such copies: by products, a row's cosine with itself is often less.
    rows = np.random.default_rng(0).normal(size=(200, 1280)).astype(np.float32)
    copies = np.concatenate([rows, rows, -rows])
    first, second, cosine = together(near_pairs(copies, 1.0))
    assert first.tolist() == list(range(200))
    assert second.tolist() == list(range(200, 400))
    assert (cosine == 1).all()


def test_rows_of_one_direction_are_found_though_their_bytes_differ():
    row = np.array([[1, 2, 3]], np.float32)
    rows = np.concatenate([row, 2 * row, -row, row / 1024, row * 1e37, row * 1e-37])
    found = as_dict(*together(near_pairs(rows, 1.0)))
    assert {(0, 1), (0, 3), (1, 3)} <= set(found)
    assert set(as_dict(*together(near_pairs(rows, 1 - 1e-6)))) == {
        (i, j) for i in (0, 1, 3, 4, 5) for j in (0, 1, 3, 4, 5) if i < j
    }


@pytest.mark.parametrize("width", [1, 2, 3, 17, 700, 5000])
def test_no_pair_at_the_edge_of_the_threshold_is_lost_to_rounding(width):
    rng = np.random.default_rng(width)
    rows = np.abs(rng.normal(size=(40, width))).astype(np.float32) + 0.5
    every = together(near_pairs(rows, 0.01))
    assert len(every[0]) == 40 * 39 // 2
    for threshold in rng.choice(every[2], 60):
        reach = every[2] >= threshold
        assert equal(together(near_pairs(rows, threshold)), [part[reach] for part in every])


def test_products_added_one_after_the_other_stay_above_the_lowered_threshold():
    # Of all orders this one rounds the most; a BLAS may add in any.
    off = []
    for width in (10, 1000, 30_000, 100_000):
        for row in (np.ones(width), np.linspace(1, 2, width)):
            unit = (row / np.linalg.norm(row)).astype(np.float32)
            product = np.add.accumulate(unit * unit)[-1]
            assert candidate_limit(1.0, width) <= product
            off.append(1 - product)
    assert max(off) > 1e-4


@pytest.mark.parametrize("block", [1, 2, 7, 16, 89, 90, 1000])
def test_the_block_size_changes_nothing(rows, block):
    assert equal(together(near_pairs(rows, 0.5, block=block)), together(near_pairs(rows, 0.5)))


@pytest.mark.parametrize("pairs", [0, 3, 40, 200])
def test_a_strip_with_too_many_pairs_is_done_in_parts_and_changes_nothing(rows, pairs):
    distinct = DistinctRows.of(rows)
    told = []

    def found(**sizes):
        return list(near_numbers(distinct, 0.3, JoinSizes(**sizes), told.append))

    whole = found()
    assert len(whole) == 1
    told.clear()
    parts = found(block=4, strip=16, pairs=pairs)
    assert all(len(part[0]) <= max(pairs, len(distinct)) for part in parts)
    assert len(parts) > 3
    assert equal([np.concatenate(part) for part in zip(*parts, strict=True)], whole[0])
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_a_tile_of_which_most_is_near_is_verified_in_parts():
    rows = np.random.default_rng(0).random((400, 5), np.float32)
    whole = together(near_pairs(rows, 0.6, block=400))
    assert len(whole[0]) > 1 << 16
    assert equal(together(near_pairs(rows, 0.6, block=40)), whole)


def test_the_number_of_threads_changes_nothing():
    rows = np.abs(np.random.default_rng(0).normal(size=(600, 300))).astype(np.float32)
    with threadpool_limits(1):
        alone = together(near_pairs(rows, 0.65))
    with threadpool_limits(4):
        assert equal(together(near_pairs(rows, 0.65)), alone)
    assert 1000 < len(alone[0]) < 600 * 599 // 2 - 1000


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_rows_of_a_file_are_read_in_panels_where_they_do_not_fit(tmp_path, dtype):
    rng = np.random.default_rng(0)
    rows = rng.random((2000, 32, 8, 8), np.float32).astype(dtype)
    rows[::20] = rows[3]
    rows[1::20] = rows[1] + rows[1::20] / 8
    expected = together(near_pairs(rows, 0.8))
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("rows", data=rows, chunks=(64, 32, 8, 8))
        reads = []

        class Watched:
            shape, dtype = stored.shape, stored.dtype

            def __len__(self):
                return len(stored)

            def __getitem__(self, part):
                reads.append(part)
                return stored[part]

        watched = Watched()
        for memory in (least_memory(stored), 10**9):
            reads.clear()
            tracemalloc.start()
            found = together(near_pairs(watched, 0.8, memory=memory))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < memory
            assert (len(reads) > 50) is (memory < 10**9)
            assert max(part.stop - part.start for part in reads) <= 256, "4 MB of float64"
            assert equal(found, expected)
            assert len(found[0]) == 101 * 100 // 2 + 100 * 99 // 2


def test_a_hundred_thousand_copies_are_counted_in_no_time_and_come_out_a_block_at_a_time():
    rows = np.ones((100_000, 3), np.float32)
    rows[-1] = [1, 1, 1.01]
    few = list(near_pairs(rows, 0.9, every=False))
    assert sum(block.count for block in few) == 100_000 * 99_999 // 2
    first, second, cosine = together(few)
    assert not first.any()
    assert second.tolist() == list(range(1, 100_000))
    assert (cosine[:-1] == 1).all()
    assert 0.99 < cosine[-1] < 1
    tracemalloc.start()
    last = -1, -1
    for block in islice(near_pairs(rows, 0.9), 3):
        assert block.count == len(block) <= 1 << 16
        assert (block.cosine == 1).all()
        assert (block.first[0], block.second[0]) > last
        last = block.first[-1], block.second[-1]
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_copies_that_are_left_out_are_counted(rows):
    every = list(near_pairs(rows, 0.5))
    few = list(near_pairs(rows, 0.5, every=False))
    assert sum(map(len, few)) < sum(map(len, every))
    assert sum(block.count for block in few) == sum(block.count for block in every)
    assert as_dict(*together(few)).items() <= as_dict(*together(every)).items()


def test_pairs_of_copies_come_out_first_and_each_in_the_order_of_its_first_equal_row():
    a, b = [1, 0], [1, 0.01]
    rows = np.array([a, b, a, a], np.float32)
    first, second, _ = together(near_pairs(rows, 0.9))
    assert list(zip(first, second, strict=True)) == [(0, 2), (0, 3), (2, 3), (0, 1), (1, 2), (1, 3)]


def test_rows_of_zeros_are_in_no_pair_not_even_with_each_other():
    rows = np.array([[0, 0], [1, 0], [0, 0], [-0.0, 0], [1, 0]], np.float32)
    assert together(near_pairs(rows, 0.01))[:2] == ([1], [4])


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (3, 0)])
def test_where_there_is_no_pair_none_comes(shape):
    assert list(near_pairs(np.ones(shape, np.float32), 0.5)) == []


def test_rows_that_are_no_numbers_are_named():
    rows = np.ones((9, 2), np.float32)
    rows[1:8, 0] = [np.nan, np.inf, 1, -np.inf, np.nan, np.nan, np.nan]
    with pytest.raises(
        SearchError, match=r"^6 rows with NaN or infinite numbers \(number 1, number 2, number 4"
    ):
        list(near_pairs(rows, 0.5))
    with pytest.raises(SearchError, match=r" \(b\.jpg, c\.jpg, e"):
        list(near_pairs(rows, 0.5, ids=[f"{letter}.jpg" for letter in "abcdefghi"]))


def test_how_far_it_is_is_told_and_never_goes_back(rows):
    told = []
    with following(told.append):
        list(near_pairs(rows, 0.3, block=8))
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done[-1] == told[-1].total > 30
    assert {progress.unit for progress in told} == {"pairs"}


def test_pairs_have_a_length_and_a_short_repr():
    place = np.arange(3)
    pairs = Pairs(first=place, second=place + 3, cosine=np.ones(3), count=3)
    assert len(pairs) == 3
    assert len(repr(pairs)) < 200
