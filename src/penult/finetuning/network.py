"""A network and its new head, of which some blocks learn and the others stay to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

import torch
from torch import nn

if TYPE_CHECKING:
    from penult.engines.row_network import RowNetwork
    from penult.finetuning.blocks import Block

__all__ = ["HeadedNetwork"]


class HeadedNetwork(nn.Module):
    """From pixels to logits: the network up to its penultimate row, and a head.

    What is frozen stays in eval mode whatever calls `train`, so that no dropout works there and no
    running mean or variance moves.

    Parameters
    ----------
    rows : RowNetwork
        Its own copy.
    head : torch.nn.Module
        From float (N, D) to (N, K).
    unfrozen : sequence of Block
        What learns beside the head, first block first.
    frozen : sequence of Block, optional
        The blocks before.
    fixed_statistics : bool
        Whether batch normalisations that learn keep their running means and variances, and
        normalise by them (they learn scale and shift alone): then an image's logits never depend
        on its neighbours in the batch, and parts of a batch give the gradient of the whole. It is
        what the tutorial of Keras advises (F. Chollet, "Transfer learning & fine-tuning", 2023).
    """

    def __init__(
        self,
        rows: RowNetwork,
        head: nn.Module,
        unfrozen: Sequence[Block],
        *,
        frozen: Sequence[Block] = (),
        fixed_statistics: bool,
    ) -> None:
        super().__init__()
        self.rows, self.head = rows, head
        self.unfrozen, self.frozen = tuple(unfrozen), tuple(frozen)
        self.fixed_statistics = fixed_statistics
        rows.requires_grad_(False)
        head.requires_grad_(True)
        for block in self.unfrozen:
            for parameter in self.parameters_of(block):
                parameter.requires_grad_(True)
        self.train(False)

    def parameters_of(self, block: Block) -> list[nn.Parameter]:
        """The parameters of a block."""
        return [
            parameter
            for name in block.modules
            for parameter in self.inner.get_submodule(name).parameters(recurse=False)
        ]

    def learned(self) -> dict[str, torch.Tensor]:
        """Copy what may change: parameters that learn, and the statistics of what is unfrozen."""
        names = {name for name, one in self.named_parameters() if one.requires_grad}
        for block in self.unfrozen:
            for path in block.modules:
                prefix = ".".join(filter(None, ("rows.cut.network", path)))
                module = self.inner.get_submodule(path)
                names |= {f"{prefix}.{name}" for name, _ in module.named_buffers(recurse=False)}
        return {
            name: tensor.detach().cpu().clone()
            for name, tensor in self.state_dict().items()
            if name in names
        }

    def load_learned(self, learned: Mapping[str, torch.Tensor]) -> None:
        """Put back what `learned` copied."""
        self.load_state_dict(learned, strict=False)

    @property
    def inner(self) -> nn.Module:
        """The whole network, with the classifier that it came with."""
        return self.rows.cut.get_submodule("network")

    def train(self, mode: bool = True) -> Self:
        """Set the mode of what learns; all else is in eval mode."""
        super().train(False)
        if not mode:
            return self
        self.training = True
        self.head.train()
        for name, module in self.inner.named_modules():
            # A module within a block that has no weights of its own, as a dropout, learns with it.
            if not any(_is_within(name, block) for block in self.unfrozen):
                continue
            is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
            module.training = not (is_norm and self.fixed_statistics)
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn uint8 (N, H, W, 3) RGB into logits, (N, K)."""
        (rows,) = self.rows(images)
        logits: torch.Tensor = self.head(rows)
        return logits


def _is_within(name: str, block: Block) -> bool:
    if name in block.modules:
        return True
    return any(one and (name == one or name.startswith(f"{one}.")) for one in block.wholes)
