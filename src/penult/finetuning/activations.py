"""What frozen blocks make of each photo, computed once, where photos are not changed at random."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from penult.finetuning.feeds import Feed, in_batches
from penult.finetuning.inference import infer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.array_store import ArrayStore
    from penult.finetuning.blocks import Block
    from penult.finetuning.network import HeadedNetwork
    from penult.finetuning.processes import Processes

__all__ = ["ActivationFeed", "Tail", "keep_activations"]

_TRIED = 32  # images


class _Caught(Exception):  # noqa: N818 - not an error: the way out of a forward pass
    """What goes into the first unfrozen block is known."""

    def __init__(self, activation: torch.Tensor) -> None:
        super().__init__()
        self.activation = activation


class Tail(nn.Module):
    """A network from its first unfrozen block on, fed with what goes into that block.

    The frozen modules pass on what they get, at no cost, and where the first unfrozen block begins,
    what is passed on is replaced. That is the network's own result as long as nothing but the
    blocks before leads there; `is_exact` says whether it is.

    Parameters
    ----------
    network : HeadedNetwork
        With something unfrozen, and something frozen.
    frozen : sequence of Block
        All blocks before.
    """

    def __init__(self, network: HeadedNetwork, frozen: Iterable[Block]) -> None:
        super().__init__()
        self.network = network
        inner = network.inner
        self._entry = inner.get_submodule(network.unfrozen[0].wholes[0])
        self._frozen = [
            inner.get_submodule(name) for block in frozen for name in block.wholes if name
        ]

    def activation(self, images: torch.Tensor) -> torch.Tensor:
        """Run the frozen part alone.

        Parameters
        ----------
        images : uint8 tensor, shape (N, H, W, 3)

        Returns
        -------
        float tensor, shape (N, ...)
            What goes into the first unfrozen block.
        """

        def catch(_module: nn.Module, args: tuple[Any, ...]) -> None:
            raise _Caught(args[0])

        handle = self._entry.register_forward_pre_hook(catch)
        try:
            # Not by the cut, which takes any other exception for the network's own.
            self.network.inner(self.network.rows.normalize(images))
        except _Caught as caught:
            return caught.activation
        finally:
            handle.remove()
        raise RuntimeError("the first unfrozen block was not run")

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        """Turn what `activation` gave into logits, (N, K)."""
        logits: torch.Tensor = self.network.head(self.rows(activations))
        return logits

    def rows(self, activations: torch.Tensor) -> torch.Tensor:
        """Turn what `activation` gave into rows, (N, D)."""
        handle = self._entry.register_forward_pre_hook(
            lambda _module, args: (activations, *args[1:])
        )
        own = [(module, vars(module).get("forward")) for module in self._frozen]
        for module in self._frozen:
            module.forward = _passing_on
        nothing = activations.new_zeros((len(activations), 8, 8, 3), dtype=torch.uint8)
        try:
            rows: torch.Tensor
            (rows,) = self.network.rows(nothing)
        finally:
            handle.remove()
            for module, forward in own:
                if forward is None:
                    del module.forward  # that of its class again
                else:
                    module.forward = forward
        return rows

    def is_exact(self, images: torch.Tensor) -> bool:
        """Whether the two parts give what the whole network gives, to the last bit.

        Parameters
        ----------
        images : uint8 tensor, shape (N, H, W, 3)
        """
        self.network.eval()
        with torch.no_grad():
            try:
                logits = self(self.activation(images))
                return bool(torch.equal(logits, self.network(images)))
            except Exception:  # it cannot be run without its first part, or memory is too small
                return False


def _passing_on(given: torch.Tensor, *_args: Any, **_kwargs: Any) -> torch.Tensor:
    return given


class ActivationFeed(Feed):
    """Activations that were computed once.

    Parameters
    ----------
    store : ArrayStore
        By row number; it lacks those whose photos cannot be read any more.
    """

    def __init__(self, store: ArrayStore) -> None:
        self._store = store

    def batches(
        self, batches: Iterable[NDArray[np.int64]], *, view: int | None = None
    ) -> Generator[tuple[NDArray[np.int64], torch.Tensor], None, None]:
        """See `Feed.batches`."""
        for rows in batches:
            found = {int(k): self._store.get(int(k)) for k in rows}
            there = [k for k, array in found.items() if array is not None]
            arrays = [array for array in found.values() if array is not None]
            stacked = torch.from_numpy(np.stack(arrays)) if arrays else torch.empty(0)
            yield np.array(there, np.int64), stacked


def keep_activations(
    tail: Tail,
    feed: Feed,
    rows: NDArray[np.int64],
    *,
    batch_size: int,
    processes: Processes,
    store: ArrayStore,
    step: Callable[[int], None],
) -> ActivationFeed | None:
    """Run the frozen part over photos, and keep what it gives.

    Parameters
    ----------
    tail : Tail
        Which is tried on the first batch.
    feed : Feed
        Of pixels.
    rows : int64 array
        Row numbers.
    batch_size : int
    processes : Processes
        Where the network is. Each runs a part of the photos, and keeps what all of them found.
    store : ArrayStore
        Which has nothing yet.
    step : callable
        Called with the number of photos done.

    Returns
    -------
    ActivationFeed or None
        None where the network cannot be divided there, or the store has too little room.
    """
    done, has_room = 0, True
    tail.network.eval()
    batches = in_batches(rows, batch_size * processes.count)
    for numbers, pixels in feed.batches(map(processes.part, batches)):
        mine = None
        if not len(numbers):
            mine = numbers, np.empty(0, np.float32)
        elif has_room and (done or tail.is_exact(pixels[:_TRIED].to(processes.device))):
            mine = numbers, infer(tail.activation, pixels, processes.device)
        for found in processes.gather(mine):
            if found is None:
                return None
            there, arrays = found
            for number, array in zip(there, arrays, strict=True):
                has_room = has_room and store.put(int(number), np.array(array))
            done += len(there)
        step(done)
    return ActivationFeed(store) if all(processes.gather(has_room and done > 0)) else None
