"""What a note says of a backbone holds as long as its weights are the same."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from penult.backbones import metadata_cache
from penult.backbones.backbone import Backbone
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.metadata_cache import load_cached, store
from penult.backbones.registry import opening
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.machine import cache_folder
from penult.recipe import Preprocessing

CHOICE = WeightsChoice()


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights")
    return path


def backbone(weights, name="timm:net", builds=None):
    from hashlib import sha256

    from torch import nn

    def build():
        if builds is not None:
            builds.append(name)
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Linear(4, 2))

    metadata = BackboneMetadata(
        name=name,
        architecture="timm/net",
        weights=WeightsInfo("it", sha256(weights.read_bytes()).hexdigest(), weights),
        preprocessing=Preprocessing(
            resize=2, crop=(2, 2), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
    )
    return Backbone(metadata, lambda: TorchNetwork(build(), head="2"))


def never():
    raise AssertionError("the network was opened")


def test_a_note_says_all_that_a_recipe_needs_and_the_layers(weights):
    whole = store("net", CHOICE, backbone(weights))
    known = load_cached("net", CHOICE, never)
    assert known is not None
    assert known.recipe() == whole.recipe()
    assert whole.layers == backbone(weights).layers
    known = load_cached("net", CHOICE, never)
    assert known.layers == whole.layers
    assert known.recipe("1") == whole.recipe("1")


def test_the_network_is_opened_once_and_when_it_has_to_run(weights):
    builds = []
    store("net", CHOICE, backbone(weights))
    known = load_cached("net", CHOICE, lambda: backbone(weights, builds=builds))
    known.recipe()
    assert builds == []
    known.cut(["penultimate"])
    known.cut(["logits"])
    assert builds == ["timm:net"]


def test_other_weights_under_the_same_name_are_opened_anew(weights):
    store("net", CHOICE, backbone(weights))
    weights.write_bytes(b"others")
    assert load_cached("net", CHOICE, never) is None
    weights.unlink()
    assert load_cached("net", CHOICE, never) is None


def test_what_cannot_be_relied_on_later_is_not_noted(weights, tmp_path, monkeypatch):
    whole = backbone(weights)
    for other in (
        replace(whole.weights, sha256="00" * 32),  # of several files
        replace(whole.weights, path=None),
        replace(whole.weights, path=tmp_path / "gone"),
    ):
        changed = whole.replace(weights=other)
        assert store("net", CHOICE, changed) is changed
    random = whole.replace(weights=WeightsInfo("random", "00" * 32))
    assert store("net", CHOICE, random) is not random
    monkeypatch.setattr(metadata_cache, "_LIBRARIES", ("penult", "a-library-that-is-not-here"))
    assert load_cached("net", CHOICE, never) is None


def test_a_disk_that_is_full_holds_no_half_note(weights, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert store("net", CHOICE, backbone(weights)).recipe() == backbone(weights).recipe()
    assert not list((cache_folder() / "backbones").iterdir())


def test_another_choice_of_weights_is_another_backbone(weights):
    store("net", CHOICE, backbone(weights))
    assert load_cached("net", WeightsChoice.of("random"), never) is None
    assert load_cached("net", WeightsChoice.of(weights), never) is None


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '"{}"', "null", '{"path": null}'])
def test_a_damaged_note_is_as_good_as_none(weights, damaged):
    store("net", CHOICE, backbone(weights))
    (note,) = (cache_folder() / "backbones").iterdir()
    note.write_text(damaged)
    assert load_cached("net", CHOICE, never) is None


def test_a_note_that_says_something_else_than_was_written_is_as_good_as_none(weights):
    store("net", CHOICE, backbone(weights))
    (note,) = (cache_folder() / "backbones").iterdir()
    text = note.read_text()
    for one, other in (('"resize": 2', '"resize": 3'), ('"mean": [0.0', '"mean": [0.1')):
        assert one in text
        note.write_text(text.replace(one, other))
        assert load_cached("net", CHOICE, never) is None
    note.write_text(text)
    assert load_cached("net", CHOICE, never) is not None


def test_a_note_in_the_place_of_another_is_as_good_as_none(weights):
    store("net", CHOICE, backbone(weights))
    (net,) = (cache_folder() / "backbones").iterdir()
    store("other", CHOICE, backbone(weights, "timm:other"))
    (other,) = set((cache_folder() / "backbones").iterdir()) - {net}
    net.write_bytes(other.read_bytes())
    assert load_cached("other", CHOICE, never) is not None
    assert load_cached("net", CHOICE, never) is None


def test_a_folder_is_looked_at_each_time(weights, tmp_path):
    (tmp_path / "model").mkdir()
    for name in (f"hf:{tmp_path}/model", "hf:~/model"):
        store(name, CHOICE, backbone(weights, "hf:model"))
        assert load_cached(name, CHOICE, never) is None


def test_a_cache_that_cannot_be_written_is_no_error(weights, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert store("net", CHOICE, backbone(weights)).recipe() == backbone(weights).recipe()
    assert load_cached("net", CHOICE, never) is None


def test_it_can_be_copied_and_what_is_not_there_is_an_attribute_error(weights):
    store("net", CHOICE, backbone(weights))
    known = load_cached("net", CHOICE, lambda: backbone(weights))
    assert copy.copy(known).metadata == known.metadata
    with pytest.raises(AttributeError):
        _ = known.nothing


def test_of_a_bundled_network_nothing_is_looked_for(monkeypatch):
    monkeypatch.setattr(opening, "load_cached", lambda *_: never())
    assert opening.open_backbone("bundled:efficientnet_lite0").layers
    assert not cache_folder().exists()
