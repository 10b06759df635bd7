"""What was joined and reduced is made of a new photo with nothing said again."""

from __future__ import annotations

import numpy as np
import pytest

import penult
from penult.errors import RecipeMismatchError, UsageError
from penult.recipe import Recipe

pytestmark = pytest.mark.light


@pytest.fixture
def layers(photos, toy, tmp_path):
    """The colours of photos, and their brightness and warmth, in a file each."""
    paths = [tmp_path / f"{layer}.h5" for layer in ("mean", "logits")]
    for path in paths:
        penult.extract(photos, path, model=toy, layer=path.stem, progress=False)
    return paths


def test_files_joined_are_what_one_extraction_gives(layers, photos, toy):
    joined = penult.join(layers).features
    at_once = penult.extract(photos, model=toy, layer=["mean", "logits"], join=True, progress=False)
    assert joined.recipe == at_once.recipe
    assert joined.name == at_once.name
    assert np.array_equal(joined.features[:], at_once.features[:])
    assert joined.ids == at_once.ids
    assert joined.labels.tolist() == at_once.labels.tolist()


@pytest.mark.parametrize("whiten", [False, True], ids=["plain", "whitened"])
def test_a_photo_gets_the_row_that_the_file_has(layers, photos, tmp_path, whiten):
    joined = penult.join(layers, tmp_path / "ab.h5", weights=[1, 0.25]).features
    small = tmp_path / "small.h5"
    penult.reduce(joined, small, pca=3, whiten=whiten)
    stored = penult.load(small)
    extractor = penult.Extractor(stored.recipe)
    rows = extractor([photos / one for one in stored.ids[::7]])
    assert rows == pytest.approx(stored.features[::7], rel=1e-5, abs=1e-5)
    expected = stored.recipe.projection.apply(joined.features[::7])
    assert rows == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_files_that_were_joined_and_reduced_are_verified(photos, toy, tmp_path, dtype):
    files = [tmp_path / f"{layer}.h5" for layer in ("mean", "logits")]
    for path in files:
        penult.extract(photos, path, model=toy, layer=path.stem, dtype=dtype, progress=False)
    joined, small = tmp_path / "ab.h5", tmp_path / "small.h5"
    penult.join(files, joined)
    penult.reduce(joined, small, pca=4, whiten=True)
    for path in (joined, small):
        found = penult.verify(path, sample=8, progress=False)
        assert found.passed, found
        assert found.agreements[0].layer == penult.load(path).name
    bright = photos / "rose" / "rose_01.jpg"
    bright.write_bytes((photos / "daisy" / "daisy_01.jpg").read_bytes())
    assert not penult.verify(small, sample=None, progress=False).passed


def test_a_projection_of_another_file_is_no_match(layers, tmp_path):
    from penult.recipe import require_equal

    one, other = (penult.reduce(path, pca=2).recipe for path in layers)
    with pytest.raises(penult.RecipeMismatchError, match=r"projection\.sha256"):
        require_equal(one, other, name="a", other_name="b")


def test_what_was_reduced_is_not_updated_from_images(layers, photos, toy, tmp_path):
    """No options of an extraction would make it, so none are asked for."""
    small = tmp_path / "small.h5"
    penult.reduce(layers[0], small, pca=2)
    with pytest.raises(
        RecipeMismatchError,
        match=r"small\.h5 was made by penult\.reduce\(\), which reads no images",
    ):
        penult.extract(photos, small, model=toy, layer="mean", update=True, progress=False)


def test_a_recipe_without_its_arrays_is_refused_before_networks_are_opened(layers):
    bare = Recipe.from_json(penult.reduce(layers[0], pca=2).recipe.to_json())
    with pytest.raises(UsageError, match=r"the arrays of PCA 2 .* are not there; .*penult\.load\("):
        penult.Extractor(bare)
