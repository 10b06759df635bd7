"""The images that a classifier was scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import html_table
from penult.wording import count, percent

__all__ = ["HeldOut"]


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
