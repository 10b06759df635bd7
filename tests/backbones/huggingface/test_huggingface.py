"""Against transformers' own processors and models, on tiny checkpoints of random weights."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from penult.backbones.checkpoint import save_checkpoint
from penult.backbones.huggingface.preprocessing import read_preprocessing
from penult.backbones.huggingface.source import HuggingFace, _digest
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import (
    BackboneError,
    MissingExtraError,
    PathNotFoundError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from penult.images.pixels.transform import Transform
from penult.testing import check_source

transformers = pytest.importorskip("transformers")

VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 32,
    "patch_size": 8,
}
CLIP_TEXT = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "vocab_size": 20,
}
SWIN = {
    "image_size": 32,
    "patch_size": 4,
    "embed_dim": 8,
    "depths": [1, 1],
    "num_heads": [1, 2],
    "window_size": 4,
}
SQUASH = {"size": {"height": 32, "width": 32}}
CROP = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}


def tiny(name):
    """(model, image processor, what its row is in the model's output)"""
    t = transformers
    if name == "vit classifier":
        config = t.ViTConfig(**VIT, num_labels=5)
        return t.ViTForImageClassification(config), t.ViTImageProcessor(**SQUASH), "cls"
    if name == "vit with pooler":
        return t.ViTModel(t.ViTConfig(**VIT)), t.ViTImageProcessor(**SQUASH), "pooler_output"
    if name == "dinov2":
        return t.Dinov2Model(t.Dinov2Config(**VIT)), t.BitImageProcessor(**CROP), "cls"
    if name == "dinov2 with registers":
        config = t.Dinov2WithRegistersConfig(**VIT, num_register_tokens=3)
        return t.Dinov2WithRegistersModel(config), t.BitImageProcessor(**CROP), "cls"
    if name == "convnext classifier":
        config = t.ConvNextConfig(depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 24], num_labels=5)
        processor = t.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.875)
        return t.ConvNextForImageClassification(config), processor, "pooler_output"
    if name == "resnet":
        config = t.ResNetConfig(
            depths=[1, 1], hidden_sizes=[8, 16], embedding_size=8, layer_type="basic"
        )
        processor = t.ConvNextImageProcessor(size={"shortest_edge": 384})
        return t.ResNetModel(config), processor, "pooler_output"
    if name == "swinv2":
        return t.Swinv2Model(t.Swinv2Config(**SWIN)), t.ViTImageProcessor(**SQUASH), "pooler_output"
    if name == "clip":
        config = t.CLIPConfig(text_config=CLIP_TEXT, vision_config=VIT, projection_dim=12)
        return t.CLIPModel(config), t.CLIPImageProcessor(**CROP), "image_embeds"
    if name == "clip vision":
        config = t.CLIPVisionConfig(**VIT, projection_dim=12)
        return t.CLIPVisionModelWithProjection(config), t.CLIPImageProcessor(**CROP), "image_embeds"
    if name == "siglip":
        config = t.SiglipConfig(text_config=CLIP_TEXT, vision_config=VIT)
        return t.SiglipModel(config), t.SiglipImageProcessor(**SQUASH), "image_embeds"
    if name == "beit":
        return (
            t.BeitModel(t.BeitConfig(**VIT)),
            t.BeitImageProcessor(**SQUASH, do_center_crop=False),
            "pooler_output",
        )
    raise AssertionError(name)


ALL = (
    "vit classifier", "vit with pooler", "dinov2", "dinov2 with registers", "convnext classifier",
    "resnet", "swinv2", "clip", "clip vision", "siglip", "beit",
)  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path):
    """Saves a tiny checkpoint and returns its folder and model."""

    def save(name, **options):
        torch.manual_seed(0)
        model, processor, row = tiny(name)
        model.eval().save_pretrained(tmp_path / "checkpoint", **options)
        processor.save_pretrained(tmp_path / "checkpoint")
        return tmp_path / "checkpoint", model, row

    return save


def photo(width=94, height=80):
    rng = np.random.default_rng(3)
    small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def network_input(backbone, image):
    """The recipe's own pixels, normalised by the definition in `Preprocessing`."""
    preprocessing = backbone.preprocessing
    pixels = torch.from_numpy(Transform(preprocessing)(image)).permute(2, 0, 1)[None].float()
    mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
    return (pixels / 255 - mean) / torch.tensor(preprocessing.std).view(1, 3, 1, 1)


def relative_error(ours, theirs):
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("name", ALL)
def test_rows_are_those_of_transformers(name, checkpoint):
    folder, model, row = checkpoint(name)
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    # Resized to a shorter edge of 40 it is 47 × 40: half of the 15 columns to cut off is rounded.
    image = photo()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    inputs = processor(image, return_tensors="pt").pixel_values
    ours = network_input(backbone, image)
    torch.testing.assert_close(ours, inputs, rtol=1e-5, atol=1e-5)

    with torch.inference_mode():
        penultimate = backbone.cut(["penultimate"])(ours)[0]
        if name in ("clip", "siglip"):
            output = model.vision_model(inputs)
            theirs = (
                model.visual_projection(output.pooler_output)
                if name == "clip"
                else output.pooler_output
            )
        else:
            base = getattr(model, model.base_model_prefix, model)
            output = model(inputs) if row == "image_embeds" else base(inputs)
            theirs = output.last_hidden_state[:, 0] if row == "cls" else output[row].flatten(1)
    assert penultimate.shape == (1, backbone.layer("penultimate").length)
    assert relative_error(penultimate, theirs) < 1e-4
    assert backbone.recipe().weights_sha256 == backbone.weights.sha256


@pytest.mark.parametrize("edge", [40, 27], ids=["cropped", "padded"])
@pytest.mark.parametrize("width", range(90, 98))
def test_pixels_are_those_of_transformers_to_the_last_one(edge, width, checkpoint):
    folder, _, _ = checkpoint("dinov2")
    file = folder / "preprocessor_config.json"
    size = {"size": {"shortest_edge": edge}, "do_normalize": False, "do_rescale": False}
    file.write_text(json.dumps(json.loads(file.read_text()) | size))
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    theirs = processor(photo(width, 80), return_tensors="np").pixel_values[0]
    ours = Transform(read_preprocessing(folder, "hf:x"))(photo(width, 80))
    np.testing.assert_array_equal(ours.transpose(2, 0, 1), theirs)


@pytest.mark.parametrize("name", ["vit classifier", "convnext classifier"])
def test_a_classifiers_logits_are_a_layer(name, checkpoint):
    folder, model, _ = checkpoint(name)
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    images = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        penultimate, logits = backbone.cut(["penultimate", "logits"])(images)
        torch.testing.assert_close(logits, model(images).logits)
        torch.testing.assert_close(model.classifier(penultimate), logits)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("dinov2", 1), ("dinov2 with registers", 4), ("clip", 1), ("siglip", 0), ("swinv2", 0)],
)
def test_tokens_in_front_of_the_patches_are_counted(name, prefix, checkpoint):
    folder, _, _ = checkpoint(name)
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    tokens = [layer for layer in backbone.layers if layer.layout == "NTD"]
    in_blocks = [x for x in tokens if x.shape[0] not in (1, 16, 64)]
    assert {x.prefix_tokens for x in in_blocks} == ({prefix} if prefix else set())
    assert all(x.prefix_tokens == 0 for x in tokens if x not in in_blocks)


def test_tokens_that_are_not_all_in_front_are_not_taken_for_patches(checkpoint):
    """YOLOS has a class token in front and detection tokens behind the 16 patches."""
    folder, _, _ = checkpoint("dinov2")
    config = transformers.YolosConfig(**{**VIT, "image_size": [32, 32]}, num_detection_tokens=10)
    shutil.rmtree(folder)
    transformers.YolosModel(config).save_pretrained(folder)
    transformers.ViTImageProcessor(**SQUASH).save_pretrained(folder)
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    assert backbone.layer("embeddings").shape == (27, 16)
    for pooling in ("avg", "cls"):
        with pytest.raises(UsageError):
            backbone.recipe("embeddings", pooling)
    assert backbone.recipe("embeddings").pooling == "none"


def test_layers_are_the_models_own_module_paths(checkpoint):
    folder, model, _ = checkpoint("dinov2 with registers")
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    paths = [layer.name for layer in backbone.layers]
    assert set(paths) - {"penultimate"} <= {name for name, _ in model.named_modules()}
    (last_block,) = [path for path in paths if path.endswith("layer.1")]
    # 16 patches after the class token and three registers.
    assert backbone.layer(last_block).shape == (20, 16)
    images = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        (tokens,) = backbone.cut([last_block])(images)
        theirs = model(images, output_hidden_states=True).hidden_states[-1]
    torch.testing.assert_close(tokens, theirs)
    assert backbone.recipe(last_block).pooling == "cls"


def test_a_pooler_that_was_never_trained_is_not_used(checkpoint):
    """Checkpoints of classifiers and of DINO have none; transformers would make up random weights."""
    folder, _, _ = checkpoint("vit with pooler")
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in state.items() if "pooler" not in name}
    assert len(kept) == len(state) - 2
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        row = backbone.cut(["penultimate"])(images)[0]
        last = backbone.cut(["layernorm"])(images)[0]
    torch.testing.assert_close(row, last[:, 0])


def test_rows_depend_neither_on_their_neighbours_nor_on_the_run(checkpoint):
    folder, _, _ = checkpoint("resnet")
    cut = HuggingFace().open(str(folder), WeightsChoice()).cut(["penultimate"])
    images = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        together = cut(images)[0]
        assert torch.equal(together, cut(images)[0])
        alone = torch.cat([cut(image[None])[0] for image in images])
    torch.testing.assert_close(together, alone)


def test_an_untrained_network_is_the_same_each_time(checkpoint):
    folder, _, _ = checkpoint("dinov2")
    (folder / "model.safetensors").unlink()
    choice = WeightsChoice("random")
    first, second = (HuggingFace().open(str(folder), choice) for _ in range(2))
    assert first.weights == second.weights
    assert first.weights.name == "random"
    images = torch.randn(1, 3, 32, 32)
    rows = [backbone.cut(["penultimate"])(images)[0] for backbone in (first, second)]
    assert torch.equal(*rows)


@pytest.mark.parametrize("place", ["elsewhere.safetensors", "checkpoint/mine.safetensors"])
def test_given_weights_replace_those_of_the_checkpoint(place, checkpoint, tmp_path):
    folder, model, _ = checkpoint("dinov2")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    model.save_pretrained(tmp_path / "other")
    (tmp_path / "other/model.safetensors").rename(tmp_path / place)
    backbone = HuggingFace().open(str(folder), WeightsChoice(tmp_path / place))
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        row = backbone.cut(["penultimate"])(images)[0]
        torch.testing.assert_close(row, model(images).pooler_output)


def test_weights_in_several_files_are_one_identity(checkpoint):
    folder, model, _ = checkpoint("dinov2", max_shard_size="8KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        row = backbone.cut(["penultimate"])(images)[0]
        torch.testing.assert_close(row, model(images).pooler_output)
    shard = next(folder.glob("model-*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x01")
    assert HuggingFace().open(str(folder), WeightsChoice()).weights != backbone.weights


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": {}}', '{"weight_map": {"a": 1}}'])
def test_an_index_that_names_no_files_is_refused(index, tmp_path):
    file = tmp_path / "model.safetensors.index.json"
    file.write_text(index)
    with pytest.raises(WeightsError, match=r"index\.json is no index of weights files"):
        _digest(file)


def test_a_folder_without_all_its_weights_is_refused(checkpoint):
    folder, _, _ = checkpoint("dinov2")
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"holds no weights: none of model\.safetensors, "):
        HuggingFace().open(str(folder), WeightsChoice())
    named = {"weight_map": {"a": "model-1.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(named))
    with pytest.raises(WeightsError, match=r"lacks model-1\.safetensors, which model\..* names"):
        HuggingFace().open(str(folder), WeightsChoice())


def test_a_file_that_is_no_weights_is_refused_in_one_line(checkpoint):
    folder, _, _ = checkpoint("dinov2")
    whole = (folder / "model.safetensors").read_bytes()
    for damaged in (b"no", whole[:-9]):
        (folder / "model.safetensors").write_bytes(damaged)
        backbone = HuggingFace().open(str(folder), WeightsChoice())
        with pytest.raises(
            WeightsError, match=r"model\.safetensors does not fit .*: .*"
        ) as refused:
            backbone.cut(["penultimate"])
        assert "\n" not in str(refused.value)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"no")
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    with pytest.raises(WeightsError, match=r"pytorch_model\.bin"):
        backbone.cut(["penultimate"])


def test_a_checkpoint_that_lacks_tensors_is_refused(checkpoint):
    from safetensors.torch import load_file, save_file

    folder, _, _ = checkpoint("dinov2")
    state = load_file(folder / "model.safetensors")
    del state["layernorm.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        WeightsError, match=r"missing or of another shape, the first layernorm\.weight"
    ):
        HuggingFace().open(str(folder), WeightsChoice()).cut(["penultimate"])


def test_code_from_the_checkpoint_is_never_run(checkpoint, tmp_path):
    folder, _, _ = checkpoint("dinov2")
    ran = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError, match="cannot be built"):
        HuggingFace().open(str(folder), WeightsChoice())
    assert not ran.exists()


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"do_pad": True}, "do_pad=true"),
        ({"size": {"shortest_edge": 32, "longest_edge": 64}}, "longest_edge"),
        ({"size": {"shortest_edge": 32}, "do_center_crop": False}, "without a crop"),
        ({"image_processor_type": "EfficientNetImageProcessor"}, "EfficientNetImageProcessor"),
        ({"crop_size": {"shortest_edge": 32}}, "crop_size"),
        ({"do_resize": False, "do_center_crop": False}, "size None without a crop"),
        ({"image_processor_type": "NoSuchProcessor"}, "no image preprocessing that transformers"),
        (
            {"image_processor_type": "ConvNextImageProcessor", "size": {"height": 8, "width": 8}},
            "with crop {'height': 32, 'width': 32} in ConvNextImageProcessor",
        ),
    ],
    ids=[
        "padding",
        "two limits",
        "sizes differ",
        "a processor of its own",
        "crop by one edge",
        "nothing",
        "nobody's processor",
        "ConvNeXT's",
    ],
)
def test_preprocessing_that_a_recipe_cannot_say_is_refused_by_name(setting, named, checkpoint):
    folder, _, _ = checkpoint("dinov2")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | setting))
    with pytest.raises(BackboneError, match=named):
        HuggingFace().open(str(folder), WeightsChoice())


def test_a_checkpoint_of_another_input_size_is_built_for_it(checkpoint, tmp_path):
    folder, model, _ = checkpoint("vit classifier")
    model.config.image_size = 48
    larger = type(model)(model.config).eval()
    preprocessing = HuggingFace().open(str(folder), WeightsChoice()).preprocessing
    save_checkpoint(
        tmp_path / "vit.ckpt",
        larger,
        architecture=f"hf:{folder}",
        preprocessing=dataclasses.replace(preprocessing, resize=(48, 48)),
    )
    backbone = open_backbone(str(tmp_path / "vit.ckpt"))
    assert backbone.layer("vit.layernorm").shape == (37, 16)
    images = torch.randn(2, 3, 48, 48)
    with torch.inference_mode():
        (logits,) = backbone.cut(["logits"])(images)
        torch.testing.assert_close(logits, larger(images).logits)


def test_a_filter_is_taken_by_its_number_and_0_is_one(checkpoint):
    folder, _, _ = checkpoint("vit with pooler")
    file = folder / "preprocessor_config.json"
    settings, image = json.loads(file.read_text()), photo()
    for number in range(6):
        file.write_text(json.dumps(settings | {"resample": number}))
        backbone = HuggingFace().open(str(folder), WeightsChoice())
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        theirs = processor(image, return_tensors="pt").pixel_values
        torch.testing.assert_close(network_input(backbone, image), theirs, rtol=0, atol=1e-6)
        assert Image.Resampling[backbone.preprocessing.interpolation.upper()] == number


@pytest.mark.parametrize(
    "setting",
    [
        {"image_mean": [0, 0, 0]},
        {"image_mean": 0, "image_std": 1},
        {"do_normalize": False},
        {"do_rescale": 0},
        {"rescale_factor": 1},
    ],
    ids=str,
)
def test_what_is_0_or_false_counts_as_it_does_to_transformers(setting, checkpoint):
    folder, _, _ = checkpoint("vit with pooler")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | setting))
    backbone = HuggingFace().open(str(folder), WeightsChoice())
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    theirs = processor(photo(), return_tensors="pt").pixel_values
    torch.testing.assert_close(network_input(backbone, photo()), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"resample": 6}, r"states resample 6; it may be 0 \(nearest\), 1 \(lanczos\)"),
        ({"resample": "bilinear"}, 'states resample "bilinear"'),
        ({"resample": None}, "states resample null"),
        ({"resample": [0]}, r"states resample \[0\]"),
        ({"rescale_factor": 0}, "states rescale_factor 0; it may be a number other than 0"),
        ({"rescale_factor": None}, "states rescale_factor null"),
        ({"image_mean": None}, "states image_mean null; it may be three numbers"),
        ({"image_mean": [0.5, 0.5]}, r"states image_mean \[0.5, 0.5\]"),
        ({"image_mean": ["a", "b", "c"]}, "states image_mean"),
        ({"image_mean": [float("nan")] * 3}, r"states image_mean \[NaN, NaN, NaN\]"),
        ({"image_std": 0}, "states image_std 0; it may be three numbers other than 0"),
        ({"image_std": [1, 1, 0]}, "states image_std"),
        ({"size": 0}, 'states size {"height": 0, "width": 0}; it may be edges of 1 to'),
        ({"size": None}, "states size null"),
        ({"size": {"height": 32.5, "width": 32}}, "states size"),
        ({"do_center_crop": True}, "states crop_size null"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_refused_by_name_and_value(setting, complaint, checkpoint):
    folder, _, _ = checkpoint("vit with pooler")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | setting))
    with pytest.raises(BackboneError, match=complaint) as refused:
        HuggingFace().open(str(folder), WeightsChoice())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("crop_pct", [0, None, -1, "x"])
def test_a_share_that_nothing_can_be_divided_by_is_refused(crop_pct, checkpoint):
    folder, _, _ = checkpoint("convnext classifier")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"crop_pct": crop_pct}))
    with pytest.raises(BackboneError, match=r"states crop_pct .*; it may be a number above 0"):
        HuggingFace().open(str(folder), WeightsChoice())


def test_a_share_that_makes_images_too_large_is_refused(checkpoint):
    folder, _, _ = checkpoint("convnext classifier")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"crop_pct": 0.0001}))
    with pytest.raises(BackboneError, match="cannot be followed: resize is 320000, and may be"):
        HuggingFace().open(str(folder), WeightsChoice())


def test_a_network_that_hides_patches_is_refused_with_another_that_does_not(checkpoint):
    folder, _, _ = checkpoint("dinov2")
    shutil.rmtree(folder)
    config = transformers.ViTMAEConfig(
        **VIT, decoder_num_hidden_layers=1, decoder_hidden_size=8, decoder_intermediate_size=8,
        decoder_num_attention_heads=1,
    )  # fmt: skip
    transformers.ViTMAEModel(config).save_pretrained(folder)
    transformers.ViTImageProcessor(**SQUASH).save_pretrained(folder)
    with pytest.raises(
        BackboneError, match=r"hides patches at random; take .* from timm: timm:vit"
    ):
        HuggingFace().open(str(folder), WeightsChoice())


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", ["vit classifier", "clip"])
def test_networks_of_other_channels_are_refused(name, channels, checkpoint):
    folder, _, _ = checkpoint(name)
    config = json.loads((folder / "config.json").read_text())
    config.get("vision_config", config)["num_channels"] = channels
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError, match=f"images of {channels} channels, and penult gives 3"):
        HuggingFace().open(str(folder), WeightsChoice())


def test_settings_of_old_checkpoints_are_understood(checkpoint):
    """`google/vit-base-patch16-224` says `"size": 224` and names a feature extractor."""
    folder, _, _ = checkpoint("vit with pooler")
    old = {"do_normalize": True, "do_resize": True, "size": 32, "resample": 2,
           "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
           "feature_extractor_type": "ViTFeatureExtractor"}  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(old))
    preprocessing = HuggingFace().open(str(folder), WeightsChoice()).preprocessing
    assert (preprocessing.resize, preprocessing.crop) == ((32, 32), None)
    assert preprocessing.interpolation == "bilinear"
    assert preprocessing.mean == pytest.approx((0.5, 0.5, 0.5))


def test_text_networks_are_refused(checkpoint):
    folder, _, _ = checkpoint("dinov2")
    shutil.rmtree(folder)
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(folder)
    transformers.ViTImageProcessor(**SQUASH).save_pretrained(folder)
    with pytest.raises(BackboneError, match="is no image network: BertModel"):
        HuggingFace().open(str(folder), WeightsChoice())


def test_folders_that_are_none_get_a_clear_line(tmp_path):
    with pytest.raises(PathNotFoundError, match="no such folder"):
        HuggingFace().open(str(tmp_path / "nowhere"), WeightsChoice())
    with pytest.raises(BackboneError, match=r"has no config\.json"):
        HuggingFace().open(str(tmp_path), WeightsChoice())


def test_offline_the_error_names_the_model_and_its_origin():
    with pytest.raises(WeightsError, match=r"hf:owner/name.*config\.json"):
        HuggingFace().open("owner/name", WeightsChoice(offline=True))


@pytest.fixture
def served(hub, checkpoint):
    """A tiny checkpoint on the stand-in for the hub, as `hf:owner/tiny`."""
    folder, model, _ = checkpoint("dinov2")
    for file in folder.iterdir():
        hub.files[f"owner/tiny/{file.name}"] = file.read_bytes()
    shutil.rmtree(folder)
    return hub, model


def test_a_checkpoint_comes_from_the_hub_once_and_then_from_its_cache(served):
    hub, model = served
    first = HuggingFace().open("owner/tiny", WeightsChoice())
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        row = first.cut(["penultimate"])(images)[0]
        torch.testing.assert_close(row, model(images).pooler_output)
    assert first.name == "hf:owner/tiny"
    files = {path.rpartition("/")[2] for path, _ in hub.downloads}
    assert {"config.json", "model.safetensors"} < files
    assert not any(name.endswith(".py") for name in files)

    asked = len(hub.requests)
    again = HuggingFace().open("owner/tiny", WeightsChoice(offline=True))
    with torch.inference_mode():
        assert torch.equal(again.cut(["penultimate"])(images)[0], row)
    assert again.recipe() == first.recipe()
    assert len(hub.requests) == asked


def test_a_name_the_hub_does_not_know_is_named(served):
    with pytest.raises(WeightsError, match="hf:owner/huge"):
        HuggingFace().open("owner/huge", WeightsChoice())


def test_a_checkpoint_without_preprocessing_is_refused_by_the_missing_file(served):
    hub, _ = served
    for name in ("preprocessor_config.json", "processor_config.json"):
        hub.files.pop(f"owner/tiny/{name}", None)
    with pytest.raises(WeightsError, match=r"preprocessor_config\.json"):
        HuggingFace().open("owner/tiny", WeightsChoice())


def test_without_transformers_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr("penult.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[hf\]'"):
        HuggingFace().open("facebook/dinov2-base", WeightsChoice())


def test_unknown_layers_get_suggestions(checkpoint):
    folder, _, _ = checkpoint("dinov2")
    with pytest.raises(UnknownNameError, match="layernorm"):
        HuggingFace().open(str(folder), WeightsChoice()).cut(["layernrm"])


def test_the_source_keeps_its_promises(checkpoint):
    folder, *_ = checkpoint("dinov2")
    check_source(HuggingFace(), str(folder))
