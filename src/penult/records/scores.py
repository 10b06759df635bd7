"""How a classifier did on images it had not seen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from penult.records.class_score import Average, ClassScore
from penult.records.score_words import class_rows, in_words, numbers_in_words, scores_line
from penult.representation import html_table, text_table
from penult.wording import interval as in_interval
from penult.wording import percent

__all__ = ["Scores"]


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
        Averages over the classes that occur, each counting the same, or by its support. As in
        scikit-learn, a class without images here occurs where it is predicted, with scores of 0.
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
