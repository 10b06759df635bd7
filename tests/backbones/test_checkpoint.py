import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torchvision import models

from penult.backbones.checkpoint import read_checkpoint, save_checkpoint
from penult.backbones.checkpoint_note import read_note
from penult.backbones.registry import open_backbone, open_recipe, open_without_download, resolve
from penult.backbones.weights.arrays import read_arrays
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import (
    BackboneError,
    FileFormatError,
    OutputExistsError,
    PathNotFoundError,
    RecipeMismatchError,
    UsageError,
    WeightsError,
)
from penult.recipe import Preprocessing
from penult.testing import check_source

SEEN = Preprocessing(
    resize=(64, 64),
    crop=None,
    interpolation="bilinear",
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)
IMAGES = torch.rand(2, 3, 64, 64)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(2)
    return models.squeezenet1_1(num_classes=3).eval()


@pytest.fixture
def path(tmp_path, network):
    save_checkpoint(
        tmp_path / "flowers.ckpt",
        network,
        architecture="torchvision:squeezenet1_1.IMAGENET1K_V1",
        preprocessing=SEEN,
        label_names=["daisy", "rose", "tulip"],
        training={"epochs": 5},
    )
    return tmp_path / "flowers.ckpt"


@pytest.fixture
def plain(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "plain.pth")
    return tmp_path / "plain.pth"


def test_a_checkpoint_opens_as_the_backbone_that_was_saved(path, network):
    for name in (str(path), f"checkpoint:{path}"):
        backbone = open_backbone(name)
        assert backbone.name == f"checkpoint:{path}"
        assert backbone.architecture == "torchvision/squeezenet1_1"
        assert backbone.preprocessing == SEEN
        (logits,) = backbone.cut(["logits"])(IMAGES)
        assert torch.equal(logits, network(IMAGES))
        assert backbone.layer("penultimate").shape == (512,)


def test_a_checkpoint_says_what_it_is(path):
    checkpoint = read_checkpoint(path)
    assert checkpoint.architecture == "torchvision:squeezenet1_1.IMAGENET1K_V1"
    assert checkpoint.preprocessing == SEEN
    assert checkpoint.label_names == ("daisy", "rose", "tulip")
    assert checkpoint.training == {"epochs": 5}


def test_an_existing_file_is_not_overwritten_unasked(path, network):
    with pytest.raises(OutputExistsError):
        save_checkpoint(path, network, architecture="x", preprocessing=SEEN)
    save_checkpoint(path, network, architecture="x", preprocessing=SEEN, overwrite=True)
    assert read_checkpoint(path).architecture == "x"


def test_a_tensor_of_two_names_is_saved_under_both(tmp_path):
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(2, 2)
            self.second = self.first

    save_checkpoint(tmp_path / "a.ckpt", Tied(), architecture="x", preprocessing=SEEN)
    assert "second.weight" in load_file(tmp_path / "a.ckpt")


def test_a_plain_state_dict_opens_with_an_architecture(plain, network):
    backbone = open_backbone(str(plain), WeightsChoice(architecture="SqueezeNet1_1"))
    assert backbone.name == "torchvision:squeezenet1_1.IMAGENET1K_V1"
    assert backbone.weights.name == f"file:{plain}"
    (logits,) = backbone.cut(["logits"])(IMAGES)
    assert torch.equal(logits, network(IMAGES))


def test_a_plain_state_dict_without_an_architecture_says_what_to_add(plain):
    with pytest.raises(UsageError, match=r"plain.pth does not say .* architecture='resnet50'"):
        open_backbone(str(plain))


def test_options_that_contradict_are_refused(path, plain):
    with pytest.raises(UsageError, match="leave out architecture"):
        open_backbone(str(path), WeightsChoice(architecture="resnet50"))
    with pytest.raises(UsageError, match="leave out weights"):
        open_backbone(str(path), WeightsChoice(weights=plain))
    with pytest.raises(UsageError, match="resnet50 is an architecture itself"):
        open_backbone("resnet50", WeightsChoice(architecture="resnet18"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PathNotFoundError, match=r"no such file: .*gone.ckpt; give a checkpoint"):
        open_backbone(str(tmp_path / "gone.ckpt"))


def rewrite(path, change):
    """Write the same tensors with another note."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        note = json.loads(file.metadata()["penult"])
    save_file(load_file(path), path, metadata={"penult": json.dumps(note | change)})


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"format": 2}, FileFormatError, "of format 2; this penult reads 1"),
        ({"format": "2"}, FileFormatError, "damaged checkpoint: it states no format"),
        ({"preprocessing": {"resize": 3}}, FileFormatError, "damaged checkpoint: it lacks crop, "),
        (
            {"preprocessing": {**asdict(SEEN), "mean": [0.5, 0.5]}},
            FileFormatError,
            r"damaged checkpoint: mean is \[0.5, 0.5\], and may be three numbers",
        ),
        ({"preprocessing": 3}, FileFormatError, "it is '3' where settings by name are expected"),
        ({"architecture": 3}, FileFormatError, "architecture is '3'"),
        ({"label_names": [1]}, FileFormatError, "label_names is "),
        ({"classes": 3}, FileFormatError, "it has the unknown classes"),
        ({"architecture": "checkpoint:/etc/x.ckpt"}, WeightsError, "was made from checkpoint:"),
        (
            {"architecture": "torchvision:squeezenet1_0"},
            WeightsError,
            "does not fit torchvision:squeezenet1_0:",
        ),
    ],
)
def test_a_checkpoint_that_is_not_right_is_refused(path, change, error, complaint):
    rewrite(path, change)
    with pytest.raises(error, match=complaint):
        _ = open_backbone(str(path)).network.module


@pytest.mark.parametrize(
    "header", [b"{broken", b'{"__metadata__": 3}', b'{"__metadata__": {"penult": 3}}']
)
def test_a_header_that_says_nothing_is_no_note(tmp_path, header):
    file = tmp_path / "a.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    assert read_note(file, "penult") is None
    file.write_bytes((1 << 62).to_bytes(8, "little") + header)
    assert read_note(file, "penult") is None


def test_a_file_that_is_no_whole_one_has_no_arrays(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"a\.safetensors is no whole safetensors file"):
        read_arrays(tmp_path / "a.safetensors")


def test_a_truncated_checkpoint_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="no whole safetensors file"):
        _ = open_backbone(str(path)).network.module


# A checkpoint has its own input size.


def saved(path, architecture, network, size):
    save_checkpoint(
        path,
        network.eval(),
        architecture=architecture,
        preprocessing=replace(SEEN, resize=size),
        overwrite=True,
    )
    return str(path)


@pytest.mark.parametrize("size", [(96, 96), (64, 96)])
def test_a_vision_transformer_is_built_for_the_images_of_its_checkpoint(size, tmp_path):
    base = open_backbone("timm:test_vit", WeightsChoice(weights="random"))
    assert base.layer("blocks").shape == (101, 64)
    network = timm.create_model("test_vit", img_size=size, num_classes=3)
    name = saved(tmp_path / "vit.ckpt", "timm:test_vit", network, size)
    patches = size[0] // 16 * size[1] // 16
    for _ in range(2):  # opened, and remembered
        backbone = open_backbone(name)
        layer = backbone.layer("blocks")
        assert (layer.shape, layer.prefix_tokens) == ((patches + 1, 64), 1)
        assert backbone.layer("patch_embed").shape == (size[0] // 16, size[1] // 16, 64)
        assert backbone.layer("patch_embed").layout == "NHWC"
        images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            tokens, logits = backbone.cut(["blocks", "logits"])(images)
            assert torch.equal(logits, network(images))
        assert tokens.shape == (2, *layer.shape)


def test_a_position_embedding_of_another_size_is_fitted_to_the_checkpoints_images(tmp_path):
    network = timm.create_model("test_vit", num_classes=3)  # for 160 × 160
    name = saved(tmp_path / "vit.ckpt", "timm:test_vit", network, (96, 96))
    assert open_backbone(name).layer("blocks").shape == (37, 64)


@pytest.mark.parametrize(
    ("architecture", "make", "layer", "shape"),
    [
        ("timm:test_resnet", lambda: timm.create_model("test_resnet"), "layer4", (96, 2, 3)),
        ("torchvision:squeezenet1_1", models.squeezenet1_1, "features", (512, 3, 5)),
    ],
)
def test_maps_have_the_size_of_the_checkpoints_images(architecture, make, layer, shape, tmp_path):
    name = saved(tmp_path / "net.ckpt", architecture, make(), (64, 96))
    backbone = open_backbone(name)
    assert (backbone.layer(layer).shape, backbone.layer(layer).layout) == (shape, "NCHW")
    (maps,) = backbone.cut([layer])(torch.rand(1, 3, 64, 96))
    assert maps.shape == (1, *shape)


def test_maps_planned_and_listed_are_those_extracted_from_a_crop(photos, tmp_path):
    from typer.testing import CliRunner

    import penult
    from penult.cli import app
    from penult.planning import plan

    preprocessing = replace(SEEN, resize=72, crop=(64, 96))
    save_checkpoint(
        tmp_path / "net.ckpt",
        timm.create_model("test_resnet").eval(),
        architecture="timm:test_resnet",
        preprocessing=preprocessing,
    )
    options = {"model": str(tmp_path / "net.ckpt"), "layer": "layer4", "pooling": "none"}
    shape = (96, 2, 3)
    assert plan(photos, **options).layers[0].shape == shape
    told = CliRunner().invoke(app, ["layers", options["model"], "layer4", "--json"])
    assert json.loads(told.stdout)[0]["shape"] == list(shape)
    assert penult.extract(photos / "rose", **options).features.shape[1:] == shape
    assert open_backbone(options["model"]).layer("layer4").shape == shape


def test_what_is_planned_and_listed_is_what_is_extracted(photos, tmp_path):
    import penult
    from penult.planning import plan

    network = timm.create_model("test_vit", img_size=64, num_classes=3)
    name = saved(tmp_path / "vit.ckpt", "timm:test_vit", network, (64, 64))
    options = {"model": name, "layer": "blocks.0", "pooling": "none"}
    features = penult.extract(photos / "rose", **options, engine="torch")
    assert plan(photos, **options).layers[0].shape == features.features.shape[1:] == (17, 64)
    assert open_without_download(name).layer("blocks.0").shape == (17, 64)
    pooled = penult.extract(
        photos / "rose", model=name, layer="blocks.0", pooling="avg", engine="torch"
    )
    np.testing.assert_allclose(
        pooled.features[:], features.features[:][:, 1:].mean(1), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize(
    ("architecture", "make"),
    [
        ("timm:test_vit", lambda: timm.create_model("test_vit", img_size=96)),
        ("torchvision:vit_b_32", lambda: torch.nn.Linear(1, 1)),
    ],
)
def test_a_size_that_the_network_cannot_have_is_one_line(architecture, make, tmp_path):
    name = saved(tmp_path / "net.ckpt", architecture, make(), (100, 100))
    with pytest.raises(BackboneError, match=r"images of .*100 × 100: ") as refused:
        _ = open_backbone(name).layers
    assert "\n" not in str(refused.value)


# A recipe opens again.


def reopen(recipe, **options):
    return open_recipe(recipe, recipe_is="the classifier", **options)


@pytest.mark.parametrize("kind", ["checkpoint", "plain", "given", "random"])
def test_a_recipe_opens_the_backbone_it_was_made_with(kind, path, plain):
    name, choice = {
        "checkpoint": (str(path), WeightsChoice()),
        "plain": (str(plain), WeightsChoice(architecture="squeezenet1_1")),
        "given": ("squeezenet1_1", WeightsChoice(weights=plain)),
        "random": ("squeezenet1_1", WeightsChoice(weights="random")),
    }[kind]
    recipe = open_backbone(name, choice).recipe("features", "avg", "l2")
    assert reopen(recipe).recipe("features", "avg", "l2") == recipe


@pytest.mark.parametrize("kind", ["checkpoint", "given"])
def test_a_file_that_has_moved_is_asked_for_by_its_digest(kind, path, plain, tmp_path):
    file = path if kind == "checkpoint" else plain
    name, choice = (
        (str(path), None) if kind == "checkpoint" else ("squeezenet1_1", WeightsChoice(plain))
    )
    recipe = open_backbone(name, choice).recipe()
    moved = tmp_path / "elsewhere.bin"
    shutil.move(file, moved)
    with pytest.raises(
        WeightsError, match=rf"the classifier was made with .*{recipe.weights_sha256}"
    ):
        reopen(recipe)
    assert reopen(recipe, choice=WeightsChoice(weights=moved)).recipe() == recipe


def test_a_file_that_has_changed_is_refused(plain, network):
    recipe = open_backbone("squeezenet1_1", WeightsChoice(plain)).recipe()
    torch.save({"state_dict": network.state_dict()}, plain)
    with pytest.raises(RecipeMismatchError, match="weights_sha256"):
        reopen(recipe)


def test_the_source_keeps_its_promises(path):
    source, name = resolve(f"checkpoint:{path}")
    check_source(source, name)
