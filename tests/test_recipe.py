"""Recipes: equal when rows may be compared, and clear about where they differ."""

from __future__ import annotations

import dataclasses
import json

import pytest

from penult.errors import FileFormatError, RecipeMismatchError
from penult.recipe import Preprocessing, Recipe, require_equal

PREPROCESSING = Preprocessing(
    resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,) * 3, std=(0.25,) * 3
)
RECIPE = Recipe(
    architecture="timm/net",
    weights_sha256="ab" * 32,
    layer="penultimate",
    pooling="none",
    preprocessing=PREPROCESSING,
    backbone="timm:net",
    weights="net 1",
    versions={"torch": "2"},
)


@pytest.mark.parametrize("resize", [256, (256, 300), None])
def test_json_gives_an_equal_recipe_back(resize):
    recipe = dataclasses.replace(
        RECIPE, preprocessing=dataclasses.replace(PREPROCESSING, resize=resize)
    )
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert again.versions == {"torch": "2"}
    assert again.preprocessing.resize == resize


@pytest.mark.parametrize(
    ("backbone", "weights", "network"),
    [
        ("timm:net.in1k", "timm/net.in1k", "timm:net.in1k"),
        ("timm:net.in1k", "random", "untrained timm/net (random weights)"),
        ("timm:net.in1k", "file:/data/mine.pth", "checkpoint mine.pth (timm/net)"),
        ("checkpoint:/data/mine.ckpt", "file:/data/mine.ckpt", "checkpoint mine.ckpt (timm/net)"),
        ("onnx:/data/net.onnx", "file:/data/net.onnx", "net.onnx (timm/net)"),
        ("bundled:net", "net-model 0.1.0", "bundled:net"),
    ],
)
def test_a_pretrained_networks_name_is_for_its_own_weights(backbone, weights, network):
    recipe = dataclasses.replace(RECIPE, backbone=backbone, weights=weights)
    assert recipe.network == network
    assert recipe == RECIPE


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layer": None}, "it lacks layer"),
        ({"colour": "red"}, r"it has the unknown colour \(there are: architecture, "),
        ({"preprocessing": {"resize": 8}}, "it lacks crop, interpolation, mean, std"),
        ({"preprocessing": [8]}, r"it is '\[8\]' where settings by name are expected"),
    ],
)
def test_what_a_recipe_lacks_is_said_by_name(change, complaint):
    data = json.loads(RECIPE.to_json()) | change
    data = {key: value for key, value in data.items() if value is not None}
    with pytest.raises(FileFormatError, match=complaint):
        Recipe.from_json(json.dumps(data))


def test_an_exact_resize_is_not_written_so_that_older_versions_read_the_recipe():
    assert "resampling" not in RECIPE.to_json()
    fast = RECIPE.with_options(resampling="fast")
    assert json.loads(fast.to_json())["preprocessing"]["resampling"] == "fast"
    assert Recipe.from_json(fast.to_json()) == fast
    assert RECIPE.difference(fast) == {"preprocessing.resampling": ("exact", "fast")}
    assert "resize fast" in repr(fast)
    assert "resize" not in repr(RECIPE)


def test_names_and_versions_do_not_count():
    other = dataclasses.replace(RECIPE, backbone="checkpoint:x", weights="x", versions={})
    assert other == RECIPE
    require_equal(RECIPE, other, name="a", other_name="b")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weights_sha256": "cd" * 32}, "weights_sha256"),
        ({"layer": "logits"}, "layer"),
        ({"normalize": "l2"}, "normalize"),
        (
            {"preprocessing": dataclasses.replace(PREPROCESSING, decode="scaled")},
            "preprocessing.decode",
        ),
    ],
)
def test_a_difference_is_shown_field_by_field_by_the_option_that_sets_it(change, field):
    other = dataclasses.replace(RECIPE, **change)
    assert list(RECIPE.difference(other)) == [field]
    shown = field.removeprefix("preprocessing.")
    with pytest.raises(RecipeMismatchError, match=f"compared: {shown}: ") as caught:
        require_equal(RECIPE, other, name="one.h5", other_name="two.h5")
    assert "one.h5 and two.h5" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"precision": "bfloat16"}, "; make two.h5 again with precision='float32'"),
        (
            {"pooling": "max", "layer": "fc"},
            f"; make two.h5 again with layer={RECIPE.layer!r} pooling={RECIPE.pooling!r}",
        ),
        (
            {
                "normalize": "l2",
                "preprocessing": dataclasses.replace(PREPROCESSING, decode="scaled"),
            },
            "; make two.h5 again with normalize='none' decode='exact'",
        ),
        ({"precision": "bfloat16", "weights_sha256": "cd" * 32}, ""),
    ],
)
def test_what_to_make_again_is_told_where_options_alone_differ(change, advice):
    other = dataclasses.replace(RECIPE, **change)
    with pytest.raises(RecipeMismatchError) as caught:
        require_equal(RECIPE, other, name="one.h5", other_name="two.h5", made_again=True)
    _, again, rest = str(caught.value).partition("; make ")
    assert again + rest == advice


def test_weights_that_differ_are_told_apart_by_name_and_the_digits_that_matter():
    other = dataclasses.replace(RECIPE, weights_sha256="cd" * 32, weights="random", layer="logits")
    ours = dataclasses.replace(RECIPE, weights_sha256="ab" * 32, weights="net 1.0", layer="fc")
    with pytest.raises(RecipeMismatchError) as caught:
        require_equal(ours, other, name="one.h5", other_name="two.h5")
    assert str(caught.value) == (
        "one.h5 and two.h5 have different recipes, so their rows cannot be compared: "
        "weights_sha256: abababababab… (net 1.0) and cdcdcdcdcdcd… (random); "
        "layer: 'fc' and 'logits'"
    )


def test_the_input_size_is_the_crop_or_the_squash():
    assert PREPROCESSING.input_size == (224, 224)
    squashed = dataclasses.replace(PREPROCESSING, resize=(299, 300), crop=None)
    assert squashed.input_size == (299, 300)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="no kind"),
        pytest.param(json.dumps({"kind": "join", "parts": []}), id="a kind of the future"),
        pytest.param(json.dumps({"kind": "backbone", "layer": "x"}), id="fields missing"),
        pytest.param(RECIPE.to_json()[:-1] + ', "views": 5}', id="a field of the future"),
    ],
)
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(FileFormatError):
        Recipe.from_json(text)
