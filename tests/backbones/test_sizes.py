import pytest
import timm
import torch
from torchvision import models

from penult.backbones.catalogue import list_models
from penult.backbones.sizes import sizes


@pytest.mark.parametrize("name", ["crossvit_tiny_240", "nasnetalarge", "tf_efficientnet_b7"])
def test_a_timm_networks_size_is_what_it_has(name):
    with torch.device("meta"):
        network = timm.create_model(name)
    parameters = sum(p.numel() for p in network.parameters())
    assert sizes()[f"timm/{name}"] == (parameters, network.head_hidden_size)


@pytest.mark.parametrize(("name", "features"), [("vgg16", 4096), ("inception_v3", 2048)])
def test_a_torchvision_networks_size_is_what_it_says(name, features):
    stated = models.get_model_weights(name).DEFAULT.meta["num_params"]
    assert sizes()[f"torchvision/{name}"] == (stated, features)


def test_nearly_every_network_is_of_known_size():
    # Networks newer than the table are of unknown size until it is written again.
    cards = [c for c in list_models() if c.name.partition(":")[0] in ("timm", "torchvision")]
    unknown = [card.name for card in cards if card.features is None]
    assert len(unknown) < len(cards) / 4
