import pytest
import torch

from penult.backbones import registry
from penult.backbones.registry import list_models, open_backbone, register, sources
from penult.errors import BackboneError, UnknownNameError, UsageError


def test_a_registered_source_opens_by_prefix_and_by_bare_name(toy):
    assert open_backbone("toy:mean-colour").name == open_backbone("mean-colour").name == toy
    assert [card.name for card in list_models("toy:*")] == [toy]


def test_the_toy_gives_what_is_worked_out_by_hand(toy):
    images = torch.zeros(2, 3, 8, 8)
    images[0, 0] = 1.0
    images[1, 2, :4] = 0.5
    cut = open_backbone(toy).cut(["pixels", "mean", "penultimate", "logits"])
    pixels, mean, penultimate, logits = cut(images)
    assert torch.equal(pixels, images)
    assert mean.tolist() == penultimate.tolist() == [[1, 0, 0], [0, 0, 0.25]]
    assert logits.tolist() == [[1, 1], [0.25, -0.25]]


def test_a_source_that_is_gone_is_unknown_again(toy):
    from penult.backbones.registry import unregister

    source = open_backbone(toy)
    assert source.layer("pixels").shape == (3, 8, 8)
    unregister("toy")
    try:
        with pytest.raises(UnknownNameError, match="unknown backbone source 'toy'"):
            open_backbone(toy)
    finally:
        from toys import MeanColour

        register(MeanColour())


def test_a_prefix_cannot_be_taken_twice(toy):
    from toys import MeanColour

    with pytest.raises(UsageError, match="'toy' exists"):
        register(MeanColour())
    assert sources().count("toy") == 1


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Another package, installed: what it says in its metadata is all that penult knows of it."""

    def install(value):
        info = tmp_path / "penult_toy-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: penult-toy\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[penult.backbones]\ntoy = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)
        registry._load.cache_clear()

    yield install
    registry._load.cache_clear()


def test_a_third_party_adds_a_source_by_an_entry_point(installed):
    installed("toys:MeanColour")
    assert sources()[-1] == "toy"
    backbone = open_backbone("mean-colour")
    assert backbone.name == "toy:mean-colour"
    assert [card.name for card in list_models("toy:*")] == ["toy:mean-colour"]
    recipe = backbone.recipe("pixels", "max")
    assert registry.open_recipe(recipe, recipe_is="x").recipe("pixels", "max") == recipe


@pytest.mark.parametrize("value", ["no_such_module:X", "toys:Nothing", "pathlib:Path"])
def test_a_third_partys_source_that_cannot_be_loaded_is_named(installed, value):
    installed(value)
    with pytest.raises(
        BackboneError, match=f"the backbone source 'toy' of {value} cannot be loaded"
    ):
        open_backbone("toy:mean-colour")
    assert open_backbone("efficientnet_lite0").name == "bundled:efficientnet_lite0"


def test_a_source_is_registered_only_if_it_is_one():
    with pytest.raises(TypeError, match="is no subclass of"):
        register("toy")


@pytest.mark.parametrize("prefix", ["", "two words", "C:"])
def test_a_prefix_has_to_be_a_word(prefix):
    from toys import MeanColour

    source = MeanColour()
    source.prefix = prefix
    with pytest.raises(UsageError, match="is no prefix of a backbone source"):
        register(source)


def test_an_unknown_prefix_gets_the_known_ones():
    with pytest.raises(
        UnknownNameError, match=r"unknown backbone source 'tim'; did you mean timm\?"
    ):
        open_backbone("tim:resnet50")
    assert registry.resolve("TIMM:resnet50")[0].prefix == "timm"


def test_a_path_with_a_drive_is_no_prefix():
    source, rest = registry.resolve(r"C:\models\net.ckpt")
    assert (source.prefix, rest) == ("checkpoint", r"C:\models\net.ckpt")
