"""Gradients with regard to a layer, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from penult.backbones.backbone import Backbone
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.info import WeightsInfo
from penult.engines.torch_gradients import pull_back
from penult.errors import UsageError
from penult.recipe import Preprocessing

IMAGE = np.full((2, 2, 3), 255, np.uint8)  # all ones, as the network sees it
ASKED = np.array([1.0, 2.0, 3.0])


class Times(nn.Module):
    def forward(self, maps):
        return 2 * maps


class Named(nn.Module):
    def forward(self, maps):
        return {"first": maps}


class Small(nn.Module):
    """Doubles three times with one module, names it, and adds up each channel."""

    def __init__(self):
        super().__init__()
        self.twice, self.named = Times(), Named()

    def forward(self, maps):
        for _ in range(3):
            maps = self.twice(maps)
        return self.named(maps)["first"].sum((2, 3))


def small(network):
    metadata = BackboneMetadata(
        name="own:small",
        architecture="own/small",
        weights=WeightsInfo("none", "00" * 32),
        preprocessing=Preprocessing(
            resize=(2, 2), crop=None, interpolation="nearest", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
    )
    return Backbone(metadata, lambda: network)


def test_of_a_module_that_runs_several_times_the_last_output_is_the_layer():
    backbone = small(TorchNetwork(Small(), head=None))
    gradients = {backbone.recipe("penultimate"): ASKED}
    activation, gradient = pull_back(backbone, backbone.recipe("twice", "none"), gradients, IMAGE)
    assert np.array_equal(activation, np.full((3, 2, 2), 8))
    assert np.array_equal(gradient, np.broadcast_to(ASKED[:, None, None], (3, 2, 2)))


def test_a_layer_that_is_no_tensor_by_itself_is_refused():
    backbone = small(TorchNetwork(Small(), head=None))
    with pytest.raises(UsageError, match="penultimate of own:small does not depend on named, or"):
        pull_back(
            backbone,
            backbone.recipe("named", "none"),
            {backbone.recipe("penultimate"): ASKED},
            IMAGE,
        )


def test_a_network_that_is_not_cut_by_hooks_is_refused():
    class Other(TorchNetwork):
        def as_torch(self, layers):
            return nn.Identity()

    backbone = small(Other(Small(), head=None))
    with pytest.raises(
        UsageError, match="does not depend on twice, or not in a way that can be di"
    ):
        pull_back(
            backbone,
            backbone.recipe("twice", "none"),
            {backbone.recipe("penultimate"): ASKED},
            IMAGE,
        )
