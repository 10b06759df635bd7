"""Labelled photos that a program gives: paths and images in memory, each with what it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, OpenedBackbone, ReadingOptions
from penult.finetuning.photos import Photos
from penult.progress import following
from penult.records import Features, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.backbones.weights.choice import WeightsChoice
    from penult.finetuning.class_targets import ClassTargets
    from penult.records import ImageRecord

__all__ = ["GivenPhotos"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenPhotos:
    """Photos in the order in which they were given, and the network that makes rows of them.

    Attributes
    ----------
    records : sequence of ImageRecord, length N
    targets : ClassTargets
        The class, or the labels, of each.
    groups : sequence of str, length N, or None
        Photos of one group are never divided.
    model : str
        The backbone.
    weights : WeightsChoice
    reading : ReadingOptions
    device : str
    """

    records: Sequence[ImageRecord]
    targets: ClassTargets
    groups: Sequence[str] | None
    model: str
    weights: WeightsChoice
    reading: ReadingOptions
    device: str

    def open_backbone(self) -> Backbone:
        """Open the network that is to be trained; nobody else in this process has it."""
        return OpenedBackbone(self.model, self.weights).backbone

    def read(self, file: Path, *, leave_out: Path, anew: bool = False) -> Photos:
        """Make the rows of all photos, in memory; nothing is kept in `file`.

        Raises
        ------
        ImageError
            At the first photo that cannot be read.
        BackboneError, EngineError
        """
        extractor = ExtractorSpec(
            rows=ModelRows(models=(self.model,)),
            weights=self.weights,
            engine=EngineOptions(engine="torch", device=self.device),
            reading=self.reading,
        ).open(images=len(self.records))
        content: list[str] = []
        found: list[NDArray[np.float32]] = []
        with following(None) as tell:
            now = Progress(0, len(self.records), 0, stage="extract")
            tell(now)
            for block in extractor.blocks(self.records, stop_on_error=True):
                found += block.rows
                content += [outcome.digest for outcome in block.outcomes]
                tell(replace(now, done=len(content)))
        rows = np.concatenate(found)
        return Photos(
            features=Features(
                features=rows,
                # A photo may have been given twice.
                ids=[f"{place}:{record.id}" for place, record in enumerate(self.records)],
                labels=self.targets.labels,
                label_names=self.targets.names,
                targets=self.targets.targets,
                groups=self.groups,
                content=content,
                recipe=extractor.recipes[0],
            ),
            rows=rows,
            records=self.records,
        )
