import importlib.util
import sys
import warnings
from functools import partial

import numpy as np
import pytest
from map_rows import blobs, features_of
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

import penult
from penult.errors import MissingExtraError, TrainingError, UsageError
from penult.explore.components import find_components
from penult.explore.part import choose_rows
from penult.explore.row_map import make
from penult.explore.row_map import tsne as tsne_module
from penult.explore.row_map.umap import choose_neighbors

HAS_UMAP = importlib.util.find_spec("umap") is not None
METHODS = [
    "pca",
    "tsne",
    pytest.param(
        "umap",
        marks=pytest.mark.skipif(not HAS_UMAP, reason="needs the extra umap"),
    ),
]
HALF = ["train", "train", "train", "train", "test", "test", "test", "test"] * 6


@pytest.fixture(autouse=True)
def _interpreted(request, monkeypatch):
    """UMAP of a few rows takes less time in Python than numba takes to compile it.

    A tenth of its 500 epochs puts rows apart that are as far apart as these.
    """
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    _tell_numba(1)
    if "umap" in request.node.name.split("[")[-1]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import umap
        monkeypatch.setattr(umap, "UMAP", partial(umap.UMAP, n_epochs=50))
    yield
    _tell_numba(0)


def _tell_numba(disable):
    """Numba reads its environment when it is imported, and later only now and then."""
    if "numba" in sys.modules:
        sys.modules["numba"].config.DISABLE_JIT = disable


def nearest_labels(xy, labels):
    """Of each point the label of its nearest other."""
    away = np.linalg.norm(xy[:, None] - xy, axis=2)
    np.fill_diagonal(away, np.inf)
    return labels[away.argmin(axis=1)]


def test_pca_is_that_of_scikit_learn_on_rows_of_length_one():
    rows = np.random.default_rng(0).standard_normal((30, 6))
    found = penult.map(features_of(rows), method="pca", progress=False)
    theirs = PCA(2).fit(normalize(rows))
    np.testing.assert_allclose(found.xy, theirs.transform(normalize(rows)), atol=1e-5)
    assert found.explained_variance == pytest.approx(theirs.explained_variance_ratio_, rel=1e-4)
    straight = penult.map(features_of(rows), method="pca", metric="euclidean", progress=False)
    np.testing.assert_allclose(straight.xy, PCA(2).fit_transform(rows), atol=1e-5)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_puts_each_row_beside_its_like_and_a_seed_gives_it_again(method):
    features = blobs(3)
    first, second = (penult.map(features, method=method, progress=False) for _ in range(2))
    np.testing.assert_array_equal(first.xy, second.xy)
    assert first.xy.dtype == np.float32
    assert (nearest_labels(first.xy, features.labels) == features.labels).all()


@pytest.mark.parametrize("method", METHODS)
def test_other_rows_are_placed_on_a_map_that_stays_where_it_is(method):
    features = blobs(4, splits=HALF)
    whole = penult.map(features, method=method, fit_on="train", seed=1, progress=False)
    fitted = np.array(HALF) == "train"
    np.testing.assert_array_equal(whole.placed, ~fitted)
    alone = penult.map(features.take(fitted), method=method, seed=1, progress=False)
    span = np.ptp(alone.xy, axis=0).max()
    np.testing.assert_allclose(whole.xy[fitted], alone.xy, atol=1e-4 * span)
    # Each of the others is nearer to a fitted row of its own blob than to any of another.
    away = np.linalg.norm(whole.xy[~fitted][:, None] - whole.xy[fitted], axis=2)
    assert (features.labels[fitted][away.argmin(axis=1)] == features.labels[~fitted]).all()
    assert "fitted on train (24), the others placed on it" in whole.method_line


def test_a_copy_is_placed_beside_its_original_on_a_lopsided_map():
    rng = np.random.default_rng(0)
    labels = np.array([0] * 40 + [1] * 6 + [2] * 4)
    rows = 20 * np.eye(8)[labels] + rng.standard_normal((50, 8))
    features = features_of([*rows, *rows], splits=["train"] * 50 + ["test"] * 50)
    xy = penult.map(features, fit_on="train", progress=False).xy
    apart = np.linalg.norm(xy[50:] - xy[:50], axis=1)
    # openTSNE moves a map to its middle when it places rows: not before the fitted were read off.
    assert np.median(apart) < 0.02 * np.ptp(xy[:, 0])


@pytest.mark.parametrize("method", METHODS)
def test_rows_in_a_line_are_in_order_on_a_map(method):
    rows = np.arange(12.0)[:, None] * [1, 2, 0]
    found = penult.map(features_of(rows), method=method, metric="euclidean", progress=False)
    assert np.isfinite(found.xy).all()
    assert found.quality.kept > 0.6


def test_a_plane_keeps_its_neighbors_however_it_is_turned():
    rng = np.random.default_rng(0)
    # In a plane, where a map can keep all: 5 × 5 rows on a grid.
    grid = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2) + 0.1 * rng.random(
        (25, 2)
    )
    turned = grid @ np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
    found = penult.map(features_of(turned), method="pca", metric="euclidean", progress=False)
    assert found.quality.kept > 0.999
    assert found.quality.trustworthiness == pytest.approx(1)


def test_blobs_keep_their_members_as_neighbors():
    # Eleven in each: the ten nearest of a row are the others of its blob.
    found = penult.map(blobs(6, 11), progress=False)
    assert found.quality.kept > 0.95
    assert found.quality.trustworthiness > 0.99


def test_noise_of_many_dimensions_keeps_hardly_more_than_chance():
    rows = np.random.default_rng(0).standard_normal((200, 200))
    found = penult.map(features_of(rows), method="pca", metric="euclidean", progress=False)
    assert found.quality.chance == pytest.approx(10 / 199)
    assert found.quality.kept < 3 * found.quality.chance
    # Each of 199 directions has about as much of the variance as any other.
    assert sum(found.explained_variance) < 0.04


def test_the_number_of_cores_does_not_change_a_map(monkeypatch):
    monkeypatch.setattr(tsne_module, "_EARLY", 5)
    monkeypatch.setattr(tsne_module, "_ITERATIONS", 5)
    features = blobs(3)
    one = penult.map(features, progress=False)
    monkeypatch.setattr(tsne_module, "_ROWS_FOR_THREADS", 0)
    monkeypatch.setattr(tsne_module, "cores", lambda: 2)
    two = penult.map(features, progress=False)
    np.testing.assert_array_equal(one.xy, two.xy)


def test_very_many_rows_have_approximate_neighbors(monkeypatch):
    features = blobs(4, splits=HALF)
    monkeypatch.setattr(tsne_module, "_EXACT_ROWS", 10)
    found = penult.map(features, fit_on="train", progress=False)
    assert (nearest_labels(found.xy, features.labels) == features.labels).all()


def test_progress_counts_iterations_up_to_the_last():
    told = []
    penult.map(blobs(3), progress=told.append)
    counted = [(p.done, p.total) for p in told if p.stage == "t-SNE"]
    assert counted[-1] == (750, 750)
    assert counted == sorted(counted)


def test_tsne_of_very_many_rows_says_what_is_quicker_before_it_begins(monkeypatch, caplog):
    monkeypatch.setattr(make, "_LONG_ROWS", 59)
    penult.map(blobs(6, 10), method="pca", progress=False)
    assert caplog.messages == []
    penult.map(blobs(6, 10), progress=False)
    assert caplog.messages == [
        "penult: t-SNE of 60 rows may take more than an hour; sample=20000 draws a random part of "
        "them, and method='pca' takes minutes"
    ]
    caplog.clear()
    penult.map(blobs(6, 10), sample=59, progress=False)
    assert caplog.messages == []


def test_rows_whose_neighbours_were_found_are_counted(monkeypatch):
    monkeypatch.setattr(tsne_module, "_ASKED_AT_ONCE", 25)
    told = []
    found = penult.map(blobs(6, 10), progress=told.append)
    counted = [(p.done, p.total) for p in told if p.stage == "nearest neighbours" and p.counted]
    assert counted == [(25, 60), (50, 60), (60, 60)]
    monkeypatch.undo()
    assert np.array_equal(found.xy, penult.map(blobs(6, 10), progress=False).xy)


def test_rows_that_are_placed_are_counted_as_such_and_not_as_iterations():
    told = []
    parts = ["train", "train", "test"] * 20
    penult.map(blobs(6, 10, splits=parts), fit_on="train", progress=told.append)
    assert [p.done for p in told if p.stage == "t-SNE"].count(750) == 1
    assert [(p.done, p.total) for p in told if p.stage == "place other rows"] == [(20, 20)]


def test_a_sample_is_of_so_many_rows_and_says_so():
    features = blobs(4)
    found = penult.map(features, method="pca", sample=20, progress=False)
    assert len(found) == 20
    assert found.total == 48
    assert found.method_line.startswith("PCA of 20 of 48 rows")
    places = [int(one.removesuffix(".jpg")) for one in found.ids]
    assert places == sorted(places)
    assert found.columns["label"] == tuple(f"blob {k % 4}" for k in places)
    other = penult.map(features, method="pca", sample=20, seed=1, progress=False)
    assert other.ids != found.ids
    assert len(penult.map(features, method="pca", sample=99, progress=False)) == 48


def test_rows_of_one_direction_lie_on_a_line_and_equal_rows_are_refused():
    line = np.outer(np.arange(1, 9), [1, 2, 3])
    found = penult.map(features_of(line), method="pca", metric="euclidean", progress=False)
    assert (found.xy[:, 1] == 0).all()
    assert found.explained_variance == pytest.approx((1, 0))
    with pytest.raises(TrainingError, match=r"8 rows are the same.*metric='euclidean'"):
        penult.map(features_of(line), method="pca", progress=False)


def test_a_row_of_zeros_is_on_the_map_and_not_measured():
    rows = np.random.default_rng(0).standard_normal((12, 4))
    rows[3] = 0
    found = penult.map(features_of(rows), method="pca", progress=False)
    assert len(found) == 12
    assert found.quality.measured == 11


def test_rows_with_nan_are_named():
    rows = np.ones((12, 4))
    rows[5, 0] = np.nan
    with pytest.raises(TrainingError, match=r"1 row with NaN.*5\.jpg"):
        penult.map(features_of(rows), method="pca", progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"perplexity": 50}, r"perplexity is 50; allowed for 48 rows: 1 to 15.6"),
        ({"perplexity": 0.5}, r"perplexity is 0.5; allowed"),
        ({"perplexity": 5, "method": "pca"}, r"perplexity is for method='tsne'"),
        ({"neighbors": 5}, r"neighbors is for method='umap'"),
        ({"seed": -1}, r"seed is -1; give a whole number from 0 to"),
        ({"sample": 1}, r"sample is 1; give 2 or more"),
        (
            {"fit_on": "train"},
            r"fit_on='train' fits .* but the rows have no splits; .*train/ and test/",
        ),
        ({"thumbnails": True}, r"thumbnails=True is for a picture; give output='map.png'"),
        ({"color_by": "split"}, r"color_by='split', but these rows have no split; allowed: label"),
        ({"output": ["a.csv", "a.csv"]}, r"a.csv is given twice"),
        ({"output": "map.txt"}, r"map.txt would hold coordinates, a picture of them, or a page"),
        ({"coordinates": "map.csv", "sample": 9}, r"coordinates draws .* so sample has no effect"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(options, message):
    with pytest.raises(UsageError, match=message):
        penult.map(blobs(4), progress=False, **options)


def test_an_empty_part_is_refused_with_those_that_there_are():
    features = blobs(4, splits=HALF)
    with pytest.raises(UsageError, match=r"but the rows are in train, test; leave it out"):
        choose_rows(features, sample=None, seed=0, fit_on="validation")


@pytest.mark.parametrize("rows", [1, 3])
def test_too_few_rows_are_refused(rows):
    with pytest.raises(UsageError, match=r"t-SNE of . rows? has too few neighbours to keep"):
        penult.map(features_of(np.eye(3)[:rows]), progress=False)


def test_umap_keeps_as_many_neighbors_as_there_are():
    assert [choose_neighbors(None, rows) for rows in (100, 16, 15, 4)] == [15, 15, 14, 3]
    with pytest.raises(UsageError, match=r"neighbors is 12; allowed for 12 rows: 2 to 11"):
        choose_neighbors(12, 12)
    with pytest.raises(UsageError, match=r"UMAP of 3 rows has too few"):
        choose_neighbors(None, 3)


def test_umap_without_its_extra_says_what_to_type(monkeypatch):
    monkeypatch.setattr("penult.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[umap\]'$"):
        penult.map(blobs(4), method="umap", progress=False)


def test_rows_are_read_in_blocks_and_only_their_components_are_kept(monkeypatch):
    features = blobs(4)
    whole = find_components(
        features,
        choose_rows(features, sample=None, seed=0, fit_on=None),
        "cosine",
        5,
        lambda _: None,
    )
    monkeypatch.setattr("penult.partition.rows.BLOCK_BYTES", 64)
    read = penult.partition.rows.read_blocks
    monkeypatch.setattr(
        "penult.explore.components.read_blocks",
        lambda *given: read(*given, block_bytes=64),
    )
    parts = find_components(
        features,
        choose_rows(features, sample=None, seed=0, fit_on=None),
        "cosine",
        5,
        lambda _: None,
    )
    np.testing.assert_allclose(parts.rows, whole.rows, atol=1e-5)


def test_threads_of_openmp_are_asked_to_sleep_where_they_are_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "openTSNE", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    import os

    with tsne_module._sleeping_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert "OMP_WAIT_POLICY" not in os.environ
