from functools import cache

import pytest


@cache
def _in_timm(name):
    import timm
    import torch

    from penult.backbones.bundled import _PACKAGES

    network = timm.create_model(f"tf_{name}").eval().requires_grad_(False)
    theirs = torch.load(_PACKAGES[name].path, weights_only=True)
    # Named otherwise, in the same order.
    state = dict(zip(network.state_dict(), theirs.values(), strict=True))
    network.load_state_dict(state)
    return network


@pytest.fixture
def in_timm():
    """A bundled network as timm builds it, its weights read by torch."""
    return _in_timm
