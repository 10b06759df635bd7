"""The OpenVINO engine gives torch's rows, converts once, and is left for torch when it cannot."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.base import TOLERANCE
from penult.engines.batches import OFTEN
from penult.engines.openvino import conversion
from penult.engines.openvino import engine as openvino_engine
from penult.engines.registry import open_engine
from penult.errors import EngineError, UsageError
from penult.machine import cache_folder
from penult.openvino import import_converter

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)
WHITE = np.full((1, 8, 8, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def lite0():
    return open_backbone("efficientnet_lite0")


@pytest.mark.slow
def test_rows_agree_with_torch_for_vectors_maps_and_unit_rows(lite0):
    recipes = [
        lite0.recipe("blocks.1", "none"),
        lite0.recipe("conv_head", "flatten"),
        lite0.recipe(normalize="l2"),
    ]
    ours = open_engine(lite0, recipes, engine="openvino").run(IMAGES)
    theirs = open_engine(lite0, recipes, engine="torch", device="cpu").run(IMAGES)
    for row, reference in zip(ours, theirs, strict=True):
        assert row.shape == reference.shape
        assert row.dtype == np.float32
        assert np.linalg.norm(row - reference) <= TOLERANCE * np.linalg.norm(reference)


@pytest.mark.slow
def test_rows_are_the_callers_own_and_any_number_of_threads_may_ask(lite0):
    engine = open_engine(lite0, [lite0.recipe()], engine="openvino")
    (alone,) = engine.run(IMAGES)
    kept = alone.copy()
    with ThreadPoolExecutor(8) as pool:
        for (rows,) in pool.map(lambda k: engine.run(IMAGES[k % 5 :][:1]), range(24)):
            assert rows.shape == (1, 1280)
        again = list(pool.map(lambda k: engine.run(IMAGES[k : k + 1])[0][0], range(5)))
    assert np.array_equal(alone, kept)
    np.testing.assert_allclose(np.stack(again), alone, rtol=1e-5, atol=1e-6)


def test_what_lies_behind_the_last_layer_is_not_even_converted(tmp_path, monkeypatch):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))
    network = open_backbone("timm:test_resnet", WeightsChoice("random"))
    open_engine(network, select(network, ["conv1"]), engine="openvino")
    open_engine(network, [network.recipe()], engine="openvino")
    sizes = sorted(p.stat().st_size for p in cache_folder().rglob("model.bin"))
    assert sizes[0] < sizes[-1] / 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "weights"),
    [
        ("efficientnet_lite0", "penultimate", None),
        ("SqueezeNet1_1", "features.3", "random"),
        ("timm:mobilenetv3_small_050", "blocks.1", "random"),
    ],
)
def test_the_second_time_neither_converts_nor_imports_torch(
    name, layer, weights, tmp_path, monkeypatch
):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))
    code = """
import sys
import numpy as np
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.registry import open_backbone
from penult.backbones.recipe_selection import select
from penult.engines.registry import open_engine
name, layer, weights = sys.argv[1:]
backbone = open_backbone(name, WeightsChoice.of(weights or None))
recipes = select(backbone, [layer])
engine = open_engine(backbone, recipes)
assert engine.name == "openvino"
assert engine.run(np.zeros((1, *recipes[0].preprocessing.input_size, 3), np.uint8))
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"torch", "torchvision", "timm", "openvino_telemetry"}, loaded
"""
    backbone = open_backbone(name, WeightsChoice.of(weights))
    open_engine(backbone, select(backbone, [layer]), engine="openvino")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [sys.executable, "-c", code, name, layer, weights or ""], check=True, env=environment
    )


def test_where_it_cannot_run_torch_does_and_one_line_says_why(toy, tmp_path, monkeypatch, caplog):
    def fail(*_arguments):
        raise EngineError("no such operation")

    monkeypatch.setattr(openvino_engine, "convert", fail)
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))
    backbone = open_backbone(toy)
    engine = open_engine(backbone, [backbone.recipe()], device="cpu")
    assert engine.name == "torch"
    (record,) = caplog.records
    assert "running toy:mean-colour with torch" in record.getMessage()
    assert "no such operation" in record.getMessage()
    with pytest.raises(EngineError, match="no such operation"):
        open_engine(backbone, [backbone.recipe()], engine="openvino")


def test_a_conversion_that_disagrees_with_torch_is_refused(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))
    monkeypatch.setattr(conversion, "TOLERANCE", -1.0)
    backbone = open_backbone(toy)
    with pytest.raises(EngineError, match=r"^the conversion of .* differs from torch's rows"):
        open_engine(backbone, [backbone.recipe()], engine="openvino")
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_costs_time_alone_and_is_named(
    toy, tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "file"))
    backbone = open_backbone(toy)
    engine = open_engine(backbone, [backbone.recipe()], engine="openvino")
    np.testing.assert_allclose(engine.run(WHITE)[0], [[1, 1, 1]], rtol=1e-6)
    (record,) = caplog.records
    assert "cannot be kept in" in record.getMessage()
    assert str(tmp_path / "file") in record.getMessage()


def test_a_device_it_lacks_is_refused(toy):
    backbone = open_backbone(toy)
    with pytest.raises(UsageError, match="device='cuda'"):
        open_engine(backbone, [backbone.recipe()], engine="openvino", device="cuda")


def test_an_engine_has_run_once_before_any_other_thread_gets_it(toy, monkeypatch):
    # OpenVINO's bindings deadlock where two threads run their process's first image at once.
    lock, ran_in = threading.Lock(), []
    run = openvino_engine.OpenVinoEngine._run

    def noted(self, *given):
        ran_in.append((threading.current_thread(), lock.locked()))
        return run(self, *given)

    monkeypatch.setattr(openvino_engine, "first_run_lock", lock)
    monkeypatch.setattr(openvino_engine.OpenVinoEngine, "_run", noted)
    backbone = open_backbone(toy)
    open_engine(backbone, [backbone.recipe()], engine="openvino")
    assert ran_in == [(threading.current_thread(), True)]


def test_the_converter_reports_nothing_even_where_openvino_was_imported_before(monkeypatch):
    from openvino.tools.ovc import convert_impl, telemetry_stub, telemetry_utils

    monkeypatch.setattr(telemetry_utils, "tm", None)
    import_converter.__wrapped__()
    assert isinstance(convert_impl.init_ovc_telemetry(), telemetry_stub.Telemetry)


def test_the_converter_is_imported_when_something_is_converted_and_others_still_find_it():
    code = """
import sys
from penult.openvino import import_openvino
openvino = import_openvino()
assert not {"openvino.tools.ovc", "openvino_telemetry", "absl"} & {*sys.modules}
assert not hasattr(openvino, "no_such_name")
from openvino import convert_model
from openvino.tools.ovc import convert_model as same, telemetry_utils
assert convert_model is same is openvino.convert_model
assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
assert "openvino_telemetry" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_conversion_that_fails_leaves_the_root_logger_as_it_was(toy, monkeypatch):
    # The converter sets its level and adds filters, and takes them back only where it succeeds.
    from penult.engines.row_network import RowNetwork

    def fail(_self, _images):
        raise RuntimeError("it is a toy")

    monkeypatch.setattr(RowNetwork, "forward", fail)
    root = logging.getLogger()
    before = root.level, list(root.filters)
    backbone = open_backbone(toy)
    with pytest.raises(EngineError, match="cannot be converted"):
        conversion.convert(backbone, [backbone.recipe()])
    assert (root.level, list(root.filters)) == before


def test_a_network_is_traced_where_few_calls_led_to(toy, monkeypatch):
    """torch notes them all with each operation: in here, that would cost more than the trace."""
    import torch

    from penult.engines.row_network import RowNetwork

    forward, calls = RowNetwork.forward, []

    def noted(self, images):
        if torch.jit.is_tracing():
            calls.append(len(traceback.extract_stack()))
        return forward(self, images)

    monkeypatch.setattr(RowNetwork, "forward", noted)
    backbone = open_backbone(toy)
    conversion.convert(backbone, [backbone.recipe()])
    assert 0 < max(calls) < len(traceback.extract_stack())


def test_weights_that_are_no_numbers_are_refused(tiny):
    import torch

    backbone = open_backbone(tiny)
    network = backbone.cut(["penultimate"]).network
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    with pytest.raises(
        EngineError, match=r"NaN or infinite numbers for a test image \(layer penult"
    ):
        open_engine(backbone, [backbone.recipe()], engine="openvino", fresh=True)


def test_a_trace_that_froze_the_image_it_saw_is_refused(toy, tmp_path, monkeypatch):
    import torch

    from penult.engines.row_network import RowNetwork

    def frozen(_self, images):
        return (torch.from_numpy(images.numpy().mean(axis=(1, 2)) / 255).float(),)

    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))
    monkeypatch.setattr(RowNetwork, "forward", frozen)
    backbone = open_backbone(toy)
    with pytest.raises(EngineError, match="differs from torch's rows"):
        open_engine(backbone, [backbone.recipe()], engine="openvino")


def test_a_network_that_is_a_graph_runs_without_torch(tmp_path):
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import numpy as np
from toys import GraphOfMeans
from penult.backbones.registry import open_backbone, register
from penult.backbones.recipe_selection import select
from penult.engines.registry import open_engine
register(GraphOfMeans())
backbone = open_backbone("graph:means")
images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
recipes = select(backbone, ["pixels", "penultimate"], "max")
for _ in range(2):  # read, and from the cache
    largest, means = open_engine(backbone, recipes, device="cpu").run(images)
    np.testing.assert_allclose(largest, images.max((1, 2)) / 255, rtol=1e-6)
    np.testing.assert_allclose(means, images.mean((1, 2)) / 255, rtol=1e-5)
assert "torch" not in sys.modules
"""
    environment = {**os.environ, "PENULT_CACHE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_an_int8_graph_that_froze_the_number_of_images_gets_them_one_by_one(tmp_path, monkeypatch):
    import openvino as ov

    from penult.backbones.graph_file import SavedGraph, save_graph
    from penult.backbones.layer import Layer
    from penult.engines.agreement import check_image
    from penult.recipe import Preprocessing

    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    op = ov.opset13
    given = op.parameter([-1, 8, 8, 3], ov.Type.u8)
    channels = op.transpose(op.convert(given, "f32"), [0, 3, 1, 2])
    # All pixels of all images, as of one: four images give one row, of no image.
    means = op.reduce_mean(op.reshape(channels, [1, 3, -1], special_zero=False), 2)
    ov.save_model(ov.Model([op.result(means)], [given], "frozen"), tmp_path / "model.xml")
    graph = SavedGraph(
        architecture="toy/means",
        preprocessing=Preprocessing(
            resize=8, crop=(8, 8), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
        layers=(Layer("penultimate", "Means", (3,), "vector"),),
        graph=(tmp_path / "model.xml").read_bytes(),
        weights=np.fromfile(tmp_path / "model.bin", np.uint8),
        expected=(check_image((8, 8)).mean((0, 1)).astype(np.float32),),
    )
    save_graph(tmp_path / "frozen.ckpt", graph, {})
    backbone = open_backbone(str(tmp_path / "frozen.ckpt"))
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    images[3] //= 2
    (rows,) = open_engine(backbone, [backbone.recipe()]).run(images)
    np.testing.assert_allclose(rows, images.mean((1, 2)), rtol=1e-5)


def graphs(engine):
    """For how many images an inference graphs are compiled."""
    return sorted(engine._graphs)


def test_one_photo_runs_a_graph_of_one_and_many_then_one_of_four(tiny):
    backbone = open_backbone(tiny)
    engine = open_engine(backbone, [backbone.recipe("last", "avg")], engine="openvino", images=1)
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    alone = np.concatenate([engine.run(images[k : k + 1])[0] for k in range(6)])
    assert graphs(engine) == [1]
    np.testing.assert_allclose(engine.run(images)[0], alone, rtol=1e-5, atol=1e-6)
    assert graphs(engine) == [1, 4]


def test_photos_that_keep_coming_alone_get_a_graph_of_one(tiny):
    backbone = open_backbone(tiny)
    engine = open_engine(backbone, [backbone.recipe("last", "avg")], engine="openvino")
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    (first,) = engine.run(image)
    assert graphs(engine) == [4]
    for _ in range(OFTEN):
        np.testing.assert_allclose(engine.run(image)[0], first, rtol=1e-5, atol=1e-6)
    assert graphs(engine) == [1, 4]


def test_where_there_is_a_graph_of_one_nothing_is_filled_up(tiny, monkeypatch):
    backbone = open_backbone(tiny)
    engine = open_engine(backbone, [backbone.recipe("last", "avg")], engine="openvino", images=1)
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), np.uint8)
    alone = np.concatenate([engine.run(images[k : k + 1])[0] for k in range(7)])
    engine.run(images[:4])
    assert graphs(engine) == [1, 4]
    ran, run = [], engine._run

    def counted(images, requests, at_once):
        ran.append((len(images), at_once))
        return run(images, requests, at_once)

    monkeypatch.setattr(engine, "_run", counted)
    for some in (2, 4, 7):
        np.testing.assert_allclose(engine.run(images[:some])[0], alone[:some], rtol=1e-5, atol=1e-6)
    assert ran == [(2, 1), (4, 4), (3, 1), (4, 4)]


def test_without_a_cached_conversion_the_first_graph_runs_all(tiny):
    backbone = open_backbone(tiny)
    recipes = [backbone.recipe("last", "avg")]
    engine = open_engine(backbone, recipes, engine="openvino", images=1, fresh=True)
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    (rows,) = engine.run(images)
    assert graphs(engine) == [1]
    np.testing.assert_allclose(rows[:1], engine.run(images[:1])[0], rtol=1e-5, atol=1e-6)


def test_a_second_graph_that_cannot_be_had_is_tried_once(tiny, monkeypatch):
    backbone = open_backbone(tiny)
    engine = open_engine(backbone, [backbone.recipe("last", "avg")], engine="openvino", images=1)
    tried = []

    def refuse(*_):
        tried.append(1)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(engine, "_compile", refuse)
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    for _ in range(3):
        assert engine.run(images)[0].shape == (6, 16)
    assert (tried, graphs(engine)) == ([1], [1])
