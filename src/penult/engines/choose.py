"""Opening an engine by the name a user types."""

from __future__ import annotations

from collections.abc import Sequence

from penult.backbones.base import Backbone
from penult.engines.base import Engine
from penult.errors import UnknownNameError
from penult.recipe import Recipe

__all__ = ["ENGINES", "open_engine"]

ENGINES = ("auto", "torch")


def open_engine(
    backbone: Backbone, recipes: Sequence[Recipe], *, engine: str = "auto", device: str = "auto"
) -> Engine:
    """Make a backbone ready to run.

    Raises
    ------
    UnknownNameError, EngineError
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    from penult.engines.torch import TorchEngine

    return TorchEngine(backbone, recipes, device=device)
