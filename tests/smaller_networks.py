"""The largest classic networks with fewer channels or layers, made by the same code."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn


def vgg_of_64(patch: pytest.MonkeyPatch) -> None:
    """Have torchvision's VGG make 64 where it has 4,096 features: 120 million of 138 million weights."""
    from torchvision.models import vgg

    class Linear(nn.Linear):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__(*(64 if size == 4096 else size for size in (inputs, outputs)))

    patch.setattr(vgg, "nn", SimpleNamespace(**vars(nn) | {"Linear": Linear}))


def vit_of_two_layers(patch: pytest.MonkeyPatch) -> None:
    """Have torchvision's vision transformers have two layers where they have twelve and more."""
    from torchvision.models import vision_transformer as vit

    make = vit._vision_transformer
    patch.setattr(vit, "_vision_transformer", lambda **sizes: make(**sizes | {"num_layers": 2}))


def nasnet_of_1056(patch: pytest.MonkeyPatch) -> None:
    """Have timm's NASNet-A be as wide as the mobile one: 1,056 features where it has 4,032."""
    from timm.models import nasnet

    class Mobile(nasnet.NASNetALarge):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options | {"stem_size": 32, "num_features": 1056})

    patch.setattr(nasnet, "NASNetALarge", Mobile)
