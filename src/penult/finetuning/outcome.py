"""What a fine-tuning came to: what is said of it, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.training_images import training_images
from penult.classify.evaluation.seen import content_keys
from penult.finetuning.checkpoint_folder import write_checkpoint
from penult.finetuning.finetuned_model import FinetunedModel
from penult.finetuning.head import Head
from penult.finetuning.likeness import likeness_of
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.part_table import part_rows
from penult.finetuning.training_photos import TrainingPhotos
from penult.finetuning.verdict import verdict
from penult.records import Finetuned
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.finetuning.assessment import Assessment
    from penult.finetuning.evaluation import Evaluation
    from penult.finetuning.history import History
    from penult.finetuning.network import HeadedNetwork
    from penult.finetuning.photos import Photos
    from penult.finetuning.pixels import PixelReader
    from penult.finetuning.run import FinetuneRun
    from penult.finetuning.split import Parts

__all__ = ["Outcome"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A network that has been trained, and all that was found on the way.

    Attributes
    ----------
    asked : FinetuneRun
    backbone : Backbone
        The network as it was.
    architecture : str
        As `FinetunedModel` has it.
    photos : Photos
    parts : Parts
    reader : PixelReader
        By which the photos were read.
    network : HeadedNetwork
    evaluation : Evaluation
        Of the network.
    history : History
    assessment : Assessment
    wise_ft : float or None
        The share of the trained weights where they were averaged with those of the start.
    probe_seconds, training_seconds : float
        To the solved probe, and from there on.
    """

    asked: FinetuneRun
    backbone: Backbone
    architecture: str
    photos: Photos
    parts: Parts
    reader: PixelReader
    network: HeadedNetwork
    evaluation: Evaluation
    history: History
    assessment: Assessment
    wise_ft: float | None
    probe_seconds: float
    training_seconds: float

    @cached_property
    def finetuned(self) -> Finetuned:
        """What is said of it."""
        assessment, history, network = self.assessment, self.history, self.network
        tested, probed = assessment.tested, assessment.probed
        seconds = self.probe_seconds + self.training_seconds
        return Finetuned(
            output=str(self.asked.output),
            model=self.backbone.name,
            label_names=self.photos.names,
            scores=None if tested is None else tested.scores,
            held_out=None if tested is None else tested.held_out,
            validation=assessment.validated.scores,
            probe=None if probed is None else probed.scores,
            difference=assessment.difference,
            seconds={"probe": self.probe_seconds, "finetune": seconds},
            epochs=(*history.before, *history.epochs),
            best_epoch=history.best,
            unfrozen=tuple(block.name for block in network.unfrozen),
            parameters=sum(one.numel() for one in network.parameters() if one.requires_grad),
            frozen=tuple(block.name for block in network.frozen),
            frozen_parameters=sum(
                one.numel() for one in network.parameters() if not one.requires_grad
            ),
            temperature=assessment.temperature,
            calibration=None if tested is None else tested.calibration,
            wise_ft=self.wise_ft,
            train_images=self.reader.readable(self.parts.train),
            validation_images=self.reader.readable(self.parts.validation),
            left_out=self.parts.left_out(self.photos.features),
            failures=(*self.photos.features.failures, *self.reader.failures.values()),
            options=self.asked.options.resolved,
            stopped=history.stopped,
            trained_network=assessment.trained,
            untrained=assessment.untrained,
            verdict=verdict(
                assessment.difference,
                seconds=seconds,
                probe_seconds=self.probe_seconds,
                images=None if assessment.tested is None else len(assessment.tested.right),
                trained=history.best > 0 and self.wise_ft != 0,
            ),
        )

    @cached_property
    def module(self) -> torch.nn.Module:
        """The whole network with the classifier that it came with, on the CPU, in eval mode."""
        return self.network.to("cpu").eval().inner.to(memory_format=torch.contiguous_format)

    @cached_property
    def model(self) -> FinetunedModel:
        """What is kept beside the network's weights."""
        assessment, finetuned, photos = self.assessment, self.finetuned, self.photos
        scored = assessment.tested or assessment.validated
        return FinetunedModel(
            architecture=self.architecture,
            preprocessing=self.backbone.preprocessing,
            head=Head.of(
                self.network.to("cpu").head,
                photos.names,
                thresholds=assessment.thresholds,
                temperature=assessment.temperature,
            ),
            options={
                name: value
                for name, value in finetuned.options.items()
                if name != "seed" and value is not None and value is not False
            },
            summary=finetuned.to_dict(),
            scores=scored.scores,
            held_out=scored.held_out,
            train_images=finetuned.train_images,
            validation_images=finetuned.validation_images,
            classes=self._training_photos_by_class(),
            left_out=finetuned.left_out,
            seed=self.asked.options.seed,
            photos=self._training_photos(),
            parts=tuple(part_rows(photos.features, **self._rows)),
            data=listed(map(_name, photos.features.origin.get("sources", ()))),
            verdict=finetuned.verdict,
            likeness=likeness_of(
                photos, self.parts, self.network, self.evaluation, seed=self.asked.options.seed
            ),
            trained_on=self._trained_on(),
            network_trained_on=None if finetuned.trained else self._trained_before(),
        )

    def write(self) -> None:
        """Write the checkpoint's folder.

        Raises
        ------
        OutputExistsError, OutputError
        """
        asked = self.asked
        write_checkpoint(asked.output, self.module, self.model, overwrite=asked.overwrite)

    @property
    def _rows(self) -> dict[str, NDArray[np.int64]]:
        parts = self.parts
        return {"train": parts.train, "validation": parts.validation, "test": parts.test}

    def _training_photos_by_class(self) -> dict[str, int]:
        names, truth = self.photos.names, self.photos.truth[self.parts.train]
        several = self.photos.several
        counts = truth.sum(axis=0) if several else np.bincount(truth, minlength=len(names))
        return dict(zip(names, map(int, counts), strict=True))

    def _training_photos(self) -> TrainingPhotos:
        """Take down which photos these were, and what was asked for."""
        source, options = self.asked.source, self.asked.options.to_dict()
        reading, weights = source.reading, source.weights
        usual = FinetuneOptions().to_dict()
        asked = {
            "model": None if source.model == DEFAULT_MODEL else source.model,
            "weights": None if weights.weights is None else str(weights.weights),
            "architecture": weights.architecture,
            **{name: value for name, value in options.items() if value != usual[name]},
            "precision": None if self.asked.precision == "float32" else self.asked.precision,
            "max_pixels": reading.max_pixels,
            "allow_truncated": reading.allow_truncated or None,
        }
        return TrainingPhotos.of(
            self.photos.features,
            asked={name: value for name, value in asked.items() if value is not None},
            **self._rows,
        )

    def _trained_on(self) -> NDArray[np.uint64] | None:
        """Keys of the photos that trained the network or its head, its parents' included."""
        # Those that chose among the epochs are no new photos, either.
        rows = np.union1d(self.parts.train, self.parts.validation)
        own = content_keys(self.photos.features, rows)
        before = training_images(self.backbone.weights.path)
        if own is None or before is None:
            return before if own is None else own
        return np.union1d(own, before)

    def _trained_before(self) -> NDArray[np.uint64]:
        """Keys of the photos that trained the network that was started from."""
        before = training_images(self.backbone.weights.path)
        return np.empty(0, np.uint64) if before is None else before


def _name(source: str) -> str:
    """What a model card calls the place of photos: it is given away, and says nothing of a home."""
    return str(source).rstrip("/").rpartition("/")[2]
