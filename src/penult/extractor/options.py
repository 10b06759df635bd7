"""The options of an extractor, each written down and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penult.arguments import require_name, require_whole
from penult.engines.base import EngineSettings
from penult.errors import UnknownNameError, UsageError
from penult.interface import option

__all__ = ["EngineOptions", "ReadingOptions"]


@dataclass(frozen=True, kw_only=True)
class EngineOptions(EngineSettings):
    """Which engine runs a network, and how; no option changes a row.

    Attributes
    ----------
    engine : str
        ``"auto"`` chooses; see `penult.engines.registry.open_engine`.
    """

    engine: str = "auto"

    def __post_init__(self) -> None:
        require_name("engine", self.engine)
        require_name("device", self.device)
        _require_positive("batch_size", self.batch_size)
        _require_positive("streams", self.streams)


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How images are read.

    Attributes
    ----------
    workers : int or None
        Decoding threads; from 12 on, of small photos, processes. Chosen from the machine and the
        images' source by default.
    max_pixels : int or None
        Refuse larger images, from their header.
    allow_truncated : bool
        Take what there is of truncated and damaged images.
    on_error : {"skip", "fail"}
        Whether an image without a row is listed as a failure, or ends the run.
    """

    workers: int | None = None
    max_pixels: int | None = None
    allow_truncated: bool = False
    on_error: Literal["skip", "fail"] = "skip"

    def __post_init__(self) -> None:
        if self.on_error not in ("skip", "fail"):
            raise UnknownNameError("value for on-error", self.on_error, ("skip", "fail"))
        _require_positive("workers", self.workers)
        _require_positive("max_pixels", self.max_pixels)


def _require_positive(name: str, value: int | None) -> None:
    if value is None:
        return
    require_whole(option(name), value)
    if value < 1:
        raise UsageError(f"{option(name)} is {value}; give 1 or more")
