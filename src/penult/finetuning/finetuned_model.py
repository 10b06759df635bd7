"""What fine-tuning came to, beside the network's own weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penult.finetuning.head import Head
from penult.finetuning.training_photos import TrainingPhotos
from penult.recipe import Preprocessing
from penult.records import HeldOut, Scores
from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.likeness import Likeness

__all__ = ["FinetunedModel"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class FinetunedModel:
    """All that a checkpoint's folder is written from, beside the network.

    Attributes
    ----------
    architecture : str
        Whose source builds the network: what `penult.backbones.checkpoint.architecture_of` says of
        the backbone that was fine-tuned, e.g. ``"bundled:efficientnet_lite0"``.
    preprocessing : Preprocessing
        What its images go through.
    head : Head
        What turns its penultimate rows into classes, with its temperature and thresholds.
    options : mapping of str to Any
        How it was fine-tuned, as JSON can hold it, e.g. ``{"epochs": 10, "unfreeze": "last"}``.
    summary : mapping of str to Any
        The content of ``scores.json``: ``test``, ``validation`` and ``probe``, each with
        ``accuracy`` at least, or None where there is none, ``difference``, ``seconds``, and
        ``epochs``, one mapping of numbers each, of which the log and the curves are made.
    scores : Scores
        On the test images; where there are none, on the validation images, and its `split` says so.
    held_out : HeldOut
        What it predicted for each of them.
    train_images, validation_images : int
        How many images it was trained on, and stopped by.
    classes : mapping of str to int
        Class to number of training images.
    left_out : mapping of str to int
        Reason to number of images.
    seed : int
        Of the split, the batches and the augmentation.
    data : str
        Where the images came from, as a person is told.
    verdict : str
        One sentence: whether it was worth it.
    likeness : Likeness or None
        What tells photos like the training photos from others; None where that was not found.
    photos : TrainingPhotos
        Where they are, and which of them are in which part.
    parts : sequence of (str, str, str)
        The id, the label and the part of each photo, as `penult.finetuning.part_table` has them.
    trained_on : uint64 array or None
        Keys of the training and the validation images, of
        `penult.classify.evaluation.seen.content_keys`.
    network_trained_on : uint64 array or None
        Where no training was kept, so that these trained the head alone: the keys of those that
        had trained the network before, of which there may be none. Else None.
    """

    architecture: str
    preprocessing: Preprocessing
    head: Head
    options: Mapping[str, Any]
    summary: Mapping[str, Any]
    scores: Scores
    held_out: HeldOut
    train_images: int
    validation_images: int
    classes: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    data: str = ""
    verdict: str = ""
    likeness: Likeness | None = None
    photos: TrainingPhotos = field(default_factory=TrainingPhotos)
    parts: Sequence[tuple[str, str, str]] = ()
    trained_on: NDArray[np.uint64] | None = field(default=None, compare=False)
    network_trained_on: NDArray[np.uint64] | None = field(default=None, compare=False)
