"""Engines that are opened once a process and used by all who ask for the same rows."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

import numpy as np

from penult.backbones.base import Backbone, WeightsChoice
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.engines.base import Engine
from penult.engines.registry import open_engine
from penult.errors import UsageError
from penult.locks import ForkSafeLock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import Recipe

__all__ = ["SharedEngine", "close_all", "shared_engine"]

KEPT = 4
"""How many networks stay in memory: the last ones used."""


class SharedEngine(Engine):
    """An engine for one recipe that any number of threads may call at once; they take turns.

    Attributes
    ----------
    row_shape : of one row
    """

    def __init__(self, engine: Engine, turn: AbstractContextManager[object]) -> None:
        self.name, self.device, self.recipes = engine.name, engine.device, engine.recipes
        self.batch_size, self.concurrency = engine.batch_size, engine.concurrency
        self._engine, self._turn = engine, turn
        black = np.zeros((1, *self.recipes[0].preprocessing.input_size, 3), np.uint8)
        self.row_shape = self.run(black)[0].shape[1:]

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        with self._turn:
            return self._engine.run(images)


class _Opened:
    """A backbone, its engines, and whose turn it is to run the network that they share."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self.turn = Lock()
        self.engines: dict[Hashable, SharedEngine] = {}


_opened: OrderedDict[Hashable, _Opened] = OrderedDict()
_opening = ForkSafeLock()


def shared_engine(
    model: str,
    layer: str = "penultimate",
    pooling: str | None = None,
    normalize: str = "none",
    *,
    choice: WeightsChoice | None = None,
    engine: str = "auto",
    device: str = "auto",
) -> SharedEngine:
    """Open an engine for one layer, or find it where this process has opened it before.

    Raises
    ------
    UnknownNameError, UsageError, WeightsError, MissingExtraError, EngineError
        As `open_backbone`, `select` and `open_engine` do; or the layer is a glob of several.
    """
    with _opening:
        opened = _backbone(model, choice or WeightsChoice())
        # Listing the layers runs the network, and so may opening an engine.
        with opened.turn:
            recipe = _only(select(opened.backbone, [layer], pooling, normalize), layer)
            key = (recipe, engine, device)
            if key in opened.engines:
                return opened.engines[key]
            own = open_engine(opened.backbone, [recipe], engine=engine, device=device)
        # An engine that takes several threads at once does not run the backbone's own network.
        several = own.concurrency > 1
        turn = BoundedSemaphore(own.concurrency) if several else opened.turn
        opened.engines[key] = SharedEngine(own, turn)
        return opened.engines[key]


def close_all() -> None:
    """Let go of every network; whoever holds an engine keeps it."""
    with _opening:
        _opened.clear()


def _backbone(model: str, choice: WeightsChoice) -> _Opened:
    written = None
    if isinstance(choice.given, Path) and choice.given.exists():
        # A file that was written anew is another network.
        status = choice.given.stat()
        written = (status.st_mtime_ns, status.st_size)
    # What was opened before a fork has threads, and locks, of the parent's.
    key = (os.getpid(), model, choice, written)
    if key not in _opened:
        _opened[key] = _Opened(open_backbone(model, choice))
        if len(_opened) > KEPT:
            _opened.popitem(last=False)
    _opened.move_to_end(key)
    return _opened[key]


def _only(recipes: list[Recipe], layer: str) -> Recipe:
    if len(recipes) > 1:
        named = ", ".join(recipe.layer for recipe in recipes[:5])
        raise UsageError(f"the layer {layer!r} is {len(recipes)} layers ({named}, …); name one")
    return recipes[0]
