"""What a classifier says of many images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from penult.records.failure import Failure
from penult.records.prediction import Prediction
from penult.representation import html_table, short_text
from penult.wording import count, percent

__all__ = ["Predictions"]


_CLASSES_SHOWN = 5  # in the repr of predictions


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
