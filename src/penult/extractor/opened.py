"""Opened backbones with their engines, and those that this process keeps for all who ask."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.base import Engine
from penult.engines.registry import few_for_a_gpu, open_engine
from penult.locks import ForkSafeLock
from penult.progress import announce

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.extractor.options import EngineOptions
    from penult.recipe import BackboneRecipe

__all__ = ["OpenedBackbone", "SharedEngine", "close_all", "shared_backbone"]

KEPT = 8
"""How many backbones a process keeps: the last ones used. A recipe may have several."""

ENGINES_KEPT = 8
"""How many engines of one backbone: each may hold the network's weights anew."""

_kept: OrderedDict[Hashable, OpenedBackbone] = OrderedDict()
_opening = ForkSafeLock()


class SharedEngine(Engine):
    """An engine that any number of threads may call at once; they take turns.

    Parameters
    ----------
    engine : Engine
        What runs.
    turn : context manager
        Held while it runs.
    """

    def __init__(self, engine: Engine, turn: AbstractContextManager[object]) -> None:
        self.name, self.device, self.recipes = engine.name, engine.device, engine.recipes
        self.batch_size, self.concurrency = engine.batch_size, engine.concurrency
        self._engine, self._turn = engine, turn

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        with self._turn:
            return self._engine.run(images)


class OpenedBackbone:
    """A backbone, the engines that run it, and whose turn it is to run the network they share.

    Parameters
    ----------
    name : str
    choice : WeightsChoice
    use_cache : bool
        See `open_backbone`.
    """

    def __init__(self, name: str, choice: WeightsChoice, *, use_cache: bool = True) -> None:
        told = name if choice.weights is None else f"{name} with the weights {choice.weights}"
        if choice.weights == "random":
            told = f"an untrained {name}"
        announce(f"loading {told}", brief=True)
        self.backbone = open_backbone(name, choice, use_cache=use_cache)
        files = [choice.weights, self.backbone.weights.path]
        self._files = [path for path in files if isinstance(path, Path)]
        self._written = _written(self._files)
        # Held while the network runs, and so while an engine is opened or layers are listed.
        self.turn = Lock()
        self._engines: OrderedDict[Hashable, SharedEngine] = OrderedDict()

    @property
    def is_current(self) -> bool:
        """Whether its weights file is the one that was opened, and not one written since."""
        return _written(self._files) == self._written

    def engine(
        self,
        recipes: Sequence[BackboneRecipe],
        options: EngineOptions,
        *,
        images: int | None = None,
    ) -> SharedEngine:
        """Open an engine for these recipes, or find the one that was opened before.

        Parameters
        ----------
        images : int or None
            How many there are, where that is known.

        Raises
        ------
        UnknownNameError, UsageError, EngineError
        """
        key = (tuple(recipes), options)
        with self.turn:
            free = key not in self._engines and options.engine == options.device == "auto"
            if free and images is not None and few_for_a_gpu(self.backbone, recipes, images):
                options = replace(options, device="cpu")
                key = (tuple(recipes), options)
            if key not in self._engines:
                own = open_engine(self.backbone, recipes, **asdict(replace(options, images=images)))
                # One that takes several threads at once does not run the backbone's own network.
                several = own.concurrency > 1
                turn = BoundedSemaphore(own.concurrency) if several else self.turn
                self._engines[key] = SharedEngine(own, turn)
            self._engines.move_to_end(key)
            while len(self._engines) > ENGINES_KEPT:
                self._engines.popitem(last=False)
            return self._engines[key]


def shared_backbone(name: str, choice: WeightsChoice, options: EngineOptions) -> OpenedBackbone:
    """Open a backbone, or find it where this process has opened it before.

    An engine may move the network to its device, so that each device has a network of its own.

    Raises
    ------
    UnknownNameError, WeightsError, MissingExtraError
        As `open_backbone` does.
    """
    # What was opened before a fork has threads, and locks, of the parent's.
    key = (os.getpid(), name, choice, options.engine, options.device)
    with _opening:
        if key not in _kept or not _kept[key].is_current:
            _kept[key] = OpenedBackbone(name, choice)
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return _kept[key]


def close_all() -> None:
    """Let go of every backbone that is kept; whoever holds one keeps it."""
    with _opening:
        _kept.clear()


def _written(files: Sequence[Path]) -> list[tuple[int, int] | None]:
    return [(s.st_mtime_ns, s.st_size) if (s := _stat(path)) else None for path in files]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
