"""A network with batch normalisations and dropout, small enough to be trained in a test."""

from __future__ import annotations

from toys import TinyNetwork

from penult.backbones.backbone import Backbone
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.backbones.weights.load import fit_state, load_state, user_weights
from penult.recipe import Preprocessing


class NormedNetwork(TinyNetwork):
    """`normed:network`: a stem, two blocks with dropout, a last convolution, 16 × 16, 12 features.

    Its weights and running means are seeded. Blocks: ``stem``, ``blocks.0``, ``blocks.1``, ``last``.
    """

    prefix = "normed"

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        weights = WeightsInfo("seed 0", "73" * 32)
        if choice.weights is not None:
            weights = user_weights(choice.weights)
        metadata = BackboneMetadata(
            name="normed:network",
            architecture="normed/network",
            weights=weights,
            preprocessing=Preprocessing(
                resize=(16, 16),
                crop=None,
                interpolation="bilinear",
                mean=(0.5, 0.5, 0.5),
                std=(0.25, 0.25, 0.25),
            ),
        )

        def build():
            network = build_normed()
            if choice.weights is not None:
                fit_state(network, load_state(choice.weights), choice.weights)
            return TorchNetwork(network, head="logits")

        return Backbone(metadata, build)


def build_normed():
    import torch
    from torch import nn

    def normed(inside: int, outside: int, size: int, stride: int = 1, drop: float = 0.0):
        convolution = nn.Conv2d(inside, outside, size, stride, size // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU(), nn.Dropout(drop))

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv_stem = nn.Conv2d(3, 6, 3, 2, 1, bias=False)
            self.bn_stem = nn.BatchNorm2d(6)
            self.blocks = nn.Sequential(normed(6, 8, 3, 2, 0.1), normed(8, 8, 3, 1, 0.1))
            self.conv_head = nn.Conv2d(8, 12, 1, bias=False)
            self.bn_head = nn.BatchNorm2d(12)
            self.logits = nn.Linear(12, 4)

        def forward(self, images):
            maps = self.blocks(self.bn_stem(self.conv_stem(images)).relu())
            return self.logits(self.bn_head(self.conv_head(maps)).relu().mean((2, 3)))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        return network
