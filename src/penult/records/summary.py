"""What rows are like, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from penult.records.dimension_statistics import DimensionStatistics
from penult.records.distance_statistics import ClassDistances
from penult.records.hubness import Hubness
from penult.records.intrinsic_dimension import IntrinsicDimension
from penult.records.norm_statistics import NormStatistics
from penult.records.row_copies import RowCopies
from penult.records.spectrum import Spectrum
from penult.records.summary_words import summary_line, summary_rows
from penult.representation import html_table, one_line, short_text
from penult.wording import count, times

__all__ = ["Summary"]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What rows are like, in numbers: dead dimensions, norms, ranks, distances, hubs.

    Attributes
    ----------
    layer : str
        What the rows are called.
    metric : {"cosine", "euclidean"}
        By which rows are near to each other, in the last three.
    rows : int
        How many rows there are, N.
    dimensions : DimensionStatistics
        Of each of the D numbers of a row; rows of more axes are flattened.
    norms : NormStatistics
        Of all rows.
    copies : RowCopies
        Among all rows.
    spectrum : Spectrum
        Of the rows as they are, less their mean.
    compared : int
        Rows among which neighbours and distances were measured: all but copies and, by cosine,
        rows of zeros; or a random sample of those.
    comparable : int
        How many rows there are of which these are all or a sample.
    intrinsic_dimension : IntrinsicDimension or None
        None of fewer than 10 rows, or where the two nearest of most are as far away.
    distances : ClassDistances or None
        None of fewer than two rows.
    hubness : Hubness or None
        None of fewer than four rows.
    picture : callable or None
        What draws it as HTML in a notebook.
    """

    layer: str
    metric: Literal["cosine", "euclidean"]
    rows: int
    dimensions: DimensionStatistics
    norms: NormStatistics
    copies: RowCopies
    spectrum: Spectrum
    compared: int
    comparable: int
    intrinsic_dimension: IntrinsicDimension | None = None
    distances: ClassDistances | None = None
    hubness: Hubness | None = None
    picture: Callable[[Summary], str] | None = field(default=None, repr=False, compare=False)

    @property
    def line(self) -> str:
        """What was measured, in words."""
        return summary_line(self)

    def table(self) -> list[tuple[str, str, str]]:
        """Return it as a table: a name, a value, and a sentence that says what the value means.

        Returns
        -------
        list of (str, str, str)
            The first is the header.
        """
        return summary_rows(self)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            What ``penult summarize --json`` prints; further keys may come.
        """
        return {
            "layer": self.layer,
            "metric": self.metric,
            "rows": self.rows,
            "dimensions": len(self.dimensions),
            "compared": self.compared,
            "comparable": self.comparable,
            "numbers": self.dimensions.to_dict(),
            "norms": self.norms.to_dict(),
            "equal_rows": self.copies.to_dict(),
            "spectrum": self.spectrum.to_dict(),
            "intrinsic_dimension": self.intrinsic_dimension and self.intrinsic_dimension.to_dict(),
            "distances": self.distances and self.distances.to_dict(),
            "hubness": self.hubness and self.hubness.to_dict(),
        }

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each number of a feature vector.

        Returns
        -------
        pandas.DataFrame
            The columns of ``penult summarize --csv``: ``dimension`` (its place, from 0), ``mean``,
            ``std``, ``min``, ``max``, ``zeros`` (a share).

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import summary_to_dataframe

        return summary_to_dataframe(self)

    def __repr__(self) -> str:
        return one_line("Summary", self._facts())

    def _facts(self) -> list[tuple[str, str | None]]:
        dead = int(self.dimensions.constant.sum())
        intrinsic, hubness = self.intrinsic_dimension, self.hubness
        return [
            ("rows", f"{times((self.rows, len(self.dimensions)))} numbers"),
            ("layer", short_text(self.layer)),
            ("dead", count(dead, "dead dimension") if dead else None),
            ("effective rank", f"effective rank {self.spectrum.effective_rank:.1f}"),
            ("dimension", f"intrinsic dimension {intrinsic.value:.1f}" if intrinsic else None),
            ("hubness", f"hubness {hubness.skewness:.2f}" if hubness else None),
        ]

    def _repr_html_(self) -> str:
        table = html_table(self.line, [], self.table())
        return table if self.picture is None else f"<div>{self.picture(self)}{table}</div>"
