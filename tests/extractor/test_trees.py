"""Several networks and views of one image: read once, run each, put together by the recipe."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import penult
from penult import Extractor
from penult.engines.composition import Composition
from penult.errors import UnknownNameError, UsageError
from penult.recipe import AugmentedRecipe, AveragedRecipe, JoinedRecipe, ProjectedRecipe, Projection

# Left half red, right half half as green: what 8 × 8 pixels show exactly.
HALVES = np.zeros((8, 8, 3), np.uint8)
HALVES[:, :4, 0], HALVES[:, 4:, 1] = 255, 51


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.light
def test_views_are_averaged_and_a_mirrored_one_is_the_mirrored_image(toy):
    rows = Extractor(toy, layer="pixels", pooling="none", views="flip")([HALVES])
    expected = (HALVES / 255 + HALVES[:, ::-1] / 255) / 2
    np.testing.assert_allclose(rows, [expected.transpose(2, 0, 1)], atol=1e-6)
    assert rows[0, 0].tolist() == [[0.5] * 8] * 8


@pytest.mark.light
def test_layers_of_one_network_are_joined_when_asked_to(toy):
    extractor = Extractor(toy, layer=["penultimate", "logits"], join=True)
    assert extractor.names == ("joined",)
    # Mean red 0.5 and green 0.1; brightness 0.6, warmth 0.5.
    expected = np.hstack([unit(np.array([[0.5, 0.1, 0]])), unit(np.array([[0.6, 0.5]]))])
    np.testing.assert_allclose(extractor([HALVES]), expected, atol=1e-6)


@pytest.fixture
def both(toy, tiny):
    return [toy, tiny]


def test_several_networks_are_joined_each_scaled_to_length_one(both):
    joined = Extractor(both)
    alone = [Extractor(model) for model in both]
    expected = np.hstack([unit(one([HALVES])) for one in alone])
    np.testing.assert_allclose(joined([HALVES]), expected, atol=1e-6)
    assert joined.recipes == (JoinedRecipe(tuple(one.recipes[0] for one in alone)),)
    assert joined.engine.row_shapes == ((19,),)


def test_networks_side_by_side_have_names_of_their_own(both):
    rows = Extractor(both, join=False).by_layer([HALVES])
    assert {name: block.shape for name, block in rows.items()} == {
        "mean-colour/penultimate": (1, 3),
        "network/penultimate": (1, 16),
    }


def test_a_layer_needs_to_be_one_of_some_network_only(both):
    rows = Extractor(both, layer=["pixels", "maps", "logits"], join=False).by_layer([HALVES])
    assert list(rows) == [
        "mean-colour/pixels",
        "mean-colour/logits",
        "network/maps",
        "network/logits",
    ]
    with pytest.raises(
        UnknownNameError, match="unknown layer 'mapz' of 2 models; did you mean maps"
    ):
        Extractor(both, layer=["pixels", "mapz", "logits"])
    with pytest.raises(UsageError, match="tiny:network has none of the layers pixels; name one"):
        Extractor(both, layer="pixels")


def test_a_stored_tree_gives_the_same_rows_and_needs_no_options(both):
    first = Extractor(both, views="flip")
    projection = Projection(
        mean=np.zeros(19), components=np.eye(19)[:2], explained_variance=[1, 1], total_variance=4
    )
    tree = ProjectedRecipe.of(first.recipes[0], projection)
    images = [HALVES, HALVES[:, ::-1].copy(), np.full((8, 8, 3), 7, np.uint8)]
    rows = Extractor(tree)(images)
    np.testing.assert_allclose(rows, first(images)[:, :2], atol=1e-6)
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)  # each is the other's mirror image


def test_rows_do_not_depend_on_how_many_images_there_are_at_once(both):
    images = [np.full((8, 8, 3), shade, np.uint8) for shade in range(0, 250, 10)]
    rows = Extractor(both, views="flip", batch_size=2)(images)
    assert rows.shape == (25, 19)
    for place in (0, 7, 24):
        alone = Extractor(both, views="flip", batch_size=50)([images[place]])
        np.testing.assert_allclose(rows[place], alone[0], atol=1e-5)


def test_each_photo_is_decoded_once_and_resized_once_a_way_of_seeing(both, tmp_path, monkeypatch):
    from penult.images.pixels import decode, transform

    counted = {"decode": 0, "resize": 0}

    def count(name, module, function):
        original = getattr(module, function)

        def counting(*args, **kwargs):
            counted[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(module, function, counting)

    count("resize", transform, "_resize")
    original = decode.decoded
    from penult.images import read

    def decoded(*args, **kwargs):
        counted["decode"] += 1
        return original(*args, **kwargs)

    monkeypatch.setattr(read, "decoded", decoded)
    for k in range(3):
        Image.fromarray(np.full((9, 9, 3), k, np.uint8)).save(tmp_path / f"{k}.png")
    features = penult.extract(tmp_path, model=both, views="flip", layer=["logits", "penultimate"])
    assert len(features) == 3
    assert counted == {"decode": 3, "resize": 6}


def test_a_file_of_joined_rows_is_verified_and_gone_on_with(both, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for k in range(4):
        Image.fromarray(np.full((9, 9, 3), 60 * k, np.uint8)).save(photos / f"{k}.png")
    made = penult.extract(photos, tmp_path / "rows.h5", model=both, views="flip")
    assert made.layers == ("joined",)
    assert isinstance(made.recipe.parts[1], AveragedRecipe)
    assert penult.verify(tmp_path / "rows.h5").passed
    Image.fromarray(np.full((9, 9, 3), 250, np.uint8)).save(photos / "5.png")
    again = penult.extract(photos, tmp_path / "rows.h5", model=both, views="flip", update=True)
    assert again.changes.added == ("5.png",)
    with pytest.raises(penult.RecipeMismatchError, match=r"recipe: .*joined with"):
        penult.extract(photos, tmp_path / "rows.h5", model=both[0], update=True)


@pytest.mark.light
def test_rows_of_a_stored_tree_are_called_what_files_call_them(toy):
    joined = Extractor(toy, layer=["penultimate", "logits"], join=True).recipes[0]
    projection = Projection(
        mean=np.zeros(5), components=np.eye(5)[:2], explained_variance=[1, 1], total_variance=4
    )
    assert Extractor(joined).names == ("joined",)
    assert Extractor(ProjectedRecipe.of(joined, projection)).names == ("pca2",)


@pytest.mark.light
def test_augmented_views_are_made_by_extract_alone(toy):
    recipe = AugmentedRecipe(Extractor(toy).recipes[0], "light", 0)
    with pytest.raises(UsageError, match=r"the recipe is of augmented views, .* give its part"):
        Extractor(recipe)


def test_what_cannot_be_joined_is_one_line(toy, tiny):
    with pytest.raises(UsageError, match="as a set, and their order is that of the row's numbers"):
        Extractor({toy, tiny})
    with pytest.raises(UsageError, match="one row to join, penultimate of toy:mean-colour; give"):
        Extractor(toy, join=True)
    with pytest.raises(UsageError, match="was given twice; give each once"):
        Extractor([toy, "mean-colour"])
    with pytest.raises(UsageError, match=r"weights='x\.pth' is for one model, and there are 2"):
        Extractor([toy, tiny], weights="x.pth")
    with pytest.raises(UsageError, match="no model was given"):
        Extractor([])
    with pytest.raises(UsageError, match="views='five-crop' cannot be had"):
        Extractor(toy, views="five-crop")
    with pytest.raises(UnknownNameError, match="unknown views 'mirror'; allowed: flip, five-crop"):
        Extractor(toy, views="mirror")


@pytest.mark.light
def test_images_of_a_file_and_in_memory_go_through_the_same_tree(toy, tmp_path):
    data = io.BytesIO()
    Image.fromarray(HALVES).save(data, "PNG")
    (tmp_path / "halves.png").write_bytes(data.getvalue())
    extractor = Extractor(toy, views="flip")
    both_ways = extractor([HALVES, tmp_path / "halves.png"])
    np.testing.assert_array_equal(both_ways[0], both_ways[1])
    assert isinstance(extractor.engine, Composition)


def test_a_plan_of_several_networks_has_the_shape_of_their_rows(both, tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "halves.png")
    planned = penult.plan(tmp_path, model=both, views="flip")
    assert planned.backbone == "toy:mean-colour + tiny:network"
    assert [(layer.name, layer.shape) for layer in planned.layers] == [("joined", (19,))]


def test_an_estimator_of_several_networks_is_their_extractor(both):
    estimator = penult.FeatureExtractor(both, views="flip")
    rows = estimator.fit_transform([HALVES])
    np.testing.assert_array_equal(rows, Extractor(both, views="flip")([HALVES]))
    assert estimator.get_feature_names_out()[-1] == "joined_18"
