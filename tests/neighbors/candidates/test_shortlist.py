import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from penult.neighbors import exact
from penult.neighbors.candidates import faiss_flat, shortlist
from penult.neighbors.candidates.faiss_flat import is_of_use, largest_products
from penult.neighbors.exact import nearest

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed"),
]


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.setattr(faiss_flat, "_LEAST_SINGLE", 0)
    monkeypatch.setattr(faiss_flat, "_LEAST_HALF", 0)
    rows = np.random.default_rng(0).standard_normal((500, 12)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def screened(monkeypatch):
    """How many queries were left to be screened, each time that some were."""
    counts, screen = [], exact._screen

    def watched(block, batch, *given):
        counts.append(len(batch))
        screen(block, batch, *given)

    monkeypatch.setattr(exact, "_screen", watched)
    return counts


def same(found, expected):
    np.testing.assert_array_equal(found.places, expected.places)
    np.testing.assert_array_equal(found.values, expected.values)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("cores", [1, 3, 700])
def test_the_largest_products_are_found_where_the_rows_lie(dtype, cores, rows, monkeypatch):
    monkeypatch.setattr("penult.neighbors.candidates.faiss_half.cores", lambda: cores)
    rows = rows.astype(dtype)
    products, places = largest_products(rows, rows[:40].astype(np.float32), 9)
    exact = rows[:40].astype(np.float64) @ rows.T.astype(np.float64)
    assert (places == np.argsort(-exact, axis=1)[:, :9]).all()
    np.testing.assert_allclose(products, -np.sort(-exact, axis=1)[:, :9], atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_what_faiss_finds_is_screened_no_more(metric, rows, screened):
    given = {"metric": metric, "leave_out": np.arange(40)}
    found = nearest(rows, rows[:40], 5, **given)
    assert screened == []
    same(found, nearest(rows[:, None], rows[:40], 5, allowed=np.ones(500, bool), **given))
    assert screened == [40]


def test_queries_with_many_rows_equally_near_are_screened(rows, screened):
    rows[:50] = rows[0]
    found = nearest(rows, rows[40:80], 5)
    assert 10 <= screened[0] < 15  # some others have the fifty among their nearest
    assert found.places[:10].tolist() == [[0, 1, 2, 3, 4]] * 10
    assert (found.values[:10] == 1).all()


def test_products_that_are_off_by_more_than_they_may_are_not_trusted(rows, screened, monkeypatch):
    expected = nearest(rows, rows[:40], 5)

    def rough(*given):
        products, places = largest_products(*given)
        products[7] += np.float32(0.01)
        return products, places

    monkeypatch.setattr(shortlist, "largest_products", rough)
    same(nearest(rows, rows[:40], 5), expected)
    assert screened == [1]


def test_rows_of_unlike_lengths_are_screened(rows, screened):
    rows[3] *= 2
    nearest(rows, rows[:40], 5)
    assert screened == [40]


def test_faiss_is_asked_only_where_it_is_faster_or_there(rows, monkeypatch):
    assert is_of_use(rows, 40, 10)
    assert not is_of_use(rows, 1, 10)  # one query NumPy compares as fast as memory is read
    assert is_of_use(rows.astype(np.float16), 1, 10)
    assert not is_of_use(rows.astype(np.float16), 40, 10)
    assert not is_of_use(rows, 40, 100)
    monkeypatch.setattr(faiss_flat, "is_installed", lambda name: False)
    assert not is_of_use(rows, 40, 10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_child_of_a_process_that_searched_searches_too(dtype, rows, screened):
    import faiss

    given, queries = rows.astype(dtype), rows[:40] if dtype == np.float32 else rows[:2]
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    try:
        expected = nearest(given, queries, 5)
        child = os.fork()
        if not child:
            signal.alarm(30)  # where it waits for threads that it has not
            try:
                same(nearest(given, queries, 5), expected)
                os._exit(0)
            finally:
                os._exit(1)
    finally:
        faiss.omp_set_num_threads(threads)
    assert os.waitpid(child, 0)[1] == 0
    assert screened == []


def test_faiss_is_not_imported_for_little():
    code = (
        "import sys, numpy as np; from penult.neighbors.exact import nearest; "
        "x = np.ones((100, 4), np.float32); nearest(x, x, 3); assert 'faiss' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
