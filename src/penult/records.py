"""Frozen results that travel between the parts, with their shapes stated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import Recipe

__all__ = [
    "Average",
    "ClassScore",
    "Copied",
    "Failure",
    "Features",
    "HeldOut",
    "ImageRecord",
    "Prediction",
    "Progress",
    "Scores",
]


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image that may become a row: where it is, and what is known of it.

    Attributes
    ----------
    id : path relative to the source, POSIX separators; unique in its listing
    open : opens the image's bytes for reading; called at most once, from any thread
    labels : none, one, or several (multi-label)
    split : "train", "validation", "test", or None where the source does not say
    group : rows of one group never straddle a split; None where each row stands alone
    path : the file itself, where there is one
    stamp : where there is none, what tells cheaply that the image is still the same, as JSON
    """

    id: str
    open: Callable[[], BinaryIO] = field(compare=False, repr=False)
    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    path: Path | None = None
    stamp: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Failure:
    """An image that could not become a row, and why, in one line."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Features:
    """The rows of one layer, in memory or lazily on disk, each with its id.

    Attributes
    ----------
    features : (N, D) or (N, C, H, W) or (N, T, D), float32 or float16; an h5py dataset until sliced
    ids : (N,) str, path relative to the source, POSIX separators
    labels : (N,) int64, index into `label_names`, -1 where unlabelled
    label_names : (K,) str, sorted
    targets : (N, K) bool, or None unless some image has several labels
    splits : (N,) str ("train", "validation", "test" or ""), or None
    groups : (N,) str, or None
    content : (N,) str, hex BLAKE2b-128 digest of each image's bytes, or None
    failures : the images that have no row
    recipe : how the rows were made
    layers : the layers the file holds, in execution order; `features` is one of them
    origin : where the images came from and with which options, JSON-like: ``sources``, ``labels``,
        ``label_pattern``, ``splits``, ``passed_over`` (extension to number of files that are no
        images), ``left_out`` (files that penult wrote), ``split_folders`` (what each top folder
        called train, test and so on was taken for: its ``split``, or None for a class)
    """

    features: Any
    ids: Sequence[str]
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    recipe: Recipe
    targets: NDArray[np.bool_] | None = None
    splits: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    content: Sequence[str] | None = None
    failures: tuple[Failure, ...] = ()
    layers: tuple[str, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)


@dataclass(frozen=True)
class Progress:
    """Where a run stands; passed to `on_progress` callbacks, from the calling thread.

    Attributes
    ----------
    done : images with an outcome so far, failures included
    total : images to do, or None where the source cannot say
    failed : failures so far
    kept : of `done`, those taken over from an interrupted run, or by an update from the file
    """

    done: int
    total: int | None
    failed: int
    kept: int = 0


@dataclass(frozen=True)
class ClassScore:
    """One class's scores: precision, recall and F1 in [0, 1], support in images.

    `average_precision` is that of a label where images may have several, and some image has it.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    average_precision: float | None = None


@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over classes, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How a classifier did on images it had not seen.

    The formulas are in `penult.classify.evaluation.scores`.

    Attributes
    ----------
    accuracy : float in [0, 1]; where images may have several labels, the part whose labels are said
        exactly
    classes : one ClassScore per class, in the order of the label names
    confusion : (K, K) tuple of tuples of int; rows are true classes, columns predicted ones; empty
        where images may have several labels
    images : number of images scored
    split : how the held-out part was chosen, in words
    interval : 95% interval of the accuracy, (low, high), by Clopper & Pearson
    top5 : part of the images whose class is among the five most probable; None for K <= 5
    balanced_accuracy : mean recall of the classes that have images here
    macro, weighted : averages over the classes that occur; each the same, or by its support
    soft_f1 : macro F1 on probabilities instead of decisions
    log_loss : mean of -log of the true class's probability, in nats
    calibration_error : expected calibration error of the winning probability, 15 bins
    micro : every label of every image counting the same; only where images may have several
    mean_average_precision : over the labels that occur; only where images may have several
    """

    accuracy: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    images: int
    split: str
    interval: tuple[float, float] | None = None
    top5: float | None = None
    balanced_accuracy: float | None = None
    macro: Average | None = None
    weighted: Average | None = None
    soft_f1: float | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    micro: Average | None = None
    mean_average_precision: float | None = None


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The images a classifier was scored on, and what it said of each; all sequences of length M.

    Attributes
    ----------
    ids : the images' ids
    truth, predicted : class names; where images may have several, joined by ", " ("" for none)
    probability : of the predicted class, in [0, 1]; where images may have several labels, that of
        the least certain decision for or against a label
    """

    ids: tuple[str, ...]
    truth: tuple[str, ...]
    predicted: tuple[str, ...]
    probability: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Copied:
    """Where an image was copied (or linked) to.

    Attributes
    ----------
    path : of the copy
    new : whether it was made now; the same image may have been there before
    renamed : whether it has a number in its name, another image having the name
    """

    path: Path
    new: bool
    renamed: bool


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image.

    Attributes
    ----------
    id : the image's id
    label : the most probable class
    probability : its probability, in [0, 1]
    top : the k most probable classes with their probabilities, most probable first
    unsure : whether that probability is below the threshold that was asked for
    copied : where the image was copied to, if it was
    labels : where images may have several labels, those above their thresholds, most probable
        first; None where each has one
    """

    id: str
    label: str
    probability: float
    top: tuple[tuple[str, float], ...]
    unsure: bool = False
    copied: Copied | None = None
    labels: tuple[str, ...] | None = None
