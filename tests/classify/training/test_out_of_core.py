"""Training on rows that stay on disk, beside the same training with all rows in memory."""

import os
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest
from sklearn.preprocessing import normalize

from penult.classify.linear.passes import StoredRows
from penult.classify.loading import load_classifier
from penult.classify.options import TrainOptions
from penult.classify.training.train import train
from penult.classify.training.training_set import TrainingSet
from penult.errors import TrainingError
from penult.partition.rows import read_blocks

COUNTS = {"daisy": 150, "rose": 120, "tulip": 130}
TWO = {"daisy": 150, "rose": 120}
GRID = {"C": [0.1, 1, 10], "alpha": [0.1, 1, 10]}
# Rows of 12 numbers: 400 of them and their copies need 115 kB.
SMALL = 80_000


@pytest.fixture
def on_disk(make_features, tmp_path):
    """The same features as `make_features` gives, their rows in an HDF5 file."""
    files = []

    def make(counts, *, dtype="float32", **options):
        features = make_features(counts, width=12, noise=1.3, **options)
        features.features[:, 5:] += 4  # neither centred nor of one length
        files.append(h5py.File(tmp_path / f"{len(files)}.h5", "w"))
        rows = files[-1].create_dataset(
            "features", data=features.features.astype(dtype), chunks=(64, 12)
        )
        return make_features(counts, width=12, noise=1.3, **options | {"features": rows})

    yield make
    for file in files:
        file.close()


@pytest.mark.parametrize(
    ("scale", "dtype"), [("l2", "float32"), ("standard", "float16"), ("none", "float32")]
)
@pytest.mark.parametrize("classifier", ["logistic", "svm", "ridge", "centroid"])
@pytest.mark.parametrize("counts", [COUNTS, TWO], ids=["three classes", "two classes"])
def test_rows_on_disk_give_the_classifier_that_rows_in_memory_give(
    on_disk, counts, classifier, scale, dtype
):
    features = on_disk(counts, dtype=dtype)
    grid = {k: v for k, v in GRID.items() if k == {"ridge": "alpha"}.get(classifier, "C")}
    options = {"classifier": classifier, "scale": scale}
    if classifier != "centroid":
        options["grid"] = grid
    held = train(features, **options)
    streamed = train(features, **options, max_memory=SMALL)
    assert streamed.settings.params == held.settings.params
    told = zip(
        held.held_out.probability, *(x.held_out.predicted for x in (held, streamed)), strict=True
    )
    assert all(one == other for probability, one, other in told if probability > 0.501)
    for mine, theirs in zip(streamed.settings.grid, held.settings.grid, strict=True):
        assert mine.mean == pytest.approx(theirs.mean, abs=0.005)
    rows = np.asarray(features.features, np.float32)
    mine, theirs = streamed.predict_features(rows), held.predict_features(rows)
    assert (mine.argmax(axis=1) == theirs.argmax(axis=1)).mean() >= 0.995
    np.testing.assert_allclose(mine, theirs, atol=0.01)


def test_refit_and_several_classifiers_work_on_disk_too(on_disk, tmp_path):
    features = on_disk(COUNTS)
    options = {"classifier": ["ridge", "logistic"], "grid": GRID, "scale": "standard"}
    held, streamed = (
        train(features, **options, refit=True, max_memory=m) for m in (None, SMALL)
    )  # fmt: skip
    assert streamed.settings.params == held.settings.params
    np.testing.assert_allclose(
        streamed.pipeline[0].mean_, np.asarray(features.features).mean(axis=0), rtol=1e-4
    )
    streamed.save(tmp_path / "a.skops")
    rows = features.features[:20]
    loaded = load_classifier(tmp_path / "a.skops")
    assert (loaded.predict_features(rows) == streamed.predict_features(rows)).all()


def test_groups_small_classes_and_unlabelled_rows_are_what_they_are_in_memory(on_disk):
    counts = {"ash": 2, **COUNTS}
    groups = [f"plant {i // 2}" for i in range(402)]
    features = on_disk(counts, groups=groups)
    features.labels[::10] = -1
    options = {"min_per_class": 5, "grid": {"C": [1]}, "runs": 2}
    held, streamed = (train(features, **options, max_memory=m) for m in (None, SMALL))
    assert streamed.held_out.ids == held.held_out.ids
    assert streamed.scores.accuracy == held.scores.accuracy
    assert streamed.settings.left_out == held.settings.left_out
    assert streamed.settings.runs == held.settings.runs


def test_one_byte_of_memory_is_slow_but_right(on_disk):
    features = on_disk({"daisy": 40, "rose": 30})
    held, streamed = (
        train(features, grid={"C": [1]}, max_memory=m) for m in (None, 1)
    )  # fmt: skip
    assert streamed.held_out.predicted == held.held_out.predicted


def test_progress_counts_the_same_fits(on_disk):
    features = on_disk(COUNTS)
    seen = []
    train(
        features,
        classifier=["logistic", "centroid"],
        grid={"C": [1, 10]},
        max_memory=SMALL,
        progress=seen.append,
    )
    assert [p.done for p in seen] == list(range(11))
    assert {p.total for p in seen} == {10}


@pytest.mark.parametrize("classifier", ["knn", "forest"])
def test_classifiers_that_need_all_rows_at_once_say_so(on_disk, classifier):
    with pytest.raises(TrainingError, match=f"{classifier} needs all .* logistic, svm, ridge"):
        train(on_disk(COUNTS), classifier=classifier, max_memory=SMALL)


def test_ridge_says_what_its_products_need(on_disk):
    with pytest.raises(TrainingError, match="ridge on rows of 12 numbers needs"):
        train(on_disk(COUNTS), classifier="ridge", max_memory=5000)


def test_a_row_that_is_no_number_is_named(on_disk):
    features = on_disk(COUNTS)
    features.features[3, 2] = np.nan
    with pytest.raises(TrainingError, match=r"1 row with NaN .*: daisy/003\.jpg;"):
        train(features, max_memory=SMALL)


@pytest.mark.parametrize("block_bytes", [1, 500, 1 << 20])
def test_blocks_of_any_size_hold_each_row_once(on_disk, block_bytes):
    features = on_disk(COUNTS)
    wanted = np.array([0, 1, 5, 63, 64, 200, 399])
    got = np.zeros((7, 12))
    for part, block in read_blocks(features, wanted, block_bytes=block_bytes):
        assert block.dtype == np.float32
        got[part] += block
    assert (got == features.features[:][wanted]).all()


PROGRAM = """
    import resource, sys
    import h5py, numpy as np
    from penult.classify.training import search
    from penult.classify.training import out_of_core
    from penult.classify.evaluation import evaluate
    from penult.classify.training.train import train
    from penult.partition.rows import read_rows
    from penult.recipe import Preprocessing, Recipe
    from penult.records import Features
    import sklearn.linear_model, sklearn.model_selection, sklearn.calibration, scipy.optimize
    import psutil
    n, width = 40_000, 256
    labels = np.arange(n) % 4
    with h5py.File(sys.argv[1], "w") as file:
        rows = file.create_dataset("features", (n, width), "float32", chunks=(256, width))
        rng = np.random.default_rng(0)
        for start in range(0, n, 8000):
            part = slice(start, start + 8000)
            rows[part] = np.eye(4, width)[labels[part]] + rng.normal(size=(8000, width))
    pre = Preprocessing(resize=8, crop=None, interpolation="box", mean=(0,), std=(1,))
    recipe = Recipe(architecture="a", weights_sha256="b", layer="c", pooling="d", preprocessing=pre)
    rows = h5py.File(sys.argv[1])["features"]
    features = Features(features=rows, ids=[*map(str, range(n))], labels=labels,
                        label_names=tuple("abcd"), recipe=recipe)
    np.ones((512, 512), np.float32) @ np.ones((512, 512), np.float32)  # BLAS takes its own memory
    most = psutil.Process().memory_info().data + (36 << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        read_rows(features, np.arange(n))
        sys.exit("41 MB fit into 36 MB")
    except MemoryError:
        pass
    print(train(features, grid={"C": [0.01]}, folds=2).scores.accuracy)  # the quickest to find
"""


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rows_of_length_one_are_those_of_scikit_learn_to_the_last_bit(make_features, dtype):
    features = make_features({"daisy": 40, "rose": 30}, width=257)
    rows = features.features * np.float32(10) ** np.arange(-35, 35)[:, None] / 30  # some overflow
    rows = rows.astype(np.float32) if dtype == "float32" else features.features.astype(dtype)
    rows[3] = 0
    rows[4] = 1e-8  # shorter than what scikit-learn takes for a length
    features = make_features({"daisy": 40, "rose": 30}, width=257, features=rows.copy())
    stored = StoredRows(features, np.arange(70), True, 1 << 20)
    with np.errstate(over="ignore"):
        found = stored.take(np.arange(70))
    theirs = normalize(rows.astype(np.float32))
    np.testing.assert_array_equal(found.view(np.uint32), theirs.view(np.uint32))
    np.testing.assert_array_equal(features.features, rows)  # which are the caller's


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts data against the limit")
def test_a_file_larger_than_the_memory_is_trained_on_and_scored(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), tmp_path / "rows.h5"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    # The best there is: the integral of pdf(x - 1) cdf(x)^3 of the normal distribution.
    assert float(done.stdout) == pytest.approx(0.552, abs=0.015)


@pytest.mark.parametrize(
    ("classes", "folds", "needed"),
    [
        # 240 rows of 12 numbers: 3 copies of each and one more, and the parts of all folds but one;
        # of each class 4 numbers, or 2 for each fold but one.
        (2, 3, 240 * 4 * ((4 + 2) * 12 + 4 * 2)),
        (60, 3, 240 * 4 * ((4 + 2) * 12 + 4 * 60)),
        (2, 7, 240 * 4 * ((4 + 6) * 12 + 12 * 2)),
    ],
)
def test_rows_are_held_where_there_is_room_for_what_each_class_and_fold_takes(
    make_features, classes, folds, needed
):
    features = make_features({f"class {k}": 240 // classes for k in range(classes)}, width=12)
    options = TrainOptions(folds=folds)
    split = options.split(features)
    fits, misses = (
        TrainingSet.read(features, split, memory, options=options)
        for memory in (needed, needed - 1)
    )
    assert fits.held is not None
    assert misses.held is None


@pytest.mark.parametrize(("columns", "most"), [(0, 100), (12, 100), (120, 10), (1200, 1)])
def test_fewer_rows_are_read_at_a_time_where_much_is_made_of_each(make_features, columns, most):
    features = make_features({"daisy": 100, "rose": 100}, width=12)
    stored = StoredRows(features, np.arange(200), False, memory=16 * 100 * 12 * 4)
    parts = [part for part, _ in stored.blocks(columns)]
    assert max(part.stop - part.start for part in parts) == most
    assert parts[-1].stop == 200
