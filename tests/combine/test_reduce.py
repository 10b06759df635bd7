"""Rows projected onto their principal components: fitted on training rows, applied to all."""

from __future__ import annotations

import tracemalloc

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.errors import OutputExistsError, TrainingError, UsageError
from penult.recipe import AugmentedRecipe, ProjectedRecipe
from penult.records import Failure

pytestmark = [pytest.mark.light, pytest.mark.once]

# Around (5, 7), variance 8/3 along x and 2/3 along y.
CROSS = {"a.jpg": [7, 7], "b.jpg": [3, 7], "c.jpg": [5, 8], "d.jpg": [5, 6]}
ON_THEM = {"a.jpg": [2, 0], "b.jpg": [-2, 0], "c.jpg": [0, 1], "d.jpg": [0, -1]}


def rows(features):
    return dict(zip(features.ids, np.asarray(features.features[:]).tolist(), strict=True))


@pytest.fixture
def cross(file):
    return file(
        "cross",
        CROSS,
        labels={"a.jpg": "rose", "b.jpg": "tulip", "c.jpg": "rose"},
        group={"a.jpg": "g", "b.jpg": "g"},
        failures=[Failure("e.jpg", "torn")],
        origin={"sources": ["/photos"]},
    )


def test_rows_lie_on_their_axes(cross, tmp_path):
    made = penult.reduce(cross, tmp_path / "small.h5", pca=2)
    assert rows(made) == ON_THEM
    assert made.features.dtype == np.float32
    assert (made.name, made.layers) == ("pca2", ("pca2",))
    assert isinstance(made.recipe, ProjectedRecipe)
    assert made.recipe.part == penult.load(cross).recipe
    again = penult.load(tmp_path / "small.h5")
    assert again.recipe == made.recipe
    assert again.recipe.projection.components.tolist() == [[1, 0], [0, 1]]
    assert again.recipe.projection.explained_variance_ratio == 1


def test_whitened_rows_have_variance_one(cross):
    made = penult.reduce(cross, pca=2, whiten=True)
    assert made.features[:].var(axis=0, ddof=1) == pytest.approx([1, 1])
    assert rows(made)["a.jpg"] == pytest.approx([2 / np.sqrt(8 / 3), 0])


def test_all_that_stands_beside_the_rows_is_kept(cross):
    before, made = penult.load(cross), penult.reduce(cross, pca=1)
    for name in ("ids", "label_names", "groups", "content", "failures", "splits", "targets"):
        assert getattr(made, name) == getattr(before, name), name
    assert made.labels.tolist() == before.labels.tolist() == [0, 1, 0, -1]
    assert made.origin["sources"] == ["/photos"]
    assert made.origin["reduced"] == {"fit_on": "all", "rows": 4}


def test_several_labels_are_kept(file):
    labels = {"a.jpg": ["red", "rose"], "b.jpg": "red"}
    made = penult.reduce(file("several", CROSS, labels=labels), pca=1)
    assert made.targets.tolist() == [[True, True], [True, False], [False] * 2, [False] * 2]


@pytest.fixture
def divided(file):
    """The cross trains; what is held out is far away, along y."""
    held_out = {"t.jpg": [5, 107], "v.jpg": [5, -93]}
    split = {"a.jpg": "train", "b.jpg": "train", "c.jpg": "train", "t.jpg": "test",
             "v.jpg": "validation"}  # fmt: skip
    return file("divided", CROSS | held_out, split=split)


def test_components_are_fitted_on_the_training_part_alone(divided):
    made = penult.reduce(divided, pca=2)
    assert rows(made) == ON_THEM | {"t.jpg": [0, 100], "v.jpg": [0, -100]}
    assert made.origin["reduced"] == {"fit_on": "train", "rows": 4}
    assert penult.reduce(divided, pca=2, fit_on="train").recipe == made.recipe
    assert made.splits == ["train", "train", "train", "", "test", "validation"]


def test_or_on_all_rows_where_that_is_asked_for(divided):
    made = penult.reduce(divided, pca=1, fit_on="all")
    assert rows(made)["t.jpg"] == pytest.approx([100])  # along y now
    assert made.origin["reduced"]["rows"] == 6


def test_a_training_part_that_is_not_there_is_refused(cross, file):
    with pytest.raises(UsageError, match=r"cross\.h5 has no splits, so no training part; leave"):
        penult.reduce(cross, pca=1, fit_on="train")
    tested = file("tested", CROSS, split=dict.fromkeys(CROSS, "test"))
    with pytest.raises(UsageError, match=r"no training rows: .*with fit_on='all'$"):
        penult.reduce(tested, pca=1)
    assert len(penult.reduce(tested, pca=1, fit_on="all")) == 4


def test_augmented_rows_are_projected_and_nothing_is_fitted_on_them(file):
    far = {("a.jpg", 1): [5, 1007], ("a.jpg", 2): [6, 7], ("d.jpg", 1): [5, -993]}
    made = penult.reduce(file("augmented", CROSS, views=far), pca=2)
    assert rows(made) == ON_THEM
    found = made.augmented
    assert found.features[:].tolist() == [[0, 1000], [1, 0], [0, -1000]]
    assert (found.of.tolist(), found.view.tolist()) == ([0, 0, 3], [1, 2, 1])
    assert found.recipe == AugmentedRecipe(made.recipe, "light", 0)


def test_maps_are_flattened(file):
    maps = {name: [[x], [y]] for name, (x, y) in CROSS.items()}
    assert rows(penult.reduce(file("maps", maps), pca=2)) == ON_THEM


def test_halves_stay_halves_and_have_to_hold_the_numbers(file):
    assert penult.reduce(file("half", CROSS, dtype="float16"), pca=2).features.dtype == np.float16
    large = {"a.jpg": [60000, 60000], "b.jpg": [-60000, -60000], "c.jpg": [0, 1]}
    with pytest.raises(TrainingError, match=r"float16 cannot hold; extract .* whiten=True"):
        penult.reduce(file("large", large, dtype="float16"), pca=1)
    white = penult.reduce(file("white", large, dtype="float16"), pca=1, whiten=True)
    assert np.isfinite(white.features[:]).all()


def test_a_set_of_rows_is_chosen_by_its_layer(tmp_path):
    records = [record(one) for one in CROSS]
    sets = [np.array([*CROSS.values()], np.float32), np.zeros((4, 3), np.float32)]
    path = write(tmp_path / "l.h5", records, sets, layers=("cross", "zeros"))
    assert rows(penult.reduce(path, layer="cross", pca=2)) == ON_THEM
    with pytest.raises(TrainingError, match="all 4 rows are the same"):
        penult.reduce(path, pca=2)
    with pytest.raises(UsageError, match="rows in memory have one layer, cross"):
        penult.reduce(penult.load(path, "cross"), layer="zeros")


def test_too_many_components_are_refused_before_anything_is_read(cross):
    with pytest.raises(UsageError, match="256 principal components were asked for, but rows of 2"):
        penult.reduce(cross)


def test_rows_that_are_no_numbers_are_named(file):
    bad = file("bad", CROSS | {"n.jpg": [float("nan"), 1]})
    with pytest.raises(TrainingError, match=r"1 row with NaN or infinite numbers: n\.jpg"):
        penult.reduce(bad, pca=1)


def test_what_is_read_is_not_replaced(cross, tmp_path):
    for given in (cross, penult.load(cross)):
        with pytest.raises(OutputExistsError, match="is what is read"):
            penult.reduce(given, cross, pca=1, overwrite=True)
    small = tmp_path / "small.h5"
    penult.reduce(cross, small, pca=1)
    with pytest.raises(OutputExistsError, match="exists"):
        penult.reduce(cross, small, pca=2)
    assert penult.reduce(cross, small, pca=2, overwrite=True).name == "pca2"


def test_a_reduction_that_is_interrupted_leaves_nothing(cross, tmp_path):
    def stop(progress):
        if progress.stage == "project" and progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        penult.reduce(cross, tmp_path / "small.h5", pca=1, progress=stop)
    assert list(tmp_path.iterdir()) == [cross]


def test_it_equals_scikit_learn_and_a_reduced_file_is_reduced_again(make_features):
    from sklearn.decomposition import PCA

    features = make_features({"a": 30, "b": 30}, width=20, noise=1.0)
    theirs = PCA(8, svd_solver="covariance_eigh").fit_transform(
        features.features.astype(np.float64)
    )
    made = penult.reduce(features, pca=8)
    assert made.features[:] == pytest.approx(theirs, abs=1e-4)
    twice = penult.reduce(made, pca=3)
    assert twice.features[:] == pytest.approx(theirs[:, :3], abs=1e-4)
    assert len(twice.recipe.projections) == 2


def test_memory_does_not_grow_with_rows(tmp_path, monkeypatch):
    """A row takes 1,024 bytes; what is kept of it is its id, digest and label."""
    from penult.partition import rows as module

    monkeypatch.setattr(module.read_blocks, "__kwdefaults__", {"block_bytes": 1 << 16})
    rng = np.random.default_rng(0)

    def big(count):
        path = write(tmp_path / f"{count}.h5", [record("0.jpg")], [np.ones((1, 256), np.float32)],
                     recipes=[recipe()])  # fmt: skip
        with h5py.File(path, "r+") as file:
            for name in ("ids", "content", "labels", "features"):
                file[name].resize(count, axis=0)
            file["ids"][:] = [f"{k}.jpg" for k in range(count)]
            file["content"][:] = [f"{k:032x}" for k in range(count)]
            file["labels"][:] = -1
            for start in range(0, count, 500):
                file["features"][start : start + 500] = rng.normal(size=(500, 256))
        return path

    def peak(count):
        path = big(count)
        tracemalloc.start()
        try:
            penult.reduce(path, tmp_path / f"out{count}.h5", pca=4)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)  # what is imported stays
    assert (peak(4500) - peak(1000)) / 3500 < 250


def test_one_training_row_is_too_few(file):
    one = file(
        "one", CROSS, split={"a.jpg": "train"} | dict.fromkeys(["b.jpg", "c.jpg", "d.jpg"], "test")
    )
    with pytest.raises(UsageError, match=r"has 1 training row, .* all rows with fit_on='all'$"):
        penult.reduce(one, pca=1)
