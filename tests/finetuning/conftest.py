"""What the tests of fine-tuning share: a folder that a tiny network was saved in."""

from __future__ import annotations

import pytest
from finetuned import draw_curves_once, finetuned


@pytest.fixture
def tuned(tiny, monkeypatch):
    """The tiny network with other weights than its own, and what was opened to get it."""
    draw_curves_once(monkeypatch)
    import torch

    from penult.backbones.registry import open_backbone

    backbone = open_backbone("tiny:network")
    network = backbone.cut(["penultimate"]).network
    with torch.no_grad():
        network.last[0].weight.mul_(1.5)
    return backbone, network


@pytest.fixture
def folder(tmp_path, tuned):
    from penult.finetuning.checkpoint_folder import write_checkpoint

    backbone, network = tuned
    return write_checkpoint(tmp_path / "flowers.ckpt", network, finetuned(backbone))


@pytest.fixture(scope="module")
def normed():
    """`normed:network`, with batch normalisations: see tests/normed.py."""
    import torch
    from normed import NormedNetwork

    from penult.backbones.registry import register, unregister

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    register(NormedNetwork())
    yield "normed:network"
    unregister("normed")
    torch.set_num_threads(threads)
