import pytest
import torch

from penult.backbones import registry
from penult.backbones.catalogue import left_out, list_models
from penult.backbones.families import FAMILIES
from penult.backbones.registry import open_backbone, register, resolve, sources
from penult.backbones.registry.names import _missing_for
from penult.errors import BackboneError, MissingExtraError, UnknownNameError, UsageError
from penult.interface import serving_command_line


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
        registry.load_source.cache_clear()

    yield install
    registry.load_source.cache_clear()


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


def test_rows_are_normalised_in_one_of_two_ways(toy):
    assert open_backbone(toy).recipe("mean", normalize="l2").normalize == "l2"
    with pytest.raises(UsageError, match="unknown normalisation 'max'; allowed: none, l2"):
        open_backbone(toy).recipe("mean", normalize="max")


def test_a_pattern_of_an_unknown_prefix_lists_nothing():
    with pytest.raises(UnknownNameError, match="unknown backbone source 'tim'; did you mean timm"):
        list(list_models("tim:*"))


def test_an_unknown_prefix_gets_the_known_ones():
    with pytest.raises(
        UnknownNameError, match=r"unknown backbone source 'tim'; did you mean timm\?"
    ):
        open_backbone("tim:resnet50")
    assert registry.resolve("TIMM:resnet50")[0].prefix == "timm"


def test_a_path_with_a_drive_is_no_prefix():
    source, rest = registry.resolve(r"C:\models\net.ckpt")
    assert (source.prefix, rest) == ("checkpoint", r"C:\models\net.ckpt")


def test_a_path_with_a_colon_further_on_is_no_prefix():
    source, rest = registry.resolve("models/of 12:30.ckpt")
    assert (source.prefix, rest) == ("checkpoint", "models/of 12:30.ckpt")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dinov2", "timm:vit_small_patch14_dinov2.lvd142m"),
        ("DINOv2", "hf:facebook/dinov2-small"),
        ("dinov2_vits14", "timm:vit_small_patch14_dinov2.lvd142m"),  # as torch.hub has it
        ("clip", "timm:vit_base_patch32_clip_224.openai"),
        ("clip-vit-base-patch32", "hf:openai/clip-vit-base-patch32"),
        ("openai/clip-vit-base-patch32", "hf:openai/clip-vit-base-patch32"),
        ("timm/resnet50.a1_in1k", "timm:timm/resnet50.a1_in1k"),
        ("keras.VGG16", "keras:VGG16"),
        ("keras.applications.VGG16", "keras:VGG16"),
        ("torchvision/vgg16", "torchvision:vgg16"),
        ("timm/resnet50", "timm:resnet50"),
        ("vit", "vit_b_16"),
        ("ViT-B/16", "vit_b_16"),
        ("vit-base-patch16-224", "vit_base_patch16_224"),  # timm spells it with underscores
        ("ConvNeXt", "convnext_tiny"),
        ("swin", "swin_t"),
        ("EfficientNet", "EfficientNetB0"),
        ("MobileNetV3", "mobilenet_v3_large"),
        pytest.param("sam2", "sam2_hiera_tiny", id="a part of real names, and nobody's family"),
    ],
)
def test_a_family_or_a_name_that_is_spelled_otherwise_gets_names_to_type(typed, meant):
    with pytest.raises(UnknownNameError, match=f"unknown model '{typed}'") as caught:
        registry.resolve(typed)
    assert meant in caught.value.suggestions


def test_a_part_of_names_is_told_the_command_that_lists_them_all():
    with pytest.raises(UnknownNameError, match=r"\(penult.models\('dinov2'\) lists all with that"):
        registry.resolve("dinov2")


def test_every_name_that_a_family_suggests_is_one():
    import timm

    pretrained = set(timm.list_pretrained())
    for name in {name for names in FAMILIES.values() for name in names}:
        source, rest = registry.resolve(name)
        assert source.prefix != "timm" or rest in pretrained


def test_a_source_says_itself_which_of_its_names_lack_which_extra(toy, monkeypatch):
    source = registry.load_source("toy")
    monkeypatch.setattr(source, "names", lambda: ["mean-colour", "one-hue", "two-hue"])
    monkeypatch.setattr(source, "lacking", lambda: {"one-hue": "keras", "two-hue": "heic"})
    assert [card.name for card in list_models("toy:")] == [toy]
    found = [(one.prefix, one.names, one.install) for one in left_out("toy:")]
    assert found == [
        ("toy", ("one-hue",), "pip install 'penult[keras]'"),
        ("toy", ("two-hue",), "pip install 'penult[heic]'"),
    ]
    with pytest.raises(MissingExtraError, match="toy:two-hue needs the extra 'heic'"):
        left_out("toy:two*")[0].require("toy:two-hue")
    assert left_out("toy:mean*") == []
    with pytest.raises(UnknownNameError, match=r"did you mean one-hue.*type: pip install.*keras"):
        registry.resolve("one-hu")


def test_what_lacks_its_extra_is_not_listed(toy, monkeypatch):
    monkeypatch.setattr(registry.load_source("toy"), "lacking", lambda: {"mean-colour": "keras"})
    assert list(list_models("toy:")) == []


def test_a_name_that_is_a_file_or_a_folder_is_told_how_to_give_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit" / "config.json").write_text("{}")
    (tmp_path / "weights.dat").touch()
    with pytest.raises(
        UnknownNameError, match=r"hf:\./vit.*if it is a checkpoint of Hugging Face's"
    ):
        resolve("vit")
    with pytest.raises(
        UnknownNameError, match=r"checkpoint:weights\.dat.*if it is a file of weights"
    ):
        resolve("weights.dat")


def test_a_name_like_none_is_told_in_what_forms_others_are_given():
    with pytest.raises(
        UnknownNameError, match=r"others are given as timm:NAME, hf:OWNER/NAME, tor"
    ):
        resolve("qqqqqqqqqqqqqqqq")
    assert _missing_for("elsewhere:network") is None


def test_several_models_in_one_word_are_to_be_given_one_by_one():
    with pytest.raises(UnknownNameError, match=r"give each by itself: model=\['a', 'b'\]"):
        open_backbone("a,b")
    with serving_command_line(), pytest.raises(UnknownNameError, match="--model a --model b"):
        open_backbone("a, b")


def test_what_the_nearest_name_lacks_is_not_said_of_several_models(monkeypatch):
    missing = MissingExtraError("the nearest", "torch")
    monkeypatch.setattr(registry.names, "_missing_for", lambda _: missing)
    with pytest.raises(UnknownNameError, match="give each by itself"):
        open_backbone("efficientnet_lite0,efficientnet_lite1")
