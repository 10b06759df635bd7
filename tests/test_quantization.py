"""A quantised backbone is one like any other, its card tells the truth, and nothing else opens it."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import penult
from penult.backbones.checkpoint import CheckpointFile
from penult.backbones.graph_file import is_graph_file, read_graph_file, save_graph
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.engines import measure
from penult.engines.agreement import cosines
from penult.engines.openvino import cosine_metric, nncf, read_graph
from penult.engines.openvino import engine as openvino_engine
from penult.engines.openvino import quantize as engine
from penult.engines.openvino.nncf import import_nncf
from penult.engines.registry import open_engine
from penult.errors import (
    EngineError,
    FileFormatError,
    MissingExtraError,
    OutputExistsError,
    RecipeMismatchError,
    SourceError,
    UnknownNameError,
    UsageError,
)
from penult.machine import cache_folder
from penult.progress import announcing
from penult.quantization import quantize
from penult.records import Progress

LAYERS = ["maps", "penultimate"]
FORMAT, KEY = 2, "penult.int8"


@pytest.fixture(scope="module")
def flowers(tmp_path_factory) -> Path:
    """Fifty pictures of two classes that colour and pattern tell apart."""
    folder = tmp_path_factory.mktemp("int8") / "flowers"
    rng = np.random.default_rng(0)
    for number in range(50):
        label, hue = (("iris", 60), ("poppy", 200))[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        colour = np.array([hue, 90 + 4 * number % 60, 220 - hue])
        pixels = rng.integers(0, 50, (6, 6, 3)) + colour
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((48, 40))
        image.save(folder / label / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def made(tiny, flowers):
    """(the checkpoint of two layers, its card)."""
    path = flowers.parent / "tiny.ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "SECONDS", 0.02)
        patch.setenv("PENULT_CACHE", str(flowers.parent / "cache"))
        told: list[Progress] = []
        card = quantize(tiny, flowers, path, layer=LAYERS, images=20, progress=told.append)
    stages = [now.stage for now in told]
    assert stages.index("reading images") < stages.index("converting the network")
    return path, card


def test_the_card_tells_the_truth(made, tiny, flowers):
    path, card = made
    assert read_graph_file(path).card == {
        **dataclasses.asdict(card),
        "cosines": [dataclasses.asdict(x) for x in card.cosines],
        "accuracy": {
            **dataclasses.asdict(card.accuracy),
            "differences": list(card.accuracy.differences),
        },
    }
    assert (card.backbone, card.weights_sha256) == (tiny, "71" * 32)
    assert (card.calibrated, card.held_back, card.operations) == (20, 30, 4)
    assert (card.accuracy.images, card.accuracy.classes) == (50, 2)
    assert card.float32_rate > 0 < card.int8_rate
    for told in card.cosines:
        float32 = penult.extract(flowers, model=tiny, layer=told.layer)
        int8 = penult.extract(flowers, model=str(path), layer=told.layer)
        assert int8.recipe.pooling == told.pooling
        found = dict(zip(int8.ids, cosines(int8.features[:], float32.features[:]), strict=True))
        # The lowest of the thirty held back, which are not the twenty others.
        assert found[told.lowest_id] == pytest.approx(told.lowest, abs=1e-6)
        assert sorted(found.values())[20] >= told.lowest >= min(found.values()) - 1e-6
        assert 0.99 < told.mean < 1


def test_integers_are_what_it_computes_with(made):
    path, card = made
    assert card.in_float == 0
    content = read_graph_file(path).graph
    assert content.graph.count(b'element_type="i8"') >= card.operations
    # Four convolutions of 8·3·9, 8·9, 16·8·9 and 16·16 weights, a byte each.
    weights = 8 * 3 * 9 + 8 * 9 + 16 * 8 * 9 + 16 * 16
    assert weights < len(content.weights) < 2 * weights


def test_it_is_a_backbone_like_any_other(made, tiny, flowers, tmp_path):
    path, _ = made
    rows = penult.extract(flowers, tmp_path / "int8.h5", model=str(path))
    assert rows.features.shape == (50, 16)
    assert penult.verify(tmp_path / "int8.h5").passed
    classifier = penult.train(rows)
    assert classifier.recipe.architecture == "int8/tiny/network"
    assert len(list(classifier.predict(flowers))) == 50
    float32 = penult.extract(flowers, tmp_path / "float32.h5", model=tiny)
    with pytest.raises(RecipeMismatchError, match="weights_sha256"):
        penult.train(float32, test_features=rows)
    moved = tmp_path / "elsewhere.ckpt"
    shutil.copy(path, moved)
    assert open_backbone(str(moved)).recipe() == rows.recipe


def test_every_pooling_is_there_and_follows_from_the_maps(made, flowers):
    path, _ = made
    one = next(flowers.rglob("*.png"))

    def row(pool, normalize="none"):
        found = penult.extract(
            one, model=str(path), layer="maps", pooling=pool, normalize=normalize
        )
        return found.features[0]

    maps = row("none")
    assert maps.shape == (16, 8, 8)
    np.testing.assert_allclose(row("avg"), maps.mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(row("max"), maps.max((1, 2)))
    np.testing.assert_array_equal(row("flatten"), maps.ravel())
    length = np.linalg.norm(maps.mean((1, 2)))
    np.testing.assert_allclose(row("avg", "l2"), maps.mean((1, 2)) / length, rtol=1e-5)


def test_a_row_depends_on_nothing_but_its_image(made):
    path, _ = made
    backbone = open_backbone(str(path))
    images = np.random.default_rng(1).integers(0, 256, (9, 32, 32, 3), np.uint8)
    recipes = [backbone.recipe(name) for name in reversed(LAYERS)]
    opened = open_engine(backbone, recipes)
    assert opened.name == "openvino"
    together = opened.run(images)
    assert [rows.shape for rows in together] == [(9, 16), (9, 16)]
    for k in range(9):
        for rows, alone in zip(together, opened.run(images[k : k + 1]), strict=True):
            assert np.array_equal(rows[k : k + 1], alone)


def test_it_opens_without_torch_nncf_or_telemetry(made):
    path, _ = made
    code = f"""
import sys
import numpy as np
from penult.backbones.registry import open_backbone
from penult.backbones.recipe_selection import select
from penult.engines.registry import open_engine
backbone = open_backbone({str(path)!r})
engine = open_engine(backbone, select(backbone, ["maps"], "gem"))
assert engine.run(np.zeros((1, 32, 32, 3), np.uint8))[0].shape == (1, 16)
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert not loaded & {{"torch", "timm", "nncf", "openvino_telemetry"}}, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))


def test_what_it_cannot_do_is_one_line(made, tiny, flowers, tmp_path):
    path, _ = made
    backbone = open_backbone(str(path))
    with pytest.raises(
        UnknownNameError, match=r"unknown layer 'logits' of .*; allowed: maps, penul"
    ):
        backbone.recipe("logits")
    with pytest.raises(UsageError, match="engine openvino alone; leave out engine='torch'"):
        open_engine(backbone, [backbone.recipe()], engine="torch")
    with pytest.raises(UsageError, match="leave out device='cuda'"):
        open_engine(backbone, [backbone.recipe()], device="cuda")
    with pytest.raises(UsageError, match="leave out weights"):
        open_backbone(str(path), WeightsChoice.of("random"))
    with pytest.raises(UsageError, match="leave out architecture"):
        open_backbone(str(path), WeightsChoice(architecture="resnet50"))
    with pytest.raises(UsageError, match="computes with integers already"):
        quantize(str(path), flowers, tmp_path / "again.ckpt")
    with pytest.raises(OutputExistsError):
        quantize(tiny, flowers, path)
    for model in (str(path), f"checkpoint:{path}"):
        with pytest.raises(OutputExistsError, match="is what is read; give another name"):
            quantize(model, flowers, path, overwrite=True)
    with pytest.raises(
        UsageError, match=r"name it int8\.penult or int8\.ckpt or int8\.safetensors"
    ):
        quantize(tiny, flowers, tmp_path / "int8.txt")
    with pytest.raises(UsageError, match=r"^min_cosine=1 was given; it must be 0 or more, and bel"):
        quantize(tiny, flowers, tmp_path / "x.ckpt", min_cosine=1)
    with pytest.raises(UsageError, match=r"^images=0 was given; it must be 1 or more"):
        quantize(tiny, flowers, tmp_path / "x.ckpt", images=0)
    few = [next(flowers.rglob("*.png"))]
    with pytest.raises(SourceError, match="1 of 1 image can be read"):
        quantize(tiny, few, tmp_path / "x.ckpt")
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_images_are_counted_in_the_log(tiny, flowers, tmp_path, caplog):
    shutil.copy(next(flowers.rglob("*.png")), tmp_path / "1.png")
    (tmp_path / "2.cr3").touch()
    with pytest.raises(SourceError, match="1 of 1 image can be read"):
        quantize(tiny, tmp_path, tmp_path / "x.ckpt")
    assert [m for m in caplog.messages if "1 other file passed over: 1 .cr3; the raw" in m]


def test_a_damaged_file_is_refused(made, tmp_path):
    data = bytearray(made[0].read_bytes())
    weights = read_graph_file(made[0]).graph.weights.tobytes()
    place = data.index(weights[:200]) + 100
    data[place] ^= 1
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"is damaged: .* SHA-256"):
        open_backbone(str(damaged))
    damaged.write_bytes(data[:-1000])
    with pytest.raises(FileFormatError, match="damaged"):
        open_backbone(str(damaged))


def test_a_file_of_a_newer_format_says_so(made, tmp_path):
    newer = tmp_path / "newer.ckpt"
    old = b'\\"format\\": %d' % FORMAT
    data = made[0].read_bytes()
    assert data.count(old) == 1
    newer.write_bytes(data.replace(old, b'\\"format\\": 9'))
    with pytest.raises(FileFormatError, match="format 9; this penult reads 2: update it"):
        open_backbone(str(newer))
    assert is_graph_file(newer)
    assert KEY.encode() in data


def test_a_file_of_the_format_before_is_read(made, tmp_path):
    """There, one number of tokens before the patches stood for all layers."""
    from safetensors.numpy import load_file, save_file

    content = read_graph_file(made[0]).graph
    note = content.note() | {"prefix_tokens": 2}
    note["layers"] = [{**layer, "layout": "NTD"} for layer in note["layers"]]
    for layer in note["layers"]:
        del layer["prefix_tokens"], layer["has_class_token"]
    note |= {"sha256": content.sha256(note), "format": 1, "card": {}}
    save_file(load_file(made[0]), tmp_path / "old.ckpt", metadata={KEY: json.dumps(note)})
    for layer in open_backbone(str(tmp_path / "old.ckpt")).layers:
        assert (layer.prefix_tokens, layer.has_class_token) == (2, True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layers": [{"name": "x"}]}, "it lacks type, shape, layout"),
        ({"preprocessing": {"resize": 8}}, "it lacks crop, interpolation, mean, std"),
        ({"architecture": None}, "damaged checkpoint: it lacks 'architecture'"),
        ({"format": "new"}, "damaged checkpoint: it states no format"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_name(made, tmp_path, change, complaint):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    with safe_open(made[0], framework="numpy") as file:
        note = json.loads(file.metadata()[KEY]) | change
    note = {key: value for key, value in note.items() if value is not None}
    save_file(load_file(made[0]), tmp_path / "other.ckpt", metadata={KEY: json.dumps(note)})
    with pytest.raises(FileFormatError, match=complaint):
        open_backbone(str(tmp_path / "other.ckpt"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layers": []}, "names no layer, or no architecture"),
        ({"architecture": 3}, "names no layer, or no architecture"),
        ({"shape": (0, 8, 8)}, "a layer of a size below 1"),
        ({"rows": np.float16}, "the rows that it is checked by are not float32"),
    ],
    ids=str,
)
def test_what_a_file_cannot_hold_is_said(made, tmp_path, change, complaint):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    with safe_open(made[0], framework="numpy") as file:
        note = json.loads(file.metadata()[KEY])
    arrays = load_file(made[0])
    if kind := change.get("rows"):
        arrays = {name: x.astype(kind) if "expected" in name else x for name, x in arrays.items()}
    elif shape := change.get("shape"):
        note["layers"][0]["shape"] = shape
    else:
        note |= change
    save_file(arrays, tmp_path / "other.ckpt", metadata={KEY: json.dumps(note)})
    with pytest.raises(FileFormatError, match=f"damaged checkpoint: .*{complaint}"):
        open_backbone(str(tmp_path / "other.ckpt"))


def test_what_nncf_fails_by_is_one_line(tiny, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no such operation\nand a trace")

    names = SimpleNamespace(MIXED=None, TRANSFORMER=None, ENABLE=None, DISABLE=None)
    nncf = SimpleNamespace(
        Dataset=list, QuantizationPreset=names, ModelType=names, OverflowFix=names,
        AdvancedQuantizationParameters=lambda **_: None, quantize=fail,
    )  # fmt: skip
    monkeypatch.setattr(engine, "import_nncf", lambda: nncf)
    backbone = open_backbone(tiny)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    with pytest.raises(EngineError, match=r"^tiny:network cannot be quantised: no such operation$"):
        engine.quantize(backbone, [backbone.recipe()], images, min_cosine=0.9)


def test_a_graph_that_does_not_run_here_is_one_line(made, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no kernel for this processor\nand a trace")

    monkeypatch.setattr(read_graph, "run_model", fail)
    backbone = open_backbone(str(made[0]))
    with pytest.raises(EngineError, match=r"cannot run: no kernel for this processor$"):
        open_engine(backbone, [backbone.recipe("maps")], fresh=True)


def test_a_processor_that_computes_something_else_is_noticed(made, tmp_path):
    content = read_graph_file(made[0]).graph
    other = dataclasses.replace(content, expected=tuple(row[::-1] for row in content.expected))
    save_graph(tmp_path / "other.ckpt", other, {})
    backbone = CheckpointFile().open(str(tmp_path / "other.ckpt"), WeightsChoice())
    with pytest.raises(EngineError, match=r"other rows on this processor .* make it again here"):
        open_engine(backbone, [backbone.recipe("maps")])


def test_whole_maps_may_be_rounded_otherwise_at_each_place(made, monkeypatch):
    backbone = open_backbone(str(made[0]))
    recipe = dataclasses.replace(backbone.recipe("maps"), pooling="none")
    convert = openvino_engine.convert
    rounding = np.where(np.indices((8, 8)).sum(0) % 2, -1, 1)  # as often up as down
    for factor, complaint in ((1, None), (1.2, "rows of maps differ")):

        def other(*given, factor=factor):
            made = convert(*given)
            (maps,) = made.rows
            return dataclasses.replace(made, rows=(factor * maps + np.float32(rounding),))

        monkeypatch.setattr(openvino_engine, "convert", other)
        options = {"fresh": True}  # not that of the cache
        if complaint is None:
            open_engine(backbone, [recipe], **options)
            continue
        with pytest.raises(EngineError, match=complaint):
            open_engine(backbone, [recipe], **options)


def test_what_does_most_harm_stays_in_float32(tiny, flowers, monkeypatch):
    monkeypatch.setattr(penult.progress.follow, "_SECONDS", -1)  # as if each step took long
    backbone = open_backbone(tiny)
    images = np.stack(
        [np.asarray(Image.open(p).resize((32, 32))) for p in sorted(flowers.rglob("*.png"))]
    )
    told: list[Progress] = []
    with announcing(told.append):
        better = engine.quantize(backbone, [backbone.recipe()], images, min_cosine=0.999998)
    stages = "; ".join(now.stage for now in told)
    assert re.search(r"in float32, which takes a while; min_cosine=0\.\d+ does without", stages)
    assert "calibrating 7-bit weights, whose sums do not overflow on older processors, on" in stages
    tries = [now.done for now in told if now.unit == "tries"]
    assert tries == [*range(3, 3 + len(tries))]  # before it, both widths of weights were judged
    assert len(tries) > better.products
    said = [now.stage for now in told if now.unit == "tries"]
    best = [float(re.findall(r"mean cosine (\S+) at best", stage)[0]) for stage in said]
    begins = float(re.findall(r"mean cosine (\S+): looking", stages)[0])
    assert best[0] == begins
    assert best == sorted(best)
    assert 0 < better.in_float < better.products == 4


def test_the_best_mean_cosine_is_that_of_a_quantised_graph_over_all_images(monkeypatch):
    monkeypatch.setattr(cosine_metric, "_outputs", lambda rows, image: [[rows[image]]])
    metric = object.__new__(cosine_metric.CosineMetric)
    metric.__dict__.update(calls=0, best=-1.0, counted=lambda _: None, _rows=lambda one: one)
    metric.__dict__.update(items=[(0, 0), (1, 1)], _expected=[np.eye(2)])
    itself, half = ([np.array([[1.0, 0.0]]), np.array([[x, 1.0]])] for x in (0.0, 1.0))
    assert metric(itself, metric.items)[0] == pytest.approx(1)
    assert metric(half, metric.items[:1])[0] == pytest.approx(1)
    assert metric.best == -1
    metric(half, metric.items)
    assert metric.best == pytest.approx((1 + 0.5**0.5) / 2)
    assert metric.calls == 3


def test_nothing_to_quantise_is_one_line(toy, flowers, tmp_path):
    with pytest.raises(EngineError, match="nothing before penultimate that could be in integers"):
        quantize(toy, flowers, tmp_path / "x.ckpt")
    assert not list(tmp_path.iterdir())


def test_without_nncf_the_extra_is_named(tiny, flowers, tmp_path, monkeypatch):
    monkeypatch.setattr(nncf, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[int8\]'"):
        quantize(tiny, flowers, tmp_path / "x.ckpt")


@pytest.mark.slow
def test_nothing_phones_home_nothing_but_penult_is_heard_and_signals_are_handled(flowers, tmp_path):
    """In a process of its own, where nothing mends what libraries do to loggers.

    The CPU plugin of OpenVINO gives signals a stack, and frees it with its core; NNCF makes cores.
    """
    code = f"""
import gc, json, logging, os, signal, socket, sys, time
def refuse(*_a, **_k):
    raise AssertionError("the network was touched")
socket.socket.connect = socket.getaddrinfo = refuse
sys.path.insert(0, {str(Path(__file__).parent)!r})
from toys import TinyNetwork
from penult import quantization
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone, register
from penult.engines import measure
from penult.engines.registry import open_engine
register(TinyNetwork())
measure.SECONDS = 0.01
backbone = open_backbone("tiny:network")
engines = [
    open_engine(backbone, select(backbone, [layer.name]), engine="openvino", device="cpu")
    for layer in backbone.layers[:3]
]
while engines:
    engines.pop(0)
handled = []
signal.signal(signal.SIGINT, lambda *_: handled.append(1))
def is_handled():
    gc.collect()
    if sys.platform != "linux":  # stacks of signals are as on Linux
        return True
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    return handled.pop()
assert is_handled()
said = []
def say(text):
    said.append(text)
    logging.getLogger("penult").warning(text)
images, output = {str(flowers)!r}, {str(tmp_path / "x.ckpt")!r}
quantization.quantize("tiny:network", images, output, images=10, progress=lambda now: say(now.stage))
assert is_handled()
from nncf.telemetry.wrapper import telemetry
from unittest.mock import MagicMock
assert isinstance(telemetry, MagicMock), telemetry
assert "openvino_telemetry" not in sys.modules
assert logging.getLoggerClass() is logging.Logger
import timm, transformers
say("all are imported")
print(json.dumps(said))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [text for text in said if text.startswith("calibrating")]
    heard = [line for line in done.stderr.splitlines() if "No CUDA runtime" not in line]
    assert heard == said  # torch 2.6 prints that, where there is a compiler for CUDA and no GPU
    assert cache_folder().is_dir()


def test_a_handler_that_nncf_was_given_too_keeps_its_level():
    """As pytest gives it the one by which it hears all others, or a program its file."""
    handler, logger = logging.NullHandler(), logging.getLogger("nncf")
    logger.addHandler(handler)
    try:
        import_nncf()
    finally:
        logger.removeHandler(handler)
    assert handler.level == logging.NOTSET
    assert logger.level == logging.ERROR


def test_what_a_later_penult_says_of_preprocessing_does_not_make_a_file_damaged(made, monkeypatch):
    """The digest is over what stands in the file, and not over what the file is read into."""
    asdict = dataclasses.asdict
    monkeypatch.setattr(dataclasses, "asdict", lambda thing: {**asdict(thing), "new": None})
    assert open_backbone(str(made[0])).layer("maps").shape == (16, 8, 8)
