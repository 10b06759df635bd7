"""Debiased linear CKA: by hand, as the papers write it, and never an (n, n) matrix."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import permutations
from math import isnan, sqrt

import h5py
import numpy as np
import pytest

from penult.similarity import cka as module
from penult.similarity.cka import debiased_cka, u_centered, within
from penult.similarity.rows import MEMORY, CenteredRows, RowBlocks

pytestmark = [pytest.mark.light, pytest.mark.once]


def fresh():
    """What a test draws does not depend on the tests before it."""
    return np.random.default_rng(7)


RNG = np.random.default_rng(0)
SHARED = RNG.normal(size=(60, 5))
# Alike in part: the first numbers are the same. More numbers than images, fewer, and both.
LONG = np.hstack([SHARED, RNG.normal(size=(60, 95))])
SHORT = np.hstack([SHARED, RNG.normal(size=(60, 3))])
MIDDLING = np.hstack([SHARED, RNG.normal(size=(60, 50))])
PAIRS = [(LONG, MIDDLING), (LONG, SHORT), (SHORT, MIDDLING), (SHORT, SHORT[:, ::-1] ** 2)]


def centered(rows, name="a", **options):
    return CenteredRows(RowBlocks(rows, name), **options)


def streamed(a, b, **options):
    return debiased_cka(centered(a), centered(b, "b"), **options)


def hsic_1(k, l):  # noqa: E741 - as Song et al. call them
    """HSIC_1 as equation 5 of Song et al. 2012 has it, with whole matrices."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))  # noqa: E741
    ones = np.array([1] * n)
    last = (k @ l).sum()
    both = (ones @ k @ ones) * (ones @ l @ ones)
    return (np.trace(k @ l) + both / ((n - 1) * (n - 2)) - 2 * last / (n - 2)) / (n * (n - 3))


def literal(a, b):
    k, l = a @ a.T, b @ b.T  # noqa: E741
    return hsic_1(k, l) / sqrt(hsic_1(k, k) * hsic_1(l, l))


def by_columns_as_kornblith_has_it(a, b):
    """`feature_space_linear_cka(debiased=True)` of the notebook beside Kornblith et al. 2019."""
    a, b, n = a - a.mean(axis=0), b - b.mean(axis=0), len(a)

    def debiased(x, y):
        of_x, of_y = (x**2).sum(axis=1), (y**2).sum(axis=1)
        products = ((x.T @ y) ** 2).sum()
        return products - n / (n - 2) * of_x @ of_y + of_x.sum() * of_y.sum() / ((n - 1) * (n - 2))

    return debiased(a, b) / sqrt(debiased(a, a) * debiased(b, b))


def biased(a, b):
    """CKA with the HSIC that Kornblith et al. 2019 print, divided by (n-1)²."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norms = [np.linalg.norm(one) for one in (a.T @ b, a.T @ a, b.T @ b)]
    return norms[0] ** 2 / (norms[1] * norms[2])


def test_four_images_by_hand():
    # Of a, the pairs 12 and 34 have products of 1, the others -1; U-centred 4/3, and -2/3. Of b,
    # 14 has -1, the others 0; U-centred 14 and 23 are -1/3, the others 1/6. The sums over all
    # i ≠ j: a·a 32/3, b·b 2/3, a·b 4/3; so (4/3) / √(64/9).
    a, b = np.array([[1], [1], [-1], [-1]]), np.array([[1], [0], [0], [-1]])
    third = 1 / 3
    np.testing.assert_allclose(
        2 * u_centered(centered(b)),
        [
            [0, third, third, -2 * third],
            [third, 0, -2 * third, third],
            [third, -2 * third, 0, third],
            [-2 * third, third, third, 0],
        ],
        atol=1e-15,
    )
    assert streamed(a, b) == pytest.approx(1 / 2, rel=1e-14)


def test_five_images_in_fractions():
    """Beside what HSIC_1 estimates, written out over every four different images."""

    def exact(rows):
        return np.array([[Fraction(number) for number in row] for row in rows], object)

    def over_fours(k, l):  # noqa: E741
        fours = list(permutations(range(5), 4))
        return sum(k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q]) for i, j, q, r in fours) / len(fours)

    a = exact([[1, 2, 0], [0, 1, 4], [3, 3, 1], [2, 0, 0], [1, 1, 5]])
    b = exact([[2, 1], [1, 5], [0, 3], [2, 2], [0, 7]])
    k, l = a @ a.T, b @ b.T  # noqa: E741
    found = [over_fours(*both) for both in ((k, l), (k, k), (l, l))]
    assert found == [hsic_1(*both) for both in ((k, l), (k, k), (l, l))]
    assert found == [Fraction(148, 5), Fraction(69, 2), 32]
    # (148/5)² / (69/2 · 32) = 37² / 1725
    assert streamed(a.astype(float), b.astype(float)) == pytest.approx(37 / sqrt(1725), rel=1e-13)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_it_is_what_the_papers_write(a, b):
    assert streamed(a, b) == pytest.approx(literal(a, b), abs=1e-13)
    assert streamed(a, b) == pytest.approx(by_columns_as_kornblith_has_it(a, b), abs=1e-12)
    assert streamed(b, a) == pytest.approx(streamed(a, b), abs=1e-13)


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize("memory", [1, 3_000, 20_000, 1_000_000])
def test_it_is_the_same_in_blocks_of_any_size_and_either_way(a, b, memory):
    whole = streamed(a, b)
    assert streamed(a, b, memory=memory) == pytest.approx(whole, abs=1e-12)
    small = [centered(one, block_bytes=memory) for one in (a, b)]
    assert debiased_cka(*small, memory=memory) == pytest.approx(whole, abs=1e-12)
    for one, other in (small, small[:1] * 2):
        tiles, *own = module._by_tiles(one, other, memory)
        columns = module._by_columns(one, other, memory)
        assert own == pytest.approx([within(one), within(other)], rel=1e-10)
        assert tiles == pytest.approx(columns, rel=1e-10)


def test_the_way_that_costs_less_is_taken(monkeypatch):
    taken, ways = [], {way: getattr(module, way) for way in ("_by_tiles", "_by_columns")}
    for way, take in ways.items():

        def noted(a, b, memory, way=way, take=take):
            taken.append((way, a.width, b.width))
            return take(a, b, memory)

        monkeypatch.setattr(module, way, noted)
    long, middling, short = map(centered, (LONG, MIDDLING, SHORT))
    debiased_cka(long, middling)  # all of it at once
    assert taken == [("_by_tiles", 100, 55)]
    taken.clear()
    own = within(long), within(short)
    debiased_cka(long, short, own=own)
    assert taken == [("_by_tiles", 100, 100), ("_by_columns", 8, 8), ("_by_columns", 100, 8)]


def test_it_does_not_see_a_rotation_a_shift_or_a_scale():
    turn, _ = np.linalg.qr(fresh().normal(size=(55, 55)))
    value = streamed(LONG, MIDDLING)
    assert streamed(LONG, 7 * MIDDLING @ turn + 3) == pytest.approx(value, abs=1e-12)
    assert streamed(MIDDLING, -MIDDLING) == pytest.approx(1, abs=1e-15)
    # It does see single numbers being scaled, as no measure of all of them should be blind to.
    assert abs(streamed(LONG, MIDDLING * np.arange(55)) - value) > 0.01


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_no_scale_overflows(scale):
    assert streamed(LONG * scale, MIDDLING) == pytest.approx(streamed(LONG, MIDDLING), abs=1e-12)


def test_rows_that_have_nothing_to_do_with_each_other_are_about_0_however_few():
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(size=(32, 512)), rng.normal(size=(32, 256))) for _ in range(40)]
    values = np.array([streamed(*pair) for pair in pairs])
    # Of 32 images and many numbers, one value spreads by about 1 / √(32·29 / 2).
    assert np.abs(values.mean()) < 3 * 0.046 / sqrt(40)
    assert np.abs(values).max() < 4 * 0.046
    assert min(biased(*pair) for pair in pairs) > 0.8


@pytest.mark.parametrize("way", ["_by_tiles", "_by_columns"])
def test_large_means_lose_no_digits(way, monkeypatch):
    rng = np.random.default_rng(2)
    a, b = rng.integers(-9, 9, (30, 40)).astype(float), rng.integers(-9, 9, (30, 20)).astype(float)
    b[:, :10] += a[:, :10]
    exact = literal(a, b)
    monkeypatch.setattr(module, "_tiles_cost_less", lambda *_, **__: way == "_by_tiles")
    assert streamed(a + 2**30, b - 2**40) == pytest.approx(exact, abs=1e-12)
    # As it stands there, without the mean subtracted first, digits are lost with much less.
    assert literal(a + 2**14, b) != pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(
    "rows",
    [
        np.full((6, 3), 0.1),
        np.zeros((6, 3)),
        np.eye(6),  # no two are more alike than any other two
        np.eye(6, dtype=np.float32) * np.float32(0.3),
    ],
)
def test_rows_among_which_none_are_more_alike_have_no_value(rows):
    assert isnan(within(centered(rows)))
    other = np.random.default_rng(3).normal(size=(6, 4))
    assert isnan(streamed(rows, other))
    assert isnan(streamed(other, rows))


def test_no_matrix_of_images_by_images_or_of_columns_by_columns_is_held():
    many, long, both = (fresh().normal(size=of) for of in ((2_000, 20), (40, 3_000), (700, 2_000)))
    assert min(2_000**2, 3_000**2, both.size) * 8 > 10 << 20
    tracemalloc.start()
    try:
        for rows in (many, long, both):
            a = centered(rows, block_bytes=1 << 20)
            for way in (module._by_tiles, module._by_columns):
                tracemalloc.reset_peak()
                before, _ = tracemalloc.get_traced_memory()
                way(a, a, 4 << 20)
                _, peak = tracemalloc.get_traced_memory()
                assert peak - before < 6 << 20
    finally:
        tracemalloc.stop()


def test_rows_on_disk_are_read_in_blocks_in_whatever_order(tmp_path):
    order = np.random.default_rng(4).permutation(60)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        rows = file.create_dataset("rows", data=MIDDLING.astype(np.float32)[order])
        places = np.argsort(order)
        a = CenteredRows(RowBlocks(rows, "a", places), block_bytes=2_000)
        b = centered(LONG, "b")
        value = debiased_cka(a, b, memory=9_000)
    assert value == pytest.approx(streamed(MIDDLING.astype(np.float32), LONG), abs=1e-13)


def test_the_memory_that_is_taken_is_always_the_same():
    assert MEMORY == 256 << 20  # what is free would decide the last digits
