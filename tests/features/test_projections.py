"""The arrays of a projection lie in the file whose recipes name it, and are not taken on their word."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

from penult.errors import FeatureFileError, FileFormatError
from penult.features.estimate import estimate_bytes
from penult.features.projections import projections_of
from penult.features.read import load
from penult.features.write import Columns, FeatureWriter
from penult.recipe import JoinedRecipe, ProjectedRecipe, Projection, Recipe

RECORDS = [record("a/1.jpg", "a"), record("b/2.jpg", "b")]
# Onto the first and the third of three numbers, with the mean 1, 2, 3: (5, 6, 7) becomes (4, 4).
PCA = Projection(
    mean=np.array([1, 2, 3], np.float32),
    components=np.array([[1, 0, 0], [0, 0, 1]], np.float32),
    explained_variance=np.array([4, 1], np.float32),
    total_variance=8.0,
)
WHITE = Projection(
    mean=PCA.mean,
    components=PCA.components,
    explained_variance=PCA.explained_variance,
    total_variance=8.0,
    whiten=True,
)
REDUCED = ProjectedRecipe.of(recipe(), PCA)


@pytest.fixture
def reduced(tmp_path) -> Path:
    rows = [np.array([[5, 6, 7], [1, 2, 3]], np.float32), np.array([[4, 4], [0, 0]], np.float32)]
    recipes = [recipe(), REDUCED]
    return write(tmp_path / "f.h5", RECORDS, rows, recipes=recipes, names=("penultimate", "pca2"))


def test_whoever_reads_the_file_can_make_the_same_of_new_rows(reduced):
    features = load(reduced)
    assert features.name == "pca2"
    assert features.recipe == REDUCED
    (projection,) = features.recipe.projections.values()
    assert projection == PCA
    assert (projection.total_variance, projection.whiten) == (8.0, False)
    made = projection.apply(load(reduced, "penultimate").features[:])
    assert made.tolist() == features.features[:].tolist() == [[4, 4], [0, 0]]


def test_the_arrays_are_plain_datasets(reduced):
    with h5py.File(reduced) as file:
        (group,) = file["projections"].values()
        assert group.name == f"/projections/{PCA.sha256}"
        assert group["mean"][:].tolist() == [1, 2, 3]
        assert group["components"][:].tolist() == [[1, 0, 0], [0, 0, 1]]
        assert group["explained_variance"][:].tolist() == [4, 1]
        assert dict(group.attrs) == {"total_variance": 8.0, "whiten": False}
        assert file.attrs["format"] == 2


def test_each_projection_of_all_recipes_is_there_once(tmp_path):
    """One inside a joined recipe, the same again, and one that whitens."""
    recipes = [
        JoinedRecipe((REDUCED, recipe("early"))),
        REDUCED,
        ProjectedRecipe.of(recipe(), WHITE),
    ]
    rows = [np.ones((2, k), np.float32) for k in (4, 2, 2)]
    path = write(tmp_path / "f.h5", RECORDS, rows, recipes=recipes, names=("joined", "a", "b"))
    with h5py.File(path) as file:
        assert set(file["projections"]) == {PCA.sha256, WHITE.sha256}
    assert load(path, "joined").recipe.projections == {PCA.sha256: PCA}
    assert load(path, "b").recipe.projections == {WHITE.sha256: WHITE}


def test_a_projection_whose_arrays_are_not_at_hand_is_not_written(tmp_path):
    bare = Recipe.from_json(REDUCED.to_json())
    assert bare == REDUCED
    with pytest.raises(FileFormatError, match=r"the arrays of PCA 2 of .* are not there"):
        FeatureWriter(tmp_path / "f.h5", [bare], Columns(()))
    assert not (tmp_path / "f.h5").exists()


def test_the_size_of_a_file_counts_its_projections_once(tmp_path):
    rng = np.random.default_rng(0)
    large = Projection(
        mean=np.zeros(500, np.float32),
        components=rng.random((100, 500), np.float32),
        explained_variance=np.ones(100, np.float32),
        total_variance=200.0,
    )
    recipes, names = [ProjectedRecipe.of(recipe(), large)], ["pca100"]
    records = [record(f"{k:05}.jpg", "ab"[k % 2]) for k in range(12_000)]
    rows = [rng.random((12_000, 100), np.float32)]
    path = write(tmp_path / "f.h5", records, rows, recipes=recipes, names=names, blocks=1024)
    estimated = estimate_bytes(records, recipes, [(100,)], names=names)
    assert estimated == pytest.approx(path.stat().st_size, rel=0.02)
    assert list(projections_of(recipes).values()) == [large]


def put(array: str, value):
    def change(group: h5py.Group) -> None:
        del group[array]
        group[array] = value

    return change


def put_attribute(name: str, value):
    return lambda group: group.attrs.__setitem__(name, value)


def under_another_name(group: h5py.Group) -> None:
    group.parent.move(PCA.sha256, "0" * 64)


FORGED = {
    "a mean of another length": (put("mean", np.zeros(4, np.float32)), "do not fit together"),
    "components of one axis": (put("components", np.zeros(3, np.float32)), "not a matrix"),
    "variances of another number": (
        put("explained_variance", np.ones(3, np.float32)),
        "do not fit together",
    ),
    "no components": (put("components", np.zeros((0, 3), np.float32)), "do not fit together"),
    "float64": (
        put("mean", np.array([1.0, 2.0, 3.0])),
        "mean is float64 .*not a vector of float32",
    ),
    "integers": (put("components", np.eye(2, 3, dtype=np.int32)), "not a matrix of float32"),
    "other numbers": (put("mean", np.array([1, 2, 4], np.float32)), "are others than that name"),
    "other whitening": (put_attribute("whiten", True), "are others than that name"),
    "NaN": (put("mean", np.array([1, np.nan, 3], np.float32)), "holds NaN"),
    "infinity": (put("explained_variance", np.array([np.inf, 1], np.float32)), "holds NaN"),
    "a variance below 0": (put("explained_variance", np.array([4, -1], np.float32)), "negative"),
    "a total that is no number": (put_attribute("total_variance", "8"), "is no number"),
    "a total that is NaN": (put_attribute("total_variance", np.nan), "holds NaN"),
    "an infinite total": (put_attribute("total_variance", np.inf), "holds NaN or infinite"),
    "a total below 0": (put_attribute("total_variance", -8.0), "negative variance"),
    "no total": (lambda group: group.attrs.__delitem__("total_variance"), "damaged or incomplete"),
    "no mean": (lambda group: group.__delitem__("mean"), "it has no mean"),
    "a mean that is a group": (
        lambda group: (group.__delitem__("mean"), group.create_group("mean")),
        "its mean is no dataset",
    ),
    "a mean elsewhere": (put("mean", h5py.ExternalLink("o.h5", "/x")), r"a link .*o\.h5"),
    "no arrays at all": (lambda group: group.parent.__delitem__(PCA.sha256), "are not there"),
    "no group": (lambda group: group.file.__delitem__("projections"), "are not there"),
    "a dataset for the group": (
        lambda group: put("projections", 3)(group.file),
        "its projections is no group",
    ),
    "the arrays under another name": (under_another_name, "are others than that name"),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_projection_is_refused_in_one_line(reduced, case):
    change, message = FORGED[case]
    with h5py.File(reduced, "a") as file:
        change(file["projections"][PCA.sha256])
    with pytest.raises(FeatureFileError, match=message) as told:
        load(reduced)
    assert str(told.value).startswith(str(reduced))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500


def test_rows_that_are_no_projections_are_refused(reduced):
    """Nobody would find out before a classifier meets its first photo."""
    with h5py.File(reduced, "a") as file:
        layers = file["layers"]
        attributes = dict(layers["pca2"].attrs)
        del layers["pca2"]
        layers["pca2"] = np.zeros((len(RECORDS), 3), np.float32)
        layers["pca2"].attrs.update(attributes)
    with pytest.raises(FeatureFileError, match=r"rows of \(3,\) are no projection to 2"):
        load(reduced)
