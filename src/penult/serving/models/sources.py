"""The files that a service is opened from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penult.backbones.weights.choice import WeightsChoice
from penult.classify.classifier import Classifier
from penult.errors import UsageError
from penult.extractor import EngineOptions
from penult.interface import option
from penult.records import Features
from penult.retrieve.index import Index

__all__ = ["Sources"]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a service is opened from, again and again.

    Attributes
    ----------
    classifier : Classifier or path, optional
        All that `penult.predict` takes.
    gallery : Features, Index, path or address, optional
        All that `penult.search` takes.
    layer : str, optional
        Which rows of the gallery.
    images : sequence of paths, optional
        Where the images of the gallery are now, if they have moved.
    unlike : float or {"auto", "off"}
        Which photos are unlike all that were seen, as `penult.predict` takes it.
    weights : WeightsChoice
    engine : EngineOptions
    """

    classifier: Classifier | str | Path | None = None
    gallery: Features | Index | str | Path | None = None
    layer: str | None = None
    images: Sequence[str | Path] | None = None
    unlike: float | str = "auto"
    weights: WeightsChoice = field(default_factory=WeightsChoice)
    engine: EngineOptions = field(default_factory=EngineOptions)

    def __post_init__(self) -> None:
        if self.classifier is None and self.gallery is None:
            raise UsageError(
                "there is nothing to serve; give "
                f"{option('classifier', 'flowers.skops')}, {option('gallery', 'flowers.h5')}, "
                "or both"
            )
