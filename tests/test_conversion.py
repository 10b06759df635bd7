"""A converted backbone gives the original's rows, under the original's recipe, without torch."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toys

import penult
from penult.backbones import registry
from penult.backbones.checkpoint import architecture_of
from penult.backbones.graph_file import SUFFIX, is_graph_file, read_graph_file, save_graph
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.agreement import relative_error
from penult.engines.openvino import write_graph
from penult.engines.registry import open_engine
from penult.errors import (
    BackboneError,
    EngineError,
    FileFormatError,
    MissingExtraError,
    OutputExistsError,
    RecipeMismatchError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from penult.extractor.opened import close_all

KEY = "penult.float32"
LAYERS = ["maps", "penultimate"]


@pytest.fixture(scope="module")
def made(tiny, tmp_path_factory):
    """(the file of two layers, its card)."""
    folder = tmp_path_factory.mktemp("converted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENULT_CACHE", str(folder / "cache"))
        card = penult.convert(tiny, folder / "tiny.penult", layer=["maps", "penult*"])
    return folder / "tiny.penult", card


def images(count=5):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


def test_the_card_tells_the_truth(made, tiny):
    path, card = made
    assert read_graph_file(path).card == {**dataclasses.asdict(card), "layers": LAYERS}
    assert (card.backbone, card.weights, card.weights_sha256) == (tiny, "seed 0", "71" * 32)
    assert card.layers == tuple(LAYERS)
    assert (card.compared_with, card.difference < 1e-5) == ("torch", True)
    assert card.bytes == len(read_graph_file(path).graph.weights)
    info = penult.info(path)
    assert (info.kind, info.architecture, info.layers) == ("converted", "tiny/network", card.layers)
    assert info.sha256 == read_graph_file(path).sha256


def test_what_only_other_layers_need_is_left_out(tiny, made, tmp_path):
    card = penult.convert(tiny, tmp_path / "logits.penult", layer="logits")
    # 16 features, 4 classes: their weights are in no other file.
    assert card.bytes >= made[1].bytes + 16 * 4 * 4


@pytest.mark.parametrize("normalize", ["none", "l2"])
@pytest.mark.parametrize(
    ("layer", "pooling"), [("penultimate", None), *(("maps", how) for how in ("avg", "max", "gem", "flatten", "none"))]
)  # fmt: skip
def test_rows_and_recipes_are_those_of_the_original(made, tiny, layer, pooling, normalize):
    file, original = open_backbone(str(made[0])), open_backbone(tiny)
    ours = file.recipe(layer, pooling, normalize)
    theirs = original.recipe(layer, pooling, normalize)
    assert ours == theirs
    assert (ours.backbone, ours.weights, ours.network) == (tiny, "seed 0", tiny)
    assert penult.Recipe.from_json(ours.to_json()).file == str(made[0])
    assert "file" not in json.loads(theirs.to_json())
    found = open_engine(file, [ours]).run(images())[0]
    expected = open_engine(original, [theirs], engine="torch").run(images())[0]
    assert found.shape == expected.shape
    assert max(map(relative_error, found, expected)) < 1e-4


def test_it_opens_without_torch(made):
    code = f"""
import sys
sys.modules["torch"] = sys.modules["timm"] = sys.modules["torchvision"] = None
import numpy as np
from penult.backbones.registry import open_backbone
from penult.engines.registry import open_engine
backbone = open_backbone({str(made[0])!r})
engine = open_engine(backbone, [backbone.recipe("maps", "gem"), backbone.recipe()])
assert [x.shape for x in engine.run(np.zeros((3, 32, 32, 3), np.uint8))] == [(3, 16), (3, 16)]
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))


def test_nothing_of_it_is_kept_on_disk_a_second_time(made, tmp_path, monkeypatch):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    backbone = open_backbone(str(made[0]))
    open_engine(backbone, [backbone.recipe()]).run(images())
    assert not (tmp_path / "cache" / "openvino").exists()


def test_where_the_network_is_missing_a_file_is_pointed_to(
    made, tiny, photos, tmp_path, monkeypatch
):
    path, _ = made
    features = penult.extract(photos, tmp_path / "f.h5", model=tiny)
    penult.train(features, tmp_path / "c.skops")
    expected = list(penult.predict(tmp_path / "c.skops", photos))

    def lacking(_self, name, _choice):
        raise MissingExtraError(f"tiny:{name}", "torch")

    monkeypatch.setattr(toys.TinyNetwork, "open", lacking)
    close_all()
    said = r"pip install 'penult\[torch\]'; or give weights='FILE.penult', which penult.convert\(\) makes of tiny:network"
    with pytest.raises(MissingExtraError, match=said):
        penult.verify(tmp_path / "f.h5")
    with pytest.raises(MissingExtraError, match=said):
        penult.predict(tmp_path / "c.skops", photos)
    assert penult.verify(tmp_path / "f.h5", weights=path).passed
    found = list(penult.predict(tmp_path / "c.skops", photos, weights=path))
    assert [x.label for x in found] == [x.label for x in expected]
    assert [x.probability for x in found] == pytest.approx(
        [x.probability for x in expected], abs=1e-4
    )
    assert penult.evaluate(tmp_path / "c.skops", photos, weights=path).scores.images == 36
    shutil.copy(photos / "rose" / "rose_01.jpg", photos / "rose" / "rose_99.jpg")
    updated = penult.extract(photos, tmp_path / "f.h5", model=str(path), update=True)
    assert updated.changes.added == 1 or len(updated.changes.added) == 1
    assert penult.Extractor(features.recipe, weights=path)(images(2)).shape == (2, 16)


def test_what_the_file_made_is_used_with_the_network(made, tiny, photos, tmp_path, monkeypatch):
    moved = Path(shutil.copy(made[0], tmp_path / "moved.penult"))
    features = penult.extract(photos, tmp_path / "f.h5", model=str(moved))
    penult.train(features, tmp_path / "c.skops")
    name, choice = registry.as_recorded(features.recipe, "f.h5", WeightsChoice())
    assert (name, choice.weights) == (f"checkpoint:{moved}", None)  # where it lies, it is taken
    moved.unlink()
    assert registry.as_recorded(features.recipe, "f.h5", WeightsChoice())[0] == tiny
    assert penult.verify(tmp_path / "f.h5").passed
    assert len(list(penult.predict(tmp_path / "c.skops", photos))) == 36


def test_an_untrained_network_and_a_bundled_one_keep_their_identity(tmp_path):
    for name, weights in (("efficientnet_lite0", None), ("torchvision:squeezenet1_1", "random")):
        original = open_backbone(name, WeightsChoice.of(weights))
        penult.convert(name, tmp_path / "x.penult", weights=weights, overwrite=True)
        assert open_backbone(str(tmp_path / "x.penult")).recipe() == original.recipe()


def test_a_network_that_takes_one_image_at_a_time_does_so_from_a_file(tiny, tmp_path, monkeypatch):
    converted = write_graph.converted
    monkeypatch.setattr(
        write_graph, "converted", lambda *a: dataclasses.replace(converted(*a), batch=3)
    )
    penult.convert(tiny, tmp_path / "three.penult")
    backbone = open_backbone(str(tmp_path / "three.penult"))
    assert backbone.as_openvino(["penultimate"]).batch == 3
    recipes = [backbone.recipe()]
    whole = open_engine(open_backbone(tiny), recipes, engine="torch").run(images(7))[0]
    engine = open_engine(backbone, recipes)
    np.testing.assert_allclose(engine.run(images(7))[0], whole, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(engine.run(images(1))[0], whole[:1], rtol=1e-4, atol=1e-5)


def test_rows_that_are_not_the_originals_are_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(write_graph, "relative_error", lambda *_: 1e-3)
    with pytest.raises(
        EngineError, match=r"tiny:network cannot be converted: penultimate .* 1.0e-03"
    ):
        penult.convert(tiny, tmp_path / "x.penult")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_asked_for_is_one_line(made, tiny, tmp_path):
    path, _ = made
    out = tmp_path / "x.penult"
    with pytest.raises(
        UsageError, match=r"a file of penult.convert\(\) already; .* from, tiny:netw"
    ):
        penult.convert(str(path), out)
    with pytest.raises(UsageError, match=r"name it x\.penult or x\.ckpt or x\.safetensors"):
        penult.convert(tiny, tmp_path / "x.onnx")
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        penult.convert(tiny, path)
    with pytest.raises(OutputExistsError, match="is what is read"):
        penult.convert(str(path), path, overwrite=True)
    with pytest.raises(
        UnknownNameError, match=r"unknown layer 'logits' of .*; allowed: maps, penul"
    ):
        open_backbone(str(path)).recipe("logits")
    with pytest.raises(
        UsageError, match=r"tiny.penult is a whole network, .* give model='.*tiny.pen"
    ):
        open_backbone("torchvision:vgg16", WeightsChoice.of(path))
    with pytest.raises(UsageError, match="engine openvino alone; leave out engine='torch'"):
        open_engine(open_backbone(str(path)), [open_backbone(str(path)).recipe()], engine="torch")
    assert not list(tmp_path.iterdir())


def test_a_file_of_8_bit_integers_is_not_converted(tmp_path, tiny, made):
    content = dataclasses.replace(read_graph_file(made[0]).graph, original=None, batch=None)
    save_graph(tmp_path / "int8.penult", content, {})
    with pytest.raises(UsageError, match="computes with integers and runs without torch as it is"):
        penult.convert(str(tmp_path / "int8.penult"), tmp_path / "x.penult")


def test_a_file_of_another_network_is_refused_where_rows_would_meet(made, toy):
    recipe = open_backbone(toy).recipe()
    with pytest.raises(RecipeMismatchError, match=r"tiny.penult \(tiny:network\) on this machine"):
        registry.open_recipe(recipe, recipe_is="f.h5", choice=WeightsChoice.of(made[0]))


def test_it_is_trained_no_further_and_is_nothing_to_torch(made):
    backbone = open_backbone(str(made[0]))
    assert backbone.network.list_layers((32, 32)) == backbone.layers
    with pytest.raises(BackboneError, match="is a graph for the engine openvino on a CPU; leave o"):
        backbone.cut(["penultimate"])
    with pytest.raises(
        WeightsError, match="graph for the engine openvino, which cannot be trained"
    ):
        architecture_of(backbone)


def test_a_weights_file_that_is_gone_may_be_replaced_by_a_converted_one(made, recipe):
    gone = dataclasses.replace(recipe, weights="file:/nowhere/a.pth", backbone="tiny:network")
    with pytest.raises(WeightsError, match=r"or what penult.convert\(\) made of it"):
        registry.as_recorded(gone, "f.h5", WeightsChoice())


@pytest.mark.parametrize("kept", [0, 5, 300, -1000])
def test_a_truncated_file_is_refused(made, tmp_path, kept):
    cut = tmp_path / "cut.penult"
    cut.write_bytes(made[0].read_bytes()[:kept])
    with pytest.raises(FileFormatError, match=r"cut.penult is (not what its name says|a damaged)"):
        open_backbone(str(cut))


def test_a_file_that_was_changed_is_refused(made, tmp_path):
    data = bytearray(made[0].read_bytes())
    data[-100] ^= 1
    (tmp_path / "x.penult").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"is damaged: .* SHA-256 .* penult.convert"):
        open_backbone(str(tmp_path / "x.penult"))


def rewritten(made, folder, **changes):
    """A file whose digest is right, whoever made it."""
    path = folder / "other.penult"
    save_graph(
        path, dataclasses.replace(read_graph_file(made[0]).graph, **changes), {}, overwrite=True
    )
    return open_backbone(str(path))


def test_another_files_graph_is_noticed(made, tiny, tmp_path):
    penult.convert(tiny, tmp_path / "logits.penult", layer="logits")
    other = read_graph_file(tmp_path / "logits.penult").graph
    backbone = rewritten(made, tmp_path, graph=other.graph, weights=other.weights)
    with pytest.raises(FileFormatError, match=r"does not give the layers .* \(maps, penultimate\)"):
        open_engine(backbone, [backbone.recipe()])
    for original, maker in ((other.original, "convert"), (None, "quantize")):
        backbone = rewritten(made, tmp_path, graph=b"<net/>", original=original, batch=None)
        told = rf"other.penult holds no graph .*make it again with penult.{maker}"
        with pytest.raises(FileFormatError, match=told) as caught:
            open_engine(backbone, [backbone.recipe()])
        assert "Exception from" not in str(caught.value)


def test_wrong_shapes_and_rows_are_noticed(made, tmp_path):
    content = read_graph_file(made[0]).graph
    small = dataclasses.replace(content.preprocessing, resize=(16, 16))
    backbone = rewritten(made, tmp_path, preprocessing=small)
    with pytest.raises(FileFormatError, match="does not take images of 16 × 16 pixels"):
        open_engine(backbone, [backbone.recipe()])
    layers = (dataclasses.replace(content.layers[0], shape=(8, 8, 8)), content.layers[1])
    backbone = rewritten(made, tmp_path, layers=layers)
    with pytest.raises(FileFormatError, match="does not give the layers"):
        open_engine(backbone, [backbone.recipe()])
    backbone = rewritten(made, tmp_path, expected=tuple(row + 1 for row in content.expected))
    for recipe in (backbone.recipe(), backbone.recipe("maps", "max")):
        with pytest.raises(EngineError, match=r"other.penult \(tiny:network\) .*(differ by)"):
            open_engine(backbone, [recipe])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layers": []}, "names no layer"),
        ({"layers": [{"name": "x"}]}, "it lacks type, shape, layout"),
        ({"architecture": 3}, "or no architecture"),
        ({"original": None}, "damaged checkpoint: it lacks 'original'"),
        ({"original": "timm"}, "where settings by name are expected"),
        ({"batch": 2**60}, "takes 1152921504606846976 images at once"),
        ({"batch": True}, "takes True images at once"),
        ({"card": None, "sha256": "x"}, "it lacks 'card'"),
        ({"card": 7}, "get it again, or make it again with penult.convert"),
        (
            {"format": 9},
            r"a file of penult.convert\(\) of format 9; this penult reads 1: update it",
        ),
    ],
)
def test_a_note_made_by_hand_is_refused_by_name(made, tmp_path, change, complaint):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    with safe_open(made[0], framework="numpy") as file:
        note = json.loads(file.metadata()[KEY]) | change
    note = {key: value for key, value in note.items() if value is not None}
    save_file(load_file(made[0]), tmp_path / "x.penult", metadata={KEY: json.dumps(note)})
    assert is_graph_file(tmp_path / "x.penult")
    with pytest.raises(FileFormatError, match=complaint) as refused:
        open_backbone(str(tmp_path / "x.penult"))
    assert "\n" not in str(refused.value)


def test_a_file_is_known_for_a_network_by_its_name():
    assert registry.resolve(f"anywhere/vgg16{SUFFIX}")[0].prefix == "checkpoint"
