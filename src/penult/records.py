"""Frozen results that travel between the parts, with their shapes stated."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from penult.errors import UnknownNameError, UsageError
from penult.representation import (
    html_table,
    one_line,
    short_repr,
    short_text,
    text_table,
    what_given,
)
from penult.wording import count, percent, ratio, times
from penult.wording import interval as in_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import Recipe

__all__ = [
    "Average",
    "Changes",
    "ClassScore",
    "Copied",
    "Failure",
    "Features",
    "HeldOut",
    "ImageRecord",
    "MovedBack",
    "Prediction",
    "Predictions",
    "Progress",
    "Rows",
    "Scores",
    "class_rows",
    "in_words",
    "scores_line",
]


_CLASSES_SHOWN = 5  # in the repr of predictions


class Rows(Protocol):
    """Rows in memory, an array; or in their file, from which slices are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array; the first is how many rows there are."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of their numbers."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> NDArray[Any]: ...
    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]: ...


@short_repr
@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image that may become a row: where it is, and what is known of it.

    Attributes
    ----------
    id : str
        Path relative to the source, POSIX separators; unique in its listing.
    open : callable
        Opens the image's bytes for reading, from any thread. That of a listing can be pickled, and
        opens what it needs in the process that calls it; relative paths stay relative.
    labels : tuple of str
        None, one, or several (multi-label).
    split : {"train", "validation", "test"} or None
        None where the source does not say.
    group : str or None
        Rows of one group never straddle a split; None where each row stands alone.
    path : Path or None
        The file itself, where there is one.
    stamp : JSON-like
        Where there is no file, what tells cheaply that the image is still the same.
    """

    id: str
    open: Callable[[], BinaryIO] = field(compare=False, repr=False)
    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    path: Path | None = None
    stamp: Any = field(default=None, compare=False, repr=False)


@short_repr
@dataclass(frozen=True)
class Failure:
    """An image that could not become a row.

    Attributes
    ----------
    id : str
        The image's id.
    reason : str
        Why, in one line.
    """

    id: str
    reason: str

    @property
    def line(self) -> str:
        """Both in one line, of which neither is longer than can be read."""
        return f"{short_text(self.id, 200)}: {short_text(self.reason, 600)}"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What an update changed in a feature file, by the ids of the images.

    Attributes
    ----------
    added : tuple of str
        Images that the file did not name among its rows; one that was moved is one of these.
    removed : tuple of str
        Images that are no longer there by that id, and whose rows were dropped.
    relabelled : tuple of str
        Images that have other labels now.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Features:
    """The rows of one layer, in memory or lazily on disk, each with its id.

    Attributes
    ----------
    features : float32 or float16 array, shape (N, D), (N, C, H, W) or (N, T, D)
        The rows; of a file, an h5py dataset that is read where it is sliced.
    ids : sequence of str, length N
        Paths relative to the source, POSIX separators.
    labels : int64 array, shape (N,)
        Indices into `label_names`, -1 where there is no one label.
    label_names : tuple of str, length K
        Sorted.
    recipe : Recipe
        How the rows were made.
    targets : bool array, shape (N, K), or None
        Which labels each image has; None unless some image has several.
    splits : sequence of str, length N, or None
        "train", "validation", "test" or "".
    groups : sequence of str, length N, or None
        Rows of one group are never split apart.
    content : sequence of str, length N, or None
        Hex BLAKE2b-128 digest of each image's bytes.
    failures : tuple of Failure
        The images that have no row.
    layers : tuple of str
        The layers that the file holds, in execution order; `features` is one of them.
    origin : mapping
        Where the images came from and with which options, JSON-like: ``sources``, ``labels``,
        ``label_pattern``, ``splits``, ``passed_over`` (extension to number of files that are no
        images), ``left_out`` (files that penult wrote), ``split_folders`` (what each top folder
        called train, test and so on was taken for: its ``split``, or None for a class).
    changes : Changes or None
        Of the run that just updated the file; None for any other.
    """

    features: Rows
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
    changes: Changes | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def labelled(self) -> int:
        """The number of rows that have a label, or several."""
        has = self.labels >= 0 if self.targets is None else self.targets.any(axis=1)
        return int(has.sum())

    def take(self, rows: Sequence[int] | Sequence[bool] | Sequence[str] | NDArray[Any]) -> Features:
        """Take some of the rows, for example to train on a part of a file's.

        Parameters
        ----------
        rows : sequence of int, of bool or of str, or array
            Which, by their places, by one True or False for each, or by their ids.

        Returns
        -------
        Features
            Those rows, in memory, in the order asked for.

        Raises
        ------
        UnknownNameError
            If there is no row of an id.
        UsageError
            If there are fewer rows.
        """
        import numpy as np

        places = self._places(rows)
        unique, order = np.unique(places, return_inverse=True)  # as h5py wants them
        picked = {
            name: None if column is None else [column[k] for k in places]
            for name in ("ids", "splits", "groups", "content")
            for column in (getattr(self, name),)
        }
        return dataclasses.replace(
            self,
            features=self.features[unique][order],
            labels=self.labels[places],
            targets=None if self.targets is None else self.targets[places],
            **picked,  # type: ignore[arg-type]
        )

    def _places(self, rows: Any) -> NDArray[np.intp]:
        import numpy as np

        asked = np.asarray(rows)
        if asked.size and all(isinstance(one, str) for one in asked.flat):
            there = {str(one): place for place, one in enumerate(self.ids)}
            for one in asked.flat:
                if one not in there:
                    raise UnknownNameError("id", str(one), there)
            return np.array([there[one] for one in asked.flat], np.intp)
        try:
            places: NDArray[np.intp] = np.arange(len(self))[
                asked if asked.size else asked.astype(np.intp)
            ]
        except IndexError as error:
            raise UsageError(
                f"rows is {what_given(rows)}, of {count(len(self), 'row')}; give their places, "
                "counted from 0, one True or False for each, or their ids"
            ) from error
        return places

    def __repr__(self) -> str:
        return one_line("Features", self._facts())

    def _repr_html_(self) -> str:
        table = [("class", "images"), *self.images_per_class().items()]
        return html_table("Features", self._facts(), table)

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame of them; all rows are read into memory.

        Returns
        -------
        pandas.DataFrame, shape (N, 2 + D) or more
            Columns ``id``; ``label``, missing where there is none, several joined by ``|``;
            ``split`` and ``group`` where the features have them; ``f0``, ``f1`` and so on. The
            recipe, as JSON, is in ``attrs["recipe"]``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import to_dataframe

        return to_dataframe(self)

    def _facts(self) -> list[tuple[str, str | None]]:
        shape = times(self.features.shape[1:])
        failed = len(self.failures)
        return [
            ("rows", f"{count(len(self), 'row')} of {shape} {self.features.dtype}"),
            ("classes", count(len(self.label_names), "class")),
            ("network", short_text(self.recipe.network)),
            ("layer", short_text(self.recipe.layer)),
            ("other layers", _others(self.layers, self.recipe.layer)),
            ("failures", f"{count(failed, 'image')} failed" if failed else None),
        ]

    def images_per_class(self) -> dict[str, int]:
        """Count the rows of each class.

        Returns
        -------
        dict
            Label to number of rows, in the order of `label_names`.
        """
        if self.targets is not None:
            counts = dict(enumerate(self.targets.sum(axis=0).tolist()))
        else:
            counts = Counter(self.labels.tolist())
        return {name: counts.get(k, 0) for k, name in enumerate(self.label_names)}


@short_repr
@dataclass(frozen=True)
class Progress:
    """Where a run stands; what a function given as `progress` is called with.

    Attributes
    ----------
    done : int
        Images (or what `unit` says) with an outcome so far, failures included.
    total : int or None
        Those to do; None where that is not known.
    failed : int
        Failures so far.
    kept : int
        Of `done`, those taken over from an interrupted run, or by an update from the file.
    stage : str
        What is being done: ``"extract"``, ``"train"``; ``"loading bundled:efficientnet_lite0"``.
    unit : str
        What is counted: ``"images"``, ``"fits"``, ``"rows"``, ``"bytes"``; empty where nothing is.
    brief : bool
        Whether it is a step that takes a few seconds at most.
    """

    done: int
    total: int | None
    failed: int
    kept: int = 0
    stage: str = ""
    unit: str = "images"
    brief: bool = False

    @property
    def counted(self) -> bool:
        """Whether anything is counted; if not, all that is known is the stage."""
        return self.unit != ""


@short_repr
@dataclass(frozen=True)
class ClassScore:
    """The scores of one class.

    Attributes
    ----------
    label : str
        The name of the class.
    precision, recall, f1 : float
        In [0, 1].
    support : int
        Images of the class that were scored.
    average_precision : float or None
        Of the ranking of all images by this label's probability; only where images may have several
        labels, and some image has this one.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    average_precision: float | None = None


@short_repr
@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over classes.

    Attributes
    ----------
    precision, recall, f1 : float
        In [0, 1].
    """

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How a classifier did on images it had not seen.

    The formulas are in `penult.classify.metrics.scores`.

    Attributes
    ----------
    accuracy : float
        In [0, 1]; where images may have several labels, the share whose labels are all right.
    classes : tuple of ClassScore
        In the order of the label names.
    confusion : tuple of tuple of int, shape (K, K)
        Rows are true classes, columns predicted ones; empty where images may have several labels.
    images : int
        The number of images scored.
    split : str
        How the held-out part was chosen, in words.
    interval : (float, float) or None
        95% interval of the accuracy, by Clopper and Pearson.
    top5 : float or None
        Share of the images whose class is among the five most probable; None for K <= 5.
    balanced_accuracy : float or None
        Mean recall of the classes that have images here.
    macro, weighted : Average or None
        Averages over the classes that occur, each counting the same, or by its support.
    soft_f1 : float or None
        Macro F1 on probabilities instead of decisions.
    log_loss : float or None
        Mean of -log of the true class's probability, in nats.
    calibration_error : float or None
        Expected calibration error of the winning probability, 15 bins.
    micro : Average or None
        Every label of every image counting the same; only where images may have several.
    mean_average_precision : float or None
        Over the labels that occur; only where images may have several.
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

    def __repr__(self) -> str:
        return f"Scores({in_words(self)})"

    def __str__(self) -> str:
        """The scores of each class and of all, as ``penult train`` prints them."""
        return f"{text_table(class_rows(self))}\n\n{scores_line(self)}"

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, every number unrounded.

        Returns
        -------
        dict
            Field to value, as in ``scores.json``.
        """
        return dataclasses.asdict(self)

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame of the classes, in the order of the label names.

        Returns
        -------
        pandas.DataFrame
            The fields of a `ClassScore`: ``label``, ``precision``, ``recall``, ``f1``,
            ``support``, and ``average_precision`` where images may have several labels.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import class_scores_to_dataframe

        return class_scores_to_dataframe(self)

    def _repr_html_(self) -> str:
        header = ("class, lowest F1 first", "precision", "recall", "F1", "images")
        rows = [
            (c.label, *numbers_in_words(c), f"{c.support:,}")
            for c in sorted(self.classes, key=lambda c: (not c.support, c.f1))
        ]
        low_high = self.interval
        facts = [
            ("accuracy", percent(self.accuracy)),
            ("95% interval", low_high and in_interval(low_high)),
            ("images", f"{self.images:,}, {self.split}"),
            ("macro F1", self.macro and f"{self.macro.f1:.3f}"),
            ("log-loss", None if self.log_loss is None else f"{self.log_loss:.3f}"),
        ]
        return html_table("Scores", facts, [header, *rows])


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The images that a classifier was scored on, and what it said of each.

    Attributes
    ----------
    ids : tuple of str, length M
        The images' ids.
    truth, predicted : tuple of str, length M
        Class names; where images may have several labels, joined by ", " ("" for none).
    probability : tuple of float, length M
        Of the predicted class, in [0, 1]; where images may have several labels, that of the least
        certain decision for or against a label.
    """

    ids: tuple[str, ...]
    truth: tuple[str, ...]
    predicted: tuple[str, ...]
    probability: tuple[float, ...]

    def __len__(self) -> int:
        """The number of images."""
        return len(self.ids)

    def __repr__(self) -> str:
        wrong = sum(a != b for a, b in zip(self.truth, self.predicted, strict=True))
        return f"HeldOut({count(len(self), 'image')}, {wrong:,} in the wrong class)"

    def _repr_html_(self) -> str:
        shares = map(percent, self.probability)
        rows = zip(self.ids, self.truth, self.predicted, shares, strict=True)
        # Those in the wrong class are looked for first.
        table = sorted(rows, key=lambda row: row[1] == row[2])
        header = ("image, wrong ones first", "class", "predicted", "probability")
        return html_table(count(len(self), "held-out image"), (), [header, *table])

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each image.

        Returns
        -------
        pandas.DataFrame
            The columns of ``held_out.csv``: ``id``, ``label``, ``predicted``, ``probability`` and
            ``run``, which is 1.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import held_out_to_dataframe

        return held_out_to_dataframe(self)


@short_repr
@dataclass(frozen=True, kw_only=True)
class Copied:
    """Where an image was copied, linked or moved to.

    Attributes
    ----------
    path : Path
        Of the copy.
    new : bool
        Whether it was made now; the same image may have been there before.
    renamed : bool
        Whether it has a number in its name, another image having the name.
    """

    path: Path
    new: bool
    renamed: bool


@short_repr
@dataclass(frozen=True, kw_only=True)
class MovedBack:
    """What became of photos that were moved into folders, when they were to go back.

    Attributes
    ----------
    photos : int
        How many are back.
    failures : tuple of Failure
        Those that are not, by where they were moved to, and why.
    """

    photos: int
    failures: tuple[Failure, ...] = ()


@short_repr
@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image.

    Attributes
    ----------
    id : str
        The image's id.
    label : str
        The most probable class.
    probability : float
        Its probability, in [0, 1].
    top : tuple of (str, float)
        The k most probable classes with their probabilities, most probable first.
    unsure : bool
        Whether that probability is below the threshold that was asked for.
    unlike : bool or None
        Whether the image is unlike anything that the classifier was trained on, so that no class
        may be right; None where the classifier does not know.
    similarity : float or None
        What that is judged by: the cosine to the fifth nearest of its training rows.
    copied : Copied or None
        Where the image was copied to, if it was.
    labels : tuple of str or None
        Where images may have several labels, those above their thresholds, most probable first;
        None where each has one.
    """

    id: str
    label: str
    probability: float
    top: tuple[tuple[str, float], ...]
    unsure: bool = False
    unlike: bool | None = None
    similarity: float | None = None
    copied: Copied | None = None
    labels: tuple[str, ...] | None = None

    @property
    def mark(self) -> str:
        """``"unlike"``, ``"unsure"``, or "": an image that is both counts as unlike."""
        return "unlike" if self.unlike else "unsure" if self.unsure else ""

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold: the line of ``penult predict --json``.

        Returns
        -------
        dict
            ``labels`` and ``copied_to`` are in it where there are any.
        """
        fields: dict[str, Any] = {
            "id": self.id,
            "label": self.label,
            "probability": self.probability,
            "unsure": self.unsure,
            "unlike": self.unlike,
            "similarity": self.similarity,
            "top": [list(pair) for pair in self.top],
        }
        if self.labels is not None:
            fields["labels"] = list(self.labels)
        if self.copied is not None:
            fields["copied_to"] = str(self.copied.path)
        return fields


class Predictions(list[Prediction]):
    """A list of predictions, and the images that have none.

    Parameters
    ----------
    predictions : iterable of Prediction
        One for each image that could be read.
    failures : iterable of Failure
        One for each of the others.

    Attributes
    ----------
    failures : tuple of Failure
        The images that could not be read, each with its reason.
    """

    def __init__(
        self, predictions: Iterable[Prediction] = (), failures: Iterable[Failure] = ()
    ) -> None:
        super().__init__(predictions)
        self.failures = tuple(failures)

    def __repr__(self) -> str:
        counts: Counter[str] = Counter()
        for one in self:
            if not one.mark:
                counts.update([one.label] if one.labels is None else one.labels)
        shown = _CLASSES_SHOWN if len(counts) <= _CLASSES_SHOWN else _CLASSES_SHOWN - 2
        most = [f"{images:,} {short_text(label)}" for label, images in counts.most_common(shown)]
        if more := len(counts) - shown:
            most += [f"and {more:,} more classes"] * (more > 0)
        most += [f"{images:,} {mark}" for mark, images in self._marked().items() if images]
        said = count(len(self), "prediction") + (f": {', '.join(most)}" if most else "")
        if self.failures:
            said += f"; {count(len(self.failures), 'image')} failed"
        return f"Predictions({said})"

    def _repr_html_(self) -> str:
        marked = self._marked()
        facts = [
            *((mark, f"{images:,}" if images else None) for mark, images in marked.items()),
            ("images that failed", f"{len(self.failures):,}" if self.failures else None),
        ]
        shown = any(marked.values())
        rows = [(one.id, one.label, percent(one.probability), *[one.mark] * shown) for one in self]
        table = [("image", "class", "probability", *[""] * shown), *rows]
        return html_table(count(len(self), "prediction"), facts, table)

    def _marked(self) -> dict[str, int]:
        """How many are unsure, and how many unlike: those are counted in no class."""
        counts = Counter(one.mark for one in self)
        return {mark: counts[mark] for mark in ("unsure", "unlike")}

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each prediction; the ``failures`` are not in it.

        Returns
        -------
        pandas.DataFrame
            The columns of the table that ``penult predict --csv`` prints.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import predictions_to_dataframe

        return predictions_to_dataframe(self)


def _others(layers: tuple[str, ...], this: str) -> str | None:
    others = len([layer for layer in layers if layer != this])
    return f"{count(others, 'other layer')} in the file" if others else None


def numbers_in_words(score: ClassScore) -> tuple[str, str, str]:
    """Write precision, recall and F1 of a class; dashes where no image of it was scored."""
    if not score.support:
        return ("–", "–", "–")
    return ratio(score.precision, 3), ratio(score.recall, 3), ratio(score.f1, 3)


def in_words(scores: Scores) -> str:
    """Say the accuracy and what it was measured on, in one phrase."""
    return f"accuracy {percent(scores.accuracy)} on {count(scores.images, 'image')}"


def scores_line(scores: Scores, *, with_interval: bool = True) -> str:
    """Return the accuracy, what it was measured on, and perhaps how far it can be trusted."""
    name = "accuracy" if scores.mean_average_precision is None else "every label right"
    text = f"{name} {percent(scores.accuracy)} on {count(scores.images, 'image')} ({scores.split})"
    if scores.interval is not None and with_interval:
        text += f", 95% interval {in_interval(scores.interval)}"
    return text


def class_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return the scores of each class as a table has them; the first row is the header."""
    several = scores.mean_average_precision is not None
    header = ("class", "precision", "recall", "F1", *["AP"] * several, "support")
    rows = [
        (
            row.label,
            *numbers_in_words(row),
            *["–" if row.average_precision is None else ratio(row.average_precision, 3)] * several,
            f"{row.support:,}",
        )
        for row in scores.classes
    ]
    return [header, *rows]
