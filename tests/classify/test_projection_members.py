"""The arrays of a projection travel inside a classifier file, and are not taken on their word."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from archives import forge, rewrite

from penult.classify.loading import describe_classifier, load_classifier
from penult.classify.training.train import train
from penult.errors import ClassifierFileError, FileFormatError
from penult.recipe import JoinedRecipe, ProjectedRecipe, Projection, Recipe

pytestmark = pytest.mark.light

# Onto the first and the third of three numbers.
PCA = Projection(
    mean=[1, 2, 3],
    components=[[1, 0, 0], [0, 0, 1]],
    explained_variance=[4, 1],
    total_variance=8,
    whiten=True,
)


@pytest.fixture
def classifier(make_features, recipe):
    recipe = JoinedRecipe((ProjectedRecipe.of(recipe, PCA), recipe))
    return train(make_features({"a": 12, "b": 12}, recipe=recipe), grid={"C": [1]})


@pytest.fixture
def saved(classifier, tmp_path):
    classifier.save(tmp_path / "f.skops")
    return tmp_path / "f.skops"


def test_whoever_reads_the_file_can_make_the_rows_again(saved, classifier):
    for read in (load_classifier, describe_classifier):
        recipe = read(saved).recipe
        assert recipe == classifier.recipe
        (projection,) = recipe.projections.values()
        assert projection == PCA
        assert (projection.total_variance, projection.whiten) == (8, True)
    assert load_classifier(saved).recipe.parts[0].projection.apply(
        np.array([[5, 0, 7]], np.float32)
    ) == pytest.approx(np.array([[2, 4]]))


def test_the_arrays_are_plain_and_others_than_penult_can_read_them(saved):
    with zipfile.ZipFile(saved) as archive:
        folder = f"projections/{PCA.sha256}"
        names = [name for name in archive.namelist() if name.startswith("projections/")]
        assert names == [f"{folder}/{n}.npy" for n in ("mean", "components", "explained_variance")]
        components = np.load(io.BytesIO(archive.read(names[1])), allow_pickle=False)
        assert components.tolist() == [[1, 0, 0], [0, 0, 1]]
        assert set(names) <= set(json.loads(archive.read("penult.json"))["members"])


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def claim(shape):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("mean", None, r"mean\.npy is missing"),
        ("mean", npy(np.ones(3)), "is float64 of shape (3,), and has to be float32 with 1 axis"),
        ("components", npy(np.ones(3, "f4")), "has to be float32 with 2 axes"),
        ("components", npy(np.ones((2, 4), "f4")), "which do not fit together"),
        ("components", npy(np.asfortranarray(np.ones((2, 3), "f4"))), "has to be float32 with"),
        ("mean", npy(np.array([None] * 3), allow_pickle=True), "is object of shape"),
        ("mean", npy(np.array([1, np.nan, 3], "f4")), "NaN or infinite"),
        ("mean", npy(np.array([1, 2, 4], "f4")), "are others than that name says"),
        ("mean", b"not an array", "is no array in NumPy's format"),
        ("mean", claim((1 << 50,)), "says its shape is"),
        ("mean", claim((0,)), "says its shape is"),
        ("mean", npy(np.ones(3, "f4"))[:-1], "has 11 bytes of numbers"),
    ],
)
@pytest.mark.parametrize("read", [load_classifier, describe_classifier])
def test_arrays_that_are_not_those_are_refused(saved, name, data, said, read):
    member = f"projections/{PCA.sha256}/{name}.npy"

    def change(members):
        members.pop(member)
        return members if data is None else members | {member: data}

    forge(saved, change)
    with pytest.raises(ClassifierFileError) as refused:
        read(saved)
    message = str(refused.value)
    assert message.startswith(f"{saved} is damaged: ")
    assert said.replace("\\", "") in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "described",
    [
        {},
        [],
        {PCA.sha256: None},
        {PCA.sha256: {"total_variance": 8.0}},
        {PCA.sha256: {"total_variance": "8", "whiten": True}},
        {PCA.sha256: {"total_variance": 8.0, "whiten": False}},  # which the digest is over
        {PCA.sha256: {"total_variance": 8.0, "whiten": True, "more": 1}},
        {"../" + PCA.sha256: {"total_variance": 8.0, "whiten": True}},
    ],
)
def test_a_description_that_does_not_fit_the_recipe_is_refused(saved, described):
    def change(members):
        told = json.loads(members["penult.json"]) | {"projections": described}
        return members | {"penult.json": json.dumps(told).encode()}

    forge(saved, change)
    with pytest.raises(ClassifierFileError) as refused:
        load_classifier(saved)
    assert "\n" not in str(refused.value)


def test_a_change_of_an_array_does_not_go_unseen(saved):
    member = f"projections/{PCA.sha256}/mean.npy"
    rewrite(saved, lambda members: members | {member: npy(np.array([1, 2, 4], "f4"))})
    with pytest.raises(ClassifierFileError, match=r"projections/.*mean\.npy in it is not what was"):
        describe_classifier(saved)


def test_a_classifier_whose_arrays_are_gone_is_not_written(make_features, recipe, tmp_path):
    lost = Recipe.from_json(ProjectedRecipe.of(recipe, PCA).to_json())
    classifier = train(make_features({"a": 12, "b": 12}, recipe=lost), grid={"C": [1]})
    with pytest.raises(
        FileFormatError, match=r"the arrays of PCA 2, whitened, of .* are not there"
    ):
        classifier.save(tmp_path / "f.skops")
    assert not list(tmp_path.iterdir())


def test_rows_of_another_length_than_the_projection_gives_are_refused(
    make_features, recipe, tmp_path
):
    features = make_features({"a": 12, "b": 12}, recipe=ProjectedRecipe.of(recipe, PCA))
    train(features, grid={"C": [1]}).save(tmp_path / "f.skops")  # rows of six numbers, not two
    with pytest.raises(ClassifierFileError, match="rows of 6 numbers, and its projection gives 2"):
        load_classifier(tmp_path / "f.skops")
