import json

import numpy as np
import pytest
from safetensors.numpy import save_file

import penult.backbones.checkpoint
from penult.backbones.bundled import _PACKAGES
from penult.backbones.checkpoint_note import NOTE
from penult.backbones.efficientnet_lite.graph import fit
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.pickled import read_pickled
from penult.engines.agreement import relative_error
from penult.engines.registry import open_engine
from penult.errors import WeightsError
from penult.recipe import Preprocessing

LITE0 = "efficientnet_lite0"
SEEN = Preprocessing(
    resize=64, crop=(64, 64), interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)


@pytest.fixture
def state():
    """Weights as they are in the package, but for a classifier of four classes."""
    whole = fit(LITE0, read_pickled(_PACKAGES[LITE0].path))
    return {
        **whole,
        "classifier.weight": whole["classifier.weight"][:4],
        "classifier.bias": whole["classifier.bias"][:4],
    }


@pytest.fixture
def save(tmp_path):
    """As `save_checkpoint` does, which has the tensors of a torch module."""

    def save(state, architecture=f"bundled:{LITE0}"):
        note = {"format": 1, "architecture": architecture, "preprocessing": SEEN.to_dict()}
        note |= {"label_names": [], "training": {}}
        state = {name: np.array(array, order="C") for name, array in state.items()}
        save_file(state, tmp_path / "a.ckpt", metadata={NOTE: json.dumps(note)})
        return tmp_path / "a.ckpt"

    return save


def run(backbone, layers, engine="openvino"):
    return open_engine(backbone, [backbone.recipe(x) for x in layers], engine=engine).run(IMAGES)


@pytest.mark.light
def test_a_checkpoint_of_a_bundled_network_runs_without_torch(state, save, monkeypatch):
    def refuse(what, *_):
        raise AssertionError(f"torch was asked for, for {what}")

    monkeypatch.setattr(penult.backbones.checkpoint, "require_torch", refuse)
    backbone = open_backbone(str(save(state)))
    assert backbone.architecture == "timm/tf_efficientnet_lite0"
    assert backbone.layer("logits").shape == (4,)
    rows, logits = run(backbone, ["penultimate", "logits"])
    whole = open_backbone(LITE0, WeightsChoice(preprocessing=SEEN))
    expected, thousand = run(whole, ["penultimate", "logits"])
    assert np.array_equal(rows, expected)
    assert relative_error(logits, thousand[:, :4]) <= 1e-6


def test_its_rows_are_those_of_torch(state, save):
    backbone = open_backbone(str(save(state)))
    layers = ["blocks.3", "penultimate", "logits"]
    for ours, theirs in zip(run(backbone, layers), run(backbone, layers, "torch"), strict=True):
        assert relative_error(ours, theirs) <= 1e-4


@pytest.mark.light
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda state: state.pop("bn1.weight"), "it lacks bn1.weight"),
        (lambda state: state.update(more=np.zeros(1, "f")), "it has left over more"),
        (lambda state: state.update({"bn1.bias": np.zeros(3, "f")}), "of another shape bn1.bias"),
        (
            lambda state: state.update({"bn1.bias": np.zeros(32, "f2")}),
            "of another type bn1.bias",
        ),
    ],
)
def test_tensors_that_are_not_the_networks_are_refused(change, why, state, save):
    change(state)
    with pytest.raises(WeightsError, match=f"does not fit bundled:efficientnet_lite0: {why}"):
        open_backbone(str(save(state)))


@pytest.mark.light
def test_a_checkpoint_of_another_of_them_is_refused(state, save):
    with pytest.raises(WeightsError, match="does not fit bundled:efficientnet_lite1: it lacks"):
        open_backbone(str(save(state, "bundled:efficientnet_lite1")))


@pytest.mark.light
def test_a_cut_file_is_refused(state, save):
    path = save(state)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match="no whole safetensors file"):
        open_backbone(str(path))
